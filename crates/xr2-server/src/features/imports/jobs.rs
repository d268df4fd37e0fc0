//! Imports in the background: large ones, those that a server left in the middle, and what nobody needs any more.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xr2_db::Purpose;
use xr2_jobs::{Attempt, Failure, Handler, Job, Retry};

use crate::features::imports::model::State;
use crate::features::imports::queries;
use crate::features::imports::run::{Ended, run};
use crate::jobs::{UPKEEP, failure};
use crate::state::App;

/// The queue of imports.
const QUEUE: &str = "imports";
/// A file of which nothing was heard for so long is not being read any more.
const SILENT: TimeDelta = TimeDelta::minutes(15);
/// How long the report of an import is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Imports looked at once, and their rows removed at once.
const AT_ONCE: i64 = 100;
const ROWS_AT_ONCE: i64 = 2000;

/// Brings in what waits.
#[derive(Serialize, Deserialize)]
pub struct RunImport {
    /// The import.
    pub(super) import: Uuid,
}

impl Job for RunImport {
    const KIND: &'static str = "imports.run";
    const QUEUE: &'static str = QUEUE;
    const RETRY: Retry =
        Retry { attempts: 20, first: Duration::from_secs(1), most: Duration::from_secs(300) };
    const TIME_LIMIT: Duration = Duration::from_secs(3600);
}

impl Handler<App> for RunImport {
    async fn handle(self, app: App, attempt: Attempt) -> Result<(), Failure> {
        let Some(workspace) = attempt.workspace else { return Ok(()) };
        let ended =
            run(&app, workspace, self.import, &attempt.stopping, &mut |_| ()).await.map_err(failure)?;
        match ended {
            Ended::Over | Ended::NotOurs => Ok(()),
            Ended::Stopping => Err(Failure::new("the server is stopping").retry_after(Duration::ZERO)),
        }
    }
}

/// Ends imports whose file broke off, and forgets old ones.
#[derive(Serialize, Deserialize)]
pub struct TidyImports {}

impl Job for TidyImports {
    const KIND: &'static str = "imports.tidy";
    const QUEUE: &'static str = UPKEEP;
}

impl Handler<App> for TidyImports {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        let now = app.clock().now();
        for (workspace, import) in stale(&app, Some(State::Reading), now - SILENT).await? {
            let mut tx = app.db().tenant(workspace).write().await?;
            let message = "The file broke off while it was read. Nothing was brought in.";
            queries::end(&mut tx, import, None, State::Failed, Some(message), now).await?;
            tx.commit().await?;
        }
        for (workspace, import) in stale(&app, None, now - KEPT).await? {
            loop {
                let mut tx = app.db().tenant(workspace).write().await?;
                let gone = queries::forget_rows(&mut tx, import, ROWS_AT_ONCE).await?;
                if gone == 0 {
                    queries::forget(&mut tx, import).await?;
                }
                tx.commit().await?;
                if gone == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

async fn stale(
    app: &App,
    state: Option<State>,
    before: crate::clock::Time,
) -> Result<Vec<(Uuid, Uuid)>, Failure> {
    let mut tx = app.db().system(Purpose::Retention).read().await?;
    let found = queries::stale(&mut tx, state, before, AT_ONCE).await?;
    tx.commit().await?;
    Ok(found)
}
