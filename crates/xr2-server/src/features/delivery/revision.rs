//! `X-XR2-Min-Revision: n`: an answer must not be older than the client already knows.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;

use crate::error::{ApiError, Code, Result};
use crate::events;
use crate::features::delivery::freshness::Tenant;
use crate::state::App;

/// How long a request waits for the revision it asks for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the database is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The header.
pub const MIN_REVISION: &str = "x-xr2-min-revision";

/// The revision a request asks for.
pub fn wanted(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(value) = headers.get(MIN_REVISION) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()).filter(|n| *n >= 0) {
        Some(revision) => Ok(Some(revision)),
        None => Err(ApiError::bad_request("X-XR2-Min-Revision must be a whole number from 0.")),
    }
}

/// Waits until this node has applied every change up to `wanted`; 503 when that takes too long.
pub async fn reach(app: &App, workspace: Uuid, wanted: i64) -> Result<()> {
    let tenant = app.prompt_cache().tenant(app, workspace);
    if has_reached(app, &tenant, wanted) {
        return Ok(());
    }
    let waiting = async {
        loop {
            let moved = tenant.moved.notified();
            if has_reached(app, &tenant, wanted) {
                return Ok(());
            }
            // One asks for all who wait.
            if let Ok(_asking) = tenant.asking.try_lock() {
                hurry(app, workspace, wanted).await?;
            }
            let _ = tokio::time::timeout(ASK_EVERY, moved).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(not_reached(wanted)))
}

/// 503: what there is is older than `wanted`.
pub fn not_reached(wanted: i64) -> ApiError {
    let message = format!("This server has not reached revision {wanted} yet. Please try again in a moment.");
    ApiError::new(Code::Unavailable, message).with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn has_reached(app: &App, tenant: &Tenant, wanted: i64) -> bool {
    if tenant.told() >= wanted {
        return true;
    }
    // A workspace that is new here has not been told of, but the follower may know it.
    if let Some(told) = app.follower().told(tenant.id()) {
        tenant.caught_up(told);
    }
    tenant.told() >= wanted
}

/// When the database has the revision already, the follower need not wait for its next turn.
async fn hurry(app: &App, workspace: Uuid, wanted: i64) -> Result<()> {
    let mut tx = app.db().tenant(workspace).read().await?;
    let present = events::revision(&mut tx).await?;
    tx.commit().await?;
    if present >= wanted {
        app.follower().wake(workspace, present);
    }
    Ok(())
}
