//! `access.denied` events: best effort and bounded, since whoever is refused could fill the table with them.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::TimeDelta;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::clock::Time;
use crate::error::Result;
use crate::events::{Actor, Change, EventType, NewEvent, Resource, append_instance_event};
use crate::http::RequestContext;
use crate::state::App;

/// The same caller refused by the same route is noted once in this time.
const QUIET: TimeDelta = TimeDelta::minutes(1);

/// Refusals remembered; beyond that the oldest are forgotten all at once.
const MOST: usize = 1000;

/// Refusals written at the same time; more are not noted.
const AT_ONCE: usize = 2;

/// Notes who was refused.
pub struct Denials {
    recent: Mutex<HashMap<(Option<Uuid>, String), Time>>,
    permits: Semaphore,
}

impl Default for Denials {
    fn default() -> Denials {
        Denials { recent: Mutex::default(), permits: Semaphore::new(AT_ONCE) }
    }
}

impl Denials {
    /// Notes that `actor` was refused `what`, in a workspace or none. Never fails the request further.
    pub async fn note(
        &self,
        app: &App,
        workspace: Option<Uuid>,
        actor: Actor,
        context: &RequestContext,
        what: &str,
    ) {
        let Ok(_permit) = self.permits.try_acquire() else { return };
        if !self.is_news(actor.id, what, app.clock().now()) {
            return;
        }
        if let Err(error) = write(app, workspace, actor, context, what).await {
            tracing::warn!(%error, "a refusal could not be recorded");
        }
    }

    fn is_news(&self, actor: Option<Uuid>, what: &str, now: Time) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if recent.len() >= MOST {
            recent.retain(|_, noted| *noted + QUIET > now);
            if recent.len() >= MOST {
                recent.clear();
            }
        }
        let last = recent.insert((actor, what.to_owned()), now);
        last.is_none_or(|noted| noted + QUIET <= now)
    }
}

async fn write(
    app: &App,
    workspace: Option<Uuid>,
    actor: Actor,
    context: &RequestContext,
    what: &str,
) -> Result<()> {
    let event = NewEvent::new(EventType::AccessDenied, Resource::named("route", what));
    match workspace {
        Some(workspace) => {
            let mut change = Change::begin_as(app, workspace, actor, context.clone()).await?;
            change.record(event);
            change.commit().await?;
        }
        None => append_instance_event(app.db(), app.clock(), &actor, context, &event).await?,
    }
    Ok(())
}
