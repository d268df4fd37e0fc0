//! SQL of activity and of the home page.

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, args};

use crate::clock::Time;
use crate::events::Actor;
use crate::features::activity::dto::{ActivityItem, ActivityResource};

/// An event and its place in the order of events.
pub(super) struct EventRow {
    pub sequence: i64,
    pub item: ActivityItem,
}

impl FromRow for EventRow {
    fn from_row(row: &Row) -> Result<Self> {
        let item = ActivityItem {
            id: row.get("id")?,
            kind: row.get("type")?,
            at: row.get("created_at")?,
            actor: row.json("actor")?,
            resource: ActivityResource {
                kind: row.get("resource_type")?,
                id: row.opt("resource_id")?,
                name: row.opt("resource_name")?,
            },
            before: row.json_opt("before")?,
            after: row.json_opt("after")?,
        };
        Ok(EventRow { sequence: row.get("sequence")?, item })
    }
}

/// Events before a place, of one thing or of all, the latest first.
pub(super) async fn before(
    tx: &mut Tx,
    place: i64,
    resource: Option<Uuid>,
    limit: i64,
) -> Result<Vec<EventRow>> {
    let mut sql = Sql::new(
        "SELECT id, sequence, type, actor, resource_type, resource_id, resource_name, before, after, created_at
         FROM events WHERE workspace_id = ",
    );
    sql.bind(tx.workspace()).push(" AND sequence < ").bind(place);
    if let Some(resource) = resource {
        sql.push(" AND resource_id = ").bind(resource);
    }
    sql.push(" ORDER BY sequence DESC LIMIT ").bind(limit);
    tx.all_built(sql).await
}

/// A draft with its prompt and who saved it.
pub(super) struct DraftRow {
    pub prompt: Uuid,
    pub slug: String,
    pub title: String,
    pub branch: String,
    pub updated_by: Actor,
    pub updated_at: Time,
}

impl FromRow for DraftRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(DraftRow {
            prompt: row.get("prompt_id")?,
            slug: row.get("slug")?,
            title: row.get("title")?,
            branch: row.get("branch")?,
            updated_by: row.json("updated_by")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// The drafts saved last, of prompts that are not in the bin.
pub(super) async fn latest_drafts(tx: &mut Tx, limit: i64) -> Result<Vec<DraftRow>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT d.prompt_id, p.slug, p.title, d.branch, d.updated_by, d.updated_at
         FROM prompt_drafts d JOIN prompts p ON p.id = d.prompt_id
         WHERE d.workspace_id = $1 AND p.workspace_id = $1 AND p.deleted_at IS NULL
         ORDER BY d.updated_at DESC LIMIT $2",
        args![workspace, limit],
    )
    .await
}

/// Whether there is a prompt, one that is live, and a key.
pub(super) async fn steps(tx: &mut Tx, now: Time) -> Result<(bool, bool, bool)> {
    let workspace = tx.workspace();
    let (prompts, published, keys): (i64, i64, i64) = tx
        .one(
            "SELECT (SELECT COUNT(*) FROM (SELECT id FROM prompts WHERE workspace_id = $1 AND deleted_at IS NULL LIMIT 1) p),
                (SELECT COUNT(*) FROM (SELECT prompt_id FROM prompt_labels
                    WHERE workspace_id = $1 AND label = 'production' LIMIT 1) l),
                (SELECT COUNT(*) FROM (SELECT id FROM api_keys WHERE workspace_id = $1 AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > $2) LIMIT 1) k)",
            args![workspace, now],
        )
        .await?;
    Ok((prompts > 0, published > 0, keys > 0))
}
