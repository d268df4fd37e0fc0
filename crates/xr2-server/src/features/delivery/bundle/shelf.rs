//! Bundles in memory: the newest of each label, and the ones before as long as somebody may be paging through them.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::error::{Code, Result};
use crate::events::{Listener, Notice};
use crate::features::delivery::bundle::build::build;
use crate::features::delivery::bundle::snapshot::Snapshot;
use crate::state::App;

/// Revisions of one label that are kept.
const REVISIONS: usize = 3;

/// Labels that are kept, of all workspaces.
const SHELVES: usize = 1000;

type Key = (Uuid, Box<str>);

/// See the module.
pub struct BundleCache {
    max_bytes: u64,
    clock: AtomicU64,
    shelves: Mutex<HashMap<Key, Arc<Shelf>>>,
}

/// The bundles of one label.
#[derive(Default)]
struct Shelf {
    /// Newest first.
    snapshots: Mutex<VecDeque<Arc<Snapshot>>>,
    /// Held by the one who builds for all who wait.
    building: tokio::sync::Mutex<()>,
    used: AtomicU64,
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
    pub fn new(bytes: u64) -> BundleCache {
        BundleCache { max_bytes: bytes, clock: AtomicU64::new(0), shelves: Mutex::default() }
    }

    /// What `label` delivers: never older than the changes acknowledged before it was asked for. When the database is
    /// gone, the newest there is.
    pub async fn get(&self, app: &App, workspace: Uuid, label: &str) -> Result<Arc<Snapshot>> {
        // In this order: a shelf that has not been forgotten gets nothing of a database that has.
        let shelf = self.shelf(workspace, label);
        let tenant = app.prompt_cache().tenant(app, workspace);
        let since = tenant.seen().max(tenant.told());
        let is_current = |snapshot: &Arc<Snapshot>| snapshot.revision >= since;
        if let Some(snapshot) = shelf.newest().filter(is_current) {
            return Ok(snapshot);
        }
        let _building = shelf.building.lock().await;
        if let Some(snapshot) = shelf.newest().filter(is_current) {
            return Ok(snapshot);
        }
        let previous = shelf.newest();
        match build(app, &tenant, label, previous.as_deref()).await {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                self.keep(&shelf, snapshot.clone());
                Ok(snapshot)
            }
            Err(error) if error.code == Code::Unavailable => previous.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// The bundle of this very revision, as long as it is kept.
    pub fn of_revision(&self, workspace: Uuid, label: &str, revision: i64) -> Option<Arc<Snapshot>> {
        let shelf = self.shelf(workspace, label);

        lock(&shelf.snapshots).iter().find(|snapshot| snapshot.revision == revision).cloned()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.all().iter().map(|(_, shelf)| shelf.bytes()).sum()
    }

    fn shelf(&self, workspace: Uuid, label: &str) -> Arc<Shelf> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut shelves = lock(&self.shelves);
        let shelf = shelves.entry((workspace, label.into())).or_default().clone();
        shelf.used.store(now, Ordering::Relaxed);
        if shelves.len() > SHELVES {
            let oldest = shelves.iter().min_by_key(|(_, shelf)| shelf.used.load(Ordering::Relaxed));
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                shelves.remove(&key);
            }
        }
        shelf
    }

    fn keep(&self, shelf: &Arc<Shelf>, snapshot: Arc<Snapshot>) {
        {
            let mut snapshots = lock(&shelf.snapshots);
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

    /// Also what is being built: it is put on a shelf that nobody looks at any more.
    fn forget(&self) {
        lock(&self.shelves).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
