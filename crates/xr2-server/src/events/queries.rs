//! SQL of events and revisions.

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{Db, FromRow, Purpose, Result, Row, Tx, Value, args};

use crate::clock::{Clock, Time};
use crate::events::progress::{Cursor, Page, Place};
use crate::events::{Actor, NewEvent};
use crate::http::RequestContext;

/// An event as written.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Which one it is.
    pub id: Uuid,
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
            id: row.get("id")?,
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

/// Notes that a person changed these prompts, in the order of their ids.
pub(super) async fn note_edits(
    tx: &mut Tx,
    user: Uuid,
    prompts: impl IntoIterator<Item = Uuid>,
    now: Time,
) -> Result<()> {
    let workspace = tx.workspace();
    for prompt in prompts {
        tx.later(
            "INSERT INTO prompt_edits (workspace_id, user_id, prompt_id, edited_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, prompt_id) DO UPDATE SET edited_at = excluded.edited_at",
            args![workspace, user, prompt, now],
        )
        .await?;
    }
    Ok(())
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

/// The workspace's revision as the transaction sees it, and its last event.
pub async fn place(tx: &mut Tx) -> Result<Place> {
    let workspace = tx.workspace();
    Ok(tx.optional(PLACE, args![workspace]).await?.unwrap_or_default())
}

const PLACE: &str =
    "SELECT w.revision, (SELECT e.id FROM events e WHERE e.workspace_id = w.id AND e.revision = w.revision
                            ORDER BY e.sequence DESC LIMIT 1) AS event
    FROM workspaces w WHERE w.id = $1";

impl FromRow for Place {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Place { revision: row.get("revision")?, event: row.opt("event")? })
    }
}

/// Where every workspace is in its history.
pub(super) async fn places(db: &Db) -> Result<Vec<(Uuid, Place)>> {
    let mut tx = db.system(Purpose::Revisions).read().await?;
    let rows: Vec<PlaceOf> = tx
        .all(
            "SELECT w.id, w.revision, (SELECT e.id FROM events e WHERE e.workspace_id = w.id AND e.revision = w.revision
                                       ORDER BY e.sequence DESC LIMIT 1) AS event
             FROM workspaces w",
            args![],
        )
        .await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|PlaceOf(workspace, place)| (workspace, place)).collect())
}

struct PlaceOf(Uuid, Place);

impl FromRow for PlaceOf {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(PlaceOf(row.get("id")?, Place::from_row(row)?))
    }
}

/// At most `limit` delivery-visible events of a workspace after the cursor, in order, and where the workspace is; all of
/// one snapshot. None when there is no such workspace.
pub(super) async fn page_after(db: &Db, workspace: Uuid, cursor: Cursor, limit: i64) -> Result<Option<Page>> {
    let mut tx = db.tenant(workspace).read().await?;
    let Some(present) = tx.optional::<Place>(PLACE, args![workspace]).await? else { return Ok(None) };
    let (revision, sequence) = (cursor.place.revision, cursor.sequence);
    let before = tx
        .optional(
            "SELECT id FROM events WHERE workspace_id = $1 AND revision = $2 AND sequence <= $3
             ORDER BY sequence DESC LIMIT 1",
            args![workspace, revision, sequence],
        )
        .await?;
    let events = after(&mut tx, (revision, sequence), present.revision, limit).await?;
    tx.commit().await?;
    let is_last = (events.len() as i64) < limit;
    Ok(Some(Page { present, before, events, is_last }))
}

/// Delivery-visible events of a workspace after `(revision, sequence)` up to the revision `to`, in order, at most `limit`.
pub(super) async fn events_after(
    db: &Db,
    workspace: Uuid,
    from: (i64, i64),
    to: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    let mut tx = db.tenant(workspace).read().await?;
    let events = after(&mut tx, from, to, limit).await?;
    tx.commit().await?;
    Ok(events)
}

async fn after(
    tx: &mut Tx,
    (revision, sequence): (i64, i64),
    to: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, sequence, revision, type, resource_type, resource_id, resource_name, before, after, created_at
         FROM events
         WHERE workspace_id = $1 AND revision >= $2 AND revision <= $4 AND (revision > $2 OR sequence > $3)
         ORDER BY revision, sequence LIMIT $5",
        args![workspace, revision, sequence, to, limit],
    )
    .await
}
