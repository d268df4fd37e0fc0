//! What a workspace is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Permissions, Rights, Role};
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
    /// Whether it was made together with an account.
    pub personal: bool,
    /// Its rules.
    pub settings: Settings,
    /// The member's role.
    pub role: Role,
    /// What the member may do beyond, or short of, that.
    pub permissions: Permissions,
    /// When the workspace was made.
    pub created_at: Time,
}

impl Membership {
    /// What the member may do.
    pub fn rights(&self) -> Rights {
        self.permissions.applied_to(self.role)
    }
}

/// Rules of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Settings {
    /// Whoever moves a label has to say why.
    pub require_change_comment: bool,
}
