//! Routes of versions. (Fetching one renders it, which is delivery's.)

use axum::extract::{Path, State};

use crate::auth::{Allow, Publish, Read, Write};
use crate::error::Result;
use crate::features::prompts::diff::{Difference, difference};
use crate::features::prompts::dto::CreateVersion;
use crate::features::prompts::publish::Published;
use crate::features::prompts::versions::service::{self, NewVersionAnswer, Restore};
use crate::features::prompts::versions::{Version, queries};
use crate::features::prompts::warnings::secrets_in;
use crate::features::prompts::{access, labels};
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

/// List versions
#[utoipa::path(get, path = "/prompts/{p}/versions", tag = "Versions", params(("p" = String, Path, description = "Slug or id"),
    ("branch" = Option<String>, Query), ("page" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, description = "Versions, newest first; on a page that would be too large the older ones stand without their text", body = Envelope<Vec<Version>>), (status = 404, description = "No such prompt")))]
pub async fn list_versions(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<Vec<Version>>> {
    let page = params.page()?;
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, &name, false).await?;
    let queries::Listed { rows, text_from, total } =
        queries::list(&mut tx, row.id, params.first_of(&["branch"]), page).await?;
    let pointers = labels::queries::pointers(&mut tx, row.id).await?;
    tx.commit().await?;
    let versions = rows
        .into_iter()
        .map(|row| {
            let on = pointers
                .iter()
                .filter(|(_, number)| *number == row.number)
                .map(|(label, _)| label.clone())
                .collect();
            let has_text = row.number >= text_from;
            let version = Version::of(row, on);
            if has_text { version } else { version.without_text() }
        })
        .collect();
    Ok(Reply::ok(versions).paged(page, total))
}

/// Save a version
#[utoipa::path(post, path = "/prompts/{p}/versions", tag = "Versions", request_body = CreateVersion,
    params(("p" = String, Path, description = "Slug or id")), responses(
    (status = 201, description = "Saved; live only if publish is true", body = Envelope<NewVersionAnswer>),
    (status = 404, description = "No such prompt"), (status = 409, description = "Somebody saved a newer version"),
    (status = 422, description = "Fields or the template are not valid")))]
pub async fn create_version(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<CreateVersion>,
) -> Result<Reply<NewVersionAnswer>> {
    let warnings = secrets_in(&input.source(), None);
    Ok(Reply::created(service::create(&app, &caller, &name, input).await?).warnings(warnings))
}

/// Restore a version
#[utoipa::path(post, path = "/prompts/{p}/versions/{v}/restore", tag = "Versions", request_body = Restore,
    params(("p" = String, Path, description = "Slug or id"), ("v" = String, Path, description = "Number or id")), responses(
    (status = 201, description = "Copied as a new version and published", body = Envelope<Published>), (status = 404, description = "No such prompt or version")))]
pub async fn restore_version(
    State(app): State<App>,
    caller: Allow<Publish>,
    Path((name, version)): Path<(String, String)>,
    Body(input): Body<Restore>,
) -> Result<Reply<Published>> {
    caller.require(crate::auth::Right::Write)?;
    service::restore(&app, &caller, &name, &version, input).await.map(Reply::created)
}

/// Compare versions
#[utoipa::path(get, path = "/prompts/{p}/versions/{v}/diff", tag = "Versions",
    params(("p" = String, Path, description = "Slug or id"), ("v" = String, Path, description = "Number, id, draft or live"),
        ("against" = Option<String>, Query, description = "Number, id, draft or live; the parent when absent")),
    responses((status = 200, description = "The difference", body = Envelope<Difference>), (status = 404, description = "No such prompt or version")))]
pub async fn version_diff(
    State(app): State<App>,
    caller: Allow<Read>,
    Path((name, version)): Path<(String, String)>,
    params: Params,
) -> Result<Reply<Difference>> {
    difference(&app, &caller, &name, &version, &params).await.map(Reply::ok)
}
