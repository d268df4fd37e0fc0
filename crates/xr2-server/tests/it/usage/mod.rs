//! What is used: deliveries written down, summed, looked at.

mod analytics;
mod recording;
mod rollup;

use xr2_testkit::TestApp;

use crate::queries::{self, UsageRow};

/// Everything used so far in the workspace under test, written down.
async fn rows(app: &TestApp) -> Vec<UsageRow> {
    app.app().usage().flush(app.app()).await.expect("usage is written");
    queries::usage(app.db(), app.workspace()).await.expect("usage is read")
}
