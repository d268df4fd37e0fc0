//! How often prompts were called within the last seven days, as lists show it: the sums of whole hours, kept in memory for
//! some seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::error::Result;
use crate::features::prompts::listing::queries;
use crate::state::App;

/// Hours that count.
const HOURS: i64 = 7 * 24;
/// How long sums are shown at least.
const FRESH: Duration = Duration::from_secs(5);
/// Summing may take one part in so many of the time.
const SHARE: u32 = 20;
/// Workspaces whose sums are kept.
const MOST: usize = 256;

/// Calls by prompt.
pub type Calls = Arc<HashMap<Uuid, i64>>;

#[derive(Clone)]
struct Kept {
    calls: Calls,
    good_until: Duration,
    is_summing: bool,
}

/// The sums of workspaces whose lists were looked at.
#[derive(Default)]
pub struct RecentCalls(Mutex<HashMap<Uuid, Kept>>);

impl RecentCalls {
    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of the workspace, and whether the caller is to sum anew.
    fn look(&self, workspace: Uuid, now: Duration) -> (Option<Calls>, bool) {
        let mut all = self.kept();
        let Some(kept) = all.get_mut(&workspace) else { return (None, true) };
        let is_due = kept.good_until <= now && !kept.is_summing;
        kept.is_summing |= is_due;
        (Some(kept.calls.clone()), is_due)
    }

    fn keep(&self, workspace: Uuid, calls: &Calls, good_until: Duration) {
        let mut all = self.kept();
        if all.len() >= MOST && !all.contains_key(&workspace) {
            let oldest = all.iter().min_by_key(|(_, kept)| kept.good_until).map(|(workspace, _)| *workspace);
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        all.insert(workspace, Kept { calls: calls.clone(), good_until, is_summing: false });
    }

    fn gave_up(&self, workspace: Uuid) {
        if let Some(kept) = self.kept().get_mut(&workspace) {
            kept.is_summing = false;
        }
    }
}

/// Calls of the workspace's prompts. Only the first who asks waits; later ones get what is there while it is summed anew.
pub(super) async fn of(app: &App, workspace: Uuid) -> Result<Calls> {
    let (kept, is_due) = app.recent_calls().look(workspace, app.clock().monotonic());
    match kept {
        None => sum(app, workspace).await,
        Some(calls) => {
            if is_due {
                let app = app.clone();
                app.clone().spawn(async move {
                    if let Err(error) = sum(&app, workspace).await {
                        app.recent_calls().gave_up(workspace);
                        tracing::debug!(%error, "calls of the last days could not be summed");
                    }
                });
            }
            Ok(calls)
        }
    }
}

async fn sum(app: &App, workspace: Uuid) -> Result<Calls> {
    let began = app.clock().monotonic();
    let hour = app.clock().now().timestamp().div_euclid(3600);
    let mut tx = app.db().usage().tenant(workspace).read().await?;
    let calls: Calls = Arc::new(queries::calls_since(&mut tx, hour - HOURS).await?.into_iter().collect());
    tx.commit().await?;
    let now = app.clock().monotonic();
    app.recent_calls().keep(workspace, &calls, now + FRESH.max((now - began) * SHARE));
    Ok(calls)
}
