//! Lists of prompts: what they are narrowed by, how they are ordered, and page by page.

mod filter;
mod params;
mod queries;

use crate::auth::Access;
use crate::error::Result;
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::listing::filter::Sort;
use crate::features::prompts::read;
use crate::http::{Page, Params};
use crate::state::App;

/// A page of prompts.
pub async fn list(app: &App, access: &Access, params: &Params) -> Result<(Vec<Prompt>, Page, i64)> {
    let page = params.page()?;
    let sort = params::read_sort(params)?;
    let filter = params::read_filter(params, app.clock().now())?;
    if filter.unused_since.is_some() || sort.0 == Sort::LastFetchedAt {
        // Fetches of the last second may still be in memory; they count.
        app.last_used().flush(app).await?;
    }
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let (rows, total) = queries::list(&mut tx, &filter, sort, page).await?;
    let prompts = read::entities(&mut tx, rows, Can::of(access)).await?;
    tx.commit().await?;
    Ok((prompts, page, total))
}
