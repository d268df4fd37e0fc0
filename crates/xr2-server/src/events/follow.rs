//! Following the workspaces' revisions: every delivery-visible event reaches the listeners of this node, in order and
//! without gaps, whichever process wrote it. A commit on this node wakes the follower at once; once a second it
//! compares revisions with the database, so that a hint that got lost costs a second and nothing more. A hint only wakes:
//! what has happened, and how far it goes, the database alone says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use futures::StreamExt;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::Db;

use crate::clock::{Clock, Time};
use crate::events::progress::{Place, Progress};
use crate::events::{Contact, NewEvent, StoredEvent, queries};

/// How often revisions are compared with the database: a change that nobody told of is delivered within a second, reading
/// it included.
const COMPARE_EVERY: Duration = Duration::from_millis(700);

/// Events read at once; a node further behind than this reads on in the next turn.
const BATCH: i64 = 1000;

/// Workspaces read at the same time.
const AT_ONCE: usize = 4;

/// A delivery-visible event, as listeners get it.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Where it happened.
    pub workspace: Uuid,
    /// The workspace's revision.
    pub revision: i64,
    /// Which event it is.
    pub event: Uuid,
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
    pub(super) fn of_new(workspace: Uuid, revision: i64, id: Uuid, event: &NewEvent) -> Notice {
        Notice {
            workspace,
            revision,
            event: id,
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
            event: event.id,
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

    /// Called when another server answers for the database: what was read, and not told of yet, may be lost with the one
    /// before.
    fn server_changed(&self) {}
}

/// See the module.
pub struct Follower {
    db: Db,
    listeners: OnceLock<Vec<Arc<dyn Listener>>>,
    progress: Mutex<Progress>,
    /// What there may be to read, and up to where.
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
            progress: Mutex::default(),
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

    /// Looks at `workspace` at once, because it may have got to `revision`.
    pub(crate) fn wake(&self, workspace: Uuid, revision: i64) {
        lock(&self.woken).entry(workspace).and_modify(|r| *r = revision.max(*r)).or_insert(revision);
        self.notify.notify_one();
    }

    /// This node has written or read what the workspace was at `place`. If listeners are never told of it, it was lost.
    pub(crate) fn expect(&self, workspace: Uuid, place: Place) {
        let mut progress = self.progress();
        progress.expect(workspace, place);
        if progress.is_contradicted() {
            self.notify.notify_one();
        }
    }

    /// The revision up to which this node has told its listeners.
    pub fn told(&self, workspace: Uuid) -> Option<i64> {
        self.place(workspace).map(|place| place.revision)
    }

    /// The place up to which this node has told its listeners.
    pub fn place(&self, workspace: Uuid) -> Option<Place> {
        self.progress().told(workspace)
    }

    /// The revision up to which this node has told its listeners, or is telling them just now: whoever begins to listen
    /// hears of everything after it.
    pub fn telling(&self, workspace: Uuid) -> Option<i64> {
        self.progress().telling(workspace)
    }

    /// The revision of every workspace up to which this node has told its listeners.
    pub fn all_told(&self) -> HashMap<Uuid, i64> {
        self.progress().all_told().map(|(workspace, place)| (workspace, place.revision)).collect()
    }

    /// Takes the present revisions as told: nothing that happened before this node started is news.
    pub(crate) async fn prime(&self) -> xr2_db::Result<()> {
        let places = queries::places(&self.db).await?;
        self.contact.answered(self.clock.now());
        let mut progress = self.progress();
        places.into_iter().for_each(|(workspace, place)| progress.prime(workspace, place));
        Ok(())
    }

    /// For a start without the database: what this node holds is as of these revisions and of that time.
    pub(crate) fn begin_without(&self, told: impl IntoIterator<Item = (Uuid, i64)>, last_contact: Time) {
        let mut progress = self.progress();
        for (workspace, revision) in told {
            progress.prime(workspace, Place { revision, event: None });
        }
        self.contact.begin_lost(last_contact, self.clock.now());
    }

    /// Takes the present revisions of workspaces as told that this node knows nothing of; the others are followed from
    /// where they were.
    pub(crate) async fn prime_unknown(&self) -> xr2_db::Result<()> {
        let places = queries::places(&self.db).await?;
        let mut progress = self.progress();
        places.into_iter().for_each(|(workspace, place)| progress.prime_unknown(workspace, place));
        Ok(())
    }

    /// Begins anew with another database.
    pub(crate) async fn begin_anew(&self) -> xr2_db::Result<()> {
        let places = queries::places(&self.db).await?;
        // Whoever woke us spoke of what the other database had.
        lock(&self.woken).clear();
        let mut anew = Progress::default();
        places.into_iter().for_each(|(workspace, place)| anew.prime(workspace, place));
        *self.progress() = anew;
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
        let mut switches = self.db.switches();
        loop {
            let outcome = tokio::select! {
                () = self.notify.notified() => self.follow_woken().await,
                Ok(()) = switches.changed() => self.follow_switch().await,
                _ = tick.tick() => self.compare_all().await,
            };
            if let Err(error) = outcome {
                self.contact.failed(self.clock.now(), &error);
            }
        }
    }

    async fn follow_woken(&self) -> xr2_db::Result<()> {
        let woken: Vec<(Uuid, i64)> = lock(&self.woken).drain().collect();
        if self.progress().is_contradicted() {
            return self.compare_all().await;
        }
        let is_news = |(workspace, revision): &(Uuid, i64)| self.told(*workspace).unwrap_or(0) < *revision;
        self.turn(woken.into_iter().filter(is_news).map(|(workspace, _)| workspace).collect()).await.map(drop)
    }

    async fn follow_switch(&self) -> xr2_db::Result<()> {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.server_changed();
        }
        self.compare_all().await
    }

    async fn compare_all(&self) -> xr2_db::Result<()> {
        self.contact.asks();
        // What is known before the question must stand in the answer.
        let (known, at) = (self.progress().clone(), self.clock.now());
        let present = queries::places(&self.db).await?;
        self.contact.answers();
        if known.is_refuted_by(&present) {
            self.forget_lost().await?;
            self.contact.answered(at);
            return Ok(());
        }
        let behind = {
            let mut progress = self.progress();
            progress.recognise(&present);
            let told = |workspace| progress.told(workspace).map_or(0, |place| place.revision);
            let behind = present.iter().filter(|(workspace, place)| told(*workspace) < place.revision);
            behind.map(|(workspace, _)| *workspace).collect()
        };
        // Not before everything that had happened by then was told, and made last where it has to: that is what the time
        // of the last contact vouches for.
        if self.turn(behind).await? {
            self.contact.answered(at);
        }
        Ok(())
    }

    async fn forget_lost(&self) -> xr2_db::Result<()> {
        tracing::warn!("the database has another history than before: what is in memory is forgotten");
        self.begin_anew().await
    }

    /// Reads and tells a page of each workspace, several at once; whoever is not through has another turn after all others
    /// who wait. Whether all are. One that cannot be read holds up no other.
    async fn turn(&self, workspaces: Vec<Uuid>) -> xr2_db::Result<bool> {
        let is_gone = AtomicBool::new(false);
        let read = |workspace| {
            let is_gone = &is_gone;
            async move {
                // Nobody waits for a database once more that does not answer.
                if is_gone.load(Ordering::Acquire) {
                    return Ok(Caught::Behind);
                }
                let caught = self.catch_up(workspace).await;
                if caught.as_ref().is_err_and(xr2_db::DbError::is_unavailable) {
                    is_gone.store(true, Ordering::Release);
                }
                caught
            }
        };
        let mut turns = futures::stream::iter(workspaces).map(read).buffer_unordered(AT_ONCE);
        let (mut is_through, mut is_another, mut failure) = (true, false, None);
        while let Some(caught) = turns.next().await {
            match caught {
                Ok(Caught::Up) => {}
                Ok(Caught::Behind) => is_through = false,
                Ok(Caught::InAnotherHistory) => is_another = true,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if is_another {
            self.forget_lost().await?;
            return Ok(true);
        }
        failure.map_or(Ok(is_through), Err)
    }

    /// Reads and tells the next page of `workspace`. A revision counts as told when all of its events are, however many
    /// they are.
    async fn catch_up(&self, workspace: Uuid) -> xr2_db::Result<Caught> {
        let cursor = self.progress().cursor(workspace);
        let Some(page) = queries::page_after(&self.db, workspace, cursor, BATCH).await? else {
            return Ok(Caught::Up);
        };
        let told = {
            let mut progress = self.progress();
            if progress.check(workspace, cursor, &page).is_err() {
                return Ok(Caught::InAnotherHistory);
            }
            progress.tells(workspace, &page)
        };
        let notices = page.events.into_iter().map(|event| Notice::of_stored(workspace, event));
        let notices: Arc<Vec<Notice>> = Arc::new(notices.collect());
        for notice in &*notices {
            self.tell(notice);
        }
        self.complete(workspace, told);
        // Whichever node made the change: every one of them may have to start without the database.
        self.make_last(&notices).await;
        if page.is_last {
            return Ok(Caught::Up);
        }
        self.wake(workspace, page.present.revision);
        Ok(Caught::Behind)
    }

    fn tell(&self, notice: &Notice) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.invalidate(notice);
            listener.in_order(notice);
        }
    }

    fn complete(&self, workspace: Uuid, told: Place) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener.caught_up(workspace, told.revision);
        }
        self.progress().complete(workspace, told);
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        lock(&self.progress)
    }
}

/// What came of reading a page.
enum Caught {
    /// Everything was told.
    Up,
    /// There is more.
    Behind,
    /// It does not go on where this node was.
    InAnotherHistory,
}

/// Everything delivery could see in `workspace` after revision `from` up to `to`, in order.
pub async fn notices_between(db: &Db, workspace: Uuid, from: i64, to: i64) -> xr2_db::Result<Vec<Notice>> {
    let (mut cursor, mut notices) = ((from, i64::MAX), Vec::new());
    let mut is_last_page = false;
    while !is_last_page && cursor.0 <= to {
        let events = queries::events_after(db, workspace, cursor, to, BATCH).await?;
        is_last_page = (events.len() as i64) < BATCH;
        if let Some(last) = events.last() {
            cursor = (last.revision.unwrap_or(to), last.sequence);
        }
        notices.extend(events.into_iter().map(|event| Notice::of_stored(workspace, event)));
    }
    Ok(notices)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
