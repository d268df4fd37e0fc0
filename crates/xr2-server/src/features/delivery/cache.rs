//! Compiled prompts in memory. A warm fetch looks at this and at nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;

use crate::error::{ApiError, Code, Result};
use crate::events::{Listener, Notice};
use crate::features::delivery::entry::Entry;
use crate::features::delivery::freeze::{Thawed, thaw};
use crate::features::delivery::freshness::{Dependency, Scope, Tenant, Tenants};
use crate::features::delivery::key::{Key, KeyRef};
use crate::features::delivery::load::{Layer, Loaded, Outcome, Refusal, load};
use crate::features::delivery::{metrics, warm};
use crate::state::App;

/// Refusals kept; asking for things that are not there must not push out what is.
const REFUSALS: usize = 8192;

/// Fills at the same time.
const FILLS: usize = 16;

/// How often a fill that was overtaken by a change is done again. More often means that the revision went back, as
/// after a restored backup; then what was read is all there is.
const ATTEMPTS: usize = 5;

/// See the module.
pub struct PromptCache {
    ready: Cache<Key, Arc<Entry>, ByBytes>,
    refused: Cache<Key, Arc<Refusal>>,
    tenants: Tenants,
    flights: Mutex<HashMap<Key, Flight>>,
    thawed: Thawed,
    /// Fills at the same time; after an outage everybody asks at once.
    filling: Semaphore,
}

/// A fill under way, shared by everybody who waits for it.
type Flight = Arc<OnceCell<Result<Loaded>>>;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Entry>> for ByBytes {
    fn weight(&self, _: &Key, entry: &Arc<Entry>) -> u64 {
        entry.bytes() as u64
    }
}

impl PromptCache {
    /// A cache of at most `bytes`.
    pub fn new(bytes: u64) -> PromptCache {
        let items = usize::try_from(bytes / 4096).unwrap_or(usize::MAX).clamp(64, 100_000);
        PromptCache {
            ready: Cache::with_weighter(items, bytes, ByBytes),
            refused: Cache::new(REFUSALS),
            tenants: Tenants::default(),
            flights: Mutex::default(),
            thawed: Thawed::default(),
            filling: Semaphore::new(FILLS),
        }
    }

    /// What was read from the snapshot.
    pub fn thawed(&self) -> &Thawed {
        &self.thawed
    }

    /// What is in memory, if it is as it should be.
    pub fn warm(&self, key: KeyRef<'_>) -> Option<Arc<Entry>> {
        self.ready.get(&key).filter(|entry| !entry.mark.is_stale())
    }

    /// What `key` asks for. What a request gets is never older than the changes acknowledged before it began.
    pub async fn get(&self, app: &App, key: KeyRef<'_>) -> Result<Outcome> {
        self.find(app, key, true).await
    }

    /// Like [`PromptCache::get`], for those who say it at a revision: never what was kept before the last change, even
    /// when the database does not answer.
    pub async fn get_present(&self, app: &App, key: KeyRef<'_>) -> Result<Outcome> {
        self.find(app, key, false).await
    }

    async fn find(&self, app: &App, key: KeyRef<'_>, may_be_old: bool) -> Result<Outcome> {
        if let Some(entry) = self.warm(key) {
            metrics::hit();
            return Ok(Outcome::Ready(entry));
        }
        if let Some(refusal) = self.refused.get(&key).filter(|refusal| !refusal.mark.is_stale()) {
            metrics::hit();
            return Ok(Outcome::Refused(refusal));
        }
        metrics::miss();
        let tenant = self.tenant(app, key.workspace);
        let since = tenant.seen();
        for _ in 1..ATTEMPTS {
            let loaded = self.fly(app, &tenant, key).await?;
            if loaded.mark.revision() >= since || (loaded.is_frozen() && may_be_old) {
                return Ok(counted(loaded));
            }
            if loaded.is_frozen() {
                return Err(ApiError::new(Code::Unavailable, "The database cannot be reached just now."));
            }
        }
        Ok(counted(self.fill(app, &tenant, key).await?))
    }

    /// From Redis, where another node has left it; else from the database, or from the snapshot when that does not answer.
    async fn fill(&self, app: &App, tenant: &Arc<Tenant>, key: KeyRef<'_>) -> Result<Loaded> {
        if let Some(loaded) = warm::find(app, tenant, key).await {
            return loaded;
        }
        let _place = self.filling.acquire().await.map_err(ApiError::internal)?;
        match load(app, tenant, key).await {
            Err(error) if error.code == Code::Unavailable => {
                thaw(app, &self.thawed, tenant, key).await.unwrap_or(Err(error))
            }
            loaded => loaded,
        }
    }

    /// The workspace's revisions as this node knows them.
    pub fn tenant(&self, app: &App, workspace: Uuid) -> Arc<Tenant> {
        self.tenants.get(workspace, || app.follower().place(workspace).unwrap_or_default())
    }

    /// Workspaces that something was delivered from since this node started.
    pub fn workspaces(&self) -> usize {
        self.tenants.count()
    }

    /// Entries and bytes in memory.
    pub fn size(&self) -> (usize, u64) {
        (self.ready.len() + self.refused.len(), self.ready.weight())
    }

    /// Loads once for everybody who asks meanwhile. Should the one who loads go away, the next one takes over.
    async fn fly(&self, app: &App, tenant: &Arc<Tenant>, key: KeyRef<'_>) -> Result<Loaded> {
        let flight = self.flights().entry(key.to_key()).or_default().clone();
        let _given_up = GivenUp { cache: self, key: key.to_key(), flight: flight.clone() };
        let loaded = flight
            .get_or_init(|| async {
                let loaded = self.fill(app, tenant, key).await?;
                self.keep(tenant, &loaded);
                Ok::<Loaded, ApiError>(loaded)
            })
            .await
            .clone();
        let mut flights = self.flights();
        let owned = key.to_key();
        if flights.get(&owned).is_some_and(|present| Arc::ptr_eq(present, &flight)) {
            flights.remove(&owned);
        }
        loaded
    }

    fn keep(&self, tenant: &Tenant, loaded: &Loaded) {
        let is_kept = tenant.register(&loaded.mark, &loaded.dependencies, || {
            metrics::promoted();
            let key = loaded.mark.key().clone();
            match &loaded.outcome {
                Outcome::Ready(entry) => {
                    self.refused.remove(&key);
                    self.ready.insert(key, entry.clone());
                }
                Outcome::Refused(refusal) => {
                    self.ready.remove(&key);
                    self.refused.insert(key, refusal.clone());
                }
            }
        });
        if loaded.is_frozen() && !is_kept {
            // Delivered all the same, for want of better, but not as if it were of today.
            loaded.mark.outdate();
        }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.flights.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Counts which layer a delivery came from.
fn counted(loaded: Loaded) -> Outcome {
    match loaded.layer {
        Layer::Warm => metrics::warm(),
        Layer::Cold => metrics::cold(),
        Layer::Frozen => metrics::frozen(),
    }
    loaded.outcome
}

/// Takes a flight off the list when the last request that waited for it hangs up before it lands.
struct GivenUp<'a> {
    cache: &'a PromptCache,
    key: Key,
    flight: Flight,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        /// The list, this guard, and the request that holds it.
        const ALONE: usize = 3;
        let mut flights = self.cache.flights();
        let is_listed = flights.get(&self.key).is_some_and(|present| Arc::ptr_eq(present, &self.flight));
        if is_listed && Arc::strong_count(&self.flight) <= ALONE {
            flights.remove(&self.key);
        }
    }
}

impl Listener for PromptCache {
    fn invalidate(&self, notice: &Notice) {
        self.tenants.heard(notice.workspace, notice.revision);
        let Some(tenant) = self.tenants.find(notice.workspace) else { return };
        for mark in tenant.change(notice.revision, notice.event, &scope_of(notice)) {
            self.ready.remove_if(mark.key(), |entry| entry.mark.is_stale());
            self.refused.remove_if(mark.key(), |refusal| refusal.mark.is_stale());
        }
    }

    fn in_order(&self, _: &Notice) {}

    fn forget(&self) {
        self.tenants.forget();
        // Whoever comes now does not wait for what was begun before.
        self.flights().clear();
        self.ready.clear();
        self.refused.clear();
    }

    fn caught_up(&self, workspace: Uuid, revision: i64) {
        if let Some(tenant) = self.tenants.find(workspace) {
            tenant.caught_up(revision);
        }
    }
}

/// What an event touches. What we do not know touches everything.
fn scope_of(notice: &Notice) -> Scope {
    let group = notice.kind.split('.').next().unwrap_or_default();
    match (group, notice.kind.as_str()) {
        ("api_key" | "member" | "user" | "auth" | "draft" | "folder" | "view", _)
        | (_, "label.created" | "label.updated" | "prompt.edited") => Scope::Nothing,
        ("prompt" | "version", _) | (_, "label.moved") => {
            let slug = |state: &Option<serde_json::Value>| {
                state.as_ref().and_then(|state| state.get("slug")?.as_str()).map(|slug| slug.into())
            };
            let names =
                [notice.resource_name.as_deref().map(Into::into), slug(&notice.before), slug(&notice.after)];
            let id = notice.resource_id.filter(|_| notice.resource_type == "prompt");
            let touched: Vec<Dependency> =
                names.into_iter().flatten().map(Dependency::Name).chain(id.map(Dependency::Prompt)).collect();
            if touched.is_empty() { Scope::Everything } else { Scope::Some(touched) }
        }
        _ => Scope::Everything,
    }
}
