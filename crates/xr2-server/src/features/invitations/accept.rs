//! Looking at an invitation with its link, and accepting it.

use serde_json::json;
use xr2_db::{Purpose, Tx};

use crate::auth::{Caller, Identity, token_hash};
use crate::clock::Time;
use crate::config::Registration;
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Actor, Change, EventType, NewEvent, Resource};
use crate::features::accounts::{self, Email, Newcomer, SessionUser, User};
use crate::features::invitations::dto::{AcceptInput, Accepted, OpenInvitation};
use crate::features::invitations::model::Stored;
use crate::features::invitations::queries;
use crate::features::invitations::service::not_found;
use crate::features::workspaces::{self, Workspace};
use crate::http::RequestContext;
use crate::state::App;

/// `GET /invitations/{token}`
pub(super) async fn look(app: &App, token: &str, context: &RequestContext) -> Result<OpenInvitation> {
    // Whoever tries tokens is turned away after some.
    let attempt = app.accounts().attempt(context, app.clock().now()).await?;
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let stored = find(&mut tx, &token_hash(token), app.clock().now()).await?;
    let workspace = queries::workspace(&mut tx, stored.workspace).await?.ok_or_else(not_found)?;
    let account_exists = accounts::has_account(&mut tx, &stored.email_key).await?;
    tx.commit().await?;
    attempt.forgive().await;
    Ok(OpenInvitation {
        workspace,
        invited_by: stored.inviter_name,
        email: stored.email,
        role: stored.role,
        account_exists,
        registration: app.config().registration(),
        expires_at: stored.expires_at,
    })
}

/// The invitation with this token, if it can be accepted.
async fn find(tx: &mut Tx, hash: &[u8; 32], now: Time) -> Result<Stored> {
    let stored = queries::by_token(tx, hash).await?.ok_or_else(not_found)?;
    if stored.accepted_at.is_some() {
        return Err(used());
    }
    if stored.revoked_at.is_some() {
        return Err(not_found());
    }
    if stored.expires_at <= now {
        let message =
            format!("invitation not found: it has expired. Ask {} to send it again.", stored.inviter_name);
        return Err(ApiError::new(Code::NotFound, message));
    }
    Ok(stored)
}

fn used() -> ApiError {
    ApiError::new(Code::Conflict, "This invitation has been used already. Sign in to open the workspace.")
}

/// `POST /invitations/{token}/accept`: by somebody who is signed in with the invited address, or by somebody new.
pub(super) async fn accept(
    app: &App,
    token: &str,
    caller: Option<Caller>,
    input: AcceptInput,
    context: &RequestContext,
) -> Result<Accepted> {
    let attempt = app.accounts().attempt(context, app.clock().now()).await?;
    let hash = token_hash(token);
    let mut tx = app.db().system(Purpose::Memberships).read().await?;
    let stored = find(&mut tx, &hash, app.clock().now()).await?;
    let account_exists = accounts::has_account(&mut tx, &stored.email_key).await?;
    tx.commit().await?;
    let who = match caller.map(|caller| caller.identity) {
        Some(Identity::Session(user)) => {
            refuse_others(&user, &stored)?;
            Who::Known(user)
        }
        Some(_) => {
            let message = "An API key cannot accept an invitation; whoever is invited has to sign in.";
            return Err(ApiError::forbidden(message));
        }
        None if account_exists => {
            let message =
                format!("There is an account with the address {}. Sign in, then accept.", stored.email);
            return Err(ApiError::unauthenticated(message));
        }
        None => Who::New(newcomer(app, &stored, input).await?),
    };
    attempt.forgive().await;
    join(app, &stored, &hash, who, context).await
}

/// An invitation that was passed on is nobody else's.
fn refuse_others(user: &SessionUser, stored: &Stored) -> Result<()> {
    if Email::parse(&user.email).is_some_and(|email| email.key == stored.email_key) {
        return Ok(());
    }
    let (invited, present) = (&stored.email, &user.email);
    Err(ApiError::forbidden(format!(
        "This invitation is for {invited}, and you are signed in as {present}. Sign in with that address, or ask to be \
         invited with yours."
    )))
}

async fn newcomer(app: &App, stored: &Stored, input: AcceptInput) -> Result<Newcomer> {
    if app.config().registration() == Registration::Closed {
        let message = "Registration is closed on this server, for invited people as well. Ask its operator for an account.";
        return Err(ApiError::forbidden(message));
    }
    match (input.name, input.password) {
        (Some(name), Some(password)) => Newcomer::check(app, &stored.email, &name, &password).await,
        (None, None) => Err(ApiError::unauthenticated(
            "Sign in to accept this invitation, or choose a name and a password.",
        )),
        (name, _) => {
            let field = if name.is_none() { "name" } else { "password" };
            let problem = FieldProblem::new(field, "required", "is required to make an account");
            Err(ApiError::validation(vec![problem]))
        }
    }
}

/// Who accepts.
enum Who {
    Known(std::sync::Arc<SessionUser>),
    New(Newcomer),
}

/// Uses the invitation up and lets them in: both or neither.
async fn join(
    app: &App,
    stored: &Stored,
    hash: &[u8; 32],
    who: Who,
    context: &RequestContext,
) -> Result<Accepted> {
    let now = app.clock().now();
    let mut tx = app.db().system(Purpose::Memberships).write().await?;
    if !queries::accept(&mut tx, stored.id, hash, now).await? {
        // Somebody was quicker: with it, or in taking it back.
        find(&mut tx, hash, now).await?;
        return Err(used());
    }
    let (user, token): (User, Option<String>) = match who {
        Who::Known(user) => (User::from(&*user), None),
        Who::New(newcomer) => {
            let (user, token) = newcomer.enter(app, &mut tx, context).await?;
            (user, Some(token))
        }
    };
    let tx = tx.in_workspace(stored.workspace).await?;
    let mut change = Change::begin_in(app, tx, Actor::user(user.id, &user.name), context.clone());
    let joined = workspaces::insert_member(change.tx(), user.id, stored.role, now).await;
    joined.map_err(|error| match error.is_unique("memberships") {
        true => ApiError::new(Code::Conflict, "You are a member of this workspace already."),
        false => error.into(),
    })?;
    let memberships = workspaces::memberships_of(change.tx(), user.id).await?;
    let joined = memberships.iter().find(|membership| membership.workspace == stored.workspace);
    let workspace = joined.map(Workspace::from).ok_or_else(|| ApiError::internal("a new member is gone"))?;
    let resource = || Resource::new("user", user.id, &user.name);
    if token.is_some() {
        change
            .record(NewEvent::new(EventType::UserRegistered, resource()).after(json!({ "operator": false })));
    }
    change.record(
        NewEvent::new(EventType::MemberAdded, resource())
            .after(json!({ "role": stored.role, "invited_by": stored.invited_by })),
    );
    change.commit().await?;
    Ok(Accepted { user, workspace, token })
}
