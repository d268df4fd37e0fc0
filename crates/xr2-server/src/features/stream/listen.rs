//! One listener: what passes its filter goes out, and it ends when whoever opened it may no longer listen.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{Access, Allow, Deliver, Identity};
use crate::error::Code;
use crate::features::stream::frame::{Changed, PING, resync};
use crate::features::stream::hub::{Seat, Signal};
use crate::state::App;

/// How often a sign of life is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Which changes a listener wants.
#[derive(Debug, Default)]
pub struct Filter {
    /// This label only.
    pub label: Option<String>,
    /// These prompts only, by the names they were asked by and the ids behind them.
    pub prompts: Option<(HashSet<String>, HashSet<Uuid>)>,
    /// What the key may see; none: all.
    pub allowed: Option<Vec<String>>,
}

impl Filter {
    /// Whether the listener wants it, and may have it.
    pub fn passes(&self, change: &Changed) -> bool {
        let wanted_label = self.label.as_ref().is_none_or(|label| *label == change.label);
        let allowed = self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&change.label));
        let wanted_prompt = self.prompts.as_ref().is_none_or(|(slugs, ids)| {
            slugs.contains(&change.slug) || change.prompt_id.is_some_and(|id| ids.contains(&id))
        });
        wanted_label && allowed && wanted_prompt
    }
}

/// A listener at work.
pub struct Listening {
    app: App,
    seat: Seat,
    filter: Filter,
    /// What the listener came with, to look again whether it may still listen.
    parts: Parts,
    workspace: Uuid,
    revision: i64,
    heartbeat: Interval,
    /// When the key ends.
    expiry: Option<Instant>,
    stopping: CancellationToken,
    /// Said before anything else.
    greeting: Vec<Bytes>,
}

impl Listening {
    /// Begins with `greeting`.
    pub fn new(
        app: &App,
        access: &Access,
        seat: Seat,
        filter: Filter,
        parts: Parts,
        revision: i64,
        mut greeting: Vec<Bytes>,
    ) -> Listening {
        let mut heartbeat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        greeting.reverse();
        Listening {
            app: app.clone(),
            seat,
            filter,
            parts,
            workspace: access.workspace,
            revision,
            heartbeat,
            expiry: expiry_of(app, access),
            stopping: app.stopping(),
            greeting,
        }
    }

    /// The next thing to send; none at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(bytes) = self.greeting.pop() {
            return Some(bytes);
        }
        loop {
            let expired = sleep_until(self.expiry);
            tokio::select! {
                () = self.stopping.cancelled() => return None,
                signal = self.seat.signals.recv() => match signal {
                    Ok(Signal::Frame(frame)) => {
                        self.revision = frame.change.revision.max(self.revision);
                        if self.filter.passes(&frame.change) {
                            return Some(frame.bytes.clone());
                        }
                    }
                    Ok(Signal::Recheck) => self.recheck().await?,
                    Err(RecvError::Lagged(_)) => {
                        // What was missed is at least as new as what the workspace has been told of.
                        self.revision = self.app.follower().told(self.workspace).unwrap_or(0).max(self.revision);
                        return Some(resync(self.revision));
                    }
                    Err(RecvError::Closed) => return None,
                },
                _ = self.heartbeat.tick() => {
                    self.recheck().await?;
                    return Some(PING);
                }
                () = expired => self.recheck().await?,
            }
        }
    }

    /// Ends the stream unless the listener may still listen. When that cannot be found out just now, it goes on.
    async fn recheck(&mut self) -> Option<()> {
        match Allow::<Deliver>::from_request_parts(&mut self.parts, &self.app).await {
            Ok(access) if access.workspace == self.workspace => {
                self.filter.allowed = access.labels().map(<[String]>::to_vec);
                self.expiry = expiry_of(&self.app, &access);
                Some(())
            }
            Err(error) if matches!(error.code, Code::Unavailable | Code::Internal | Code::RateLimited) => {
                self.expiry = None;
                Some(())
            }
            _ => None,
        }
    }
}

fn expiry_of(app: &App, access: &Access) -> Option<Instant> {
    let Identity::Key(key) = &access.caller.identity else { return None };
    let left = key.expires_at? - app.clock().now();
    // A little later, so that the key has ended when it is looked at.
    Some(Instant::now() + left.to_std().unwrap_or_default() + Duration::from_millis(10))
}

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
