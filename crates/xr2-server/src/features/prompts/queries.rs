//! SQL of prompts: the rows, their slugs and tags. Lists have their own, in `listing/queries.rs`.

use std::collections::HashMap;

use serde_json::Value as Json;
use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args, dialect};
use xr2_prompt::Content;

use crate::clock::Time;
use crate::events::Actor;
use crate::features::prompts::entity::{FetchKey, LabelPointer, LastFetch};
use crate::features::prompts::search::{self, Document};

/// A row of `prompts`.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns; see the migration and the entity")]
pub struct PromptRow {
    pub id: Uuid,
    pub slug: String,
    pub title: String,
    pub description: Option<String>,
    pub kind: String,
    pub syntax: String,
    pub category: Option<String>,
    pub tags: Vec<String>,
    pub metadata: Json,
    pub excerpt: String,
    pub archived: bool,
    pub last_number: i64,
    pub latest_version: i64,
    pub deleted_at: Option<Time>,
    pub deleted_by: Option<Actor>,
    pub created_by: Actor,
    pub created_at: Time,
    pub updated_by: Actor,
    pub updated_at: Time,
}

impl FromRow for PromptRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(PromptRow {
            id: row.get("id")?,
            slug: row.get("slug")?,
            title: row.get("title")?,
            description: row.opt("description")?,
            kind: row.get("type")?,
            syntax: row.get("syntax")?,
            category: row.opt("category")?,
            tags: row.json("tags")?,
            metadata: row.json("metadata")?,
            excerpt: row.get("excerpt")?,
            archived: row.get("archived")?,
            last_number: row.get("last_number")?,
            latest_version: row.get("latest_version")?,
            deleted_at: row.opt("deleted_at")?,
            deleted_by: row.json_opt("deleted_by")?,
            created_by: row.json("created_by")?,
            created_at: row.get("created_at")?,
            updated_by: row.json("updated_by")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Everything of [`PromptRow`], from `prompts p`.
pub(super) const COLUMNS: &str = "SELECT p.id, p.slug, p.title, p.description, p.type, p.syntax, p.category, p.tags, p.metadata,
    p.excerpt, p.archived, p.last_number, p.latest_version, p.deleted_at, p.deleted_by, p.created_by, p.created_at,
    p.updated_by, p.updated_at FROM prompts p ";

/// The prompt with this id, present or former slug; `lock` keeps others from changing it meanwhile.
pub(super) async fn find(tx: &mut Tx, name: &str, lock: bool) -> Result<Option<PromptRow>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(COLUMNS);
    match name.parse::<Uuid>() {
        Ok(id) => sql.push("WHERE p.workspace_id = ").bind(workspace).push(" AND p.id = ").bind(id),
        Err(_) => sql
            .push("JOIN prompt_slugs s ON s.prompt_id = p.id WHERE s.workspace_id = ")
            .bind(workspace)
            .push(" AND p.workspace_id = ")
            .bind(workspace)
            .push(" AND s.slug = ")
            .bind(name),
    };
    if lock {
        // Not against those who refer to it: a version that includes the prompt may be written meanwhile. Waiting for
        // each other's rows, this one and that one would never end.
        sql.push(dialect::for_update(tx.engine(), " FOR NO KEY UPDATE OF p", ""));
    }
    tx.optional_built(sql).await
}

/// Keeps others of this workspace from moving labels until the commit: two that include each other cannot go live at
/// once, and a snippet cannot go while somebody begins to include it. SQLite has one writer, which is lock enough.
/// It is the row of the workspace's revision, which every change takes in the end, always behind its prompt's row.
pub(super) async fn lock_labels(tx: &mut Tx) -> Result<()> {
    if tx.engine() == xr2_db::Engine::Postgres {
        let workspace = tx.workspace();
        // Not FOR UPDATE: rows of other tables that refer to the workspace may go on being written.
        let sql = "SELECT revision FROM workspaces WHERE id = $1 FOR NO KEY UPDATE";
        tx.optional::<i64>(sql, args![workspace]).await?;
    }
    Ok(())
}

/// What lists are searched in beside the text. Lower case is made here, because the engines disagree about letters
/// beyond ASCII.
fn searched_facts(row: &PromptRow) -> String {
    let mut facts = format!("{}\n{}", row.title, row.slug);
    for fact in row.description.iter().chain(&row.tags) {
        facts.push('\n');
        facts.push_str(fact);
    }
    facts.to_lowercase()
}

/// What lists are searched in of a text or of messages.
fn searched_content(content: &Content) -> String {
    let texts: Vec<&str> = content.texts().map(|(_, text)| text).collect();
    texts.join("\n").to_lowercase()
}

pub(super) async fn insert(tx: &mut Tx, row: &PromptRow, content: &Content) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "INSERT INTO prompts (id, workspace_id, slug, title, description, type, syntax, category, tags, metadata,
            excerpt, archived, last_number, latest_version, created_by, created_at, updated_by, updated_at,
            search_facts, search_content)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
        args![
            row.id,
            workspace,
            &row.slug,
            &row.title,
            row.description.as_deref(),
            &row.kind,
            &row.syntax,
            row.category.as_deref(),
            Value::json(&row.tags),
            Value::json(&row.metadata),
            &row.excerpt,
            row.archived,
            row.last_number,
            row.latest_version,
            Value::json(&row.created_by),
            row.created_at,
            Value::json(&row.updated_by),
            row.updated_at,
            searched_facts(row),
            searched_content(content),
        ],
    )
    .await?;
    search::put(tx, row.id, &document(row, searched_content(content))).await
}

/// What a prompt is found by.
fn document(row: &PromptRow, content: String) -> Document {
    Document {
        title: row.title.clone(),
        slug: row.slug.clone(),
        tags: row.tags.clone(),
        description: row.description.clone(),
        content,
        archived: row.archived,
        deleted: row.deleted_at.is_some(),
    }
}

/// What a prompt is found by until now.
struct Indexed {
    facts: String,
    content: String,
    tags: Vec<String>,
    archived: bool,
    deleted: bool,
}

impl FromRow for Indexed {
    fn from_row(row: &Row) -> Result<Self> {
        let deleted_at: Option<Time> = row.opt("deleted_at")?;
        Ok(Indexed {
            facts: row.get("search_facts")?,
            content: row.get("search_content")?,
            tags: row.json("tags")?,
            archived: row.get("archived")?,
            deleted: deleted_at.is_some(),
        })
    }
}

async fn indexed(tx: &mut Tx, prompt: Uuid) -> Result<Option<Indexed>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT search_facts, search_content, tags, archived, deleted_at FROM prompts
         WHERE workspace_id = $1 AND id = $2",
        args![workspace, prompt],
    )
    .await
}

/// Puts a prompt into the index of search as it stands now.
pub(super) async fn index_again(tx: &mut Tx, prompt: Uuid) -> Result<()> {
    let Some(row) = find(tx, &prompt.to_string(), false).await? else { return Ok(()) };
    match indexed(tx, prompt).await? {
        Some(indexed) => search::put(tx, prompt, &document(&row, indexed.content)).await,
        None => Ok(()),
    }
}

pub(super) async fn save(tx: &mut Tx, row: &PromptRow) -> Result<()> {
    let workspace = tx.workspace();
    let before = indexed(tx, row.id).await?;
    tx.later(
        "UPDATE prompts SET slug = $3, title = $4, description = $5, type = $6, syntax = $7, category = $8, tags = $9,
            metadata = $10, excerpt = $11, archived = $12, last_number = $13, latest_version = $14, deleted_at = $15,
            deleted_by = $16, updated_by = $17, updated_at = $18, search_facts = $19
         WHERE workspace_id = $1 AND id = $2",
        args![
            workspace,
            row.id,
            &row.slug,
            &row.title,
            row.description.as_deref(),
            &row.kind,
            &row.syntax,
            row.category.as_deref(),
            Value::json(&row.tags),
            Value::json(&row.metadata),
            &row.excerpt,
            row.archived,
            row.last_number,
            row.latest_version,
            row.deleted_at,
            Value::json_opt(row.deleted_by.as_ref()),
            Value::json(&row.updated_by),
            row.updated_at,
            searched_facts(row),
        ],
    )
    .await?;
    match before {
        Some(before)
            if before.facts != searched_facts(row)
                || before.tags != row.tags
                || before.archived != row.archived
                || before.deleted != row.deleted_at.is_some() =>
        {
            search::put(tx, row.id, &document(row, before.content)).await
        }
        _ => Ok(()),
    }
}

/// Makes `content` what the prompt is found by.
pub(super) async fn set_searched_content(tx: &mut Tx, prompt: Uuid, content: &Content) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "UPDATE prompts SET search_content = $3 WHERE workspace_id = $1 AND id = $2",
        args![workspace, prompt, searched_content(content)],
    )
    .await?;
    index_again(tx, prompt).await
}

/// Whether a slug is taken, be it by a former name or by a prompt in the bin; and by which prompt.
pub(super) async fn slug_owner(tx: &mut Tx, slug: &str) -> Result<Option<Uuid>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT prompt_id FROM prompt_slugs WHERE workspace_id = $1 AND slug = $2",
        args![workspace, slug],
    )
    .await
}

/// Makes `slug` the prompt's present one; others of the prompt become former ones. Tells whether it could: somebody
/// may have taken the slug since it was looked up.
pub(super) async fn set_slug(tx: &mut Tx, prompt: Uuid, slug: &str, is_new: bool, now: Time) -> Result<bool> {
    let workspace = tx.workspace();
    if !is_new {
        tx.later(
            "UPDATE prompt_slugs SET is_current = $3 WHERE workspace_id = $1 AND prompt_id = $2",
            args![workspace, prompt, false],
        )
        .await?;
    }
    let written: Option<Uuid> = tx
        .optional(
            "INSERT INTO prompt_slugs (workspace_id, slug, prompt_id, is_current, created_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (workspace_id, slug) DO UPDATE SET is_current = excluded.is_current
                 WHERE prompt_slugs.prompt_id = excluded.prompt_id
             RETURNING prompt_id",
            args![workspace, slug, prompt, true, now],
        )
        .await?;
    Ok(written.is_some())
}

pub(super) async fn former_slugs(tx: &mut Tx, prompt: Uuid) -> Result<Vec<String>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT slug FROM prompt_slugs WHERE workspace_id = $1 AND prompt_id = $2 AND is_current = $3 ORDER BY slug",
        args![workspace, prompt, false],
    )
    .await
}

pub(super) async fn set_tags(tx: &mut Tx, prompt: Uuid, tags: &[String], is_new: bool) -> Result<()> {
    let workspace = tx.workspace();
    if !is_new {
        tx.later(
            "DELETE FROM prompt_tags WHERE workspace_id = $1 AND prompt_id = $2",
            args![workspace, prompt],
        )
        .await?;
    }
    for tag in tags {
        tx.later(
            "INSERT INTO prompt_tags (workspace_id, tag, prompt_id) VALUES ($1, $2, $3)",
            args![workspace, tag, prompt],
        )
        .await?;
    }
    Ok(())
}

/// Removes a prompt and everything that belongs to it.
pub(super) async fn purge(tx: &mut Tx, prompt: Uuid) -> Result<()> {
    let workspace = tx.workspace();
    tx.execute(
        "DELETE FROM prompt_labels WHERE workspace_id = $1 AND prompt_id = $2",
        args![workspace, prompt],
    )
    .await?;
    tx.execute("DELETE FROM prompts WHERE workspace_id = $1 AND id = $2", args![workspace, prompt]).await?;
    Ok(())
}

struct PointerRow(LabelPointer);

impl FromRow for PointerRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(PointerRow(LabelPointer {
            prompt: row.get("prompt_id")?,
            label: row.get("label")?,
            version: row.get("version_number")?,
            moved_at: row.get("moved_at")?,
            moved_by: row.json("moved_by")?,
        }))
    }
}

/// Labels and versions of one prompt whose last fetch is told.
const MOST_FETCHES: usize = 50;

/// What the entities of `prompts` need beyond their rows: labels, drafts, last fetches.
pub(super) struct Extras {
    pub labels: HashMap<Uuid, Vec<LabelPointer>>,
    pub drafts: Vec<Uuid>,
    pub fetched: HashMap<Uuid, Vec<LastFetch>>,
}

struct FetchRow(Uuid, LastFetch);

impl FromRow for FetchRow {
    fn from_row(row: &Row) -> Result<Self> {
        let label: String = row.get("label")?;
        let version = label.strip_prefix('#').and_then(|number| number.parse().ok());
        let key: Option<Uuid> = row.opt("api_key_id")?;
        let name: Option<String> = row.opt("name")?;
        Ok(FetchRow(
            row.get("prompt_id")?,
            LastFetch {
                label: version.is_none().then_some(label),
                version,
                last_fetched_at: row.get("last_fetched_at")?,
                key: key.zip(name).map(|(id, name)| FetchKey { id, name }),
            },
        ))
    }
}

pub(super) async fn extras(tx: &mut Tx, prompts: &[Uuid]) -> Result<Extras> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(
        "SELECT prompt_id, label, version_number, moved_at, moved_by FROM prompt_labels WHERE workspace_id = ",
    );
    sql.bind(workspace).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    let mut labels: HashMap<Uuid, Vec<LabelPointer>> = HashMap::new();
    for PointerRow(pointer) in tx.all_built(sql).await? {
        labels.entry(pointer.prompt).or_default().push(pointer);
    }
    let mut sql = Sql::new("SELECT prompt_id FROM prompt_drafts WHERE branch = 'main' AND workspace_id = ");
    sql.bind(workspace).push(" AND prompt_id IN ").bind_list(prompts.iter().copied());
    let drafts = tx.all_built(sql).await?;
    let mut sql = Sql::new(
        "SELECT f.prompt_id, f.label, f.last_fetched_at, f.api_key_id, k.name FROM prompt_fetches f
         LEFT JOIN api_keys k ON k.id = f.api_key_id AND k.workspace_id = f.workspace_id WHERE f.workspace_id = ",
    );
    sql.bind(workspace)
        .push(" AND f.prompt_id IN ")
        .bind_list(prompts.iter().copied())
        .push(" ORDER BY f.last_fetched_at DESC, f.label");
    let mut fetched: HashMap<Uuid, Vec<LastFetch>> = HashMap::new();
    for FetchRow(prompt, fetch) in tx.all_built(sql).await? {
        let fetches = fetched.entry(prompt).or_default();
        if fetches.len() < MOST_FETCHES {
            fetches.push(fetch);
        }
    }
    Ok(Extras { labels, drafts, fetched })
}

/// Prompts of all workspaces whose time in the bin is over, at most `limit`. Runs in a system transaction.
pub(super) async fn expired_in_bin(tx: &mut Tx, before: Time, limit: i64) -> Result<Vec<(Uuid, Uuid)>> {
    tx.all(
        "SELECT workspace_id, id FROM prompts WHERE deleted_at IS NOT NULL AND deleted_at < $1 ORDER BY deleted_at LIMIT $2",
        args![before, limit],
    )
    .await
}

/// Prompts in the workspace's bin, at most `limit`.
pub(super) async fn in_bin(tx: &mut Tx, limit: i64) -> Result<Vec<(Uuid, String)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT id, slug FROM prompts WHERE workspace_id = $1 AND deleted_at IS NOT NULL ORDER BY id LIMIT $2",
        args![workspace, limit],
    )
    .await
}

/// Slug of the transaction's workspace.
pub(super) async fn workspace_slug(tx: &mut Tx) -> Result<String> {
    let workspace = tx.workspace();
    tx.one("SELECT slug FROM workspaces WHERE id = $1", args![workspace]).await
}
