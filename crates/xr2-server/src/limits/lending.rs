//! How a node asks Redis for its part of what all nodes share.
//!
//! Of each limit one question is asked at a time, whoever waits for the answer; nobody waits longer than Redis may take,
//! and nobody is refused before other nodes were asked for what they hold.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;
use xr2_bus::{Away, Bus, Heard};

use super::hand::Terms;
use crate::clock::Clock;

/// After Redis took too long, nobody waits for it for so many seconds.
const ALONE_FOR: i64 = 2;

/// How long others get to give back what they hold, as a multiple of how long Redis may take.
const RECALL_PATIENCE: u32 = 5;

/// The right to ask Redis about a limit.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// A question to Redis, and whether it took in what it was told; the turn comes back with the answer.
pub(crate) type Asking = JoinHandle<(Result<bool, Away>, Turn)>;

/// This node's way to what is lent; cheap to clone.
#[derive(Clone)]
pub(crate) struct Lender(Arc<Inner>);

struct Inner {
    bus: Bus,
    clock: Clock,
    /// This node, as Redis knows it.
    node: i64,
    /// How long a request waits for Redis.
    patience: Duration,
    terms: Terms,
    /// Until this second ([`Lender::second`]) everybody goes by what this node has counted.
    alone_until: AtomicI64,
}

/// Where those wait who want more of one limit.
#[derive(Default)]
pub(crate) struct Gate {
    /// Held until Redis has answered, whether or not anybody still waits for that: an answer to an older question must
    /// not come after a newer one was asked.
    pub(crate) turn: Arc<Mutex<()>>,
    waiting: AtomicUsize,
    /// Whether the answer that is waited for takes too long.
    overdue: watch::Sender<bool>,
}

impl Gate {
    /// Waits until Redis takes too long to answer.
    async fn is_overdue(&self) {
        // The sender is the gate's own.
        let _ = self.overdue.subscribe().wait_for(|is_overdue| *is_overdue).await;
    }
}

/// A request that needs a permit of some limit.
pub(crate) trait Borrower {
    /// What becomes of it.
    type Verdict;

    /// Whether it passes, if that can be said without asking anybody.
    fn try_pass(&self) -> Option<Self::Verdict>;

    /// Whether it passes by what this node has counted.
    fn pass_alone(&self) -> Self::Verdict;

    /// Whether it passes now that everybody was asked in vain.
    fn give_up(&self) -> Self::Verdict;

    /// Where to wait.
    fn gate(&self) -> Arc<Gate>;

    /// The limit, as other nodes know it.
    fn name(&self) -> String;

    /// Makes ready what Redis has to be told; whether it may be asked.
    fn prepare(&self) -> impl Future<Output = bool> + Send {
        std::future::ready(true)
    }

    /// Asks Redis for as many permits as requests wait, through [`Lender::ask`].
    fn ask(&self, want: u64, gate: Arc<Gate>, turn: Turn) -> Asking;
}

impl Lender {
    /// Requests wait for Redis for `patience` at most.
    pub(crate) fn new(bus: Bus, clock: Clock, node: Uuid, patience: Duration, terms: Terms) -> Lender {
        let node = i64::from_be_bytes(node.as_bytes()[8..].try_into().unwrap_or_default()) & (i64::MAX >> 11);
        Lender(Arc::new(Inner { bus, clock, node, patience, terms, alone_until: AtomicI64::new(0) }))
    }

    /// This node, as Redis knows it.
    pub(crate) fn node(&self) -> i64 {
        self.0.node
    }

    /// For how long what is lent may be kept.
    pub(crate) fn terms(&self) -> Terms {
        self.0.terms
    }

    /// How long a request waits for Redis.
    pub(crate) fn patience(&self) -> Duration {
        self.0.patience
    }

    /// Whether there are other nodes to share with.
    pub(crate) fn is_shared(&self) -> bool {
        self.0.bus.is_shared()
    }

    /// Seconds since some fixed point. Those of the machine's clock may be set back.
    pub(crate) fn second(&self) -> i64 {
        i64::try_from(self.0.clock.monotonic().as_secs()).unwrap_or(i64::MAX)
    }

    /// Whether Redis did not answer a moment ago.
    pub(crate) fn is_alone(&self, second: i64) -> bool {
        second < self.0.alone_until.load(Ordering::Relaxed)
    }

    /// Whether this node counts for itself although there are others, because Redis does not answer in time.
    pub(crate) fn is_per_node(&self) -> bool {
        let is_away = self.is_shared() && self.0.bus.state() == xr2_bus::State::Disconnected;
        is_away || self.is_alone(self.second())
    }

    /// Nobody waits for Redis for a moment.
    pub(crate) fn go_alone(&self) {
        self.0.alone_until.store(self.second() + ALONE_FOR, Ordering::Relaxed);
    }

    /// Redis' answer of `N` numbers. Without one, everybody goes alone for a moment.
    pub(crate) async fn eval<const N: usize>(
        &self,
        script: &str,
        key: &str,
        args: &[i64],
    ) -> Result<[i64; N], Away> {
        let answer = self.0.bus.eval(script, key, args).await;
        answer.and_then(|answer| answer.try_into().map_err(|_| Away)).inspect_err(|_| self.go_alone())
    }

    /// Whether a request passes, asking whom it takes.
    pub(crate) async fn pass<B: Borrower>(&self, request: &B) -> B::Verdict {
        if let Some(verdict) = request.try_pass() {
            return verdict;
        }
        let gate = request.gate();
        let _waiting = Waiting::begin(&gate);
        let turn = tokio::select! {
            biased;
            turn = gate.turn.clone().lock_owned() => turn,
            () = gate.is_overdue() => return request.pass_alone(),
        };
        // Whoever had the turn before may have brought enough for all.
        if let Some(verdict) = request.try_pass() {
            return verdict;
        }
        self.ask_until_certain(request, &gate, turn).await
    }

    /// Asks Redis, and if that has nothing left, the other nodes.
    async fn ask_until_certain<B: Borrower>(
        &self,
        request: &B,
        gate: &Arc<Gate>,
        mut turn: Turn,
    ) -> B::Verdict {
        let patience = self.0.patience * RECALL_PATIENCE;
        let began = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(2);
        loop {
            if !request.prepare().await {
                return request.pass_alone();
            }
            let want = gate.waiting.load(Ordering::Relaxed).max(1) as u64;
            let asking = request.ask(want, gate.clone(), turn);
            let answered = tokio::select! {
                biased;
                answered = asking => answered.ok(),
                () = gate.is_overdue() => None,
            };
            let Some((Ok(was_taken_in), its_turn)) = answered else { return request.pass_alone() };
            turn = its_turn;
            if let Some(verdict) = request.try_pass() {
                return verdict;
            }
            if began.elapsed() >= patience {
                return request.give_up();
            }
            if was_taken_in {
                self.0.bus.tell(Heard::Recall(request.name()));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(50));
            }
        }
    }

    /// Runs an exchange with Redis to its end, so that no answer is lost and none comes after a newer question, whoever
    /// waits for it; when it takes too long, everybody is told and goes alone.
    pub(crate) fn ask(
        &self,
        gate: Arc<Gate>,
        turn: Turn,
        exchange: impl Future<Output = Result<bool, Away>> + Send + 'static,
    ) -> Asking {
        let lender = self.clone();
        tokio::spawn(async move {
            let mut exchange = pin!(exchange);
            if let Ok(outcome) = tokio::time::timeout(lender.0.patience, &mut exchange).await {
                return (outcome, turn);
            }
            lender.go_alone();
            gate.overdue.send_replace(true);
            let outcome = exchange.await;
            gate.overdue.send_replace(false);
            (outcome, turn)
        })
    }
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

/// As Redis takes it.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX >> 11)
}
