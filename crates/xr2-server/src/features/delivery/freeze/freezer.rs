//! What has changed since it was kept, and when it is written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::{Listener, Notice};
use crate::features::api_keys;
use crate::features::delivery::freeze::kept_revision;
use crate::features::delivery::freeze::writer::write_prompts;
use crate::frozen::Current;
use crate::state::App;

/// How often changes are written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// How often the time of the last contact with the database is written.
const CONTACT_EVERY: Duration = Duration::from_secs(30);

/// Prompts that took long to write are left alone for so many times as long, but not for longer than this. So are those
/// that could not be written.
const REST: u32 = 10;
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Which prompts of a workspace have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Changed {
    Prompts(BTreeSet<Uuid>),
    Everything,
}

impl Changed {
    fn and(&mut self, other: Changed) {
        match (&mut *self, other) {
            (Changed::Prompts(mine), Changed::Prompts(more)) => mine.extend(more),
            (_, _) => *self = Changed::Everything,
        }
    }
}

/// What of a workspace is not kept as it is.
#[derive(Debug, Default)]
struct Outdated {
    keys: bool,
    prompts: Option<Changed>,
    /// When what is kept was last as it is; none: just now.
    since: Option<Time>,
}

impl Outdated {
    fn and(&mut self, keys: bool, prompts: Option<Changed>) {
        self.keys |= keys;
        match (&mut self.prompts, prompts) {
            (Some(mine), Some(more)) => mine.and(more),
            (mine, Some(more)) => *mine = Some(more),
            (_, None) => {}
        }
    }
}

/// Notes changes and writes them. Keys are small and must not be old: they are written first, and never wait for prompts.
#[derive(Default)]
pub struct Freezer {
    outdated: Mutex<HashMap<Uuid, Outdated>>,
    /// Set when the database is another one: whatever is kept is written anew.
    is_another: AtomicBool,
}

impl Listener for Freezer {
    fn invalidate(&self, _: &Notice) {}

    fn in_order(&self, notice: &Notice) {
        let group = notice.kind.split('.').next().unwrap_or_default();
        let (keys, prompts) = match (group, notice.resource_id) {
            // The prompts' file tells up to which revision it goes.
            _ if notice.kind == "prompt.edited" => (false, Changed::Prompts(BTreeSet::new())),
            ("prompt" | "version" | "label", Some(id)) if notice.resource_type == "prompt" => {
                (false, Changed::Prompts([id].into()))
            }
            ("api_key" | "member", _) => (true, Changed::Prompts(BTreeSet::new())),
            _ => (true, Changed::Everything),
        };
        self.note(notice.workspace, keys, Some(prompts));
    }

    fn forget(&self) {
        self.outdated().clear();
        self.is_another.store(true, Ordering::Release);
    }
}

/// What the writer remembers from one time to the next.
#[derive(Default)]
struct Memory {
    has_begun: bool,
    contact_noted: Option<Instant>,
    /// The failure of the journal since which all keys have been noted for writing.
    failure: Option<u64>,
    /// Workspaces whose keys were kept before this process began and are not as they were: the journal does not tell what
    /// was taken away meanwhile.
    unverified: HashSet<Uuid>,
    /// The last contact with the database when it last wrote; none before anything was.
    last: Option<Time>,
    /// Until when prompts that take long are left alone.
    resting: HashMap<Uuid, Instant>,
    /// What could not be written last time, which the log tells once.
    failing: HashSet<Uuid>,
}

impl Freezer {
    /// Writes until the server stops, then once more.
    pub async fn run(&self, app: &App) {
        if !app.frozen().is_on() {
            return;
        }
        let stop = app.stopping();
        let mut memory = Memory::default();
        loop {
            let is_stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(WRITE_EVERY) => false,
            };
            if app.db().has_started() && app.follower().contact().stale().is_none() {
                app.keys().thawed().forget();
                app.prompt_cache().thawed().forget();
                self.write_all(app, &mut memory, is_stopping).await;
            } else if memory.contact_noted.take().is_some() {
                // Just lost: from now on the file tells exactly since when.
                note_contact(app).await;
            }
            if is_stopping {
                return;
            }
        }
    }

    async fn write_all(&self, app: &App, memory: &mut Memory, is_stopping: bool) {
        let is_another = self.is_another.swap(false, Ordering::AcqRel);
        if is_another || !memory.has_begun {
            memory.has_begun = self.begin(app, is_another, memory).await;
            if !memory.has_begun {
                self.is_another.fetch_or(is_another, Ordering::AcqRel);
                return;
            }
        }
        let at = app.follower().contact().last();
        let failure = app.frozen().distrust();
        if failure.is_some() && failure != memory.failure {
            app.follower().all_told().into_keys().for_each(|workspace| self.note(workspace, true, None));
        }
        memory.failure = failure;
        let (written, is_complete) = self.write_keys(app, memory).await;
        if is_complete {
            if let Some(failure) = failure {
                trust_again(app, failure).await;
            }
            // What is kept counts as being of then, so the keys have to be.
            let is_due = memory.contact_noted.is_none_or(|at| at.elapsed() > CONTACT_EVERY);
            if is_due || is_stopping {
                memory.contact_noted = Some(Instant::now());
                note_contact(app).await;
            }
        }
        if is_stopping {
            memory.resting.clear();
        }
        self.write_prompts(app, memory, &written).await;
        let behind = self.behind(memory.last.replace(at).unwrap_or(at));
        app.frozen().set_current(Current { at, behind });
    }

    /// Finds out what is not kept yet, or as it was at another revision. Whether that worked.
    async fn begin(&self, app: &App, is_another: bool, memory: &mut Memory) -> bool {
        let told = app.follower().all_told();
        let frozen = app.frozen().clone();
        let known: Vec<Uuid> = told.keys().copied().collect();
        let kept = tokio::task::spawn_blocking(move || {
            frozen.settle_journal();
            for gone in frozen.all_workspaces().into_iter().filter(|workspace| !known.contains(workspace)) {
                frozen.remove(gone);
            }
            let revision = |workspace| (workspace, kept_revision(&frozen, workspace));
            (known.into_iter().map(revision).collect::<Vec<_>>(), frozen.last_contact())
        })
        .await;
        let Ok((kept, last)) = kept else { return false };
        memory.last = last.map(|current| current.of_all());
        for (workspace, revision) in kept {
            if is_another || revision != told.get(&workspace).copied() {
                self.note(workspace, true, Some(Changed::Everything));
                memory.unverified.insert(workspace);
            }
        }
        true
    }

    /// Writes the keys of all workspaces where they have changed, at which revisions; and whether no keys are left that
    /// should not count any more.
    async fn write_keys(&self, app: &App, memory: &mut Memory) -> (HashMap<Uuid, i64>, bool) {
        let mut written = HashMap::new();
        let mut is_complete = true;
        for workspace in self.waiting(|outdated| outdated.keys) {
            // Told first: every change up to it is among those taken.
            let Some(told) = app.follower().told(workspace) else { continue };
            self.take(workspace, |outdated| Some(std::mem::take(&mut outdated.keys)));
            match api_keys::freeze(app, workspace, told).await {
                Ok(()) => {
                    written.insert(workspace, told);
                    memory.unverified.remove(&workspace);
                    self.done(workspace);
                }
                Err(error) => {
                    self.note(workspace, true, None);
                    memory.complain(workspace, &error);
                    if app.follower().contact().stale().is_some() {
                        return (written, false);
                    }
                    // Later revocations are in the journal. Without those keys are worse than none.
                    if error.code == Code::Unavailable {
                        is_complete = false;
                    } else if memory.failure.is_some() || memory.unverified.remove(&workspace) {
                        remove(app, workspace).await;
                    }
                }
            }
        }
        (written, is_complete)
    }

    /// Writes the prompts of all workspaces that have changed and do not rest, and their keys as of the same revision.
    async fn write_prompts(&self, app: &App, memory: &mut Memory, keys: &HashMap<Uuid, i64>) {
        let now = Instant::now();
        memory.resting.retain(|_, until| *until > now);
        for workspace in self.waiting(|outdated| outdated.prompts.is_some()) {
            if memory.resting.contains_key(&workspace) {
                continue;
            }
            let Some(told) = app.follower().told(workspace) else { continue };
            let Some(changed) = self.take(workspace, |outdated| outdated.prompts.take()) else { continue };
            let began = Instant::now();
            let has_keys = keys.get(&workspace) == Some(&told);
            let rest = match write_one(app, workspace, told, &changed, has_keys).await {
                Ok(()) => {
                    memory.failing.remove(&workspace);
                    self.renew(workspace);
                    metrics::histogram!("xr2_snapshot_write_seconds").record(began.elapsed().as_secs_f64());
                    (began.elapsed() * REST).min(LONGEST_REST)
                }
                Err(error) => {
                    self.note(workspace, false, Some(changed));
                    memory.complain(workspace, &error);
                    if app.follower().contact().stale().is_some() {
                        return;
                    }
                    LONGEST_REST
                }
            };
            if rest > WRITE_EVERY {
                memory.resting.insert(workspace, Instant::now() + rest);
            }
        }
    }

    /// When what is still to be written was as it is: at `before`, unless it was waiting then already.
    fn behind(&self, before: Time) -> HashMap<Uuid, i64> {
        let mut outdated = self.outdated();
        let since = |one: &mut Outdated| one.since.get_or_insert(before).timestamp_micros();
        outdated.iter_mut().map(|(workspace, one)| (*workspace, since(one))).collect()
    }

    fn note(&self, workspace: Uuid, keys: bool, prompts: Option<Changed>) {
        self.outdated().entry(workspace).or_default().and(keys, prompts);
    }

    fn waiting(&self, is_one: impl Fn(&Outdated) -> bool) -> Vec<Uuid> {
        let outdated = self.outdated();
        outdated.iter().filter(|(_, one)| is_one(one)).map(|(workspace, _)| *workspace).collect()
    }

    /// Takes out what is about to be written.
    fn take<T>(&self, workspace: Uuid, part: impl FnOnce(&mut Outdated) -> Option<T>) -> Option<T> {
        self.outdated().get_mut(&workspace).and_then(part)
    }

    /// Something was written: of a workspace of which everything is, nothing is left.
    fn done(&self, workspace: Uuid) {
        self.outdated().retain(|id, one| *id != workspace || one.keys || one.prompts.is_some());
    }

    /// Everything was written but for what has come meanwhile.
    fn renew(&self, workspace: Uuid) {
        self.take(workspace, |outdated| outdated.since.take());
        self.done(workspace);
    }

    fn outdated(&self) -> MutexGuard<'_, HashMap<Uuid, Outdated>> {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// That the database is gone is told elsewhere.
    fn complain(&mut self, workspace: Uuid, error: &ApiError) {
        if error.code != Code::Unavailable && self.failing.insert(workspace) {
            let cause = error.cause();
            tracing::warn!(%error, cause, %workspace, "the snapshot could not be written; it is tried again");
        }
    }
}

/// Writes the prompts, and the keys unless they are written already.
async fn write_one(app: &App, workspace: Uuid, told: i64, changed: &Changed, has_keys: bool) -> Result<()> {
    write_prompts(app, workspace, told, changed).await?;
    if has_keys { Ok(()) } else { api_keys::freeze(app, workspace, told).await }
}

async fn note_contact(app: &App) {
    let (frozen, at) = (app.frozen().clone(), app.follower().contact().last());
    let noted = tokio::task::spawn_blocking(move || frozen.note_contact(at)).await;
    if let Ok(Err(error)) = noted {
        tracing::warn!(%error, "the time of the last contact could not be kept");
    }
}

async fn remove(app: &App, workspace: Uuid) {
    let frozen = app.frozen().clone();
    if let Err(error) = tokio::task::spawn_blocking(move || frozen.remove(workspace)).await {
        tracing::warn!(%error, "what is kept of a workspace could not be removed");
    }
}

async fn trust_again(app: &App, failure: u64) {
    let frozen = app.frozen().clone();
    if let Err(error) = tokio::task::spawn_blocking(move || frozen.trust_again(failure)).await {
        tracing::warn!(%error, "the journal of revoked keys could not be written anew");
    }
}
