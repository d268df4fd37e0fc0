//! What a request with a key leaves for the layer around it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use sha2::{Digest, Sha256};
use uuid::Uuid;
use xr2_db::Purpose;

use super::queries::{self, Record};
use crate::auth::{Caller, Identity};
use crate::error::{ApiError, Code, Result};
use crate::events::Written;
use crate::state::App;

/// Keys whose requests this node is answering just now.
pub type InFlight = Arc<Mutex<HashSet<[u8; 32]>>>;

/// The key of one request, and what became of it.
pub struct Slot {
    key: String,
    route: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    claim: Option<Arc<Claim>>,
    earlier: Option<Record>,
    parked: Option<Written>,
    /// The request is answered: what still changes something on its behalf commits by itself.
    is_closed: bool,
}

/// A key that nobody else's request has just now. Dropped, it is free again.
pub(super) struct Claim {
    pub(super) scope: [u8; 32],
    pub(super) workspace: Option<Uuid>,
    in_flight: InFlight,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.in_flight).remove(&self.scope);
    }
}

/// What a request came to.
pub(super) struct Outcome {
    pub(super) claim: Option<Arc<Claim>>,
    pub(super) earlier: Option<Record>,
    pub(super) parked: Option<Written>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("route", &self.route).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Slot {
    pub(super) fn new(key: String, route: String) -> Slot {
        Slot { key, route, state: Mutex::default() }
    }

    /// Keeps a change that is written but not committed until its answer is there; gives it back when it is too late for
    /// that. One that was parked before ends now.
    pub async fn park(&self, written: Written) -> Result<Option<Written>> {
        let before = {
            let mut state = lock(&self.state);
            if state.is_closed {
                return Ok(Some(written));
            }
            state.parked.replace(written)
        };
        if let Some(before) = before {
            before.commit().await?;
        }
        Ok(None)
    }

    /// Ends the change that is parked, so that another one may begin.
    pub async fn flush(&self) -> Result<()> {
        let parked = lock(&self.state).parked.take();
        if let Some(parked) = parked {
            parked.commit().await?;
        }
        Ok(())
    }

    pub(super) fn close(&self) -> Outcome {
        let mut state = lock(&self.state);
        state.is_closed = true;
        Outcome { claim: state.claim.take(), earlier: state.earlier.take(), parked: state.parked.take() }
    }

    /// Who asked, where, by which route, with which key.
    fn scope(&self, caller: &Caller, workspace: Option<Uuid>) -> [u8; 32] {
        let (kind, id) = match &caller.identity {
            Identity::Session(user) => ("user", Some(user.id)),
            Identity::Key(key) => ("key", Some(key.id)),
            Identity::Internal(actor) => ("internal", actor.id),
        };
        let mut hash = Sha256::new();
        hash.update(kind);
        hash.update(id.unwrap_or_default());
        hash.update(workspace.unwrap_or_default());
        hash.update(self.route.as_bytes());
        hash.update([0]);
        hash.update(self.key.as_bytes());
        hash.finalize().into()
    }
}

/// Takes the key of a request that was let in. An error when another request has it just now, and when there is an answer
/// already; the layer then gives that one.
pub async fn claim(app: &App, caller: &Caller, workspace: Option<Uuid>) -> Result<()> {
    let Some(slot) = &caller.context.idempotency else { return Ok(()) };
    if lock(&slot.state).claim.is_some() {
        return Ok(());
    }
    let scope = slot.scope(caller, workspace);
    let in_flight = app.in_flight().clone();
    if !lock(&in_flight).insert(scope) {
        return Err(being_answered());
    }
    let claim = Arc::new(Claim { scope, workspace, in_flight });
    let earlier = find(app, &claim).await?;
    let is_answered = earlier.is_some();
    let mut state = lock(&slot.state);
    state.claim = Some(claim);
    state.earlier = earlier;
    if is_answered { Err(being_answered()) } else { Ok(()) }
}

/// The answer that was given to this key; one whose time is over is forgotten.
pub(super) async fn find(app: &App, claim: &Claim) -> Result<Option<Record>> {
    let door = match claim.workspace {
        Some(workspace) => app.db().tenant(workspace),
        None => app.db().system(Purpose::Idempotency),
    };
    let mut tx = door.read().await?;
    let found = match claim.workspace {
        Some(_) => queries::find(&mut tx, &claim.scope).await?,
        None => queries::find_anywhere(&mut tx, &claim.scope).await?,
    };
    tx.commit().await?;
    let now = app.clock().now();
    if found.as_ref().is_none_or(|record| record.expires_at > now) {
        return Ok(found);
    }
    let mut tx = app.db().system(Purpose::Idempotency).write().await?;
    queries::forget_one(&mut tx, &claim.scope, now).await?;
    tx.commit().await?;
    Ok(None)
}

/// 409 while another request with the same key is being answered.
pub(super) fn being_answered() -> ApiError {
    ApiError::new(
        Code::Conflict,
        "A request with this Idempotency-Key is being answered just now. Send it again in a moment.",
    )
    .with_header(axum::http::header::RETRY_AFTER, axum::http::HeaderValue::from_static("1"))
}
