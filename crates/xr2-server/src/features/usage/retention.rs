//! Summing again and again, and forgetting single deliveries when their time is over. Sums are kept.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use xr2_db::Purpose;

use super::queries::{events, hourly};
use super::rollup;
use super::rows::HOUR;
use crate::state::App;

/// How often what was appended is summed.
const SUM_EVERY: Duration = Duration::from_secs(10);

/// How often is looked for what to forget.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Rows forgotten in one transaction.
const BATCH: i64 = 2000;

/// Analytics look back this far at who used what.
const USERS: TimeDelta = TimeDelta::days(32);

/// Sums and forgets until the server stops.
pub async fn run(app: App) {
    let stop = app.stopping();
    let mut forget_at = Instant::now();
    loop {
        if let Err(error) = rollup::catch_up(&app).await {
            tracing::warn!(%error, "could not sum usage; trying again later");
        }
        if Instant::now() >= forget_at {
            forget_at = Instant::now() + FORGET_EVERY;
            match forget_old(&app).await {
                Ok(0) => {}
                Ok(forgotten) => {
                    tracing::info!(forgotten, "single deliveries forgotten; their sums are kept")
                }
                Err(error) => tracing::warn!(%error, "could not forget old usage; trying again later"),
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SUM_EVERY) => {}
        }
    }
}

/// Forgets deliveries that are older than the operator keeps them and have been summed; returns how many rows.
pub async fn forget_old(app: &App) -> xr2_db::Result<u64> {
    let now = app.clock().now();
    let db = app.db().usage();
    let days = app.config().usage.retention_days;
    let mut forgotten = 0;
    if days > 0 {
        let before = (now - TimeDelta::days(i64::from(days))).timestamp_micros();
        loop {
            let mut tx = db.system(Purpose::Usage).write().await?;
            let some = events::forget(&mut tx, before, BATCH).await?;
            tx.commit().await?;
            forgotten += some;
            if some < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    let before_hour = (now - USERS).timestamp_micros().div_euclid(HOUR);
    loop {
        let mut tx = db.system(Purpose::Usage).write().await?;
        let some = hourly::forget_users(&mut tx, before_hour, BATCH).await?;
        tx.commit().await?;
        if some < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
