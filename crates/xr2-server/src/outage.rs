//! Connecting to the database: at start, or later when it cannot be reached then.

use std::time::Duration;

use rand::Rng;
use xr2_db::Purpose;

use crate::features::delivery;
use crate::queries;
use crate::state::{App, StartError};

/// How often a database that is not there is looked for; drawn anew each time, so that nodes do not come all at once.
const RETRY: std::ops::Range<u64> = 700..2000;

/// Connects, checks the secret key, and takes over the present revisions.
pub(crate) async fn connect(app: &App) -> Result<(), StartError> {
    if app.db().lacks_file() && app.frozen().has_traces() {
        return Err(StartError::Missing(
            "the database file is gone, but a snapshot of what was delivered is there; it is not replaced by an empty \
             database. Restore the file, or remove the directory `frozen` in the data directory to begin anew"
                .into(),
        ));
    }
    start(app).await?;
    app.follower().prime().await?;
    Ok(())
}

async fn start(app: &App) -> Result<(), StartError> {
    let report = app.db().start().await?;
    if !report.applied.is_empty() {
        let engine = app.db().engine().name();
        tracing::info!(engine, applied = ?report.applied, "database schema is up to date");
    }
    check_secret(app).await
}

/// Goes on with what is kept.
pub(crate) fn begin_without(app: &App, error: &StartError) {
    let frozen = app.frozen();
    let told = frozen.workspaces().into_iter().filter_map(|workspace| {
        delivery::kept_revision(frozen, workspace).map(|revision| (workspace, revision))
    });
    let told: Vec<_> = told.collect();
    let last = frozen.last_contact().unwrap_or_default();
    tracing::error!(%error, workspaces = told.len(), last_contact = %last.at,
        "starting without the database; prompts are delivered from the snapshot, everything else waits");
    app.follower().begin_without(told, last.at);
    frozen.set_current(last);
}

/// Looks for a database that was not there at the start, and for a file that was put in the place of a lost one.
pub(crate) async fn keep_connected(app: App) {
    let stop = app.stopping();
    let mut complained = String::new();
    let mut was_connected = app.db().has_started();
    loop {
        let pause = Duration::from_millis(rand::rng().random_range(RETRY));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let outcome = if app.db().wants_start() {
            let outcome = reconnect(&app, was_connected).await;
            was_connected |= outcome.is_ok();
            outcome
        } else if app.db().lacks_usage() {
            app.db().restart_usage().await.map_err(StartError::from)
        } else {
            continue;
        };
        match outcome {
            Ok(()) => {
                complained.clear();
                tracing::info!("connected to the database");
            }
            Err(error) => {
                // The same words every second would hide all others.
                let message = error.to_string();
                if message != complained {
                    tracing::warn!(error = %message, "still without the database");
                    complained = message;
                }
            }
        }
    }
}

async fn reconnect(app: &App, is_another: bool) -> Result<(), StartError> {
    if let Err(error) = start(app).await {
        app.db().withdraw();
        return Err(error);
    }
    match is_another {
        true => app.follower().begin_anew().await?,
        false => app.follower().prime_unknown().await?,
    }
    Ok(())
}

/// The database remembers a check value of the key; a node with another key refuses to start rather than write what
/// the others cannot read.
async fn check_secret(app: &App) -> Result<(), StartError> {
    const NAME: &str = "secret_key_check";
    let check = app.secret().check_value();
    let mut tx = app.db().system(Purpose::Instance).write().await?;
    match queries::setting(&mut tx, NAME).await? {
        None => queries::set_setting(&mut tx, NAME, &check, app.clock().now()).await?,
        Some(known) if known == check => {}
        Some(_) => {
            return Err(StartError::Other(
                "secret_key: this is not the key the database was first used with. Start with that key (XR2_SECRET_KEY, \
                 XR2_SECRET_KEY_FILE, or secret.key in the data directory)."
                    .into(),
            ));
        }
    }
    tx.commit().await?;
    Ok(())
}
