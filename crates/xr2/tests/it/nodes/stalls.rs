//! How much the machine itself holds things up: what is promised in seconds is promised by a machine that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(10);

/// The longest that anything had to wait for nothing but the machine.
pub struct Stalls {
    ticks: AtomicU64,
    requests: AtomicU64,
}

impl Stalls {
    /// Begins to watch, until it is dropped.
    pub fn watch() -> Arc<Stalls> {
        let stalls = Arc::new(Stalls { ticks: AtomicU64::new(0), requests: AtomicU64::new(0) });
        let watched = Arc::downgrade(&stalls);
        std::thread::spawn(move || {
            let mut before = Instant::now();
            while let Some(stalls) = watched.upgrade() {
                std::thread::sleep(TICK);
                let late = before.elapsed().saturating_sub(TICK * 2);
                stalls.ticks.fetch_max(micros(late), Ordering::Relaxed);
                before = Instant::now();
            }
        });
        stalls
    }

    /// Forgets what was.
    pub fn begin(&self) {
        self.ticks.store(0, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
    }

    /// A request was answered after so long.
    pub fn note(&self, took: Duration) {
        self.requests.fetch_max(micros(took), Ordering::Relaxed);
    }

    /// The worst since it began.
    pub fn worst(&self) -> Duration {
        let sum = self.ticks.load(Ordering::Relaxed) + self.requests.load(Ordering::Relaxed);
        Duration::from_micros(sum)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
