//! What the query string of a list asks for.

use chrono::TimeDelta;

use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::features::prompts::listing::filter::{Filter, Sort};
use crate::http::Params;

/// Days without a fetch that can be asked for.
const MOST_DAYS: i64 = 3650;

/// Reads what the list is narrowed by.
pub(super) fn read_filter(params: &Params, now: Time) -> Result<Filter> {
    let archived = match params.get("archived") {
        Some("all") => None,
        _ => Some(params.flag("archived")?.unwrap_or(false)),
    };
    Ok(Filter {
        search: params.first_of(&["search", "q"]).map(str::to_owned),
        tag: params.first_of(&["tag"]).map(str::to_owned),
        category: params.first_of(&["category"]).map(str::to_owned),
        archived,
        deleted: params.flag("deleted")?.unwrap_or(false),
        unused_since: unused_days(params)?.map(|days| now - TimeDelta::days(days)),
    })
}

/// For how many days nobody must have fetched what is listed.
fn unused_days(params: &Params) -> Result<Option<i64>> {
    let Some(text) = params.first_of(&["unused_days"]) else { return Ok(None) };
    let days = text.parse().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    let message = "must be a whole number from 1 to 3650";
    days.map(Some).ok_or_else(|| ApiError::invalid_field("unused_days", "invalid", message))
}

/// Reads the order, and whether it is descending.
pub(super) fn read_sort(params: &Params) -> Result<(Sort, bool)> {
    let text = params.first_of(&["sort"]).unwrap_or("-updated_at");
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let sort = match name {
        "updated_at" => Sort::UpdatedAt,
        "created_at" => Sort::CreatedAt,
        "title" => Sort::Title,
        "slug" => Sort::Slug,
        "last_fetched_at" => Sort::LastFetchedAt,
        _ => {
            let message = "must be updated_at, created_at, last_fetched_at, title or slug, with - before it for descending";
            return Err(ApiError::invalid_field("sort", "invalid", message));
        }
    };
    Ok((sort, descending))
}
