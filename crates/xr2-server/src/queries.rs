//! SQL that belongs to the instance rather than to one feature: settings, batched last-used times.

use std::collections::HashMap;

use chrono::TimeDelta;
use uuid::Uuid;
use xr2_db::{Engine, Result, Tx, args};

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

// Last-used times are written by all nodes at the same time, so every one of them takes rows in the same order. A time is
// never set back: what another node has written may be newer.

const LOCK_SESSIONS: &str = "SELECT id FROM sessions WHERE id IN (";
const LOCK_KEYS: &str = "SELECT id FROM api_keys WHERE id IN (";
const LOCKED: &str = ") ORDER BY id FOR NO KEY UPDATE";

pub(crate) async fn touch_sessions(
    tx: &mut Tx,
    used: &HashMap<Uuid, Time>,
    lifetime: TimeDelta,
) -> Result<()> {
    let used = sorted(used);
    lock(tx, LOCK_SESSIONS, &used).await?;
    let values = used.iter().flat_map(|(id, at)| [(**id).into(), (**at).into(), (**at + lifetime).into()]);
    tx.insert_rows(
        "UPDATE sessions SET last_used_at = used.column2, expires_at = used.column3 FROM (",
        3,
        values.collect(),
        ") AS used WHERE sessions.id = used.column1 AND sessions.last_used_at < used.column2",
    )
    .await
    .map(drop)
}

pub(crate) async fn touch_keys(tx: &mut Tx, used: &HashMap<Uuid, Time>) -> Result<()> {
    let used = sorted(used);
    lock(tx, LOCK_KEYS, &used).await?;
    let values = used.iter().flat_map(|(id, at)| [(**id).into(), (**at).into()]);
    tx.insert_rows(
        "UPDATE api_keys SET last_used_at = used.column2 FROM (",
        2,
        values.collect(),
        ") AS used WHERE api_keys.id = used.column1
             AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.column2)",
    )
    .await
    .map(drop)
}

fn sorted(used: &HashMap<Uuid, Time>) -> Vec<(&Uuid, &Time)> {
    let mut sorted: Vec<_> = used.iter().collect();
    sorted.sort_unstable();
    sorted
}

/// Locks rows in their order; SQLite has one writer.
async fn lock(tx: &mut Tx, from: &'static str, used: &[(&Uuid, &Time)]) -> Result<()> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => tx
            .insert_rows(from, 1, used.iter().map(|(id, _)| (**id).into()).collect(), LOCKED)
            .await
            .map(drop),
    }
}

pub(crate) async fn touch_fetches(tx: &mut Tx, fetched: &HashMap<Fetch, (Uuid, Time)>) -> Result<()> {
    let mut sorted: Vec<_> = fetched.iter().collect();
    // By the key that conflicts are about.
    sorted.sort_unstable_by_key(|((_, prompt, label), _)| (*prompt, label));
    let values =
        sorted.into_iter().zip(0_i64..).flat_map(|(((workspace, prompt, label), (key, at)), place)| {
            [place.into(), (*workspace).into(), (*prompt).into(), label.into(), (*key).into(), (*at).into()]
        });
    // A prompt may have been purged meanwhile; then there is nothing to note.
    tx.insert_rows(
        "INSERT INTO prompt_fetches (workspace_id, prompt_id, label, api_key_id, last_fetched_at)
         SELECT p.workspace_id, p.id, f.column4, f.column5, f.column6 FROM (",
        6,
        values.collect(),
        ") AS f JOIN prompts p ON p.id = f.column3 AND p.workspace_id = f.column2
         WHERE TRUE ORDER BY f.column1
         ON CONFLICT (prompt_id, label) DO UPDATE
             SET api_key_id = excluded.api_key_id, last_fetched_at = excluded.last_fetched_at
             WHERE excluded.last_fetched_at > prompt_fetches.last_fetched_at",
    )
    .await
    .map(drop)
}
