//! For load balancers and monitoring.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use xr2_bus::State;

use crate::error::ApiError;
use crate::state::App;
use crate::telemetry;

/// The process is alive.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    status: &'static str,
}

/// What works and what is degraded.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `degraded` (warm prompts are still delivered) or `unavailable`.
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
    /// `ok`, `unavailable` (changes of other nodes are noticed within a second), or `none`: there is one node.
    redis: &'static str,
}

/// Alive
#[utoipa::path(get, path = "/health", tag = "Operations", responses((status = 200, description = "The process is alive", body = Health)))]
pub async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Ready to serve
#[utoipa::path(get, path = "/ready", tag = "Operations", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "The database cannot be reached, or the server is stopping", body = Readiness),
))]
pub async fn ready(Shared(app): Shared<App>) -> Response {
    let database = app.db().ping().await.is_ok();
    let stopping = app.stopping().is_cancelled();
    let (code, status) = match (database, stopping) {
        (true, false) if app.bus().state() == State::Disconnected => (StatusCode::OK, "degraded"),
        (true, false) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let checks = Checks {
        database: if database { "ok" } else { "unavailable" },
        engine: app.db().engine().name(),
        redis: match app.bus().state() {
            State::Local => "none",
            State::Connected => "ok",
            State::Disconnected => "unavailable",
        },
    };
    (code, Json(Readiness { status, checks })).into_response()
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
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], telemetry::render()).into_response()
}

fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}
