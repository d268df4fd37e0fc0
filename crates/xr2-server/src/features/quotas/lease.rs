//! What a node and Redis know of each other about one workspace's calls of a month.
//!
//! Redis keeps what a node keeps: what was counted, here by all nodes, and what the database knows beyond that. A node tells
//! what it has counted as a running number, so that what is told twice, or late, counts once. What it counted without
//! a permit may be in what the database knows already; it says how much of it is written. A sum that is gone begins
//! anew with all this.

use crate::limits::{Hand, Terms, Wish};

/// What Redis does.
pub(super) const SCRIPT: &str = include_str!("lease.lua");

/// Numbers of its answer.
pub(super) const ANSWER: usize = 6;

/// Permits asked for ahead: this part of all, within bounds.
const PART: i64 = 200;
const MOST_AHEAD: i64 = 1000;

/// Seconds after which Redis is told of calls at the latest, so that others can tell how many there were.
const TELL_CALLS_EVERY: i64 = 2;

/// What a node has counted itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Calls on this node.
    pub(super) counted: i64,
    /// Those of them that the database knows of.
    pub(super) written: i64,
    /// What the database knows of without those; none before it was asked.
    pub(super) beyond: Option<i64>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Lease {
    pub(super) hand: Hand,
    /// Which sum of Redis it is about; 0 before there was one.
    epoch: i64,
    /// What Redis was told last: a running number that never begins anew.
    told: i64,
    /// Calls of this node that Redis was told of.
    settled: i64,
    /// Permits spent since.
    spent: i64,
    /// Calls were counted without a permit, or Redis has forgotten them.
    is_astray: bool,
    /// Redis has to be told what the database knows.
    needs_floor: bool,
    /// The database was asked after Redis was last told what it knows.
    has_floor: bool,
    /// Redis knows nothing of what it was told before.
    is_forgotten: bool,
    /// Redis had a sum and has none any more.
    is_lost: bool,
    /// Another node has fallen silent; what it had lent is free once the database was asked.
    is_in_doubt: bool,
    /// What all have used, by Redis' last word, without what this node has counted.
    others: Option<i64>,
    /// When a call was counted last.
    last_used: i64,
}

/// Why Redis is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// So many requests wait.
    Want(u64),
    /// To tell, and to have permits in hand if they are used.
    Tell,
    /// To give everything back: another node needs it, or this one stops.
    GiveBack,
}

/// What a node tells Redis and asks it for.
pub(super) struct Report {
    epoch: i64,
    want: u64,
    wish: Wish,
    before: i64,
    told: i64,
    /// Calls told of now that the database may have told of already.
    caught: i64,
    floor: Option<i64>,
    is_lost: bool,
    was_astray: bool,
    counted: i64,
    spent: i64,
    asked_at: i64,
}

impl Lease {
    /// Spends a permit in hand.
    pub(super) fn take(&mut self, second: i64) -> bool {
        let passes = self.hand.take(second);
        if passes {
            self.last_used = second;
            self.spent += 1;
        }
        passes
    }

    /// A permit was spent on nothing.
    pub(super) fn put_back(&mut self) {
        self.hand.put_back();
        self.spent -= 1;
    }

    /// A call was counted without a permit that Redis knows of.
    pub(super) fn stray(&mut self) {
        (self.is_astray, self.needs_floor) = (true, true);
        // Others may count alone as well: what the database knows is asked when Redis is there again.
        self.has_floor = false;
    }

    /// Permits that were used without telling Redis, until it took them back, are none.
    pub(super) fn notice_lapse(&mut self, tally: Tally, second: i64) {
        if self.epoch != 0 && tally.counted != self.settled && !self.hand.is_usable(second) {
            self.stray();
        }
    }

    pub(super) fn is_astray(&self) -> bool {
        self.is_astray
    }

    /// What all have used, by Redis' last word, without what this node has counted.
    pub(super) fn others(&self) -> Option<i64> {
        self.others
    }

    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Whether the database has to be asked before Redis is.
    pub(super) fn needs_read(&self) -> bool {
        self.needs_floor && !self.has_floor
    }

    /// Whether Redis can tell nothing before the database was asked.
    pub(super) fn is_lost_without_read(&self) -> bool {
        self.epoch == 0 && self.needs_read()
    }

    /// The database was asked.
    pub(super) fn was_read(&mut self) {
        self.has_floor = true;
    }

    /// Permits to have in hand.
    pub(super) fn stock(most: i64) -> u64 {
        (most / PART).clamp(1, MOST_AHEAD).unsigned_abs()
    }

    /// Whether Redis counts something as lent that is not, or not any more.
    pub(super) fn has_news(&self, tally: Tally) -> bool {
        self.hand.held() > 0 || tally.counted != self.settled
    }

    /// Whether Redis should hear of it, though nobody waits for an answer.
    pub(super) fn is_due(&self, tally: Tally, second: i64, terms: Terms) -> bool {
        let has_more = self.epoch != 0 && tally.beyond > self.others;
        let is_for_all = self.has_floor && (self.is_astray || self.is_in_doubt || has_more);
        let silent_for = self.hand.silent_for(second);
        let has_calls = tally.counted != self.settled && silent_for >= TELL_CALLS_EVERY;
        is_for_all || has_calls || (self.hand.held() > 0 && silent_for >= terms.tell_every())
    }

    /// What to tell and ask now. `most`: calls that all nodes may count together.
    pub(super) fn report(
        &mut self,
        tally: Tally,
        errand: Errand,
        most: i64,
        now: i64,
        terms: Terms,
    ) -> Report {
        let caught = if self.is_astray { self.caught(tally, now) } else { 0 };
        if errand == Errand::GiveBack {
            self.hand.be_modest(now);
        }
        let is_idle = match errand {
            Errand::Want(_) => false,
            Errand::Tell => now - self.last_used >= terms.idle(),
            Errand::GiveBack => true,
        };
        let floor = tally.beyond.filter(|_| self.has_floor).map(|beyond| beyond + tally.counted);
        self.has_floor = false;
        Report {
            epoch: self.epoch,
            want: if let Errand::Want(count) = errand { count } else { 0 },
            wish: self.hand.wish(Lease::stock(most), is_idle, now),
            before: self.told,
            told: self.told + tally.counted - self.settled,
            caught,
            floor,
            is_lost: self.is_lost,
            was_astray: std::mem::take(&mut self.is_astray),
            counted: tally.counted,
            spent: self.spent,
            asked_at: now,
        }
    }

    /// Calls Redis was not told of that are written, but for those it has lent permits for: it knows of these.
    fn caught(&self, tally: Tally, now: i64) -> i64 {
        let is_known = !self.is_forgotten && self.hand.is_usable(now);
        let known = if is_known { self.settled + self.spent } else { self.settled };
        (tally.written - known).max(0)
    }

    /// Takes in Redis' answer; whether Redis has taken in the report. If not, it knows too little.
    pub(super) fn take_in(&mut self, report: &Report, answer: [i64; ANSWER], terms: Terms) -> bool {
        let [epoch, granted, free, elsewhere, used, silent] = answer;
        if epoch == 0 || (report.epoch != 0 && report.epoch != epoch) {
            self.forget(epoch);
            return false;
        }
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        self.hand.lent(count(granted), count(free), report.asked_at, terms);
        self.epoch = epoch;
        (self.told, self.settled) = (report.told, report.counted);
        self.spent -= report.spent;
        (self.is_forgotten, self.is_lost, self.needs_floor) = (false, false, self.is_astray);
        self.is_in_doubt = silent > 0;
        self.others = Some(used - report.counted);
        if count(granted) < report.want && elsewhere == 0 {
            self.hand.shut(report.asked_at + 1);
        }
        true
    }

    /// Redis does not know what it was told before; there is another sum, or none.
    fn forget(&mut self, epoch: i64) {
        self.hand.does_not_ask();
        self.is_lost |= epoch == 0 && self.epoch != 0;
        (self.epoch, self.settled, self.spent, self.is_forgotten) = (epoch, 0, 0, true);
        self.stray();
    }

    /// The report did not arrive, as far as anybody knows.
    pub(super) fn missed(&mut self, report: &Report) {
        self.hand.does_not_ask();
        self.is_astray |= report.was_astray;
        self.has_floor |= report.floor.is_some();
    }
}

impl Report {
    /// As the script takes it. A sum that begins anew lends nothing for `grace` milliseconds if it was there before, so
    /// that all who hold some of it are heard first.
    pub(super) fn args(&self, node: i64, most: i64, terms: Terms, grace: i64) -> [i64; 12] {
        let number = crate::limits::number;
        [
            node,
            self.epoch,
            most,
            number(self.want),
            number(self.wish.ahead),
            number(self.wish.held),
            self.before,
            self.told,
            self.caught,
            self.floor.unwrap_or(-1),
            terms.lapse,
            if self.is_lost { grace } else { 0 },
        ]
    }
}
