//! Routes of preview links.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::auth::{Allow, Read, Write};
use crate::error::Result;
use crate::features::prompts::preview_links::model::{
    CreatePreviewLink, NewPreviewLink, PreviewLink, SharedPrompt,
};
use crate::features::prompts::preview_links::{service, shown};
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// Share a prompt by a link
///
/// Whoever has the link sees one version, or the draft as it stands, without an account: text, variables and a sample, and
/// nothing else of the workspace. `url` and `token` are shown this once.
#[utoipa::path(post, path = "/prompts/{p}/preview-links", tag = "Preview links", request_body = CreatePreviewLink,
    params(("p" = String, Path, description = "Slug or id")),
    responses((status = 201, description = "Made", body = Envelope<NewPreviewLink>),
        (status = 404, description = "No such prompt, version or draft"),
        (status = 409, description = "The prompt has 100 open links already")))]
pub async fn create_preview_link(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<CreatePreviewLink>,
) -> Result<Reply<NewPreviewLink>> {
    let made = service::create(&app, &caller, &name, input).await?;
    Ok(Reply::created(made).told_once(&["/token", "/url"]))
}

/// List a prompt's preview links
#[utoipa::path(get, path = "/prompts/{p}/preview-links", tag = "Preview links",
    params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Links that nobody has revoked, newest first", body = Envelope<Vec<PreviewLink>>),
        (status = 404, description = "No such prompt")))]
pub async fn list_preview_links(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
) -> Result<Reply<Vec<PreviewLink>>> {
    service::list(&app, &caller, &name).await.map(Reply::ok)
}

/// Revoke a preview link
#[utoipa::path(delete, path = "/prompts/{p}/preview-links/{id}", tag = "Preview links",
    params(("p" = String, Path, description = "Slug or id"), ("id" = String, Path, description = "The link's id")),
    responses((status = 200, description = "It opens nothing any more", body = Envelope<Value>),
        (status = 404, description = "No such prompt or link")))]
pub async fn revoke_preview_link(
    State(app): State<App>,
    caller: Allow<Write>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Reply<Value>> {
    service::revoke(&app, &caller, &name, &id).await?;
    Ok(Reply::ok(json!({})))
}

/// Open a preview link
///
/// Needs no credential. Links that never were, have expired, were revoked, or whose prompt is gone are all the same 404.
#[utoipa::path(get, path = "/preview-links/{token}", tag = "Preview links", security(()),
    params(("token" = String, Path, description = "From the link's address")),
    responses((status = 200, description = "The prompt, read-only", body = Envelope<SharedPrompt>),
        (status = 404, description = "No such link, or not any more")))]
pub async fn open_preview_link(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Reply<SharedPrompt>> {
    const NOINDEX: HeaderValue = HeaderValue::from_static("noindex, nofollow");
    let shown = shown::open(&app, &token).await?;
    Ok(Reply::ok(shown).header(HeaderName::from_static("x-robots-tag"), NOINDEX))
}
