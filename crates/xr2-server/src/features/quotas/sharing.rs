//! Sharing a month's calls with other nodes through Redis: asking for permits, telling what was used.

use std::sync::Arc;

use futures::StreamExt;
use xr2_bus::Away;

use super::counter::{Counter, Taken};
use super::lease::{Errand, SCRIPT};
use super::service::{most, quota};
use crate::limits::{Asking, Borrower, Gate, Turn};
use crate::state::App;

/// How often Redis is asked anew when it knows too little: it was told of a sum that is gone, and of none.
const ATTEMPTS: usize = 3;

/// Workspaces of which Redis is told at the same time.
const AT_ONCE: usize = 32;

/// After a sum was lost, nothing is lent for so many times as long as Redis may take, so that all are heard first.
const GRACE: u32 = 2;

/// Counts a call, or refuses it, if that can be said at once.
pub(super) fn try_take(app: &App, counter: &Arc<Counter>, most: i64) -> Option<Taken> {
    let lender = &app.quotas().lender;
    if !lender.is_shared() {
        return counter.take_if_known(most);
    }
    let second = lender.second();
    let taken = counter.try_take(most, second, lender.is_alone(second));
    if let Some(Taken::Passed { wants_more: true, .. }) = taken {
        restock(app, counter, most);
    }
    taken
}

/// Counts a call, or refuses it, asking Redis if need be. None: nothing is known, and Redis does not answer.
pub(super) async fn take(app: &App, counter: &Arc<Counter>, most: i64) -> Option<Taken> {
    let lender = &app.quotas().lender;
    if !lender.is_shared() {
        return try_take(app, counter, most);
    }
    lender.pass(&Request { app, counter, most }).await
}

/// Asks Redis how many calls were made; whether it has told.
pub(super) async fn look(app: &App, counter: &Arc<Counter>, most: i64) -> bool {
    let lender = &app.quotas().lender;
    if !lender.is_shared() || lender.is_alone(lender.second()) {
        return false;
    }
    let looked = tokio::time::timeout(lender.patience(), settle(app, counter, Errand::Tell, most)).await;
    matches!(looked, Ok(Ok(())))
}

/// Tells Redis of all these, but for those of which somebody is telling it anyway.
pub(super) async fn tell_all(app: &App, counters: Vec<Arc<Counter>>) {
    each(app, counters, |counter, most| async move {
        if let Ok(turn) = counter.gate().turn.clone().try_lock_owned() {
            // It is told again later.
            let _ = settle_in_turn(app, &counter, Errand::Tell, most, turn).await;
        }
    })
    .await;
}

/// Gives back what is held of all these.
pub(super) async fn give_back_all(app: &App, counters: Vec<Arc<Counter>>) {
    each(app, counters, |counter, most| async move {
        // What is not given back lapses.
        let _ = settle(app, &counter, Errand::GiveBack, most).await;
    })
    .await;
}

async fn each<Done: Future<Output = ()>>(
    app: &App,
    counters: Vec<Arc<Counter>>,
    act: impl Fn(Arc<Counter>, i64) -> Done,
) {
    let act = &act;
    futures::stream::iter(counters)
        .for_each_concurrent(AT_ONCE, |counter| async move {
            let lender = &app.quotas().lender;
            let quota = quota(app, counter.workspace).filter(|_| !lender.is_alone(lender.second()));
            if let Some(quota) = quota {
                act(counter, most(quota)).await;
            }
        })
        .await;
}

/// Tells Redis, and what the database knows as well if that is needed.
pub(super) async fn settle(app: &App, counter: &Arc<Counter>, errand: Errand, most: i64) -> Result<(), Away> {
    let turn = counter.gate().turn.clone().lock_owned().await;
    settle_in_turn(app, counter, errand, most, turn).await
}

async fn settle_in_turn(
    app: &App,
    counter: &Arc<Counter>,
    errand: Errand,
    most: i64,
    mut turn: Turn,
) -> Result<(), Away> {
    let gate = counter.gate();
    for _ in 0..ATTEMPTS {
        if !prepare(app, counter).await {
            break;
        }
        let answered = ask(app, counter, errand, most, gate.clone(), turn).await;
        let Ok((outcome, its_turn)) = answered else { break };
        if outcome? {
            return Ok(());
        }
        turn = its_turn;
    }
    Err(Away)
}

/// Asks for more in passing, unless somebody asks already.
fn restock(app: &App, counter: &Arc<Counter>, most: i64) {
    let gate = counter.gate();
    match gate.turn.clone().try_lock_owned() {
        Ok(turn) => drop(ask(app, counter, Errand::Tell, most, gate, turn)),
        Err(_) => counter.does_not_ask(),
    }
}

/// Reads what the database knows, if Redis has to be told that. Whether Redis may be asked.
async fn prepare(app: &App, counter: &Counter) -> bool {
    let quotas = app.quotas();
    if counter.needs_read(quotas.lender.second()) {
        quotas.read_or_go_without(app, counter).await;
    }
    !counter.is_lost_without_read()
}

fn ask(app: &App, counter: &Arc<Counter>, errand: Errand, most: i64, gate: Arc<Gate>, turn: Turn) -> Asking {
    let exchange = exchange(app.clone(), counter.clone(), errand, most);
    app.quotas().lender.ask(gate, turn, exchange)
}

/// Tells Redis and takes in what it answers.
async fn exchange(app: App, counter: Arc<Counter>, errand: Errand, most: i64) -> Result<bool, Away> {
    let lender = &app.quotas().lender;
    let mut quiet = None;
    if counter.is_astray() {
        // What is told as not written must not be written before Redis knows of it: it would count twice.
        let held = tokio::time::timeout(lender.patience() / 2, app.usage().hold()).await;
        quiet = Some(held.map_err(|_| {
            counter.does_not_ask();
            Away
        })?);
    }
    let (second, terms) = (lender.second(), lender.terms());
    let Some(report) = counter.report(errand, most, second, terms, quiet.is_some()) else {
        // A call went astray just now.
        counter.does_not_ask();
        return Ok(false);
    };
    let grace = i64::try_from((lender.patience() * GRACE).as_millis()).unwrap_or(0);
    let key = format!("xr2:month:{}:{}", counter.workspace.simple(), counter.month);
    let answer = lender.eval(SCRIPT, &key, &report.args(lender.node(), most, terms, grace)).await;
    drop(quiet);
    match answer {
        Ok(answer) => Ok(counter.take_in(&report, answer, terms)),
        Err(away) => {
            counter.missed(&report);
            Err(away)
        }
    }
}

/// A call that needs a permit.
struct Request<'a> {
    app: &'a App,
    counter: &'a Arc<Counter>,
    most: i64,
}

impl Borrower for Request<'_> {
    type Verdict = Option<Taken>;

    fn try_pass(&self) -> Option<Self::Verdict> {
        try_take(self.app, self.counter, self.most).map(Some)
    }

    fn pass_alone(&self) -> Self::Verdict {
        self.counter.take_if_known(self.most)
    }

    fn give_up(&self) -> Self::Verdict {
        self.counter.shut(self.app.quotas().lender.second() + 1);
        try_take(self.app, self.counter, self.most)
    }

    fn gate(&self) -> Arc<Gate> {
        self.counter.gate()
    }

    fn name(&self) -> String {
        self.counter.name()
    }

    async fn prepare(&self) -> bool {
        prepare(self.app, self.counter).await
    }

    fn ask(&self, want: u64, gate: Arc<Gate>, turn: Turn) -> Asking {
        ask(self.app, self.counter, Errand::Want(want), self.most, gate, turn)
    }
}
