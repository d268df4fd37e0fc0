//! What is done about answers in the background.

use serde::{Deserialize, Serialize};
use xr2_db::Purpose;
use xr2_jobs::{Attempt, Failure, Handler, Job};

use super::queries;
use crate::jobs::UPKEEP;
use crate::state::App;

/// Rows forgotten in one transaction.
const BATCH: i64 = 500;

/// Forgets answers whose time is over.
#[derive(Serialize, Deserialize)]
pub struct ForgetAnswers {}

impl Job for ForgetAnswers {
    const KIND: &'static str = "idempotency.forget";
    const QUEUE: &'static str = UPKEEP;
}

impl Handler<App> for ForgetAnswers {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        loop {
            let mut tx = app.db().system(Purpose::Idempotency).write().await?;
            let some = queries::forget(&mut tx, app.clock().now(), BATCH).await?;
            tx.commit().await?;
            if some < BATCH.unsigned_abs() {
                return Ok(());
            }
        }
    }
}
