//! SQL of delivery: reads only.

use uuid::Uuid;
use xr2_db::{FromRow, JsonText, Result, Row, Sql, Tx, args};

use crate::clock::Time;
use crate::features::delivery::key::SelectorRef;

/// A prompt that is not in the bin.
pub struct PromptRow {
    pub id: Uuid,
    pub slug: String,
    pub title: String,
    /// JSON, as stored.
    pub tags: String,
    pub latest_version: i64,
}

impl FromRow for PromptRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(PromptRow {
            id: row.get("id")?,
            slug: row.get("slug")?,
            title: row.get("title")?,
            tags: row.get::<JsonText>("tags")?.0,
            latest_version: row.get("latest_version")?,
        })
    }
}

/// A version as stored.
pub struct VersionRow {
    pub number: i64,
    pub kind: String,
    pub syntax: String,
    pub content: String,
    /// JSON, as stored.
    pub variables: String,
    /// JSON, as stored.
    pub config: String,
    pub created_at: Time,
}

impl FromRow for VersionRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(VersionRow {
            number: row.get("number")?,
            kind: row.get("type")?,
            syntax: row.get("syntax")?,
            content: row.get("content")?,
            variables: row.get::<JsonText>("variables")?.0,
            config: row.get::<JsonText>("config")?.0,
            created_at: row.get("created_at")?,
        })
    }
}

/// The prompt of this id, slug or former slug, unless it is in the bin.
pub(super) async fn prompt(tx: &mut Tx, name: &str) -> Result<Option<PromptRow>> {
    let workspace = tx.workspace();
    match Uuid::try_parse(name) {
        Ok(id) => {
            tx.optional(
                "SELECT p.id, p.slug, p.title, p.tags, p.latest_version FROM prompts p
                 WHERE p.workspace_id = $1 AND p.id = $2 AND p.deleted_at IS NULL",
                args![workspace, id],
            )
            .await
        }
        Err(_) => {
            tx.optional(
                "SELECT p.id, p.slug, p.title, p.tags, p.latest_version
                 FROM prompt_slugs s JOIN prompts p ON p.id = s.prompt_id
                 WHERE s.workspace_id = $1 AND p.workspace_id = $1 AND s.slug = $2 AND p.deleted_at IS NULL",
                args![workspace, name],
            )
            .await
        }
    }
}

/// The labels of a prompt and the versions they point at.
pub(super) async fn labels(tx: &mut Tx, prompt: Uuid) -> Result<Vec<(String, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT label, version_number FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2",
        args![workspace, prompt],
    )
    .await
}

const VERSION: &str =
    "SELECT number, type, syntax, content, variables, config, created_at FROM prompt_versions
     WHERE workspace_id = $1 AND prompt_id = $2 AND number = $3";

/// A version of a prompt by its number or id.
pub(super) async fn version(
    tx: &mut Tx,
    prompt: Uuid,
    selector: SelectorRef<'_>,
) -> Result<Option<VersionRow>> {
    let workspace = tx.workspace();
    match selector {
        SelectorRef::Number(number) => tx.optional(VERSION, args![workspace, prompt, number]).await,
        SelectorRef::Id(id) => {
            tx.optional(
                "SELECT number, type, syntax, content, variables, config, created_at FROM prompt_versions
                 WHERE workspace_id = $1 AND prompt_id = $2 AND id = $3",
                args![workspace, prompt, id],
            )
            .await
        }
        SelectorRef::Label(_) => Ok(None),
    }
}

/// Slugs that a prompt had before.
pub(super) async fn former_slugs(tx: &mut Tx, prompt: Uuid) -> Result<Vec<String>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT slug FROM prompt_slugs WHERE workspace_id = $1 AND prompt_id = $2 AND is_current = $3 ORDER BY slug",
        args![workspace, prompt, false],
    )
    .await
}

/// Every prompt that delivers something under `label`, with the number of the version.
pub(super) async fn delivered_under(tx: &mut Tx, label: &str) -> Result<Vec<(Uuid, i64)>> {
    let workspace = tx.workspace();
    if label == LATEST {
        return tx
            .all(
                "SELECT id, latest_version FROM prompts WHERE workspace_id = $1 AND deleted_at IS NULL",
                args![workspace],
            )
            .await;
    }
    tx.all(
        "SELECT p.id, l.version_number FROM prompt_labels l JOIN prompts p ON p.id = l.prompt_id
         WHERE l.workspace_id = $1 AND p.workspace_id = $1 AND l.label = $2 AND p.deleted_at IS NULL",
        args![workspace, label],
    )
    .await
}

/// The label that is computed.
const LATEST: &str = "latest";

/// A prompt and what a label of it points at.
pub(super) struct DeliveredRow {
    pub prompt: PromptRow,
    pub version: VersionRow,
}

impl FromRow for DeliveredRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(DeliveredRow { prompt: PromptRow::from_row(row)?, version: VersionRow::from_row(row)? })
    }
}

/// Those of `prompts` that deliver something under `label`.
pub(super) async fn delivered(tx: &mut Tx, label: &str, prompts: &[Uuid]) -> Result<Vec<DeliveredRow>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(
        "SELECT p.id, p.slug, p.title, p.tags, p.latest_version,
         v.number, v.type, v.syntax, v.content, v.variables, v.config, v.created_at FROM prompts p ",
    );
    if label == LATEST {
        sql.push("JOIN prompt_versions v ON v.prompt_id = p.id AND v.number = p.latest_version WHERE ");
    } else {
        sql.push("JOIN prompt_labels l ON l.prompt_id = p.id JOIN prompt_versions v ON v.prompt_id = p.id ");
        sql.push("AND v.number = l.version_number WHERE l.label = ").bind(label);
        sql.push(" AND l.workspace_id = ").bind(workspace).push(" AND ");
    }
    sql.push("p.workspace_id = ").bind(workspace).push(" AND v.workspace_id = ").bind(workspace);
    sql.push(" AND p.deleted_at IS NULL AND p.id IN ").bind_list(prompts.iter().copied());
    tx.all_built(sql).await
}

/// Slugs that these prompts had before.
pub(super) async fn former_slugs_of(tx: &mut Tx, prompts: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT prompt_id, slug FROM prompt_slugs WHERE workspace_id = ");
    sql.bind(workspace).push(" AND is_current = ").bind(false);
    sql.push(" AND prompt_id IN ").bind_list(prompts.iter().copied()).push(" ORDER BY slug");
    tx.all_built(sql).await
}
