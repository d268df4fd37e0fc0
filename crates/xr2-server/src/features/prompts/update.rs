//! Changing a prompt.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::folders;
use crate::features::prompts::create::taken;
use crate::features::prompts::desk::compiled_beside;
use crate::features::prompts::dto::{self, UpdatePrompt};
use crate::features::prompts::entity::Can;
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::names::check_slug;
use crate::features::prompts::publish::{
    NewVersion, Publishing, Saved, add_version, check_base, labels_at, may_publish,
};
use crate::features::prompts::source::Source;
use crate::features::prompts::versions::{self, Version, VersionRow};
use crate::features::prompts::{PromptRow, access, bin, drafts, includes, queries, read};
use crate::state::App;

/// Applies `input`: facts of the prompt, and a new version if content, variables or config change.
pub async fn update(app: &App, access: &Access, name: &str, input: UpdatePrompt) -> Result<Saved> {
    compiled_beside(|| update_once(app, access, name, &input)).await
}

async fn update_once(app: &App, access: &Access, name: &str, input: &UpdatePrompt) -> Result<Saved> {
    let mut change = Change::begin(app, access).await?;
    let row = match input.is_active {
        // Out of the archive before all else, into it after all else: in it nothing can be changed.
        Some(true) => {
            let row = access::existing(change.tx(), name, true).await?;
            set_archived(&mut change, row, false).await?
        }
        _ => access::editable(change.tx(), name).await?,
    };
    let newest = versions::queries::newest(change.tx(), row.id, drafts::MAIN).await?;
    check_base(input.base_version, newest.as_ref())?;
    let folders = match &input.folder_ids {
        Some(asked) => Some(folders::check_ids(change.tx(), asked).await?),
        None => None,
    };
    let (facts, source) = check(input, &row, newest.as_ref(), folders)?;

    let comment = dto::blank_to_none(input.change_summary.clone());
    let changed = source.filter(|source| newest.as_ref().is_none_or(|newest| newest.source != *source));
    let publishing = if changed.is_some() || input.publish == Some(true) {
        may_publish(&mut change, access, PRODUCTION, input.publish, comment.as_deref()).await?
    } else {
        Publishing::No
    };
    let row = save_facts(&mut change, row, facts).await?;
    let (row, version) = match changed {
        Some(source) => {
            let before = newest.as_ref().map(|newest| &newest.source);
            let summary = comment.clone().unwrap_or_else(|| source.summary_since(before));
            let parent = newest.as_ref().map(|newest| newest.number);
            let new = NewVersion { branch: drafts::MAIN.to_owned(), origin: "author", summary, parent };
            let (row, version) = add_version(&mut change, row, source, new).await?;
            (row, Some(version))
        }
        None => (row, None),
    };
    let live = version.as_ref().or(newest.as_ref()).filter(|_| publishing.is_go());
    if let Some(version) = live {
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
    let row = if input.is_active == Some(false) { set_archived(&mut change, row, true).await? } else { row };
    let prompt = read::entity(change.tx(), row, Can::of(access)).await?;
    change.commit().await?;
    let version = version.map(|version| {
        let labels = labels_at(&prompt, version.number);
        Version::of(version, labels)
    });
    Ok(Saved { prompt, version, published: publishing.is_go(), publish_blocked: publishing.blocked() })
}

/// Facts of a prompt that are not versioned.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) slug: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<Option<String>>,
    pub(super) category: Option<Option<String>>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) metadata: Option<serde_json::Value>,
    pub(super) folders: Option<Vec<Uuid>>,
}

fn check(
    input: &UpdatePrompt,
    row: &PromptRow,
    newest: Option<&VersionRow>,
    folders: Option<std::result::Result<Vec<Uuid>, Vec<FieldProblem>>>,
) -> Result<(Facts, Option<Source>)> {
    let mut problems = Vec::new();
    let folders = folders.map(|found| {
        found.unwrap_or_else(|wrong| {
            problems.extend(wrong);
            Vec::new()
        })
    });
    let slug = input.slug.clone().filter(|slug| *slug != row.slug);
    problems.extend(slug.as_deref().and_then(check_slug));
    let source_input = input.source();
    let source = if source_input.is_empty() {
        None
    } else {
        Some(source_input.read(newest.map(|newest| &newest.source), true, &mut problems))
    };
    let facts = Facts {
        slug,
        title: input.title.clone().or(input.name.clone()).map(|title| title.trim().to_owned()),
        description: input.description.clone().map(dto::blank_to_none),
        category: input.category.clone().map(dto::blank_to_none),
        tags: dto::read_tags(input.tags.clone(), &mut problems),
        metadata: dto::read_metadata(input.metadata.clone(), &mut problems),
        folders,
    };
    if problems.is_empty() { Ok((facts, source)) } else { Err(ApiError::validation(problems)) }
}

/// Writes what differs, and tells of it.
pub(super) async fn save_facts(change: &mut Change, mut row: PromptRow, facts: Facts) -> Result<PromptRow> {
    let before = row.clone();
    let now = change.app().clock().now();
    if let Some(slug) = facts.slug {
        if queries::slug_owner(change.tx(), &slug).await?.is_some_and(|owner| owner != row.id) {
            return Err(taken(&slug));
        }
        if !queries::set_slug(change.tx(), row.id, &slug, false, now).await? {
            return Err(taken(&slug));
        }
        row.slug = slug;
    }
    row.title = facts.title.unwrap_or(row.title);
    row.description = facts.description.unwrap_or(row.description);
    row.category = facts.category.unwrap_or(row.category);
    row.metadata = facts.metadata.unwrap_or(row.metadata);
    if let Some(tags) = facts.tags.filter(|tags| *tags != row.tags) {
        queries::set_tags(change.tx(), row.id, &tags, false).await?;
        row.tags = tags;
    }
    let stood = match &facts.folders {
        Some(_) => folders::of_prompts(change.tx(), &[row.id]).await?.remove(&row.id).unwrap_or_default(),
        None => Vec::new(),
    };
    let stands = facts.folders.unwrap_or_default();
    keep_facts_and_folders(change, &before, row, None, (&stood, &stands)).await
}

/// Saves the row if its facts are others than `before`, and notes what changed. `labels`: where they point, when the
/// caller knows it.
pub async fn keep_facts(
    change: &mut Change,
    before: &PromptRow,
    row: PromptRow,
    labels: Option<Value>,
) -> Result<PromptRow> {
    keep_facts_and_folders(change, before, row, labels, (&[], &[])).await
}

/// The same, and moves the prompt from the folders it stood in to those it is to stand in; see
/// [`folders::check_ids`].
pub async fn keep_facts_and_folders(
    change: &mut Change,
    before: &PromptRow,
    mut row: PromptRow,
    labels: Option<Value>,
    (stood, stands): (&[Uuid], &[Uuid]),
) -> Result<PromptRow> {
    folders::put_prompt(change.tx(), row.id, stood, stands).await?;
    let (mut was, mut after) = (told(before), told(&row));
    if stood != stands {
        was["folder_ids"] = json!(stood);
        after["folder_ids"] = json!(stands);
    }
    if was == after {
        return Ok(row);
    }
    row.updated_at = change.app().clock().now();
    row.updated_by = change.actor().clone();
    queries::save(change.tx(), &row).await?;
    let delivered = |row: &PromptRow| (row.slug.clone(), row.title.clone(), row.tags.clone());
    if delivered(before) == delivered(&row) {
        let event = NewEvent::new(EventType::PromptEdited, Resource::new("prompt", row.id, &row.slug));
        change.record(event.before(was).after(after));
        return Ok(row);
    }
    after["labels"] = match labels {
        Some(labels) => labels,
        None => bin::labels_of(change, &row).await?,
    };
    if before.slug != row.slug {
        let dependents = includes::all_dependents(change.tx(), row.id).await?;
        after["dependents"] = json!(dependents);
    }
    change.record(
        NewEvent::new(EventType::PromptUpdated, Resource::new("prompt", row.id, &row.slug))
            .before(was)
            .after(after),
    );
    Ok(row)
}

/// What events tell of the facts of a prompt.
fn told(row: &PromptRow) -> Value {
    json!({
        "slug": row.slug, "title": row.title, "description": row.description, "category": row.category,
        "tags": row.tags, "metadata": row.metadata,
    })
}

/// Archives, or takes out of the archive.
pub async fn set_active(app: &App, access: &Access, name: &str, active: bool) -> Result<Saved> {
    let mut change = Change::begin(app, access).await?;
    let row = access::existing(change.tx(), name, true).await?;
    let row = set_archived(&mut change, row, !active).await?;
    let prompt = read::entity(change.tx(), row, Can::of(access)).await?;
    change.commit().await?;
    Ok(Saved { prompt, version: None, published: false, publish_blocked: None })
}

/// Archives, or takes out of the archive, as part of a larger change.
pub async fn set_archived(change: &mut Change, mut row: PromptRow, archived: bool) -> Result<PromptRow> {
    if row.archived == archived {
        return Ok(row);
    }
    row.archived = archived;
    row.updated_at = change.app().clock().now();
    row.updated_by = change.actor().clone();
    queries::save(change.tx(), &row).await?;
    let kind = if archived { EventType::PromptArchived } else { EventType::PromptUnarchived };
    change.record(
        NewEvent::new(kind, Resource::new("prompt", row.id, &row.slug))
            .before(json!({ "archived": !archived }))
            .after(json!({ "archived": archived, "slug": row.slug })),
    );
    Ok(row)
}
