//! "Last used" times of keys, sessions and prompts: noted in memory, written in batches.
//!
//! Whatever is used often carries its own stamp. The first use in a second sets the stamp's time, the first one after a
//! flush also puts the stamp into the queue of the next. So a request reads two atomics and, once a second, writes them
//! and takes a lock.

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

/// Within so many microseconds a stamp's time is set once.
const STEP: i64 = 1_000_000;

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
        // Looked at before it is written: the line stays shared between cores.
        let micros = now.timestamp_micros();
        if micros.div_euclid(STEP) > self.micros.load(Ordering::Relaxed).div_euclid(STEP) {
            self.micros.store(micros, Ordering::Relaxed);
        }
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
        let mut batch = self.take();
        if batch.is_empty() {
            return Ok(());
        }
        let mut tx = app.db().system(Purpose::LastUsed).write().await?;
        queries::touch_sessions(&mut tx, &batch.sessions, app.config().session_lifetime()).await?;
        queries::touch_keys(&mut tx, &batch.key_times).await?;
        queries::touch_fetches(&mut tx, &batch.fetch_times).await?;
        tx.commit().await?;
        batch.is_written = true;
        Ok(())
    }

    /// Takes everything noted.
    fn take(&self) -> Batch<'_> {
        let sessions = std::mem::take(&mut *lock(&self.sessions));
        let keys = std::mem::take(&mut *lock(&self.keys));
        let fetches = std::mem::take(&mut *lock(&self.fetches));
        let (key_times, fetch_times) = (newest_keys(&keys), newest_fetches(&fetches));
        Batch { noted: self, sessions, keys, fetches, key_times, fetch_times, is_written: false }
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
}

/// What is being written. It goes back to what is noted unless it was, also when nobody waits for it any more.
struct Batch<'a> {
    noted: &'a LastUsed,
    sessions: HashMap<Uuid, Time>,
    keys: Vec<Arc<KeyStamp>>,
    fetches: Vec<(Arc<FetchStamp>, Uuid)>,
    key_times: HashMap<Uuid, Time>,
    fetch_times: HashMap<Fetch, (Uuid, Time)>,
    is_written: bool,
}

impl Batch<'_> {
    fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.keys.is_empty() && self.fetches.is_empty()
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if self.is_written {
            return;
        }
        let mut present = lock(&self.noted.sessions);
        for (id, at) in self.sessions.drain() {
            present.entry(id).or_insert(at);
        }
        drop(present);
        // All stamps were taken; what is queued by now has been used since, and is noted already.
        let is_unqueued = |stamp: &Stamp| !stamp.queued.swap(true, Ordering::AcqRel);
        let keys = self.keys.drain(..).filter(|key| is_unqueued(&key.stamp));
        lock(&self.noted.keys).extend(keys);
        let fetches = self.fetches.drain(..).filter(|(fetch, _)| is_unqueued(&fetch.stamp));
        lock(&self.noted.fetches).extend(fetches);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Time {
        DateTime::from_timestamp_micros(micros).unwrap()
    }

    #[test]
    fn what_was_not_written_is_noted_again() {
        let noted = LastUsed::default();
        let key = KeyStamp::new(Uuid::from_u128(1));
        let fetch = FetchStamp::new(Uuid::from_u128(2), Uuid::from_u128(3), "production".into());
        let session = Uuid::from_u128(4);
        for round in 1..4 {
            let now = at(round * STEP);
            noted.key(&key, now);
            noted.fetched(&fetch, key.key, now);
            noted.session(session, at(0) - TimeDelta::days(1), at(STEP));
            let batch = noted.take();
            assert_eq!(batch.key_times, HashMap::from([(key.key, now)]), "round {round}");
            assert_eq!(batch.fetch_times, HashMap::from([(fetch.what.clone(), (key.key, now))]));
            assert_eq!(batch.sessions, HashMap::from([(session, at(STEP))]));
            // Used while the batch is on its way: it is noted once.
            noted.key(&key, now);
            drop(batch);
            assert_eq!((lock(&noted.keys).len(), lock(&noted.fetches).len()), (1, 1));
        }
        let mut batch = noted.take();
        assert_eq!(batch.key_times[&key.key], at(3 * STEP));
        batch.is_written = true;
        drop(batch);
        assert!(noted.take().is_empty());
        noted.key(&key, at(4 * STEP));
        assert_eq!(noted.take().key_times[&key.key], at(4 * STEP));
    }

    #[test]
    fn a_time_is_set_once_a_second_and_never_back() {
        let stamp = Stamp::default();
        for (now, expected) in [(15, 15), (16, 15), (25, 25), (17, 25)] {
            stamp.touch(at(now * STEP / 10));
            assert_eq!(stamp.take(), at(expected * STEP / 10));
        }
    }
}
