//! Making and ending preview links.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use crate::auth::{Access, random_token, token_hash};
use crate::error::{ApiError, Code, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::dto::blank_to_none;
use crate::features::prompts::preview_links::model::{
    CreatePreviewLink, LinkRow, NewPreviewLink, PreviewLink,
};
use crate::features::prompts::preview_links::queries;
use crate::features::prompts::{access, drafts, versions};
use crate::state::App;

/// Days until a link ends, unless said.
const DAYS: i64 = 7;
/// Links of one prompt that are open at once.
const MOST_OPEN: i64 = 100;
/// Links that a list shows.
const MOST_LISTED: i64 = 200;
/// How long links that have ended are still listed.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Makes a link. Its address is in the answer and nowhere else.
pub(super) async fn create(
    app: &App,
    caller: &Access,
    name: &str,
    input: CreatePreviewLink,
) -> Result<NewPreviewLink> {
    let shows_draft = input.draft.unwrap_or(false);
    if shows_draft && input.version.is_some() {
        let message = "give either a version or draft, not both";
        return Err(ApiError::invalid_field("version", "invalid", message));
    }
    let now = app.clock().now();
    let mut change = Change::begin(app, caller).await?;
    let prompt = access::existing(change.tx(), name, true).await?;
    let version = if shows_draft {
        if drafts::queries::find(change.tx(), prompt.id, drafts::MAIN).await?.is_none() {
            return Err(ApiError::not_found("draft"));
        }
        None
    } else {
        let number = input.version.unwrap_or(prompt.latest_version);
        let found = versions::queries::by_number(change.tx(), prompt.id, number).await?;
        let found = found.ok_or_else(|| ApiError::not_found(&format!("version {number}")))?;
        Some(found.number)
    };
    queries::forget(change.tx(), prompt.id, now - KEPT).await?;
    if queries::count_open(change.tx(), prompt.id, now).await? >= MOST_OPEN {
        let message =
            format!("This prompt has {MOST_OPEN} preview links. Revoke some before you make another.");
        return Err(ApiError::new(Code::Conflict, message));
    }
    let token = format!("xr2p_{}", random_token(32));
    let row = LinkRow {
        id: app.clock().new_id(),
        prompt: prompt.id,
        version,
        note: blank_to_none(input.note),
        created_by: change.actor().clone(),
        created_at: now,
        expires_at: now + TimeDelta::days(input.expires_in_days.unwrap_or(DAYS)),
    };
    queries::insert(change.tx(), &row, &token_hash(&token)).await?;
    let after = json!({ "slug": prompt.slug, "preview_link": row.id, "version": row.version,
        "draft": shows_draft, "expires_at": crate::clock::rfc3339(&row.expires_at) });
    let resource = Resource::new("prompt", prompt.id, &prompt.slug);
    change.record(NewEvent::new(EventType::PreviewLinkCreated, resource).after(after));
    change.commit().await?;
    // Behind the # it reaches no server and so no log.
    let url = format!("{}/preview#token={token}", app.config().base_url());
    Ok(NewPreviewLink { link: PreviewLink::of(row, now), url, token })
}

/// Links of a prompt that nobody has revoked, newest first.
pub(super) async fn list(app: &App, caller: &Access, name: &str) -> Result<Vec<PreviewLink>> {
    let now = app.clock().now();
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let prompt = access::existing(&mut tx, name, false).await?;
    let rows = queries::of_prompt(&mut tx, prompt.id, MOST_LISTED).await?;
    tx.commit().await?;
    Ok(rows.into_iter().map(|row| PreviewLink::of(row, now)).collect())
}

/// Ends a link. Prompts in the bin have none that opens, but theirs can be ended as well.
pub(super) async fn revoke(app: &App, caller: &Access, name: &str, id: &str) -> Result<()> {
    let missing = || ApiError::not_found("preview link");
    let mut change = Change::begin(app, caller).await?;
    let prompt = access::any(change.tx(), name, false).await?;
    let id: Uuid = id.parse().map_err(|_| missing())?;
    let now = app.clock().now();
    if !queries::revoke(change.tx(), prompt.id, id, now).await? {
        return Err(missing());
    }
    let resource = Resource::new("prompt", prompt.id, &prompt.slug);
    let after = json!({ "slug": prompt.slug, "preview_link": id });
    change.record(NewEvent::new(EventType::PreviewLinkRevoked, resource).after(after));
    change.commit().await?;
    Ok(())
}
