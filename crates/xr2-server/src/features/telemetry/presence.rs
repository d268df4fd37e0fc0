//! Which instances are there: noted in memory, written every second for all nodes to see.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xr2_db::Purpose;

use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::features::telemetry::queries;
use crate::features::telemetry::report::MAX_AGE;
use crate::features::telemetry::roster::Roster;
use crate::state::App;

/// An instance not heard of for so long is gone.
pub const GONE_AFTER: TimeDelta = TimeDelta::minutes(2);

/// Instances that wait to be written at most.
const MOST_WAITING: usize = 20_000;

/// Things served, in all that waits, at most.
const MOST_SERVED: usize = 500_000;

/// Instances of one workspace at most; further ones are not shown.
const MOST_OF_WORKSPACE: i64 = 20_000;

/// How often what was heard is written.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// Ids forgotten in one transaction.
const BATCH: i64 = 2000;

/// What an instance said last.
#[derive(Debug, Clone)]
pub struct Heard {
    /// As it calls itself.
    pub instance: Box<str>,
    /// Its SDK.
    pub sdk: Box<str>,
    /// The key it uses.
    pub key: Option<Uuid>,
    /// The revision it has applied.
    pub revision: i64,
    /// Whether a stream keeps it up to date.
    pub stream: bool,
    /// What it serves, if it said so.
    pub serving: Option<Vec<Serving>>,
    /// When it said so.
    pub at: Time,
}

/// What an instance serves for a label, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Serving {
    /// The prompt.
    #[serde(rename = "p")]
    pub prompt: Uuid,
    /// The label.
    #[serde(rename = "l")]
    pub label: String,
    /// The version.
    #[serde(rename = "v")]
    pub version: i64,
    /// Since when, in microseconds since 1970.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

/// Instances by workspace and name.
type Known = HashMap<(Uuid, Box<str>), Heard>;

/// What was heard since it was last written, and who is there as far as somebody looks.
#[derive(Default)]
pub struct Presence {
    waiting: Mutex<Waiting>,
    /// Held from taking what waits until it is written: who wants to see it all must not look in between.
    writing: tokio::sync::Mutex<()>,
    roster: Roster,
}

#[derive(Default)]
struct Waiting {
    heard: Known,
    served: usize,
}

impl Presence {
    /// Notes what an instance said. When too much waits, it has to say it again.
    pub fn heard(&self, workspace: Uuid, heard: Heard) {
        let mut waiting = self.waiting();
        let served = heard.serving.as_ref().map_or(0, Vec::len);
        if waiting.heard.len() >= MOST_WAITING || waiting.served + served > MOST_SERVED {
            metrics::counter!("xr2_client_reports_dropped_total").increment(1);
            return;
        }
        waiting.served += served;
        waiting.put(workspace, heard);
    }

    /// For those who look.
    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    async fn write(&self, app: &App) -> xr2_db::Result<()> {
        let _writing = self.writing.lock().await;
        let heard = std::mem::take(&mut *self.waiting()).heard;
        if heard.is_empty() {
            return Ok(());
        }
        let mut by_workspace: HashMap<Uuid, Vec<Heard>> = HashMap::new();
        for ((workspace, _), one) in heard {
            by_workspace.entry(workspace).or_default().push(one);
        }
        let mut outcome = Ok(());
        for (workspace, heard) in by_workspace {
            // What is wrong with one workspace costs the others nothing.
            match write_workspace(app, workspace, heard).await {
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) => outcome = Err(error),
                Ok(()) => {}
            }
        }
        outcome
    }
}

async fn write_workspace(app: &App, workspace: Uuid, mut heard: Vec<Heard>) -> xr2_db::Result<()> {
    let gone = app.clock().now() - GONE_AFTER;
    let mut tx = app.db().usage().system(Purpose::Usage).write().await?;
    queries::forget_instances_of(&mut tx, workspace, gone).await?;
    let known = queries::count_instances(&mut tx, workspace).await?;
    if known + heard.len() as i64 > MOST_OF_WORKSPACE {
        let names = queries::instance_names(&mut tx, workspace).await?;
        heard.retain(|one| names.contains(&*one.instance));
    }
    // In one order everywhere, so that two nodes wait for each other and do not block.
    heard.sort_unstable_by(|a, b| a.instance.cmp(&b.instance));
    queries::put_instances(&mut tx, workspace, &heard).await?;
    tx.commit().await
}

impl Waiting {
    /// An instance that does not say what it serves serves what it did.
    fn put(&mut self, workspace: Uuid, mut heard: Heard) {
        let before = self.heard.remove(&(workspace, heard.instance.clone()));
        if let Some(before) = before {
            self.served -= before.serving.as_ref().filter(|_| heard.serving.is_some()).map_or(0, Vec::len);
            heard.serving = heard.serving.or(before.serving);
        }
        self.heard.insert((workspace, heard.instance.clone()), heard);
    }
}

/// Writes what was heard. Runs to its end even when the request that wanted it goes away.
pub async fn settle(app: &App) -> Result<()> {
    let app = app.clone();
    let work = tokio::spawn(async move { app.presence().write(&app).await });
    Ok(work.await.map_err(ApiError::internal)??)
}

/// Writes every second until the server stops.
pub async fn run(app: App) {
    let stop = app.stopping();
    loop {
        if let Err(error) = app.presence().write(&app).await {
            if error.is_refusal() {
                tracing::debug!(%error, "which clients are there waits for the database");
            } else {
                tracing::warn!(%error, "could not write which clients are there; they will report again");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FLUSH_EVERY) => {}
        }
    }
}

/// Forgets events that are too old to be sent again, and instances that are gone.
pub(super) async fn forget(app: &App) -> xr2_db::Result<()> {
    let now = app.clock().now();
    let db = app.db().usage();
    loop {
        let mut tx = db.system(Purpose::Usage).write().await?;
        let forgotten = queries::forget_ids(&mut tx, (now - MAX_AGE).timestamp_micros(), BATCH).await?;
        queries::forget_instances(&mut tx, now - GONE_AFTER).await?;
        tx.commit().await?;
        if forgotten < BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(instance: &str, revision: i64, serving: Option<usize>) -> Heard {
        let one = Serving { prompt: Uuid::nil(), label: "production".into(), version: 1, since: None };
        Heard {
            instance: instance.into(),
            sdk: "".into(),
            key: None,
            revision,
            stream: false,
            serving: serving.map(|count| vec![one; count]),
            at: Time::default(),
        }
    }

    #[test]
    fn what_is_not_said_again_stays() {
        let presence = Presence::default();
        presence.heard(Uuid::nil(), heard("a", 1, Some(3)));
        presence.heard(Uuid::nil(), heard("a", 2, None));
        let waiting = presence.waiting();
        let one = &waiting.heard[&(Uuid::nil(), "a".into())];
        assert_eq!((one.revision, one.serving.as_ref().map(Vec::len), waiting.served), (2, Some(3), 3));
    }

    #[test]
    fn memory_is_bounded() {
        let presence = Presence::default();
        for number in 0..MOST_WAITING + 500 {
            presence.heard(Uuid::nil(), heard(&number.to_string(), 1, None));
        }
        assert_eq!(presence.waiting().heard.len(), MOST_WAITING);
        let presence = Presence::default();
        for number in 0..1000 {
            presence.heard(Uuid::nil(), heard(&number.to_string(), 1, Some(1000)));
        }
        let waiting = presence.waiting();
        assert!(waiting.served <= MOST_SERVED && waiting.heard.len() == MOST_SERVED / 1000);
    }
}
