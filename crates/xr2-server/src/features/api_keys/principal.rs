//! From the key that a request carries to who that is. In memory when warm: no SQL, no lock that writers hold.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::http::{HeaderMap, HeaderValue, header};
use ipnet::IpNet;
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::auth::{Right, Rights, token_hash};
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::{Actor, Listener, Notice};
use crate::features::api_keys::cors::{self, Origins};
use crate::features::api_keys::freeze::Thawed;
use crate::features::api_keys::lookup::{Lookups, load};
use crate::features::api_keys::{KeyKind, is_well_formed};
use crate::http::RequestContext;
use crate::last_used::KeyStamp;
use crate::limits::{Who, too_many};
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
    /// Who made it, or made the key that made it.
    pub maker: Option<Uuid>,
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
    /// Counts changes of keys that there were, so that a fill that began before one is not kept.
    changed: AtomicU64,
    /// Counts keys made, so that none is noted as unknown that is there by now.
    made: AtomicU64,
    /// Held while a key is put in and while keys are dropped, so that nobody ever meets one that was dropped already.
    changing: Mutex<()>,
    origins: Origins,
    thawed: Thawed,
    lookups: Lookups,
}

impl KeyCache {
    pub(crate) fn new() -> KeyCache {
        KeyCache {
            keys: Cache::new(CACHED_KEYS),
            changed: AtomicU64::default(),
            made: AtomicU64::default(),
            changing: Mutex::default(),
            origins: Origins::default(),
            thawed: Thawed::default(),
            lookups: Lookups::new(),
        }
    }

    /// Keys as they were kept for times without the database.
    pub fn thawed(&self) -> &Thawed {
        &self.thawed
    }

    /// How often the database was asked for a key.
    pub fn lookups_so_far(&self) -> u64 {
        self.lookups.count()
    }

    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Arc<KeyPrincipal>> {
        self.keys.get(hash)
    }

    pub(super) fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Puts in a key that was read at `epoch`, unless something has changed since; then the next request reads again.
    pub(super) fn keep(&self, hash: [u8; 32], key: &Arc<KeyPrincipal>, epoch: Epoch) {
        let _changing = self.changing();
        if self.epoch().changed == epoch.changed {
            self.keys.insert(hash, key.clone());
        }
    }

    /// Notes that no key had this hash at `epoch`, unless something has changed since.
    pub(super) fn keep_unknown(&self, hash: [u8; 32], now: Time, epoch: Epoch) {
        let _changing = self.changing();
        if self.epoch() == epoch {
            self.lookups.note_unknown(hash, now);
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn epoch(&self) -> Epoch {
        Epoch { changed: self.changed.load(Ordering::SeqCst), made: self.made.load(Ordering::SeqCst) }
    }

    /// Whether the key with this hash, known from the request just answered, lists the origin.
    pub(super) fn allows_origin(&self, hash: &[u8; 32], origin: &HeaderValue) -> bool {
        self.keys.get(hash).is_some_and(|key| cors::allows(key.kind, &key.allowed_origins, origin))
    }
}

/// A moment in the life of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch {
    changed: u64,
    made: u64,
}

impl Listener for KeyCache {
    fn invalidate(&self, notice: &Notice) {
        let Some(concerned) = concerned(notice) else { return };
        let _changing = self.changing();
        let counted = if matches!(concerned, Concerned::Nobody) { &self.made } else { &self.changed };
        counted.fetch_add(1, Ordering::SeqCst);
        self.origins.forget();
        self.lookups.hear(notice);
        self.keys.retain(|_, key| !concerned.has(key));
    }

    fn in_order(&self, _: &Notice) {}

    fn forget(&self) {
        let _changing = self.changing();
        self.changed.fetch_add(1, Ordering::SeqCst);
        self.origins.forget();
        self.lookups.forget();
        self.keys.clear();
    }

    fn server_changed(&self) {
        self.forget();
    }
}

/// Keys that an event changes. No others are dropped: without the database they could not be read again.
enum Concerned {
    Nobody,
    Key(Uuid),
    Maker(Uuid, Uuid),
    Workspace(Uuid),
}

impl Concerned {
    fn has(&self, key: &KeyPrincipal) -> bool {
        match self {
            Concerned::Nobody => false,
            Concerned::Key(id) => key.id == *id,
            Concerned::Maker(workspace, maker) => key.workspace == *workspace && key.maker == Some(*maker),
            Concerned::Workspace(workspace) => key.workspace == *workspace,
        }
    }
}

/// Which keys an event changes; none: it is not about keys.
fn concerned(notice: &Notice) -> Option<Concerned> {
    let (group, _) = notice.kind.split_once('.')?;
    let everybody = Concerned::Workspace(notice.workspace);
    Some(match (group, notice.resource_id) {
        // Nobody can have asked with a key that was not made yet.
        ("api_key", _) if notice.kind == "api_key.created" => Concerned::Nobody,
        ("api_key", Some(id)) => Concerned::Key(id),
        ("member", Some(user)) => Concerned::Maker(notice.workspace, user),
        ("api_key" | "member" | "workspace", _) => everybody,
        _ => return None,
    })
}

/// Finds the key, checks that it may be used from here, now, and counts the use.
pub async fn authenticate(
    app: &App,
    text: &str,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Result<Arc<KeyPrincipal>> {
    let key = recheck(app, text, context, headers).await?;
    let now = app.clock().now();
    if let Some(limit) = limit_of(app, &key) {
        let standing = app.limits().pass(Who::Key(key.id), limit).await;
        context
            .standing
            .put(standing.map_err(|refused| too_many(refused, "Requests with this API key in a minute"))?);
    }
    app.last_used().key(&key.stamp, now);
    Ok(key)
}

/// Finds the key and checks that it may be used from here, now. Nobody uses it by that: what it has opened looks whether
/// it may stay open.
pub async fn recheck(
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
        None => load(app, hash, context).await?,
    };
    context.standing.verify();
    let now = app.clock().now();
    if !is_fresh_enough(app) {
        return Err(ApiError::too_stale("auth.max_stale"));
    }
    if let Err(error) = check(&key, now, context.address, headers) {
        if error.code == Code::Forbidden {
            let actor = Actor::key(key.id, &key.name);
            app.denials().note(app, Some(key.workspace), actor, context, "use of the API key").await;
        }
        return Err(error);
    }
    Ok(key)
}

/// Requests a minute that the key allows; none: as many as anybody likes.
pub fn limit_of(app: &App, key: &KeyPrincipal) -> Option<u64> {
    let general = app.config().limits.requests_per_key;
    let own = key.rate_limit_per_minute.map(i64::unsigned_abs);
    own.or((general > 0).then_some(u64::from(general)))
}

/// The key, if it is in memory and nothing about it asks for a closer look: it is secret and may be used from anywhere.
/// Its limit is still to be counted.
pub fn known(app: &App, text: &str, now: Time) -> Option<Arc<KeyPrincipal>> {
    let key = app.keys().keys.get(&token_hash(text))?;
    let is_plain = key.kind == KeyKind::Secret && key.allowed_ips.is_empty();
    if !is_plain
        || !is_fresh_enough(app)
        || key.expires_at.is_some_and(|end| end <= now)
        || !key.rights.has(Right::Deliver)
    {
        return None;
    }
    app.last_used().key(&key.stamp, now);
    Some(key)
}

/// Whether what is known of keys may be relied upon.
fn is_fresh_enough(app: &App) -> bool {
    let stale = app.follower().contact().stale();
    stale.is_none_or(|seconds| seconds <= app.config().auth.max_stale.as_secs())
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
        && !cors::allows(key.kind, &key.allowed_origins, origin)
    {
        return Err(ApiError::forbidden("This publishable key may not be used from that origin."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(kind: &str, key: Uuid) -> Notice {
        Notice {
            workspace: Uuid::nil(),
            revision: 1,
            event: Uuid::nil(),
            kind: kind.into(),
            resource_type: "api_key".into(),
            resource_id: Some(key),
            resource_name: None,
            before: None,
            after: None,
            at: Time::default(),
        }
    }

    fn principal(id: Uuid) -> Arc<KeyPrincipal> {
        Arc::new(KeyPrincipal {
            id,
            workspace: Uuid::nil(),
            workspace_slug: "shop".into(),
            name: "shop".into(),
            kind: KeyKind::Secret,
            maker: None,
            rights: Rights::default(),
            labels: Vec::new(),
            allowed_ips: Vec::new(),
            allowed_origins: Vec::new(),
            rate_limit_per_minute: None,
            expires_at: None,
            stamp: KeyStamp::new(id),
        })
    }

    #[test]
    fn a_key_read_while_others_are_made_stays_in_memory() {
        let (cache, key) = (KeyCache::new(), principal(Uuid::from_u128(1)));
        let epoch = cache.epoch();
        cache.invalidate(&notice("api_key.created", key.id));
        cache.keep([1; 32], &key, epoch);
        assert!(cache.get(&[1; 32]).is_some());
    }

    #[test]
    fn a_key_read_before_a_change_is_not_kept() {
        for kind in ["api_key.updated", "api_key.revoked", "member.updated", "workspace.deleted"] {
            let (cache, key) = (KeyCache::new(), principal(Uuid::from_u128(1)));
            let epoch = cache.epoch();
            cache.invalidate(&notice(kind, key.id));
            cache.keep([1; 32], &key, epoch);
            assert!(cache.get(&[1; 32]).is_none(), "{kind}");
        }
    }

    #[test]
    fn a_key_made_while_it_was_looked_for_is_not_noted_as_unknown() {
        let (cache, now) = (KeyCache::new(), Time::default());
        let epoch = cache.epoch();
        cache.invalidate(&notice("api_key.created", Uuid::from_u128(1)));
        cache.keep_unknown([1; 32], now, epoch);
        assert!(!cache.lookups().is_unknown(&[1; 32], now));
    }
}
