//! What routes of API keys take and give.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Scope;
use crate::clock::Time;
use crate::events::Actor;
use crate::features::api_keys::KeyKind;

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for, for people to read.
    #[schema(min_length = 1, max_length = 100, example = "Shop, production")]
    pub name: String,
    /// `secret` (default) stays on servers; `publishable` may stand in a web page.
    pub kind: Option<KeyKind>,
    /// What it may do; default `["deliver"]`, and nothing else for a publishable key. No wider than the maker.
    #[schema(max_items = 5)]
    pub scopes: Option<Vec<Scope>>,
    /// Labels it is confined to, such as `["production"]`; none: all.
    #[schema(max_items = 50)]
    pub labels: Option<Vec<String>>,
    /// Addresses or networks it may be used from, such as `["203.0.113.0/24"]`; none: all.
    #[schema(max_items = 100)]
    pub allowed_ips: Option<Vec<String>>,
    /// Origins whose pages may use a publishable key, such as `["https://www.example.com"]`.
    #[schema(max_items = 50)]
    pub allowed_origins: Option<Vec<String>>,
    /// When it ends by itself; default never.
    #[serde(default, with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Time>,
    /// Requests in any sixty seconds, on all nodes together; default `limits.requests_per_key`.
    #[schema(minimum = 1, maximum = 100_000_000)]
    pub rate_limit_per_minute: Option<i64>,
}

/// How a key is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Seconds that the old key goes on working; default a day, at most thirty.
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub overlap_seconds: Option<i64>,
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApiKey {
    /// Id.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// Secret or publishable.
    pub kind: KeyKind,
    /// Its first 12 characters.
    pub prefix: String,
    /// Its last 4 characters.
    pub last4: String,
    /// What it may do at most; its maker's present role cuts that down.
    pub scopes: Vec<Scope>,
    /// Labels it is confined to; empty: all.
    pub labels: Vec<String>,
    /// Addresses and networks it may be used from; empty: all.
    pub allowed_ips: Vec<String>,
    /// Origins whose pages may use it.
    pub allowed_origins: Vec<String>,
    /// When it ends by itself.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Time>,
    /// Requests in any sixty seconds; null: no limit.
    pub rate_limit_per_minute: Option<i64>,
    /// Who made it.
    pub created_by: Actor,
    /// When made.
    #[serde(with = "crate::clock::micros")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// When last used, to a second or two.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Time>,
    /// When it was revoked.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Time>,
    /// Whether it can be used.
    pub status: KeyStatus,
    /// The key that takes its place.
    pub replaced_by: Option<Uuid>,
}

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyStatus {
    /// Yes.
    Active,
    /// Yes, until the overlap with the key that replaces it is over.
    Expiring,
    /// No: its time is over.
    Expired,
    /// No: it was revoked.
    Revoked,
}

impl KeyStatus {
    pub(super) fn of(revoked: bool, expires_at: Option<Time>, replaced: bool, now: Time) -> KeyStatus {
        if revoked {
            KeyStatus::Revoked
        } else if expires_at.is_some_and(|end| end <= now) {
            KeyStatus::Expired
        } else if replaced {
            KeyStatus::Expiring
        } else {
            KeyStatus::Active
        }
    }
}

/// A key just made. This is the only time that its secret is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyWithSecret {
    #[serde(flatten)]
    pub(super) api_key: ApiKey,
    /// The whole key. Keep it now: it cannot be shown again.
    #[schema(example = "xr2_…")]
    pub(super) key: String,
}
