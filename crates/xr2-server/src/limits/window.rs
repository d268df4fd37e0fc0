//! The requests of the last minute, counted by the second, so that memory does not grow with the limit.

/// Seconds that count: the present one and the sixty before it, so that no sixty seconds ever see more than the limit.
pub(super) const SECONDS: i64 = 61;

const SLOTS: usize = SECONDS as usize;

/// A sliding minute.
pub(super) struct Window {
    counts: [u32; SLOTS],
    total: u64,
    /// The second, since 1970, that was counted last.
    last: i64,
}

impl Window {
    pub(super) fn new(second: i64) -> Window {
        Window { counts: [0; SLOTS], total: 0, last: second }
    }

    /// Requests in the minute that ends with the second last rolled to.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The second that was counted last.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// Moves on to `second`. A clock that runs backwards changes nothing.
    pub(super) fn roll(&mut self, second: i64) {
        let passed = second.saturating_sub(self.last);
        if passed <= 0 {
            return;
        }
        for step in 1..=passed.min(SECONDS) {
            let old = std::mem::take(&mut self.counts[slot(self.last + step)]);
            self.total -= u64::from(old);
        }
        self.last = second;
    }

    /// Counts a request in the second last rolled to.
    pub(super) fn record(&mut self) {
        self.counts[slot(self.last)] += 1;
        self.total += 1;
    }

    /// Takes a request of the second last rolled to back.
    pub(super) fn take_back(&mut self) {
        let count = &mut self.counts[slot(self.last)];
        if *count > 0 {
            *count -= 1;
            self.total -= 1;
        }
    }

    /// Seconds until the oldest counted request is out of the window.
    pub(super) fn wait(&self) -> u64 {
        (1..=SECONDS).find(|step| self.counts[slot(self.last + step)] > 0).unwrap_or(SECONDS).unsigned_abs()
    }
}

fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(SECONDS)).unwrap_or(0)
}
