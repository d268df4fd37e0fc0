//! SQL of the tests: what is stored, seen past the program.

use uuid::Uuid;
use xr2_db::{Db, Purpose, Result, args};

/// Ids and revisions of all workspaces.
pub async fn workspaces(db: &Db) -> Result<Vec<(Uuid, i64)>> {
    let mut tx = db.system(Purpose::Revisions).read().await?;
    tx.all("SELECT id, revision FROM workspaces", args![]).await
}

/// Revisions that events of a workspace carry, in the order written.
pub async fn revisions_of_events(db: &Db, workspace: Uuid) -> Result<Vec<i64>> {
    let mut tx = db.tenant(workspace).read().await?;
    tx.all(
        "SELECT revision FROM events WHERE workspace_id = $1 AND revision IS NOT NULL ORDER BY sequence",
        args![workspace],
    )
    .await
}

/// Slugs of prompts that are not whole: without a slug of their own, without events, or with other versions than they
/// count.
pub async fn broken_prompts(db: &Db, workspace: Uuid) -> Result<Vec<String>> {
    let mut tx = db.tenant(workspace).read().await?;
    tx.all(
        "SELECT p.slug FROM prompts p WHERE p.workspace_id = $1 AND (
            NOT EXISTS (SELECT 1 FROM prompt_slugs s WHERE s.workspace_id = $1 AND s.prompt_id = p.id AND s.slug = p.slug)
            OR NOT EXISTS (SELECT 1 FROM events e WHERE e.workspace_id = $1 AND e.resource_id = p.id AND e.type = 'prompt.created')
            OR p.last_number <> (SELECT COUNT(*) FROM prompt_versions v WHERE v.workspace_id = $1 AND v.prompt_id = p.id)
            OR (SELECT COUNT(*) FROM label_moves m WHERE m.workspace_id = $1 AND m.prompt_id = p.id)
                <> (SELECT COUNT(*) FROM events e WHERE e.workspace_id = $1 AND e.resource_id = p.id
                    AND e.type IN ('prompt.published', 'prompt.rolled_back', 'label.moved')))",
        args![workspace],
    )
    .await
}
