//! For load balancers and monitoring.

use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use xr2_bus::State;

use crate::error::ApiError;
use crate::state::App;
use crate::{jobs, telemetry};

/// How long the database is waited for.
const PING: Duration = Duration::from_secs(1);

/// The process is alive.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// What works and what is degraded.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `degraded` (prompts are still delivered) or `unavailable`.
    status: &'static str,
    checks: Checks,
}

/// Parts that are checked.
#[derive(Serialize, ToSchema)]
pub struct Checks {
    /// `ok` or `unavailable`.
    database: &'static str,
    /// Which database it is.
    engine: &'static str,
    /// `ok`, or `unavailable`: what is delivered is counted in memory until it can be written.
    usage: &'static str,
    /// `ok`, `unavailable` (changes of other nodes are noticed within a second), or `none`: there is one node.
    redis: &'static str,
    /// Limits per minute and month: `ok`, or `per_node` (Redis does not answer in time; each node counts for itself).
    limits: &'static str,
    /// `ok`, `stale` (from memory and the snapshot, without the database) or `unavailable` (for longer than the settings
    /// allow).
    delivery: &'static str,
    /// Seconds since the database was last heard from; absent while it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale_seconds: Option<u64>,
    /// Age in seconds of what a start without the database would deliver from; absent when nothing is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_age_seconds: Option<i64>,
    breakers: Breakers,
}

/// What is left alone for a while because it does not answer: `closed` (all is well), `open` (refused at once) or
/// `half_open` (one request tries).
#[derive(Serialize, ToSchema)]
pub struct Breakers {
    /// Reads from the database.
    database: &'static str,
    /// Writes to the database.
    database_writes: &'static str,
    /// Redis, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
}

/// Alive
#[utoipa::path(get, path = "/health", tag = "Operations", responses((status = 200, description = "The process is alive", body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ready to serve
#[utoipa::path(get, path = "/ready", tag = "Operations", responses(
    (status = 200, description = "Prompts are delivered; `status` says whether everything else works as well", body = Readiness),
    (status = 503, description = "Prompts are not delivered, or the server is stopping", body = Readiness),
))]
pub async fn ready(Shared(app): Shared<App>) -> Response {
    let stale_seconds = app.follower().contact().stale();
    let has_database = match tokio::time::timeout(PING, app.db().ping()).await {
        Ok(answer) => answer.is_ok(),
        // Whoever asks wants an answer now. A database that takes its time is there if it was heard from just now.
        Err(_) => stale_seconds.is_none(),
    };
    let delivery = match stale_seconds {
        None => "ok",
        Some(seconds) if seconds <= patience(&app) => "stale",
        Some(_) => "unavailable",
    };
    let redis = app.bus().state();
    let has_usage = has_database && !app.db().lacks_usage();
    let is_whole = has_usage && delivery == "ok" && redis != State::Disconnected;
    let (code, status) = match is_whole {
        _ if app.stopping().is_cancelled() || delivery == "unavailable" => {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::OK, "degraded"),
    };
    let (reads, writes) = app.db().breakers();
    let checks = Checks {
        database: if has_database { "ok" } else { "unavailable" },
        engine: app.db().engine().name(),
        usage: if has_usage { "ok" } else { "unavailable" },
        redis: match redis {
            State::Local => "none",
            State::Connected => "ok",
            State::Disconnected => "unavailable",
        },
        limits: if app.limits().are_per_node() || app.quotas().are_per_node() { "per_node" } else { "ok" },
        delivery,
        stale_seconds,
        snapshot_age_seconds: app.frozen().current_at().map(|at| (app.clock().now() - at).num_seconds()),
        breakers: Breakers {
            database: reads.name(),
            database_writes: writes.name(),
            redis: app.bus().breaker().map(|state| state.name()),
        },
    };
    (code, Json(Readiness { status, checks })).into_response()
}

/// For how many seconds programs are served without the database.
fn patience(app: &App) -> u64 {
    let config = app.config();
    config.delivery.max_stale.min(config.auth.max_stale).as_secs()
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "Operations", responses(
    (status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"),
    (status = 401, description = "metrics.token is set and was not sent"),
))]
pub async fn metrics(Shared(app): Shared<App>, headers: HeaderMap) -> Response {
    let token = &app.config().metrics.token;
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    if !token.is_empty() && !constant_time_eq(sent.as_bytes(), format!("Bearer {token}").as_bytes()) {
        return ApiError::unauthenticated("Send the token of metrics.token as Bearer.").into_response();
    }
    telemetry::gauges(&app);
    // What the database does not say in time stays as it was said last.
    if let Ok(Err(error)) = tokio::time::timeout(PING, jobs::gauges(&app)).await {
        tracing::debug!(%error, "could not count jobs");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::render()).into_response()
}

fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}
