//! Bundles in memory: the newest of each label, and the ones before as long as somebody may be paging through them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::{ApiError, Code, Result};
use crate::events::{Listener, Notice};
use crate::features::delivery::bundle::build::build;
use crate::features::delivery::bundle::snapshot::Snapshot;
use crate::features::delivery::bundle::thaw::thaw;
use crate::features::delivery::freshness::Tenant;
use crate::state::App;

/// Revisions of one label that are kept.
const REVISIONS: usize = 3;

/// Labels that are kept, of all workspaces and of one.
const SHELVES: usize = 1000;
const SHELVES_OF_WORKSPACE: usize = 100;

type Key = (Uuid, Box<str>);

/// See the module.
pub struct BundleCache {
    clock: Clock,
    max_bytes: u64,
    uses: AtomicU64,
    shelves: Mutex<HashMap<Key, Arc<Shelf>>>,
}

/// The bundles of one label.
#[derive(Default)]
struct Shelf {
    /// Newest first.
    snapshots: Mutex<VecDeque<Arc<Snapshot>>>,
    /// The build under way, for all who wait.
    building: Mutex<Option<Building>>,
    used: AtomicU64,
}

type Building = Shared<BoxFuture<'static, Result<Bundled>>>;

/// What is delivered as a bundle.
#[derive(Clone)]
pub struct Bundled {
    /// Everything at one revision.
    pub snapshot: Arc<Snapshot>,
    /// Whether the database did not answer: this is the newest there is.
    pub is_last_resort: bool,
}

impl Shelf {
    fn newest(&self) -> Option<Arc<Snapshot>> {
        lock(&self.snapshots).front().cloned()
    }

    fn bytes(&self) -> u64 {
        lock(&self.snapshots).iter().map(|snapshot| snapshot.bytes() as u64).sum()
    }
}

impl BundleCache {
    /// A cache of about `bytes`.
    pub fn new(bytes: u64, clock: Clock) -> BundleCache {
        BundleCache { clock, max_bytes: bytes, uses: AtomicU64::new(0), shelves: Mutex::default() }
    }

    /// What `label` delivers: never older than the changes acknowledged before it was asked for. When the database is
    /// gone, the newest there is.
    pub async fn get(self: &Arc<Self>, app: &App, workspace: Uuid, label: &str) -> Result<Bundled> {
        // In this order: a shelf that has not been forgotten gets nothing of a database that has.
        let shelf = self.shelf(workspace, label);
        let tenant = app.prompt_cache().tenant(app, workspace);
        let since = tenant.seen().max(tenant.told());
        let is_cut_off = app.follower().contact().stale().is_some();
        let is_current =
            |snapshot: &Arc<Snapshot>| snapshot.revision >= since && (is_cut_off || !snapshot.is_frozen);
        if let Some(snapshot) = shelf.newest().filter(is_current) {
            return Ok(Bundled { snapshot, is_last_resort: false });
        }
        let bundled = self.build(app, &shelf, &tenant, label).await?;
        if bundled.snapshot.revision >= since || bundled.is_last_resort {
            return Ok(bundled);
        }
        // That was begun before the change; the next one cannot have been.
        self.build(app, &shelf, &tenant, label).await
    }

    /// The bundle of this very revision, as long as it is kept.
    pub fn of_revision(&self, workspace: Uuid, label: &str, revision: i64) -> Option<Arc<Snapshot>> {
        let shelf = lock(&self.shelves).get(&(workspace, label.into())).cloned()?;
        lock(&shelf.snapshots).iter().find(|snapshot| snapshot.revision == revision).cloned()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.all().iter().map(|(_, shelf)| shelf.bytes()).sum()
    }

    /// Labels that something is kept of.
    pub fn labels(&self) -> usize {
        lock(&self.shelves).len()
    }

    /// Joins the build under way, or begins one. It goes on whoever hangs up.
    async fn build(
        self: &Arc<Self>,
        app: &App,
        shelf: &Arc<Shelf>,
        tenant: &Arc<Tenant>,
        label: &str,
    ) -> Result<Bundled> {
        let building = {
            let mut slot = lock(&shelf.building);
            match slot.as_ref().filter(|building| building.peek().is_none()) {
                Some(building) => building.clone(),
                None => slot.insert(self.begin(app, shelf, tenant, label)).clone(),
            }
        };
        building.await
    }

    fn begin(self: &Arc<Self>, app: &App, shelf: &Arc<Shelf>, tenant: &Arc<Tenant>, label: &str) -> Building {
        let (tell, told) = oneshot::channel();
        let (cache, shelf, tenant) = (self.clone(), shelf.clone(), tenant.clone());
        let (worker, label) = (app.clone(), label.to_owned());
        app.spawn(async move {
            let bundled = cache.make(&worker, &shelf, &tenant, &label).await;
            if lock(&shelf.snapshots).is_empty() {
                cache.discard(&(tenant.id(), label.into()), &shelf);
            }
            // From here on nobody joins: what follows may have changed since.
            *lock(&shelf.building) = None;
            let _ = tell.send(bundled);
        });
        told.map(|made| made.unwrap_or_else(|gone| Err(ApiError::internal(gone)))).boxed().shared()
    }

    async fn make(
        &self,
        app: &App,
        shelf: &Arc<Shelf>,
        tenant: &Arc<Tenant>,
        label: &str,
    ) -> Result<Bundled> {
        let previous = shelf.newest();
        match build(app, tenant, label, previous.as_deref()).await {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                self.keep(shelf, snapshot.clone());
                Ok(Bundled { snapshot, is_last_resort: false })
            }
            Err(error) if error.code == Code::Unavailable => {
                let known = previous.as_ref().map(|previous| previous.revision);
                let snapshot = match thaw(app, tenant, label, known).await? {
                    Some(thawed) => {
                        let thawed = Arc::new(thawed);
                        self.keep(shelf, thawed.clone());
                        thawed
                    }
                    None => previous.ok_or(error)?,
                };
                Ok(Bundled { snapshot, is_last_resort: true })
            }
            Err(error) => Err(error),
        }
    }

    fn shelf(&self, workspace: Uuid, label: &str) -> Arc<Shelf> {
        let now = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut shelves = lock(&self.shelves);
        let is_new = !shelves.contains_key(&(workspace, label.into()));
        let shelf = shelves.entry((workspace, label.into())).or_default().clone();
        shelf.used.store(now, Ordering::Relaxed);
        if is_new {
            let is_mine = |key: &Key| key.0 == workspace;
            if shelves.keys().filter(|key| is_mine(key)).count() > SHELVES_OF_WORKSPACE {
                remove_oldest(&mut shelves, is_mine);
            }
            if shelves.len() > SHELVES {
                remove_oldest(&mut shelves, |_| true);
            }
        }
        shelf
    }

    /// Nothing is kept of labels that deliver nothing, such as those somebody made up.
    fn discard(&self, key: &Key, shelf: &Arc<Shelf>) {
        let mut shelves = lock(&self.shelves);
        if shelves.get(key).is_some_and(|present| Arc::ptr_eq(present, shelf)) {
            shelves.remove(key);
        }
    }

    fn keep(&self, shelf: &Arc<Shelf>, snapshot: Arc<Snapshot>) {
        {
            let mut snapshots = lock(&shelf.snapshots);
            if snapshot.items.is_empty() && snapshots.is_empty() {
                return;
            }
            snapshots.push_front(snapshot);
            snapshots.truncate(REVISIONS);
        }
        self.trim(shelf);
    }

    /// Drops what was not used for longest until there is room; older revisions first, never what was just made.
    fn trim(&self, keep: &Arc<Shelf>) {
        let mut all = self.all();
        all.sort_by_key(|(_, shelf)| shelf.used.load(Ordering::Relaxed));
        let mut bytes: u64 = all.iter().map(|(_, shelf)| shelf.bytes()).sum();
        for (_, shelf) in &all {
            if bytes <= self.max_bytes {
                return;
            }
            let before = shelf.bytes();
            lock(&shelf.snapshots).truncate(1);
            bytes -= before - shelf.bytes().min(before);
        }
        for (key, shelf) in all.iter().filter(|(_, shelf)| !Arc::ptr_eq(shelf, keep)) {
            if bytes <= self.max_bytes {
                return;
            }
            bytes -= shelf.bytes().min(bytes);
            lock(&self.shelves).remove(key);
        }
    }

    fn all(&self) -> Vec<(Key, Arc<Shelf>)> {
        lock(&self.shelves).iter().map(|(key, shelf)| (key.clone(), shelf.clone())).collect()
    }
}

impl Listener for BundleCache {
    fn invalidate(&self, _: &Notice) {}

    fn in_order(&self, _: &Notice) {}

    /// Should the database go away, it is known how long ago what is delivered was outdated.
    fn caught_up(&self, workspace: Uuid, revision: i64) {
        for (_, shelf) in lock(&self.shelves).iter().filter(|(key, _)| key.0 == workspace) {
            for snapshot in lock(&shelf.snapshots).iter().filter(|snapshot| snapshot.revision < revision) {
                snapshot.outdate(self.clock.now());
            }
        }
    }

    /// Also what is being built: it is put on a shelf that nobody looks at any more.
    fn forget(&self) {
        lock(&self.shelves).clear();
    }
}

fn remove_oldest(shelves: &mut HashMap<Key, Arc<Shelf>>, is_one: impl Fn(&Key) -> bool) {
    let oldest = shelves
        .iter()
        .filter(|(key, _)| is_one(key))
        .min_by_key(|(_, shelf)| shelf.used.load(Ordering::Relaxed))
        .map(|(key, _)| key.clone());
    if let Some(key) = oldest {
        shelves.remove(&key);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
