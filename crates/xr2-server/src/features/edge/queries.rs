//! SQL of edge mode.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Tx, Value, args};

use crate::clock::Time;
use crate::features::edge::model::{Edge, Happened, Target};

impl FromRow for Edge {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Edge {
            enabled: row.get("enabled")?,
            ttl_seconds: row.get("ttl_seconds")?,
            target: row.json_opt("target")?,
            token: row.opt("token")?,
            purged_revision: row.get("purged_revision")?,
            attempts: row.get("attempts")?,
            last_error: row.opt("last_error")?,
            purged_at: row.opt("purged_at")?,
        })
    }
}

/// Edge mode of the transaction's workspace.
pub(super) async fn find(tx: &mut Tx) -> Result<Option<Edge>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT enabled, ttl_seconds, target, token, purged_revision, attempts, last_error, purged_at
         FROM edge_caches WHERE workspace_id = $1",
        args![workspace],
    )
    .await
}

/// Revision and slug of the transaction's workspace.
pub(super) async fn workspace(tx: &mut Tx) -> Result<(i64, String)> {
    let workspace = tx.workspace();
    tx.one("SELECT revision, slug FROM workspaces WHERE id = $1", args![workspace]).await
}

/// Sets the edge mode of the transaction's workspace. Caches are told of what happens from `from` on.
pub(super) async fn put(tx: &mut Tx, edge: &Edge, from: i64, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "INSERT INTO edge_caches (workspace_id, enabled, ttl_seconds, target, token, purged_revision,
             confirmed_revision, attempts, last_error, purged_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, 0, NULL, NULL, $7, $7)
         ON CONFLICT (workspace_id) DO UPDATE SET enabled = excluded.enabled, ttl_seconds = excluded.ttl_seconds,
             target = excluded.target, token = excluded.token, purged_revision = excluded.purged_revision,
             confirmed_revision = excluded.confirmed_revision, attempts = 0, last_error = NULL,
             updated_at = excluded.updated_at",
        args![
            workspace,
            edge.enabled,
            edge.ttl_seconds,
            Value::json_opt(edge.target.as_ref()),
            edge.token.clone(),
            from,
            now,
        ],
    )
    .await?;
    Ok(())
}

/// Workspaces whose caches have to be told something new, or once more what they were told before `settled`. Runs in a
/// system transaction.
pub(super) async fn pending(tx: &mut Tx, settled: Time, limit: i64) -> Result<Vec<Uuid>> {
    tx.all(
        "SELECT e.workspace_id FROM edge_caches e JOIN workspaces w ON w.id = e.workspace_id
         WHERE e.target IS NOT NULL
           AND (e.purged_revision < w.revision OR (e.confirmed_revision < w.revision AND e.purged_at <= $1))
         ORDER BY e.workspace_id LIMIT $2",
        args![settled, limit],
    )
    .await
}

/// What has to be known to tell a workspace's caches.
pub(super) struct Due {
    pub target: Target,
    pub token: Option<Vec<u8>>,
    pub confirmed_revision: i64,
    /// The workspace's own.
    pub revision: i64,
}

impl Due {
    /// Whether there is something to tell.
    pub(super) fn is_behind(&self) -> bool {
        self.confirmed_revision < self.revision
    }
}

impl FromRow for Due {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Due {
            target: row.json("target")?,
            token: row.opt("token")?,
            confirmed_revision: row.get("confirmed_revision")?,
            revision: row.get("revision")?,
        })
    }
}

/// Of the transaction's workspace.
pub(super) async fn due(tx: &mut Tx) -> Result<Option<Due>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT e.target, e.token, e.confirmed_revision, w.revision
         FROM edge_caches e JOIN workspaces w ON w.id = e.workspace_id
         WHERE e.workspace_id = $1 AND e.target IS NOT NULL",
        args![workspace],
    )
    .await
}

impl FromRow for Happened {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Happened {
            kind: row.get("type")?,
            resource_type: row.get("resource_type")?,
            resource_id: row.opt("resource_id")?,
            resource_name: row.opt("resource_name")?,
            after: row.json_opt("after")?,
        })
    }
}

/// What has happened in the transaction's workspace after `revision`, in order.
pub(super) async fn happened_after(tx: &mut Tx, revision: i64, limit: i64) -> Result<Vec<Happened>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT type, resource_type, resource_id, resource_name, after
         FROM events WHERE workspace_id = $1 AND revision > $2 ORDER BY revision, sequence LIMIT $3",
        args![workspace, revision, limit],
    )
    .await
}

/// The last revision of the transaction's workspace that is older than `time`.
pub(super) async fn last_before(tx: &mut Tx, time: Time) -> Result<Option<i64>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT revision FROM events WHERE workspace_id = $1 AND revision IS NOT NULL AND created_at <= $2
         ORDER BY revision DESC LIMIT 1",
        args![workspace, time],
    )
    .await
}

/// Caches know of everything up to the revision that was due, and nothing they have fetched since is older than
/// `confirmed`. Nothing when the settings were changed meanwhile.
pub(super) async fn purged(tx: &mut Tx, due: &Due, confirmed: i64, now: Time) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE edge_caches SET purged_revision = $3, confirmed_revision = $4, attempts = 0, last_error = NULL,
             purged_at = $5
         WHERE workspace_id = $1 AND confirmed_revision = $2",
        args![workspace, due.confirmed_revision, due.revision, confirmed, now],
    )
    .await?;
    Ok(())
}

/// They could not be told.
pub(super) async fn failed(tx: &mut Tx, error: &str) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "UPDATE edge_caches SET attempts = attempts + 1, last_error = $2 WHERE workspace_id = $1",
        args![workspace, error],
    )
    .await?;
    Ok(())
}
