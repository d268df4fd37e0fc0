//! What a workspace has set.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Time;

/// Whom purges are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Fastly, by surrogate key.
    Fastly,
    /// Cloudflare, by cache tag.
    Cloudflare,
    /// Any cache that takes a request with the keys in a header, such as Varnish with xkey.
    Http,
}

/// Where purges go, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What it is.
    pub kind: Kind,
    /// Fastly's service or Cloudflare's zone.
    pub service: Option<String>,
    /// The address; none: the provider's own.
    pub url: Option<String>,
    /// The method (HTTP).
    pub method: Option<String>,
    /// The header that carries the keys (HTTP).
    pub header: Option<String>,
}

/// A workspace's edge mode, as stored.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Whether caches may keep anything.
    pub enabled: bool,
    /// For how long.
    pub ttl_seconds: i64,
    /// Whom to tell of changes.
    pub target: Option<Target>,
    /// The sealed token.
    pub token: Option<Vec<u8>>,
    /// Revision up to which caches were told.
    pub purged_revision: i64,
    /// Attempts that failed since.
    pub attempts: i64,
    /// Why the last one did.
    pub last_error: Option<String>,
    /// When caches were last told.
    pub purged_at: Option<Time>,
}

/// What happened, as far as caches care.
#[derive(Debug, Clone)]
pub struct Happened {
    /// Type of event.
    pub kind: String,
    /// Sort of resource.
    pub resource_type: String,
    /// Its id.
    pub resource_id: Option<uuid::Uuid>,
    /// Its name.
    pub resource_name: Option<String>,
    /// How it is now.
    pub after: Option<serde_json::Value>,
}
