//! Sessions of signed-in people.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::features::accounts::queries;
use crate::features::workspaces::{self, Membership};
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
    app.last_used().session(user.session, last_used_at, now);
    Ok(Arc::new(user))
}
