//! Forgetting single deliveries when their time is over. Sums are kept.

use chrono::TimeDelta;
use xr2_db::Purpose;

use super::queries::{events, hourly};
use super::rows::HOUR;
use crate::state::App;

/// Rows forgotten in one transaction.
const BATCH: i64 = 2000;

/// Analytics look back this far at who used what.
const USERS: TimeDelta = TimeDelta::days(32);

/// A batch is written again for as long as a node goes on without the database.
const BATCHES: TimeDelta = TimeDelta::days(7);

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
            break;
        }
    }
    let before = (now - BATCHES).timestamp_micros();
    loop {
        let mut tx = db.system(Purpose::Usage).write().await?;
        let some = events::forget_batches(&mut tx, before, BATCH).await?;
        tx.commit().await?;
        if some < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
