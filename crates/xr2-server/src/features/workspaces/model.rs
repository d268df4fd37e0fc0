//! What a workspace is.

use uuid::Uuid;

use crate::auth::Role;
use crate::clock::Time;

/// A workspace as one of its members sees it.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The workspace's id.
    pub workspace: Uuid,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its plan.
    pub plan: String,
    /// The member's role.
    pub role: Role,
    /// When the workspace was made.
    pub created_at: Time,
}
