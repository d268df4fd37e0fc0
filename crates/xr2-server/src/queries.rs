//! SQL that belongs to the instance rather than to one feature: settings, batched last-used times.

use std::collections::HashMap;

use chrono::TimeDelta;
use uuid::Uuid;
use xr2_db::{Result, Tx, args};

use crate::clock::Time;
use crate::last_used::Fetch;

/// Reads a setting of the instance.
pub(crate) async fn setting(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    tx.optional("SELECT value FROM instance_settings WHERE name = $1", args![name]).await
}

/// Sets a setting of the instance.
pub(crate) async fn set_setting(tx: &mut Tx, name: &str, value: &str, now: Time) -> Result<()> {
    tx.execute(
        "INSERT INTO instance_settings (name, value, updated_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        args![name, value, now],
    )
    .await?;
    Ok(())
}

/// Removes a setting of the instance.
pub(crate) async fn remove_setting(tx: &mut Tx, name: &str) -> Result<()> {
    tx.execute("DELETE FROM instance_settings WHERE name = $1", args![name]).await?;
    Ok(())
}

pub(crate) async fn touch_sessions(
    tx: &mut Tx,
    used: &HashMap<Uuid, Time>,
    lifetime: TimeDelta,
) -> Result<()> {
    for (id, at) in used {
        tx.execute(
            "UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1",
            args![*id, *at, *at + lifetime],
        )
        .await?;
    }
    Ok(())
}

pub(crate) async fn touch_keys(tx: &mut Tx, used: &HashMap<Uuid, Time>) -> Result<()> {
    for (id, at) in used {
        tx.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", args![*id, *at]).await?;
    }
    Ok(())
}

pub(crate) async fn touch_fetches(tx: &mut Tx, fetched: &HashMap<Fetch, (Uuid, Time)>) -> Result<()> {
    for ((workspace, prompt, label), (key, at)) in fetched {
        // The prompt may have been purged meanwhile; then there is nothing to note.
        tx.execute(
            "INSERT INTO prompt_fetches (workspace_id, prompt_id, label, api_key_id, last_fetched_at)
             SELECT p.workspace_id, p.id, $3, $4, $5 FROM prompts p WHERE p.id = $2 AND p.workspace_id = $1
             ON CONFLICT (prompt_id, label) DO UPDATE
                 SET api_key_id = excluded.api_key_id, last_fetched_at = excluded.last_fetched_at",
            args![*workspace, *prompt, label, *key, *at],
        )
        .await?;
    }
    Ok(())
}
