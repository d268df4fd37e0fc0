//! Following the workspaces' revisions: every delivery-visible event reaches the listeners of this node, in order and
//! without gaps, whichever process wrote it. A commit on this node wakes the follower at once; once a second it
//! compares revisions with the database, so that a hint that got lost costs a second and nothing more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::Db;

use crate::clock::{Clock, Time};
use crate::events::{Contact, NewEvent, StoredEvent, queries};

/// How often revisions are compared with the database: a change that nobody told of is delivered within a second, reading
/// it included.
const COMPARE_EVERY: Duration = Duration::from_millis(700);

/// Events read at once; a node further behind than this reads on in the next turn.
const BATCH: i64 = 1000;

/// A delivery-visible event, as listeners get it.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Where it happened.
    pub workspace: Uuid,
    /// The workspace's revision.
    pub revision: i64,
    /// See [`crate::events::EventType`].
    pub kind: String,
    /// Sort of resource.
    pub resource_type: String,
    /// Its id.
    pub resource_id: Option<Uuid>,
    /// Its slug or name.
    pub resource_name: Option<String>,
    /// How it was.
    pub before: Option<Value>,
    /// How it is now.
    pub after: Option<Value>,
    /// When.
    pub at: crate::clock::Time,
}

impl Notice {
    pub(super) fn of_new(workspace: Uuid, revision: i64, event: &NewEvent) -> Notice {
        Notice {
            workspace,
            revision,
            kind: event.kind.as_str().to_owned(),
            resource_type: event.resource.kind.to_owned(),
            resource_id: event.resource.id,
            resource_name: event.resource.name.clone(),
            before: event.before.clone(),
            after: event.after.clone(),
            at: crate::clock::Time::default(),
        }
    }

    fn of_stored(workspace: Uuid, event: StoredEvent) -> Notice {
        Notice {
            workspace,
            revision: event.revision.unwrap_or_default(),
            kind: event.kind,
            resource_type: event.resource_type,
            resource_id: event.resource_id,
            resource_name: event.resource_name,
            before: event.before,
            after: event.after,
            at: event.created_at,
        }
    }
}

/// Somebody on this node who has to know.
pub trait Listener: Send + Sync {
    /// Called before the change is answered on the node that made it, and again from [`Listener::in_order`]'s sequence
    /// on every node: drop what you hold of it. Must be quick and must not mind repetition.
    fn invalidate(&self, notice: &Notice);

    /// Called once per event, in order of revision within a workspace.
    fn in_order(&self, notice: &Notice);

    /// Called when every event of the workspace up to `revision` has been told.
    fn caught_up(&self, _workspace: Uuid, _revision: i64) {}

    /// Whether the event has to outlast a crash of this node although the database may not be there afterwards.
    fn must_last(&self, _: &Notice) -> bool {
        false
    }

    /// Makes the event last, for which [`Listener::must_last`] said so. Called on every node, on the one that made the
    /// change before it is answered, beside the threads that serve requests: it may wait for the disk.
    fn make_last(&self, _: &[Notice]) {}

    /// Called when the database is another one than before: nothing that is held can be trusted.
    fn forget(&self) {}
}

/// See the module.
pub struct Follower {
    db: Db,
    listeners: OnceLock<Vec<Arc<dyn Listener>>>,
    /// Revision up to which listeners have been told, per workspace.
    told: Mutex<HashMap<Uuid, i64>>,
    /// Revision up to which they are being told, where that is further.
    telling: Mutex<HashMap<Uuid, i64>>,
    woken: Mutex<HashMap<Uuid, i64>>,
    notify: Notify,
    contact: Contact,
    clock: Clock,
}

impl Follower {
    pub(crate) fn new(db: Db, clock: Clock) -> Follower {
        Follower {
            db,
            contact: Contact::default(),
            clock,
            listeners: OnceLock::new(),
            told: Mutex::default(),
            telling: Mutex::default(),
            woken: Mutex::default(),
            notify: Notify::new(),
        }
    }

    /// Sets who is told; once, at start.
    pub(crate) fn set_listeners(&self, listeners: Vec<Arc<dyn Listener>>) {
        let _ = self.listeners.set(listeners);
    }

    pub(super) fn applied_here(&self, notice: &Notice) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.invalidate(notice);
        }
    }

    /// Makes last what has to, and waits for it.
    pub(super) async fn make_last(&self, notices: &Arc<Vec<Notice>>) {
        for listener in self.listeners.get().into_iter().flatten() {
            if !notices.iter().any(|notice| listener.must_last(notice)) {
                continue;
            }
            let (listener, notices) = (listener.clone(), notices.clone());
            if let Err(error) = tokio::task::spawn_blocking(move || listener.make_last(&notices)).await {
                tracing::error!(%error, "a change that has to outlast a crash could not be noted");
            }
        }
    }

    /// Whether the database answers, and if not, since when.
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Follows `workspace` at once. `revision` must be in the database.
    pub(crate) fn wake(&self, workspace: Uuid, revision: i64) {
        lock(&self.woken).entry(workspace).and_modify(|r| *r = revision.max(*r)).or_insert(revision);
        self.notify.notify_one();
    }

    /// The revision up to which this node has told its listeners.
    pub fn told(&self, workspace: Uuid) -> Option<i64> {
        lock(&self.told).get(&workspace).copied()
    }

    /// The revision up to which this node has told its listeners, or is telling them just now: whoever begins to listen
    /// hears of everything after it.
    pub fn telling(&self, workspace: Uuid) -> Option<i64> {
        let telling = lock(&self.telling).get(&workspace).copied();
        self.told(workspace).max(telling)
    }

    /// The revision of every workspace up to which this node has told its listeners.
    pub fn all_told(&self) -> HashMap<Uuid, i64> {
        lock(&self.told).clone()
    }

    /// Takes the present revisions as told: nothing that happened before this node started is news.
    pub(crate) async fn prime(&self) -> xr2_db::Result<()> {
        let revisions = queries::revisions(&self.db).await?;
        self.contact.answered(self.clock.now());
        lock(&self.told).extend(revisions);
        Ok(())
    }

    /// For a start without the database: what this node holds is as of these revisions and of that time.
    pub(crate) fn begin_without(&self, told: impl IntoIterator<Item = (Uuid, i64)>, last_contact: Time) {
        lock(&self.told).extend(told);
        self.contact.begin_lost(last_contact, self.clock.now());
    }

    /// Takes the present revisions of workspaces as told that this node knows nothing of; the others are followed from
    /// where they were.
    pub(crate) async fn prime_unknown(&self) -> xr2_db::Result<()> {
        let revisions = queries::revisions(&self.db).await?;
        let mut told = lock(&self.told);
        for (workspace, revision) in revisions {
            told.entry(workspace).or_insert(revision);
        }
        Ok(())
    }

    /// Begins anew with another database.
    pub(crate) async fn begin_anew(&self) -> xr2_db::Result<()> {
        let revisions = queries::revisions(&self.db).await?;
        // Whoever woke us spoke of what the other database had.
        lock(&self.woken).clear();
        lock(&self.telling).clear();
        *lock(&self.told) = revisions.into_iter().collect();
        for listener in self.listeners.get().into_iter().flatten() {
            listener.forget();
        }
        Ok(())
    }

    /// Follows until `stop`.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
            () = self.contact.watch(&self.clock) => {}
        }
    }

    async fn follow(&self) {
        let mut tick = tokio::time::interval(COMPARE_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                () = self.notify.notified() => self.follow_woken().await,
                _ = tick.tick() => self.compare_all().await,
            };
            if let Err(error) = outcome {
                self.contact.failed(self.clock.now(), &error);
            }
        }
    }

    async fn follow_woken(&self) -> xr2_db::Result<()> {
        let woken: Vec<(Uuid, i64)> = lock(&self.woken).drain().collect();
        for (workspace, revision) in woken {
            self.catch_up(workspace, revision).await?;
        }
        Ok(())
    }

    async fn compare_all(&self) -> xr2_db::Result<()> {
        self.contact.asks();
        let revisions = queries::revisions(&self.db).await?;
        self.contact.answered(self.clock.now());
        if self.is_ahead_of(&revisions) {
            tracing::warn!(
                "revisions went back: the database is an older one. What is in memory is forgotten"
            );
            return self.begin_anew().await;
        }
        for (workspace, revision) in revisions {
            self.catch_up(workspace, revision).await?;
        }
        Ok(())
    }

    /// Whether listeners were told more than has happened, as after a backup was restored or a replica took over.
    fn is_ahead_of(&self, revisions: &[(Uuid, i64)]) -> bool {
        let told = lock(&self.told);
        revisions.iter().any(|(workspace, revision)| told.get(workspace).is_some_and(|told| told > revision))
    }

    /// Reads and tells everything of `workspace` up to at least `revision`, page by page. A revision counts as told when
    /// all of its events are, however many they are.
    async fn catch_up(&self, workspace: Uuid, revision: i64) -> xr2_db::Result<()> {
        let from = lock(&self.told).get(&workspace).copied().unwrap_or(0);
        if from >= revision {
            return Ok(());
        }
        let mut cursor = (from, i64::MAX);
        loop {
            let events = queries::events_after(&self.db, workspace, cursor, BATCH).await?;
            let is_last_page = (events.len() as i64) < BATCH;
            if let Some(last) = events.last() {
                cursor = (last.revision.unwrap_or(cursor.0), last.sequence);
            }
            let notices: Vec<Notice> =
                events.into_iter().map(|event| Notice::of_stored(workspace, event)).collect();
            lock(&self.telling).insert(workspace, cursor.0);
            for notice in &notices {
                self.tell(notice);
            }
            let complete = if is_last_page { cursor.0.max(revision) } else { cursor.0 - 1 };
            self.complete(workspace, complete.max(from));
            // Whichever node made the change: every one of them may have to start without the database.
            self.make_last(&Arc::new(notices)).await;
            if is_last_page {
                return Ok(());
            }
        }
    }

    fn tell(&self, notice: &Notice) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.invalidate(notice);
            listener.in_order(notice);
        }
    }

    fn complete(&self, workspace: Uuid, revision: i64) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.caught_up(workspace, revision);
        }
        lock(&self.told).insert(workspace, revision);
    }
}

/// Everything delivery could see in `workspace` after revision `from` up to `to`, in order.
pub async fn notices_between(db: &Db, workspace: Uuid, from: i64, to: i64) -> xr2_db::Result<Vec<Notice>> {
    let (mut cursor, mut notices) = ((from, i64::MAX), Vec::new());
    let mut is_last_page = false;
    while !is_last_page && cursor.0 <= to {
        let events = queries::events_after(db, workspace, cursor, BATCH).await?;
        is_last_page = (events.len() as i64) < BATCH;
        if let Some(last) = events.last() {
            cursor = (last.revision.unwrap_or(to), last.sequence);
        }
        let wanted = events.into_iter().filter(|event| event.revision.is_some_and(|revision| revision <= to));
        notices.extend(wanted.map(|event| Notice::of_stored(workspace, event)));
    }
    Ok(notices)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
