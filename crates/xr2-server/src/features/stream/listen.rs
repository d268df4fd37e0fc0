//! One listener: what passes its filter goes out, and it ends when whoever opened it may no longer listen.
//!
//! There are ten thousand of these, so each is a small struct that the connection itself asks for more: no task, no
//! channel and no buffer of its own.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderName, Request, header};
use bytes::Bytes;
use futures::Stream;
use tokio::time::{Instant, Sleep};
use uuid::Uuid;

use crate::auth::{Access, Allow, Deliver, Identity, Recheck};
use crate::error::{Code, Result};
use crate::features::stream::filter::Filter;
use crate::features::stream::frame::{PING, resync};
use crate::features::stream::hub::Seat;
use crate::features::stream::room::{END, Next, RECHECK};
use crate::http::RequestContext;
use crate::state::App;

/// Whoever falls behind twice within this time is too slow to be served.
const LAG_FORGOTTEN: Duration = Duration::from_secs(60);

/// What the way in looks at.
const KEPT_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::ORIGIN,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-workspace"),
    HeaderName::from_static("sec-fetch-site"),
];

type Checking = Pin<Box<dyn Future<Output = (Result<Access>, Box<Parts>)> + Send>>;

/// A listener at work.
pub struct Listening {
    app: App,
    seat: Seat,
    filter: Filter,
    workspace: Uuid,
    /// What goes out next.
    ready: VecDeque<Bytes>,
    /// Wakes for the next sign of life, or when the key ends.
    sleep: Pin<Box<Sleep>>,
    ping_at: Instant,
    expiry: Option<Instant>,
    /// What the listener came with, to look again whether it may still listen; none while that is done.
    parts: Option<Box<Parts>>,
    checking: Option<Checking>,
    /// When it last fell behind.
    lagged: Option<Instant>,
}

impl Listening {
    /// Begins with `greeting`.
    pub fn new(
        app: &App,
        access: &Access,
        seat: Seat,
        filter: Filter,
        parts: &Parts,
        greeting: VecDeque<Bytes>,
    ) -> Listening {
        let ping_at = Instant::now() + app.config().stream.heartbeat();
        let expiry = expiry_of(app, access);
        let wake_at = expiry.map_or(ping_at, |expiry| expiry.min(ping_at));
        Listening {
            app: app.clone(),
            seat,
            filter,
            workspace: access.workspace,
            ready: greeting,
            sleep: Box::pin(tokio::time::sleep_until(wake_at)),
            ping_at,
            expiry,
            parts: Some(Box::new(kept(parts))),
            checking: None,
            lagged: None,
        }
    }

    /// Looks for something to send. `Ready(None)` is the end.
    fn look(&mut self, context: &mut Context<'_>) -> Poll<Option<()>> {
        // Registered before looking: what comes after the look wakes.
        self.seat.waiter.register(context.waker());
        loop {
            if let Some(checking) = &mut self.checking {
                let (outcome, parts) = ready!(checking.as_mut().poll(context));
                (self.checking, self.parts) = (None, Some(parts));
                if !self.may_stay(outcome) {
                    return Poll::Ready(None);
                }
            }
            let flags = self.seat.waiter.take_flags();
            if flags & END != 0 {
                return Poll::Ready(None);
            }
            if flags & RECHECK != 0 {
                self.check();
                continue;
            }
            if !self.ready.is_empty() {
                return Poll::Ready(Some(()));
            }
            match self.listen() {
                Some(true) => continue,
                Some(false) => {}
                None => return Poll::Ready(None),
            }
            ready!(self.sleep.as_mut().poll(context));
            self.wake_up();
        }
    }

    /// Takes what was said since; whether there was anything. None for those who are too slow.
    fn listen(&mut self) -> Option<bool> {
        match self.seat.room.next(self.seat.cursor) {
            Next::Nothing => Some(false),
            Next::Batch(batch) => {
                self.seat.cursor += 1;
                self.ready = batch.cut(&self.filter);
                if batch.take() {
                    self.seat.room.taken.notify_waiters();
                }
                Some(true)
            }
            Next::Lagged(cursor) => {
                let now = Instant::now();
                if self.lagged.replace(now).is_some_and(|last| now - last < LAG_FORGOTTEN) {
                    metrics::counter!("xr2_streams_dropped_total", "reason" => "slow").increment(1);
                    return None;
                }
                self.seat.cursor = cursor;
                self.ready.push_back(resync(self.seat.room.said()));
                Some(true)
            }
        }
    }

    /// Time for a sign of life, or the key has ended.
    fn wake_up(&mut self) {
        let now = Instant::now();
        if self.ping_at <= now {
            self.ready.push_back(PING);
            self.ping_at = now + self.app.config().stream.heartbeat();
        }
        self.set_alarm();
        self.check();
    }

    fn set_alarm(&mut self) {
        let now = Instant::now();
        let expiry = self.expiry.filter(|expiry| *expiry > now);
        let wake_at = expiry.map_or(self.ping_at, |expiry| expiry.min(self.ping_at));
        self.sleep.as_mut().reset(wake_at);
    }

    fn check(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        let app = self.app.clone();
        self.checking = Some(Box::pin(async move {
            let outcome = Allow::<Deliver>::from_request_parts(&mut parts, &app).await;
            (outcome.map(|allow| allow.0), parts)
        }));
    }

    /// Whether the listener may stay. When that cannot be found out just now, it does.
    fn may_stay(&mut self, outcome: Result<Access>) -> bool {
        match outcome {
            Ok(access) if access.workspace == self.workspace => {
                self.filter.allowed = access.labels().map(<[String]>::to_vec);
                self.expiry = expiry_of(&self.app, &access);
                self.set_alarm();
                true
            }
            Err(error) => matches!(error.code, Code::Unavailable | Code::Internal | Code::RateLimited),
            Ok(_) => false,
        }
    }
}

impl Stream for Listening {
    type Item = std::result::Result<Bytes, std::convert::Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        match ready!(this.look(context)) {
            Some(()) => Poll::Ready(this.ready.pop_front().map(Ok)),
            None => Poll::Ready(None),
        }
    }
}

/// As much of the request as it takes to look again whether its sender may listen.
fn kept(parts: &Parts) -> Parts {
    let (mut kept, ()) = Request::new(()).into_parts();
    kept.method = parts.method.clone();
    kept.uri = parts.uri.clone();
    for name in KEPT_HEADERS {
        if let Some(value) = parts.headers.get(&name) {
            kept.headers.insert(name, value.clone());
        }
    }
    if let Some(context) = parts.extensions.get::<RequestContext>() {
        kept.extensions.insert(context.clone());
    }
    if let Some(path) = parts.extensions.get::<MatchedPath>() {
        kept.extensions.insert(path.clone());
    }
    kept.extensions.insert(Recheck);
    kept
}

fn expiry_of(app: &App, access: &Access) -> Option<Instant> {
    let Identity::Key(key) = &access.caller.identity else { return None };
    let left = key.expires_at? - app.clock().now();
    // A little later, so that the key has ended when it is looked at.
    Some(Instant::now() + left.to_std().unwrap_or_default() + Duration::from_millis(10))
}
