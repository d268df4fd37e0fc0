//! What is done about usage in the background.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use xr2_jobs::{Attempt, Failure, Handler, Job, Retry};

use super::{forget_old, rollup};
use crate::jobs::UPKEEP;
use crate::state::App;

/// Sums what was appended, whichever node did.
#[derive(Serialize, Deserialize)]
pub struct SumUsage {}

impl Job for SumUsage {
    const KIND: &'static str = "usage.sum";
    const QUEUE: &'static str = UPKEEP;
    const RETRY: Retry = Retry { attempts: 10, first: Duration::from_secs(5), most: Duration::from_secs(60) };
    // Days of deliveries may have gathered while no worker ran.
    const TIME_LIMIT: Duration = Duration::from_secs(3600);
}

impl Handler<App> for SumUsage {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        Ok(rollup::catch_up(&app).await?)
    }
}

/// Forgets single deliveries when their time is over.
#[derive(Serialize, Deserialize)]
pub struct ForgetUsage {}

impl Job for ForgetUsage {
    const KIND: &'static str = "usage.forget";
    const QUEUE: &'static str = UPKEEP;
    const TIME_LIMIT: Duration = Duration::from_secs(3600);
}

impl Handler<App> for ForgetUsage {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        let forgotten = forget_old(&app).await?;
        if forgotten > 0 {
            tracing::info!(forgotten, "single deliveries forgotten; their sums are kept");
        }
        Ok(())
    }
}
