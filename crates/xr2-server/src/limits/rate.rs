//! Requests per minute, by key and by address: counted in memory on one node, shared through Redis on several.
//!
//! With Redis a node holds permits in hand, lent from what all nodes share, and asks for more ahead of need; so a request
//! seldom waits for Redis, and close to the limit every permit is asked for one by one. Nobody is refused before the
//! other nodes have given back what they do not need. Without an answer from Redis a node goes by its own requests.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_bus::{Away, Bus, Heard};

use super::share::{Answer, Gate, Lent, Report, Share, Shared};
use super::{Refused, Standing};
use crate::clock::Clock;

const SCRIPT: &str = include_str!("share.lua");

const SHARDS: usize = 16;

/// How often is looked for what Redis has not been told of.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// After Redis took too long, nobody waits for it for so many seconds.
const ALONE_FOR: i64 = 2;

/// How long others get to give back what they hold, as a multiple of how long Redis may take.
const RECALL_PATIENCE: u32 = 5;

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
    bus: Bus,
    clock: Clock,
    /// This node, as Redis knows it.
    node: i64,
    /// How long a request waits for Redis.
    patience: Duration,
    /// Until this second ([`RateLimits::second`]) everybody goes by this node's own requests.
    alone_until: AtomicI64,
}

type Verdict = Result<Standing, Refused>;

/// The right to ask Redis about a limit.
type Turn = OwnedMutexGuard<()>;

/// A question to Redis; the turn comes back with the answer.
type Asking = JoinHandle<(Result<(), Away>, Turn)>;

impl RateLimits {
    /// Memory for `most` limits; requests wait for Redis for `patience` at most.
    pub fn new(bus: Bus, clock: Clock, node: Uuid, patience: Duration, most: usize) -> RateLimits {
        let node = i64::from_be_bytes(node.as_bytes()[8..].try_into().unwrap_or_default()) & (i64::MAX >> 11);
        RateLimits(Arc::new(Inner {
            shards: Default::default(),
            hasher: RandomState::new(),
            room: most.div_ceil(SHARDS),
            bus,
            clock,
            node,
            patience,
            alone_until: AtomicI64::new(0),
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

    /// Counts a request, or refuses it.
    pub async fn pass(&self, who: Who, limit: u64) -> Verdict {
        if let Some(verdict) = self.try_pass(who, limit) {
            return verdict;
        }
        let gate = self.shared(who, |shared| shared.gate.clone());
        let _waiting = Waiting::begin(&gate);
        let turn = tokio::select! {
            biased;
            turn = gate.turn.clone().lock_owned() => turn,
            () = gate.is_overdue() => return self.pass_alone(who, limit),
        };
        // Whoever had the turn before may have brought enough for all.
        if let Some(verdict) = self.try_pass(who, limit) {
            return verdict;
        }
        self.ask_until_certain(who, limit, &gate, turn).await
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
            let gate = limits.shared(who, |shared| shared.gate.clone());
            let turn = gate.turn.clone().lock_owned().await;
            limits.ask(who, gate, turn, Shared::give_back);
        });
    }

    /// Whether this node counts for itself although there are others, because Redis does not answer in time.
    pub fn are_per_node(&self) -> bool {
        let is_away = self.0.bus.is_shared() && self.0.bus.state() == xr2_bus::State::Disconnected;
        is_away || self.is_alone(self.second())
    }

    /// Tells Redis now and then what was used and gives back what is not, until `stop`; then gives back everything, as
    /// far as that can be done within `grace`.
    pub async fn run(&self, stop: CancellationToken, grace: Duration) {
        if !self.0.bus.is_shared() {
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
        for shard in &self.0.shards {
            due.extend(lock(shard).iter().filter(|(_, share)| share.is_due(second)).map(|(who, _)| *who));
        }
        due
    }

    async fn settle(&self, who: Who, is_last: bool) -> Result<(), Away> {
        let gate = self.shared(who, |shared| shared.gate.clone());
        let turn = gate.turn.clone().lock_owned().await;
        let last_used = self.with(who, self.second(), |share| share.window.last());
        let asking = self.ask(who, gate, turn, |shared, second| {
            let is_idle = is_last || shared.lies_idle(last_used, second);
            shared.report(0, is_idle, second)
        });
        asking.await.map_or(Err(Away), |(outcome, _)| outcome)
    }

    /// Asks for more in passing, unless somebody asks already.
    fn restock(&self, who: Who) {
        let gate = self.shared(who, |shared| shared.gate.clone());
        match gate.turn.clone().try_lock_owned() {
            Ok(turn) => drop(self.ask(who, gate, turn, |shared, second| shared.report(0, false, second))),
            Err(_) => self.shared(who, Shared::does_not_ask),
        }
    }

    /// Asks Redis, and if that has nothing left, the other nodes.
    async fn ask_until_certain(&self, who: Who, limit: u64, gate: &Arc<Gate>, mut turn: Turn) -> Verdict {
        let patience = self.0.patience * RECALL_PATIENCE;
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            let want = gate.waiting.load(Ordering::Relaxed).max(1) as u64;
            let asking =
                self.ask(who, gate.clone(), turn, |shared, second| shared.report(want, false, second));
            let answered = tokio::select! {
                biased;
                answered = asking => answered.ok(),
                () = gate.is_overdue() => None,
            };
            let Some((Ok(()), its_turn)) = answered else { return self.pass_alone(who, limit) };
            turn = its_turn;
            if let Some(verdict) = self.try_pass(who, limit) {
                return verdict;
            }
            if began.elapsed() >= patience {
                break;
            }
            self.0.bus.tell(Heard::Recall(who.name()));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        let second = self.second();
        self.shared(who, |shared| shared.shut_for_a_moment(second));
        self.try_pass(who, limit).unwrap_or(Err(Refused { limit, wait_seconds: 1 }))
    }

    /// Tells Redis what `report` says and asks it. That runs to its end, so that no answer is lost and none comes after a
    /// newer question, whoever waits for it; when it takes too long, everybody is told and goes alone.
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
        tokio::spawn(async move {
            let mut exchange = pin!(limits.exchange(who, report, second));
            if let Ok(outcome) = tokio::time::timeout(limits.0.patience, &mut exchange).await {
                return (outcome, turn);
            }
            limits.go_alone();
            gate.overdue.send_replace(true);
            let outcome = exchange.await;
            gate.overdue.send_replace(false);
            (outcome, turn)
        })
    }

    /// Tells Redis and takes in what it answers.
    async fn exchange(&self, who: Who, report: Report, second: i64) -> Result<(), Away> {
        let mut args = vec![
            self.0.node,
            number(report.limit),
            number(report.want),
            number(report.ahead),
            number(report.held),
        ];
        for (used_at, count) in &report.used {
            // A second that has begun may be as good as over: counting it as later keeps the minute whole.
            args.extend([(second - used_at - 1).max(0), *count]);
        }
        let key = format!("xr2:limit:{}", who.name());
        let answer = self.0.bus.eval(SCRIPT, &key, &args).await;
        match answer.as_deref() {
            Ok(&[granted, free, elsewhere, wait]) => {
                let count = |number: i64| u64::try_from(number).unwrap_or(0);
                let lent =
                    Lent { granted: count(granted), free: count(free), elsewhere: count(elsewhere), wait };
                self.shared(who, |shared| shared.lent(report.want, lent, second));
                Ok(())
            }
            _ => {
                self.shared(who, |shared| shared.untold(report));
                self.go_alone();
                Err(Away)
            }
        }
    }

    fn go_alone(&self) {
        self.0.alone_until.store(self.second() + ALONE_FOR, Ordering::Relaxed);
    }

    fn is_alone(&self, second: i64) -> bool {
        second < self.0.alone_until.load(Ordering::Relaxed)
    }

    /// Seconds since some fixed point. Those of the machine's clock may be set back.
    fn second(&self) -> i64 {
        i64::try_from(self.0.clock.monotonic().as_secs()).unwrap_or(i64::MAX)
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
        act(known.entry(who).or_insert_with(|| Share::new(second, self.0.bus.is_shared())))
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

/// A request that waits for its turn.
struct Waiting<'a>(&'a Gate);

impl Waiting<'_> {
    fn begin(gate: &Gate) -> Waiting<'_> {
        gate.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(gate)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
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

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX >> 11)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests;
