//! Many requests in a minute: counted by the second, so that memory does not grow with the limit.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;

use crate::clock::Time;

/// A refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The limit that was reached.
    pub limit: u64,
    /// Seconds until the next one is let through.
    pub wait_seconds: u64,
}

/// Seconds that count: the present one and the sixty before it, so that no sixty seconds ever see more than the limit.
const SECONDS: usize = 61;

/// Requests by key within a sliding minute.
pub struct Windows<K> {
    known: Mutex<HashMap<K, Window>>,
    most_keys: usize,
}

struct Window {
    counts: [u32; SECONDS],
    total: u64,
    /// The second, since 1970, that was counted last.
    last: i64,
}

impl<K: Eq + Hash + Clone> Windows<K> {
    /// Memory for `most_keys`; above that, those without a request in the last minute are forgotten.
    pub fn new(most_keys: usize) -> Windows<K> {
        Windows { known: Mutex::default(), most_keys }
    }

    /// Counts a request when fewer than `limit` were counted in the last minute.
    pub fn count(&self, key: &K, limit: u64, now: Time) -> Result<(), Refused> {
        let second = now.timestamp();
        let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if known.len() >= self.most_keys && !known.contains_key(key) {
            known.retain(|_, window| second - window.last < SECONDS as i64);
        }
        let window = known.entry(key.clone()).or_insert_with(|| Window::new(second));
        window.roll(second);
        if window.total < limit {
            window.counts[slot(window.last)] += 1;
            window.total += 1;
            return Ok(());
        }
        Err(Refused { limit, wait_seconds: window.wait() })
    }
}

impl Window {
    fn new(second: i64) -> Window {
        Window { counts: [0; SECONDS], total: 0, last: second }
    }

    /// Moves on to `second`. A clock that runs backwards changes nothing.
    fn roll(&mut self, second: i64) {
        let passed = second.saturating_sub(self.last);
        if passed <= 0 {
            return;
        }
        for step in 1..=passed.min(SECONDS as i64) {
            let old = std::mem::take(&mut self.counts[slot(self.last + step)]);
            self.total -= u64::from(old);
        }
        self.last = second;
    }

    /// Seconds until the oldest counted request is out of the window.
    fn wait(&self) -> u64 {
        (1..=SECONDS as i64)
            .find(|step| self.counts[slot(self.last + step)] > 0)
            .unwrap_or(SECONDS as i64)
            .unsigned_abs()
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(SECONDS as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn no_minute_sees_more_than_the_limit() {
        let windows = Windows::new(10);
        let mut accepted = Vec::new();
        for second in 0..600 {
            for _ in 0..3 {
                if windows.count(&"key", 10, at(second)).is_ok() {
                    accepted.push(second);
                }
            }
        }
        for start in 0..540 {
            let inside = accepted.iter().filter(|second| (start..start + 60).contains(*second)).count();
            assert!(inside <= 10, "{inside} requests in the minute from {start}");
        }
        assert!(accepted.len() >= 90, "the limit is used: {}", accepted.len());
    }

    #[test]
    fn after_the_wait_the_next_one_passes() {
        let windows = Windows::new(10);
        windows.count(&"key", 2, at(0)).unwrap();
        windows.count(&"key", 2, at(20)).unwrap();
        let refused = windows.count(&"key", 2, at(30)).unwrap_err();
        assert_eq!(refused, Refused { limit: 2, wait_seconds: 31 });
        let early = at(30 + 30);
        assert!(windows.count(&"key", 2, early).is_err());
        windows.count(&"key", 2, at(30 + 31)).unwrap();
        windows.count(&"key", 2, at(5_000)).unwrap();
    }

    #[test]
    fn exactly_the_limit_passes_under_concurrency() {
        let windows = Windows::new(10);
        let passed = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        if windows.count(&1, 250, at(0)).is_ok() {
                            passed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 250);
    }
}
