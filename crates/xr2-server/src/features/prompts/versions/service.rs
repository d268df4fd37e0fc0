//! Saving and restoring versions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::Change;
use crate::features::prompts::desk::compiled_beside;
use crate::features::prompts::dto::{CreateVersion, blank_to_none};
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::publish::{
    Blocked, NewVersion, Published, add_version, check_base, finish, labels_at, may_publish,
};
use crate::features::prompts::versions::{Version, queries};
use crate::features::prompts::{access, drafts, read};
use crate::state::App;

/// Answer to a saved version.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewVersionAnswer {
    /// The version.
    #[serde(flatten)]
    pub version: Version,
    /// Whether it is live.
    pub published: bool,
    /// Why it is not, although that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_blocked: Option<Blocked>,
    /// The entity.
    pub prompt: Prompt,
}

/// Saves a version; live only when asked for.
pub async fn create(
    app: &App,
    caller: &Access,
    name: &str,
    input: CreateVersion,
) -> Result<NewVersionAnswer> {
    let branch = input.branch.clone().unwrap_or_else(|| drafts::MAIN.to_owned());
    if !drafts::is_branch(&branch) {
        return Err(ApiError::invalid_field(
            "branch",
            "invalid",
            "must be 1 to 100 letters, digits, or any of - _ . /",
        ));
    }
    compiled_beside(|| create_once(app, caller, name, &branch, input.clone())).await
}

async fn create_once(
    app: &App,
    caller: &Access,
    name: &str,
    branch: &str,
    input: CreateVersion,
) -> Result<NewVersionAnswer> {
    let mut change = Change::begin(app, caller).await?;
    let row = access::editable(change.tx(), name).await?;
    let newest = queries::newest(change.tx(), row.id, branch).await?;
    check_base(input.base_version, newest.as_ref())?;
    let from = match &newest {
        Some(newest) => Some(newest.clone()),
        // A new branch begins at the newest version of main.
        None => queries::newest(change.tx(), row.id, drafts::MAIN).await?,
    };
    let mut problems = Vec::new();
    let source = input.source().read(from.as_ref().map(|from| &from.source), true, &mut problems);
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    let comment = blank_to_none(input.change_summary.clone());
    let asked = Some(input.publish.unwrap_or(false));
    let publishing = may_publish(&mut change, caller, PRODUCTION, asked, comment.as_deref()).await?;
    let before = from.as_ref().map(|from| &from.source);
    let summary = comment.clone().unwrap_or_else(|| source.summary_since(before));
    let new = NewVersion {
        branch: branch.to_owned(),
        origin: "author",
        summary,
        parent: from.map(|from| from.number),
    };
    let (row, version) = add_version(&mut change, row, source, new).await?;
    if publishing.is_go() {
        let to = LabelMove {
            prompt: row.id,
            slug: &row.slug,
            label: PRODUCTION,
            version: version.number,
            comment: comment.as_deref(),
            restored: false,
            is_new: false,
        };
        labels::move_label(&mut change, to).await?;
    }
    let prompt = read::entity(change.tx(), row, Can::of(caller)).await?;
    change.commit().await?;
    let labels = labels_at(&prompt, version.number);
    Ok(NewVersionAnswer {
        version: Version::of(version, labels),
        published: publishing.is_go(),
        publish_blocked: publishing.blocked(),
        prompt,
    })
}

/// Why a version is restored.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// Stands in the label's history.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
}

/// Copies an old version as a new one and makes it live.
pub async fn restore(
    app: &App,
    caller: &Access,
    name: &str,
    version: &str,
    input: Restore,
) -> Result<Published> {
    let comment = blank_to_none(input.comment);
    compiled_beside(|| restore_once(app, caller, name, version, comment.clone())).await
}

async fn restore_once(
    app: &App,
    caller: &Access,
    name: &str,
    version: &str,
    comment: Option<String>,
) -> Result<Published> {
    let mut change = Change::begin(app, caller).await?;
    let row = access::editable(change.tx(), name).await?;
    let Some(old) = queries::find(change.tx(), row.id, version).await? else {
        return Err(ApiError::not_found(&format!("version {}", access::shorten(version))));
    };
    let summary = format!("Restored from version {}", old.number);
    let reason = comment.clone().unwrap_or_else(|| summary.clone());
    labels::check_move(&mut change, caller, PRODUCTION, Some(&reason)).await?;
    let new =
        NewVersion { branch: drafts::MAIN.to_owned(), origin: "restore", summary, parent: Some(old.number) };
    let (row, version) = add_version(&mut change, row, old.source, new).await?;
    let to = LabelMove {
        prompt: row.id,
        slug: &row.slug,
        label: PRODUCTION,
        version: version.number,
        comment: comment.as_deref(),
        restored: true,
        is_new: false,
    };
    let moved = labels::move_label(&mut change, to).await?;
    finish(change, caller, row, version, PRODUCTION.to_owned(), moved.previous).await
}
