//! The front door: what can be answered from memory is answered here, everything else goes to the router.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::routing::future::RouteFuture;
use axum::serve::{IncomingStream, Listener};
use tower::Service;

use crate::features::delivery::answer_at_once;
use crate::http::dress;
use crate::router::router;
use crate::state::App;

/// Makes a [`Front`] for every connection.
pub struct MakeFront(Arc<Inner>);

/// One connection's way in; cheap to clone, as the server does for every request.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
    peer: SocketAddr,
}

struct Inner {
    app: App,
    router: Router,
}

impl MakeFront {
    /// The way into `app`.
    pub fn new(app: &App) -> MakeFront {
        MakeFront(Arc::new(Inner { app: app.clone(), router: router(app.clone()) }))
    }
}

impl<L: Listener<Addr = SocketAddr>> Service<IncomingStream<'_, L>> for MakeFront {
    type Response = Front;
    type Error = Infallible;
    type Future = Ready<Result<Front, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, L>) -> Self::Future {
        ready(Ok(Front { inner: self.0.clone(), peer: *stream.remote_addr() }))
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Answer {
        if let Some(response) = self.at_once(&request) {
            return Answer::Ready(Some(response));
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        Answer::Routed(self.inner.router.clone().call(request))
    }
}

impl Front {
    fn at_once(&self, request: &Request) -> Option<Response> {
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

/// An answer that is there, or on its way.
pub enum Answer {
    /// There.
    Ready(Option<Response>),
    /// On its way through the router.
    Routed(RouteFuture<Infallible>),
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
            Answer::Routed(future) => Pin::new(future).poll(context),
        }
    }
}
