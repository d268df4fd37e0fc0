//! What a connection is doing, and how long it may go on doing that.
//!
//! Requests only count; time is looked at when a connection's timer rings, a few times a minute.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::response::Response;
use tokio::time::Instant;

use crate::serve::body::{Pace, hand_over, is_small};

/// What one connection is doing.
#[derive(Debug, Default)]
pub struct Activity {
    /// Requests that came.
    requests: AtomicU32,
    /// Requests that are being answered, streams among them.
    in_flight: AtomicU32,
    /// Something came that is no whole request yet.
    is_begun: AtomicBool,
    /// Whether it speaks HTTP/2, where what comes need not be a request.
    is_http2: AtomicBool,
    /// Large answers on their way over HTTP/2, where one may be left lying while the connection goes on. With HTTP/1
    /// there is one at a time, and the connection itself is watched.
    paces: Mutex<Vec<Weak<Pace>>>,
}

impl Activity {
    /// Bytes came.
    pub fn received(&self) {
        if !self.is_begun.load(Ordering::Relaxed) && self.in_flight.load(Ordering::Relaxed) == 0 {
            self.is_begun.store(true, Ordering::Relaxed);
        }
    }

    /// A request came.
    pub fn requested(&self, is_http2: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.is_begun.store(false, Ordering::Relaxed);
        if is_http2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
    }

    fn pace(&self) -> Arc<Pace> {
        let pace = Arc::new(Pace::new());
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if paces.len() == paces.capacity() {
            paces.retain(|pace| pace.strong_count() > 0);
        }
        paces.push(Arc::downgrade(&pace));
        pace
    }

    /// Since when some answer lies there and is not taken.
    fn left_lying_since(&self) -> Option<Instant> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.retain(|pace| pace.strong_count() > 0);
        paces.iter().filter_map(|pace| pace.upgrade()?.waits_since()).min()
    }

    /// Whether a request is being answered.
    #[cfg(test)]
    pub fn is_answering(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) > 0
    }

    /// Hands an answer over that was there at once.
    pub fn hand_over(self: &Arc<Self>, response: Response) -> Response {
        if is_small(&response) { response } else { self.begin().hand_over(response) }
    }

    /// A request is being answered, until what is returned is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlight(Arc<Activity>);

impl InFlight {
    /// Hands its answer over to the connection.
    pub fn hand_over(self, response: Response) -> Response {
        if is_small(&response) {
            return response;
        }
        let activity = self.0.clone();
        hand_over(response, self, || activity.is_http2.load(Ordering::Relaxed).then(|| activity.pace()))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, the handshake before the first one included.
    pub head: Duration,
    /// Without any request.
    pub idle: Duration,
    /// For an answer that lies there and is not taken.
    pub stall: Duration,
}

/// What is to become of a connection whose timer rang.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on; look again after so long.
    Wait(Duration),
    /// It has been idle for long: it is told to end.
    Finish,
    /// It is cut off.
    Cut,
}

/// Judges one connection from ring to ring.
#[derive(Debug)]
pub struct Judge {
    activity: Arc<Activity>,
    patience: Patience,
    seen: u32,
    begun_since: Option<Instant>,
    idle_since: Option<Instant>,
    is_told_to_end: bool,
}

impl Judge {
    /// A judge of a connection that began now.
    pub fn new(activity: Arc<Activity>, patience: Patience, now: Instant) -> Judge {
        let begun_since = Some(now);
        Judge { activity, patience, seen: 0, begun_since, idle_since: None, is_told_to_end: false }
    }

    /// The timer rang.
    pub fn look(&mut self, now: Instant) -> Verdict {
        let Activity { requests, in_flight, is_begun, is_http2, .. } = &*self.activity;
        let count = requests.load(Ordering::Relaxed);
        if in_flight.load(Ordering::Relaxed) > 0 {
            (self.seen, self.begun_since, self.idle_since) = (count, None, None);
            return self.look_at_answers(now, is_http2.load(Ordering::Relaxed));
        }
        if count != self.seen {
            (self.seen, self.begun_since, self.idle_since) = (count, None, None);
        }
        let is_begun = is_begun.load(Ordering::Relaxed) && !is_http2.load(Ordering::Relaxed);
        if count == 0 || is_begun {
            let since = *self.begun_since.get_or_insert(now);
            return match self.patience.head.checked_sub(now - since) {
                None | Some(Duration::ZERO) => Verdict::Cut,
                Some(left) => Verdict::Wait(left),
            };
        }
        self.begun_since = None;
        let since = *self.idle_since.get_or_insert(now);
        if now - since < self.patience.idle {
            return Verdict::Wait(self.patience.head.min(self.patience.idle - (now - since)));
        }
        if self.is_told_to_end { Verdict::Cut } else { self.finish() }
    }

    /// While there are answers under way. Over HTTP/2 a client that leaves one lying keeps it in memory, with the whole
    /// connection well; its other answers get the time to end.
    fn look_at_answers(&mut self, now: Instant, is_http2: bool) -> Verdict {
        if !is_http2 {
            return Verdict::Wait(self.patience.idle);
        }
        let lies = self.activity.left_lying_since().map(|since| now.saturating_duration_since(since));
        match lies {
            None => Verdict::Wait(self.patience.stall.min(self.patience.idle)),
            Some(time) if time < self.patience.stall => Verdict::Wait(self.patience.stall - time),
            Some(_) if self.is_told_to_end => {
                metrics::counter!("xr2_connections_stalled_total").increment(1);
                Verdict::Cut
            }
            Some(_) => self.finish(),
        }
    }

    fn finish(&mut self) -> Verdict {
        self.is_told_to_end = true;
        Verdict::Finish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(60);
    const STALL: Duration = Duration::from_secs(30);

    fn judge() -> (Arc<Activity>, Judge, Instant) {
        let (activity, now) = (Arc::new(Activity::default()), Instant::now());
        (activity.clone(), Judge::new(activity, Patience { head: HEAD, idle: IDLE, stall: STALL }, now), now)
    }

    #[test]
    fn whoever_never_asks_is_cut_off() {
        let (activity, mut judge, began) = judge();
        activity.received();
        assert_eq!(judge.look(began + HEAD), Verdict::Cut);
    }

    #[test]
    fn a_head_that_does_not_end_is_cut_off_and_a_slow_answer_is_not() {
        let (activity, mut judge, began) = judge();
        activity.received();
        activity.requested(false);
        let answering = activity.begin();
        assert_eq!(judge.look(began + HEAD), Verdict::Wait(IDLE));
        assert_eq!(judge.look(began + IDLE * 50), Verdict::Wait(IDLE));
        drop(answering);
        activity.received();
        let later = began + IDLE * 51;
        assert_eq!(judge.look(later), Verdict::Wait(HEAD));
        activity.received();
        assert_eq!(judge.look(later + HEAD), Verdict::Cut);
    }

    #[test]
    fn whoever_is_idle_is_told_to_end_and_then_cut_off() {
        let (activity, mut judge, began) = judge();
        activity.requested(false);
        assert_eq!(judge.look(began + HEAD), Verdict::Wait(HEAD));
        activity.requested(false);
        let later = began + IDLE;
        assert_eq!(judge.look(later), Verdict::Wait(HEAD), "a request began it anew");
        assert_eq!(judge.look(later + IDLE), Verdict::Finish);
        assert_eq!(judge.look(later + IDLE + HEAD), Verdict::Cut);
    }

    #[test]
    fn signs_of_life_of_http2_are_no_begun_request() {
        let (activity, mut judge, began) = judge();
        activity.requested(true);
        activity.received();
        assert_eq!(judge.look(began + HEAD), Verdict::Wait(HEAD));
        assert_eq!(judge.look(began + HEAD + IDLE), Verdict::Finish);
    }

    #[test]
    fn an_answer_that_is_left_lying_ends_its_connection() {
        let (activity, mut judge, began) = judge();
        activity.requested(true);
        let answering = activity.begin();
        let (pace, taken) = (activity.pace(), activity.pace());
        assert_eq!(judge.look(began), Verdict::Wait(STALL));
        pace.give();
        taken.give();
        taken.ask();
        let given = pace.waits_since().unwrap();
        assert_eq!(judge.look(given + STALL / 3), Verdict::Wait(STALL - STALL / 3));
        assert_eq!(judge.look(given + STALL), Verdict::Finish);
        assert_eq!(judge.look(given + STALL + HEAD), Verdict::Cut);
        drop(pace);
        assert_eq!(judge.look(given + STALL + HEAD), Verdict::Wait(STALL), "only the one that lay there");
        drop(answering);
    }
}
