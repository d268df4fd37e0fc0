//! The Host header has to name this server: a page of another site that resolves its name to this address
//! (DNS rebinding) gets nothing.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::{ApiError, Code};
use crate::http::decode;
use crate::state::App;

/// 421 when Host is neither loopback, nor `public_url`, nor in `allowed_hosts`. Probes may ask `/health`, `/ready` and
/// `/metrics` by any name.
pub async fn guard_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if matches!(path, "/health" | "/ready" | "/metrics") || is_ours(&app, &request) {
        return next.run(request).await;
    }
    ApiError::new(
        Code::Misdirected,
        "This server does not answer to that host name. Its operator can allow it with public_url or allowed_hosts.",
    )
    .into_response()
}

/// 400 when the path is no text after percent-decoding; 404 when it holds NUL: nothing here is called so, and
/// PostgreSQL would not even look.
pub async fn guard_path(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.contains("%00") {
        return ApiError::not_found("a name with a NUL character").into_response();
    }
    if decode(path).is_err() {
        return ApiError::bad_request("The path is not valid UTF-8 after percent-decoding.").into_response();
    }
    next.run(request).await
}

/// Whether the request names this server.
pub fn is_ours<B>(app: &App, request: &axum::http::Request<B>) -> bool {
    let host = match request.headers().get(header::HOST) {
        Some(value) => value.to_str().unwrap_or(""),
        // HTTP/2 carries it in the URI.
        None => request.uri().authority().map_or("", |authority| authority.as_str()),
    };
    let name = host_name(host);
    is_loopback(name) || app.host_names().iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The name without the port.
fn host_name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or("");
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_lose_their_port() {
        assert_eq!(host_name("localhost:8000"), "localhost");
        assert_eq!(host_name("[::1]:8000"), "::1");
        assert_eq!(host_name("xr2.example.com"), "xr2.example.com");
        assert!(is_loopback("127.0.0.1") && is_loopback("LOCALHOST") && is_loopback("::1"));
        assert!(!is_loopback("localhost.evil.example") && !is_loopback(""));
    }
}
