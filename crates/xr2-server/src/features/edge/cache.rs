//! Edge modes in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::events::{Listener, Notice};
use crate::features::edge::queries;
use crate::state::App;

/// For how long caches may keep what a workspace delivers; none: they may not.
type Ttl = Option<i64>;

/// What is known of workspaces' edge modes, and whoever waits for something to purge.
#[derive(Default)]
pub struct Edges {
    known: RwLock<HashMap<Uuid, Ttl>>,
    /// Counts invalidations, so that a fill that began before one is not kept.
    epoch: AtomicU64,
    changed: Notify,
}

impl Edges {
    /// For how many seconds caches may keep what the workspace delivers. Without the database, what is not known may not
    /// be kept.
    pub(super) async fn ttl(&self, app: &App, workspace: Uuid) -> Option<i64> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&workspace).copied();
        if let Some(ttl) = known {
            return ttl;
        }
        let epoch = self.epoch.load(Ordering::SeqCst);
        let ttl = read(app, workspace).await.ok()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::SeqCst) == epoch {
            known.insert(workspace, ttl);
        }
        ttl
    }

    /// Waits until something has changed somewhere.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn drop_one(&self, workspace: Uuid) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        known.remove(&workspace);
    }
}

async fn read(app: &App, workspace: Uuid) -> xr2_db::Result<Ttl> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let edge = queries::find(&mut tx).await?;
    tx.commit().await?;
    Ok(edge.filter(|edge| edge.enabled).map(|edge| edge.ttl_seconds))
}

impl Listener for Edges {
    fn invalidate(&self, notice: &Notice) {
        if notice.kind == "workspace.updated" {
            self.drop_one(notice.workspace);
        }
    }

    fn in_order(&self, _: &Notice) {}

    fn caught_up(&self, _: Uuid, _: i64) {
        self.changed.notify_one();
    }

    fn forget(&self) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        known.clear();
    }
}
