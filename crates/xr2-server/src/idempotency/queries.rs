//! SQL of answers that are kept.

use xr2_db::{FromRow, Result, Row, Tx, args};

use crate::clock::Time;

/// An answer that was given.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) target: Vec<u8>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) status: i64,
    pub(super) answer: String,
    pub(super) revision: Option<i64>,
    pub(super) expires_at: Time,
}

impl FromRow for Record {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Record {
            target: row.get("target_hash")?,
            body: row.opt("body_hash")?,
            status: row.get("status")?,
            answer: row.get("answer")?,
            revision: row.opt("revision")?,
            expires_at: row.get("expires_at")?,
        })
    }
}

pub(super) async fn find(tx: &mut Tx, scope: &[u8; 32]) -> Result<Option<Record>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT target_hash, body_hash, status, answer, revision, expires_at
         FROM idempotency_keys WHERE workspace_id = $1 AND scope_hash = $2",
        args![workspace, scope.to_vec()],
    )
    .await
}

/// Before a workspace is there. The scope names who asked.
pub(super) async fn find_anywhere(tx: &mut Tx, scope: &[u8; 32]) -> Result<Option<Record>> {
    tx.optional(
        "SELECT target_hash, body_hash, status, answer, revision, expires_at
         FROM idempotency_keys WHERE scope_hash = $1",
        args![scope.to_vec()],
    )
    .await
}

/// Whether the answer was kept; not if there is one already.
pub(super) async fn insert(tx: &mut Tx, scope: &[u8; 32], record: &Record, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    let kept = tx
        .execute(
            "INSERT INTO idempotency_keys
                (scope_hash, workspace_id, target_hash, body_hash, status, answer, revision, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
            args![
                scope.to_vec(),
                workspace,
                record.target.clone(),
                record.body.clone(),
                record.status,
                record.answer.clone(),
                record.revision,
                now,
                record.expires_at
            ],
        )
        .await?;
    Ok(kept > 0)
}

pub(super) async fn forget_one(tx: &mut Tx, scope: &[u8; 32], now: Time) -> Result<u64> {
    tx.execute(
        "DELETE FROM idempotency_keys WHERE scope_hash = $1 AND expires_at <= $2",
        args![scope.to_vec(), now],
    )
    .await
}

/// Forgets some of those whose time is over; tells how many.
pub(super) async fn forget(tx: &mut Tx, now: Time, limit: i64) -> Result<u64> {
    tx.execute(
        "DELETE FROM idempotency_keys WHERE scope_hash IN (
            SELECT scope_hash FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        args![now, limit],
    )
    .await
}
