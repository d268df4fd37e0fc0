//! A move must not leave prompts that include this one without a text that can be delivered.

use serde_json::json;
use xr2_prompt::Content;

use crate::error::{ApiError, Code, Result};
use crate::events::Change;
use crate::features::prompts::includes::{self, Dependent};
use crate::features::prompts::labels::{LabelMove, queries};
use crate::features::prompts::versions;

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

fn refusal(broken: &[Broken], first: &Broken) -> ApiError {
    let mut slugs: Vec<&str> = broken.iter().map(|one| one.slug.as_str()).collect();
    slugs.sort_unstable();
    slugs.dedup();
    let reasons: Vec<_> = slugs.iter().map(|slug| json!({ "kind": "included_by", "slug": slug })).collect();
    let message = format!(
        "This version would break what includes it: {}. In {}: {}",
        slugs.join(", "),
        first.slug,
        first.reason
    );
    ApiError::new(Code::InUse, message).with_details(json!({ "reasons": reasons }))
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
    for dependent in dependents {
        let found = versions::queries::by_number(change.tx(), dependent.id, dependent.version).await?;
        let Some(version) = found else { continue };
        match includes::check(change.tx(), Some(&dependent.slug), &version.source).await {
            Ok(_) => {}
            Err(error) if error.code == Code::Template => {
                broken.push(Broken { slug: dependent.slug.clone(), reason: error.message });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(broken)
}

async fn set(change: &mut Change, to: &LabelMove<'_>, version: i64) -> Result<()> {
    let (now, by) = (change.app().clock().now(), change.actor().clone());
    queries::point(change.tx(), to.prompt, to.label, version, to.comment, &by, now).await?;
    Ok(())
}
