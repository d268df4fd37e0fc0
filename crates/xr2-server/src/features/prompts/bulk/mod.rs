//! Doing one thing to many prompts: each item succeeds or fails by itself, in write transactions that stay short.

mod action;
mod apply;
mod batch;
mod dto;
mod queries;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

pub use dto::{Bulk, BulkDone, BulkStatus};

use crate::auth::Access;
use crate::error::{ApiError, Code, Result};
use crate::features::prompts::access::no_prompt;
use crate::features::prompts::bulk::action::Action;
use crate::features::prompts::bulk::dto::Outcome;
use crate::features::prompts::compiled_beside;
use crate::state::App;

/// Prompts of one transaction at most. One that takes long ends sooner; see [`batch`].
const AT_ONCE: usize = 50;

/// Does what is asked to every prompt named, and tells of each what came of it.
pub async fn bulk(app: &App, access: &Access, input: Bulk) -> Result<BulkDone> {
    let (names, all_or_nothing) = (input.prompts.clone(), input.all_or_nothing.unwrap_or(false));
    let action = Action::read(input)?;
    access.require(action.right())?;
    if matches!(action, Action::Delete { force: false }) {
        // Fetches of the last second may still be in memory; they count.
        app.last_used().flush(app).await?;
    }
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let ids = queries::ids_of(&mut tx, &names).await?;
    tx.commit().await?;
    let mut seen = HashSet::new();
    let named = names.iter().filter_map(|name| ids.get(name)).copied();
    let mut wanted: Vec<Uuid> = named.filter(|id| seen.insert(*id)).collect();
    // Everybody goes in this order, so that no two wait for each other.
    wanted.sort_unstable();

    let run = Run { app, access, action: &action };
    let unknown = names.iter().any(|name| !ids.contains_key(name));
    let (outcomes, rolled_back) = match all_or_nothing {
        // There is no need to try: it would be taken back.
        true if unknown => (run.only_checked(&wanted).await?, true),
        true => run.together(&wanted).await?,
        false => (run.one_after_another(&wanted).await?, false),
    };
    Ok(told(names, &ids, outcomes, rolled_back))
}

struct Run<'a> {
    app: &'a App,
    access: &'a Access,
    action: &'a Action,
}

type Outcomes = HashMap<Uuid, Outcome>;

impl Run<'_> {
    /// In batches. What is refused because something uses it is tried again once that may be gone too.
    async fn one_after_another(&self, wanted: &[Uuid]) -> Result<Outcomes> {
        let (mut outcomes, mut last) = (Outcomes::new(), Vec::new());
        let mut waiting = wanted.to_vec();
        loop {
            let did_some = self.pass(&waiting, &mut outcomes, &mut last).await?;
            waiting.retain(|id| outcomes.get(id).is_some_and(Outcome::is_in_use));
            if waiting.is_empty() || !did_some {
                return Ok(outcomes);
            }
        }
    }

    /// Every prompt once; tells whether anything was done. `last`: the prompts of the last batch.
    async fn pass(&self, wanted: &[Uuid], outcomes: &mut Outcomes, last: &mut Vec<Uuid>) -> Result<bool> {
        let (mut from, mut did_some) = (0, false);
        while from < wanted.len() {
            let some = &wanted[from..wanted.len().min(from + AT_ONCE)];
            // With an Idempotency-Key the batch before ends only now: it may still fail.
            let batch = match self.end_last().await {
                Ok(()) => {
                    last.clear();
                    compiled_beside(|| batch::attempt(self.app, self.access, self.action, some)).await
                }
                Err(error) => Err(error),
            };
            let batch = match batch {
                Ok(batch) => batch,
                // Nothing has happened yet: then it is the request that failed.
                Err(error) if outcomes.len() == last.len() => return Err(error),
                Err(error) => {
                    if let Some(cause) = error.cause() {
                        tracing::error!(cause, "a batch of a bulk request failed");
                    }
                    let failed = last.iter().chain(&wanted[from..]);
                    outcomes.extend(failed.map(|id| (*id, Outcome::failed(None, error.clone()))));
                    return Ok(false);
                }
            };
            from += batch.len();
            did_some |= batch.iter().any(|(_, outcome)| outcome.is_done());
            last.extend(batch.iter().map(|(id, _)| *id));
            outcomes.extend(batch);
        }
        Ok(did_some)
    }

    async fn end_last(&self) -> Result<()> {
        match &self.access.context().idempotency {
            Some(slot) => slot.flush().await,
            None => Ok(()),
        }
    }

    /// In one transaction, which is taken back when any prompt fails; tells whether it was.
    async fn together(&self, wanted: &[Uuid]) -> Result<(Outcomes, bool)> {
        let attempt = || batch::attempt_all(self.app, self.access, self.action, wanted, true);
        let (outcomes, committed) = compiled_beside(attempt).await?;
        Ok(self.after_all(outcomes, committed))
    }

    /// What each would have come to; nothing is kept.
    async fn only_checked(&self, wanted: &[Uuid]) -> Result<Outcomes> {
        let attempt = || batch::attempt_all(self.app, self.access, self.action, wanted, false);
        let (outcomes, _) = compiled_beside(attempt).await?;
        Ok(self.after_all(outcomes, false).0)
    }

    fn after_all(&self, outcomes: Vec<(Uuid, Outcome)>, committed: bool) -> (Outcomes, bool) {
        let outcomes = outcomes.into_iter();
        let outcomes = outcomes.map(|(id, outcome)| match committed || !outcome.is_done() {
            true => (id, outcome),
            false => (id, Outcome::failed(outcome.slug, taken_back())),
        });
        (outcomes.collect(), !committed)
    }
}

fn taken_back() -> ApiError {
    ApiError::new(
        Code::Conflict,
        "This prompt was left as it is, because another one of the request failed and all or nothing was asked for.",
    )
}

/// The outcomes in the order asked for. Who is named twice is changed once.
fn told(names: Vec<String>, ids: &HashMap<String, Uuid>, outcomes: Outcomes, rolled_back: bool) -> BulkDone {
    let mut told = HashSet::new();
    let mut done = BulkDone { rolled_back, ..BulkDone::default() };
    for name in names {
        let found = ids.get(&name).and_then(|id| Some((*id, outcomes.get(id)?.clone())));
        let result = match found {
            None => Outcome::failed(None, no_prompt(&name)).result(name, None),
            Some((id, outcome)) if told.insert(id) => outcome.result(name, Some(id)),
            Some((id, outcome)) => outcome.again().result(name, Some(id)),
        };
        match result.status {
            BulkStatus::Done => done.done += 1,
            BulkStatus::Unchanged => done.unchanged += 1,
            BulkStatus::Failed => done.failed += 1,
        }
        done.results.push(result);
    }
    done
}
