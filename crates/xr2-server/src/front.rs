//! The front door: what can be answered from memory is answered here, everything else goes to the router.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, Uri, Version, header};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use hyper::body::Incoming;
use tower::Service;

use crate::error::{ApiError, Code};
use crate::features::delivery::answer_at_once;
use crate::http::{dress, refuse};
use crate::router::router;
use crate::serve::{Activity, InFlight};
use crate::state::App;

/// Longest path and query. Somewhat beyond, the connection's own parser refuses a request, without a body.
pub const URI_BYTES: usize = 60_000;

/// The way into an application.
pub struct Door(Arc<Inner>);

struct Inner {
    app: App,
    router: Router,
}

impl Door {
    /// The way into `app`.
    pub fn new(app: &App) -> Door {
        Door(Arc::new(Inner { app: app.clone(), router: router(app.clone()) }))
    }

    /// For a connection from `peer`.
    pub fn front(&self, peer: SocketAddr, activity: Arc<Activity>) -> Front {
        Front { inner: self.0.clone(), peer, activity }
    }
}

/// One connection's way in.
pub struct Front {
    inner: Arc<Inner>,
    peer: SocketAddr,
    activity: Arc<Activity>,
}

impl hyper::service::Service<axum::http::Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: axum::http::Request<Incoming>) -> Answer {
        let is_http2 = request.version() == Version::HTTP_2;
        self.activity.requested(is_http2);
        let app = &self.inner.app;
        if let Some(error) = too_large(request.uri(), request.headers(), app.config().limits.header_bytes) {
            return Answer::Ready(Some(refuse(app, self.peer.ip(), request.headers(), error)));
        }
        if let Some(response) = self.at_once(&request) {
            return Answer::Ready(Some(self.activity.hand_over(response)));
        }
        let mut request: Request = request.map(Body::new);
        if is_http2 {
            name_host(&mut request);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Answer::Routed(self.inner.router.clone().call(request), Some(self.activity.begin()))
    }
}

impl Front {
    fn at_once<B>(&self, request: &axum::http::Request<B>) -> Option<Response> {
        let app = &self.inner.app;
        if !app.config().is_api() {
            return None;
        }
        // Should it ever panic, the router does it again, and answers that something is wrong.
        let mut response =
            catch_unwind(AssertUnwindSafe(|| answer_at_once(app, request, self.peer.ip()))).ok()??;
        let id = dress(app, self.peer.ip(), request.headers(), response.headers_mut());
        tracing::debug!(request_id = %id.0, status = response.status().as_u16(), "answered at once");
        Some(response)
    }
}

/// Why a request is refused for the size of its head.
fn too_large(uri: &Uri, headers: &HeaderMap, header_bytes: usize) -> Option<ApiError> {
    let uri = uri.path().len() + uri.query().map_or(0, str::len);
    if uri > URI_BYTES {
        let message =
            format!("Path and query are longer than {URI_BYTES} bytes. Send long values in a body.");
        return Some(ApiError::new(Code::UriTooLong, message));
    }
    let headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    (headers > header_bytes).then(|| {
        let message = format!("The headers are larger than {header_bytes} bytes.");
        ApiError::new(Code::HeadersTooLarge, message)
    })
}

/// HTTP/2 names the host in the address; what looks at the header finds it there as well.
fn name_host(request: &mut Request) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// An answer that is there, or on its way.
pub enum Answer {
    /// There.
    Ready(Option<Response>),
    /// On its way through the router.
    Routed(RouteFuture<Infallible>, Option<InFlight>),
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Answer::Ready(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Asked again after it was given, which the contract of futures forbids.
                None => Poll::Pending,
            },
            Answer::Routed(future, in_flight) => {
                let Ok(response) = ready!(Pin::new(future).poll(context));
                Poll::Ready(Ok(match in_flight.take() {
                    Some(in_flight) => in_flight.hand_over(response),
                    None => response,
                }))
            }
        }
    }
}
