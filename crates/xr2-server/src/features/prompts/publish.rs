//! Making a version live, and whether one may.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use xr2_prompt::excerpt;

use crate::auth::{Access, Right};
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::prompts::create::EXCERPT;
use crate::features::prompts::desk::{self, compiled_beside};
use crate::features::prompts::entity::{Can, Prompt};
use crate::features::prompts::includes::IncludedPrompt;
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::source::Source;
use crate::features::prompts::versions::{self, Version, VersionRow};
use crate::features::prompts::{PromptRow, access, drafts, dto, includes, queries, read};
use crate::state::App;

/// Answer of POST and PUT: the entity, and what became of the change.
#[derive(Debug, Serialize, ToSchema)]
pub struct Saved {
    /// The entity.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// The new version; null when nothing that makes one changed.
    pub version: Option<Version>,
    /// Whether `production` points at the newest version now because of this request.
    pub published: bool,
    /// Why it was saved without being published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_blocked: Option<Blocked>,
}

/// Why something was not published.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Blocked {
    /// `not_allowed`, `protected_label` or `comment_required`.
    pub code: String,
    /// In plain words.
    pub message: String,
}

/// Whether a save also publishes.
pub enum Publishing {
    /// Yes.
    Go,
    /// Nobody asked for it.
    No,
    /// A rule forbids it and the request did not insist.
    Blocked(Blocked),
}

impl Publishing {
    /// Whether to publish.
    pub fn is_go(&self) -> bool {
        matches!(self, Publishing::Go)
    }

    /// Why not, for the answer.
    pub fn blocked(self) -> Option<Blocked> {
        match self {
            Publishing::Blocked(blocked) => Some(blocked),
            Publishing::Go | Publishing::No => None,
        }
    }
}

/// Decides: `asked` absent means "if I may"; given and forbidden is 403 and nothing is saved.
pub async fn may_publish(
    change: &mut Change,
    access: &Access,
    label: &str,
    asked: Option<bool>,
    comment: Option<&str>,
) -> Result<Publishing> {
    if asked == Some(false) {
        return Ok(Publishing::No);
    }
    match labels::check_move(change, access, label, comment).await {
        Ok(()) => Ok(Publishing::Go),
        Err(error) if error.code == Code::PublishBlocked && asked.is_none() => {
            let code = error
                .details
                .as_ref()
                .and_then(|d| d.get("reason")?.as_str())
                .unwrap_or("not_allowed")
                .to_owned();
            Ok(Publishing::Blocked(Blocked { code, message: error.message }))
        }
        Err(error) => Err(error),
    }
}

/// What is to be published.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum From {
    /// A version's number.
    Number(i64),
    /// `draft`, or a number as text.
    Word(String),
}

/// A request to publish.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// `"draft"` or the number of a version.
    #[schema(value_type = Value, example = "draft")]
    pub from: From,
    /// The draft's branch; `main` when absent.
    #[schema(max_length = 100)]
    pub branch: Option<String>,
    /// The label to move; `production` when absent.
    #[schema(max_length = 50)]
    pub label: Option<String>,
    /// Why; stands in the label's history.
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
    /// The newest version of the branch as you know it.
    pub base_version: Option<i64>,
    /// The draft's revision as you saw it: one that somebody saved since is not published unseen.
    pub draft_revision: Option<i64>,
    /// What changed; for the version made from the draft.
    #[schema(max_length = 1000)]
    pub change_summary: Option<String>,
}

/// What a publish came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Published {
    /// The entity.
    pub prompt: Prompt,
    /// The version that is live now.
    pub version: Version,
    /// The label that was moved.
    pub label: String,
    /// What it pointed at before.
    pub previous_version: Option<i64>,
}

/// Publishes a draft or a version. `freeze`: every include is pinned to the version it has now.
pub async fn publish(
    app: &App,
    access: &Access,
    name: &str,
    input: Publish,
    freeze: bool,
) -> Result<Published> {
    if freeze || matches!(&input.from, From::Word(word) if word == "draft") {
        // Both make a version.
        access.require(Right::Write)?;
    }
    compiled_beside(|| publish_once(app, access, name, &input, freeze)).await
}

async fn publish_once(
    app: &App,
    access: &Access,
    name: &str,
    input: &Publish,
    freeze: bool,
) -> Result<Published> {
    let label = input.label.clone().unwrap_or_else(|| PRODUCTION.to_owned());
    let comment = dto::blank_to_none(input.comment.clone());
    let mut change = Change::begin(app, access).await?;
    let row = access::editable(change.tx(), name).await?;
    let reason = comment.clone().or_else(|| dto::blank_to_none(input.change_summary.clone()));
    labels::check_move(&mut change, access, &label, reason.as_deref()).await?;
    let (row, version) = match &input.from {
        From::Number(number) => existing_version(&mut change, row, *number, input, freeze).await?,
        From::Word(word) if word == "draft" => from_draft(&mut change, row, input, freeze).await?,
        From::Word(word) => match word.parse() {
            Ok(number) => existing_version(&mut change, row, number, input, freeze).await?,
            Err(_) => {
                return Err(ApiError::invalid_field(
                    "from",
                    "invalid",
                    "must be \"draft\" or the number of a version",
                ));
            }
        },
    };
    let to = LabelMove {
        prompt: row.id,
        slug: &row.slug,
        label: &label,
        version: version.number,
        comment: comment.as_deref(),
        restored: false,
        is_new: false,
    };
    let moved = labels::move_label(&mut change, to).await?;
    finish(change, access, row, version, label, moved.previous).await
}

/// Reads the entity back, commits, and puts the answer together.
pub async fn finish(
    mut change: Change,
    access: &Access,
    row: PromptRow,
    version: VersionRow,
    label: String,
    previous_version: Option<i64>,
) -> Result<Published> {
    let prompt = read::entity(change.tx(), row, Can::of(access)).await?;
    change.commit().await?;
    let labels = labels_at(&prompt, version.number);
    let mut published = Published { prompt, version: Version::of(version, labels), label, previous_version };
    if !access.rights.has(Right::Read) {
        // Whoever may publish but not read is told what happened, not what it says.
        published.version.content = None;
        published.version.messages = None;
        published.prompt.excerpt.clear();
    }
    Ok(published)
}

/// Labels of the entity that point at a version.
pub fn labels_at(prompt: &Prompt, number: i64) -> Vec<String> {
    prompt.labels.iter().filter(|(_, version)| **version == number).map(|(label, _)| label.clone()).collect()
}

async fn existing_version(
    change: &mut Change,
    row: PromptRow,
    number: i64,
    input: &Publish,
    freeze: bool,
) -> Result<(PromptRow, VersionRow)> {
    let Some(version) = versions::queries::by_number(change.tx(), row.id, number).await? else {
        return Err(ApiError::not_found(&format!("version {number}")));
    };
    if input.base_version.is_some() {
        let newest = versions::queries::newest(change.tx(), row.id, &version.branch).await?;
        check_base(input.base_version, newest.as_ref())?;
    }
    // It compiled when it was saved; what it includes may have changed since.
    includes::check(change.tx(), Some(&row.slug), &version.source).await?;
    if freeze && includes::has_includes(&version.source) {
        let frozen = freeze_source(change, &version.source).await?;
        let summary = format!("Version {number} with its snippets pinned");
        let facts =
            NewVersion { branch: version.branch.clone(), origin: "freeze", summary, parent: Some(number) };
        return add_version(change, row, frozen, facts).await;
    }
    Ok((row, version))
}

async fn from_draft(
    change: &mut Change,
    row: PromptRow,
    input: &Publish,
    freeze: bool,
) -> Result<(PromptRow, VersionRow)> {
    let branch = input.branch.clone().unwrap_or_else(|| drafts::MAIN.to_owned());
    let Some(draft) = drafts::queries::find(change.tx(), row.id, &branch).await? else {
        return Err(ApiError::not_found("draft"));
    };
    let newest = versions::queries::newest(change.tx(), row.id, &branch).await?;
    if input.draft_revision.is_some_and(|seen| seen != draft.revision) {
        let newest = newest.as_ref().map_or(row.latest_version, |newest| newest.number);
        return Err(drafts::stale(change.tx(), &row.slug, Some(draft), newest).await?);
    }
    check_base(input.base_version.or(Some(draft.base_version)), newest.as_ref())?;
    let mut problems: Vec<FieldProblem> = Vec::new();
    problems
        .extend(draft.source.content.problems().into_iter().map(crate::features::prompts::source::of_engine));
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    let source = if freeze { freeze_source(change, &draft.source).await? } else { draft.source };
    let summary = dto::blank_to_none(input.change_summary.clone())
        .unwrap_or_else(|| source.summary_since(newest.as_ref().map(|newest| &newest.source)));
    drafts::queries::delete(change.tx(), row.id, &branch).await?;
    if let Some(newest) = newest.filter(|newest| newest.source == source) {
        // The draft says what the newest version says: nothing new to keep.
        change.record(
            NewEvent::new(EventType::DraftDiscarded, Resource::new("prompt", row.id, &row.slug))
                .before(json!({ "branch": branch, "revision": draft.revision })),
        );
        return Ok((row, newest));
    }
    let facts = NewVersion { branch, origin: "author", summary, parent: Some(draft.base_version) };
    add_version(change, row, source, facts).await
}

/// Facts of a version about to be made.
pub struct NewVersion {
    /// Its line.
    pub branch: String,
    /// Why it is made.
    pub origin: &'static str,
    /// What changed.
    pub summary: String,
    /// The version it comes from.
    pub parent: Option<i64>,
}

/// Checks `source`, adds it as the next version and saves the prompt's row.
pub async fn add_version(
    change: &mut Change,
    mut row: PromptRow,
    source: Source,
    facts: NewVersion,
) -> Result<(PromptRow, VersionRow)> {
    source.check_size(change.app().config().limits.content_bytes)?;
    let included: Vec<IncludedPrompt> = includes::check(change.tx(), Some(&row.slug), &source).await?;
    let clock = change.app().clock().clone();
    let number = row.last_number + 1;
    row.last_number = number;
    if facts.branch == drafts::MAIN {
        row.latest_version = number;
        row.kind = source.content.prompt_type().as_str().to_owned();
        row.syntax = source.syntax.as_str().to_owned();
        row.excerpt = excerpt(&source.content, EXCERPT);
    }
    row.updated_at = clock.now();
    row.updated_by = change.actor().clone();
    let version = VersionRow {
        id: clock.new_id(),
        number,
        parent: facts.parent,
        branch: facts.branch,
        origin: facts.origin.to_owned(),
        source,
        change_summary: facts.summary,
        created_by: change.actor().clone(),
        created_at: clock.now(),
    };
    versions::queries::insert(change.tx(), row.id, &version).await?;
    versions::queries::insert_includes(change.tx(), row.id, number, &included).await?;
    queries::save(change.tx(), &row).await?;
    if version.branch == drafts::MAIN {
        queries::set_searched_content(change.tx(), row.id, &version.source.content).await?;
    }
    let dependents = if version.branch == drafts::MAIN {
        includes::dependents(change.tx(), row.id, labels::LATEST).await?
    } else {
        Vec::new()
    };
    change.record(
        NewEvent::new(EventType::VersionCreated, Resource::new("prompt", row.id, &row.slug)).after(json!({
            "slug": row.slug,
            "version": number,
            "branch": version.branch,
            "change_summary": version.change_summary,
            "dependents": dependents,
        })),
    );
    Ok((row, version))
}

/// 409 when somebody saved a newer version than the one the caller started from.
pub fn check_base(base: Option<i64>, newest: Option<&VersionRow>) -> Result<()> {
    let (Some(base), Some(newest)) = (base, newest) else { return Ok(()) };
    if base == newest.number {
        return Ok(());
    }
    let message = format!(
        "{} saved version {} meanwhile ({}). Nothing of yours was saved; look at the difference and try again.",
        newest.created_by.name, newest.number, newest.change_summary
    );
    Err(ApiError::new(Code::VersionConflict, message).with_details(json!({
        "base_version": base,
        "current_version": newest.number,
        "changed_by": newest.created_by,
        "changed_at": crate::clock::rfc3339(&newest.created_at),
        "change_summary": newest.change_summary,
    })))
}

/// The source with every include pinned to the version it is resolved to now. A snippet that includes others cannot be
/// pinned from outside, so then the whole is written in line.
async fn freeze_source(change: &mut Change, source: &Source) -> Result<Source> {
    let snippets = includes::resolve_snippets(change.tx(), source).await?;
    if snippets.are_flat() {
        let content = xr2_prompt::pin_includes(&source.content, source.syntax, &mut |target| {
            snippets.resolve(target).map(|snippet| snippet.version)
        })
        .map_err(|error| crate::features::prompts::source::template_error(&error))?;
        return Ok(Source { content, ..source.clone() });
    }
    let compiled = desk::compiled(None, source, &snippets)?;
    // What the snippets declared comes along: their defaults and types go on holding.
    let declared =
        compiled.variables().iter().map(|variable| variable.spec.clone()).filter(|spec| !spec.discovered);
    let contract = xr2_prompt::Contract::of(declared.collect());
    Ok(Source { content: compiled.template_form().clone(), contract, ..source.clone() })
}
