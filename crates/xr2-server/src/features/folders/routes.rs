//! Routes of folders.

use axum::extract::{Path, State};
use uuid::Uuid;

use crate::auth::{Allow, Read, Write};
use crate::error::{ApiError, Result};
use crate::features::folders::dto::{CreateFolder, UpdateFolder};
use crate::features::folders::model::{Deleted, Folder};
use crate::features::folders::service;
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

/// List all folders
///
/// The whole tree as a flat list, sorted by path: each folder comes behind the one it stands in.
#[utoipa::path(get, path = "/folders", tag = "Folders",
    responses((status = 200, description = "All folders", body = Envelope<Vec<Folder>>)))]
pub async fn list_folders(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Vec<Folder>>> {
    service::list(&app, &caller).await.map(Reply::ok)
}

/// Make a folder
#[utoipa::path(post, path = "/folders", tag = "Folders", request_body = CreateFolder, responses(
    (status = 201, description = "Made", body = Envelope<Folder>),
    (status = 409, description = "There is one of that name beside it, or the workspace has 5,000 already"),
    (status = 422, description = "There is no such parent, or it would stand deeper than 10 levels")))]
pub async fn create_folder(
    State(app): State<App>,
    caller: Allow<Write>,
    Body(input): Body<CreateFolder>,
) -> Result<Reply<Folder>> {
    service::create(&app, &caller, input).await.map(Reply::created)
}

/// Get a folder
#[utoipa::path(get, path = "/folders/{id}", tag = "Folders", params(("id" = String, Path, description = "Id of the folder")),
    responses((status = 200, description = "The folder", body = Envelope<Folder>), (status = 404, description = "No such folder")))]
pub async fn get_folder(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(id): Path<String>,
) -> Result<Reply<Folder>> {
    service::get(&app, &caller, read_id(&id)?).await.map(Reply::ok)
}

/// Rename or move a folder
#[utoipa::path(put, path = "/folders/{id}", tag = "Folders", request_body = UpdateFolder,
    params(("id" = String, Path, description = "Id of the folder")), responses(
    (status = 200, description = "Changed", body = Envelope<Folder>), (status = 404, description = "No such folder"),
    (status = 409, description = "There is one of that name beside it"),
    (status = 422, description = "It would stand in itself, in nothing that exists, or deeper than 10 levels")))]
pub async fn update_folder(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(id): Path<String>,
    Body(input): Body<UpdateFolder>,
) -> Result<Reply<Folder>> {
    service::update(&app, &caller, read_id(&id)?, input).await.map(Reply::ok)
}

/// Delete a folder
///
/// Prompts are never deleted with it: they only do not stand in it any more. Subfolders move up to where it stood, unless
/// `recursive` is true.
#[utoipa::path(delete, path = "/folders/{id}", tag = "Folders",
    params(("id" = String, Path, description = "Id of the folder"),
        ("recursive" = Option<bool>, Query, description = "With all its subfolders")),
    responses((status = 200, description = "Gone", body = Envelope<Deleted>), (status = 404, description = "No such folder"),
        (status = 409, description = "A subfolder would move up to one of the same name")))]
pub async fn delete_folder(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Reply<Deleted>> {
    let recursive = params.flag("recursive")?.unwrap_or(false);
    service::delete(&app, &caller, read_id(&id)?, recursive).await.map(Reply::ok)
}

fn read_id(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| ApiError::not_found("folder"))
}
