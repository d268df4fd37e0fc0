//! Routes of prompts: the entity, its lists, publishing, the bin.

use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::auth::{Admin, Allow, Deliver, Publish as MayPublish, Read, Remove, Right, Write};
use crate::error::{ApiError, Code, Result};
use crate::features::prompts::bulk::{Bulk, BulkDone};
use crate::features::prompts::dto::{CreatePrompt, UpdatePrompt};
use crate::features::prompts::duplicate::Duplicate;
use crate::features::prompts::entity::Prompt;
use crate::features::prompts::listing::PromptListItem;
use crate::features::prompts::publish::{Publish, Published, Saved};
use crate::features::prompts::read::Details;
use crate::features::prompts::warnings::secrets_in;
use crate::features::prompts::{bin, bulk, create, duplicate, listing, publish, queries, read, update};
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

/// List prompts
///
/// Beside `page` there is `cursor`, which goes on behind the last prompt however the list has changed meanwhile, and carries
/// filter and order with it. Long lists are not counted to their end: `meta.total_is_at_least` says so.
#[utoipa::path(get, path = "/prompts", tag = "Prompts", params(
    ("search" = Option<String>, Query, description = "Words in title, slug, description, tags or text"),
    ("tag" = Option<Vec<String>>, Query, description = "A tag; given several times, all of them"), ("category" = Option<String>, Query),
    ("type" = Option<String>, Query, description = "text or chat"), ("syntax" = Option<String>, Query, description = "simple, jinja or none"),
    ("label" = Option<String>, Query, description = "A label that points at one of its versions"),
    ("live" = Option<bool>, Query, description = "Whether production delivers it"), ("has_draft" = Option<bool>, Query),
    ("archived" = Option<String>, Query, description = "true, false (default) or all"),
    ("deleted" = Option<bool>, Query, description = "What is in the bin"),
    ("created_by" = Option<String>, Query, description = "me, or the id of a person or of an API key"), ("updated_by" = Option<String>, Query),
    ("updated_after" = Option<String>, Query, description = "A day or a time: then or later"), ("updated_before" = Option<String>, Query),
    ("created_after" = Option<String>, Query), ("created_before" = Option<String>, Query),
    ("unused_days" = Option<i64>, Query, description = "Made more than so many days ago and not fetched since, nor delivered inside another"),
    ("folder" = Option<String>, Query, description = "Id of a folder, or none: in no folder"),
    ("subfolders" = Option<bool>, Query, description = "Also what stands in folders below it; true unless said otherwise"),
    ("favourite" = Option<bool>, Query, description = "Your favourites"),
    ("recent" = Option<bool>, Query, description = "What you have edited, the latest first"),
    ("page" = Option<i64>, Query), ("limit" = Option<i64>, Query, description = "At most 100"),
    ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before; beside it only limit is needed"),
    ("sort" = Option<String>, Query, description = "updated_at, created_at, last_fetched_at (never comes first), calls_7d, title, slug, - before it for descending; or relevance, as searches are without it")),
    responses((status = 200, description = "A page of prompts", body = Envelope<Vec<PromptListItem>>),
        (status = 400, description = "The cursor is not one of this list"), (status = 422, description = "A parameter is not valid")))]
pub async fn list_prompts(
    State(app): State<App>,
    caller: Allow<Read>,
    params: Params,
) -> Result<Reply<Vec<PromptListItem>>> {
    let listed = listing::list(&app, &caller, &params).await?;
    Ok(Reply::ok(listed.items)
        .paged(listed.page, listed.total)
        .at_least(listed.at_least)
        .next(listed.next_cursor))
}

/// Make a prompt
#[utoipa::path(post, path = "/prompts", tag = "Prompts", request_body = CreatePrompt, responses(
    (status = 201, description = "Made, and live unless publish is false or not allowed", body = Envelope<Saved>),
    (status = 403, description = "publish was asked for and is not allowed; nothing was saved"),
    (status = 409, description = "The slug is taken"), (status = 413, description = "The text is too large"),
    (status = 422, description = "Fields or the template are not valid")))]
pub async fn create_prompt(
    State(app): State<App>,
    caller: Allow<Write>,
    Body(input): Body<CreatePrompt>,
) -> Result<Reply<Saved>> {
    check_workspace(&app, &caller, input.workspace.as_deref()).await?;
    let warnings = secrets_in(&input.source(), input.description.as_deref());
    let saved = create::create(&app, &caller, create::read(&app, &caller, input).await?).await?;
    Ok(Reply::created(saved).warnings(warnings))
}

/// A body may name the workspace as well, but no other than the request's.
async fn check_workspace(app: &App, caller: &crate::auth::Access, named: Option<&str>) -> Result<()> {
    let Some(named) = named else { return Ok(()) };
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let slug = queries::workspace_slug(&mut tx).await?;
    tx.commit().await?;
    if named == slug || named.parse() == Ok(caller.workspace) {
        return Ok(());
    }
    Err(ApiError::new(Code::WorkspaceConflict, "The body names another workspace than the request."))
}

/// Get a prompt's entity
#[utoipa::path(get, path = "/prompts/{p}/details", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "The entity, its newest and live versions, its draft", body = Envelope<Details>),
        (status = 404, description = "No such prompt")))]
pub async fn prompt_details(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
) -> Result<Reply<Details>> {
    read::details(&app, &caller, &name).await.map(Reply::ok)
}

/// Change a prompt
#[utoipa::path(put, path = "/prompts/{p}", tag = "Prompts", request_body = UpdatePrompt,
    params(("p" = String, Path, description = "Slug or id")), responses(
    (status = 200, description = "Changed; a new version if content, variables or config changed", body = Envelope<Saved>),
    (status = 404, description = "No such prompt"), (status = 409, description = "Somebody saved a newer version, the slug is taken, or the prompt is archived"),
    (status = 422, description = "Fields or the template are not valid")))]
pub async fn update_prompt(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<UpdatePrompt>,
) -> Result<Reply<Saved>> {
    let description = input.description.as_ref().and_then(Option::as_deref);
    let warnings = secrets_in(&input.source(), description);
    Ok(Reply::ok(update::update(&app, &caller, &name, input).await?).warnings(warnings))
}

/// Delete a prompt
#[utoipa::path(delete, path = "/prompts/{p}", tag = "Prompts", params(("p" = String, Path, description = "Slug or id"),
    ("force" = Option<bool>, Query, description = "Even if it is in use"),
    ("permanent" = Option<bool>, Query, description = "Remove for good; only from the bin, only by admins")),
    responses((status = 200, description = "In the bin, or gone", body = Envelope<Value>), (status = 404, description = "No such prompt"),
        (status = 409, description = "It was fetched in the last 7 days or is included elsewhere")))]
pub async fn delete_prompt(
    State(app): State<App>,
    caller: Allow<Remove>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<Value>> {
    if params.flag("permanent")?.unwrap_or(false) {
        caller.require(Right::Admin)?;
        bin::purge(&app, &caller, &name).await?;
        return Ok(Reply::ok(json!({})));
    }
    let prompt = bin::delete(&app, &caller, &name, params.flag("force")?.unwrap_or(false)).await?;
    serde_json::to_value(prompt).map(Reply::ok).map_err(ApiError::internal)
}

/// Take a prompt out of the bin
#[utoipa::path(post, path = "/prompts/{p}/undelete", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Back", body = Envelope<Prompt>), (status = 404, description = "No such prompt")))]
pub async fn undelete_prompt(
    State(app): State<App>,
    caller: Allow<Remove>,
    Path(name): Path<String>,
) -> Result<Reply<Prompt>> {
    bin::undelete(&app, &caller, &name).await.map(Reply::ok)
}

/// Empty the bin
#[utoipa::path(delete, path = "/bin", tag = "Prompts", responses((status = 200, description = "How many prompts are gone for good", body = Envelope<Value>)))]
pub async fn empty_bin(State(app): State<App>, caller: Allow<Admin>) -> Result<Reply<Value>> {
    let purged = bin::empty(&app, &caller).await?;
    Ok(Reply::ok(json!({ "purged": purged })))
}

/// Copy a prompt
#[utoipa::path(post, path = "/prompts/{p}/duplicate", tag = "Prompts", request_body = Duplicate,
    params(("p" = String, Path, description = "Slug or id")),
    responses((status = 201, description = "The copy; not live yet", body = Envelope<Saved>), (status = 404, description = "No such prompt")))]
pub async fn duplicate_prompt(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
    Body(input): Body<Duplicate>,
) -> Result<Reply<Saved>> {
    duplicate::duplicate(&app, &caller, &name, input).await.map(Reply::created)
}

/// Archive a prompt
#[utoipa::path(post, path = "/prompts/{p}/archive", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Archived: hidden from lists, read-only, still delivered", body = Envelope<Prompt>)))]
pub async fn archive_prompt(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
) -> Result<Reply<Prompt>> {
    update::set_active(&app, &caller, &name, false).await.map(|saved| Reply::ok(saved.prompt))
}

/// Take a prompt out of the archive
#[utoipa::path(post, path = "/prompts/{p}/unarchive", tag = "Prompts", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Back in lists", body = Envelope<Prompt>)))]
pub async fn unarchive_prompt(
    State(app): State<App>,
    caller: Allow<Write>,
    Path(name): Path<String>,
) -> Result<Reply<Prompt>> {
    update::set_active(&app, &caller, &name, true).await.map(|saved| Reply::ok(saved.prompt))
}

/// Do one thing to many prompts
///
/// Each prompt succeeds or fails by itself, and what is as asked for already stays `unchanged`, so that the same request
/// may be sent again. With `all_or_nothing` one that fails takes back what was done to the others. What the action needs:
/// write for tags, category, archive and copies, publish for labels, an admin's rights for the bin.
#[utoipa::path(post, path = "/prompts/bulk", tag = "Prompts", request_body = Bulk, responses(
    (status = 200, description = "What came of each, in the order asked for", body = Envelope<BulkDone>),
    (status = 403, description = "Not allowed, or the label is protected"), (status = 404, description = "No such label"),
    (status = 422, description = "Fields are missing, not valid, or do not belong to the action")))]
pub async fn bulk_prompts(
    State(app): State<App>,
    caller: Allow<Deliver>,
    Body(input): Body<Bulk>,
) -> Result<Reply<BulkDone>> {
    bulk::bulk(&app, &caller, input).await.map(Reply::ok)
}

/// Publish a draft or a version
#[utoipa::path(post, path = "/prompts/{p}/publish", tag = "Prompts", request_body = Publish,
    params(("p" = String, Path, description = "Slug or id"), ("freeze" = Option<bool>, Query, description = "Pin every include to its present version")),
    responses((status = 200, description = "Live", body = Envelope<Published>), (status = 403, description = "A rule forbids it"),
        (status = 404, description = "No such prompt, draft, version or label"), (status = 409, description = "Somebody saved a newer version"),
        (status = 422, description = "The template is not valid")))]
pub async fn publish_prompt(
    State(app): State<App>,
    caller: Allow<MayPublish>,
    Path(name): Path<String>,
    params: Params,
    Body(input): Body<Publish>,
) -> Result<Reply<Published>> {
    let freeze = params.flag("freeze")?.unwrap_or(false);
    publish::publish(&app, &caller, &name, input, freeze).await.map(Reply::ok)
}
