//! "Last used" times of keys, sessions and prompts: noted in memory, written in batches.
//!
//! Whatever is used often carries its own stamp. A use sets the stamp's time; only the first one after a flush also
//! puts the stamp into the queue of the next. So a request touches two atomics and, once a second, a lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::Purpose;

use crate::clock::Time;
use crate::queries;
use crate::state::App;

/// How often what was noted is written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// A session's time is written at most this often; nobody needs it to the second.
const SESSION_STEP: TimeDelta = TimeDelta::seconds(60);

/// When something was last used.
#[derive(Debug, Default)]
struct Stamp {
    micros: AtomicI64,
    queued: AtomicBool,
}

impl Stamp {
    /// Sets the time. Whether the stamp has yet to be put into the queue.
    fn touch(&self, now: Time) -> bool {
        self.micros.store(now.timestamp_micros(), Ordering::Relaxed);
        // Looked at before it is written: the line stays shared between cores.
        !self.queued.load(Ordering::Relaxed) && !self.queued.swap(true, Ordering::AcqRel)
    }

    /// Takes the time for writing; a later use queues again.
    fn take(&self) -> Time {
        self.queued.store(false, Ordering::Release);
        DateTime::from_timestamp_micros(self.micros.load(Ordering::Acquire)).unwrap_or_default()
    }
}

/// A key's stamp.
#[derive(Debug)]
pub struct KeyStamp {
    key: Uuid,
    stamp: Stamp,
}

impl KeyStamp {
    /// The stamp of a key.
    pub fn new(key: Uuid) -> Arc<KeyStamp> {
        Arc::new(KeyStamp { key, stamp: Stamp::default() })
    }
}

/// The stamp of a prompt under one label (or `#7` for a version).
#[derive(Debug)]
pub struct FetchStamp {
    what: Fetch,
    stamp: Stamp,
}

impl FetchStamp {
    /// The stamp of what is fetched.
    pub fn new(workspace: Uuid, prompt: Uuid, label: String) -> Arc<FetchStamp> {
        Arc::new(FetchStamp { what: (workspace, prompt, label), stamp: Stamp::default() })
    }
}

/// What was fetched: workspace, prompt, label (or `#7` for a version).
pub(crate) type Fetch = (Uuid, Uuid, String);

/// What was used since the last flush.
#[derive(Default)]
pub struct LastUsed {
    sessions: Mutex<HashMap<Uuid, Time>>,
    keys: Mutex<Vec<Arc<KeyStamp>>>,
    fetches: Mutex<Vec<(Arc<FetchStamp>, Uuid)>>,
}

impl LastUsed {
    /// A session was used. Whether that extends it.
    pub fn session(&self, id: Uuid, known: Time, now: Time) -> bool {
        let extends = now - known > SESSION_STEP;
        if extends {
            lock(&self.sessions).insert(id, now);
        }
        extends
    }

    /// A key was used.
    pub fn key(&self, key: &Arc<KeyStamp>, now: Time) {
        if key.stamp.touch(now) {
            lock(&self.keys).push(key.clone());
        }
    }

    /// A prompt was fetched by a key.
    pub fn fetched(&self, fetch: &Arc<FetchStamp>, key: Uuid, now: Time) {
        if fetch.stamp.touch(now) {
            lock(&self.fetches).push((fetch.clone(), key));
        }
    }

    /// Writes everything noted. What cannot be written is kept for the next time.
    pub async fn flush(&self, app: &App) -> xr2_db::Result<()> {
        let sessions = std::mem::take(&mut *lock(&self.sessions));
        let keys = std::mem::take(&mut *lock(&self.keys));
        let fetches = std::mem::take(&mut *lock(&self.fetches));
        if sessions.is_empty() && keys.is_empty() && fetches.is_empty() {
            return Ok(());
        }
        let written = async {
            let mut tx = app.db().system(Purpose::LastUsed).write().await?;
            let expiry = app.config().session_lifetime();
            queries::touch_sessions(&mut tx, &sessions, expiry).await?;
            queries::touch_keys(&mut tx, &newest_keys(&keys)).await?;
            queries::touch_fetches(&mut tx, &newest_fetches(&fetches)).await?;
            tx.commit().await
        }
        .await;
        if written.is_err() {
            self.put_back(sessions, keys, fetches);
        }
        written
    }

    /// Flushes every second until `stop`, then once more.
    pub async fn run(&self, app: &App, stop: CancellationToken) {
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(FLUSH_EVERY) => false,
            };
            if let Err(error) = self.flush(app).await {
                // Once a second for as long as the database is gone would be too often; whoever asked it has told.
                match error.is_refusal() {
                    true => tracing::debug!(%error, "last-used times wait for the database"),
                    false => {
                        tracing::warn!(%error, "could not write last-used times; they are kept and tried again")
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    fn put_back(
        &self,
        sessions: HashMap<Uuid, Time>,
        keys: Vec<Arc<KeyStamp>>,
        fetches: Vec<(Arc<FetchStamp>, Uuid)>,
    ) {
        let mut present = lock(&self.sessions);
        for (id, at) in sessions {
            present.entry(id).or_insert(at);
        }
        drop(present);
        let unqueued = |stamp: &Stamp| !stamp.queued.swap(true, Ordering::AcqRel);
        lock(&self.keys).extend(keys.into_iter().filter(|key| unqueued(&key.stamp)));
        lock(&self.fetches).extend(fetches.into_iter().filter(|(fetch, _)| unqueued(&fetch.stamp)));
    }
}

/// A key may have several stamps: it was read into memory again.
fn newest_keys(keys: &[Arc<KeyStamp>]) -> HashMap<Uuid, Time> {
    let mut newest = HashMap::new();
    for key in keys {
        let at = key.stamp.take();
        newest.entry(key.key).and_modify(|known| *known = at.max(*known)).or_insert(at);
    }
    newest
}

/// A prompt has a stamp for each name it was asked by.
fn newest_fetches(fetches: &[(Arc<FetchStamp>, Uuid)]) -> HashMap<Fetch, (Uuid, Time)> {
    let mut newest: HashMap<Fetch, (Uuid, Time)> = HashMap::new();
    for (fetch, key) in fetches {
        let at = fetch.stamp.take();
        let known = newest.entry(fetch.what.clone()).or_insert((*key, at));
        if at > known.1 {
            *known = (*key, at);
        }
    }
    newest
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
