//! What is done about prompts in the background.

use serde::{Deserialize, Serialize};
use xr2_jobs::{Attempt, Failure, Handler, Job};

use crate::features::prompts::purge_expired;
use crate::jobs::{UPKEEP, failure};
use crate::state::App;

/// Removes what has been in the bin longer than the operator keeps things.
#[derive(Serialize, Deserialize)]
pub struct PurgeExpired {}

impl Job for PurgeExpired {
    const KIND: &'static str = "prompts.purge_expired";
    const QUEUE: &'static str = UPKEEP;
}

impl Handler<App> for PurgeExpired {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        let purged = purge_expired(&app).await.map_err(failure)?;
        if purged > 0 {
            tracing::info!(purged, "prompts removed from the bin for good");
        }
        Ok(())
    }
}
