//! SQL of events and revisions.

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{Db, FromRow, Purpose, Result, Row, Tx, Value, args};

use crate::clock::{Clock, Time};
use crate::events::{Actor, NewEvent};
use crate::http::RequestContext;

/// An event as written.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Order of writing in the whole instance.
    pub sequence: i64,
    /// The workspace's revision, where delivery sees the change.
    pub revision: Option<i64>,
    /// See [`crate::events::EventType`].
    pub kind: String,
    /// Sort of resource.
    pub resource_type: String,
    /// Its id.
    pub resource_id: Option<Uuid>,
    /// Its slug or name then.
    pub resource_name: Option<String>,
    /// How it was.
    pub before: Option<Json>,
    /// How it is now.
    pub after: Option<Json>,
    /// When.
    pub created_at: Time,
}

impl FromRow for StoredEvent {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(StoredEvent {
            sequence: row.get("sequence")?,
            revision: row.opt("revision")?,
            kind: row.get("type")?,
            resource_type: row.get("resource_type")?,
            resource_id: row.opt("resource_id")?,
            resource_name: row.opt("resource_name")?,
            before: row.json_opt("before")?,
            after: row.json_opt("after")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// Takes the workspace's next revision. On PostgreSQL the row stays locked until the commit, so revisions are gap-free
/// and in commit order; hence last in the transaction.
pub(super) async fn next_revision(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    tx.one("UPDATE workspaces SET revision = revision + 1 WHERE id = $1 RETURNING revision", args![workspace])
        .await
}

const INSERT: &str =
    "INSERT INTO events (id, workspace_id, revision, type, actor, address, user_agent, request_id,
    resource_type, resource_id, resource_name, before, after, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

#[expect(clippy::too_many_arguments, reason = "one row of the table, written in one place")]
pub(super) async fn append(
    tx: &mut Tx,
    id: Uuid,
    workspace: Option<Uuid>,
    revision: Option<i64>,
    actor: &Actor,
    context: &RequestContext,
    event: &NewEvent,
    at: Time,
) -> Result<()> {
    tx.later(
        INSERT,
        args![
            id,
            workspace,
            revision,
            event.kind.as_str(),
            Value::json(actor),
            context.address.map(|address| address.to_string()),
            context.user_agent.as_deref(),
            &*context.request_id.0,
            event.resource.kind,
            event.resource.id,
            event.resource.name.as_deref(),
            Value::json_opt(event.before.as_ref()),
            Value::json_opt(event.after.as_ref()),
            at,
        ],
    )
    .await
}

/// Writes an event that belongs to no workspace, such as a failed sign-in.
pub async fn append_instance_event(
    db: &Db,
    clock: &Clock,
    actor: &Actor,
    context: &RequestContext,
    event: &NewEvent,
) -> Result<()> {
    let mut tx = db.system(Purpose::InstanceEvents).write().await?;
    append(&mut tx, clock.new_id(), None, None, actor, context, event, clock.now()).await?;
    tx.commit().await
}

/// Writes an event that belongs to no workspace in the transaction of what happened.
pub async fn append_instance_event_in(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    context: &RequestContext,
    event: &NewEvent,
) -> Result<()> {
    append(tx, clock.new_id(), None, None, actor, context, event, clock.now()).await
}

/// The workspace's revision as the transaction sees it.
pub async fn revision(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    Ok(tx.optional("SELECT revision FROM workspaces WHERE id = $1", args![workspace]).await?.unwrap_or(0))
}

/// Revision of every workspace.
pub(super) async fn revisions(db: &Db) -> Result<Vec<(Uuid, i64)>> {
    let mut tx = db.system(Purpose::Revisions).read().await?;
    let rows = tx.all("SELECT id, revision FROM workspaces", args![]).await?;
    tx.commit().await?;
    Ok(rows)
}

/// Delivery-visible events of a workspace after `(revision, sequence)`, in order, at most `limit`.
pub(super) async fn events_after(
    db: &Db,
    workspace: Uuid,
    (revision, sequence): (i64, i64),
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    let mut tx = db.tenant(workspace).read().await?;
    let events = tx
        .all(
            "SELECT sequence, revision, type, resource_type, resource_id, resource_name, before, after, created_at
             FROM events WHERE workspace_id = $1 AND (revision > $2 OR (revision = $2 AND sequence > $3))
             ORDER BY revision, sequence LIMIT $4",
            args![workspace, revision, sequence, limit],
        )
        .await?;
    tx.commit().await?;
    Ok(events)
}
