//! SQL of exports.

use serde_json::value::RawValue;
use uuid::Uuid;
use xr2_db::{DbError, FromRow, JsonText, Result, Row, Sql, Tx, args};

use crate::features::exports::document::{
    Draft, FormerSlug, Label, Move, Pointer, Prompt, Substance, Version, Workspace,
};

/// JSON as it is stored, letter for letter.
fn raw(row: &Row, name: &'static str) -> Result<Box<RawValue>> {
    let text: JsonText = row.get(name)?;
    RawValue::from_string(text.0)
        .map_err(|error| DbError::setup(format!("column {name} holds unreadable JSON: {error}")))
}

impl FromRow for Workspace {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Workspace {
            slug: row.get("slug")?,
            name: row.get("name")?,
            settings: Some(raw(row, "settings")?),
        })
    }
}

pub(super) async fn workspace(tx: &mut Tx) -> Result<Workspace> {
    let workspace = tx.workspace();
    tx.one("SELECT slug, name, settings FROM workspaces WHERE id = $1", args![workspace]).await
}

impl FromRow for Label {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Label {
            name: row.get("name")?,
            color: Some(row.get("color")?),
            description: row.opt("description")?,
            protected: row.get("is_protected")?,
            created_by: Some(row.json("created_by")?),
            created_at: Some(row.get("created_at")?),
        })
    }
}

pub(super) async fn labels(tx: &mut Tx) -> Result<Vec<Label>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT name, color, description, is_protected, created_by, created_at FROM labels
         WHERE workspace_id = $1 ORDER BY name",
        args![workspace],
    )
    .await
}

/// How many bytes of text a prompt has in all its versions, roughly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sized {
    pub id: Uuid,
    pub bytes: i64,
}

impl FromRow for Sized {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Sized { id: row.get("id")?, bytes: row.get("bytes")? })
    }
}

const SIZED: &str = "SELECT p.id,
    (SELECT CAST(COALESCE(SUM(octet_length(v.content) + octet_length(CAST(v.config AS TEXT))
            + octet_length(CAST(v.variables AS TEXT)) + 512), 0) AS BIGINT)
     FROM prompt_versions v WHERE v.workspace_id = p.workspace_id AND v.prompt_id = p.id) AS bytes
    FROM prompts p WHERE p.workspace_id = ";

/// The next prompts after `after` in the order of their ids.
pub(super) async fn next_prompts(tx: &mut Tx, after: Uuid, with_bin: bool, limit: i64) -> Result<Vec<Sized>> {
    let mut sql = Sql::new(SIZED);
    sql.bind(tx.workspace()).push(" AND p.id > ").bind(after);
    sql.push(if with_bin { "" } else { " AND p.deleted_at IS NULL" });
    sql.push(" ORDER BY p.id LIMIT ").bind(limit);
    tx.all_built(sql).await
}

/// The ids behind slugs, former ones too, or ids; what is in the bin only with it.
pub(super) async fn chosen(tx: &mut Tx, names: &[String], with_bin: bool) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    let (ids, slugs): (Vec<_>, Vec<_>) = names.iter().partition(|name| name.parse::<Uuid>().is_ok());
    let mut sql = Sql::new("SELECT p.id FROM prompts p WHERE p.workspace_id = ");
    sql.bind(workspace).push(" AND (p.id IN ");
    sql.bind_list(ids.iter().filter_map(|id| id.parse::<Uuid>().ok()));
    sql.push(" OR p.id IN (SELECT s.prompt_id FROM prompt_slugs s WHERE s.workspace_id = ").bind(workspace);
    sql.push(" AND s.slug IN ").bind_list(slugs.iter().map(|slug| slug.as_str())).push("))");
    sql.push(if with_bin { " ORDER BY p.id" } else { " AND p.deleted_at IS NULL ORDER BY p.id" });
    tx.all_built(sql).await
}

/// The same as [`next_prompts`] among those chosen.
pub(super) async fn sizes_of(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Sized>> {
    let mut sql = Sql::new(SIZED);
    sql.bind(tx.workspace()).push(" AND p.id IN ").bind_list(ids.iter().copied()).push(" ORDER BY p.id");
    tx.all_built(sql).await
}

/// A prompt without what stands in other tables, and its id.
pub(super) struct Head {
    pub id: Uuid,
    pub last_number: i64,
    pub prompt: Prompt,
}

impl FromRow for Head {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Head {
            id: row.get("id")?,
            last_number: row.get("last_number")?,
            prompt: Prompt {
                slug: row.get("slug")?,
                title: Some(row.get("title")?),
                description: row.opt("description")?,
                category: row.opt("category")?,
                tags: row.json("tags")?,
                metadata: Some(raw(row, "metadata")?),
                archived: row.get("archived")?,
                created_by: Some(row.json("created_by")?),
                created_at: Some(row.get("created_at")?),
                updated_by: Some(row.json("updated_by")?),
                updated_at: Some(row.get("updated_at")?),
                deleted_at: row.opt("deleted_at")?,
                deleted_by: row.json_opt("deleted_by")?,
                former_slugs: Vec::new(),
                labels: Vec::new(),
                label_history: Vec::new(),
                drafts: Vec::new(),
                versions: Vec::new(),
            },
        })
    }
}

pub(super) async fn heads(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Head>> {
    let mut sql = Sql::new(
        "SELECT p.id, p.slug, p.title, p.description, p.category, p.tags, p.metadata, p.archived, p.last_number,
            p.created_by, p.created_at, p.updated_by, p.updated_at, p.deleted_at, p.deleted_by
         FROM prompts p WHERE p.workspace_id = ",
    );
    sql.bind(tx.workspace()).push(" AND p.id IN ").bind_list(ids.iter().copied()).push(" ORDER BY p.id");
    tx.all_built(sql).await
}

/// Something of a prompt.
pub(super) struct Of<T>(pub Uuid, pub T);

impl FromRow for Of<FormerSlug> {
    fn from_row(row: &Row) -> Result<Self> {
        let created_at = Some(row.get("created_at")?);
        Ok(Of(row.get("prompt_id")?, FormerSlug { slug: row.get("slug")?, created_at }))
    }
}

pub(super) async fn former_slugs(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Of<FormerSlug>>> {
    let mut sql = Sql::new("SELECT prompt_id, slug, created_at FROM prompt_slugs WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(ids.iter().copied());
    sql.push(" AND is_current = ").bind(false).push(" ORDER BY prompt_id, slug");
    tx.all_built(sql).await
}

impl FromRow for Of<Pointer> {
    fn from_row(row: &Row) -> Result<Self> {
        let pointer = Pointer {
            label: row.get("label")?,
            version: row.get("version_number")?,
            comment: row.opt("comment")?,
            moved_by: Some(row.json("moved_by")?),
            moved_at: Some(row.get("moved_at")?),
        };
        Ok(Of(row.get("prompt_id")?, pointer))
    }
}

pub(super) async fn pointers(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Of<Pointer>>> {
    let mut sql = Sql::new(
        "SELECT prompt_id, label, version_number, comment, moved_by, moved_at FROM prompt_labels
         WHERE workspace_id = ",
    );
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(ids.iter().copied());
    sql.push(" ORDER BY prompt_id, label");
    tx.all_built(sql).await
}

impl FromRow for Of<Move> {
    fn from_row(row: &Row) -> Result<Self> {
        let entry = Move {
            label: row.get("label")?,
            action: row.get("action")?,
            from_version: row.opt("from_version")?,
            to_version: row.opt("to_version")?,
            comment: row.opt("comment")?,
            moved_by: Some(row.json("moved_by")?),
            moved_at: Some(row.get("moved_at")?),
        };
        Ok(Of(row.get("prompt_id")?, entry))
    }
}

pub(super) async fn moves(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Of<Move>>> {
    let mut sql = Sql::new(
        "SELECT prompt_id, label, action, from_version, to_version, comment, moved_by, moved_at FROM label_moves
         WHERE workspace_id = ",
    );
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(ids.iter().copied());
    sql.push(" ORDER BY prompt_id, moved_at, id");
    tx.all_built(sql).await
}

fn substance(row: &Row) -> Result<Substance> {
    let kind: String = row.get("type")?;
    let (content, messages) = match kind.as_str() {
        "chat" => {
            let stored: String = row.get("content")?;
            let messages = RawValue::from_string(stored);
            (None, Some(messages.map_err(|error| DbError::setup(format!("stored messages: {error}")))?))
        }
        _ => (Some(row.get("content")?), None),
    };
    Ok(Substance {
        kind: Some(kind),
        syntax: Some(row.get("syntax")?),
        content,
        messages,
        variables: Some(raw(row, "variables")?),
        config: Some(raw(row, "config")?),
    })
}

impl FromRow for Of<Version> {
    fn from_row(row: &Row) -> Result<Self> {
        let version = Version {
            number: Some(row.get("number")?),
            parent: row.opt("parent_number")?,
            branch: Some(row.get("branch")?),
            origin: Some(row.get("origin")?),
            change_summary: Some(row.get("change_summary")?),
            created_by: Some(row.json("created_by")?),
            created_at: Some(row.get("created_at")?),
            source: substance(row)?,
        };
        Ok(Of(row.get("prompt_id")?, version))
    }
}

const VERSIONS: &str =
    "SELECT prompt_id, number, parent_number, branch, origin, type, syntax, content, variables,
    config, change_summary, created_by, created_at FROM prompt_versions WHERE workspace_id = ";

/// All versions of prompts that are small enough together.
pub(super) async fn versions(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Of<Version>>> {
    let mut sql = Sql::new(VERSIONS);
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(ids.iter().copied());
    sql.push(" ORDER BY prompt_id, number");
    tx.all_built(sql).await
}

/// Versions of one prompt, from one number to another.
pub(super) async fn versions_between(
    tx: &mut Tx,
    prompt: Uuid,
    from: i64,
    to: i64,
) -> Result<Vec<Of<Version>>> {
    let mut sql = Sql::new(VERSIONS);
    sql.bind(tx.workspace()).push(" AND prompt_id = ").bind(prompt);
    sql.push(" AND number >= ").bind(from).push(" AND number <= ").bind(to).push(" ORDER BY number");
    tx.all_built(sql).await
}

/// Numbers of a prompt's versions from `from` on, and how many bytes each has.
pub(super) async fn version_sizes(
    tx: &mut Tx,
    prompt: Uuid,
    from: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT number, CAST(octet_length(content) + octet_length(CAST(config AS TEXT))
                + octet_length(CAST(variables AS TEXT)) + 512 AS BIGINT)
         FROM prompt_versions WHERE workspace_id = $1 AND prompt_id = $2 AND number >= $3
         ORDER BY number LIMIT $4",
        args![workspace, prompt, from, limit],
    )
    .await
}

/// The live versions of prompts; the newest of those of which none is live.
pub(super) async fn shown_versions(tx: &mut Tx, ids: &[Uuid], label: &str) -> Result<Vec<Of<Version>>> {
    let mut sql = Sql::new(
        "SELECT v.prompt_id, v.number, v.parent_number, v.branch, v.origin, v.type, v.syntax, v.content, v.variables,
            v.config, v.change_summary, v.created_by, v.created_at
         FROM prompts p JOIN prompt_versions v ON v.prompt_id = p.id AND v.workspace_id = p.workspace_id
            AND v.number = COALESCE((SELECT l.version_number FROM prompt_labels l WHERE l.prompt_id = p.id
                AND l.workspace_id = p.workspace_id AND l.label = ",
    );
    sql.bind(label).push("), p.latest_version) WHERE p.workspace_id = ").bind(tx.workspace());
    sql.push(" AND p.id IN ").bind_list(ids.iter().copied()).push(" ORDER BY v.prompt_id");
    tx.all_built(sql).await
}

impl FromRow for Of<Draft> {
    fn from_row(row: &Row) -> Result<Self> {
        let draft = Draft {
            branch: row.get("branch")?,
            revision: row.get("revision")?,
            base_version: row.get("base_version")?,
            updated_by: Some(row.json("updated_by")?),
            updated_at: Some(row.get("updated_at")?),
            source: substance(row)?,
        };
        Ok(Of(row.get("prompt_id")?, draft))
    }
}

/// Which of the prompts have drafts.
pub(super) async fn with_drafts(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut sql = Sql::new("SELECT DISTINCT prompt_id FROM prompt_drafts WHERE workspace_id = ");
    sql.bind(tx.workspace()).push(" AND prompt_id IN ").bind_list(ids.iter().copied());
    tx.all_built(sql).await
}

/// The drafts of a prompt.
pub(super) async fn drafts(tx: &mut Tx, prompt: Uuid) -> Result<Vec<Of<Draft>>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT prompt_id, branch, revision, base_version, type, syntax, content, variables, config, updated_by,
            updated_at
         FROM prompt_drafts WHERE workspace_id = $1 AND prompt_id = $2 ORDER BY branch",
        args![workspace, prompt],
    )
    .await
}
