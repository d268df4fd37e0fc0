//! Tells caches what has changed.
//!
//! What that is is read from the events, from where the last purge ended; a job only says that it is time. A cache that
//! asks a node which has not heard of a change yet (nodes compare revisions each second) would keep the old answer: so
//! everything is purged at once, and once more when every node must have heard.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xr2_db::{Purpose, Tx};
use xr2_jobs::{Attempt, Failure, Handler, Job, Retry, Terms};

use crate::clock::Time;
use crate::features::edge::model::Target;
use crate::features::edge::purge::{NotDone, purge};
use crate::features::edge::queries::Due;
use crate::features::edge::{queries, service, tags};
use crate::state::App;

/// The queue of what is told to caches.
const QUEUE: &str = "edge";
/// Changes that follow each other closely are purged together.
const GATHER: Duration = Duration::from_millis(50);
/// By then every node that can be reached has heard of a change.
const HEARD_BY_ALL: TimeDelta = TimeDelta::seconds(3);
/// Workspaces found at once.
const AT_ONCE: i64 = 100;
/// Events read at once; when there are more, the whole workspace is purged.
const EVENTS: i64 = 1000;

/// Tells the caches of its workspace.
#[derive(Serialize, Deserialize)]
pub struct Purge {}

impl Job for Purge {
    const KIND: &'static str = "edge.purge";
    const QUEUE: &'static str = QUEUE;
    const RETRY: Retry =
        Retry { attempts: 20, first: Duration::from_secs(1), most: Duration::from_secs(300) };
}

impl Handler<App> for Purge {
    async fn handle(self, app: App, attempt: Attempt) -> Result<(), Failure> {
        match attempt.workspace {
            Some(workspace) => tell(&app, workspace).await,
            None => Ok(()),
        }
    }
}

/// Tells caches that a workspace no longer uses to forget everything of it. They would hear of no later change.
#[derive(Serialize, Deserialize)]
pub struct Leave {
    target: Target,
    /// Sealed.
    token: Option<Vec<u8>>,
    /// Whether every node has heard by now that they are no longer used.
    is_last: bool,
}

impl Job for Leave {
    const KIND: &'static str = "edge.leave";
    const QUEUE: &'static str = QUEUE;
    const RETRY: Retry = Purge::RETRY;
}

impl Handler<App> for Leave {
    async fn handle(self, app: App, attempt: Attempt) -> Result<(), Failure> {
        let Some(workspace) = attempt.workspace else { return Ok(()) };
        let everything = [tags::of_workspace(workspace)];
        let told = send(&app, workspace, &self.target, self.token.as_deref(), &everything).await;
        told.map_err(NotDone::into_failure)?;
        if !self.is_last {
            let mut tx = app.db().tenant(workspace).write().await?;
            let terms = Terms::new().after(HEARD_BY_ALL.to_std().unwrap_or_default());
            app.jobs().enqueue(&mut tx, &Leave { is_last: true, ..self }, terms).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Has caches that were told so far forget everything, when the transaction commits.
pub(super) async fn leave(
    app: &App,
    tx: &mut Tx,
    target: Target,
    token: Option<Vec<u8>>,
) -> xr2_db::Result<()> {
    app.jobs().enqueue(tx, &Leave { target, token, is_last: false }, Terms::new()).await.map(drop)
}

/// Finds purges that nobody has put off: those of a node that was killed just then, and those that were given up.
#[derive(Serialize, Deserialize)]
pub struct FindPurges {}

impl Job for FindPurges {
    const KIND: &'static str = "edge.find";
    const QUEUE: &'static str = QUEUE;
}

impl Handler<App> for FindPurges {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        Ok(put_off(&app).await?)
    }
}

/// Puts purges off as soon as this node hears of changes, until the server stops.
pub async fn run(app: App) {
    let stop = app.stopping();
    let heard = async || {
        app.edges().changed().await;
        tokio::time::sleep(GATHER).await;
    };
    while stop.run_until_cancelled(heard()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(put_off(&app)).await {
            tracing::debug!(%error, "edge caches are told later");
        }
    }
}

async fn put_off(app: &App) -> xr2_db::Result<()> {
    let settled = app.clock().now() - HEARD_BY_ALL - HEARD_BY_ALL;
    let mut tx = app.db().system(Purpose::Edge).read().await?;
    let pending = queries::pending(&mut tx, settled, AT_ONCE).await?;
    tx.commit().await?;
    for workspace in pending {
        let mut tx = app.db().tenant(workspace).write().await?;
        // One that is being done, or waits to be tried again, reads what is new as well.
        app.jobs().enqueue(&mut tx, &Purge {}, Terms::new().until_end("now")).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn tell(app: &App, workspace: Uuid) -> Result<(), Failure> {
    loop {
        let now = app.clock().now();
        let mut tx = app.db().tenant(workspace).read().await?;
        let due = queries::due(&mut tx).await?;
        let Some(due) = due.filter(Due::is_behind) else { return Ok(()) };
        let events = queries::happened_after(&mut tx, due.confirmed_revision, EVENTS).await?;
        let confirmed = queries::last_before(&mut tx, now - HEARD_BY_ALL).await?;
        tx.commit().await?;
        let has_all = i64::try_from(events.len()).is_ok_and(|count| count < EVENTS);
        let names: Vec<String> = match has_all {
            true => tags::to_purge(workspace, &events).into_iter().collect(),
            false => vec![tags::of_workspace(workspace)],
        };
        let told = send(app, workspace, &due.target, due.token.as_deref(), &names).await;
        let confirmed = confirmed.unwrap_or(0).clamp(due.confirmed_revision, due.revision);
        if note(app, workspace, &due, confirmed, told).await? {
            return Ok(());
        }
    }
}

async fn send(
    app: &App,
    workspace: Uuid,
    target: &Target,
    token: Option<&[u8]>,
    names: &[String],
) -> Result<(), NotDone> {
    let token = match token {
        Some(sealed) => {
            let opened = service::open_token(app, workspace, sealed);
            Some(opened.map_err(|_| NotDone::new("the token cannot be read; set it again"))?)
        }
        None => None,
    };
    purge(app.outbound(), target, token.as_deref(), names).await
}

/// Writes down what came of it. Whether there is nothing more to tell just now.
async fn note(
    app: &App,
    workspace: Uuid,
    due: &Due,
    confirmed: i64,
    told: Result<(), NotDone>,
) -> Result<bool, Failure> {
    let now: Time = app.clock().now();
    let mut tx = app.db().tenant(workspace).write().await?;
    let outcome = if told.is_ok() { "done" } else { "failed" };
    metrics::counter!("xr2_edge_purges_total", "outcome" => outcome).increment(1);
    if let Err(not_done) = told {
        queries::failed(&mut tx, &not_done.message).await?;
        tx.commit().await?;
        return Err(not_done.into_failure());
    }
    queries::purged(&mut tx, due, confirmed, now).await?;
    if confirmed < due.revision {
        let again = Terms::new().after(HEARD_BY_ALL.to_std().unwrap_or_default()).until_start("again");
        app.jobs().enqueue(&mut tx, &Purge {}, again).await?;
    }
    let newest = queries::workspace(&mut tx).await?.0;
    tx.commit().await?;
    Ok(newest <= due.revision)
}
