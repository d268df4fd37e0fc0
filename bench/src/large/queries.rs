//! SQL of the fixture: a hundred thousand prompts are not made one by one.

use uuid::Uuid;
use xr2_db::{JsonText, Result, Tx, Value, args};

const PROMPTS: &str = "INSERT INTO prompts (id, workspace_id, slug, title, description, type, syntax, category, tags, metadata,
    excerpt, archived, last_number, latest_version, created_by, created_at, updated_by, updated_at, search_facts, search_content)";
const SLUGS: &str = "INSERT INTO prompt_slugs (workspace_id, slug, prompt_id, is_current, created_at)";
const TAGS: &str = "INSERT INTO prompt_tags (workspace_id, tag, prompt_id)";
const VERSIONS: &str =
    "INSERT INTO prompt_versions (id, workspace_id, prompt_id, number, parent_number, branch, origin, type,
    syntax, content, variables, config, change_summary, created_by, created_at)";
const LABELS: &str =
    "INSERT INTO prompt_labels (workspace_id, prompt_id, label, version_number, moved_by, moved_at)";

/// Rows of the fixture, one behind the other.
#[derive(Default)]
pub struct Rows {
    pub prompts: Vec<Value>,
    pub slugs: Vec<Value>,
    pub tags: Vec<Value>,
    pub versions: Vec<Value>,
    pub labels: Vec<Value>,
}

/// Writes them.
pub async fn insert(tx: &mut Tx, rows: Rows) -> Result<()> {
    tx.insert_rows(PROMPTS, 20, rows.prompts, "").await?;
    tx.insert_rows(SLUGS, 5, rows.slugs, "").await?;
    tx.insert_rows(TAGS, 3, rows.tags, "").await?;
    tx.insert_rows(VERSIONS, 15, rows.versions, "").await?;
    tx.insert_rows(LABELS, 6, rows.labels, "").await?;
    Ok(())
}

/// Contract, settings and author of the only version of a prompt, as they are stored.
pub async fn pattern(tx: &mut Tx, slug: &str) -> Result<(JsonText, JsonText, JsonText)> {
    let workspace = tx.workspace();
    let mut texts: Vec<JsonText> = Vec::new();
    for sql in [
        "SELECT CAST(v.variables AS TEXT) FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id
         WHERE v.workspace_id = $1 AND p.workspace_id = $1 AND p.slug = $2",
        "SELECT CAST(v.config AS TEXT) FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id
         WHERE v.workspace_id = $1 AND p.workspace_id = $1 AND p.slug = $2",
        "SELECT CAST(v.created_by AS TEXT) FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id
         WHERE v.workspace_id = $1 AND p.workspace_id = $1 AND p.slug = $2",
    ] {
        texts.push(JsonText(tx.one::<String>(sql, args![workspace, slug]).await?));
    }
    let author = texts.pop().unwrap_or(JsonText(String::new()));
    let config = texts.pop().unwrap_or(JsonText(String::new()));
    Ok((texts.pop().unwrap_or(JsonText(String::new())), config, author))
}

/// How many prompts are not in the index of search yet.
pub async fn not_indexed(tx: &mut Tx) -> Result<i64> {
    let workspace = tx.workspace();
    tx.one(
        "SELECT (SELECT COUNT(*) FROM prompts WHERE workspace_id = $1)
              - (SELECT COUNT(*) FROM prompt_search WHERE workspace_id = $1)",
        args![workspace],
    )
    .await
}

/// The workspace with most prompts is the one that was just filled.
pub async fn first_workspace(tx: &mut Tx) -> Result<Uuid> {
    tx.one("SELECT workspace_id FROM memberships ORDER BY created_at LIMIT 1", args![]).await
}
