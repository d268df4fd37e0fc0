//! Requests per minute, by key and by address: counted in memory on one node, shared through Redis on several.
//!
//! With Redis a node holds permits in hand, lent from what all nodes share, and asks for more ahead of need; so a request
//! seldom waits for Redis, and close to the limit every permit is asked for one by one. Nobody is refused before the
//! other nodes have given back what they do not need. Without an answer from Redis a node goes by its own requests.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_bus::Away;

use super::lending::{Asking, Borrower, Gate, Lender, Turn, number};
use super::share::{Answer, Lent, Report, Share, Shared};
use super::{Refused, Standing};

const SCRIPT: &str = include_str!("share.lua");

const SHARDS: usize = 16;

/// How often is looked for what Redis has not been told of.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Limits that are given back at the same time when the server stops.
const AT_ONCE: usize = 32;

/// Who is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// An API key.
    Key(Uuid),
    /// Callers without one, from a network.
    Network(IpAddr),
}

/// See the module; cheap to clone.
#[derive(Clone)]
pub struct RateLimits(Arc<Inner>);

struct Inner {
    shards: [Mutex<HashMap<Who, Share>>; SHARDS],
    hasher: RandomState,
    /// Limits remembered by a shard at most.
    room: usize,
    lender: Lender,
}

type Verdict = Result<Standing, Refused>;

impl RateLimits {
    /// Memory for `most` limits.
    pub(crate) fn new(lender: Lender, most: usize) -> RateLimits {
        RateLimits(Arc::new(Inner {
            shards: Default::default(),
            hasher: RandomState::new(),
            room: most.div_ceil(SHARDS),
            lender,
        }))
    }

    /// Counts a request, or refuses it, if that can be done at once.
    pub fn try_pass(&self, who: Who, limit: u64) -> Option<Verdict> {
        let second = self.second();
        let answer = self.with(who, second, |share| share.try_pass(limit, second, self.is_alone(second)));
        match answer {
            Answer::Passed(standing, wants_more) => {
                if wants_more {
                    self.restock(who);
                }
                Some(Ok(standing))
            }
            Answer::Refused(refused) => Some(Err(refused)),
            Answer::Unknown => None,
        }
    }

    /// Whether the next request would be refused, as far as this node knows. Nothing is counted.
    pub fn is_used_up(&self, who: Who, limit: u64) -> bool {
        let second = self.second();
        let mut known = lock(self.shard(&who));
        known.get_mut(&who).is_some_and(|share| share.is_used_up(limit, second, self.is_alone(second)))
    }

    /// Counts a request, or refuses it.
    pub async fn pass(&self, who: Who, limit: u64) -> Verdict {
        self.0.lender.pass(&Request { limits: self, who, limit }).await
    }

    /// Counts a request, or refuses it, by this node's own requests.
    fn pass_alone(&self, who: Who, limit: u64) -> Verdict {
        let second = self.second();
        self.with(who, second, |share| share.pass_alone(limit, second))
    }

    /// Takes back a request that passed a moment ago, with what it was told, and is counted elsewhere.
    pub fn take_back(&self, who: Who, told: Standing) {
        self.with(who, self.second(), |share| share.take_back(told.is_lent));
    }

    /// Gives back what is held of a limit: another node needs it.
    pub fn recall(&self, name: &str) {
        let Some(who) = Who::of_name(name) else { return };
        let is_held = {
            let known = lock(self.shard(&who));
            known.get(&who).and_then(|share| share.shared.as_ref()).is_some_and(|shared| shared.has_news())
        };
        if !is_held {
            return;
        }
        let limits = self.clone();
        tokio::spawn(async move {
            let gate = limits.gate(who);
            let turn = gate.turn.clone().lock_owned().await;
            limits.ask(who, gate, turn, Shared::give_back);
        });
    }

    /// Whether this node counts for itself although there are others, because Redis does not answer in time.
    pub fn are_per_node(&self) -> bool {
        self.0.lender.is_per_node()
    }

    /// Tells Redis now and then what was used and gives back what is not, until `stop`; then gives back everything, as
    /// far as that can be done within `grace`.
    pub async fn run(&self, stop: CancellationToken, grace: Duration) {
        if !self.0.lender.is_shared() {
            return;
        }
        let is_going = async || {
            tokio::select! {
                () = stop.cancelled() => false,
                () = tokio::time::sleep(SWEEP_EVERY) => true,
            }
        };
        while is_going().await {
            let second = self.second();
            if self.is_alone(second) {
                continue;
            }
            for who in self.due(second) {
                if self.settle(who, false).await.is_err() {
                    break;
                }
            }
        }
        if !self.is_alone(self.second()) {
            // What is not given back lapses.
            let _ = tokio::time::timeout(grace, self.give_back_all()).await;
        }
    }

    async fn give_back_all(&self) {
        let all = futures::stream::iter(self.due(i64::MAX));
        all.for_each_concurrent(AT_ONCE, |who| async move {
            let _ = self.settle(who, true).await;
        })
        .await;
    }

    fn due(&self, second: i64) -> Vec<Who> {
        let mut due = Vec::new();
        let terms = self.0.lender.terms();
        for shard in &self.0.shards {
            due.extend(
                lock(shard).iter().filter(|(_, share)| share.is_due(second, terms)).map(|(who, _)| *who),
            );
        }
        due
    }

    async fn settle(&self, who: Who, is_last: bool) -> Result<(), Away> {
        let gate = self.gate(who);
        let turn = gate.turn.clone().lock_owned().await;
        let last_used = self.with(who, self.second(), |share| share.window.last());
        let idle = self.0.lender.terms().idle();
        let asking = self.ask(who, gate, turn, |shared, second| {
            let is_idle = is_last || second - last_used >= idle;
            shared.report(0, is_idle, second)
        });
        asking.await.map_or(Err(Away), |(outcome, _)| outcome.map(drop))
    }

    /// Asks for more in passing, unless somebody asks already.
    fn restock(&self, who: Who) {
        let gate = self.gate(who);
        match gate.turn.clone().try_lock_owned() {
            Ok(turn) => drop(self.ask(who, gate, turn, |shared, second| shared.report(0, false, second))),
            Err(_) => self.shared(who, |shared| shared.hand.does_not_ask()),
        }
    }

    /// Tells Redis what `report` says and asks it.
    fn ask(
        &self,
        who: Who,
        gate: Arc<Gate>,
        turn: Turn,
        report: impl FnOnce(&mut Shared, i64) -> Report,
    ) -> Asking {
        let second = self.second();
        let report = self.shared(who, |shared| report(shared, second));
        let limits = self.clone();
        self.0.lender.ask(gate, turn, async move { limits.exchange(who, report, second).await })
    }

    /// Tells Redis and takes in what it answers.
    async fn exchange(&self, who: Who, report: Report, second: i64) -> Result<bool, Away> {
        let lender = &self.0.lender;
        let mut args = vec![
            lender.node(),
            number(report.limit),
            number(report.want),
            number(report.wish.ahead),
            number(report.wish.held),
            lender.terms().lapse,
        ];
        for (used_at, count) in &report.used {
            // A second that has begun may be as good as over: counting it as later keeps the minute whole.
            args.extend([(second - used_at - 1).max(0), *count]);
        }
        let key = format!("xr2:limit:{}", who.name());
        match lender.eval(SCRIPT, &key, &args).await {
            Ok([granted, free, elsewhere, wait]) => {
                let count = |number: i64| u64::try_from(number).unwrap_or(0);
                let lent =
                    Lent { granted: count(granted), free: count(free), elsewhere: count(elsewhere), wait };
                self.shared(who, |shared| shared.lent(report.want, lent, second, lender.terms()));
                Ok(true)
            }
            Err(away) => {
                self.shared(who, |shared| shared.untold(report));
                Err(away)
            }
        }
    }

    fn is_alone(&self, second: i64) -> bool {
        self.0.lender.is_alone(second)
    }

    fn second(&self) -> i64 {
        self.0.lender.second()
    }

    fn gate(&self, who: Who) -> Arc<Gate> {
        self.shared(who, |shared| shared.hand.gate.clone())
    }

    fn shared<T>(&self, who: Who, act: impl FnOnce(&mut Shared) -> T) -> T {
        self.with(who, self.second(), |share| act(share.shared.get_or_insert_with(Box::default)))
    }

    fn with<T>(&self, who: Who, second: i64, act: impl FnOnce(&mut Share) -> T) -> T {
        let mut known = lock(self.shard(&who));
        if let Some(share) = known.get_mut(&who) {
            return act(share);
        }
        if known.len() >= self.0.room {
            make_room(&mut known, self.0.room, second);
        }
        act(known.entry(who).or_insert_with(|| Share::new(second, self.0.lender.is_shared())))
    }

    fn shard(&self, who: &Who) -> &Mutex<HashMap<Who, Share>> {
        let hash = usize::try_from(self.0.hasher.hash_one(who) >> 32).unwrap_or(0);
        &self.0.shards[hash % SHARDS]
    }
}

/// Forgets what is over; if that is not enough, the tenth with the fewest requests, so that nobody who is refused escapes
/// by filling the memory.
fn make_room(known: &mut HashMap<Who, Share>, room: usize, second: i64) {
    known.retain(|_, share| !share.is_idle(second));
    let aim = room - room.div_ceil(10);
    if known.len() <= aim {
        return;
    }
    let mut totals: Vec<u64> = known.values().map(|share| share.window.total()).collect();
    totals.sort_unstable();
    let mut surplus = known.len() - aim;
    let threshold = totals[surplus - 1];
    known.retain(|_, share| {
        let goes = surplus > 0 && share.window.total() <= threshold;
        surplus -= usize::from(goes);
        !goes
    });
}

/// A request that needs a permit.
struct Request<'a> {
    limits: &'a RateLimits,
    who: Who,
    limit: u64,
}

impl Borrower for Request<'_> {
    type Verdict = Verdict;

    fn try_pass(&self) -> Option<Verdict> {
        self.limits.try_pass(self.who, self.limit)
    }

    fn pass_alone(&self) -> Verdict {
        self.limits.pass_alone(self.who, self.limit)
    }

    fn give_up(&self) -> Verdict {
        let second = self.limits.second();
        self.limits.shared(self.who, |shared| shared.hand.shut(second + 1));
        self.try_pass().unwrap_or(Err(Refused { limit: self.limit, wait_seconds: 1 }))
    }

    fn gate(&self) -> Arc<Gate> {
        self.limits.gate(self.who)
    }

    fn name(&self) -> String {
        self.who.name()
    }

    fn ask(&self, want: u64, gate: Arc<Gate>, turn: Turn) -> Asking {
        self.limits.ask(self.who, gate, turn, |shared, second| shared.report(want, false, second))
    }
}

impl Who {
    /// As Redis and other nodes know it.
    fn name(self) -> String {
        match self {
            Who::Key(id) => format!("key:{}", id.simple()),
            Who::Network(network) => format!("network:{network}"),
        }
    }

    fn of_name(name: &str) -> Option<Who> {
        match name.split_once(':')? {
            ("key", id) => id.parse().ok().map(Who::Key),
            ("network", network) => network.parse().ok().map(Who::Network),
            _ => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
