//! What routes of members take and give.

use serde::{Deserialize, Serialize};
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

/// Changes of what a member may do; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMember {
    /// Another role; permissions begin afresh unless they are given as well.
    pub role: Option<Role>,
    /// What they may do beyond, or short of, the role; replaces what there was.
    pub permissions: Option<Permissions>,
}

/// Who a workspace is handed over to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferInput {
    /// A member.
    pub user: Uuid,
}

/// A member whose role or permissions were changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedMember {
    /// As they are now.
    pub member: Member,
    /// API keys they have made that may do more or less from now on.
    pub affected_keys: Vec<AffectedKey>,
    /// Open invitations of theirs that were taken back, because they could not be made any more.
    pub revoked_invitations: i64,
}

/// Somebody who is no member any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedMember {
    /// Who.
    pub user: MemberUser,
    /// API keys they have made, which are refused from now on.
    pub affected_keys: Vec<AffectedKey>,
    /// Open invitations of theirs that were taken back.
    pub revoked_invitations: i64,
}

/// A workspace that was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transferred {
    /// Who owns it now.
    pub owner: Member,
    /// Who did.
    pub former_owner: Member,
}

/// An API key that may do more or less, because whoever has made it may.
#[derive(Debug, Serialize, ToSchema)]
pub struct AffectedKey {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Its last four.
    pub last4: String,
    /// What has become of it.
    pub effect: Effect,
    /// Rights that it has no more.
    #[schema(value_type = Vec<String>)]
    pub lost: Vec<&'static str>,
}

/// What has become of a key.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It is refused.
    Stopped,
    /// It may do less.
    Reduced,
    /// It may do more.
    Widened,
}
