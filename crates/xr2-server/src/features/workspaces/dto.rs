//! What routes of workspaces take and give.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Rights, Role};
use crate::clock::Time;
use crate::features::workspaces::{Membership, Settings};

/// A workspace about to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    /// Name.
    #[schema(min_length = 1, max_length = 100, example = "Acme")]
    pub name: String,
    /// Short name for addresses and headers; made from the name when absent.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", example = "acme")]
    pub slug: Option<String>,
}

/// Changes of a workspace; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspace {
    /// Name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Short name. Requests that name the workspace by its former one find nothing any more.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    pub slug: Option<String>,
    /// Rules.
    pub settings: Option<UpdateSettings>,
}

/// Changes of a workspace's rules; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSettings {
    /// Whoever moves a label has to say why.
    pub require_change_comment: Option<bool>,
}

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
    /// What the caller may do, by role and permissions; for an API key, by its scopes.
    #[schema(value_type = Vec<String>, example = json!(["deliver", "read", "write", "publish"]))]
    pub rights: Vec<&'static str>,
    /// Plan.
    #[schema(example = "self_hosted")]
    pub plan: String,
    /// Made together with an account.
    pub personal: bool,
    /// Rules.
    pub settings: Settings,
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
            rights: membership.rights().names(),
            plan: membership.plan.clone(),
            personal: membership.personal,
            settings: membership.settings,
            created_at: membership.created_at,
        }
    }
}

impl Workspace {
    /// As a caller sees it who may do this.
    pub fn seen_with(self, role: Option<Role>, rights: Rights) -> Workspace {
        Workspace { role, rights: rights.names(), ..self }
    }
}
