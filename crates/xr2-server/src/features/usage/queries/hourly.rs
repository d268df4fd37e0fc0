//! SQL of hourly sums.

use std::collections::HashMap;

use xr2_db::{FromRow, Result, Row, Sql, Tx, args, dialect};

use crate::features::usage::rollup::{HourKey, HourSum, HourUser, Sums};
use crate::features::usage::sketch::Latencies;

/// The last event that is summed, and nobody else moves on until this transaction ends.
pub(crate) async fn lock_cursor(tx: &mut Tx) -> Result<i64> {
    let sql = dialect::for_update(
        tx.engine(),
        "SELECT sequence FROM usage_cursors WHERE name = 'rollup' FOR UPDATE",
        "SELECT sequence FROM usage_cursors WHERE name = 'rollup'",
    );
    tx.one(sql, args![]).await
}

/// Moves on.
pub(crate) async fn set_cursor(tx: &mut Tx, sequence: i64) -> Result<()> {
    tx.execute("UPDATE usage_cursors SET sequence = $1 WHERE name = 'rollup'", args![sequence]).await?;
    Ok(())
}

struct Stored(HourKey, HourSum);

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Self> {
        let key = HourKey {
            workspace: row.get(0)?,
            hour: row.get(1)?,
            prompt: row.get(2)?,
            version: row.get(3)?,
            label: row.get(4)?,
            variant: row.get(5)?,
            key: row.get(6)?,
            source: row.get(7)?,
        };
        let latencies: Option<Vec<u8>> = row.opt(12)?;
        let sum = HourSum {
            count: row.get(8)?,
            errors: row.get(9)?,
            measured: row.get(10)?,
            latency_us: row.get(11)?,
            latencies: latencies.as_deref().and_then(Latencies::from_bytes).unwrap_or_default(),
            last_at: row.get(13)?,
        };
        Ok(Stored(key, sum))
    }
}

/// Hours that are looked up at once.
const AT_ONCE: usize = 64;

const INSERT_HOUR: &str =
    "INSERT INTO usage_hourly (workspace_id, hour, prompt_id, version, label, variant, api_key_id,
                           source, count, errors, measured, latency_us, latencies, last_at)";
const REPLACE_HOUR: &str = "ON CONFLICT (workspace_id, hour, prompt_id, version, label, variant, api_key_id, source)
    DO UPDATE SET count = excluded.count, errors = excluded.errors, measured = excluded.measured,
                  latency_us = excluded.latency_us, latencies = excluded.latencies, last_at = excluded.last_at";
const INSERT_MONTH: &str = "INSERT INTO usage_monthly (workspace_id, month, count)";
const ADD_MONTH: &str =
    "ON CONFLICT (workspace_id, month) DO UPDATE SET count = usage_monthly.count + excluded.count";
const INSERT_USER: &str = "INSERT INTO usage_users (workspace_id, hour, prompt_id, user_hash)";

/// Adds sums to those that are there. Only under the cursor's lock.
pub(crate) async fn add(tx: &mut Tx, mut sums: Sums) -> Result<()> {
    let keys: Vec<HourKey> = sums.hours.keys().cloned().collect();
    for some in keys.chunks(AT_ONCE) {
        merge_stored(tx, some, &mut sums.hours).await?;
    }
    let mut values = Vec::new();
    for (key, sum) in sums.hours {
        let latencies = (sum.measured > 0).then(|| sum.latencies.to_bytes());
        values.extend(args![
            key.workspace,
            key.hour,
            key.prompt,
            key.version,
            key.label,
            key.variant,
            key.key,
            key.source,
            sum.count,
            sum.errors,
            sum.measured,
            sum.latency_us,
            latencies,
            sum.last_at,
        ]);
    }
    tx.insert_rows(INSERT_HOUR, 14, values, REPLACE_HOUR).await?;
    let mut values = Vec::with_capacity(sums.months.len() * 3);
    for ((workspace, month), count) in sums.months {
        values.extend(args![workspace, month, count]);
    }
    tx.insert_rows(INSERT_MONTH, 3, values, ADD_MONTH).await?;
    // In order, so that neighbours are written together.
    let mut users: Vec<HourUser> = sums.users.into_iter().collect();
    users.sort_unstable();
    let mut values = Vec::with_capacity(users.len() * 4);
    for user in users {
        values.extend(args![user.workspace, user.hour, user.prompt, user.user_hash]);
    }
    tx.insert_rows(INSERT_USER, 4, values, "ON CONFLICT DO NOTHING").await.map(drop)
}

async fn merge_stored(tx: &mut Tx, keys: &[HourKey], hours: &mut HashMap<HourKey, HourSum>) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT workspace_id, hour, prompt_id, version, label, variant, api_key_id, source, count, errors, measured,
                latency_us, latencies, last_at
         FROM usage_hourly
         WHERE (workspace_id, hour, prompt_id, version, label, variant, api_key_id, source) IN (VALUES ",
    );
    for (index, key) in keys.iter().enumerate() {
        sql.push(if index == 0 { "(" } else { ", (" });
        sql.bind(key.workspace).push(", ").bind(key.hour).push(", ").bind(key.prompt).push(", ");
        sql.bind(key.version).push(", ").bind(&key.label).push(", ").bind(&key.variant).push(", ");
        sql.bind(key.key).push(", ").bind(&key.source).push(")");
    }
    sql.push(")");
    for Stored(key, stored) in tx.all_built(sql).await? {
        if let Some(sum) = hours.get_mut(&key) {
            sum.merge(&stored);
        }
    }
    Ok(())
}

/// Forgets who used what before an hour, at most `limit`; tells how many.
pub(crate) async fn forget_users(tx: &mut Tx, before_hour: i64, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM usage_users WHERE (workspace_id, hour, prompt_id, user_hash) IN (
             SELECT workspace_id, hour, prompt_id, user_hash FROM usage_users WHERE hour < $1 LIMIT $2)",
        args![before_hour, limit],
    )
    .await
}
