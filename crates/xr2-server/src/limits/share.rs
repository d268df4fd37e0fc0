//! What one node knows of one limit: its own requests of the last minute, and the permits it holds of what all nodes
//! share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::sync::{Mutex, watch};

use super::window::{SECONDS, Window};
use super::{Refused, Standing};

/// Seconds for which lent permits may be used, less than Redis keeps them for.
const USABLE: i64 = 25;

/// A node that has not told Redis for so long what it used and holds does so now.
const TELL_EVERY: i64 = 10;

/// Permits of a limit that nobody has asked for in so long are given back.
const IDLE: i64 = 20;

/// A limit on this node.
pub(super) struct Share {
    /// This node's own requests; all there is when nothing is shared.
    pub(super) window: Window,
    pub(super) shared: Option<Box<Shared>>,
}

/// A part of what all nodes share.
#[derive(Default)]
pub(super) struct Shared {
    /// Held by whoever asks Redis on behalf of all who wait.
    pub(super) gate: Arc<Gate>,
    limit: u64,
    /// Permits in hand.
    held: u64,
    /// Permits nobody had when Redis was last asked.
    free: u64,
    /// Until which second the permits may be used.
    usable_until: i64,
    /// When Redis was last asked.
    asked_at: i64,
    /// Requests Redis has not been told of, by second.
    untold: Vec<(i64, i64)>,
    /// Until this second all is used up, whoever asks.
    shut_until: i64,
    /// When the oldest request is out of the window.
    frees_at: i64,
    /// Until this second nothing is asked for ahead: somebody else needs it more.
    modest_until: i64,
    /// Whether more is being asked for already.
    is_asking: bool,
}

/// See [`Shared::gate`].
#[derive(Default)]
pub(super) struct Gate {
    /// Held until Redis has answered, whether or not anybody still waits for that: an answer to an older question must
    /// not come after a newer one was asked.
    pub(super) turn: Arc<Mutex<()>>,
    pub(super) waiting: AtomicUsize,
    /// Whether the answer that is waited for takes too long.
    pub(super) overdue: watch::Sender<bool>,
}

impl Gate {
    /// Waits until Redis takes too long to answer.
    pub(super) async fn is_overdue(&self) {
        // The sender is the gate's own.
        let _ = self.overdue.subscribe().wait_for(|is_overdue| *is_overdue).await;
    }
}

/// What can be said without asking anybody.
pub(super) enum Answer {
    /// It passes; whether Redis should be asked for more, in passing.
    Passed(Standing, bool),
    /// It does not.
    Refused(Refused),
    /// Redis has to be asked.
    Unknown,
}

/// What a node tells Redis and asks it for.
pub(super) struct Report {
    pub(super) limit: u64,
    pub(super) want: u64,
    pub(super) ahead: u64,
    pub(super) held: u64,
    /// By second.
    pub(super) used: Vec<(i64, i64)>,
}

/// What Redis answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lent {
    pub(super) granted: u64,
    pub(super) free: u64,
    /// Permits that other nodes hold.
    pub(super) elsewhere: u64,
    /// Seconds until the oldest request is out.
    pub(super) wait: i64,
}

impl Share {
    pub(super) fn new(second: i64, is_shared: bool) -> Share {
        let shared = is_shared.then(Box::default);
        Share { window: Window::new(second), shared }
    }

    /// Whether a request passes, if that can be said at once. `is_alone`: Redis does not answer.
    pub(super) fn try_pass(&mut self, limit: u64, second: i64, is_alone: bool) -> Answer {
        self.window.roll(second);
        let now = self.window.last();
        let Some(shared) = self.shared.as_mut().filter(|_| !is_alone) else {
            return match self.pass_alone(limit, second) {
                Ok(standing) => Answer::Passed(standing, false),
                Err(refused) => Answer::Refused(refused),
            };
        };
        if shared.limit != limit {
            // Somebody has changed it.
            (shared.limit, shared.shut_until) = (limit, 0);
        }
        if shared.held > 0 && now < shared.usable_until {
            shared.held -= 1;
            let standing = Standing {
                limit,
                remaining: shared.held + shared.free,
                reset: shared.reset(now).unwrap_or_else(|| self.window.wait()),
                is_lent: true,
            };
            let wants_more = shared.wants_more(now);
            shared.is_asking |= wants_more;
            self.record();
            return Answer::Passed(standing, wants_more);
        }
        if now < shared.shut_until {
            let wait_seconds = (shared.shut_until - now).unsigned_abs();
            return Answer::Refused(Refused { limit, wait_seconds });
        }
        Answer::Unknown
    }

    /// Goes by this node's own requests.
    pub(super) fn pass_alone(&mut self, limit: u64, second: i64) -> Result<Standing, Refused> {
        self.window.roll(second);
        if self.window.total() >= limit {
            return Err(Refused { limit, wait_seconds: self.window.wait() });
        }
        self.record();
        let remaining = limit - self.window.total();
        Ok(Standing { limit, remaining, reset: self.window.wait(), is_lent: false })
    }

    fn record(&mut self) {
        self.window.record();
        let now = self.window.last();
        let Some(shared) = &mut self.shared else { return };
        match shared.untold.last_mut() {
            Some((second, count)) if *second == now => *count += 1,
            _ => {
                shared.untold.retain(|(second, _)| *second > now - SECONDS);
                shared.untold.push((now, 1));
            }
        }
    }

    /// Takes back a request that passed a moment ago and came to nothing here. `is_lent`: it took a permit in hand.
    pub(super) fn take_back(&mut self, is_lent: bool) {
        self.window.take_back();
        let now = self.window.last();
        let Some(shared) = &mut self.shared else { return };
        if let Some((second, count)) = shared.untold.last_mut()
            && *second == now
            && *count > 0
        {
            *count -= 1;
            shared.held += u64::from(is_lent && now < shared.usable_until);
        }
    }

    /// Whether nobody has asked for it in the last minute, and nothing of it is held or untold.
    pub(super) fn is_idle(&self, second: i64) -> bool {
        let is_settled = self.shared.as_ref().is_none_or(|shared| !shared.has_news());
        is_settled && second - self.window.last() >= SECONDS
    }

    /// Whether Redis should hear of it, though nobody waits for an answer.
    pub(super) fn is_due(&self, second: i64) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.has_news() && second - shared.asked_at >= TELL_EVERY)
    }
}

impl Shared {
    /// Whether Redis counts something as lent that is not, or not any more.
    pub(super) fn has_news(&self) -> bool {
        self.held > 0 || !self.untold.is_empty()
    }

    /// Permits to have in hand.
    fn stock(&self) -> u64 {
        (self.limit / 20).max(1)
    }

    fn wants_more(&self, now: i64) -> bool {
        self.free > 0 && !self.is_asking && now >= self.modest_until && self.held < self.stock().div_ceil(2)
    }

    fn reset(&self, now: i64) -> Option<u64> {
        u64::try_from(self.frees_at - now).ok().filter(|wait| *wait > 0)
    }

    /// What to tell and ask now. `want` is for those who wait; without any, permits that lie idle go back.
    pub(super) fn report(&mut self, want: u64, is_idle: bool, now: i64) -> Report {
        if is_idle || now >= self.usable_until {
            self.held = 0;
        }
        let is_modest = is_idle || now < self.modest_until;
        let ahead = if is_modest { 0 } else { self.stock().saturating_sub(self.held) };
        self.asked_at = now;
        let used = std::mem::take(&mut self.untold);
        // Permits stay with the reporter until Redis has answered: so they are not used twice should they lapse there.
        Report { limit: self.limit, want, ahead, held: self.held, used }
    }

    /// Gives everything back, because somebody else needs it.
    pub(super) fn give_back(&mut self, now: i64) -> Report {
        self.modest_until = now + 2;
        self.report(0, true, now)
    }

    /// Takes in the answer to what was asked for at `asked_at`.
    pub(super) fn lent(&mut self, want: u64, lent: Lent, asked_at: i64) {
        self.is_asking = false;
        self.held += lent.granted;
        self.free = lent.free;
        self.usable_until = asked_at + USABLE;
        self.frees_at = asked_at + lent.wait;
        if lent.granted < want && lent.elsewhere == 0 {
            self.shut_until = asked_at + lent.wait.max(1);
        }
    }

    /// Somebody else asks; or nobody, after all.
    pub(super) fn does_not_ask(&mut self) {
        self.is_asking = false;
    }

    /// Everybody else has been asked in vain for what they hold.
    pub(super) fn shut_for_a_moment(&mut self, now: i64) {
        self.shut_until = self.shut_until.max(now + 1);
    }

    /// The report did not arrive, as far as anybody knows.
    pub(super) fn untold(&mut self, report: Report) {
        self.is_asking = false;
        let mut used = report.used;
        used.append(&mut self.untold);
        self.untold = used;
    }

    /// Whether nobody has needed it for a while.
    pub(super) fn lies_idle(&self, last_used: i64, now: i64) -> bool {
        now - last_used >= IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 10;

    fn lent(share: &mut Share, granted: u64, second: i64) {
        let answer = Lent { granted, free: 0, elsewhere: 0, wait: 60 };
        share.shared.as_mut().unwrap().lent(granted, answer, second);
    }

    fn pass(share: &mut Share, second: i64, is_alone: bool) -> Option<Standing> {
        match share.try_pass(LIMIT, second, is_alone) {
            Answer::Passed(standing, _) => Some(standing),
            _ => None,
        }
    }

    #[test]
    fn only_a_permit_that_was_spent_comes_back() {
        let mut share = Share::new(0, true);
        lent(&mut share, 1, 0);
        let lent = pass(&mut share, 1, false).expect("a permit in hand");
        share.take_back(lent.is_lent);
        let lent = pass(&mut share, 1, false).expect("it is in hand again");
        assert!(lent.is_lent);
        for second in 1..4 {
            let alone = pass(&mut share, second, true).expect("fewer than the limit");
            share.take_back(alone.is_lent);
        }
        assert!(pass(&mut share, 3, false).is_none(), "no permit was made of nothing");
    }
}
