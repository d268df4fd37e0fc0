//! SQL of the snapshot: reads only, a page of prompts at a time.

use std::collections::HashMap;

use uuid::Uuid;
use xr2_db::{FromRow, JsonText, Result, Row, Tx, args};

use crate::features::delivery::freeze::model::{FrozenPrompt, FrozenVersion};

/// Prompts read at once.
pub(super) const PAGE: i64 = 200;

impl FromRow for FrozenPrompt {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(FrozenPrompt {
            id: row.get("id")?,
            slug: row.get("slug")?,
            former_slugs: Vec::new(),
            title: row.get("title")?,
            tags: row.get::<JsonText>("tags")?.0,
            latest_version: row.get("latest_version")?,
            labels: Vec::new(),
            versions: Vec::new(),
        })
    }
}

/// Something of a prompt.
struct Of<T>(Uuid, T);

struct FormerSlug(String);
struct Label(String, i64);

impl FromRow for Of<FormerSlug> {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Of(row.get("prompt_id")?, FormerSlug(row.get("slug")?)))
    }
}

impl FromRow for Of<Label> {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Of(row.get("prompt_id")?, Label(row.get("label")?, row.get("version_number")?)))
    }
}

impl FromRow for Of<FrozenVersion> {
    fn from_row(row: &Row) -> Result<Self> {
        let version = FrozenVersion {
            id: row.get("id")?,
            number: row.get("number")?,
            kind: row.get("type")?,
            syntax: row.get("syntax")?,
            content: row.get("content")?,
            variables: row.get::<JsonText>("variables")?.0,
            config: row.get::<JsonText>("config")?.0,
            created_at: row.get("created_at")?,
        };
        Ok(Of(row.get("prompt_id")?, version))
    }
}

/// A page of the workspace's prompts that are not in the bin, those behind `after`.
pub(super) async fn page(tx: &mut Tx, after: Uuid) -> Result<Vec<FrozenPrompt>> {
    let workspace = tx.workspace();
    let prompts: Vec<FrozenPrompt> = tx
        .all(
            "SELECT id, slug, title, tags, latest_version FROM prompts
             WHERE workspace_id = $1 AND id > $2 AND deleted_at IS NULL ORDER BY id LIMIT $3",
            args![workspace, after, PAGE],
        )
        .await?;
    complete(tx, prompts).await
}

/// One prompt, unless it is in the bin.
pub(super) async fn one(tx: &mut Tx, id: Uuid) -> Result<Option<FrozenPrompt>> {
    let workspace = tx.workspace();
    let prompts: Vec<FrozenPrompt> = tx
        .all(
            "SELECT id, slug, title, tags, latest_version FROM prompts
             WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL",
            args![workspace, id],
        )
        .await?;
    Ok(complete(tx, prompts).await?.pop())
}

/// What a prompt's versions include: which versions of those are kept may depend on it.
pub(super) async fn included_by(tx: &mut Tx, prompt: Uuid) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT DISTINCT included_id FROM prompt_includes WHERE workspace_id = $1 AND prompt_id = $2",
        args![workspace, prompt],
    )
    .await
}

/// Adds former slugs, labels and versions to prompts in the order of their ids.
async fn complete(tx: &mut Tx, mut prompts: Vec<FrozenPrompt>) -> Result<Vec<FrozenPrompt>> {
    let (Some(first), Some(last)) = (prompts.first(), prompts.last()) else { return Ok(prompts) };
    let (workspace, first, last) = (tx.workspace(), first.id, last.id);
    let slugs: Vec<Of<FormerSlug>> = tx
        .all(
            "SELECT prompt_id, slug FROM prompt_slugs
             WHERE workspace_id = $1 AND prompt_id >= $2 AND prompt_id <= $3 AND NOT is_current",
            args![workspace, first, last],
        )
        .await?;
    let labels: Vec<Of<Label>> = tx
        .all(
            "SELECT prompt_id, label, version_number FROM prompt_labels
             WHERE workspace_id = $1 AND prompt_id >= $2 AND prompt_id <= $3",
            args![workspace, first, last],
        )
        .await?;
    let versions: Vec<Of<FrozenVersion>> = tx
        .all(
            "SELECT v.prompt_id, v.id, v.number, v.type, v.syntax, v.content, v.variables, v.config, v.created_at
             FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id
             WHERE v.workspace_id = $1 AND p.workspace_id = $1 AND v.prompt_id >= $2 AND v.prompt_id <= $3
               AND (v.number = p.latest_version
                    OR EXISTS (SELECT 1 FROM prompt_labels l
                               WHERE l.prompt_id = v.prompt_id AND l.version_number = v.number)
                    OR EXISTS (SELECT 1 FROM prompt_includes i
                               WHERE i.included_id = v.prompt_id AND i.selector = CAST(v.number AS TEXT)))",
            args![workspace, first, last],
        )
        .await?;
    let mut places: HashMap<Uuid, &mut FrozenPrompt> =
        prompts.iter_mut().map(|prompt| (prompt.id, prompt)).collect();
    for Of(id, FormerSlug(slug)) in slugs {
        if let Some(prompt) = places.get_mut(&id) {
            prompt.former_slugs.push(slug);
        }
    }
    for Of(id, Label(label, number)) in labels {
        if let Some(prompt) = places.get_mut(&id) {
            prompt.labels.push((label, number));
        }
    }
    for Of(id, version) in versions {
        if let Some(prompt) = places.get_mut(&id) {
            prompt.versions.push(version);
        }
    }
    Ok(prompts)
}
