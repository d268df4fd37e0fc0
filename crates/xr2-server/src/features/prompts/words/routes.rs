//! Routes of tags and categories.

use axum::extract::{Path, State};

use crate::auth::{Allow, Read, Write};
use crate::error::Result;
use crate::features::prompts::words::dto::{Facet, Facets, RenameCategory, RenameTag, Replaced};
use crate::features::prompts::words::service::{self, Word};
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// Tags and categories in use
///
/// The 200 most frequent of each.
#[utoipa::path(get, path = "/facets", tag = "Prompts", responses((status = 200, description = "Tags and categories", body = Envelope<Facets>)))]
pub async fn facets(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Facets>> {
    service::overview(&app, &caller).await.map(Reply::ok)
}

/// List all tags
#[utoipa::path(get, path = "/tags", tag = "Tags and categories", responses(
    (status = 200, description = "Tags by name, each with how many prompts have it, those in the bin not counted", body = Envelope<Vec<Facet>>)))]
pub async fn list_tags(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Vec<Facet>>> {
    service::list(&app, &caller, Word::Tag).await.map(Reply::ok)
}

/// Rename a tag in all prompts
///
/// Prompts in the archive and in the bin are renamed as well. Where prompts have a tag of the new name already, the two
/// become one. Many prompts are changed some at a time; a call that was cut off can be made again.
#[utoipa::path(put, path = "/tags/{name}", tag = "Tags and categories", request_body = RenameTag,
    params(("name" = String, Path, description = "The tag")),
    responses((status = 200, description = "Renamed", body = Envelope<Replaced>), (status = 404, description = "No prompt has this tag")))]
pub async fn rename_tag(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<RenameTag>,
) -> Result<Reply<Replaced>> {
    service::replace(&app, &caller, Word::Tag, &name, Some(&input.name)).await.map(Reply::ok)
}

/// Take a tag off all prompts
#[utoipa::path(delete, path = "/tags/{name}", tag = "Tags and categories", params(("name" = String, Path, description = "The tag")),
    responses((status = 200, description = "Taken off", body = Envelope<Replaced>), (status = 404, description = "No prompt has this tag")))]
pub async fn delete_tag(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
) -> Result<Reply<Replaced>> {
    service::replace(&app, &caller, Word::Tag, &name, None).await.map(Reply::ok)
}

/// List all categories
#[utoipa::path(get, path = "/categories", tag = "Tags and categories", responses(
    (status = 200, description = "Categories by name, each with how many prompts have it, those in the bin not counted", body = Envelope<Vec<Facet>>)))]
pub async fn list_categories(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Vec<Facet>>> {
    service::list(&app, &caller, Word::Category).await.map(Reply::ok)
}

/// Rename a category in all prompts
///
/// As with tags: prompts in the archive and in the bin too, and where there is a category of the new name, the two become
/// one.
#[utoipa::path(put, path = "/categories/{name}", tag = "Tags and categories", request_body = RenameCategory,
    params(("name" = String, Path, description = "The category")),
    responses((status = 200, description = "Renamed", body = Envelope<Replaced>), (status = 404, description = "No prompt is of this category")))]
pub async fn rename_category(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<RenameCategory>,
) -> Result<Reply<Replaced>> {
    service::replace(&app, &caller, Word::Category, &name, Some(&input.name)).await.map(Reply::ok)
}

/// Take all prompts out of a category
#[utoipa::path(delete, path = "/categories/{name}", tag = "Tags and categories", params(("name" = String, Path, description = "The category")),
    responses((status = 200, description = "Taken out", body = Envelope<Replaced>), (status = 404, description = "No prompt is of this category")))]
pub async fn delete_category(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
) -> Result<Reply<Replaced>> {
    service::replace(&app, &caller, Word::Category, &name, None).await.map(Reply::ok)
}
