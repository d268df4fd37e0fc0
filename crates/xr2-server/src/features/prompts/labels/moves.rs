//! Moving a label: who may, what is kept of it, who is told.

use serde_json::json;
use uuid::Uuid;

use crate::auth::{Access, Right};
use crate::clock::Time;
use crate::error::{ApiError, Code, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::includes::{Dependent, dependents};
use crate::features::prompts::labels::breakage::{check_dependents, included_elsewhere};
use crate::features::prompts::labels::model::HistoryEntry;
use crate::features::prompts::labels::{LATEST, MoveAction, PRODUCTION, queries};
use crate::features::prompts::queries::lock_labels;

/// A label about to be moved on a prompt.
pub struct LabelMove<'a> {
    /// The prompt's id.
    pub prompt: Uuid,
    /// Its slug.
    pub slug: &'a str,
    /// The label.
    pub label: &'a str,
    /// Where to.
    pub version: i64,
    /// Why.
    pub comment: Option<&'a str>,
    /// Set when an old version was copied to make it live.
    pub restored: bool,
    /// Whether the prompt was made in this very change: then nobody depends on it and no label points at it yet.
    pub is_new: bool,
}

/// What a move came to.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// Where the label pointed before.
    pub previous: Option<i64>,
    /// When.
    pub at: Time,
}

/// Why a label may not be moved, if so: unknown label 404, else PUBLISH_BLOCKED or FORBIDDEN.
pub async fn check_move(
    change: &mut Change,
    access: &Access,
    label: &str,
    comment: Option<&str>,
) -> Result<()> {
    if label == LATEST {
        return Err(ApiError::invalid_field(
            "label",
            "reserved",
            "`latest` follows the newest version by itself",
        ));
    }
    let Some((protected, settings)) = queries::rules(change.tx(), label).await? else {
        return Err(ApiError::not_found(&format!("label \"{label}\"")));
    };
    let blocked = |message: String, reason: &str| {
        Err(ApiError::new(Code::PublishBlocked, message).with_details(json!({ "reason": reason })))
    };
    if !access.rights.has(Right::Publish) {
        return blocked("You may save versions, but not publish them.".into(), "not_allowed");
    }
    if protected && !access.rights.has(Right::Admin) {
        return blocked(
            format!("The label {label} is protected: only admins may move it."),
            "protected_label",
        );
    }
    if access.labels().is_some_and(|allowed| !allowed.iter().any(|one| one == label)) {
        return blocked(format!("This API key may not move the label {label}."), "label_not_allowed");
    }
    let needs_comment =
        settings.get("require_change_comment").and_then(serde_json::Value::as_bool) == Some(true);
    if needs_comment && comment.is_none_or(|text| text.trim().is_empty()) {
        return blocked("This workspace asks for a comment with every publish.".into(), "comment_required");
    }
    Ok(())
}

/// Moves the label and notes the event. Whether the caller may was checked before, with [`check_move`].
pub async fn move_label(change: &mut Change, to: LabelMove<'_>) -> Result<Moved> {
    if !to.is_new {
        // Who includes this prompt must not change until the commit.
        lock_labels(change.tx()).await?;
    }
    let previous =
        if to.is_new { None } else { queries::version_of(change.tx(), to.prompt, to.label).await? };
    let now = change.app().clock().now();
    if previous == Some(to.version) {
        return Ok(Moved { previous, at: now });
    }
    let by = change.actor().clone();
    queries::point(change.tx(), to.prompt, to.label, to.version, to.comment, &by, now).await?;
    let dependents =
        if to.is_new { Vec::new() } else { dependents(change.tx(), to.prompt, to.label).await? };
    check_dependents(change, &to, previous, &dependents).await?;
    let back = previous.is_some_and(|previous| previous > to.version);
    let action = match (to.restored, back) {
        (true, _) => MoveAction::Restored,
        (false, true) => MoveAction::RolledBack,
        (false, false) if to.label == PRODUCTION => MoveAction::Published,
        (false, false) => MoveAction::Moved,
    };
    keep(change, to.prompt, to.label, action, previous, Some(to.version), to.comment, now).await?;
    let kind = match action {
        MoveAction::RolledBack => EventType::PromptRolledBack,
        MoveAction::Published | MoveAction::Restored => EventType::PromptPublished,
        MoveAction::Moved | MoveAction::Removed => EventType::LabelMoved,
    };
    change.record(moved_event(kind, &to, previous, Some(to.version), &dependents));
    Ok(Moved { previous, at: now })
}

/// Takes the label off the prompt; 409 IN_USE while others include it by this label, unless forced.
pub async fn remove_label(
    change: &mut Change,
    prompt: Uuid,
    slug: &str,
    label: &str,
    force: bool,
) -> Result<Moved> {
    lock_labels(change.tx()).await?;
    let Some(previous) = queries::version_of(change.tx(), prompt, label).await? else {
        return Err(ApiError::not_found(&format!("label \"{label}\" on this prompt")));
    };
    let dependents = dependents(change.tx(), prompt, label).await?;
    if !force && !dependents.is_empty() {
        return Err(included_elsewhere(label, &dependents));
    }
    queries::unpoint(change.tx(), prompt, label).await?;
    let now = change.app().clock().now();
    keep(change, prompt, label, MoveAction::Removed, Some(previous), None, None, now).await?;
    let off = LabelMove { prompt, slug, label, version: 0, comment: None, restored: false, is_new: false };
    change.record(moved_event(EventType::LabelMoved, &off, Some(previous), None, &dependents));
    Ok(Moved { previous: Some(previous), at: now })
}

#[expect(clippy::too_many_arguments, reason = "one row of the history, put together in one place")]
async fn keep(
    change: &mut Change,
    prompt: Uuid,
    label: &str,
    action: MoveAction,
    from_version: Option<i64>,
    to_version: Option<i64>,
    comment: Option<&str>,
    moved_at: Time,
) -> Result<()> {
    let entry = HistoryEntry {
        id: change.app().clock().new_id(),
        label: label.to_owned(),
        action: action.as_str().to_owned(),
        from_version,
        to_version,
        moved_by: change.actor().clone(),
        moved_at,
        comment: comment.map(str::to_owned),
    };
    queries::insert_move(change.tx(), prompt, &entry).await?;
    Ok(())
}

/// What is told of a label that a prompt brought along.
pub fn arrived_event(kind: EventType, prompt: Uuid, slug: &str, label: &str, version: i64) -> NewEvent {
    let to = LabelMove { prompt, slug, label, version, comment: None, restored: false, is_new: true };
    moved_event(kind, &to, None, Some(version), &[])
}

fn moved_event(
    kind: EventType,
    to: &LabelMove<'_>,
    previous: Option<i64>,
    version: Option<i64>,
    dependents: &[Dependent],
) -> NewEvent {
    NewEvent::new(kind, Resource::new("prompt", to.prompt, to.slug))
        .before(json!({ "label": to.label, "version": previous }))
        .after(json!({
            "slug": to.slug,
            "label": to.label,
            "version": version,
            "previous_version": previous,
            "comment": to.comment,
            "dependents": dependents,
        }))
}
