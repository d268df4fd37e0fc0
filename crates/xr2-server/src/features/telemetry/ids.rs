//! Ids of reported events on SQLite: each counts once within seven days.
//!
//! Ids come in no order. Noted one by one in an ordered table, nearly each would be a page read, logged and written. So a
//! report's ids are appended as one row, in the transaction of its events, and kept in memory; when there are many, or
//! after a minute, all are moved into the ordered table in its order, which writes a page once for many of them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use uuid::Uuid;
use xr2_db::{Engine, Purpose, Tx};

use crate::clock::Time;
use crate::error::Result;
use crate::features::telemetry::queries;
use crate::state::App;

/// What an event is known by.
pub type IdHash = [u8; 16];

/// Ids in memory beyond which they are moved.
const MANY: usize = 50_000;

/// How long they stay at most.
const MOVE_AFTER: Duration = Duration::from_secs(60);

/// Ids moved in one transaction, so that whoever else writes usage has its turn.
const AT_ONCE: usize = 5_000;

/// See the module.
#[derive(Default)]
pub struct ReportedIds {
    /// Held from looking for ids until they are noted.
    fresh: Mutex<Fresh>,
}

/// Ids that are not in the ordered table yet.
#[derive(Default)]
struct Fresh {
    seen: HashMap<(Uuid, IdHash), i64>,
    /// The last row that was read or written.
    sequence: i64,
    /// Since when there are any.
    since: Option<Instant>,
}

impl Fresh {
    fn take_in(&mut self, workspace: Uuid, seen_at: i64, ids: impl IntoIterator<Item = IdHash>) {
        self.since.get_or_insert_with(Instant::now);
        self.seen.extend(ids.into_iter().map(|id| ((workspace, id), seen_at)));
    }

    /// Reads what was appended before this program started, or by another one.
    async fn catch_up(&mut self, tx: &mut Tx) -> xr2_db::Result<()> {
        for row in queries::appended_ids(tx, self.sequence).await? {
            self.sequence = row.sequence;
            let ids = row.id_hashes.as_chunks::<16>().0.iter().copied();
            self.take_in(row.workspace, row.seen_at, ids);
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        self.seen.len() >= MANY || self.since.is_some_and(|since| since.elapsed() >= MOVE_AFTER)
    }
}

/// Ids that are noted when this is committed.
pub struct Noted<'a> {
    fresh: MutexGuard<'a, Fresh>,
    /// The transaction.
    pub tx: Tx,
    /// Those of the ids that were not there before.
    pub new: HashSet<IdHash>,
    workspace: Uuid,
    seen_at: i64,
    sequence: i64,
}

impl Noted<'_> {
    /// Makes all of it last.
    pub async fn commit(mut self) -> Result<()> {
        self.tx.commit().await?;
        self.fresh.sequence = self.sequence;
        self.fresh.take_in(self.workspace, self.seen_at, self.new);
        Ok(())
    }
}

impl ReportedIds {
    /// Begins a transaction in which these ids are noted, for the events to be written in as well.
    pub async fn note(&self, app: &App, workspace: Uuid, ids: &[IdHash], now: Time) -> Result<Noted<'_>> {
        let mut fresh = self.fresh.lock().await;
        let mut tx = app.db().usage().system(Purpose::Usage).write().await?;
        fresh.catch_up(&mut tx).await?;
        let unseen: Vec<IdHash> =
            ids.iter().copied().filter(|id| !fresh.seen.contains_key(&(workspace, *id))).collect();
        let known = queries::known_ids(&mut tx, workspace, &unseen).await?;
        let new: HashSet<IdHash> = unseen.into_iter().filter(|id| !known.contains(id)).collect();
        let seen_at = now.timestamp_micros();
        let mut sequence = fresh.sequence;
        if !new.is_empty() {
            sequence = queries::append_ids(&mut tx, workspace, &new, seen_at).await?;
        }
        Ok(Noted { fresh, tx, new, workspace, seen_at, sequence })
    }

    /// Moves ids into the ordered table, when it is time.
    pub async fn move_over(&self, app: &App) -> xr2_db::Result<()> {
        if app.db().engine() == Engine::Postgres {
            return Ok(());
        }
        let mut fresh = self.fresh.lock().await;
        if fresh.is_due() { move_all(app, &mut fresh).await } else { Ok(()) }
    }

    /// Moves them now.
    pub async fn move_now(&self, app: &App) -> xr2_db::Result<()> {
        move_all(app, &mut *self.fresh.lock().await).await
    }
}

/// What is moved stays appended until all is moved: nothing is lost when this ends half-way, and moving twice is no harm.
async fn move_all(app: &App, fresh: &mut Fresh) -> xr2_db::Result<()> {
    let db = app.db().usage();
    let mut sorted: Vec<((Uuid, IdHash), i64)> = fresh.seen.iter().map(|(key, at)| (*key, *at)).collect();
    sorted.sort_unstable();
    for some in sorted.chunks(AT_ONCE) {
        let mut tx = db.system(Purpose::Usage).write().await?;
        queries::put_ids(&mut tx, some).await?;
        tx.commit().await?;
    }
    let mut tx = db.system(Purpose::Usage).write().await?;
    queries::remove_appended(&mut tx, fresh.sequence).await?;
    tx.commit().await?;
    fresh.seen.clear();
    fresh.since = None;
    Ok(())
}
