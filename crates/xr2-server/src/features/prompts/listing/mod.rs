//! Lists of prompts: what they are narrowed by, how they are ordered, and page by page.

mod calls;
mod cursor;
pub mod filter;
mod item;
mod page;
mod params;
mod queries;
mod saved;

pub use calls::RecentCalls;
pub use item::PromptListItem;
pub(super) use queries::passing;
pub use saved::check_list_query;

use std::collections::HashMap;

use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::features::folders;
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::listing::cursor::Place;
use crate::features::prompts::listing::filter::{InFolder, Key};
use crate::features::prompts::listing::page::Asked;
use crate::features::prompts::read;
use crate::features::prompts::search::highlight;
use crate::http::{Page, Params};
use crate::state::App;

/// A page of prompts.
pub struct Listed {
    /// What stands on it.
    pub items: Vec<PromptListItem>,
    /// Its number and how many it has room for.
    pub page: Page,
    /// How many prompts there are in all.
    pub total: i64,
    /// Whether there may be more than `total`.
    pub at_least: bool,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// A page of prompts.
pub async fn list(app: &App, access: &Access, params: &Params) -> Result<Listed> {
    let page = params.page()?;
    let (list, place) = match cursor::read(params)? {
        Some((list, place)) => (list, place),
        None => (params.clone(), Place::Count(page.offset())),
    };
    let (mut filter, sort) = params::read(&list, access, app.clock().now())?;
    if filter.unused_since.is_some() || sort.key == Key::LastFetchedAt {
        // Fetches of the last second may still be in memory; they count.
        app.last_used().flush(app).await?;
    }
    let calls = calls::of(app, access.workspace).await?;
    let mut tx = app.db().tenant(access.workspace).read().await?;
    if let Some(InFolder::Of { folder, subfolders }) = filter.folder {
        let all = folders::with_subfolders(&mut tx, folder).await?;
        if all.is_empty() {
            let message = "there is no such folder in this workspace";
            return Err(ApiError::invalid_field("folder", "not_found", message));
        }
        filter.folder = Some(InFolder::OneOf(if subfolders { all } else { vec![folder] }));
    }
    let asked = Asked {
        vocabularies: app.vocabularies(),
        filter: &filter,
        sort,
        place,
        limit: page.limit,
        calls: calls.clone(),
    };
    let found = page::find(&mut tx, &asked).await?;
    let contents = match &found.question {
        Some(_) => {
            let ids: Vec<Uuid> = found.rows.iter().map(|row| row.id).collect();
            queries::contents(&mut tx, &ids).await?
        }
        None => HashMap::new(),
    };
    let prompts = read::entities(&mut tx, found.rows, Can::of(access)).await?;
    tx.commit().await?;
    let days = app.config().bin.retention_days;
    let item = |prompt: Prompt| {
        let prompt = prompt.going_after(days);
        let content = contents.get(&prompt.id).map_or("", String::as_str);
        let highlight = found
            .question
            .as_ref()
            .map(|question| highlight(question, &prompt.title, prompt.description.as_deref(), content));
        PromptListItem { calls_7d: calls.get(&prompt.id).copied().unwrap_or(0), highlight, prompt }
    };
    let items = prompts.into_iter().map(item).collect();
    let next_cursor = found.next.map(|place| cursor::write(&list, place));
    Ok(Listed { items, page, total: found.total.0, at_least: found.total.1, next_cursor })
}
