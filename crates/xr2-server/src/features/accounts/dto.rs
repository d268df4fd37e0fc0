//! What routes of accounts take and give.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::Time;
use crate::config::Registration;
use crate::features::accounts::SessionUser;
use crate::features::api_keys::ApiKey;
use crate::features::workspaces::Workspace;

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterInput {
    /// E-mail address; also the name to sign in with.
    #[schema(min_length = 1, max_length = 254, example = "ann@example.com")]
    pub email: String,
    /// At least 10 characters.
    #[schema(min_length = 10, max_length = 256, format = Password)]
    pub password: String,
    /// What others see.
    #[schema(min_length = 1, max_length = 100, example = "Ann Example")]
    pub name: String,
    /// From the set-up link that an empty server prints; makes the first account, the operator's.
    #[schema(max_length = 200)]
    pub setup_token: Option<String>,
}

/// A sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginInput {
    /// E-mail address.
    #[schema(min_length = 1, max_length = 1000, example = "ann@example.com")]
    pub email: String,
    /// Password.
    #[schema(max_length = 1000, format = Password)]
    pub password: String,
}

/// Changes of one's own profile; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileInput {
    /// What others see.
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// An https address of a picture; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2048)]
    pub avatar_url: Option<Option<String>>,
    /// What the dashboard remembers for this person: a JSON object of at most 16 KiB.
    #[schema(value_type = Option<Object>)]
    pub preferences: Option<Map<String, Value>>,
}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordInput {
    /// The present one.
    #[schema(max_length = 1000, format = Password)]
    pub current_password: String,
    /// The new one, at least 10 characters.
    #[schema(min_length = 10, max_length = 256, format = Password)]
    pub new_password: String,
}

/// A person, as they see themselves.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    /// Id.
    pub id: Uuid,
    /// E-mail address as entered.
    pub email: String,
    /// What others see.
    pub name: String,
    /// An address of a picture.
    pub avatar_url: Option<String>,
    /// What the dashboard remembers for them.
    #[schema(value_type = Object)]
    pub preferences: Value,
    /// Runs this server.
    pub is_operator: bool,
    /// When registered.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When the profile last changed.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Time,
}

impl From<&SessionUser> for User {
    fn from(user: &SessionUser) -> User {
        User {
            id: user.id,
            email: user.email.clone(),
            name: user.name.clone(),
            avatar_url: user.avatar_url.clone(),
            preferences: user.preferences.clone(),
            is_operator: user.is_operator,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// Answer to a registration.
#[derive(Serialize, ToSchema)]
pub struct Registered {
    /// The new account.
    pub user: User,
    /// Its personal workspace.
    pub workspace: Workspace,
    /// Session token (`xr2s_…`) for clients without cookies; shown only here.
    pub token: String,
}

/// Answer to a sign-in.
#[derive(Serialize, ToSchema)]
pub struct SignedInAnswer {
    /// Who signed in.
    pub user: User,
    /// Where they are a member, oldest first.
    pub workspaces: Vec<Workspace>,
    /// Session token (`xr2s_…`) for clients without cookies; shown only here.
    pub token: String,
}

/// Whose credential it is.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// `session` or `api_key`.
    pub kind: MeKind,
    /// The signed-in person.
    pub user: Option<User>,
    /// Where they are a member; the key's one workspace.
    pub workspaces: Vec<Workspace>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

/// Sort of credential.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeKind {
    /// A signed-in person.
    Session,
    /// An API key.
    ApiKey,
}

/// Somebody's profile.
#[derive(Serialize, ToSchema)]
pub struct Profile {
    /// The person.
    pub user: User,
}

/// What a sign-in page needs to know.
#[derive(Serialize, ToSchema)]
pub struct AuthStatus {
    /// Nobody has an account yet: the set-up link makes the first one.
    pub setup_required: bool,
    /// Who may register.
    pub registration: Registration,
    /// The server shows the demo workspace.
    pub demo: bool,
    /// The server's version.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// The address people use, when the operator has set one.
    pub public_url: Option<String>,
}

/// A sign-in that is still good.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Id.
    pub id: Uuid,
    /// When signed in.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When last used, to the minute.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Time,
    /// When it ends if it is not used again.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
    /// Network address of the sign-in.
    pub address: Option<String>,
    /// Program of the sign-in.
    pub user_agent: Option<String>,
    /// The one that asks.
    pub current: bool,
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub struct RevokedSessions {
    /// How many.
    pub revoked: u64,
}

/// Nothing more to say.
#[derive(Serialize, ToSchema)]
pub struct Done {}
