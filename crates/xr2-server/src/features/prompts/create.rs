//! Making a prompt.

use uuid::Uuid;
use xr2_prompt::excerpt;

use crate::auth::Access;
use crate::error::{ApiError, Code, FieldProblem, Result};
use crate::events::{Change, EventType, NewEvent, Resource};
use crate::features::folders;
use crate::features::prompts::desk::compiled_beside;
use crate::features::prompts::dto::{self, CreatePrompt};
use crate::features::prompts::entity::{Beside, Can, LabelPointer, Prompt};
use crate::features::prompts::labels::{self, LabelMove, PRODUCTION};
use crate::features::prompts::names::{check_slug, slugify};
use crate::features::prompts::publish::{Saved, may_publish};
use crate::features::prompts::source::Source;
use crate::features::prompts::versions::{self, Version, VersionRow};
use crate::features::prompts::{PromptRow, drafts, includes, queries};
use crate::state::App;

/// Characters of the excerpt in lists.
pub const EXCERPT: usize = 160;

/// `slug`, `slug-2` … up to this, then a random ending.
const MAX_SLUG_TRIES: usize = 20;

/// A prompt about to be made, checked.
#[derive(Debug, Clone)]
pub struct NewPrompt {
    /// What people call it.
    pub title: String,
    /// How programs call it; from the title when none.
    pub slug: Option<String>,
    /// Its substance.
    pub source: Source,
    /// What it is for.
    pub description: Option<String>,
    /// One word to sort by.
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Free JSON object.
    pub metadata: serde_json::Value,
    /// Folders it stands in.
    pub folder_ids: Vec<Uuid>,
    /// What changed.
    pub change_summary: Option<String>,
    /// Whether it goes live at once.
    pub publish: Option<bool>,
    /// Why the version is made: `author`, `import`, `demo`, `duplicate`.
    pub origin: &'static str,
}

impl NewPrompt {
    /// Reads and checks a request; all problems at once.
    pub fn read(input: CreatePrompt) -> Result<NewPrompt> {
        NewPrompt::read_with(input, Vec::new())
    }

    /// The same, with what is wrong with it already.
    fn read_with(input: CreatePrompt, mut problems: Vec<FieldProblem>) -> Result<NewPrompt> {
        let source = input.source().read(None, true, &mut problems);
        let title = input.title.or(input.name).map(|title| title.trim().to_owned()).unwrap_or_default();
        if title.is_empty() {
            problems.push(FieldProblem::new("title", "required", "is required"));
        }
        problems.extend(input.slug.as_deref().and_then(check_slug));
        let tags = dto::read_tags(input.tags, &mut problems).unwrap_or_default();
        let metadata = dto::read_metadata(input.metadata, &mut problems)
            .unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()));
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        Ok(NewPrompt {
            title,
            slug: input.slug,
            source,
            description: dto::blank_to_none(input.description),
            category: dto::blank_to_none(input.category),
            tags,
            metadata,
            folder_ids: input.folder_ids.unwrap_or_default(),
            change_summary: dto::blank_to_none(input.change_summary),
            publish: input.publish,
            origin: "author",
        })
    }
}

impl NewPrompt {
    /// Holds a prompt that did not come through the API to the same limits.
    pub fn checked(mut self) -> Result<NewPrompt> {
        let mut problems = Vec::new();
        dto::check_lengths(self.description.as_deref(), self.category.as_deref(), &mut problems);
        self.tags = dto::read_tags(Some(self.tags), &mut problems).unwrap_or_default();
        dto::read_metadata(Some(self.metadata.clone()), &mut problems);
        if problems.is_empty() { Ok(self) } else { Err(ApiError::validation(problems)) }
    }
}

/// Reads and checks a request against what is there; all problems at once.
pub async fn read(app: &App, access: &Access, input: CreatePrompt) -> Result<NewPrompt> {
    let problems = folders::unknown(app, access, input.folder_ids.as_deref().unwrap_or_default()).await?;
    NewPrompt::read_with(input, problems)
}

/// Makes a prompt with its first version, in a change of its own.
pub async fn create(app: &App, access: &Access, new: NewPrompt) -> Result<Saved> {
    new.source.check_size(app.config().limits.content_bytes)?;
    let simple = !includes::has_includes(&new.source);
    if !simple {
        return compiled_beside(|| in_a_change(app, access, new.clone(), true)).await;
    }
    // Compiled before the transaction: the one writer waits for nothing but SQL.
    includes::compile_with(new.slug.as_deref(), &new.source, &includes::Snippets::default())?;
    in_a_change(app, access, new, false).await
}

async fn in_a_change(app: &App, access: &Access, new: NewPrompt, check_includes: bool) -> Result<Saved> {
    let mut change = Change::begin(app, access).await?;
    let saved = create_in(&mut change, access, new, check_includes).await?;
    change.commit().await?;
    Ok(saved)
}

/// Makes a prompt as part of a larger change. `check_includes`: the source includes others and is still to be checked.
pub async fn create_in(
    change: &mut Change,
    access: &Access,
    new: NewPrompt,
    check_includes: bool,
) -> Result<Saved> {
    let clock = change.app().clock().clone();
    let (now, actor) = (clock.now(), change.actor().clone());
    let asked = new.slug.is_some();
    let mut slug = new.slug.unwrap_or_else(|| slugify(&new.title));
    let included = if check_includes {
        if !asked {
            // What it includes may be the very prompt whose name it would have.
            slug = free_slug(change, &slug).await?;
        }
        includes::check(change.tx(), Some(&slug), &new.source).await?
    } else {
        Vec::new()
    };
    let publishing =
        may_publish(change, access, PRODUCTION, new.publish, new.change_summary.as_deref()).await?;
    let mut row = PromptRow {
        id: clock.new_id(),
        slug,
        title: new.title,
        description: new.description,
        kind: new.source.content.prompt_type().as_str().to_owned(),
        syntax: new.source.syntax.as_str().to_owned(),
        category: new.category,
        tags: new.tags,
        metadata: new.metadata,
        excerpt: excerpt(&new.source.content, EXCERPT),
        archived: false,
        last_number: 1,
        latest_version: 1,
        deleted_at: None,
        deleted_by: None,
        created_by: actor.clone(),
        created_at: now,
        updated_by: actor.clone(),
        updated_at: now,
    };
    let version = VersionRow {
        id: clock.new_id(),
        number: 1,
        parent: None,
        branch: drafts::MAIN.to_owned(),
        origin: new.origin.to_owned(),
        change_summary: new.change_summary.clone().unwrap_or_else(|| new.source.summary_since(None)),
        source: new.source,
        created_by: actor.clone(),
        created_at: now,
    };
    queries::insert(change.tx(), &row, &version.source.content).await?;
    claim_slug(change, &mut row, asked).await?;
    if !row.tags.is_empty() {
        queries::set_tags(change.tx(), row.id, &row.tags, true).await?;
    }
    let folder_ids = folders::check_ids(change.tx(), &new.folder_ids).await?.map_err(ApiError::validation)?;
    folders::put_prompt(change.tx(), row.id, &[], &folder_ids).await?;
    versions::queries::insert(change.tx(), row.id, &version).await?;
    versions::queries::insert_includes(change.tx(), row.id, 1, &included).await?;
    change.record(
        NewEvent::new(EventType::PromptCreated, Resource::new("prompt", row.id, &row.slug))
            .after(serde_json::json!({ "slug": row.slug, "title": row.title, "version": 1 })),
    );
    let mut pointers = Vec::new();
    if publishing.is_go() {
        let to = LabelMove {
            prompt: row.id,
            slug: &row.slug,
            label: PRODUCTION,
            version: 1,
            comment: new.change_summary.as_deref(),
            restored: false,
            is_new: true,
        };
        let moved = labels::move_label(change, to).await?;
        pointers.push(LabelPointer {
            prompt: row.id,
            label: PRODUCTION.to_owned(),
            version: 1,
            moved_at: moved.at,
            moved_by: actor,
        });
    }
    let labels = pointers.iter().map(|pointer| pointer.label.clone()).collect();
    let beside = Beside { labels: pointers, folder_ids, ..Beside::default() };
    Ok(Saved {
        prompt: Prompt::assemble(row, beside, Can::of(access)),
        version: Some(Version::of(version, labels)),
        published: publishing.is_go(),
        publish_blocked: publishing.blocked(),
    })
}

/// The first of `base`, `base-2`, … that nobody has.
async fn free_slug(change: &mut Change, base: &str) -> Result<String> {
    if queries::slug_owner(change.tx(), base).await?.is_none() {
        return Ok(base.to_owned());
    }
    for n in 2..=MAX_SLUG_TRIES {
        let slug = format!("{base}-{n}");
        if queries::slug_owner(change.tx(), &slug).await?.is_none() {
            return Ok(slug);
        }
    }
    Ok(format!("{base}-{}", crate::auth::random_token(6).to_lowercase()))
}

/// Registers the slug of a new prompt. Where it is taken the prompt gets another one, or, when just this one was asked
/// for, the refusal.
async fn claim_slug(change: &mut Change, row: &mut PromptRow, asked: bool) -> Result<()> {
    while !queries::set_slug(change.tx(), row.id, &row.slug, true, row.created_at).await? {
        if asked {
            return Err(taken(&row.slug));
        }
        row.slug = free_slug(change, &slugify(&row.title)).await?;
        queries::save(change.tx(), row).await?;
    }
    Ok(())
}

/// 409 for a slug that is, or was, another prompt's.
pub fn taken(slug: &str) -> ApiError {
    ApiError::new(
        Code::Conflict,
        format!("The slug {slug} is taken, by a prompt, by one in the bin, or as a former slug. Please choose another."),
    )
    .with_details(serde_json::json!({
        "errors": [FieldProblem::new("slug", "taken", "is taken; please choose another")]
    }))
}
