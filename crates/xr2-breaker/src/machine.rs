//! The state machine: no clock, no lock.

use std::time::Duration;

use crate::{Settings, State};

/// What whoever comes while a probe is under way is told to wait.
const PROBE_TAKES: Duration = Duration::from_secs(1);

pub(crate) struct Machine {
    settings: Settings,
    phase: Phase,
    /// Counts changes of phase: what began before one says nothing about what comes after.
    epoch: u64,
    /// Failures in a row.
    failures: u32,
    /// Successes in all.
    successes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Duration },
    Probing,
}

/// A call under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    epoch: u64,
    successes: u64,
}

impl Machine {
    pub(crate) fn new(settings: Settings) -> Machine {
        Machine { settings, phase: Phase::Closed, epoch: 0, failures: 0, successes: 0 }
    }

    pub(crate) fn state(&self, now: Duration) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { until } if now < until => State::Open,
            Phase::Open { .. } | Phase::Probing => State::HalfOpen,
        }
    }

    /// A ticket, or how long to wait.
    pub(crate) fn pass(&mut self, now: Duration) -> Result<Ticket, Duration> {
        match self.phase {
            Phase::Closed => {}
            Phase::Open { until } if now < until => return Err(until - now),
            Phase::Open { .. } => self.enter(Phase::Probing),
            Phase::Probing => return Err(PROBE_TAKES),
        }
        Ok(Ticket { epoch: self.epoch, successes: self.successes })
    }

    pub(crate) fn succeeded(&mut self, ticket: Ticket) {
        if ticket.epoch != self.epoch {
            return;
        }
        self.successes += 1;
        self.failures = 0;
        if self.phase == Phase::Probing {
            self.enter(Phase::Closed);
        }
    }

    /// Whether it opens.
    pub(crate) fn failed(&mut self, ticket: Ticket, now: Duration) -> bool {
        if ticket.epoch != self.epoch {
            return false;
        }
        if self.phase == Phase::Closed {
            if ticket.successes != self.successes {
                return false;
            }
            self.failures += 1;
            if self.failures < self.settings.failures {
                return false;
            }
        }
        self.failures = 0;
        self.enter(Phase::Open { until: now + self.settings.pause });
        true
    }

    pub(crate) fn abandoned(&mut self, ticket: Ticket) {
        if ticket.epoch == self.epoch && self.phase == Phase::Probing {
            // Due at once: nothing was learnt.
            self.enter(Phase::Open { until: Duration::ZERO });
        }
    }

    /// Begins anew: what began before says nothing any more.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
        self.enter(Phase::Closed);
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }
}
