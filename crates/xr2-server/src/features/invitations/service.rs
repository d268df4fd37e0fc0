//! Inviting people, and taking invitations back.

use axum::http::{HeaderValue, header};
use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Access, Right, Rights, Role};
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::accounts::Email;
use crate::features::invitations::dto::{Invitation, InviteInput, Invited};
use crate::features::invitations::model::{GOOD_FOR, Stored};
use crate::features::invitations::queries;
use crate::features::workspaces::standing;
use crate::state::App;

/// Invitations that a workspace makes in a day, so that nobody sends mail to the whole world from here.
const MOST_IN_A_DAY: i64 = 200;

/// The same one is not sent again sooner than this.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// What is settled or over is kept for so long.
const KEPT: TimeDelta = TimeDelta::days(90);

/// `POST …/members`
pub(super) async fn invite(app: &App, access: &Access, input: InviteInput) -> Result<Invited> {
    let wrong = || ApiError::invalid_field("email", "invalid", "must be an e-mail address");
    let email = Email::parse(&input.email).ok_or_else(wrong)?;
    let role = input.role.unwrap_or(Role::Viewer);
    refuse_member(app, access.workspace, &email).await?;
    let now = app.clock().now();
    let mut change = Change::begin(app, access).await?;
    may_grant(standing(change.tx(), access, Right::Members).await?, role)?;
    queries::forget(change.tx(), now - KEPT).await?;
    if let Some(open) = queries::open_for(change.tx(), &email.key).await? {
        if open.expires_at > now {
            return Err(invited_already(&open));
        }
        queries::revoke(change.tx(), open.id, now).await?;
    }
    if queries::count_since(change.tx(), now - TimeDelta::days(1)).await? >= MOST_IN_A_DAY {
        let message =
            format!("rate limit: {MOST_IN_A_DAY} people were invited to this workspace within a day.");
        return Err(too_soon(message, 3600));
    }
    let user = access.caller.user()?;
    let stored = Stored {
        id: app.clock().new_id(),
        workspace: access.workspace,
        email: email.text,
        email_key: email.key,
        role,
        invited_by: Some(user.id),
        inviter_name: user.name.clone(),
        created_at: now,
        sent_at: now,
        expires_at: now + GOOD_FOR,
        accepted_at: None,
        revoked_at: None,
    };
    let inserted = queries::insert(change.tx(), &stored, &stored.token_hash(app)).await;
    inserted.map_err(|error| match error.is_unique("email_key") || error.is_unique("invitations_open") {
        true => invited_already(&stored),
        false => error.into(),
    })?;
    change.record(
        NewEvent::new(EventType::InvitationCreated, resource(&stored)).after(json!({ "role": stored.role })),
    );
    change.commit().await?;
    Ok(shown(app, &stored))
}

/// Nobody lets anybody in who may do more than they.
fn may_grant(own: Rights, role: Role) -> Result<()> {
    if role.rights().is_within(own) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "You cannot invite anybody as {}, because that may do more than you.",
        role.as_str()
    )))
}

async fn refuse_member(app: &App, workspace: Uuid, email: &Email) -> Result<()> {
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let is_member = queries::is_member(&mut tx, workspace, &email.key).await?;
    tx.commit().await?;
    if is_member { Err(taken("There is a member with this address already.".into())) } else { Ok(()) }
}

fn invited_already(open: &Stored) -> ApiError {
    taken(format!("{} has been invited already. Send that invitation again, or take it back.", open.email))
}

fn taken(message: String) -> ApiError {
    let problem = FieldProblem::new("email", "taken", message.clone());
    ApiError::new(Code::Conflict, message).with_details(json!({ "errors": [problem] }))
}

fn too_soon(message: String, seconds: i64) -> ApiError {
    ApiError::new(Code::RateLimited, message).with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

fn resource(stored: &Stored) -> Resource {
    Resource::new("invitation", stored.id, &stored.email)
}

fn shown(app: &App, stored: &Stored) -> Invited {
    let invitation = Invitation::of(stored, app.clock().now());
    Invited { invitation, link: Some(stored.link(app)) }
}

/// `GET …/invitations`
pub(super) async fn list(app: &App, access: &Access) -> Result<Vec<Invitation>> {
    let now = app.clock().now();
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let open = queries::open(&mut tx).await?;
    tx.commit().await?;
    Ok(open.iter().map(|stored| Invitation::of(stored, now)).collect())
}

/// `POST …/invitations/{id}/resend`: the former link is of no use any more. It is the caller's invitation from now on.
pub(super) async fn resend(app: &App, access: &Access, id: Uuid) -> Result<Invited> {
    let now = app.clock().now();
    let user = access.caller.user()?;
    let mut change = Change::begin(app, access).await?;
    let own = standing(change.tx(), access, Right::Members).await?;
    let found = queries::find(change.tx(), id).await?.ok_or_else(not_found)?;
    if found.accepted_at.is_some() {
        return Err(ApiError::new(
            Code::Conflict,
            format!("{} has accepted this invitation already.", found.email),
        ));
    }
    if found.revoked_at.is_some() {
        return Err(not_found());
    }
    may_grant(own, found.role)?;
    let again_at = found.sent_at + PAUSE;
    if again_at > now {
        let seconds = (again_at - now).num_seconds() + 1;
        let message =
            format!("rate limit: this was sent just now. It can be sent again in {seconds} seconds.");
        return Err(too_soon(message, seconds));
    }
    let renewed = Stored {
        sent_at: now,
        expires_at: now + GOOD_FOR,
        invited_by: Some(user.id),
        inviter_name: user.name.clone(),
        ..found
    };
    if !queries::renew(change.tx(), &renewed, &renewed.token_hash(app)).await? {
        return Err(not_found());
    }
    change.record(NewEvent::new(EventType::InvitationSent, resource(&renewed)));
    change.commit().await?;
    Ok(shown(app, &renewed))
}

/// `DELETE …/invitations/{id}`
pub(super) async fn revoke(app: &App, access: &Access, id: Uuid) -> Result<Invitation> {
    let now = app.clock().now();
    let mut change = Change::begin(app, access).await?;
    standing(change.tx(), access, Right::Members).await?;
    let found = queries::find(change.tx(), id).await?.ok_or_else(not_found)?;
    if found.accepted_at.is_some() {
        let message =
            format!("{} has accepted this invitation already; remove the member instead.", found.email);
        return Err(ApiError::new(Code::Conflict, message));
    }
    if !queries::revoke(change.tx(), id, now).await? {
        return Err(not_found());
    }
    change.record(NewEvent::new(EventType::InvitationRevoked, resource(&found)));
    change.commit().await?;
    Ok(Invitation::of(&found, now))
}

pub(super) fn not_found() -> ApiError {
    ApiError::not_found("invitation")
}
