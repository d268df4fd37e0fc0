//! The calls of one workspace in one month, as this node knows them.

use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use super::lease::{ANSWER, Errand, Lease, Report, Tally};
use crate::clock::Time;
use crate::limits::{Gate, Terms};

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

/// See the module. What is used is what this node has counted, and what the database or Redis knows beyond that.
pub(super) struct Counter {
    pub(super) workspace: Uuid,
    pub(super) month: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tally: Tally,
    /// The database did not tell what was used before.
    goes_without: bool,
    /// What is shared with other nodes.
    lease: Option<Box<Lease>>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It passes.
    Passed {
        /// Calls so far.
        used: i64,
        /// Whether it took a permit in hand.
        is_lent: bool,
        /// Whether Redis should be asked for more, in passing.
        wants_more: bool,
    },
    /// It does not, after so many.
    Refused {
        /// Calls so far.
        used: i64,
    },
}

impl Counter {
    pub(super) fn new(workspace: Uuid, month: i64, is_shared: bool) -> Counter {
        let lease = is_shared.then(Box::default);
        Counter { workspace, month, state: Mutex::new(State { lease, ..State::default() }) }
    }

    /// Counts a call, if fewer than `most` were, or says that as many were; if that can be said at once. `is_alone`:
    /// Redis does not answer.
    pub(super) fn try_take(&self, most: i64, second: i64, is_alone: bool) -> Option<Taken> {
        let mut state = self.state();
        let State { tally, goes_without, lease } = &mut *state;
        let Some(lease) = lease else { return state.take_if_known(most) };
        if lease.take(second) {
            tally.counted += 1;
            let wants_more = lease.hand.wants_more(Lease::stock(most), second);
            return Some(Taken::Passed { used: state.used(), is_lent: true, wants_more });
        }
        if is_alone || *goes_without && lease.is_lost_without_read() {
            return state.take_if_known(most);
        }
        (second < lease.hand.shut_until()).then(|| Taken::Refused { used: state.used() })
    }

    /// Counts a call, or refuses it, by what this node knows; if it knows anything.
    pub(super) fn take_if_known(&self, most: i64) -> Option<Taken> {
        self.state().take_if_known(most)
    }

    /// Counts a call, or refuses it, by what this node knows.
    pub(super) fn take_alone(&self, most: i64) -> Taken {
        self.state().take_alone(most)
    }

    /// A call came to nothing. `is_lent`: it took a permit in hand.
    pub(super) fn take_back(&self, is_lent: bool) {
        let mut state = self.state();
        state.tally.counted -= 1;
        if let Some(lease) = state.lease.as_mut().filter(|_| is_lent) {
            lease.put_back();
        }
    }

    pub(super) fn used(&self) -> i64 {
        self.state().used()
    }

    /// Calls of this node are in the database now.
    pub(super) fn wrote(&self, count: i64) {
        self.state().tally.written += count;
    }

    /// Takes in what the database knows. Nothing may be written meanwhile.
    pub(super) fn read(&self, stored: i64) {
        let mut state = self.state();
        state.tally.beyond = Some(stored - state.tally.written);
        state.goes_without = false;
        if let Some(lease) = &mut state.lease {
            lease.was_read();
        }
    }

    /// Goes without what the database knows, until that can be read; whether that is new.
    pub(super) fn go_without(&self) -> bool {
        !std::mem::replace(&mut self.state().goes_without, true)
    }

    /// Whether it is known what was used before.
    pub(super) fn is_read(&self) -> bool {
        self.state().tally.beyond.is_some()
    }

    /// Whether it is known what was used before, or that it cannot be known for the moment.
    pub(super) fn knows_enough(&self) -> bool {
        self.state().knows_enough()
    }

    /// Whether the database should be asked now, rather than sometime.
    pub(super) fn wants_read(&self, second: i64) -> bool {
        let mut state = self.state();
        let State { tally, goes_without, lease } = &mut *state;
        let needs_read = lease.as_mut().is_some_and(|lease| {
            lease.notice_lapse(*tally, second);
            lease.needs_read()
        });
        needs_read || *goes_without || tally.beyond.is_none()
    }

    /// Whether Redis may be asked only after the database was, and the database has not just been asked in vain.
    pub(super) fn needs_read(&self, second: i64) -> bool {
        let mut state = self.state();
        let State { tally, goes_without, lease } = &mut *state;
        let Some(lease) = lease else { return false };
        lease.notice_lapse(*tally, second);
        lease.needs_read() && !*goes_without
    }

    /// Whether Redis can tell nothing before the database was asked.
    pub(super) fn is_lost_without_read(&self) -> bool {
        self.with_lease(false, |lease, _| lease.is_lost_without_read())
    }

    /// Where those wait who need a permit.
    pub(super) fn gate(&self) -> Arc<Gate> {
        self.with_lease(Arc::default(), |lease, _| lease.hand.gate.clone())
    }

    /// As other nodes know it: also which sum of Redis it is about, so that those who know of another hear of this one.
    pub(super) fn name(&self) -> String {
        let epoch = self.with_lease(0, |lease, _| lease.epoch());
        format!("month:{}:{}:{epoch}", self.workspace.simple(), self.month)
    }

    /// The workspace, month and epoch of a [`Counter::name`].
    pub(super) fn of_name(name: &str) -> Option<(Uuid, i64, i64)> {
        let mut parts = name.strip_prefix("month:")?.splitn(3, ':');
        let mut next = || parts.next();
        Some((next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?))
    }

    /// Whether other nodes, which know of the sum `epoch`, should hear what this one holds or has used.
    pub(super) fn is_wanted(&self, epoch: i64) -> bool {
        self.with_lease(false, |lease, tally| {
            lease.has_news(tally) || (lease.epoch() != epoch && tally.counted > tally.written)
        })
    }

    /// Whether Redis should hear of it, though nobody waits for an answer.
    pub(super) fn is_due(&self, second: i64, terms: Terms) -> bool {
        self.with_lease(false, |lease, tally| lease.is_due(tally, second, terms))
    }

    /// Whether nothing may be written while Redis is told of it.
    pub(super) fn is_astray(&self) -> bool {
        self.with_lease(false, |lease, _| lease.is_astray())
    }

    /// See [`Lease::report`]. `is_quiet`: nothing is written meanwhile; none when that has to be so and is not.
    pub(super) fn report(
        &self,
        errand: Errand,
        most: i64,
        second: i64,
        terms: Terms,
        is_quiet: bool,
    ) -> Option<Report> {
        self.with_lease(None, |lease, tally| {
            let may_be_told = is_quiet || !lease.is_astray();
            may_be_told.then(|| lease.report(tally, errand, most, second, terms))
        })
    }

    /// See [`Lease::take_in`].
    pub(super) fn take_in(&self, report: &Report, answer: [i64; ANSWER], terms: Terms) -> bool {
        self.with_lease(false, |lease, _| lease.take_in(report, answer, terms))
    }

    /// See [`Lease::missed`].
    pub(super) fn missed(&self, report: &Report) {
        self.with_lease((), |lease, _| lease.missed(report));
    }

    /// Nobody asks Redis for more, after all.
    pub(super) fn does_not_ask(&self) {
        self.with_lease((), |lease, _| lease.hand.does_not_ask());
    }

    /// All is used up until `second`.
    pub(super) fn shut(&self, second: i64) {
        self.with_lease((), |lease, _| lease.hand.shut(second));
    }

    /// `otherwise` where nothing is shared.
    fn with_lease<T>(&self, otherwise: T, act: impl FnOnce(&mut Lease, Tally) -> T) -> T {
        let mut state = self.state();
        let tally = state.tally;
        state.lease.as_mut().map_or(otherwise, |lease| act(lease, tally))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn used(&self) -> i64 {
        let others = self.lease.as_ref().and_then(|lease| lease.others());
        self.tally.counted + self.tally.beyond.max(others).unwrap_or(0).max(0)
    }

    fn knows_enough(&self) -> bool {
        self.tally.beyond.is_some() || self.goes_without
    }

    fn take_if_known(&mut self, most: i64) -> Option<Taken> {
        self.knows_enough().then(|| self.take_alone(most))
    }

    fn take_alone(&mut self, most: i64) -> Taken {
        if self.used() >= most {
            return Taken::Refused { used: self.used() };
        }
        self.tally.counted += 1;
        if let Some(lease) = &mut self.lease {
            lease.stray();
        }
        Taken::Passed { used: self.used(), is_lent: false, wants_more: false }
    }
}

#[cfg(test)]
mod tests;
