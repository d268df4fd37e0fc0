//! SQL of analytics: sums of sums.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, args};

use crate::features::usage::rollup::HourSum;
use crate::features::usage::sketch::Latencies;

/// Sums under some heading.
pub(crate) struct Sum<T> {
    pub of: T,
    pub count: i64,
    pub errors: i64,
    pub measured: i64,
    pub latency_us: i64,
    pub last_at: i64,
    pub days: i64,
}

impl<T: xr2_db::Column> FromRow for Sum<T> {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Sum {
            of: row.get(0)?,
            count: row.get(1)?,
            errors: row.get(2)?,
            measured: row.get(3)?,
            latency_us: row.get(4)?,
            last_at: row.get(5)?,
            days: row.get(6)?,
        })
    }
}

/// The prompts used most from an hour on.
pub(crate) async fn by_prompt(tx: &mut Tx, from_hour: i64, limit: i64) -> Result<Vec<Sum<Uuid>>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT prompt_id, CAST(SUM(count) AS BIGINT), CAST(SUM(errors) AS BIGINT), CAST(SUM(measured) AS BIGINT),
                CAST(SUM(latency_us) AS BIGINT), MAX(last_at), COUNT(DISTINCT hour / 24)
         FROM usage_hourly WHERE workspace_id = $1 AND hour >= $2
         GROUP BY prompt_id ORDER BY SUM(count) DESC, prompt_id LIMIT $3",
        args![workspace, from_hour, limit],
    )
    .await
}

/// Sums by time, of one prompt or of all; `of` is the first hour of each step counted from `from_hour`.
pub(crate) async fn by_time(
    tx: &mut Tx,
    prompt: Option<Uuid>,
    from_hour: i64,
    step: i64,
) -> Result<Vec<Sum<i64>>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT (hour - ");
    sql.bind(from_hour).push(") / ").bind(step).push(
        ", CAST(SUM(count) AS BIGINT), CAST(SUM(errors) AS BIGINT), CAST(SUM(measured) AS BIGINT),
         CAST(SUM(latency_us) AS BIGINT), MAX(last_at), COUNT(DISTINCT hour / 24)
         FROM usage_hourly WHERE workspace_id = ",
    );
    sql.bind(workspace).push(" AND hour >= ").bind(from_hour);
    if let Some(prompt) = prompt {
        sql.push(" AND prompt_id = ").bind(prompt);
    }
    sql.push(" GROUP BY 1 ORDER BY 1");
    tx.all_built(sql).await
}

/// Deliveries and errors of all prompts from an hour to another.
pub(crate) async fn total(tx: &mut Tx, from: i64, to: i64) -> Result<(i64, i64)> {
    let workspace = tx.workspace();
    tx.one(
        "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT), CAST(COALESCE(SUM(errors), 0) AS BIGINT)
         FROM usage_hourly WHERE workspace_id = $1 AND hour >= $2 AND hour < $3",
        args![workspace, from, to],
    )
    .await
}

/// Whether anything was ever delivered.
pub(crate) async fn has_any(tx: &mut Tx) -> Result<bool> {
    let workspace = tx.workspace();
    let hour: Option<i64> = tx
        .optional("SELECT hour FROM usage_hourly WHERE workspace_id = $1 LIMIT 1", args![workspace])
        .await?;
    Ok(hour.is_some())
}

/// Different users of a workspace.
pub(crate) async fn users(tx: &mut Tx, from_hour: i64) -> Result<i64> {
    let workspace = tx.workspace();
    tx.one(
        "SELECT COUNT(DISTINCT user_hash) FROM usage_users WHERE workspace_id = $1 AND hour >= $2",
        args![workspace, from_hour],
    )
    .await
}

/// Different users of some prompts.
pub(crate) async fn users_of(tx: &mut Tx, prompts: &[Uuid], from_hour: i64) -> Result<Vec<(Uuid, i64)>> {
    let workspace = tx.workspace();
    let mut sql =
        Sql::new("SELECT prompt_id, COUNT(DISTINCT user_hash) FROM usage_users WHERE workspace_id = ");
    sql.bind(workspace).push(" AND hour >= ").bind(from_hour).push(" AND prompt_id IN ");
    sql.bind_list(prompts.iter().copied()).push(" GROUP BY prompt_id");
    tx.all_built(sql).await
}

/// An hour's sums of one prompt, under all its headings.
pub(crate) struct PromptHour {
    pub hour: i64,
    pub version: i64,
    pub label: String,
    pub variant: String,
    pub key: Uuid,
    pub source: String,
    pub sum: HourSum,
}

impl FromRow for PromptHour {
    fn from_row(row: &Row) -> Result<Self> {
        let latencies: Option<Vec<u8>> = row.opt(10)?;
        Ok(PromptHour {
            hour: row.get(0)?,
            version: row.get(1)?,
            label: row.get(2)?,
            variant: row.get(3)?,
            key: row.get(4)?,
            source: row.get(5)?,
            sum: HourSum {
                count: row.get(6)?,
                errors: row.get(7)?,
                measured: row.get(8)?,
                latency_us: row.get(9)?,
                latencies: latencies.as_deref().and_then(Latencies::from_bytes).unwrap_or_default(),
                last_at: row.get(11)?,
            },
        })
    }
}

/// Sums of one prompt from an hour to another.
pub(crate) async fn of_prompt(tx: &mut Tx, prompt: Uuid, from: i64, to: i64) -> Result<Vec<PromptHour>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT hour, version, label, variant, api_key_id, source, count, errors, measured, latency_us, latencies, last_at
         FROM usage_hourly WHERE workspace_id = $1 AND hour >= $2 AND hour < $3 AND prompt_id = $4",
        args![workspace, from, to, prompt],
    )
    .await
}

/// Slugs and titles of prompts.
pub(crate) async fn names_of(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<(Uuid, String, String)>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT id, slug, title FROM prompts WHERE workspace_id = ");
    sql.bind(workspace).push(" AND id IN ").bind_list(prompts.iter().copied());
    tx.all_built(sql).await
}
