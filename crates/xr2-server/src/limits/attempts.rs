//! A few attempts in a long while, each remembered by its time, so that "try again in n seconds" is exact.

mod shared;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Mutex;

use chrono::TimeDelta;

use crate::clock::Time;
use crate::limits::Refused;

pub use shared::{Counted, SharedAttempts};

/// Attempts by key within a sliding window. Bounded: when too many keys are known, those that have the fewest attempts
/// are forgotten, so that nobody escapes by filling the memory.
pub struct Attempts<K> {
    limit: usize,
    window: TimeDelta,
    most_keys: usize,
    known: Mutex<HashMap<K, VecDeque<Time>>>,
}

impl<K: Eq + Hash + Clone> Attempts<K> {
    /// At most `limit` attempts by key within `window`; memory for `most_keys`.
    pub fn new(limit: u32, window: TimeDelta, most_keys: usize) -> Attempts<K> {
        Attempts { limit: limit as usize, window, most_keys, known: Mutex::default() }
    }

    /// Counts an attempt, or tells how long to wait.
    pub fn count(&self, key: &K, now: Time) -> Result<(), Refused> {
        let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !known.contains_key(key) && known.len() >= self.most_keys {
            self.make_room(&mut known, now);
        }
        let times = known.entry(key.clone()).or_default();
        while times.front().is_some_and(|first| *first + self.window <= now) {
            times.pop_front();
        }
        if times.len() < self.limit {
            times.push_back(now);
            return Ok(());
        }
        let free_at = times.front().map_or(now, |first| *first + self.window);
        let wait = (free_at - now).num_milliseconds().max(0).unsigned_abs().div_ceil(1000).max(1);
        Err(Refused { limit: self.limit as u64, wait_seconds: wait })
    }

    /// Takes the last counted attempt back: it succeeded.
    pub fn forgive(&self, key: &K) {
        let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(times) = known.get_mut(key) {
            times.pop_back();
            if times.is_empty() {
                known.remove(key);
            }
        }
    }

    /// Forgets what is over; if that is not enough, the tenth with the fewest attempts.
    fn make_room(&self, known: &mut HashMap<K, VecDeque<Time>>, now: Time) {
        known.retain(|_, times| times.back().is_some_and(|last| *last + self.window > now));
        let aim = self.most_keys - self.most_keys.div_ceil(10);
        if known.len() <= aim {
            return;
        }
        let mut counts: Vec<usize> = known.values().map(VecDeque::len).collect();
        counts.sort_unstable();
        let threshold = counts[known.len() - aim - 1];
        let mut surplus = known.len() - aim;
        known.retain(|_, times| {
            let goes = surplus > 0 && times.len() <= threshold;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: TimeDelta = TimeDelta::minutes(15);

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_wait_is_honest() {
        let attempts = Attempts::new(2, WINDOW, 10);
        attempts.count(&"ann", at(0)).unwrap();
        attempts.count(&"ann", at(60)).unwrap();
        let refused = attempts.count(&"ann", at(100)).unwrap_err();
        assert_eq!(refused, Refused { limit: 2, wait_seconds: 800 });
        assert!(attempts.count(&"ann", at(899)).is_err());
        attempts.count(&"ann", at(900)).unwrap();
        attempts.count(&"bob", at(100)).unwrap();
    }

    #[test]
    fn success_is_not_held_against_anybody() {
        let attempts = Attempts::new(1, WINDOW, 10);
        for _ in 0..5 {
            attempts.count(&"ann", at(0)).unwrap();
            attempts.forgive(&"ann");
        }
    }

    #[test]
    fn filling_the_memory_frees_nobody_who_is_refused() {
        let attempts = Attempts::new(2, WINDOW, 20);
        attempts.count(&1_000, at(0)).unwrap();
        attempts.count(&1_000, at(0)).unwrap();
        for key in 0..200 {
            attempts.count(&key, at(1)).unwrap();
        }
        assert!(attempts.known.lock().unwrap().len() <= 20);
        assert!(attempts.count(&1_000, at(2)).is_err());
    }
}
