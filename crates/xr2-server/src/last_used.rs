//! "Last used" times of keys, sessions and prompts: noted in memory, written in batches.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use chrono::TimeDelta;
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

/// What was used since the last flush. Sharded by nothing: a note is one short lock, and delivery keeps its own
/// per-entry stamps, see [`LastUsed::fetched`].
#[derive(Default)]
pub struct LastUsed {
    sessions: Mutex<HashMap<Uuid, Time>>,
    keys: Mutex<HashMap<Uuid, Time>>,
    fetches: Mutex<HashMap<Fetch, (Uuid, Time)>>,
}

/// What was fetched: workspace, prompt, label (or `#7` for a version).
pub(crate) type Fetch = (Uuid, Uuid, String);

impl LastUsed {
    /// A session was used.
    pub fn session(&self, id: Uuid, known: Time, now: Time) {
        if now - known > SESSION_STEP {
            lock(&self.sessions).insert(id, now);
        }
    }

    /// A key was used.
    pub fn key(&self, id: Uuid, now: Time) {
        lock(&self.keys).insert(id, now);
    }

    /// A prompt was fetched by a key.
    pub fn fetched(&self, workspace: Uuid, prompt: Uuid, label: &str, key: Uuid, now: Time) {
        lock(&self.fetches).insert((workspace, prompt, label.to_owned()), (key, now));
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
            queries::touch_keys(&mut tx, &keys).await?;
            queries::touch_fetches(&mut tx, &fetches).await?;
            tx.commit().await
        }
        .await;
        if written.is_err() {
            put_back(&self.sessions, sessions);
            put_back(&self.keys, keys);
            put_back(&self.fetches, fetches);
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
                tracing::warn!(%error, "could not write last-used times; they are kept and tried again");
            }
            if stopping {
                return;
            }
        }
    }
}

fn put_back<K: std::hash::Hash + Eq, V>(into: &Mutex<HashMap<K, V>>, old: HashMap<K, V>) {
    let mut map = lock(into);
    for (key, value) in old {
        map.entry(key).or_insert(value);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
