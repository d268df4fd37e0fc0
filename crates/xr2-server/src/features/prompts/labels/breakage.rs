//! A move must not leave prompts that include this one without a text that can be delivered.

use serde_json::json;
use xr2_prompt::Content;

use crate::error::{ApiError, Code, Result};
use crate::events::Change;
use crate::features::prompts::includes::{self, Dependent};
use crate::features::prompts::labels::{LabelMove, queries};
use crate::features::prompts::{desk, versions};

/// A prompt that a move would break, and how.
struct Broken {
    slug: String,
    reason: String,
}

/// 409 IN_USE when dependents could be delivered before the move (which is made already, in this transaction) and
/// cannot be any more.
pub(super) async fn check_dependents(
    change: &mut Change,
    to: &LabelMove<'_>,
    previous: Option<i64>,
    dependents: &[Dependent],
) -> Result<()> {
    // Where the label pointed nowhere nobody could be delivered with it.
    let Some(previous) = previous.filter(|_| !dependents.is_empty()) else { return Ok(()) };
    if !may_break(change, to).await? {
        return Ok(());
    }
    let after = broken(change, dependents).await?;
    if after.is_empty() {
        return Ok(());
    }
    // Whoever was broken before is no reason to refuse: the move may be on the way to mend it.
    set(change, to, previous).await?;
    let before = broken(change, dependents).await?;
    set(change, to, to.version).await?;
    let newly: Vec<Broken> =
        after.into_iter().filter(|one| before.iter().all(|other| other.slug != one.slug)).collect();
    match newly.first() {
        None => Ok(()),
        Some(first) => Err(refusal(&newly, first)),
    }
}

/// 409 IN_USE for a label that is to be taken off while others include the prompt by it.
pub(super) fn included_elsewhere(label: &str, dependents: &[Dependent]) -> ApiError {
    let slugs = sorted(dependents.iter().map(|dependent| dependent.slug.as_str()));
    let message = format!(
        "Without the label {label}, what includes it could not be delivered: {}. Take it off with force=true if you are sure.",
        slugs.join(", ")
    );
    ApiError::new(Code::InUse, message).with_details(json!({ "reasons": reasons_of(&slugs) }))
}

fn sorted<'a>(slugs: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut slugs: Vec<&str> = slugs.collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs
}

fn reasons_of(slugs: &[&str]) -> Vec<serde_json::Value> {
    slugs.iter().map(|slug| json!({ "kind": "included_by", "slug": slug })).collect()
}

fn refusal(broken: &[Broken], first: &Broken) -> ApiError {
    let slugs = sorted(broken.iter().map(|one| one.slug.as_str()));
    let message = format!(
        "This version would break what includes it: {}. In {}: {}",
        slugs.join(", "),
        first.slug,
        first.reason
    );
    ApiError::new(Code::InUse, message).with_details(json!({ "reasons": reasons_of(&slugs) }))
}

/// Only messages, and includes of its own, can make a version unfit for a place where another one fitted.
async fn may_break(change: &mut Change, to: &LabelMove<'_>) -> Result<bool> {
    let version = versions::queries::by_number(change.tx(), to.prompt, to.version).await?;
    Ok(version.is_some_and(|version| {
        matches!(version.source.content, Content::Chat(_)) || includes::has_includes(&version.source)
    }))
}

async fn broken(change: &mut Change, dependents: &[Dependent]) -> Result<Vec<Broken>> {
    let mut broken = Vec::new();
    // All of them are looked at before the next attempt, so that they are compiled in one go.
    let mut not_yet = None;
    for dependent in dependents {
        let found = versions::queries::by_number(change.tx(), dependent.id, dependent.version).await?;
        let Some(version) = found else { continue };
        match includes::check(change.tx(), Some(&dependent.slug), &version.source).await {
            Ok(_) => {}
            Err(error) if error.code == Code::Template => {
                broken.push(Broken { slug: dependent.slug.clone(), reason: error.message });
            }
            Err(error) if desk::is_not_yet(&error) => not_yet = Some(error),
            Err(error) => return Err(error),
        }
    }
    not_yet.map_or(Ok(broken), Err)
}

async fn set(change: &mut Change, to: &LabelMove<'_>, version: i64) -> Result<()> {
    let (now, by) = (change.app().clock().now(), change.actor().clone());
    queries::point(change.tx(), to.prompt, to.label, version, to.comment, &by, now).await?;
    Ok(())
}
