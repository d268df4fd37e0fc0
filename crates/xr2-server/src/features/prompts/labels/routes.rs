//! Routes of labels, of the workspace and on a prompt.

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::{Access, Admin, Allow, Publish, Read};
use crate::error::{ApiError, Code, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::labels::dto::{CreateLabel, SetLabel, UpdateLabel};
use crate::features::prompts::labels::model::{HistoryEntry, Label, PromptLabel};
use crate::features::prompts::labels::{
    LATEST, LabelMove, PRODUCTION, is_label_name, move_label, queries, remove_label,
};
use crate::features::prompts::{access, compiled_beside, dto::blank_to_none, includes, read, versions};
use crate::http::{Body, Envelope, Params, Reply};
use crate::state::App;

/// List the workspace's labels
#[utoipa::path(get, path = "/labels", tag = "Labels", responses((status = 200, description = "All labels", body = Envelope<Vec<Label>>)))]
pub async fn list_labels(State(app): State<App>, caller: Allow<Read>) -> Result<Reply<Vec<Label>>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let labels = queries::all(&mut tx).await?;
    tx.commit().await?;
    Ok(Reply::ok(labels))
}

/// Make a label
#[utoipa::path(post, path = "/labels", tag = "Labels", request_body = CreateLabel, responses(
    (status = 201, description = "Made", body = Envelope<Label>), (status = 409, description = "There is one of that name")))]
pub async fn create_label(
    State(app): State<App>,
    caller: Allow<Admin>,
    Body(input): Body<CreateLabel>,
) -> Result<Reply<Label>> {
    if input.name == LATEST {
        return Err(ApiError::invalid_field(
            "name",
            "reserved",
            "`latest` follows the newest version by itself",
        ));
    }
    if !is_label_name(&input.name) {
        let message = "may hold lower-case letters, digits, - _ and ., begins with a letter or digit, and is not a number";
        return Err(ApiError::invalid_field("name", "invalid", message));
    }
    let mut change = Change::begin(&app, &caller).await?;
    if queries::find(change.tx(), &input.name).await?.is_some() {
        return Err(exists_already(&input.name));
    }
    let label = Label {
        name: input.name,
        color: input.color.map_or_else(|| "gray".to_owned(), super::dto::Color::name),
        description: blank_to_none(input.description),
        protected: input.protected.unwrap_or(false),
        created_at: app.clock().now(),
        prompts: 0,
    };
    let by = change.actor().clone();
    queries::insert(change.tx(), &label, &by).await.map_err(|error| {
        // Somebody made it since it was looked up.
        if error.is_unique("labels") { exists_already(&label.name) } else { error.into() }
    })?;
    change
        .record(NewEvent::new(EventType::LabelCreated, Resource::named("label", &label.name)).after(&label));
    change.commit().await?;
    Ok(Reply::created(label))
}

/// Change a label
#[utoipa::path(put, path = "/labels/{name}", tag = "Labels", request_body = UpdateLabel,
    params(("name" = String, Path, description = "The label")),
    responses((status = 200, description = "Changed", body = Envelope<Label>), (status = 404, description = "No such label")))]
pub async fn update_label(
    State(app): State<App>,
    caller: Allow<Admin>,
    Path(name): Path<String>,
    Body(input): Body<UpdateLabel>,
) -> Result<Reply<Label>> {
    let mut change = Change::begin(&app, &caller).await?;
    let before = existing(&mut change, &name).await?;
    let mut label = before.clone();
    if let Some(color) = input.color {
        label.color = color.name();
    }
    if let Some(description) = input.description {
        label.description = blank_to_none(Some(description));
    }
    label.protected = input.protected.unwrap_or(label.protected);
    queries::update(change.tx(), &label, app.clock().now()).await?;
    let event =
        NewEvent::new(EventType::LabelUpdated, Resource::named("label", &name)).before(before).after(&label);
    change.record(event);
    change.commit().await?;
    Ok(Reply::ok(label))
}

/// Delete a label
#[utoipa::path(delete, path = "/labels/{name}", tag = "Labels",
    params(("name" = String, Path, description = "The label"), ("force" = Option<bool>, Query, description = "Take it off all prompts")),
    responses((status = 200, description = "Gone"), (status = 404, description = "No such label"), (status = 409, description = "Prompts have it")))]
pub async fn delete_label(
    State(app): State<App>,
    caller: Allow<Admin>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<serde_json::Value>> {
    if name == PRODUCTION {
        return Err(ApiError::new(
            Code::Conflict,
            "The label production is what clients get by default; it stays.",
        ));
    }
    let force = params.flag("force")?.unwrap_or(false);
    let mut change = Change::begin(&app, &caller).await?;
    let label = existing(&mut change, &name).await?;
    let on = queries::prompts_with(change.tx(), &name, if force { i64::MAX } else { 20 }).await?;
    if !on.is_empty() && !force {
        let slugs: Vec<&str> = on.iter().map(|(_, slug)| slug.as_str()).collect();
        let message = format!(
            "{} prompts have this label. Delete it with force=true to take it off them.",
            label.prompts
        );
        let reasons: Vec<_> = slugs.iter().map(|slug| json!({ "kind": "label", "slug": slug })).collect();
        return Err(ApiError::new(Code::InUse, message).with_details(json!({ "reasons": reasons })));
    }
    for (id, slug) in on {
        remove_label(&mut change, id, &slug, &name, true).await?;
    }
    queries::delete(change.tx(), &name).await?;
    change.record(NewEvent::new(EventType::LabelDeleted, Resource::named("label", &name)).before(label));
    change.commit().await?;
    Ok(Reply::ok(json!({})))
}

fn exists_already(name: &str) -> ApiError {
    ApiError::new(Code::Conflict, format!("There is a label {name} already."))
}

async fn existing(change: &mut Change, name: &str) -> Result<Label> {
    queries::find(change.tx(), name)
        .await?
        .ok_or_else(|| ApiError::not_found(&format!("label \"{}\"", access::shorten(name))))
}

/// List a prompt's labels
#[utoipa::path(get, path = "/prompts/{p}/labels", tag = "Labels", params(("p" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Labels and where they point", body = Envelope<Vec<PromptLabel>>)))]
pub async fn prompt_labels(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
) -> Result<Reply<Vec<PromptLabel>>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, &name, false).await?;
    let labels = queries::of_prompt(&mut tx, row.id).await?;
    tx.commit().await?;
    Ok(Reply::ok(labels))
}

/// What setting a label came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct LabelSet {
    /// The label.
    pub label: String,
    /// Where it points now; null: taken off.
    pub version: Option<i64>,
    /// Where it pointed before.
    pub previous_version: Option<i64>,
    /// The entity.
    pub prompt: Prompt,
}

/// Point a label at a version (roll back: at an older one)
#[utoipa::path(put, path = "/prompts/{p}/labels/{label}", tag = "Labels", request_body = SetLabel,
    params(("p" = String, Path, description = "Slug or id"), ("label" = String, Path, description = "The label")),
    responses((status = 200, description = "Set", body = Envelope<LabelSet>), (status = 403, description = "The label is protected"),
        (status = 404, description = "No such prompt, label or version")))]
pub async fn set_prompt_label(
    State(app): State<App>,
    caller: Allow<Publish>,
    Path((name, label)): Path<(String, String)>,
    Body(input): Body<SetLabel>,
) -> Result<Reply<LabelSet>> {
    let comment = blank_to_none(input.comment);
    let point = || point_label(&app, &caller, &name, &label, input.version, comment.as_deref());
    compiled_beside(point).await.map(Reply::ok)
}

async fn point_label(
    app: &App,
    caller: &Access,
    name: &str,
    label: &str,
    version_number: i64,
    comment: Option<&str>,
) -> Result<LabelSet> {
    let mut change = Change::begin(app, caller).await?;
    let row = access::editable(change.tx(), name).await?;
    super::moves::check_move(&mut change, caller, label, comment).await?;
    let Some(version) = versions::queries::by_number(change.tx(), row.id, version_number).await? else {
        return Err(ApiError::not_found(&format!("version {version_number}")));
    };
    includes::check(change.tx(), Some(&row.slug), &version.source).await?;
    let to = LabelMove {
        prompt: row.id,
        slug: &row.slug,
        label,
        version: version_number,
        comment,
        restored: false,
        is_new: false,
    };
    let moved = move_label(&mut change, to).await?;
    let prompt = read::entity(change.tx(), row, Can::of(caller)).await?;
    change.commit().await?;
    let label = label.to_owned();
    Ok(LabelSet { label, version: Some(version_number), previous_version: moved.previous, prompt })
}

/// Take a label off a prompt
///
/// Refused while other prompts include what the label delivers, unless forced: they could not be delivered any more.
#[utoipa::path(delete, path = "/prompts/{p}/labels/{label}", tag = "Labels",
    params(("p" = String, Path, description = "Slug or id"), ("label" = String, Path, description = "The label"),
        ("force" = Option<bool>, Query, description = "Even when other prompts include it by this label")),
    responses((status = 200, description = "Taken off", body = Envelope<LabelSet>), (status = 404, description = "It is not there"),
        (status = 409, description = "Other prompts include it by this label; `details.reasons` names them")))]
pub async fn remove_prompt_label(
    State(app): State<App>,
    caller: Allow<Publish>,
    Path((name, label)): Path<(String, String)>,
    params: Params,
) -> Result<Reply<LabelSet>> {
    let force = params.flag("force")?.unwrap_or(false);
    let mut change = Change::begin(&app, &caller).await?;
    let row = access::editable(change.tx(), &name).await?;
    super::moves::check_move(&mut change, &caller, &label, Some("removed")).await?;
    let moved = remove_label(&mut change, row.id, &row.slug, &label, force).await?;
    let prompt = read::entity(change.tx(), row, Can::of(&caller)).await?;
    change.commit().await?;
    Ok(Reply::ok(LabelSet { label, version: None, previous_version: moved.previous, prompt }))
}

/// History of one label of a prompt
#[utoipa::path(get, path = "/prompts/{p}/labels/{label}/history", tag = "Labels",
    params(("p" = String, Path, description = "Slug or id"), ("label" = String, Path, description = "The label"),
        ("page" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, description = "Moves, newest first", body = Envelope<Vec<HistoryEntry>>)))]
pub async fn label_history(
    State(app): State<App>,
    caller: Allow<Read>,
    Path((name, label)): Path<(String, String)>,
    params: Params,
) -> Result<Reply<Vec<HistoryEntry>>> {
    history(&app, &caller, &name, Some(&label), &params).await
}

/// History of all labels of a prompt
#[utoipa::path(get, path = "/prompts/{p}/history", tag = "Labels",
    params(("p" = String, Path, description = "Slug or id"), ("page" = Option<i64>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, description = "Moves, newest first", body = Envelope<Vec<HistoryEntry>>)))]
pub async fn prompt_history(
    State(app): State<App>,
    caller: Allow<Read>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<Vec<HistoryEntry>>> {
    history(&app, &caller, &name, None, &params).await
}

async fn history(
    app: &App,
    caller: &Access,
    name: &str,
    label: Option<&str>,
    params: &Params,
) -> Result<Reply<Vec<HistoryEntry>>> {
    let page = params.page()?;
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, name, false).await?;
    let (entries, total) = queries::history(&mut tx, row.id, label, page).await?;
    tx.commit().await?;
    Ok(Reply::ok(entries).paged(page, total))
}
