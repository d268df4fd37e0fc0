//! Everything that is done in the background by one node for all: the table of contents. A feature's own jobs stand in its
//! `jobs.rs`.

use std::time::Duration;

use xr2_db::Result;
pub use xr2_jobs::{DeadJob, Jobs};
use xr2_jobs::{Failure, Registry};

use crate::clock::Clock;
use crate::error::ApiError;
use crate::features::{edge, imports, prompts, telemetry, usage};
use crate::idempotency::ForgetAnswers;
use crate::state::App;

/// The queue of what keeps the house in order.
pub const UPKEEP: &str = "upkeep";

/// All jobs, and how often those are done that nobody asks for.
pub(crate) fn registry() -> Registry<App> {
    const SECONDS_10: Duration = Duration::from_secs(10);
    const MINUTE: Duration = Duration::from_secs(60);
    const MINUTES_10: Duration = Duration::from_secs(600);
    Registry::new()
        .every(MINUTES_10, &prompts::PurgeExpired {})
        .every(MINUTE, &prompts::IndexPrompts {})
        .every(SECONDS_10, &usage::SumUsage {})
        .every(MINUTES_10, &usage::ForgetUsage {})
        .every(MINUTES_10, &telemetry::ForgetReports {})
        .every(SECONDS_10, &edge::FindPurges {})
        .every(MINUTES_10, &ForgetAnswers {})
        .every(MINUTES_10, &imports::TidyImports {})
        .handle::<imports::RunImport>()
        .handle::<edge::Purge>()
        .handle::<edge::Leave>()
}

/// Works off what this node is to do, until the server stops.
pub(crate) async fn run(app: App) {
    let queues = &app.config().queues;
    let registry = if queues.is_empty() { registry() } else { registry().only(queues) };
    app.jobs().run(registry, app.clone(), app.stopping()).await;
}

/// Sets `xr2_background_jobs{queue,state}`. What is not there any more is none.
pub(crate) async fn gauges(app: &App) -> Result<()> {
    let counts = app.jobs().counts().await?;
    for queue in registry().queues() {
        for state in ["waiting", "running", "dead"] {
            let count = counts.iter().find(|count| count.queue == queue && count.state == state);
            let count = count.map_or(0, |count| count.count);
            metrics::gauge!("xr2_background_jobs", "queue" => queue, "state" => state).set(count as f64);
        }
    }
    Ok(())
}

/// An error of the API as the failure of a job, with what the log should know.
pub(crate) fn failure(error: ApiError) -> Failure {
    match error.cause() {
        Some(cause) => Failure::new(cause),
        None => Failure::new(error),
    }
}

impl xr2_jobs::Clock for Clock {
    fn now(&self) -> crate::clock::Time {
        Clock::now(self)
    }

    fn new_id(&self) -> uuid::Uuid {
        Clock::new_id(self)
    }
}
