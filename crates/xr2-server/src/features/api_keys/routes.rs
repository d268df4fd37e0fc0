//! Routes of API keys.

use axum::extract::{Path, State};
use uuid::Uuid;

use crate::auth::{Allow, Keys};
use crate::error::{ApiError, Result};
use crate::features::api_keys::dto::{ApiKeyWithSecret, CreateKey, RotateKey};
use crate::features::api_keys::{ApiKey, service};
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

/// List the workspace's API keys
///
/// Newest first, revoked and expired ones included; never their secrets.
#[utoipa::path(get, path = "/api-keys", tag = "API keys",
    params(("page" = Option<i64>, Query, description = "From 1"), ("limit" = Option<i64>, Query, description = "1 to 100, default 20")),
    responses((status = 200, description = "A page of keys", body = Envelope<Vec<ApiKey>>),
        (status = 403, description = "Needs an admin")))]
pub async fn list_api_keys(
    State(app): State<App>,
    access: Allow<Keys>,
    params: Params,
) -> Result<Reply<Vec<ApiKey>>> {
    let page = params.page()?;
    let (keys, total) = service::list(&app, &access, page).await?;
    Ok(Reply::ok(keys).paged(page, total))
}

/// Make an API key
///
/// The answer is the only place where the whole key ever stands.
#[utoipa::path(post, path = "/api-keys", tag = "API keys", request_body = CreateKey, responses(
    (status = 201, description = "Made", body = Envelope<ApiKeyWithSecret>),
    (status = 403, description = "Needs an admin, and no key makes a wider one"),
    (status = 422, description = "Fields are not valid")))]
pub async fn create_api_key(
    State(app): State<App>,
    access: Allow<Keys>,
    Body(input): Body<CreateKey>,
) -> Result<Reply<ApiKeyWithSecret>> {
    Ok(Reply::created(service::create(&app, &access, input).await?).told_once(&["/key"]))
}

/// Replace an API key
///
/// Makes a key like it; the old one goes on working for `overlap_seconds`.
#[utoipa::path(post, path = "/api-keys/{id}/rotate", tag = "API keys", request_body = RotateKey,
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 201, description = "The new key", body = Envelope<ApiKeyWithSecret>),
        (status = 404, description = "No such key"),
        (status = 409, description = "Replaced, expired or revoked already")))]
pub async fn rotate_api_key(
    State(app): State<App>,
    access: Allow<Keys>,
    Path(id): Path<String>,
    Body(input): Body<RotateKey>,
) -> Result<Reply<ApiKeyWithSecret>> {
    Ok(Reply::created(service::rotate(&app, &access, parse(&id)?, input).await?).told_once(&["/key"]))
}

/// Revoke an API key
///
/// In force at once, and for good.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "API keys",
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 200, description = "Revoked", body = Envelope<ApiKey>),
        (status = 404, description = "No such key")))]
pub async fn revoke_api_key(
    State(app): State<App>,
    access: Allow<Keys>,
    Path(id): Path<String>,
) -> Result<Reply<ApiKey>> {
    Ok(Reply::ok(service::revoke(&app, &access, parse(&id)?).await?))
}

fn parse(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| ApiError::not_found("API key"))
}
