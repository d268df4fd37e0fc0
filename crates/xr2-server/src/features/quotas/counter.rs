//! The calls of one workspace in one month.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use chrono::{Datelike, NaiveDate};

use crate::clock::Time;

/// Months since year 0.
pub fn month_of(at: Time) -> i64 {
    i64::from(at.year()) * 12 + i64::from(at.month0())
}

/// The first day of a month.
pub(super) fn first_day(month: i64) -> NaiveDate {
    let year = i32::try_from(month.div_euclid(12)).unwrap_or(0);
    let month = u32::try_from(month.rem_euclid(12)).unwrap_or(0);
    NaiveDate::from_ymd_opt(year, month + 1, 1).unwrap_or_default()
}

/// See the module. What is used is what this node has counted and what the database knows beyond that.
#[derive(Default)]
pub(super) struct Counter {
    pub(super) month: i64,
    /// Calls on this node.
    counted: AtomicI64,
    /// Those of them that the database knows of.
    written: AtomicI64,
    /// What the database knows of, without those.
    beyond: AtomicI64,
    /// Whether the database was asked.
    is_read: AtomicBool,
}

impl Counter {
    pub(super) fn new(month: i64) -> Counter {
        Counter { month, ..Counter::default() }
    }

    pub(super) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Acquire)
    }

    pub(super) fn used(&self) -> i64 {
        self.counted.load(Ordering::Relaxed) + self.beyond.load(Ordering::Relaxed)
    }

    /// Counts a call, if fewer than `most` were; tells how many there are now.
    pub(super) fn take(&self, most: i64) -> Option<i64> {
        let beyond = self.beyond.load(Ordering::Relaxed);
        let counted = self.counted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |counted| {
            (counted + beyond < most).then_some(counted + 1)
        });
        counted.ok().map(|counted| counted + beyond + 1)
    }

    /// A call came to nothing.
    pub(super) fn take_back(&self) {
        self.counted.fetch_sub(1, Ordering::Relaxed);
    }

    /// Calls of this node are in the database now.
    pub(super) fn wrote(&self, count: i64) {
        self.written.fetch_add(count, Ordering::Relaxed);
    }

    /// Goes without what the database knows, until that can be read.
    pub(super) fn go_without(&self) {
        self.is_read.store(true, Ordering::Release);
    }

    /// Takes in what the database knows. Nothing may be written meanwhile.
    pub(super) fn read(&self, stored: i64) {
        self.beyond.store(stored - self.written.load(Ordering::Relaxed), Ordering::Relaxed);
        self.is_read.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        for (text, first) in [("2026-01-01T00:00:00Z", "2026-01-01"), ("2026-12-31T23:59:59Z", "2026-12-01")]
        {
            let month = month_of(text.parse().unwrap());
            assert_eq!(first_day(month).to_string(), first);
        }
        assert_eq!(
            first_day(month_of("2026-12-31T23:59:59Z".parse().unwrap()) + 1).to_string(),
            "2027-01-01"
        );
    }

    #[test]
    fn what_is_written_counts_once() {
        let counter = Counter::new(1);
        counter.read(5);
        assert_eq!((counter.take(7), counter.take(7), counter.take(7)), (Some(6), Some(7), None));
        counter.wrote(2);
        counter.read(7);
        assert_eq!(counter.used(), 7);
        counter.read(9);
        assert_eq!(counter.used(), 9, "another node has counted two");
        counter.take_back();
        assert_eq!(counter.used(), 8);
    }
}
