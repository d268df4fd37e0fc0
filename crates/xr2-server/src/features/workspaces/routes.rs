//! Routes of workspaces.

use axum::extract::State;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Access, Allow, Identity, Read, SignedIn};
use crate::error::{ApiError, Result};
use crate::features::workspaces::{Member, Workspace, queries};
use crate::http::{Envelope, Reply};
use crate::state::App;

/// List the caller's workspaces
#[utoipa::path(get, path = "/workspaces", tag = "Workspaces", responses(
    (status = 200, description = "Where the person is a member, oldest first; the key's one workspace", body = Envelope<Vec<Workspace>>)))]
pub async fn list_workspaces(
    State(app): State<App>,
    SignedIn(caller): SignedIn,
) -> Result<Reply<Vec<Workspace>>> {
    let workspaces = match &caller.identity {
        Identity::Session(user) => user.memberships.iter().map(Workspace::from).collect(),
        Identity::Key(key) => vec![of_key(&app, key.workspace).await?],
        Identity::Internal(_) => Vec::new(),
    };
    Ok(Reply::ok(workspaces))
}

/// Show a workspace
#[utoipa::path(get, path = "/workspaces/{ws}", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "The workspace", body = Envelope<Workspace>),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn get_workspace(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Workspace>> {
    show(&app, &access).await
}

/// List the members of a workspace
#[utoipa::path(get, path = "/workspaces/{ws}/members", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Members in the order they came", body = Envelope<Vec<Member>>),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn list_members(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Vec<Member>>> {
    show_members(&app, &access).await
}

/// List the caller's workspaces
///
/// The same as `/workspaces`.
#[utoipa::path(get, path = "/organizations", tag = "Workspaces", extensions(("x-internal" = json!(true))), responses(
    (status = 200, description = "As /workspaces", body = Envelope<Vec<Workspace>>)))]
pub async fn list_organizations(app: State<App>, caller: SignedIn) -> Result<Reply<Vec<Workspace>>> {
    list_workspaces(app, caller).await
}

/// Show a workspace
///
/// The same as `/workspaces/{ws}`.
#[utoipa::path(get, path = "/organizations/{ws}", tag = "Workspaces", extensions(("x-internal" = json!(true))),
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "As /workspaces/{ws}", body = Envelope<Workspace>)))]
pub async fn get_organization(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Workspace>> {
    show(&app, &access).await
}

/// List the members of a workspace
///
/// The same as `/workspaces/{ws}/members`.
#[utoipa::path(get, path = "/organizations/{ws}/members", tag = "Workspaces", extensions(("x-internal" = json!(true))),
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "As /workspaces/{ws}/members", body = Envelope<Vec<Member>>)))]
pub async fn list_organization_members(
    State(app): State<App>,
    access: Allow<Read>,
) -> Result<Reply<Vec<Member>>> {
    show_members(&app, &access).await
}

/// The workspace of a key, which has no role in it.
pub async fn of_key(app: &App, workspace: Uuid) -> Result<Workspace> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let found = queries::workspace(&mut tx).await?;
    tx.commit().await?;
    found.ok_or_else(|| ApiError::not_found("workspace"))
}

async fn show(app: &App, access: &Access) -> Result<Reply<Workspace>> {
    let workspace = of_key(app, access.workspace).await?;
    Ok(Reply::ok(Workspace { role: access.role, ..workspace }))
}

async fn show_members(app: &App, access: &Access) -> Result<Reply<Vec<Member>>> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let members = queries::members(&mut tx, access.workspace).await?;
    tx.commit().await?;
    Ok(Reply::ok(members))
}
