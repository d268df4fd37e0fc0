//! Saving, reading and discarding drafts. A draft is saved even when its template has problems: nothing is lost.

use serde_json::{Value, json};
use xr2_db::Tx;

use crate::auth::Access;
use crate::error::{ApiError, Code, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::desk::{self, compiled_beside};
use crate::features::prompts::drafts::{Draft, DraftRow, queries};
use crate::features::prompts::dto::SaveDraft;
use crate::features::prompts::source::Source;
use crate::features::prompts::{PromptRow, access, includes, versions};
use crate::state::App;

/// The draft of a branch, if there is one; to be called within [`compiled_beside`].
pub async fn read(tx: &mut Tx, prompt: &PromptRow, branch: &str, newest: i64) -> Result<Option<Draft>> {
    match queries::find(tx, prompt.id, branch).await? {
        None => Ok(None),
        Some(row) => {
            let problems = problems(tx, &prompt.slug, &row.source).await?;
            Ok(Some(Draft::of(row, newest, problems)))
        }
    }
}

/// Saves the draft. One that somebody else saved meanwhile is not overwritten: 409 with theirs.
pub async fn save(app: &App, caller: &Access, name: &str, branch: &str, input: SaveDraft) -> Result<Draft> {
    if !is_branch(branch) {
        let message = "must be 1 to 100 letters, digits, or any of - _ . /";
        return Err(ApiError::invalid_field("branch", "invalid", message));
    }
    compiled_beside(|| save_once(app, caller, name, branch, input.clone())).await
}

async fn save_once(app: &App, caller: &Access, name: &str, branch: &str, input: SaveDraft) -> Result<Draft> {
    let mut change = Change::begin(app, caller).await?;
    let prompt = access::editable(change.tx(), name).await?;
    let stored = queries::find(change.tx(), prompt.id, branch).await?;
    let newest = versions::queries::newest(change.tx(), prompt.id, branch).await?;
    let newest_number = newest.as_ref().map_or(prompt.latest_version, |newest| newest.number);
    let revision = input.revision.unwrap_or(0);
    if stored.as_ref().map_or(0, |stored| stored.revision) != revision {
        return Err(stale(change.tx(), &prompt.slug, stored, newest_number).await?);
    }
    let base = stored.as_ref().map(|stored| &stored.source).or(newest.as_ref().map(|newest| &newest.source));
    let mut found = Vec::new();
    let source = input.source().read(base, false, &mut found);
    if let Some(base) = input.base_version
        && versions::queries::by_number(change.tx(), prompt.id, base).await?.is_none()
    {
        found.push(crate::error::FieldProblem::new("base_version", "not_found", "there is no such version"));
    }
    if !found.is_empty() {
        return Err(ApiError::validation(found));
    }
    source.check_size(app.config().limits.content_bytes)?;
    let row = DraftRow {
        branch: branch.to_owned(),
        revision: revision + 1,
        base_version: input.base_version.or(stored.as_ref().map(|s| s.base_version)).unwrap_or(newest_number),
        source,
        updated_by: change.actor().clone(),
        updated_at: app.clock().now(),
    };
    if !queries::save(change.tx(), prompt.id, &row).await? {
        let theirs = queries::find(change.tx(), prompt.id, branch).await?;
        return Err(stale(change.tx(), &prompt.slug, theirs, newest_number).await?);
    }
    let problems = problems(change.tx(), &prompt.slug, &row.source).await?;
    change.record(
        NewEvent::new(EventType::DraftSaved, Resource::new("prompt", prompt.id, &prompt.slug))
            .after(json!({ "branch": branch, "revision": row.revision })),
    );
    change.commit().await?;
    Ok(Draft::of(row, newest_number, problems))
}

/// Throws the draft away. With `revision`, only if nobody saved it meanwhile.
pub async fn discard(
    app: &App,
    caller: &Access,
    name: &str,
    branch: &str,
    revision: Option<i64>,
) -> Result<()> {
    compiled_beside(|| discard_once(app, caller, name, branch, revision)).await
}

async fn discard_once(
    app: &App,
    caller: &Access,
    name: &str,
    branch: &str,
    revision: Option<i64>,
) -> Result<()> {
    let mut change = Change::begin(app, caller).await?;
    let prompt = access::existing(change.tx(), name, true).await?;
    let Some(stored) = queries::find(change.tx(), prompt.id, branch).await? else {
        return Err(ApiError::not_found("draft"));
    };
    if revision.is_some_and(|revision| revision != stored.revision) {
        return Err(stale(change.tx(), &prompt.slug, Some(stored), prompt.latest_version).await?);
    }
    queries::delete(change.tx(), prompt.id, branch).await?;
    change.record(
        NewEvent::new(EventType::DraftDiscarded, Resource::new("prompt", prompt.id, &prompt.slug))
            .before(json!({ "branch": branch, "revision": stored.revision })),
    );
    change.commit().await?;
    Ok(())
}

/// 409 with the draft as it is now; `None`: there is none any more.
pub async fn stale(tx: &mut Tx, slug: &str, stored: Option<DraftRow>, newest: i64) -> Result<ApiError> {
    let Some(stored) = stored else {
        let message = "The draft was published or thrown away meanwhile. Nothing of yours was saved; send it again without a revision.";
        return Ok(ApiError::new(Code::Conflict, message).with_details(json!({ "current": null })));
    };
    let message = format!(
        "{} saved this draft meanwhile. Nothing of yours was saved; compare it with theirs and try again.",
        stored.updated_by.name
    );
    let problems = problems(tx, slug, &stored.source).await?;
    let current = Draft::of(stored, newest, problems);
    Ok(ApiError::new(Code::Conflict, message).with_details(json!({ "current": current })))
}

/// What would keep `source` from being published, as TEMPLATE_ERROR's problems.
async fn problems(tx: &mut Tx, slug: &str, source: &Source) -> Result<Value> {
    let snippets = includes::resolve_snippets(tx, source).await?;
    match desk::compiled(Some(slug), source, &snippets) {
        Ok(_) => Ok(json!([])),
        Err(error) if desk::is_not_yet(&error) => Err(error),
        Err(error) => Ok(error
            .details
            .and_then(|mut details| details.get_mut("problems").map(Value::take))
            .unwrap_or_default()),
    }
}

/// Whether `name` can be a branch.
pub fn is_branch(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
}
