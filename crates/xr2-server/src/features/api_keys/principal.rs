//! From the key that a request carries to who that is. In memory when warm: no SQL, no lock that writers hold.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use ipnet::IpNet;
use quick_cache::sync::Cache;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::{Right, Rights, token_hash};
use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::events::{Listener, Notice};
use crate::features::api_keys::{KeyKind, is_well_formed, queries};
use crate::http::RequestContext;
use crate::last_used::KeyStamp;
use crate::state::App;

/// Keys kept in memory.
const CACHED_KEYS: usize = 100_000;

/// A key that may be used.
#[derive(Debug, Clone)]
pub struct KeyPrincipal {
    /// The key's id.
    pub id: Uuid,
    /// Its workspace.
    pub workspace: Uuid,
    /// The workspace's slug.
    pub workspace_slug: String,
    /// Its name.
    pub name: String,
    /// Secret or publishable.
    pub kind: KeyKind,
    /// Scopes ∩ the maker's present role.
    pub rights: Rights,
    /// Labels it is confined to; empty: all.
    pub labels: Vec<String>,
    /// Addresses it may come from; empty: all.
    pub allowed_ips: Vec<IpNet>,
    /// Origins whose pages may use it (publishable).
    pub allowed_origins: Vec<String>,
    /// Its own limit.
    pub rate_limit_per_minute: Option<i64>,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When it was last used.
    pub stamp: Arc<KeyStamp>,
}

/// Keys in memory, dropped by events.
pub struct KeyCache {
    keys: Cache<[u8; 32], Arc<KeyPrincipal>>,
    /// Counts invalidations, so that a fill that began before one is not kept.
    epoch: std::sync::atomic::AtomicU64,
}

impl KeyCache {
    pub(crate) fn new() -> KeyCache {
        KeyCache { keys: Cache::new(CACHED_KEYS), epoch: Default::default() }
    }
}

impl Listener for KeyCache {
    fn invalidate(&self, notice: &Notice) {
        let concerns_keys =
            ["api_key.", "member.", "workspace."].iter().any(|prefix| notice.kind.starts_with(prefix));
        if concerns_keys {
            self.epoch.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            self.keys.retain(|_, key| key.workspace != notice.workspace);
        }
    }

    fn in_order(&self, _: &Notice) {}
}

/// Finds the key and checks that it may be used from here, now.
pub async fn authenticate(
    app: &App,
    text: &str,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<Arc<KeyPrincipal>> {
    if !is_well_formed(text) {
        return Err(ApiError::unauthenticated(
            "This is not a valid xr2 API key; it may have been cut or mistyped.",
        ));
    }
    let hash = token_hash(text);
    let cache = app.keys();
    let key = match cache.keys.get(&hash) {
        Some(key) => key,
        None => load(app, hash).await?,
    };
    let now = app.clock().now();
    check(&key, now, context.address, headers)?;
    app.last_used().key(&key.stamp, now);
    Ok(key)
}

/// The key, if it is in memory and nothing about it asks for a closer look: it is secret, may be used from anywhere
/// and as often as anybody likes.
pub fn known(app: &App, text: &str) -> Option<Arc<KeyPrincipal>> {
    let key = app.keys().keys.get(&token_hash(text))?;
    let is_plain = key.kind == KeyKind::Secret && key.allowed_ips.is_empty() && key.rate_limit_per_minute.is_none();
    let now = app.clock().now();
    if !is_plain || key.expires_at.is_some_and(|end| end <= now) || !key.rights.has(Right::Deliver) {
        return None;
    }
    app.last_used().key(&key.stamp, now);
    Some(key)
}

async fn load(app: &App, hash: [u8; 32]) -> Result<Arc<KeyPrincipal>> {
    let cache = app.keys();
    let epoch = cache.epoch.load(std::sync::atomic::Ordering::SeqCst);
    let mut tx = app.db().system(Purpose::KeyLookup).read().await?;
    let found = queries::principal(&mut tx, &hash).await?;
    tx.commit().await?;
    let Some(key) = found else {
        return Err(ApiError::unauthenticated("This API key is unknown or has been revoked."));
    };
    let key = Arc::new(key);
    cache.keys.insert(hash, key.clone());
    if cache.epoch.load(std::sync::atomic::Ordering::SeqCst) != epoch {
        // Something changed while we read: what we hold may be old, so the next request reads again.
        cache.keys.remove(&hash);
    }
    Ok(key)
}

fn check(key: &KeyPrincipal, now: Time, address: Option<IpAddr>, headers: &HeaderMap) -> Result<()> {
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiError::unauthenticated("This API key has expired."));
    }
    if !key.allowed_ips.is_empty()
        && !address.is_some_and(|address| key.allowed_ips.iter().any(|network| network.contains(&address)))
    {
        return Err(ApiError::forbidden("This API key may not be used from your network address."));
    }
    if !key.rights.has(Right::Deliver) {
        return Err(ApiError::forbidden("Whoever made this API key is no longer a member of the workspace."));
    }
    if key.kind == KeyKind::Publishable
        && let Some(origin) = headers.get(header::ORIGIN)
        && !key.allowed_origins.iter().any(|allowed| origin.as_bytes() == allowed.as_bytes())
    {
        return Err(ApiError::forbidden("This publishable key may not be used from that origin."));
    }
    Ok(())
}
