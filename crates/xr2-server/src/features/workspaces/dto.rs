//! What routes of workspaces give.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Role;
use crate::clock::Time;
use crate::features::workspaces::Membership;

/// A workspace, as the caller sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Workspace {
    /// Id.
    pub id: Uuid,
    /// Short name for addresses and headers.
    pub slug: String,
    /// Name.
    pub name: String,
    /// The caller's role; null for an API key.
    pub role: Option<Role>,
    /// Plan.
    #[schema(example = "self_hosted")]
    pub plan: String,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
}

impl From<&Membership> for Workspace {
    fn from(membership: &Membership) -> Workspace {
        Workspace {
            id: membership.workspace,
            slug: membership.slug.clone(),
            name: membership.name.clone(),
            role: Some(membership.role),
            plan: membership.plan.clone(),
            created_at: membership.created_at,
        }
    }
}

/// A member of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    /// Who.
    pub user: MemberUser,
    /// As what.
    pub role: Role,
    /// Since when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: Time,
}

/// A person, as other members see them.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberUser {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// An address of a picture.
    pub avatar_url: Option<String>,
}
