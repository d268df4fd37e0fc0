//! One connection: HTTP/1.1 or HTTP/2, as the client begins.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};

use crate::config::Config;
use crate::front::{Front, URI_BYTES};
use crate::serve::activity::{Activity, Judge, Patience, Verdict};
use crate::serve::stop::Stop;

/// Signs of life that HTTP/2 connections are asked for, so that ones whose other end is gone end.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long the answer to one may take.
const PING_PATIENCE: Duration = Duration::from_secs(20);
/// Streams that a client opens and resets before they are served, until its connection ends.
const RESETS: usize = 32;
/// What may wait in an HTTP/2 connection's own buffer for each answer.
const SEND_BUFFER: usize = 256 * 1024;

/// How all connections are served.
#[derive(Clone)]
pub struct Protocol {
    builder: Arc<Builder<TokioExecutor>>,
    patience: Patience,
    stop: Arc<Stop>,
}

impl Protocol {
    /// As `config` says, until `stop`.
    pub fn new(config: &Config, stop: Arc<Stop>) -> Protocol {
        // Twice what is allowed: a request that is somewhat too large is told so in the usual form.
        let head = URI_BYTES + 2 * config.limits.header_bytes;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().max_buf_size(head);
        builder
            .http2()
            .timer(TokioTimer::new())
            .enable_connect_protocol()
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_PATIENCE)
            .max_concurrent_streams(config.http.streams_per_connection)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
        let patience = Patience {
            head: config.http.header_timeout,
            idle: config.http.idle_timeout,
            stall: config.stream.stall(),
        };
        Protocol { builder: Arc::new(builder), patience, stop }
    }

    /// How long a client may take for the head of its request.
    pub fn head_patience(&self) -> Duration {
        self.patience.head
    }

    /// Serves one connection to its end.
    pub async fn serve<I>(&self, io: I, front: Front, activity: Arc<Activity>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(TokioIo::new(io), front));
        let mut judge = Judge::new(activity, self.patience, Instant::now());
        let mut timer = pin!(sleep(self.patience.head));
        let mut told = pin!(self.stop.told());
        told.as_mut().enable();
        let (mut is_listening, mut is_finishing) = (false, false);
        poll_fn(|context| {
            loop {
                if let Poll::Ready(outcome) = connection.as_mut().poll(context) {
                    if let Err(error) = outcome {
                        tracing::debug!(error, "a connection ended early");
                    }
                    return Poll::Ready(());
                }
                // Asked to wake this task once; from then on the flag tells.
                if !is_listening {
                    is_listening = true;
                    let _ = told.as_mut().poll(context);
                }
                if !is_finishing && self.stop.is_set() {
                    is_finishing = true;
                    connection.as_mut().graceful_shutdown();
                    continue;
                }
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                let now = Instant::now();
                match judge.look(now) {
                    Verdict::Wait(time) => timer.as_mut().reset(now + time),
                    Verdict::Finish => {
                        timer.as_mut().reset(now + self.patience.head);
                        connection.as_mut().graceful_shutdown();
                    }
                    Verdict::Cut => {
                        metrics::counter!("xr2_connections_cut_total").increment(1);
                        return Poll::Ready(());
                    }
                }
            }
        })
        .await;
    }
}
