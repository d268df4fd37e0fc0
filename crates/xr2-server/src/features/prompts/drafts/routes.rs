//! Routes of drafts.

use axum::extract::{Path, State};

use crate::auth::{Access, Allow, Read, Write};
use crate::error::{ApiError, Result};
use crate::features::prompts::drafts::{self, Draft, MAIN};
use crate::features::prompts::dto::SaveDraft;
use crate::features::prompts::warnings::secrets_in;
use crate::features::prompts::{access, compiled_beside, versions};
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

fn branch(params: &Params) -> &str {
    params.first_of(&["branch"]).unwrap_or(MAIN)
}

/// Get the draft
#[utoipa::path(get, path = "/prompts/{p}/draft", tag = "Drafts",
    params(("p" = String, Path, description = "Slug or id"), ("branch" = Option<String>, Query, description = "`main` when absent")),
    responses((status = 200, description = "The draft", body = Envelope<Draft>), (status = 404, description = "No such prompt, or it has no draft")))]
pub async fn get_draft(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<Draft>> {
    let draft = compiled_beside(|| find(&app, &caller, &name, branch(&params))).await?;
    draft.map(Reply::ok).ok_or_else(|| ApiError::not_found("draft"))
}

async fn find(app: &App, caller: &Access, name: &str, branch: &str) -> Result<Option<Draft>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, name, false).await?;
    let newest = versions::queries::newest(&mut tx, row.id, branch).await?;
    let draft = drafts::read(&mut tx, &row, branch, newest.map_or(0, |newest| newest.number)).await?;
    tx.commit().await?;
    Ok(draft)
}

/// Save the draft
#[utoipa::path(put, path = "/prompts/{p}/draft", tag = "Drafts", request_body = SaveDraft,
    params(("p" = String, Path, description = "Slug or id"), ("branch" = Option<String>, Query, description = "`main` when absent")),
    responses((status = 200, description = "Saved, even when the template still has problems", body = Envelope<Draft>),
        (status = 409, description = "Somebody saved it meanwhile; `details.current` is theirs"),
        (status = 413, description = "The text is too large")))]
pub async fn put_draft(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    params: Params,
    Body(input): Body<SaveDraft>,
) -> Result<Reply<Draft>> {
    let warnings = secrets_in(&input.source(), None);
    let draft = drafts::save(&app, &caller, &name, branch(&params), input).await?;
    Ok(Reply::ok(draft).warnings(warnings))
}

/// Throw the draft away
#[utoipa::path(delete, path = "/prompts/{p}/draft", tag = "Drafts",
    params(("p" = String, Path, description = "Slug or id"), ("branch" = Option<String>, Query, description = "`main` when absent"),
        ("revision" = Option<i64>, Query, description = "Only if it is still this one")),
    responses((status = 200, description = "Gone"), (status = 404, description = "No draft"), (status = 409, description = "Somebody saved it meanwhile")))]
pub async fn delete_draft(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<serde_json::Value>> {
    let revision = match params.first_of(&["revision"]) {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::invalid_field("revision", "invalid", "must be a whole number"))?,
        ),
    };
    drafts::discard(&app, &caller, &name, branch(&params), revision).await?;
    Ok(Reply::ok(serde_json::json!({})))
}
