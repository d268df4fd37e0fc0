//! What routes of invitations take and give.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Role;
use crate::clock::Time;
use crate::config::Registration;
use crate::features::accounts::User;
use crate::features::invitations::model::Stored;
use crate::features::workspaces::Workspace;

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteInput {
    /// E-mail address.
    #[schema(min_length = 1, max_length = 254, example = "ann@example.com")]
    pub email: String,
    /// As what; nobody invites anybody who may do more than they. Absent: viewer.
    pub role: Option<Role>,
}

/// Who opens an account with an invitation; empty for those who are signed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInput {
    /// What others see.
    #[schema(min_length = 1, max_length = 100, example = "Ann Example")]
    pub name: Option<String>,
    /// At least 10 characters.
    #[schema(min_length = 10, max_length = 256, format = Password)]
    pub password: Option<String>,
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Id.
    pub id: Uuid,
    /// Who is invited.
    pub email: String,
    /// As what.
    pub role: Role,
    /// By whom.
    pub invited_by: Inviter,
    /// When first invited.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When the link was last made; former links are of no use.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub sent_at: Time,
    /// Until when it can be accepted.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// Whether that is over.
    pub expired: bool,
}

/// Who has invited somebody.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inviter {
    /// Id; null when the account is gone.
    pub id: Option<Uuid>,
    /// Name then.
    pub name: String,
}

impl Invitation {
    pub(super) fn of(stored: &Stored, now: Time) -> Invitation {
        Invitation {
            id: stored.id,
            email: stored.email.clone(),
            role: stored.role,
            invited_by: Inviter { id: stored.invited_by, name: stored.inviter_name.clone() },
            created_at: stored.created_at,
            sent_at: stored.sent_at,
            expires_at: stored.expires_at,
            expired: stored.expires_at <= now,
        }
    }
}

/// An invitation that was just made or sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The link to be passed on to whoever is invited, when this server sends no mail; shown only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// What whoever holds a link sees of the invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenInvitation {
    /// Where to.
    pub workspace: InvitingWorkspace,
    /// Name of who has invited.
    pub invited_by: String,
    /// Who is invited: nobody else can accept it.
    pub email: String,
    /// As what.
    pub role: Role,
    /// Whether there is an account with that address. If so, sign in; else choose name and password.
    pub account_exists: bool,
    /// Whether accounts can be made on this server at all (`closed`: no).
    pub registration: Registration,
    /// Until when it can be accepted.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

/// The workspace of an invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitingWorkspace {
    /// Name.
    pub name: String,
    /// Short name.
    pub slug: String,
}

/// Answer to an accepted invitation.
#[derive(Serialize, ToSchema)]
pub struct Accepted {
    /// Who has joined.
    pub user: User,
    /// What they have joined.
    pub workspace: Workspace,
    /// Session token (`xr2s_…`) of a new account, for clients without cookies; shown only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
