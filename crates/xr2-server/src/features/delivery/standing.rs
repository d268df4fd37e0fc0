//! How old an answer is: what it says of itself, and when it is too old to be given. The same for single prompts, several
//! and bundles.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::features::delivery::bundle::Bundled;
use crate::features::delivery::entry::Entry;
use crate::features::delivery::freshness::Tenant;
use crate::features::delivery::revision;
use crate::http::X_XR2_REVISION;
use crate::state::App;

static X_XR2_STALE: HeaderName = HeaderName::from_static("x-xr2-stale");

/// Up to which revision an answer holds, and for how many seconds it may have been outdated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Every change up to it is in the answer.
    pub revision: i64,
    /// None: it is of now.
    stale: Option<u64>,
}

/// What a request asks of the age of its answer (`X-XR2-Min-Revision`).
#[derive(Debug, Clone, Copy)]
pub struct NoOlder(Option<i64>);

impl NoOlder {
    /// What the headers ask for; 503 when nothing that could be delivered would be new enough. Waits for the revision.
    pub async fn reach(app: &App, workspace: Uuid, headers: &HeaderMap) -> Result<NoOlder> {
        if !is_fresh_enough(app, app.follower().contact().stale()) {
            return Err(ApiError::too_stale("delivery.max_stale"));
        }
        let wanted = revision::wanted(headers)?;
        if let Some(wanted) = wanted {
            revision::reach(app, workspace, wanted).await?;
        }
        Ok(NoOlder(wanted))
    }

    /// What the headers ask for, if the workspace has got there; none also when they cannot be read.
    pub fn reached(headers: &HeaderMap, tenant: &Tenant) -> Option<NoOlder> {
        let wanted = revision::wanted(headers).ok()?;
        wanted.is_none_or(|wanted| tenant.told() >= wanted).then_some(NoOlder(wanted))
    }

    /// Whether a revision is new enough.
    pub fn allows(self, revision: i64) -> bool {
        self.0.is_none_or(|wanted| revision >= wanted)
    }
}

impl Standing {
    /// Of what is delivered when there is nothing in the answer.
    pub fn of_nothing(app: &App, tenant: &Tenant) -> Standing {
        Standing { revision: tenant.told(), stale: app.follower().contact().stale() }
    }

    /// Of a prompt. It holds as of its reading, and as of every change this node has been told of since, unless one of
    /// them was its own: then what goes out is the text from before. Told is read first, because it rises last.
    pub fn of_entry(app: &App, entry: &Entry) -> Standing {
        let (read_at, told) = (entry.mark.revision(), entry.tenant.told());
        let is_outdated = entry.mark.is_stale();
        let revision = if is_outdated { read_at } else { read_at.max(told) };
        let cut_off = app.follower().contact().stale();
        // Nothing is known that would be newer, but the snapshot may be older than the last word of the database.
        let is_as_kept = entry.is_frozen && (is_outdated || (cut_off.is_some() && told <= read_at));
        let stale = if is_as_kept { longer(cut_off, since_kept(app, entry.tenant.id())) } else { cut_off };
        Standing { revision, stale }
    }

    /// Of a further page of a bundle, at the revision of the first.
    pub fn of_page(app: &App, revision: i64) -> Standing {
        Standing { revision, stale: app.follower().contact().stale() }
    }

    /// Of a bundle.
    pub fn of_bundle(app: &App, tenant: &Tenant, bundled: &Bundled) -> Standing {
        let (snapshot, known) = (&bundled.snapshot, tenant.told().max(tenant.seen()));
        let cut_off = app.follower().contact().stale();
        // The database may give no answer to this while the follower still has, or has again, its own.
        let is_unproven = bundled.is_last_resort || (snapshot.is_frozen && cut_off.is_some());
        let stale = if is_unproven {
            let since = match snapshot.outdated_at().filter(|_| snapshot.revision < known) {
                Some(outdated) => seconds_since(app, outdated),
                None if snapshot.is_frozen => since_kept(app, tenant.id()),
                None => 1,
            };
            longer(cut_off, since)
        } else {
            cut_off
        };
        Standing { revision: snapshot.revision, stale }
    }

    /// Of an answer that holds both.
    pub fn and(self, other: Standing) -> Standing {
        Standing { revision: self.revision.min(other.revision), stale: self.stale.max(other.stale) }
    }

    /// 503 when that is older than what was asked for, or than anything may be.
    pub fn check(&self, app: &App, wanted: NoOlder) -> Result<()> {
        if !is_fresh_enough(app, self.stale) {
            return Err(ApiError::too_stale("delivery.max_stale"));
        }
        match wanted.0 {
            Some(wanted) if wanted > self.revision => Err(revision::not_reached(wanted)),
            _ => Ok(()),
        }
    }

    /// Says it.
    pub fn put(&self, headers: &mut HeaderMap) {
        headers.insert(X_XR2_REVISION.clone(), HeaderValue::from(self.revision));
        if let Some(seconds) = self.stale {
            headers.insert(X_XR2_STALE.clone(), HeaderValue::from(seconds));
        }
    }
}

/// Whether something may be delivered that is `stale` seconds old, or may be.
fn is_fresh_enough(app: &App, stale: Option<u64>) -> bool {
    stale.is_none_or(|seconds| seconds <= app.config().delivery.max_stale.as_secs())
}

fn longer(cut_off: Option<u64>, since: u64) -> Option<u64> {
    Some(cut_off.unwrap_or(1).max(since))
}

/// Seconds since what is kept of the workspace was as it is.
fn since_kept(app: &App, workspace: Uuid) -> u64 {
    app.frozen().current_of(workspace).map_or(1, |at| seconds_since(app, at))
}

fn seconds_since(app: &App, at: Time) -> u64 {
    (app.clock().now() - at).num_seconds().max(1).unsigned_abs()
}
