//! Permits of one limit that this node holds, lent from what all nodes share.

use std::sync::Arc;
use std::time::Duration;

use super::lending::Gate;

/// For how long what is lent may be kept, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// After this Redis takes back what a silent node holds.
    pub(crate) lapse: i64,
}

impl Terms {
    /// Permits of a silent node come back after `lent_for`.
    pub(crate) fn new(lent_for: Duration) -> Terms {
        Terms { lapse: i64::try_from(lent_for.as_secs()).unwrap_or(i64::MAX >> 11).max(1) }
    }

    /// For so long the node may use them: for less than Redis keeps them.
    fn usable(self) -> i64 {
        (self.lapse * 5 / 6).max(1)
    }

    /// A node that has not told Redis for so long what it used and holds does so now.
    pub(crate) fn tell_every(self) -> i64 {
        (self.lapse / 3).max(1)
    }

    /// Permits of a limit that nobody has asked for in so long are given back.
    pub(crate) fn idle(self) -> i64 {
        (self.lapse * 2 / 3).max(1)
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Hand {
    /// Held by whoever asks Redis on behalf of all who wait.
    pub(crate) gate: Arc<Gate>,
    held: u64,
    /// Permits nobody had when Redis was last asked.
    free: u64,
    /// Until which second the permits may be used.
    usable_until: i64,
    /// When Redis was last asked.
    asked_at: i64,
    /// Until this second all is used up, whoever asks.
    shut_until: i64,
    /// Until this second nothing is asked for ahead: somebody else needs it more.
    modest_until: i64,
    /// Whether more is being asked for already.
    is_asking: bool,
}

/// What a node asks for beside what its requests wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// Permits it would like to have ahead of need.
    pub(crate) ahead: u64,
    /// Permits it still holds.
    pub(crate) held: u64,
}

impl Hand {
    /// Permits in hand.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// Permits in hand, and those nobody had when Redis was last asked.
    pub(crate) fn within_reach(&self) -> u64 {
        self.held + self.free
    }

    /// Whether permits in hand may be used.
    pub(crate) fn is_usable(&self, now: i64) -> bool {
        now < self.usable_until
    }

    /// Spends a permit.
    pub(crate) fn take(&mut self, now: i64) -> bool {
        let may = self.held > 0 && self.is_usable(now);
        self.held -= u64::from(may);
        may
    }

    /// A permit was spent on nothing.
    pub(crate) fn put_back(&mut self) {
        self.held += 1;
    }

    /// Whether more should be asked for, in passing, to have about `stock` in hand. Whoever is told so asks.
    pub(crate) fn wants_more(&mut self, stock: u64, now: i64) -> bool {
        let wants =
            self.free > 0 && !self.is_asking && now >= self.modest_until && self.held < stock.div_ceil(2);
        self.is_asking |= wants;
        wants
    }

    /// Somebody else asks; or nobody, after all.
    pub(crate) fn does_not_ask(&mut self) {
        self.is_asking = false;
    }

    /// Until this second all is used up.
    pub(crate) fn shut_until(&self) -> i64 {
        self.shut_until
    }

    /// All is used up until `second`.
    pub(crate) fn shut(&mut self, second: i64) {
        self.shut_until = self.shut_until.max(second);
    }

    /// It may be worth asking again.
    pub(crate) fn open(&mut self) {
        self.shut_until = 0;
    }

    /// Seconds since Redis was last asked.
    pub(crate) fn silent_for(&self, now: i64) -> i64 {
        now - self.asked_at
    }

    /// Leaves what is free to others for a moment.
    pub(crate) fn be_modest(&mut self, now: i64) {
        self.modest_until = now + 2;
    }

    /// What to ask Redis for now. Permits that lie idle, or may not be used any more, go back.
    pub(crate) fn wish(&mut self, stock: u64, is_idle: bool, now: i64) -> Wish {
        if is_idle || !self.is_usable(now) {
            self.held = 0;
        }
        let is_modest = is_idle || now < self.modest_until;
        let ahead = if is_modest { 0 } else { stock.saturating_sub(self.held) };
        self.asked_at = now;
        // Permits stay with the node until Redis has answered: so they are not used twice should they lapse there.
        Wish { ahead, held: self.held }
    }

    /// Takes in what was lent upon a question asked at `asked_at`. `free`: what nobody has.
    pub(crate) fn lent(&mut self, granted: u64, free: u64, asked_at: i64, terms: Terms) {
        self.is_asking = false;
        self.held += granted;
        self.free = free;
        self.usable_until = asked_at + terms.usable();
    }
}
