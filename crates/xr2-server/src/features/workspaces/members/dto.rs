//! What routes of members take and give.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Permissions, Role};
use crate::clock::Time;

/// A member of a workspace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Member {
    /// Who.
    pub user: MemberUser,
    /// As what.
    pub role: Role,
    /// What they may do beyond, or short of, that.
    pub permissions: Permissions,
    /// All that they may do.
    #[schema(value_type = Vec<String>, example = json!(["deliver", "read", "write", "publish"]))]
    pub rights: Vec<&'static str>,
    /// Since when.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub joined_at: Time,
    /// When they last used the dashboard, as far as they are signed in; to the minute.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen_at: Option<Time>,
}

/// A person, as other members see them.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
