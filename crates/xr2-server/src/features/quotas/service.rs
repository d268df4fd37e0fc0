//! Counting calls against what a workspace has.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{NaiveDate, NaiveTime};
use tokio::sync::Mutex;
use uuid::Uuid;
use xr2_db::Purpose;

use super::counter::{Counter, first_day, month_of};
use super::queries;
use crate::auth::{Access, Identity};
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::http::Warning;
use crate::state::App;

/// How often is looked what other nodes have counted.
const READ_EVERY: Duration = Duration::from_secs(5);

/// How long the first call of a workspace waits for what was counted before.
const FIRST_READ: Duration = Duration::from_secs(1);

static X_XR2_WARNING: HeaderName = HeaderName::from_static("x-xr2-warning");

/// Calls a month that a workspace has; none: as many as it likes.
pub fn quota(app: &App, _workspace: Uuid) -> Option<i64> {
    i64::try_from(app.config().limits.calls_per_month).ok().filter(|calls| *calls > 0)
}

/// Calls of workspaces in the present month.
#[derive(Default)]
pub struct Quotas {
    counters: RwLock<HashMap<Uuid, Arc<Counter>>>,
    /// Held by whoever reads what was counted before, for all who wait for that.
    reading: Mutex<()>,
}

/// A call that counts, unless it is dropped before [`Call::stands`].
#[derive(Default)]
pub struct Call {
    counter: Option<Arc<Counter>>,
    /// What the client should be told.
    pub level: Option<Level>,
}

/// A quota that is nearly or wholly used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    percent: i64,
    month: i64,
}

impl Level {
    fn of(used: i64, quota: i64, month: i64) -> Option<Level> {
        let reached = |percent: i64| used.saturating_mul(100) >= quota.saturating_mul(percent);
        let percent = [100, 80].into_iter().find(|percent| reached(*percent))?;
        Some(Level { percent, month })
    }

    fn renews(&self) -> NaiveDate {
        first_day(self.month + 1)
    }

    /// Puts `X-XR2-Warning` on an answer.
    pub fn put_on(&self, headers: &mut HeaderMap) {
        let text = format!("quota; used={}%; renews={}", self.percent, self.renews());
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(X_XR2_WARNING.clone(), value);
        }
    }

    /// For `meta.warnings`.
    pub fn warning(&self) -> Warning {
        let (percent, renews) = (self.percent, self.renews());
        let message = match percent {
            100 => format!(
                "This workspace has used all calls of the month; beyond 110 % they are refused until {renews}."
            ),
            _ => format!(
                "This workspace has used {percent} % of its calls of the month. It begins anew on {renews}."
            ),
        };
        Warning { code: format!("QUOTA_{percent}"), message, variable: None, nearest: None }
    }
}

impl Call {
    /// It was answered.
    pub fn stands(mut self) {
        self.counter = None;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(counter) = &self.counter {
            counter.take_back();
        }
    }
}

impl Quotas {
    /// Counts a call, if it can be said at once whether it may be made. None: [`Quotas::take`] has to be asked.
    pub fn try_take(&self, app: &App, workspace: Uuid, now: Time) -> Option<Result<Call>> {
        let Some(quota) = quota(app, workspace) else { return Some(Ok(Call::default())) };
        let counter = self.counter(workspace, month_of(now));
        counter.is_read().then(|| take(counter, quota))
    }

    /// Counts a program's call, or refuses it. People's do not count.
    pub async fn take(&self, app: &App, access: &Access) -> Result<Call> {
        if !matches!(access.caller.identity, Identity::Key(_)) {
            return Ok(Call::default());
        }
        if let Some(taken) = self.try_take(app, access.workspace, app.clock().now()) {
            return taken;
        }
        // Without the database it counts from here; what was before is added when it is there again.
        let read = tokio::time::timeout(FIRST_READ, self.first_read(app, access.workspace)).await;
        let Some(quota) = quota(app, access.workspace) else { return Ok(Call::default()) };
        let counter = self.counter(access.workspace, month_of(app.clock().now()));
        if !matches!(read, Ok(Ok(()))) {
            counter.go_without();
        }
        take(counter, quota)
    }

    /// How far a workspace's calls are used up, when it should be told.
    pub async fn level(&self, app: &App, workspace: Uuid) -> Option<Level> {
        let quota = quota(app, workspace)?;
        let counter = self.counter(workspace, month_of(app.clock().now()));
        if !counter.is_read() {
            self.first_read(app, workspace).await.ok()?;
        }
        Level::of(counter.used(), quota, counter.month)
    }

    /// Calls that this node counted are in the database now.
    pub fn wrote(&self, workspace: Uuid, month: i64, count: i64) {
        let known = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(&workspace).filter(|counter| counter.month == month) {
            counter.wrote(count);
        }
    }

    /// Reads what was counted before of a workspace, and of all others that wait for that: many calls are one question.
    async fn first_read(&self, app: &App, workspace: Uuid) -> xr2_db::Result<()> {
        let counter = self.counter(workspace, month_of(app.clock().now()));
        let _reading = self.reading.lock().await;
        if counter.is_read() {
            return Ok(());
        }
        let unread = self.known(|counter| !counter.is_read());
        self.read(app, &unread).await
    }

    async fn read(&self, app: &App, workspaces: &[Uuid]) -> xr2_db::Result<()> {
        let month = month_of(app.clock().now());
        let begin = first_day(month).and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        for some in workspaces.chunks(queries::AT_ONCE) {
            // What this node writes meanwhile would count twice, or not at all.
            let _quiet = app.usage().hold().await;
            let mut tx = app.db().usage().system(Purpose::Usage).read().await?;
            let used = queries::used(&mut tx, month, begin, some).await?;
            tx.commit().await?;
            for workspace in some {
                self.counter(*workspace, month).read(used.get(workspace).copied().unwrap_or(0));
            }
        }
        Ok(())
    }

    fn known(&self, is_wanted: impl Fn(&Counter) -> bool) -> Vec<Uuid> {
        let counters = self.counters.read().unwrap_or_else(PoisonError::into_inner);
        counters.iter().filter(|(_, counter)| is_wanted(counter)).map(|(workspace, _)| *workspace).collect()
    }

    fn counter(&self, workspace: Uuid, month: i64) -> Arc<Counter> {
        let found = {
            let known = self.counters.read().unwrap_or_else(PoisonError::into_inner);
            known.get(&workspace).filter(|counter| counter.month == month).cloned()
        };
        found.unwrap_or_else(|| {
            let mut known = self.counters.write().unwrap_or_else(PoisonError::into_inner);
            let counter = known.entry(workspace).or_insert_with(|| Arc::new(Counter::new(month)));
            if counter.month != month {
                *counter = Arc::new(Counter::new(month));
            }
            counter.clone()
        })
    }
}

fn take(counter: Arc<Counter>, quota: i64) -> Result<Call> {
    // A tenth more, so that nobody is cut off at once who has looked away for a moment.
    let most = quota.saturating_add(quota / 10);
    match counter.take(most) {
        Some(used) => {
            let level = Level::of(used, quota, counter.month);
            Ok(Call { counter: Some(counter), level })
        }
        None => {
            let renews = first_day(counter.month + 1);
            let message = format!(
                "This workspace has used up its {quota} calls of the month (and a tenth more). It begins anew on {renews}."
            );
            let details =
                serde_json::json!({ "quota": quota, "used": counter.used(), "renews": renews.to_string() });
            Err(ApiError::new(Code::QuotaExceeded, message).with_details(details))
        }
    }
}

/// Looks what other nodes have counted, until the server stops.
pub async fn run(app: App) {
    let stop = app.stopping();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(READ_EVERY) => {}
        }
        let known = app.quotas().known(|_| true);
        if let Err(error) = app.quotas().read(&app, &known).await {
            tracing::debug!(%error, "calls of other nodes could not be read; trying again");
        }
    }
}
