//! Instances in memory for as long as somebody looks at them: read whole once in a while, else only what has reported
//! since the last look. So a dashboard that counts every second costs the database a few rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use uuid::Uuid;

use crate::clock::Time;
use crate::error::Result;
use crate::features::telemetry::presence::settle;
use crate::features::telemetry::queries::{self, InstanceRow};
use crate::state::App;

/// Workspaces looked at that are kept.
const MOST_WORKSPACES: usize = 8;

/// Things served by the instances of one workspace that is kept; larger ones are read anew each time.
const MOST_SERVED: usize = 200_000;

/// Instances read at once: what they serve takes room.
const AT_ONCE: i64 = 250;

/// How long a workspace nobody looks at is kept.
const IDLE: Duration = Duration::from_secs(60);

/// How often everything is read again, in case a node with a clock that is behind has written.
const WHOLE_EVERY: Duration = Duration::from_secs(30);

/// How far back one looks for what has reported since: what was heard is written later, by clocks that differ.
const SLACK: TimeDelta = TimeDelta::seconds(5);

/// See the module.
#[derive(Default)]
pub(super) struct Roster {
    desks: Mutex<HashMap<Uuid, (Instant, Arc<Desk>)>>,
}

/// A workspace being looked at. Whoever looks at the same time waits for the other's reading.
type Desk = tokio::sync::Mutex<Option<Known>>;

struct Known {
    rows: BTreeMap<String, InstanceRow>,
    /// When the one that reported last did.
    newest: Time,
    whole_at: Instant,
}

impl Roster {
    fn desk(&self, workspace: Uuid) -> Arc<Desk> {
        let now = Instant::now();
        let mut desks = self.desks.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        desks.retain(|_, (looked_at, _)| now - *looked_at < IDLE);
        if desks.len() >= MOST_WORKSPACES && !desks.contains_key(&workspace) {
            let oldest = desks.iter().min_by_key(|(_, (looked_at, _))| *looked_at).map(|(id, _)| *id);
            oldest.and_then(|id| desks.remove(&id));
        }
        let entry = desks.entry(workspace).or_insert_with(|| (now, Arc::default()));
        entry.0 = now;
        entry.1.clone()
    }
}

/// Shows every instance that has reported since, in the order of their names.
pub(super) async fn each(
    app: &App,
    workspace: Uuid,
    since: Time,
    mut see: impl FnMut(&InstanceRow),
) -> Result<()> {
    settle(app).await?;
    let desk = app.presence().roster().desk(workspace);
    let mut desk = desk.lock().await;
    let known = match desk.take() {
        Some(known) if known.whole_at.elapsed() < WHOLE_EVERY => {
            known.catch_up(app, workspace, since).await?
        }
        _ => Known::read(app, workspace, since).await?,
    };
    match known {
        Some(known) => {
            known.rows.values().filter(|row| row.last_seen >= since).for_each(see);
            *desk = Some(known);
        }
        None => walk(app, workspace, since, |row| see(&row)).await?,
    }
    Ok(())
}

impl Known {
    /// Everything; none when that is more than is kept.
    async fn read(app: &App, workspace: Uuid, since: Time) -> Result<Option<Known>> {
        let known = Known { rows: BTreeMap::new(), newest: since, whole_at: Instant::now() };
        known.take_in(app, workspace, since).await
    }

    /// What has reported since the last look, without what is gone.
    async fn catch_up(mut self, app: &App, workspace: Uuid, since: Time) -> Result<Option<Known>> {
        self.rows.retain(|_, row| row.last_seen >= since);
        let from = (self.newest - SLACK).max(since);
        self.take_in(app, workspace, from).await
    }

    async fn take_in(mut self, app: &App, workspace: Uuid, from: Time) -> Result<Option<Known>> {
        let db = app.db().usage();
        let mut after = String::new();
        loop {
            let mut tx = db.tenant(workspace).read().await?;
            let page = queries::instances(&mut tx, from, &after, AT_ONCE).await?;
            tx.commit().await?;
            let is_last = (page.len() as i64) < AT_ONCE;
            for row in page {
                after.clone_from(&row.instance);
                self.newest = self.newest.max(row.last_seen);
                self.rows.insert(row.instance.clone(), row);
            }
            if self.rows.values().map(|row| row.serving.len()).sum::<usize>() > MOST_SERVED {
                return Ok(None);
            }
            if is_last {
                return Ok(Some(self));
            }
        }
    }
}

/// Reads the instances of a workspace that is too large to be kept, page by page.
async fn walk(app: &App, workspace: Uuid, since: Time, mut see: impl FnMut(InstanceRow)) -> Result<()> {
    let db = app.db().usage();
    let mut after = String::new();
    loop {
        let mut tx = db.tenant(workspace).read().await?;
        let page = queries::instances(&mut tx, since, &after, AT_ONCE).await?;
        tx.commit().await?;
        let is_last = (page.len() as i64) < AT_ONCE;
        for row in page {
            after.clone_from(&row.instance);
            see(row);
        }
        if is_last {
            return Ok(());
        }
    }
}
