//! Routes of edge mode.

use axum::extract::State;

use crate::auth::{Admin, Allow};
use crate::error::Result;
use crate::features::edge::dto::{EdgeSettings, PutEdge};
use crate::features::edge::service;
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// Show edge mode
///
/// Whether shared caches may keep what publishable keys fetch, whom xr2 tells when it changes, and how that goes.
#[utoipa::path(get, path = "/{ws}/edge", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Edge mode; off unless it was turned on", body = Envelope<EdgeSettings>)))]
pub async fn get_edge(State(app): State<App>, access: Allow<Admin>) -> Result<Reply<EdgeSettings>> {
    Ok(Reply::ok(service::show(&app, &access).await?))
}

/// Set edge mode
///
/// With it, answers to publishable keys carry `Cache-Control: public`, `CDN-Cache-Control`, `Surrogate-Control`,
/// `Surrogate-Key` and `Cache-Tag`; what is rendered with values, `latest`, and what secret keys fetch is never kept.
/// Whatever changes is purged by surrogate key, again and again until the cache has taken it. The token is stored
/// encrypted and never shown.
#[utoipa::path(put, path = "/{ws}/edge", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    request_body = PutEdge,
    responses((status = 200, description = "Edge mode as it is now", body = Envelope<EdgeSettings>)))]
pub async fn put_edge(
    State(app): State<App>,
    access: Allow<Admin>,
    Body(input): Body<PutEdge>,
) -> Result<Reply<EdgeSettings>> {
    Ok(Reply::ok(service::put(&app, &access, input).await?))
}
