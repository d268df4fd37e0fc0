//! SQL of versions.

use uuid::Uuid;
use xr2_db::{DbError, FromRow, Result, Row, Sql, Tx, Value, args};
use xr2_prompt::Content;

use crate::features::prompts::includes::IncludedPrompt;
use crate::features::prompts::source::Source;
use crate::features::prompts::versions::VersionRow;
use crate::http::Page;

/// The text or the messages of a row.
pub(in crate::features::prompts) fn read_content(row: &Row) -> Result<Content> {
    let stored: String = row.get("content")?;
    Source::parse_content(row.parsed("type")?, stored)
        .map_err(|error| DbError::setup(format!("a stored prompt cannot be read: {error}")))
}

/// Reads the substance from the columns that versions and drafts share.
pub(in crate::features::prompts) fn read_source(row: &Row) -> Result<Source> {
    Ok(Source {
        syntax: row.parsed("syntax")?,
        content: read_content(row)?,
        contract: row.json("variables")?,
        config: row.json("config")?,
    })
}

impl FromRow for VersionRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(VersionRow {
            id: row.get("id")?,
            number: row.get("number")?,
            parent: row.opt("parent_number")?,
            branch: row.get("branch")?,
            origin: row.get("origin")?,
            source: read_source(row)?,
            change_summary: row.get("change_summary")?,
            created_by: row.json("created_by")?,
            created_at: row.get("created_at")?,
        })
    }
}

const COLUMNS: &str =
    "SELECT id, number, parent_number, branch, origin, type, syntax, content, variables, config,
    change_summary, created_by, created_at FROM prompt_versions WHERE workspace_id = ";

pub(in crate::features::prompts) async fn insert(
    tx: &mut Tx,
    prompt: Uuid,
    version: &VersionRow,
) -> Result<()> {
    let workspace = tx.workspace();
    tx.later(
        "INSERT INTO prompt_versions (id, workspace_id, prompt_id, number, parent_number, branch, origin, type, syntax,
            content, variables, config, change_summary, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        args![
            version.id,
            workspace,
            prompt,
            version.number,
            version.parent,
            &version.branch,
            &version.origin,
            version.source.content.prompt_type().as_str(),
            version.source.syntax.as_str(),
            version.source.stored_content(),
            Value::json(&version.source.contract),
            Value::json(&version.source.config),
            &version.change_summary,
            Value::json(&version.created_by),
            version.created_at,
        ],
    )
    .await?;
    Ok(())
}

pub(in crate::features::prompts) async fn insert_includes(
    tx: &mut Tx,
    prompt: Uuid,
    number: i64,
    includes: &[IncludedPrompt],
) -> Result<()> {
    let workspace = tx.workspace();
    for included in includes {
        tx.later(
            "INSERT INTO prompt_includes (workspace_id, prompt_id, version_number, included_id, selector)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            args![workspace, prompt, number, included.id, &included.selector],
        )
        .await?;
    }
    Ok(())
}

/// The version with this number or id.
pub(in crate::features::prompts) async fn find(
    tx: &mut Tx,
    prompt: Uuid,
    name: &str,
) -> Result<Option<VersionRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND prompt_id = ").bind(prompt);
    match (name.parse::<i64>(), name.parse::<Uuid>()) {
        (Ok(number), _) => sql.push(" AND number = ").bind(number),
        (_, Ok(id)) => sql.push(" AND id = ").bind(id),
        _ => return Ok(None),
    };
    tx.optional_built(sql).await
}

pub(in crate::features::prompts) async fn by_number(
    tx: &mut Tx,
    prompt: Uuid,
    number: i64,
) -> Result<Option<VersionRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND prompt_id = ").bind(prompt).push(" AND number = ").bind(number);
    tx.optional_built(sql).await
}

/// The newest version of a branch that was not made by a test.
pub(in crate::features::prompts) async fn newest(
    tx: &mut Tx,
    prompt: Uuid,
    branch: &str,
) -> Result<Option<VersionRow>> {
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tx.workspace()).push(" AND prompt_id = ").bind(prompt).push(" AND branch = ").bind(branch);
    sql.push(" AND origin <> 'test' ORDER BY number DESC LIMIT 1");
    tx.optional_built(sql).await
}

/// Characters of text that a page of versions holds; those behind are listed without theirs.
const TEXT_OF_A_PAGE: i64 = 1024 * 1024;

/// A page of versions.
pub(super) struct Listed {
    /// Newest first.
    pub(super) rows: Vec<VersionRow>,
    /// Versions before this number have been read without their text.
    pub(super) text_from: i64,
    /// Versions on all pages.
    pub(super) total: i64,
}

pub(super) async fn list(tx: &mut Tx, prompt: Uuid, branch: Option<&str>, page: Page) -> Result<Listed> {
    let workspace = tx.workspace();
    let of_prompt = |sql: &mut Sql| {
        sql.push(" FROM prompt_versions WHERE workspace_id = ").bind(workspace);
        sql.push(" AND prompt_id = ").bind(prompt);
        if let Some(branch) = branch {
            sql.push(" AND branch = ").bind(branch);
        }
    };
    let on_page = |sql: &mut Sql| {
        sql.push(" ORDER BY number DESC LIMIT ").bind(page.limit).push(" OFFSET ").bind(page.offset());
    };
    let mut count = Sql::new("SELECT COUNT(*)");
    of_prompt(&mut count);
    let total = tx.optional_built::<i64>(count).await?.unwrap_or(0);
    let mut sizes = Sql::new("SELECT number, CAST(length(content) AS BIGINT)");
    of_prompt(&mut sizes);
    on_page(&mut sizes);
    let text_from = text_from(&tx.all_built::<(i64, i64)>(sizes).await?);
    let mut sql = Sql::new(
        "SELECT id, number, parent_number, branch, origin, type, syntax, variables, config, change_summary,
         created_by, created_at, CASE WHEN number >= ",
    );
    sql.bind(text_from).push(" THEN content WHEN type = 'chat' THEN '[]' ELSE '' END AS content");
    of_prompt(&mut sql);
    on_page(&mut sql);
    Ok(Listed { rows: tx.all_built(sql).await?, text_from, total })
}

/// The oldest version of a page whose text still has room on it; the newest one always has.
fn text_from(sizes: &[(i64, i64)]) -> i64 {
    let mut room = TEXT_OF_A_PAGE;
    let mut from = i64::MAX;
    for (index, (number, size)) in sizes.iter().enumerate() {
        room -= size;
        if index > 0 && room < 0 {
            break;
        }
        from = *number;
    }
    from
}
