//! The bin: deleting, taking out again, emptying.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;
use xr2_db::Purpose;

use crate::auth::Access;
use crate::clock::{Time, rfc3339};
use crate::error::{ApiError, Code, Result};
use crate::events::{Actor, Change, EventType, NewEvent, Resource};
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::includes::{self, Dependent};
use crate::features::prompts::{PromptRow, access, labels, queries, read};
use crate::http::RequestContext;
use crate::state::App;

/// A prompt fetched within this time is in use.
const RECENT: TimeDelta = TimeDelta::days(7);

/// Puts a prompt into the bin; refused while it is in use, unless forced.
pub async fn delete(app: &App, caller: &Access, name: &str, force: bool) -> Result<Prompt> {
    // Fetches of the last second may still be in memory; they count.
    app.last_used().flush(app).await?;
    let mut change = Change::begin(app, caller).await?;
    let row = access::any(change.tx(), name, true).await?;
    if row.deleted_at.is_some() {
        return Err(in_bin_already(name, &row));
    }
    queries::lock_labels(change.tx()).await?;
    let dependents = includes::all_dependents(change.tx(), row.id).await?;
    if !force {
        let extras = queries::extras(change.tx(), &[row.id]).await?;
        let recent = extras.fetched.get(&row.id).and_then(|fetches| fetches.first());
        check_unused(app.clock().now(), recent.map(|fetch| fetch.last_fetched_at), &dependents)?;
    }
    let labels = labels_of(&mut change, &row).await?;
    let row = put_away(&mut change, row, labels, &dependents).await?;
    let prompt = read::entity(change.tx(), row, Can::of(caller)).await?;
    change.commit().await?;
    Ok(prompt.going_after(app.config().bin.retention_days))
}

/// Somebody else was quicker: who, and when.
fn in_bin_already(name: &str, row: &PromptRow) -> ApiError {
    let by = row.deleted_by.as_ref().map_or("somebody", |by| by.name.as_str());
    let at = row.deleted_at.as_ref().map(rfc3339).unwrap_or_default();
    let message = format!(
        "prompt \"{}\" not found: {by} put it into the bin at {at}, and it can be taken out of it",
        access::shorten(name)
    );
    ApiError::new(Code::NotFound, message)
        .with_details(json!({ "deleted_by": row.deleted_by, "deleted_at": at }))
}

/// 409 IN_USE for what a program fetched lately or another prompt delivers.
pub fn check_unused(now: Time, last_fetched_at: Option<Time>, dependents: &[Dependent]) -> Result<()> {
    let recent = last_fetched_at.filter(|at| now - *at < RECENT);
    let mut slugs: Vec<&str> = dependents.iter().map(|dependent| dependent.slug.as_str()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    if recent.is_none() && slugs.is_empty() {
        return Ok(());
    }
    Err(in_use(recent.as_ref().map(rfc3339), &slugs))
}

/// Puts a prompt into the bin. `labels`: where they point, for whoever delivers it.
pub async fn put_away(
    change: &mut Change,
    mut row: PromptRow,
    labels: Value,
    dependents: &[Dependent],
) -> Result<PromptRow> {
    row.deleted_at = Some(change.app().clock().now());
    row.deleted_by = Some(change.actor().clone());
    queries::save(change.tx(), &row).await?;
    let after = json!({ "slug": row.slug, "labels": labels, "dependents": dependents });
    let resource = Resource::new("prompt", row.id, &row.slug);
    change.record(NewEvent::new(EventType::PromptDeleted, resource).after(after));
    Ok(row)
}

fn in_use(fetched: Option<String>, included_by: &[&str]) -> ApiError {
    let mut reasons = Vec::new();
    let mut sentences = Vec::new();
    if let Some(at) = fetched {
        sentences.push(format!("a program fetched it within the last 7 days (last at {at})"));
        reasons.push(json!({ "kind": "fetched", "last_fetched_at": at }));
    }
    for slug in included_by {
        reasons.push(json!({ "kind": "included_by", "slug": slug }));
    }
    if !included_by.is_empty() {
        sentences.push(format!("it is included by {}", included_by.join(", ")));
    }
    let message = format!(
        "This prompt is in use: {}. Delete it with force=true if you are sure.",
        sentences.join(", and ")
    );
    ApiError::new(Code::InUse, message).with_details(json!({ "reasons": reasons }))
}

/// Label → version of a prompt, for events; the computed label `latest` among them.
pub async fn labels_of(change: &mut Change, row: &PromptRow) -> Result<Value> {
    let pointers = labels::queries::pointers(change.tx(), row.id).await?;
    Ok(pointers
        .into_iter()
        .chain([(labels::LATEST.to_owned(), row.latest_version)])
        .map(|(label, version)| (label, Value::from(version)))
        .collect::<serde_json::Map<_, _>>()
        .into())
}

/// Takes a prompt out of the bin. Of two people who do it at once both are told that it is back.
pub async fn undelete(app: &App, caller: &Access, name: &str) -> Result<Prompt> {
    let mut change = Change::begin(app, caller).await?;
    let mut row = access::any(change.tx(), name, true).await?;
    if row.deleted_at.is_some() {
        let dependents = includes::all_dependents(change.tx(), row.id).await?;
        let labels = labels_of(&mut change, &row).await?;
        row = take_out(&mut change, row, labels, &dependents).await?;
    }
    let prompt = read::entity(change.tx(), row, Can::of(caller)).await?;
    change.commit().await?;
    Ok(prompt)
}

/// Takes a prompt out of the bin. `labels`: where they point, for whoever delivers it.
pub async fn take_out(
    change: &mut Change,
    mut row: PromptRow,
    labels: Value,
    dependents: &[Dependent],
) -> Result<PromptRow> {
    row.deleted_at = None;
    row.deleted_by = None;
    row.updated_at = change.app().clock().now();
    row.updated_by = change.actor().clone();
    queries::save(change.tx(), &row).await?;
    let after = json!({ "slug": row.slug, "labels": labels, "dependents": dependents });
    let resource = Resource::new("prompt", row.id, &row.slug);
    change.record(NewEvent::new(EventType::PromptRestored, resource).after(after));
    Ok(row)
}

/// Removes a prompt that is in the bin for good.
pub async fn purge(app: &App, caller: &Access, name: &str) -> Result<()> {
    let mut change = Change::begin(app, caller).await?;
    let row = access::any(change.tx(), name, true).await?;
    purge_in_bin(&mut change, &row).await?;
    change.commit().await?;
    Ok(())
}

/// Removes a prompt for good; 409 when it is not in the bin.
pub async fn purge_in_bin(change: &mut Change, row: &PromptRow) -> Result<()> {
    if row.deleted_at.is_none() {
        return Err(ApiError::new(
            Code::Conflict,
            "Only a prompt in the bin can be removed for good. Delete it first.",
        ));
    }
    purge_in(change, row.id, &row.slug).await
}

/// Removes everything in the workspace's bin for good; returns how many.
pub async fn empty(app: &App, caller: &Access) -> Result<usize> {
    let mut purged = 0;
    loop {
        // In batches: one writer must not be held for a bin of thousands.
        let mut change = Change::begin(app, caller).await?;
        let batch = queries::in_bin(change.tx(), 200).await?;
        for (id, slug) in &batch {
            purge_in(&mut change, *id, slug).await?;
        }
        change.commit().await?;
        purged += batch.len();
        if batch.is_empty() {
            return Ok(purged);
        }
    }
}

async fn purge_in(change: &mut Change, id: Uuid, slug: &str) -> Result<()> {
    queries::purge(change.tx(), id).await?;
    let after = json!({ "slug": slug, "labels": {}, "dependents": [] });
    change.record(NewEvent::new(EventType::PromptPurged, Resource::new("prompt", id, slug)).after(after));
    Ok(())
}

/// Purges what has been in the bin longer than the operator keeps things; returns how many.
pub async fn purge_expired(app: &App) -> Result<usize> {
    let days = app.config().bin.retention_days;
    if days == 0 {
        return Ok(0);
    }
    let before = app.clock().now() - TimeDelta::days(i64::from(days));
    let mut tx = app.db().system(Purpose::Retention).read().await?;
    let expired = queries::expired_in_bin(&mut tx, before, 500).await?;
    tx.commit().await?;
    for (workspace, id) in &expired {
        let actor = Actor::system("Bin clean-up");
        let mut change = Change::begin_as(app, *workspace, actor, RequestContext::internal()).await?;
        // Somebody may have taken it out meanwhile.
        let row = queries::find(change.tx(), &id.to_string(), true).await?;
        if let Some(row) = row.filter(|row| row.deleted_at.is_some_and(|at| at < before)) {
            purge_in(&mut change, row.id, &row.slug).await?;
            change.commit().await?;
        }
    }
    Ok(expired.len())
}
