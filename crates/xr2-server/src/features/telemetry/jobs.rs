//! What is done about reports in the background.

use serde::{Deserialize, Serialize};
use xr2_jobs::{Attempt, Failure, Handler, Job};

use super::presence;
use crate::jobs::UPKEEP;
use crate::state::App;

/// Forgets events that are too old to be sent again, and instances that are gone.
#[derive(Serialize, Deserialize)]
pub struct ForgetReports {}

impl Job for ForgetReports {
    const KIND: &'static str = "telemetry.forget";
    const QUEUE: &'static str = UPKEEP;
}

impl Handler<App> for ForgetReports {
    async fn handle(self, app: App, _: Attempt) -> Result<(), Failure> {
        Ok(presence::forget(&app).await?)
    }
}
