//! The outermost layer: request id, client address, security headers, metrics, one log line. Query strings and
//! credentials never get this far.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::http::{CookieSlot, RequestContext, RequestId, RevisionSlot, client_address};
use crate::limits::StandingSlot;
use crate::state::App;

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A workspace's revision: of what was delivered, or made by a change.
pub static X_XR2_REVISION: HeaderName = HeaderName::from_static("x-xr2-revision");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const DENY: HeaderValue = HeaderValue::from_static("DENY");
const REFERRER: HeaderValue = HeaderValue::from_static("strict-origin-when-cross-origin");
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Put into a response's extensions by routes that count themselves (delivery), so that they are not logged line by
/// line.
#[derive(Debug, Clone, Copy)]
pub struct Handled;

/// See the module.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let context = context_of(&app, &request);
    let secure = context.secure;
    let request_id = context.request_id.clone();
    let (standing, revision) = (context.standing.clone(), context.revision.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    request.extensions_mut().insert(context);
    let slot = request.headers().contains_key(header::COOKIE).then(CookieSlot::default);
    if let Some(slot) = &slot {
        request.extensions_mut().insert(slot.clone());
    }

    let mut response = next.run(request).await;

    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        write_error(&mut response, &error, &request_id, route.as_ref().map(MatchedPath::as_str));
    }
    // A refusal says it itself.
    if let Some(standing) = standing.take()
        && !response.headers().contains_key("ratelimit-limit")
    {
        standing.put_on(response.headers_mut());
    }
    if let Some(revision) = revision.last() {
        response.headers_mut().insert(X_XR2_REVISION.clone(), HeaderValue::from(revision));
    }
    // What a route says of the cookie itself, such as signing out, counts.
    if let Some(cookie) = slot.and_then(|slot| slot.take())
        && !response.headers().contains_key(header::SET_COOKIE)
    {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    let quiet = response.extensions().get::<Handled>().is_some();
    put_on(response.headers_mut(), &request_id, secure);
    let status = response.status().as_u16();
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let millis = began.elapsed().as_secs_f64() * 1e3;
    if quiet {
        tracing::debug!(request_id = %request_id.0, %method, route, status, millis, "request");
    } else {
        tracing::info!(request_id = %request_id.0, %method, route, status, millis, "request");
    }
    response
}

/// The answer to a request that is refused before it comes this way.
pub fn refuse(app: &App, peer: IpAddr, request: &HeaderMap, error: ApiError) -> Response {
    let mut response = error.clone().into_response();
    response.extensions_mut().clear();
    let id = dress(app, peer, request, response.headers_mut());
    write_error(&mut response, &error, &id, None);
    response
}

/// What this layer puts on every answer, for those that do not come this way.
pub fn dress(app: &App, peer: IpAddr, request: &HeaderMap, response: &mut HeaderMap) -> RequestId {
    let id = RequestId::from_header(text(request, &X_REQUEST_ID));
    put_on(response, &id, is_secure(app, Some(peer.to_canonical()), request));
    id
}

fn put_on(headers: &mut HeaderMap, request_id: &RequestId, secure: bool) {
    if let Ok(value) = HeaderValue::from_str(&request_id.0) {
        headers.insert(X_REQUEST_ID.clone(), value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    headers.insert(header::X_FRAME_OPTIONS, DENY);
    headers.insert(header::REFERRER_POLICY, REFERRER);
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// Whether the client came by TLS, as far as the address or a trusted proxy tells.
fn is_secure(app: &App, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    let trusted = &app.config().trusted_proxies;
    let from_proxy = peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(&peer)));
    app.config().is_secure() || (from_proxy && header_is(headers, "x-forwarded-proto", "https"))
}

fn context_of(app: &App, request: &Request) -> RequestContext {
    let headers = request.headers();
    let trusted = &app.config().trusted_proxies;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    RequestContext {
        request_id: RequestId::from_header(text(headers, &X_REQUEST_ID)),
        address: peer.map(|peer| client_address(peer, headers, trusted)),
        user_agent: text(headers, &header::USER_AGENT).map(|agent| cut(agent, 256).into()),
        secure: is_secure(app, peer, headers),
        standing: StandingSlot::default(),
        revision: RevisionSlot::default(),
        idempotency: None,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn header_is(headers: &HeaderMap, name: &'static str, expected: &str) -> bool {
    headers.get(name).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(expected.as_bytes()))
}

fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn write_error(response: &mut Response, error: &ApiError, request_id: &RequestId, route: Option<&str>) {
    if let Some(cause) = error.cause() {
        tracing::error!(request_id = %request_id.0, route, code = error.code.as_str(), cause, "request failed");
    }
    let body = serde_json::to_vec(&error.body(&request_id.0)).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
}
