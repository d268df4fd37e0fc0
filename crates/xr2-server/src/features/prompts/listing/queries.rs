//! SQL of lists of prompts.

use uuid::Uuid;
use xr2_db::{Result, Sql, Tx, dialect};

use crate::features::prompts::PromptRow;
use crate::features::prompts::listing::filter::{Filter, Sort};
use crate::features::prompts::queries::COLUMNS;
use crate::http::Page;

/// Words of a search that count.
const MAX_WORDS: usize = 8;
/// Characters of such a word that count.
const MAX_WORD: usize = 200;

/// Where prompts that were never fetched stand, the engines disagree about: so it is said.
const LAST_FETCHED_FIRST: &str = " ORDER BY (SELECT MAX(f.last_fetched_at) FROM prompt_fetches f
    WHERE f.prompt_id = p.id AND f.workspace_id = p.workspace_id) DESC NULLS LAST, p.id DESC";
const LONGEST_UNUSED_FIRST: &str = " ORDER BY (SELECT MAX(f.last_fetched_at) FROM prompt_fetches f
    WHERE f.prompt_id = p.id AND f.workspace_id = p.workspace_id) NULLS FIRST, p.created_at, p.id";

fn narrow(sql: &mut Sql, workspace: Uuid, filter: &Filter) {
    sql.push(" WHERE p.workspace_id = ").bind(workspace);
    sql.push(if filter.deleted { " AND p.deleted_at IS NOT NULL" } else { " AND p.deleted_at IS NULL" });
    if let Some(archived) = filter.archived.filter(|_| !filter.deleted) {
        sql.push(" AND p.archived = ").bind(archived);
    }
    if let Some(category) = &filter.category {
        sql.push(" AND p.category = ").bind(category);
    }
    if let Some(tag) = &filter.tag {
        sql.push(" AND EXISTS (SELECT 1 FROM prompt_tags t WHERE t.workspace_id = p.workspace_id AND t.prompt_id = p.id AND t.tag = ")
            .bind(tag)
            .push(")");
    }
    if let Some(since) = filter.unused_since {
        sql.push(" AND p.created_at < ").bind(since);
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
    for word in filter.search.iter().flat_map(|text| text.split_whitespace()).take(MAX_WORDS) {
        // SQLite refuses endless patterns.
        let word: String = word.to_lowercase().chars().take(MAX_WORD).collect();
        let like = dialect::like_contains(&word);
        sql.push(" AND (p.search_facts LIKE ").bind(like.clone());
        sql.push(" ESCAPE '\\' OR p.search_content LIKE ").bind(like).push(" ESCAPE '\\')");
    }
}

/// One page of prompts and how many there are in all.
pub(super) async fn list(
    tx: &mut Tx,
    filter: &Filter,
    sort: (Sort, bool),
    page: Page,
) -> Result<(Vec<PromptRow>, i64)> {
    let workspace = tx.workspace();
    let mut count = Sql::new("SELECT COUNT(*) FROM prompts p");
    narrow(&mut count, workspace, filter);
    let total: i64 = tx.optional_built(count).await?.unwrap_or(0);

    let mut sql = Sql::new(COLUMNS);
    narrow(&mut sql, workspace, filter);
    sql.push(match sort {
        (Sort::UpdatedAt, true) => " ORDER BY p.updated_at DESC, p.id DESC",
        (Sort::UpdatedAt, false) => " ORDER BY p.updated_at, p.id",
        (Sort::CreatedAt, true) => " ORDER BY p.created_at DESC, p.id DESC",
        (Sort::CreatedAt, false) => " ORDER BY p.created_at, p.id",
        (Sort::Title, true) => " ORDER BY LOWER(p.title) DESC, p.id DESC",
        (Sort::Title, false) => " ORDER BY LOWER(p.title), p.id",
        (Sort::Slug, true) => " ORDER BY p.slug DESC",
        (Sort::Slug, false) => " ORDER BY p.slug",
        (Sort::LastFetchedAt, true) => LAST_FETCHED_FIRST,
        (Sort::LastFetchedAt, false) => LONGEST_UNUSED_FIRST,
    });
    sql.push(" LIMIT ").bind(page.limit).push(" OFFSET ").bind(page.offset());
    Ok((tx.all_built(sql).await?, total))
}
