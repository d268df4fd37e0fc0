//! SQL of lists of prompts.

use std::collections::HashMap;

use uuid::Uuid;
use xr2_db::{FromRow, Result, Row, Sql, Tx, Value, args, dialect};

use crate::features::prompts::PromptRow;
use crate::features::prompts::listing::filter::{Filter, InFolder, Key, Sort};
use crate::features::prompts::queries::COLUMNS;
use crate::features::prompts::versions;

/// Where no more prompts have a tag, these are looked at, and not the whole list for those that have it.
const FEW: i64 = 1000;

/// Where prompts that were never fetched stand, the engines disagree about: so it is said.
const LAST_FETCHED_FIRST: &str = " ORDER BY (SELECT MAX(f.last_fetched_at) FROM prompt_fetches f
    WHERE f.prompt_id = p.id AND f.workspace_id = p.workspace_id) DESC NULLS LAST, p.id DESC";
const LONGEST_UNUSED_FIRST: &str = " ORDER BY (SELECT MAX(f.last_fetched_at) FROM prompt_fetches f
    WHERE f.prompt_id = p.id AND f.workspace_id = p.workspace_id) NULLS FIRST, p.created_at, p.id";

/// Appends the conditions of `filter`, but for its search. `among`: what can only be one of these.
fn narrow(sql: &mut Sql, workspace: Uuid, filter: &Filter, among: Option<&[Uuid]>) {
    sql.push(" WHERE p.workspace_id = ").bind(workspace);
    sql.push(if filter.deleted { " AND p.deleted_at IS NOT NULL" } else { " AND p.deleted_at IS NULL" });
    if let Some(ids) = among {
        sql.push(" AND p.id IN ").bind_list(ids.iter().copied());
    }
    if let Some(archived) = filter.archived.filter(|_| !filter.deleted) {
        sql.push(" AND p.archived = ").bind(archived);
    }
    narrow_by_facts(sql, filter);
    narrow_by_state(sql, filter);
    narrow_by_place(sql, filter);
    if let Some(since) = filter.unused_since {
        narrow_to_unused(sql, since.into());
    }
}

fn narrow_by_facts(sql: &mut Sql, filter: &Filter) {
    for tag in &filter.tags {
        sql.push(" AND EXISTS (SELECT 1 FROM prompt_tags t WHERE t.workspace_id = p.workspace_id AND t.prompt_id = p.id AND t.tag = ")
            .bind(tag)
            .push(")");
    }
    let texts: [(&'static str, &Option<String>); 3] = [
        (" AND p.category = ", &filter.category),
        (" AND p.type = ", &filter.kind),
        (" AND p.syntax = ", &filter.syntax),
    ];
    for (condition, text) in texts {
        if let Some(text) = text {
            sql.push(condition).bind(text);
        }
    }
    let times = [
        (" AND p.updated_at >= ", filter.updated_after),
        (" AND p.updated_at < ", filter.updated_before),
        (" AND p.created_at >= ", filter.created_after),
        (" AND p.created_at < ", filter.created_before),
    ];
    for (condition, time) in times {
        if let Some(time) = time {
            sql.push(condition).bind(time);
        }
    }
    let actors = [
        (" AND CAST(p.created_by AS TEXT) LIKE ", filter.created_by),
        (" AND CAST(p.updated_by AS TEXT) LIKE ", filter.updated_by),
    ];
    for (condition, actor) in actors {
        if let Some(id) = actor {
            // As it is written by ourselves, letter for letter. No name can look like it: its quotes are escaped.
            sql.push(condition)
                .bind(dialect::like_contains(&format!("\"id\":\"{id}\"")))
                .push(" ESCAPE '\\'");
        }
    }
}

fn narrow_by_state(sql: &mut Sql, filter: &Filter) {
    let pointing = "SELECT 1 FROM prompt_labels l WHERE l.workspace_id = p.workspace_id AND l.prompt_id = p.id AND l.label = ";
    if let Some(label) = &filter.label {
        sql.push(" AND EXISTS (").push(pointing).bind(label).push(")");
    }
    if let Some(live) = filter.live {
        sql.push(if live { " AND EXISTS (" } else { " AND NOT EXISTS (" })
            .push(pointing)
            .push("'production')");
    }
    if let Some(has_draft) = filter.has_draft {
        sql.push(if has_draft { " AND EXISTS (" } else { " AND NOT EXISTS (" });
        sql.push("SELECT 1 FROM prompt_drafts d WHERE d.workspace_id = p.workspace_id AND d.prompt_id = p.id AND d.branch = 'main')");
    }
}

fn narrow_by_place(sql: &mut Sql, filter: &Filter) {
    let standing =
        "SELECT 1 FROM prompt_folders s WHERE s.workspace_id = p.workspace_id AND s.prompt_id = p.id";
    match &filter.folder {
        None => {}
        Some(InFolder::Nowhere) => {
            sql.push(" AND NOT EXISTS (").push(standing).push(")");
        }
        Some(InFolder::Of { folder, .. }) => {
            sql.push(" AND EXISTS (").push(standing).push(" AND s.folder_id = ").bind(*folder).push(")");
        }
        Some(InFolder::OneOf(folders)) => {
            sql.push(" AND EXISTS (").push(standing).push(" AND s.folder_id IN ");
            sql.bind_list(folders.iter().copied()).push(")");
        }
    }
    let people = [
        (
            " AND EXISTS (SELECT 1 FROM prompt_favourites u WHERE u.workspace_id = p.workspace_id AND u.prompt_id = p.id AND u.user_id = ",
            filter.favourite_of,
        ),
        (
            " AND EXISTS (SELECT 1 FROM prompt_edits u WHERE u.workspace_id = p.workspace_id AND u.prompt_id = p.id AND u.user_id = ",
            filter.edited_by,
        ),
    ];
    for (condition, person) in people {
        if let Some(person) = person {
            sql.push(condition).bind(person).push(")");
        }
    }
}

fn narrow_to_unused(sql: &mut Sql, since: Value) {
    sql.push(" AND p.created_at < ").bind(since.clone());
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM prompt_fetches f WHERE f.prompt_id = p.id
             AND f.workspace_id = p.workspace_id AND f.last_fetched_at >= ",
    );
    sql.bind(since).push(")");
    // What a label of another prompt delivers with it is in use, though nobody fetches it.
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM prompt_includes i JOIN prompt_labels l ON l.prompt_id = i.prompt_id
             AND l.version_number = i.version_number
             WHERE i.included_id = p.id AND i.workspace_id = p.workspace_id)",
    );
}

/// The prompts that stand in the filter's folders, belong to its person, or have one of its tags, where these are few.
pub(super) async fn few(tx: &mut Tx, filter: &Filter) -> Result<Option<Vec<Uuid>>> {
    let workspace = tx.workspace();
    let people = [
        (
            "SELECT prompt_id FROM prompt_favourites WHERE workspace_id = $1 AND user_id = $2 LIMIT $3",
            filter.favourite_of,
        ),
        (
            "SELECT prompt_id FROM prompt_edits WHERE workspace_id = $1 AND user_id = $2 LIMIT $3",
            filter.edited_by,
        ),
    ];
    for (sql, person) in people {
        let Some(person) = person else { continue };
        let ids: Vec<Uuid> = tx.all(sql, args![workspace, person, FEW + 1]).await?;
        if ids.len() as i64 <= FEW {
            return Ok(Some(ids));
        }
    }
    if let Some(InFolder::OneOf(folders)) = &filter.folder {
        let mut sql = Sql::new("SELECT prompt_id FROM prompt_folders WHERE workspace_id = ");
        sql.bind(workspace).push(" AND folder_id IN ").bind_list(folders.iter().copied());
        sql.push(" LIMIT ").bind(FEW + 1);
        let ids: Vec<Uuid> = tx.all_built(sql).await?;
        if ids.len() as i64 <= FEW {
            return Ok(Some(ids));
        }
    }
    for tag in &filter.tags {
        let sql = "SELECT prompt_id FROM prompt_tags WHERE workspace_id = $1 AND tag = $2 LIMIT $3";
        let ids: Vec<Uuid> = tx.all(sql, args![workspace, tag, FEW + 1]).await?;
        if ids.len() as i64 <= FEW {
            return Ok(Some(ids));
        }
    }
    Ok(None)
}

/// How many prompts there are; of more than `most` only so many are counted.
pub(super) async fn count(tx: &mut Tx, filter: &Filter, among: Option<&[Uuid]>, most: i64) -> Result<i64> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 AS one FROM prompts p");
    narrow(&mut sql, workspace, filter, among);
    sql.push(" LIMIT ").bind(most).push(") counted");
    Ok(tx.optional_built(sql).await?.unwrap_or(0))
}

/// Where a page begins.
pub(super) enum From {
    /// Behind so many prompts.
    Offset(i64),
    /// Behind the prompt with this key and id.
    Behind(Value, Uuid),
}

/// Ids of at most `limit` prompts in order. Only ids, so that what is passed over is read from an index alone.
pub(super) async fn ids(
    tx: &mut Tx,
    filter: &Filter,
    among: Option<&[Uuid]>,
    sort: Sort,
    from: From,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT p.id FROM prompts p");
    narrow(&mut sql, workspace, filter, among);
    let offset = match from {
        From::Offset(offset) => offset,
        From::Behind(key, id) => {
            sql.push(match (sort.key, sort.descending) {
                (Key::CreatedAt, true) => " AND (p.created_at, p.id) < (",
                (Key::CreatedAt, false) => " AND (p.created_at, p.id) > (",
                (Key::Title, true) => " AND (LOWER(p.title), p.id) < (",
                (Key::Title, false) => " AND (LOWER(p.title), p.id) > (",
                (Key::Slug, true) => " AND (p.slug, p.id) < (",
                (Key::Slug, false) => " AND (p.slug, p.id) > (",
                (_, true) => " AND (p.updated_at, p.id) < (",
                (_, false) => " AND (p.updated_at, p.id) > (",
            });
            sql.bind(key).push(", ").bind(id).push(")");
            0
        }
    };
    if let (Key::EditedAt, Some(person)) = (sort.key, filter.edited_by) {
        sql.push(" ORDER BY (SELECT e.edited_at FROM prompt_edits e WHERE e.prompt_id = p.id AND e.workspace_id = p.workspace_id AND e.user_id = ");
        sql.bind(person).push(") DESC, p.id DESC LIMIT ").bind(limit).push(" OFFSET ").bind(offset);
        return tx.all_built(sql).await;
    }
    sql.push(match (sort.key, sort.descending) {
        (Key::CreatedAt, true) => " ORDER BY p.created_at DESC, p.id DESC",
        (Key::CreatedAt, false) => " ORDER BY p.created_at, p.id",
        (Key::Title, true) => " ORDER BY LOWER(p.title) DESC, p.id DESC",
        (Key::Title, false) => " ORDER BY LOWER(p.title), p.id",
        (Key::Slug, true) => " ORDER BY p.slug DESC, p.id DESC",
        (Key::Slug, false) => " ORDER BY p.slug, p.id",
        (Key::LastFetchedAt, true) => LAST_FETCHED_FIRST,
        (Key::LastFetchedAt, false) => LONGEST_UNUSED_FIRST,
        (_, true) => " ORDER BY p.updated_at DESC, p.id DESC",
        (_, false) => " ORDER BY p.updated_at, p.id",
    });
    sql.push(" LIMIT ").bind(limit).push(" OFFSET ").bind(offset);
    tx.all_built(sql).await
}

/// Those of `ids` that pass the filter, in their order.
pub(in crate::features::prompts) async fn passing(
    tx: &mut Tx,
    filter: &Filter,
    ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new("SELECT p.id FROM prompts p");
    narrow(&mut sql, workspace, filter, Some(ids));
    let passed: Vec<Uuid> = tx.all_built(sql).await?;
    let passed: std::collections::HashSet<Uuid> = passed.into_iter().collect();
    Ok(ids.iter().copied().filter(|id| passed.contains(id)).collect())
}

/// The rows of these prompts, in the order of the ids.
pub(super) async fn rows(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PromptRow>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE p.workspace_id = ").bind(workspace).push(" AND p.id IN ").bind_list(ids.iter().copied());
    let rows: Vec<PromptRow> = tx.all_built(sql).await?;
    let mut by_id: HashMap<Uuid, PromptRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// The newest texts on `main` of these prompts.
pub(super) async fn contents(tx: &mut Tx, prompts: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let workspace = tx.workspace();
    let mut sql = Sql::new(
        "SELECT v.prompt_id, v.type, v.content FROM prompts p
         JOIN prompt_versions v ON v.prompt_id = p.id AND v.number = p.latest_version AND v.workspace_id = p.workspace_id
         WHERE p.workspace_id = ",
    );
    sql.bind(workspace).push(" AND p.id IN ").bind_list(prompts.iter().copied());
    let rows: Vec<ContentRow> = tx.all_built(sql).await?;
    Ok(rows.into_iter().map(|ContentRow(prompt, text)| (prompt, text)).collect())
}

struct ContentRow(Uuid, String);

impl FromRow for ContentRow {
    fn from_row(row: &Row) -> Result<Self> {
        let content = versions::queries::read_content(row)?;
        let texts: Vec<&str> = content.texts().map(|(_, text)| text).collect();
        Ok(ContentRow(row.get("prompt_id")?, texts.join("\n")))
    }
}

/// The title as lists are ordered by it.
pub(super) async fn title_key(tx: &mut Tx, prompt: Uuid) -> Result<Option<String>> {
    let workspace = tx.workspace();
    tx.optional(
        "SELECT LOWER(title) FROM prompts WHERE workspace_id = $1 AND id = $2",
        args![workspace, prompt],
    )
    .await
}

/// Calls of each prompt from an hour on. In a transaction of where usage is kept.
pub(super) async fn calls_since(tx: &mut Tx, hour: i64) -> Result<Vec<(Uuid, i64)>> {
    let workspace = tx.workspace();
    tx.all(
        "SELECT prompt_id, CAST(SUM(count) AS BIGINT) FROM usage_hourly WHERE workspace_id = $1 AND hour > $2
         GROUP BY prompt_id",
        args![workspace, hour],
    )
    .await
}
