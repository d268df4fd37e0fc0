//! Waiting before the next attempt, so that a thousand clients do not come back at once.

use std::time::Duration;

/// Half of the time, and up to as much again by chance.
pub(crate) fn jittered(time: Duration) -> Duration {
    time.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// Longer waits as failures follow each other.
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// How long to wait now.
    pub fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (self.next * 2).min(self.most);
        jittered(wait)
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}
