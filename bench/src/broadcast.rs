//! What there is to compare with: axum, one broadcast channel, everybody gets the same bytes.

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::convert::Infallible;
use std::net::Ipv4Addr;
use tokio::sync::broadcast::{self, Sender};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;

/// Hands what is posted to `/publish` to everybody who listens to `/stream`, until it is stopped.
pub fn serve(port: u16) -> Result<()> {
    let router = Router::new()
        .route("/ready", get(|| async { "ready" }))
        .route("/publish", post(publish))
        .route("/stream", get(stream))
        .with_state(broadcast::channel::<Bytes>(256).0);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let listener = axum::serve::ListenerExt::tap_io(listener, |io| drop(io.set_nodelay(true)));
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn publish(State(everybody): State<Sender<Bytes>>, body: Bytes) -> &'static str {
    // Nobody listening is no failure.
    let _ = everybody.send(body);
    "published"
}

async fn stream(State(everybody): State<Sender<Bytes>>) -> Response {
    let hello = tokio_stream::once(Bytes::from_static(b"event: hello\ndata: {}\n\n"));
    let news = BroadcastStream::new(everybody.subscribe()).filter_map(|news| news.ok());
    let body = Body::from_stream(hello.chain(news).map(Ok::<Bytes, Infallible>));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
