//! What the routes take and give.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Time;
use crate::features::edge::model::{Edge, Kind, Target};

/// For how long caches keep a prompt unless said.
pub const DEFAULT_TTL: i64 = 60;

/// Edge mode as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutEdge {
    /// Whether shared caches may keep what publishable keys fetch.
    pub enabled: bool,
    /// Seconds that they may keep it without asking; default 60.
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub ttl_seconds: Option<i64>,
    /// Whom to tell when something changes; none: caches notice when their time is over.
    pub purge: Option<PutPurge>,
}

/// Whom to tell.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPurge {
    /// What it is.
    pub kind: Kind,
    /// Fastly's service id or Cloudflare's zone id.
    #[schema(max_length = 100)]
    pub service: Option<String>,
    /// The address to ask (`http`), or that of the provider's API when it is another one than usual.
    #[schema(max_length = 2000)]
    pub url: Option<String>,
    /// `PURGE` (default) or `POST`; for `http`.
    #[schema(max_length = 10)]
    pub method: Option<String>,
    /// The header that carries the keys, default `Surrogate-Key`; for `http`.
    #[schema(max_length = 100)]
    pub header: Option<String>,
    /// The token: Fastly's or Cloudflare's, or a whole `Authorization` header for `http`. It is never shown. Left out, the
    /// one before is kept, unless it would go elsewhere.
    #[schema(min_length = 1, max_length = 1000)]
    pub token: Option<String>,
}

/// Edge mode as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct EdgeSettings {
    /// Whether shared caches may keep what publishable keys fetch.
    pub enabled: bool,
    /// For how many seconds.
    pub ttl_seconds: i64,
    /// Whom to tell when something changes.
    pub purge: Option<PurgeSettings>,
}

/// Whom to tell, and how that goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct PurgeSettings {
    /// What it is.
    pub kind: Kind,
    /// Fastly's service id or Cloudflare's zone id.
    pub service: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The header that carries the keys.
    pub header: Option<String>,
    /// Whether there is a token.
    pub has_token: bool,
    /// The workspace's revision that caches were last told of.
    pub purged_revision: i64,
    /// When that was.
    #[serde(with = "crate::clock::micros::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub purged_at: Option<Time>,
    /// Attempts that failed since; it is tried again.
    pub failed_attempts: i64,
    /// Why the last one failed.
    pub last_error: Option<String>,
}

impl From<Option<Edge>> for EdgeSettings {
    fn from(edge: Option<Edge>) -> EdgeSettings {
        let Some(edge) = edge else {
            return EdgeSettings { enabled: false, ttl_seconds: DEFAULT_TTL, purge: None };
        };
        let has_token = edge.token.is_some();
        let purge = edge.target.map(|target| {
            let Target { kind, service, url, method, header } = target;
            PurgeSettings {
                kind,
                service,
                url,
                method,
                header,
                has_token,
                purged_revision: edge.purged_revision,
                purged_at: edge.purged_at,
                failed_attempts: edge.attempts,
                last_error: edge.last_error,
            }
        });
        EdgeSettings { enabled: edge.enabled, ttl_seconds: edge.ttl_seconds, purge }
    }
}
