//! Routes of invitations. Those of a workspace stand under `/workspaces` and, the same again, under `/organizations`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use uuid::Uuid;

use crate::auth::{AllowPerson, Members, SignedIn, refuse_other_sites};
use crate::error::{ApiError, Code, Result};
use crate::features::accounts::session_cookie;
use crate::features::invitations::dto::{
    AcceptInput, Accepted, Invitation, InviteInput, Invited, OpenInvitation,
};
use crate::features::invitations::service::not_found;
use crate::features::invitations::{accept, service};
use crate::http::{Body, Envelope, Reply, RequestContext};
use crate::state::App;

/// Invite somebody
///
/// By e-mail address, as viewer unless said. The invitation can be accepted once, within 7 days, and by nobody else. When
/// this server sends no mail, the answer holds the link to be passed on.
#[utoipa::path(post, path = "/{ws}/members", tag = "Workspaces", request_body = InviteInput,
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 201, description = "Invited", body = Envelope<Invited>),
        (status = 403, description = "Needs the right to manage members, and nobody invites anybody who may do more than they"),
        (status = 404, description = "You are not a member of such a workspace"),
        (status = 409, description = "A member or invited already"),
        (status = 422, description = "Fields are not valid"),
        (status = 429, description = "Too many invitations within a day")))]
pub async fn invite_member(
    State(app): State<App>,
    access: AllowPerson<Members>,
    Body(input): Body<InviteInput>,
) -> Result<Reply<Invited>> {
    Ok(Reply::created(service::invite(&app, &access, input).await?))
}

/// List open invitations
///
/// The latest first, expired ones included.
#[utoipa::path(get, path = "/{ws}/invitations", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id")),
    responses((status = 200, description = "Invitations that nobody has accepted", body = Envelope<Vec<Invitation>>),
        (status = 403, description = "Needs the right to manage members"),
        (status = 404, description = "You are not a member of such a workspace")))]
pub async fn list_invitations(
    State(app): State<App>,
    access: AllowPerson<Members>,
) -> Result<Reply<Vec<Invitation>>> {
    Ok(Reply::ok(service::list(&app, &access).await?))
}

/// Take an invitation back
#[utoipa::path(delete, path = "/{ws}/invitations/{id}", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id"), ("id" = Uuid, Path, description = "The invitation")),
    responses((status = 200, description = "Its link is of no use any more", body = Envelope<Invitation>),
        (status = 404, description = "No such invitation"),
        (status = 409, description = "Accepted already")))]
pub async fn revoke_invitation(
    State(app): State<App>,
    access: AllowPerson<Members>,
    Path(path): Path<(String, String)>,
) -> Result<Reply<Invitation>> {
    Ok(Reply::ok(service::revoke(&app, &access, parse(&path.1)?).await?))
}

/// Send an invitation again
///
/// With a new link and another 7 days; the former link is of no use any more.
#[utoipa::path(post, path = "/{ws}/invitations/{id}/resend", tag = "Workspaces",
    params(("ws" = String, Path, description = "Slug or id"), ("id" = Uuid, Path, description = "The invitation")),
    responses((status = 200, description = "Sent", body = Envelope<Invited>),
        (status = 404, description = "No such invitation"),
        (status = 409, description = "Accepted already"),
        (status = 429, description = "Sent less than a minute ago")))]
pub async fn resend_invitation(
    State(app): State<App>,
    access: AllowPerson<Members>,
    Path(path): Path<(String, String)>,
) -> Result<Reply<Invited>> {
    Ok(Reply::ok(service::resend(&app, &access, parse(&path.1)?).await?))
}

/// Look at an invitation
///
/// With the token of its link; nobody has to be signed in.
#[utoipa::path(get, path = "/invitations/{token}", tag = "Accounts", security(()),
    params(("token" = String, Path, description = "From the link")),
    responses((status = 200, description = "It can be accepted", body = Envelope<OpenInvitation>),
        (status = 404, description = "Not an invitation, taken back, or expired"),
        (status = 409, description = "Used already"),
        (status = 429, description = "Too many attempts from this network")))]
pub async fn show_invitation(
    State(app): State<App>,
    context: RequestContext,
    Path(token): Path<String>,
) -> Result<Reply<OpenInvitation>> {
    Ok(Reply::ok(accept::look(&app, &token, &context).await?))
}

/// Accept an invitation
///
/// Signed in with the invited address; or, where nobody has an account with it, with a name and a password, which makes
/// one and signs in.
#[utoipa::path(post, path = "/invitations/{token}/accept", tag = "Accounts", request_body = AcceptInput,
    params(("token" = String, Path, description = "From the link")),
    security((), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "Joined", body = Envelope<Accepted>),
        (status = 201, description = "Account made and joined", body = Envelope<Accepted>),
        (status = 401, description = "There is an account with that address: sign in first"),
        (status = 403, description = "The invitation is for another address, or registration is closed"),
        (status = 404, description = "Not an invitation, taken back, or expired"),
        (status = 409, description = "Used already, or a member already"),
        (status = 422, description = "Fields are not valid"),
        (status = 429, description = "Too many attempts from this network")))]
pub async fn accept_invitation(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
    Path(token): Path<String>,
    caller: Result<SignedIn, ApiError>,
    Body(input): Body<AcceptInput>,
) -> Result<Reply<Accepted>> {
    refuse_other_sites(&headers, &app.config().public_url)?;
    let caller = match caller {
        Ok(SignedIn(caller)) => Some(caller),
        // A session that has ended is none.
        Err(error) if error.code == Code::Unauthenticated => None,
        Err(error) => return Err(error),
    };
    let accepted = accept::accept(&app, &token, caller, input, &context).await?;
    match &accepted.token {
        None => Ok(Reply::ok(accepted)),
        Some(token) => {
            let cookie = session_cookie(&app, token, context.secure)?;
            Ok(Reply::created(accepted).header(header::SET_COOKIE, cookie))
        }
    }
}

fn parse(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| not_found())
}
