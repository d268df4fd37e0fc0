//! Sessions of signed-in people.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;
use xr2_db::{Purpose, Tx};

use crate::auth::{Caller, random_token, token_hash};
use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::events::{EventType, NewEvent, Resource, append_instance_event_in};
use crate::features::accounts::dto::Session;
use crate::features::accounts::queries::{self, NewSession};
use crate::features::workspaces::{self, Membership};
use crate::http::RequestContext;
use crate::state::App;

/// A signed-in person and where they are a member.
#[derive(Debug, Clone)]
pub struct SessionUser {
    /// The session.
    pub session: Uuid,
    /// The user.
    pub id: Uuid,
    /// E-mail address as entered.
    pub email: String,
    /// Name.
    pub name: String,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// What the dashboard remembers for them.
    pub preferences: Value,
    /// Runs this server.
    pub is_operator: bool,
    /// When registered.
    pub created_at: Time,
    /// When the profile last changed.
    pub updated_at: Time,
    /// Workspaces, oldest first.
    pub memberships: Vec<Membership>,
    /// Whether this very use extends the session.
    pub extends: bool,
}

/// Finds the live session with this token hash.
pub async fn authenticate(app: &App, token_hash: &[u8; 32]) -> Result<Arc<SessionUser>> {
    let now = app.clock().now();
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let found = queries::session_user(&mut tx, token_hash, now).await?;
    let Some((mut user, last_used_at)) = found else {
        return Err(ApiError::unauthenticated("You are signed out. Please sign in again."));
    };
    user.memberships = workspaces::memberships_of(&mut tx, user.id).await?;
    tx.commit().await?;
    user.extends = app.last_used().session(user.session, last_used_at, now);
    Ok(Arc::new(user))
}

/// Opens a session in the transaction of what led to it, and returns its token: 256 random bits, of which only the
/// hash is stored.
pub(super) async fn open(app: &App, tx: &mut Tx, user: Uuid, context: &RequestContext) -> Result<String> {
    let token = format!("xr2s_{}", random_token(32));
    let now = app.clock().now();
    let session = NewSession {
        id: app.clock().new_id(),
        user,
        token_hash: token_hash(&token),
        address: context.address.map(|address| address.to_string()),
        user_agent: context.user_agent.as_deref().map(str::to_owned),
        now,
        expires_at: now + app.config().session_lifetime(),
    };
    queries::insert_session(tx, session).await?;
    Ok(token)
}

/// The caller's live sessions.
pub(super) async fn list(app: &App, user: &SessionUser) -> Result<Vec<Session>> {
    let mut tx = app.db().system(Purpose::Accounts).read().await?;
    let mut sessions = queries::sessions_of(&mut tx, user.id, app.clock().now()).await?;
    tx.commit().await?;
    for session in &mut sessions {
        session.current = session.id == user.session;
    }
    Ok(sessions)
}

/// Ends one of the caller's sessions.
pub(super) async fn revoke(app: &App, caller: &Caller, session: Uuid) -> Result<()> {
    let user = caller.user()?;
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    if !queries::delete_session(&mut tx, user.id, session).await? {
        return Err(ApiError::not_found("session"));
    }
    note_revoked(app, &mut tx, caller, session).await?;
    Ok(tx.commit().await?)
}

/// Ends all of the caller's sessions but the one that asks, and tells how many.
pub(super) async fn revoke_others(app: &App, caller: &Caller) -> Result<u64> {
    let user = caller.user()?;
    let mut tx = app.db().system(Purpose::Accounts).write().await?;
    let mut others = queries::sessions_of(&mut tx, user.id, app.clock().now()).await?;
    others.retain(|session| session.id != user.session);
    queries::delete_sessions_but(&mut tx, user.id, Some(user.session)).await?;
    for session in &others {
        note_revoked(app, &mut tx, caller, session.id).await?;
    }
    tx.commit().await?;
    Ok(others.len() as u64)
}

async fn note_revoked(app: &App, tx: &mut Tx, caller: &Caller, session: Uuid) -> Result<()> {
    let name = &caller.user()?.name;
    let event = NewEvent::new(EventType::SessionRevoked, Resource::new("session", session, name));
    append_instance_event_in(tx, app.clock(), &caller.actor(), &caller.context, &event).await?;
    Ok(())
}
