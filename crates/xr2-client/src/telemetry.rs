//! What was read from memory, added up and told to the server now and then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::inner::Inner;
use crate::item::{Item, NowMicros};
use crate::settings::random_name;

/// Most events of one request, and most prompts that are reported as served.
const MOST: usize = 1_000;
/// Most versions whose reads are remembered while the server is away.
const MOST_REMEMBERED: usize = 100_000;
/// How often the server hears of us when there is nothing to tell.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// At most one report of a new revision in this time.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Telemetry {
    /// What was read since it was told last.
    read: Mutex<Vec<Arc<Item>>>,
    state: Mutex<State>,
    /// Names this run. The server counts an id once in seven days: another run under the same name of an instance must
    /// have others.
    run: String,
    next_id: AtomicU64,
    /// A revision was applied, or a stream has taken over from polling.
    pub moved: Notify,
}

/// What only the reporter looks at.
#[derive(Default)]
struct State {
    /// Events that were sent, and perhaps not received; they go again under the same ids.
    pending: Vec<Value>,
    /// The prompts this process uses, with when it did so last.
    used: HashMap<(Box<str>, Box<str>), Instant>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            read: Mutex::default(),
            state: Mutex::default(),
            run: random_name(),
            next_id: AtomicU64::new(0),
            moved: Notify::new(),
        }
    }
}

impl Telemetry {
    /// Counts a read from memory, begun at this time.
    pub fn count(&self, item: &Arc<Item>, began: std::time::Instant) {
        item.spent.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
        if item.reads.fetch_add(1, Relaxed) == 0 {
            let mut read = self.read();
            if read.len() < MOST_REMEMBERED {
                read.push(item.clone());
            }
        }
    }

    /// Whether there is something to tell.
    fn has_events(&self) -> bool {
        !self.read().is_empty() || !self.state().pending.is_empty()
    }

    /// The events of the next request.
    fn take_events(&self) -> Vec<Value> {
        let mut state = self.state();
        if !state.pending.is_empty() {
            return state.pending.clone();
        }
        let now = Utc::now_micros().to_rfc3339_opts(SecondsFormat::Micros, true);
        for item in self.take_read() {
            let (count, spent) = (item.reads.swap(0, Relaxed), item.spent.swap(0, Relaxed));
            if count == 0 {
                continue;
            }
            if let Some(label) = &item.label {
                state.used.insert((item.id.clone(), label.clone()), Instant::now());
            }
            let number = self.next_id.fetch_add(1, Relaxed);
            state.pending.push(json!({
                "id": format!("{}-{number}", self.run),
                "type": "delivery",
                "prompt": &*item.id,
                "version": item.version,
                "label": item.label.as_deref(),
                "variant": item.field("ab_test").and_then(|test| test.get("variant")),
                "at": now,
                "count": count,
                "latency_us": spent as f64 / count as f64 / 1_000.0,
            }));
        }
        state.pending.clone()
    }

    /// As much of what was read as fits into a request. Readers wait for no longer than that takes.
    fn take_read(&self) -> Vec<Arc<Item>> {
        let mut read = self.read();
        let rest = read.len().saturating_sub(MOST);
        read.split_off(rest)
    }

    fn sent(&self) {
        self.state().pending.clear();
    }

    /// What this process serves now, of what it used.
    fn serving(&self, find: impl Fn(&str, &str) -> Option<Arc<Item>>) -> Vec<Value> {
        let mut state = self.state();
        if state.used.len() > MOST {
            let mut times: Vec<_> = state.used.values().copied().collect();
            times.sort_unstable_by(|a, b| b.cmp(a));
            let oldest = times[MOST - 1];
            state.used.retain(|_, at| *at >= oldest);
        }
        state.used.retain(|(id, label), _| find(id, label).is_some());
        let served = state.used.keys().filter_map(|(id, label)| find(id, label));
        served
            .take(MOST)
            .map(|item| {
                json!({
                    "prompt": &*item.id,
                    "label": item.label.as_deref(),
                    "version": item.version,
                    "since": item.since.to_rfc3339_opts(SecondsFormat::Micros, true),
                })
            })
            .collect()
    }

    fn read(&self) -> MutexGuard<'_, Vec<Arc<Item>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the server, until the client is closed.
pub(crate) async fn run(inner: Arc<Inner>) {
    let interval = inner.settings.tuning.telemetry_interval;
    let (mut flush_at, mut beat_at) = (Instant::now() + interval, Instant::now() + HEARTBEAT);
    let mut last = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(flush_at) => {
                flush_at = Instant::now() + interval;
                if !inner.telemetry.has_events() {
                    continue;
                }
            }
            () = tokio::time::sleep_until(beat_at) => {}
            () = inner.telemetry.moved.notified() => {
                let earliest = last.map_or_else(Instant::now, |last| last + REPORT_INTERVAL);
                // A publish reaches every process at once; they need not all answer at once.
                let chance = REPORT_INTERVAL.mul_f64(fastrand::f64() / 5.0);
                tokio::time::sleep_until(earliest.max(Instant::now() + chance)).await;
            }
        }
        last = Some(Instant::now());
        beat_at = Instant::now() + HEARTBEAT;
        send(&inner).await;
    }
}

/// Tells everything there is; gives up at the first failure, and what was not told is told later.
pub(crate) async fn send(inner: &Inner) {
    if inner.refusal().is_some() {
        return;
    }
    loop {
        let events = inner.telemetry.take_events();
        let was_full = events.len() >= MOST;
        let find = |id: &str, label: &str| inner.shelves.find(label)?.get(id);
        let body = json!({
            "instance": inner.settings.instance,
            "sdk": concat!("rust/", env!("CARGO_PKG_VERSION")),
            "revision": inner.shelves.revision().unwrap_or(0),
            "stream": inner.is_live(),
            "serving": inner.telemetry.serving(find),
            "events": events,
        });
        match inner.api.telemetry(body.to_string()).await {
            Err(error) if error.is_outage() => return,
            Err(error) => {
                // It will be refused the next time, too.
                tracing::debug!(target: "xr2", "telemetry was refused: {error}");
                inner.telemetry.sent();
                return;
            }
            Ok(()) => inner.telemetry.sent(),
        }
        if !was_full {
            return;
        }
    }
}
