//! Whether this node hears of changes: it is in contact as long as the database answers when revisions are compared, and
//! as of the last answer of which everything was told.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::DateTime;

use crate::clock::{Clock, Time};

/// A question that is not answered for so long counts as not heard.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the seconds are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// See the module. Deliveries ask it for one number, which is one atomic read.
#[derive(Default)]
pub struct Contact {
    /// Last answer, in microseconds since 1970.
    last: AtomicI64,
    is_lost: AtomicBool,
    asked: Mutex<Option<Instant>>,
    /// Seconds without contact; 0 while there is some.
    stale: AtomicU64,
}

impl Contact {
    /// Seconds since the last answer; none while the database answers.
    pub fn stale(&self) -> Option<u64> {
        match self.stale.load(Ordering::Relaxed) {
            0 => None,
            seconds => Some(seconds),
        }
    }

    /// When the database last answered.
    pub fn last(&self) -> Time {
        DateTime::from_timestamp_micros(self.last.load(Ordering::Acquire)).unwrap_or_default()
    }

    pub(super) fn asks(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The database answers, though not everything it has to tell was told yet.
    pub(super) fn answers(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn answered(&self, now: Time) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let stale = self.stale.swap(0, Ordering::AcqRel);
        self.last.store(now.timestamp_micros(), Ordering::Release);
        self.is_lost.store(false, Ordering::Release);
        if stale > 0 {
            tracing::info!(seconds = stale, "the database answers again");
        }
    }

    pub(super) fn failed(&self, now: Time, error: &dyn std::fmt::Display) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if !self.is_lost.swap(true, Ordering::AcqRel) {
            tracing::warn!(%error, "the database does not answer; what is known is delivered meanwhile");
        }
        self.count(now);
    }

    /// For a start without the database: it last answered at `last`, before this process began.
    pub(super) fn begin_lost(&self, last: Time, now: Time) {
        self.last.store(last.timestamp_micros(), Ordering::Release);
        self.is_lost.store(true, Ordering::Release);
        self.count(now);
    }

    /// Counts the seconds, also while nobody answers at all.
    pub(super) async fn watch(&self, clock: &Clock) {
        loop {
            tokio::time::sleep(COUNT_EVERY).await;
            self.count(clock.now());
        }
    }

    fn count(&self, now: Time) {
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs = asked.is_some_and(|asked| asked.elapsed() > PATIENCE);
        if hangs || self.is_lost.load(Ordering::Acquire) {
            let seconds = (now - self.last()).num_seconds().max(1).unsigned_abs();
            self.stale.store(seconds, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn counts_from_the_last_answer() {
        let (contact, start) = (Contact::default(), Clock::default().now());
        contact.answered(start);
        assert_eq!(contact.stale(), None);
        contact.failed(start, &"gone");
        assert_eq!(contact.stale(), Some(1), "cut off is cut off, even if only just");
        contact.failed(start + TimeDelta::seconds(90), &"gone");
        assert_eq!(contact.stale(), Some(90));
        contact.answered(start + TimeDelta::seconds(91));
        assert_eq!((contact.stale(), contact.last()), (None, start + TimeDelta::seconds(91)));
        contact.begin_lost(start, start + TimeDelta::hours(2));
        assert_eq!(contact.stale(), Some(7200));
    }
}
