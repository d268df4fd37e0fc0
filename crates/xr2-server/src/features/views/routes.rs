//! Routes of saved views.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::auth::{Allow, Read};
use crate::error::Result;
use crate::features::views::dto::{CreateView, UpdateView};
use crate::features::views::model::View;
use crate::features::views::service;
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// List saved views
///
/// Those that the workspace shares, and your own, by name.
#[utoipa::path(get, path = "/views", tag = "Saved views",
    responses((status = 200, description = "Shared views and your own", body = Envelope<Vec<View>>)))]
pub async fn list_views(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Vec<View>>> {
    service::list(&app, &caller).await.map(Reply::ok)
}

/// Save a view
///
/// For people only: an API key has no views of its own. To share one, one has to be allowed to write.
#[utoipa::path(post, path = "/views", tag = "Saved views", request_body = CreateView, responses(
    (status = 201, description = "Saved", body = Envelope<View>), (status = 409, description = "There are 100 already"),
    (status = 422, description = "The query is none that a list of prompts takes")))]
pub async fn create_view(
    State(app): State<App>,
    caller: Allow<Read>,
    Body(input): Body<CreateView>,
) -> Result<Reply<View>> {
    service::create(&app, &caller, input).await.map(Reply::created)
}

/// Change a saved view
///
/// Private ones only their maker sees; shared ones are changed by their maker or an admin.
#[utoipa::path(put, path = "/views/{id}", tag = "Saved views", request_body = UpdateView,
    params(("id" = String, Path, description = "Id of the view")), responses(
    (status = 200, description = "Changed", body = Envelope<View>), (status = 404, description = "No such view"),
    (status = 409, description = "There are 100 already"), (status = 422, description = "The query is none that a list of prompts takes")))]
pub async fn update_view(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(id): Path<String>,
    Body(input): Body<UpdateView>,
) -> Result<Reply<View>> {
    service::update(&app, &caller, &id, input).await.map(Reply::ok)
}

/// Delete a saved view
#[utoipa::path(delete, path = "/views/{id}", tag = "Saved views", params(("id" = String, Path, description = "Id of the view")),
    responses((status = 200, description = "Gone"), (status = 404, description = "No such view")))]
pub async fn delete_view(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(id): Path<String>,
) -> Result<Reply<Value>> {
    service::delete(&app, &caller, &id).await?;
    Ok(Reply::ok(json!({})))
}
