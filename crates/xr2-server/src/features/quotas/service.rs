//! Counting calls against what a workspace has.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::NaiveTime;
use tokio::sync::Mutex;
use uuid::Uuid;
use xr2_db::Purpose;

use super::call::{Call, Level};
use super::counter::{Counter, Taken, first_day, month_of};
use super::lease::Errand;
use super::{queries, sharing};
use crate::auth::{Access, Identity};
use crate::clock::Time;
use crate::error::Result;
use crate::limits::Lender;
use crate::state::App;

/// How often is looked whether something has to be read or told.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often is looked what the database knows of all workspaces, in looks.
const READ_EVERY: u32 = 5;

/// How long the first call of a workspace waits for what was counted before, as a multiple of how long requests wait for
/// Redis: a second where nobody has set that.
const FIRST_READ: u32 = 20;

/// Calls a month that a workspace has; none: as many as it likes.
pub fn quota(app: &App, _workspace: Uuid) -> Option<i64> {
    i64::try_from(app.config().limits.calls_per_month).ok().filter(|calls| *calls > 0)
}

/// Calls that pass. A tenth more, so that nobody is cut off at once who has looked away for a moment.
pub(super) fn most(quota: i64) -> i64 {
    quota.saturating_add(quota / 10)
}

/// Calls of workspaces in the present month.
pub struct Quotas {
    /// By workspace and month. Where a month begins, requests and reads of the one before are still under way; what
    /// they count must not put aside what is counted of the new one.
    counters: RwLock<HashMap<(Uuid, i64), Arc<Counter>>>,
    /// Held by whoever reads what was counted before, for all who wait for that.
    reading: Mutex<()>,
    pub(super) lender: Lender,
}

impl Quotas {
    /// Shared with other nodes through `lender`.
    pub(crate) fn new(lender: Lender) -> Quotas {
        Quotas { counters: RwLock::default(), reading: Mutex::default(), lender }
    }

    /// Counts a call, if it can be said at once whether it may be made. None: [`Quotas::take`] has to be asked.
    pub fn try_take(&self, app: &App, workspace: Uuid, now: Time) -> Option<Result<Call>> {
        let Some(quota) = quota(app, workspace) else { return Some(Ok(Call::default())) };
        let counter = self.counter(workspace, month_of(now));
        let taken = sharing::try_take(app, &counter, most(quota))?;
        Some(Call::of(counter, taken, quota))
    }

    /// Counts a program's call, or refuses it. People's do not count.
    pub async fn take(&self, app: &App, access: &Access) -> Result<Call> {
        if !matches!(access.caller.identity, Identity::Key(_)) {
            return Ok(Call::default());
        }
        let Some(quota) = quota(app, access.workspace) else { return Ok(Call::default()) };
        let counter = self.counter(access.workspace, month_of(app.clock().now()));
        let taken = match sharing::take(app, &counter, most(quota)).await {
            Some(taken) => taken,
            None => self.take_alone(app, &counter, most(quota)).await,
        };
        Call::of(counter, taken, quota)
    }

    /// Counts a call, or refuses it, by what the database knows. Without the database it counts from here; what was
    /// before is added when it is there again.
    async fn take_alone(&self, app: &App, counter: &Counter, most: i64) -> Taken {
        if !counter.knows_enough() {
            self.read_or_go_without(app, counter).await;
        }
        counter.take_alone(most)
    }

    /// How far a workspace's calls are used up, when it should be told.
    pub async fn level(&self, app: &App, workspace: Uuid) -> Option<Level> {
        let quota = quota(app, workspace)?;
        let counter = self.counter(workspace, month_of(app.clock().now()));
        if !sharing::look(app, &counter, most(quota)).await && !counter.is_read() {
            self.first_read(app, &counter).await.ok()?;
        }
        Level::of(counter.used(), quota, counter.month)
    }

    /// Calls that this node counted are in the database now.
    pub fn wrote(&self, workspace: Uuid, month: i64, count: i64) {
        if let Some(counter) = self.known_counter(workspace, month) {
            counter.wrote(count);
        }
    }

    /// Whether this node counts for itself although there are others, because Redis does not answer in time.
    pub fn are_per_node(&self) -> bool {
        self.lender.is_per_node()
    }

    /// Gives back what is held of a month's calls: another node needs it.
    pub fn recall(&self, app: &App, name: &str) {
        let Some((workspace, month, epoch)) = Counter::of_name(name) else { return };
        let Some(quota) = quota(app, workspace) else { return };
        let counter = self.known_counter(workspace, month).filter(|counter| counter.is_wanted(epoch));
        if let Some(counter) = counter {
            let app = app.clone();
            tokio::spawn(async move { sharing::settle(&app, &counter, Errand::GiveBack, most(quota)).await });
        }
    }

    /// Asks the database what was counted before; when it does not tell, goes without. Whether it did.
    pub(super) async fn read_or_go_without(&self, app: &App, counter: &Counter) -> bool {
        let read =
            tokio::time::timeout(self.lender.patience() * FIRST_READ, self.first_read(app, counter)).await;
        let is_read = matches!(read, Ok(Ok(())));
        if !is_read && counter.go_without() {
            tracing::warn!(
                workspace = %counter.workspace,
                "the database does not tell how many calls were made this month; they are let through as far as is \
                 known, and what is missing is added when it does"
            );
        }
        is_read
    }

    /// Reads what was counted before of a workspace, and of all others that wait for that: many calls are one question.
    async fn first_read(&self, app: &App, counter: &Counter) -> xr2_db::Result<()> {
        let _reading = self.reading.lock().await;
        let second = self.lender.second();
        if !counter.wants_read(second) {
            return Ok(());
        }
        let unread = self.known(|other| other.month == counter.month && other.wants_read(second));
        self.read(app, unread).await
    }

    /// Reads what was counted before.
    async fn read(&self, app: &App, mut counters: Vec<Arc<Counter>>) -> xr2_db::Result<()> {
        counters.sort_unstable_by_key(|counter| counter.month);
        for of_month in counters.chunk_by(|one, other| one.month == other.month) {
            for some in of_month.chunks(queries::AT_ONCE) {
                self.read_some(app, some).await?;
            }
        }
        Ok(())
    }

    /// Reads what was counted before; all `counters` are of one month.
    async fn read_some(&self, app: &App, counters: &[Arc<Counter>]) -> xr2_db::Result<()> {
        let Some(month) = counters.first().map(|counter| counter.month) else { return Ok(()) };
        let workspaces: Vec<Uuid> = counters.iter().map(|counter| counter.workspace).collect();
        // What this node writes meanwhile would count twice, or not at all.
        let _quiet = app.usage().hold().await;
        let mut tx = app.db().usage().system(Purpose::Usage).read().await?;
        let used = queries::used(&mut tx, month, begin(month)..begin(month + 1), &workspaces).await?;
        tx.commit().await?;
        for counter in counters {
            counter.read(used.get(&counter.workspace).copied().unwrap_or(0));
        }
        Ok(())
    }

    /// Forgets the months that are over, but for the last one: what was counted at its end may not be told yet.
    fn forget_months(&self, present: i64) {
        let is_over = |counter: &Counter| !(present - 1..=present + 1).contains(&counter.month);
        if !self.known(|counter| is_over(counter)).is_empty() {
            let mut known = self.counters.write().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, counter| !is_over(counter));
        }
    }

    fn known(&self, is_wanted: impl Fn(&Counter) -> bool) -> Vec<Arc<Counter>> {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        counters.values().filter(|counter| is_wanted(counter)).cloned().collect()
    }

    fn known_counter(&self, workspace: Uuid, month: i64) -> Option<Arc<Counter>> {
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&(workspace, month)).cloned()
    }

    fn counter(&self, workspace: Uuid, month: i64) -> Arc<Counter> {
        self.known_counter(workspace, month).unwrap_or_else(|| {
            let new = || Arc::new(Counter::new(workspace, month, self.lender.is_shared()));
            let mut known = self.counters.write().unwrap_or_else(PoisonError::into_inner);
            known.entry((workspace, month)).or_insert_with(new).clone()
        })
    }
}

/// The first microsecond of a month.
fn begin(month: i64) -> i64 {
    first_day(month).and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Looks what the database knows and tells Redis what it should hear, until the server stops; then gives back what this
/// node holds, as far as that can be done within `grace`.
pub async fn run(app: App, grace: Duration) {
    let (quotas, stop) = (app.quotas(), app.stopping());
    for look in 1_u32.. {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        quotas.forget_months(month_of(app.clock().now()));
        let second = quotas.lender.second();
        let is_for_all = look % READ_EVERY == 0;
        let wanted = quotas.known(|counter| is_for_all || counter.wants_read(second));
        if let Err(error) = quotas.read(&app, wanted).await {
            tracing::debug!(%error, "calls of other nodes could not be read; trying again");
        }
        let terms = quotas.lender.terms();
        let due = quotas.known(|counter| counter.is_due(second, terms));
        sharing::tell_all(&app, due).await;
    }
    let all = quotas.known(|counter| counter.is_due(i64::MAX, quotas.lender.terms()));
    let _ = tokio::time::timeout(grace, sharing::give_back_all(&app, all)).await;
}
