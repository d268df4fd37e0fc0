//! SQL of the queue.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use xr2_db::{FromRow, JsonText, Result, Row, Sql, Tx, Value, args, dialect};

type Time = DateTime<Utc>;

/// A job about to be written.
pub(crate) struct NewRow {
    pub id: Uuid,
    pub queue: &'static str,
    pub kind: &'static str,
    pub payload: Value,
    pub key: Option<String>,
    pub key_until: &'static str,
    pub due_at: Time,
    pub keep_until: Option<Time>,
}

/// Writes a job. Whether there was none with its key.
pub(crate) async fn insert(tx: &mut Tx, row: NewRow, now: Time) -> Result<bool> {
    let workspace = tx.scope();
    let inserted = tx
        .execute(
            "INSERT INTO jobs (id, queue, kind, workspace_id, payload, unique_key, key_until, state, attempts, due_at,
                               keep_until, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $9, $10, $10)
             ON CONFLICT (kind, unique_key) DO NOTHING",
            args![
                row.id,
                row.queue,
                row.kind,
                workspace,
                row.payload,
                row.key,
                row.key_until,
                row.due_at,
                row.keep_until,
                now
            ],
        )
        .await?;
    Ok(inserted > 0)
}

/// Forgets a job that is over and whose key has been kept for long enough.
pub(crate) async fn forget_key(tx: &mut Tx, kind: &str, key: &str, now: Time) -> Result<()> {
    let sql = "DELETE FROM jobs WHERE kind = $1 AND unique_key = $2 AND due_at IS NULL AND keep_until <= $3";
    tx.execute(sql, args![kind, key, now]).await?;
    Ok(())
}

/// Whether any job of these kinds is due.
pub(crate) async fn is_any_due(tx: &mut Tx, kinds: &[&'static str], now: Time) -> Result<bool> {
    let mut sql = Sql::new("SELECT CAST(1 AS BIGINT) FROM jobs WHERE due_at <= ");
    sql.bind(now).push(" AND kind IN ").bind_list(kinds.iter().copied()).push(" LIMIT 1");
    Ok(tx.optional_built::<i64>(sql).await?.is_some())
}

/// A job that was handed out.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub id: Uuid,
    pub lease: Uuid,
    pub kind: String,
    pub workspace: Option<Uuid>,
    pub payload: String,
    pub attempts: i64,
}

impl FromRow for Claimed {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Claimed {
            id: row.get("id")?,
            lease: row.get("lease")?,
            kind: row.get("kind")?,
            workspace: row.opt("workspace_id")?,
            payload: row.get::<JsonText>("payload")?.0,
            attempts: row.get("attempts")?,
        })
    }
}

/// Hands out what is due, the longest due first, under `lease` until `until`.
pub(crate) async fn claim(
    tx: &mut Tx,
    kinds: &[&'static str],
    limit: i64,
    lease: Uuid,
    (now, until): (Time, Time),
) -> Result<Vec<Claimed>> {
    // What is picked is locked before anything is changed: nobody else can pick it, and no plan picks it twice.
    let mut sql = Sql::new("WITH picked AS MATERIALIZED (SELECT id FROM jobs WHERE due_at <= ");
    sql.bind(now).push(" AND kind IN ").bind_list(kinds.iter().copied());
    sql.push(" ORDER BY due_at, id LIMIT ").bind(limit).push(dialect::skip_locked(tx.engine()));
    sql.push(") UPDATE jobs SET state = 'running', attempts = attempts + 1, lease = ").bind(lease);
    sql.push(", due_at = ").bind(until).push(", updated_at = ").bind(now);
    sql.push(", unique_key = CASE WHEN key_until = 'start' THEN NULL ELSE unique_key END");
    sql.push(
        " WHERE id IN (SELECT id FROM picked) RETURNING id, lease, kind, workspace_id, payload, attempts",
    );
    tx.all_built(sql).await
}

/// Renews a lease. Whether it was still held.
pub(crate) async fn renew(tx: &mut Tx, job: &Claimed, until: Time) -> Result<bool> {
    let sql = "UPDATE jobs SET due_at = $3 WHERE id = $1 AND lease = $2";
    Ok(tx.execute(sql, args![job.id, job.lease, until]).await? > 0)
}

/// A job is done: it goes, unless its key is still to keep others away.
pub(crate) async fn finish(tx: &mut Tx, job: &Claimed, now: Time) -> Result<()> {
    let delete = "DELETE FROM jobs WHERE id = $1 AND lease = $2 AND (keep_until IS NULL OR keep_until <= $3)";
    if tx.execute(delete, args![job.id, job.lease, now]).await? == 0 {
        let keep = "UPDATE jobs SET state = 'done', due_at = NULL, lease = NULL, updated_at = $3
                    WHERE id = $1 AND lease = $2";
        tx.execute(keep, args![job.id, job.lease, now]).await?;
    }
    Ok(())
}

/// A job failed and is to be tried again.
pub(crate) async fn retry(tx: &mut Tx, job: &Claimed, error: &str, due_at: Time, now: Time) -> Result<()> {
    let sql = "UPDATE jobs SET state = 'waiting', lease = NULL, last_error = $3, due_at = $4, updated_at = $5
               WHERE id = $1 AND lease = $2";
    tx.execute(sql, args![job.id, job.lease, error, due_at, now]).await?;
    Ok(())
}

/// A job is given up; it is kept for a while, its key with it only if that was promised.
pub(crate) async fn bury(tx: &mut Tx, job: &Claimed, error: &str, keep_until: Time, now: Time) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET state = 'dead', lease = NULL, last_error = $3, due_at = NULL, updated_at = $5,
                unique_key = CASE WHEN key_until = 'kept' THEN unique_key END,
                keep_until = CASE WHEN keep_until > $4 THEN keep_until ELSE $4 END
         WHERE id = $1 AND lease = $2",
        args![job.id, job.lease, error, keep_until, now],
    )
    .await?;
    Ok(())
}

/// Gives a job back that was not ended; the attempt does not count.
pub(crate) async fn give_back(tx: &mut Tx, job: &Claimed, now: Time) -> Result<()> {
    let sql = "UPDATE jobs SET state = 'waiting', lease = NULL, attempts = attempts - 1, due_at = $3, updated_at = $3
               WHERE id = $1 AND lease = $2";
    tx.execute(sql, args![job.id, job.lease, now]).await?;
    Ok(())
}

/// Forgets what has been kept for long enough.
pub(crate) async fn forget(tx: &mut Tx, now: Time) -> Result<u64> {
    tx.execute("DELETE FROM jobs WHERE due_at IS NULL AND keep_until <= $1", args![now]).await
}

/// How many jobs there are of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The queue.
    pub queue: String,
    /// `waiting`, `running` or `dead`.
    pub state: String,
    /// How many.
    pub count: i64,
}

impl FromRow for Count {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Count { queue: row.get(0)?, state: row.get(1)?, count: row.get(2)? })
    }
}

pub(crate) async fn counts(tx: &mut Tx) -> Result<Vec<Count>> {
    let sql = "SELECT queue, state, COUNT(*) FROM jobs WHERE state <> 'done' GROUP BY queue, state";
    tx.all(sql, args![]).await
}

/// A job that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// Its id.
    pub id: Uuid,
    /// Its queue.
    pub queue: String,
    /// What it is.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was given up.
    pub died_at: Time,
}

impl FromRow for DeadJob {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(DeadJob {
            id: row.get("id")?,
            queue: row.get("queue")?,
            kind: row.get("kind")?,
            attempts: row.get("attempts")?,
            last_error: row.opt("last_error")?,
            died_at: row.get("updated_at")?,
        })
    }
}

pub(crate) async fn dead(tx: &mut Tx, limit: i64) -> Result<Vec<DeadJob>> {
    let sql = "SELECT id, queue, kind, attempts, last_error, updated_at FROM jobs WHERE state = 'dead'
               ORDER BY updated_at DESC, id LIMIT $1";
    tx.all(sql, args![limit]).await
}

/// Has those tried again that were given up: one, or all there are. How many that is.
pub(crate) async fn revive(tx: &mut Tx, id: Option<Uuid>, now: Time) -> Result<u64> {
    let mut sql = Sql::new("UPDATE jobs SET state = 'waiting', attempts = 0, due_at = ");
    sql.bind(now).push(", updated_at = ").bind(now);
    sql.push(", keep_until = CASE WHEN key_until = 'kept' THEN keep_until END WHERE state = 'dead'");
    if let Some(id) = id {
        sql.push(" AND id = ").bind(id);
    }
    tx.execute_built(sql).await
}

/// Makes a schedule known. One that was due later than it would be now comes forward.
pub(crate) async fn put_schedule(tx: &mut Tx, name: &str, now: Time, at_latest: Time) -> Result<()> {
    let insert = "INSERT INTO job_schedules (name, next_at, updated_at) VALUES ($1, $2, $2)
                  ON CONFLICT (name) DO NOTHING";
    if tx.execute(insert, args![name, now]).await? == 0 {
        let sooner =
            "UPDATE job_schedules SET next_at = $2, updated_at = $3 WHERE name = $1 AND next_at > $2";
        tx.execute(sooner, args![name, at_latest, now]).await?;
    }
    Ok(())
}

/// Which of the schedules are due.
pub(crate) async fn due_schedules(tx: &mut Tx, names: &[&'static str], now: Time) -> Result<Vec<String>> {
    let mut sql = Sql::new("SELECT name FROM job_schedules WHERE next_at <= ");
    sql.bind(now).push(" AND name IN ").bind_list(names.iter().copied());
    tx.all_built(sql).await
}

/// Moves a schedule on. Whether it was due, and nobody else has done so.
pub(crate) async fn move_schedule(tx: &mut Tx, name: &str, now: Time, next: Time) -> Result<bool> {
    let sql = "UPDATE job_schedules SET next_at = $3, updated_at = $2 WHERE name = $1 AND next_at <= $2";
    Ok(tx.execute(sql, args![name, now, next]).await? > 0)
}
