//! What usage is told of a delivery.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use uuid::Uuid;

use crate::auth::{Access, Identity};
use crate::clock::Time;
use crate::features::delivery::answer::{Given, Wish};
use crate::features::usage::{self, Alike, Delivered, Delivery, Source, cut};
use crate::state::App;

/// Who asks, and with what; gathered before the values are used up.
pub struct Note {
    source: Source,
    key: Option<Uuid>,
    user: Option<Box<str>>,
    address: Option<IpAddr>,
    user_agent: Option<Arc<str>>,
    model: Option<Box<str>>,
    variables: Option<Arc<str>>,
    began: Instant,
}

impl Note {
    /// Of a request that a key vouches for.
    pub fn of_key(
        key: Uuid,
        address: IpAddr,
        user_agent: Option<&str>,
        wish: &Wish<'_>,
        began: Instant,
    ) -> Note {
        Note {
            source: Source::Api,
            key: Some(key),
            user: wish.user.map(|user| cut(user).into()),
            address: Some(address),
            user_agent: user_agent.map(usage::agent),
            model: wish.model.map(|model| cut(model).into()),
            variables: names(&wish.values),
            began,
        }
    }

    /// Of a request that came through the router. None when nobody asked but xr2 itself.
    pub fn of(access: &Access, wish: &Wish<'_>, began: Instant) -> Option<Note> {
        let (source, key) = match &access.caller.identity {
            Identity::Key(key) => (Source::Api, Some(key.id)),
            Identity::Session(_) => (Source::Dashboard, None),
            Identity::Internal(_) => return None,
        };
        let context = access.context();
        Some(Note {
            source,
            key,
            user: wish.user.map(|user| cut(user).into()),
            address: context.address,
            user_agent: context.user_agent.as_deref().map(usage::agent),
            model: wish.model.map(|model| cut(model).into()),
            variables: names(&wish.values),
            began,
        })
    }

    /// Tells usage what came of it just now.
    pub fn record(self, app: &App, what: &Arc<Delivered>, status: StatusCode) {
        self.record_at(app, what, status, app.clock().now());
    }

    /// Tells usage what came of it.
    pub fn record_at(self, app: &App, what: &Arc<Delivered>, status: StatusCode, at: Time) {
        let alike = Alike {
            what: what.clone(),
            key: self.key,
            source: self.source,
            status: status.as_u16(),
            user: self.user,
            address: self.address,
            user_agent: self.user_agent,
            model: self.model,
            variables: self.variables,
        };
        app.usage().record(Delivery { alike, at, latency: self.began.elapsed() });
    }
}

/// Only the names: values may be anything, and nobody's business.
fn names(values: &Given<'_>) -> Option<Arc<str>> {
    match values {
        Given::Query([]) => None,
        Given::Query(pairs) => usage::names(pairs.iter().map(|(name, _)| &**name)),
        Given::Body(values) => usage::names(values.keys().map(String::as_str)),
    }
}
