//! The routes of analytics.

use axum::extract::{Path, State};

use super::dto::{PromptAnalytics, UsageAnalytics};
use super::{analytics, periods::Period};
use crate::auth::{Allow, Read};
use crate::error::Result;
use crate::features::quotas::Level;
use crate::http::{Envelope, Params, Reply};
use crate::state::App;

/// Usage of the workspace
///
/// Deliveries of all prompts, as of this moment. Fetches by the dashboard count nowhere.
#[utoipa::path(get, path = "/analytics/usage", tag = "Analytics",
    params(("period" = Option<String>, Query, description = "`24h` (the usual), `7d` or `30d`")),
    responses(
        (status = 200, description = "Sums, prompts and a series", body = Envelope<UsageAnalytics>),
        (status = 422, description = "No such period"),
    ))]
pub async fn usage_analytics(
    State(app): State<App>,
    access: Allow<Read>,
    params: Params,
) -> Result<Reply<UsageAnalytics>> {
    let period = Period::of(&params, app.clock().now())?;
    let level = app.quotas().level(&app, access.workspace).await;
    let warnings = level.iter().map(Level::warning).collect();
    Ok(Reply::ok(analytics::usage(&app, &access, period).await?).warnings(warnings))
}

/// Usage of a prompt
///
/// Deliveries of one prompt by version, label and key, with percentiles of the time they took. Figures of runs against
/// models are null while none are reported.
#[utoipa::path(get, path = "/analytics/prompts/{p}", tag = "Analytics",
    params(
        ("p" = String, Path, description = "Slug, former slug or id"),
        ("period" = Option<String>, Query, description = "`24h` (the usual), `7d` or `30d`"),
    ),
    responses(
        (status = 200, description = "Sums and a series", body = Envelope<PromptAnalytics>),
        (status = 404, description = "No such prompt"),
        (status = 422, description = "No such period"),
    ))]
pub async fn prompt_analytics(
    State(app): State<App>,
    access: Allow<Read>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Reply<PromptAnalytics>> {
    let period = Period::of(&params, app.clock().now())?;
    Ok(Reply::ok(analytics::prompt(&app, &access, &name, period).await?))
}
