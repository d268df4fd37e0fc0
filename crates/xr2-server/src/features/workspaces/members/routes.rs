//! Routes of members.

use axum::extract::{Path, State};
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Allow, AllowPerson, Members, Own, Read};
use crate::error::Result;
use crate::features::workspaces::members::dto::{
    ChangedMember, Member, RemovedMember, TransferInput, Transferred, UpdateMember,
};
use crate::features::workspaces::members::{queries, service};
use crate::http::{Body, Envelope, Reply};
use crate::state::App;

/// List the members of a workspace
#[utoipa::path(get, path = "/{ws}/members", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Members in the order they came", body = Envelope<Vec<Member>>),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn list_members(State(app): State<App>, access: Allow<Read>) -> Result<Reply<Vec<Member>>> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let members = queries::members(&mut tx, access.workspace).await?;
    tx.commit().await?;
    Ok(Reply::ok(members))
}

/// Change what a member may do
///
/// Role and permissions. In force at once, for the API keys they have made and for open streams as well; the answer names
/// the keys that may do more or less from now on. Nobody grants more than they may do themselves, and a workspace keeps
/// at least one owner.
#[utoipa::path(put, path = "/{ws}/members/{user}", tag = "Workspaces", request_body = UpdateMember,
    params(("ws" = String, Path, description = "Slug or id"), ("user" = Uuid, Path, description = "The member")),
    responses((status = 200, description = "As they are now", body = Envelope<ChangedMember>),
        (status = 403, description = "Needs the right to manage members, and nobody grants more than they may"),
        (status = 404, description = "No such member"),
        (status = 409, description = "The last owner"),
        (status = 422, description = "Fields are not valid")))]
pub async fn update_member(
    State(app): State<App>,
    access: AllowPerson<Members>,
    Path(path): Path<(String, String)>,
    Body(input): Body<UpdateMember>,
) -> Result<Reply<ChangedMember>> {
    Ok(Reply::ok(service::update(&app, &access, parse(&path.1)?, input).await?))
}

/// Remove a member
///
/// Or leave, with one's own id. In force at once: API keys they have made are refused, open streams end, and invitations
/// they have made are taken back.
#[utoipa::path(delete, path = "/{ws}/members/{user}", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id"), ("user" = Uuid, Path, description = "The member")),
    responses((status = 200, description = "No member any more", body = Envelope<RemovedMember>),
        (status = 403, description = "Needs the right to manage members, and nobody removes anybody who may do more"),
        (status = 404, description = "No such member"),
        (status = 409, description = "The last owner")))]
pub async fn remove_member(
    State(app): State<App>,
    access: AllowPerson<Read>,
    Path(path): Path<(String, String)>,
) -> Result<Reply<RemovedMember>> {
    Ok(Reply::ok(service::remove(&app, &access, parse(&path.1)?).await?))
}

/// Hand a workspace over
///
/// Another member becomes owner, and the caller admin.
#[utoipa::path(post, path = "/{ws}/transfer", tag = "Workspaces", request_body = TransferInput,
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Handed over", body = Envelope<Transferred>),
        (status = 403, description = "Needs the owner"),
        (status = 404, description = "You are not a member of such a workspace"),
        (status = 422, description = "Not a member of the workspace, or oneself")))]
pub async fn transfer_workspace(
    State(app): State<App>,
    access: AllowPerson<Own>,
    Body(input): Body<TransferInput>,
) -> Result<Reply<Transferred>> {
    Ok(Reply::ok(service::transfer(&app, &access, input.user).await?))
}

fn parse(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| service::not_found())
}
