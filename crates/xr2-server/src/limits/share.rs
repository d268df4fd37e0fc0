//! What one node knows of one limit: its own requests of the last minute, and the permits it holds of what all nodes
//! share.

use super::hand::{Hand, Terms, Wish};
use super::window::{SECONDS, Window};
use super::{Refused, Standing};

/// A limit on this node.
pub(super) struct Share {
    /// This node's own requests; all there is when nothing is shared.
    pub(super) window: Window,
    pub(super) shared: Option<Box<Shared>>,
}

/// A part of what all nodes share.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) hand: Hand,
    limit: u64,
    /// Requests Redis has not been told of, by second.
    untold: Vec<(i64, i64)>,
    /// When the oldest request is out of the window.
    frees_at: i64,
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
    pub(super) wish: Wish,
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
            shared.limit = limit;
            shared.hand.open();
        }
        if shared.hand.take(now) {
            let standing = Standing {
                limit,
                remaining: shared.hand.within_reach(),
                reset: shared.reset(now).unwrap_or_else(|| self.window.wait()),
                is_lent: true,
            };
            let wants_more = shared.hand.wants_more(shared.stock(), now);
            self.record();
            return Answer::Passed(standing, wants_more);
        }
        if now < shared.hand.shut_until() {
            let wait_seconds = (shared.hand.shut_until() - now).unsigned_abs();
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

    /// Whether the next request would be refused, as far as is known here.
    pub(super) fn is_used_up(&mut self, limit: u64, second: i64, is_alone: bool) -> bool {
        self.window.roll(second);
        let now = self.window.last();
        match self.shared.as_ref().filter(|_| !is_alone) {
            Some(shared) => {
                let is_held = shared.hand.held() > 0 && shared.hand.is_usable(now);
                !is_held && shared.limit == limit && now < shared.hand.shut_until()
            }
            None => self.window.total() >= limit,
        }
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
            if is_lent && shared.hand.is_usable(now) {
                shared.hand.put_back();
            }
        }
    }

    /// Whether nobody has asked for it in the last minute, and nothing of it is held or untold.
    pub(super) fn is_idle(&self, second: i64) -> bool {
        let is_settled = self.shared.as_ref().is_none_or(|shared| !shared.has_news());
        is_settled && second - self.window.last() >= SECONDS
    }

    /// Whether Redis should hear of it, though nobody waits for an answer.
    pub(super) fn is_due(&self, second: i64, terms: Terms) -> bool {
        let is_silent = |shared: &Shared| shared.hand.silent_for(second) >= terms.tell_every();
        self.shared.as_ref().is_some_and(|shared| shared.has_news() && is_silent(shared))
    }
}

impl Shared {
    /// Whether Redis counts something as lent that is not, or not any more.
    pub(super) fn has_news(&self) -> bool {
        self.hand.held() > 0 || !self.untold.is_empty()
    }

    /// Permits to have in hand.
    fn stock(&self) -> u64 {
        (self.limit / 20).max(1)
    }

    fn reset(&self, now: i64) -> Option<u64> {
        u64::try_from(self.frees_at - now).ok().filter(|wait| *wait > 0)
    }

    /// What to tell and ask now. `want` is for those who wait; without any, permits that lie idle go back.
    pub(super) fn report(&mut self, want: u64, is_idle: bool, now: i64) -> Report {
        let wish = self.hand.wish(self.stock(), is_idle, now);
        Report { limit: self.limit, want, wish, used: std::mem::take(&mut self.untold) }
    }

    /// Gives everything back, because somebody else needs it.
    pub(super) fn give_back(&mut self, now: i64) -> Report {
        self.hand.be_modest(now);
        self.report(0, true, now)
    }

    /// Takes in the answer to what was asked for at `asked_at`.
    pub(super) fn lent(&mut self, want: u64, lent: Lent, asked_at: i64, terms: Terms) {
        self.hand.lent(lent.granted, lent.free, asked_at, terms);
        self.frees_at = asked_at + lent.wait;
        if lent.granted < want && lent.elsewhere == 0 {
            self.hand.shut(asked_at + lent.wait.max(1));
        }
    }

    /// The report did not arrive, as far as anybody knows.
    pub(super) fn untold(&mut self, report: Report) {
        self.hand.does_not_ask();
        let mut used = report.used;
        used.append(&mut self.untold);
        self.untold = used;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 10;
    const TERMS: Terms = Terms { lapse: 30 };

    fn lent(share: &mut Share, granted: u64, second: i64) {
        let answer = Lent { granted, free: 0, elsewhere: 0, wait: 60 };
        share.shared.as_mut().unwrap().lent(granted, answer, second, TERMS);
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
