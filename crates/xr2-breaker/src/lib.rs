#![doc = include_str!("../README.md")]

mod machine;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use machine::{Machine, Ticket};

/// How patient a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open before a probe is let through.
    pub pause: Duration,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everybody passes.
    Closed,
    /// One probe is under way, or the next caller will be one.
    HalfOpen,
    /// Nobody passes.
    Open,
}

impl State {
    /// As it stands in answers and logs.
    pub fn name(self) -> &'static str {
        match self {
            State::Closed => "closed",
            State::HalfOpen => "half_open",
            State::Open => "open",
        }
    }

    /// As it stands in metrics: 0 closed, 1 half open, 2 open.
    pub fn number(self) -> u8 {
        match self {
            State::Closed => 0,
            State::HalfOpen => 1,
            State::Open => 2,
        }
    }
}

/// Nobody passes just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// When it is worth trying again.
    pub retry_after: Duration,
}

/// Tells the time since some fixed point; must never go back.
pub type Time = Arc<dyn Fn() -> Duration + Send + Sync>;

/// See the crate; cheap to clone.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    machine: Mutex<Machine>,
    time: Time,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: Settings) -> Breaker {
        let began = Instant::now();
        Breaker::with_time(settings, Arc::new(move || began.elapsed()))
    }

    /// A closed breaker that asks `time` for the time.
    pub fn with_time(settings: Settings, time: Time) -> Breaker {
        Breaker(Arc::new(Inner { machine: Mutex::new(Machine::new(settings)), time }))
    }

    /// Lets a call through, which tells by the pass how it went.
    pub fn pass(&self) -> Result<Pass, Refused> {
        let now = (self.0.time)();
        let ticket = self.machine().pass(now).map_err(|retry_after| Refused { retry_after })?;
        Ok(Pass { breaker: self.clone(), ticket: Some(ticket) })
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        let now = (self.0.time)();
        self.machine().state(now)
    }

    /// Closes it, because what it stands before is another one now. Calls under way say nothing any more.
    pub fn reset(&self) {
        self.machine().reset();
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.machine.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A call that was let through. Dropped without a word it tells nothing; a probe makes room for the next one.
pub struct Pass {
    breaker: Breaker,
    ticket: Option<Ticket>,
}

impl Pass {
    /// The call was answered.
    pub fn succeeded(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.machine().succeeded(ticket);
        }
    }

    /// The call was not answered. Whether that opened the breaker.
    pub fn failed(mut self) -> bool {
        let now = (self.breaker.0.time)();
        self.ticket.take().is_some_and(|ticket| self.breaker.machine().failed(ticket, now))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.machine().abandoned(ticket);
        }
    }
}
