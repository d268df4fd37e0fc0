//! Routes of workspaces. They stand under `/workspaces` and, the same again, under `/organizations`.

use axum::extract::State;
use uuid::Uuid;

use crate::auth::{Admin, Allow, Identity, Person, Read, Rights, SignedIn};
use crate::error::{ApiError, Result};
use crate::features::workspaces::dto::{CreateWorkspace, UpdateWorkspace};
use crate::features::workspaces::{Workspace, create, queries, update};
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// List the caller's workspaces
#[utoipa::path(get, path = "/", tag = "Workspaces", responses(
    (status = 200, description = "Where the person is a member, oldest first; the key's one workspace", body = Envelope<Vec<Workspace>>)))]
pub async fn list_workspaces(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
) -> Result<Reply<Vec<Workspace>>> {
    let workspaces = match &caller.identity {
        Identity::Session(user) => user.memberships.iter().map(Workspace::from).collect(),
        Identity::Key(key) => vec![of_key(&app, key.workspace, key.rights).await?],
        Identity::Internal(_) => Vec::new(),
    };
    Ok(Reply::ok(workspaces))
}

/// Make a workspace
///
/// The caller becomes its owner.
#[utoipa::path(post, path = "/", tag = "Workspaces", request_body = CreateWorkspace, responses(
    (status = 201, description = "Made", body = Envelope<Workspace>),
    (status = 403, description = "An API key cannot make workspaces"),
    (status = 409, description = "The slug is taken, or you own too many workspaces"),
    (status = 422, description = "Fields are not valid")))]
pub async fn create_workspace(
    State(app): State<App>,
    Person(caller): Person,
    Body(input): Body<CreateWorkspace>,
) -> Result<Reply<Workspace>> {
    Ok(Reply::created(create::create(&app, &caller, input).await?))
}

/// Show a workspace
#[utoipa::path(get, path = "/{ws}", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "The workspace", body = Envelope<Workspace>),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn get_workspace(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Workspace>> {
    let workspace = of_key(&app, access.workspace, access.rights).await?;
    Ok(Reply::ok(Workspace { role: access.role, ..workspace }))
}

/// Change a workspace
///
/// Its name, its slug, its rules.
#[utoipa::path(put, path = "/{ws}", tag = "Workspaces", request_body = UpdateWorkspace,
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "As it is now", body = Envelope<Workspace>),
        (status = 403, description = "Needs an admin"),
        (status = 404, description = "You are not a member of such a workspace"),
        (status = 409, description = "The slug is taken"),
        (status = 422, description = "Fields are not valid")))]
pub async fn update_workspace(
    State(app): State<App>,
    access: Allow<Admin>,
    Body(input): Body<UpdateWorkspace>,
) -> Result<Reply<Workspace>> {
    Ok(Reply::ok(update::update(&app, &access, input).await?))
}

/// The workspace of a key, which has no role in it.
pub async fn of_key(app: &App, workspace: Uuid, rights: Rights) -> Result<Workspace> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let found = queries::workspace(&mut tx).await?;
    tx.commit().await?;
    found.map(|found| found.seen_with(None, rights)).ok_or_else(|| ApiError::not_found("workspace"))
}
