//! Sums by the hour. What has been summed and how far that is are written together, so that nothing counts twice and
//! nothing is left out, whoever dies when and however many nodes try.

use std::collections::{HashMap, HashSet};

use chrono::DateTime;
use uuid::Uuid;
use xr2_db::{DbError, Purpose, Result};

use super::event::Source;
use super::queries::events::{self, Counted, UsedBy};
use super::queries::hourly;
use super::rows::HOUR;
use super::sketch::Latencies;
use crate::features::quotas::month_of;
use crate::heavy::bulk;
use crate::state::App;

/// Deliveries that are summed in one transaction.
const BATCH: i64 = 10_000;

/// What is summed apart from the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HourKey {
    pub workspace: Uuid,
    /// Hours since 1970.
    pub hour: i64,
    pub prompt: Uuid,
    pub version: i64,
    pub label: String,
    pub variant: String,
    /// Nil without one.
    pub key: Uuid,
    pub source: String,
}

/// The sums of an hour.
#[derive(Default)]
pub(super) struct HourSum {
    pub count: i64,
    pub errors: i64,
    /// How many of them have a latency.
    pub measured: i64,
    /// Latencies added up.
    pub latency_us: i64,
    pub latencies: Latencies,
    pub last_at: i64,
}

impl HourSum {
    pub(super) fn merge(&mut self, other: &HourSum) {
        self.count = together(self.count, other.count);
        self.errors = together(self.errors, other.errors);
        self.measured = together(self.measured, other.measured);
        self.latency_us = together(self.latency_us, other.latency_us);
        self.latencies.merge(&other.latencies);
        self.last_at = self.last_at.max(other.last_at);
    }

    fn add(&mut self, some: &Counted) {
        self.count = together(self.count, some.count);
        if some.is_error {
            self.errors = together(self.errors, some.count);
        }
        self.last_at = self.last_at.max(some.last_at);
        let Some(micros) = some.latency_us else { return };
        self.measured = together(self.measured, some.count);
        self.latency_us = together(self.latency_us, micros.saturating_mul(some.count));
        match some.latencies.as_deref().and_then(Latencies::from_bytes) {
            Some(latencies) => self.latencies.merge(&latencies),
            None => self.latencies.add(micros, some.count.unsigned_abs()),
        }
    }
}

/// No hour has more of anything, whatever clients report; so that sums over many hours fit into 64 bits.
const MOST_OF_AN_HOUR: i64 = 100_000_000_000_000;

fn together(a: i64, b: i64) -> i64 {
    a.saturating_add(b).min(MOST_OF_AN_HOUR)
}

/// Somebody used a prompt in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct HourUser {
    pub workspace: Uuid,
    pub hour: i64,
    pub prompt: Uuid,
    pub user_hash: i64,
}

/// What a batch of deliveries comes to.
#[derive(Default)]
pub(super) struct Sums {
    pub hours: HashMap<HourKey, HourSum>,
    /// Calls without errors, by workspace and month. What SDKs read from their memory is none.
    pub months: HashMap<(Uuid, i64), i64>,
    pub users: HashSet<HourUser>,
}

/// Sums everything that has been appended so far.
pub async fn catch_up(app: &App) -> Result<()> {
    let app = app.clone();
    let summing = bulk(async move { sum_all(&app).await }).await;
    summing.map_err(|error| DbError::setup(format!("usage could not be summed: {error}")))?
}

async fn sum_all(app: &App) -> Result<()> {
    let _one = app.usage().summing.lock().await;
    let db = app.db().usage();
    let mut tx = db.system(Purpose::Usage).write().await?;
    let until = events::settled(&mut tx).await?;
    tx.commit().await?;
    while step(app, until).await? {}
    Ok(())
}

/// Sums the next batch; tells whether there may be more. All in one transaction: on SQLite what reads for long then gives
/// way like what writes, and no other node sums the same for nothing.
async fn step(app: &App, until: i64) -> Result<bool> {
    let mut tx = app.db().usage().system(Purpose::Usage).write().await?;
    let from = hourly::lock_cursor(&mut tx).await?;
    let Some(last) = events::last_of_batch(&mut tx, from, until, BATCH).await? else { return Ok(false) };
    let counted = events::counted(&mut tx, from, last).await?;
    let used_by = events::used_by(&mut tx, from, last).await?;
    hourly::add(&mut tx, sums_of(counted, used_by)).await?;
    hourly::set_cursor(&mut tx, last).await?;
    tx.commit().await?;
    Ok(last < until)
}

fn sums_of(counted: Vec<Counted>, used_by: Vec<UsedBy>) -> Sums {
    let mut sums = Sums::default();
    for some in counted {
        if !some.is_error && some.source == Source::Api.as_str() {
            let begin = DateTime::from_timestamp_micros(some.hour.saturating_mul(HOUR)).unwrap_or_default();
            let count = sums.months.entry((some.workspace, month_of(begin))).or_default();
            *count = together(*count, some.count);
        }
        let key = HourKey {
            workspace: some.workspace,
            hour: some.hour,
            prompt: some.prompt,
            version: some.version,
            label: some.label.clone(),
            variant: some.variant.clone(),
            key: some.key.unwrap_or_default(),
            source: some.source.clone(),
        };
        sums.hours.entry(key).or_default().add(&some);
    }
    let hashed = |one: UsedBy| HourUser {
        workspace: one.workspace,
        hour: one.hour,
        prompt: one.prompt,
        user_hash: xxhash_rust::xxh3::xxh3_64(one.user.as_bytes()).cast_signed(),
    };
    sums.users = used_by.into_iter().map(hashed).collect();
    sums
}
