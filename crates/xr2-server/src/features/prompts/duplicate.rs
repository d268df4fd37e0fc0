//! Copying a prompt.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::features::folders;
use crate::features::prompts::create::NewPrompt;
use crate::features::prompts::names::check_slug;
use crate::features::prompts::publish::Saved;
use crate::features::prompts::versions::{self, VersionRow};
use crate::features::prompts::{PromptRow, access, create, drafts};
use crate::state::App;

/// How the copy is to be called.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Its slug; from the title when absent.
    #[schema(max_length = 200)]
    pub slug: Option<String>,
    /// Its title; "Copy of …" when absent.
    #[schema(min_length = 1, max_length = 255)]
    pub title: Option<String>,
}

/// Makes a prompt with the newest version of another as its first. It is not live: that is for whoever copied it to
/// decide.
pub async fn duplicate(app: &App, caller: &Access, name: &str, input: Duplicate) -> Result<Saved> {
    if let Some(problem) = input.slug.as_deref().and_then(check_slug) {
        return Err(ApiError::validation(vec![problem]));
    }
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let row = access::existing(&mut tx, name, false).await?;
    let newest = versions::queries::newest(&mut tx, row.id, drafts::MAIN).await?;
    let folder_ids = folders::of_prompts(&mut tx, &[row.id]).await?.remove(&row.id).unwrap_or_default();
    tx.commit().await?;
    let Some(newest) = newest else {
        return Err(ApiError::not_found("version"));
    };
    create::create(app, caller, copy(row, newest, folder_ids, input)).await
}

/// What a copy of `row` with its newest version is made of.
pub fn copy(row: PromptRow, newest: VersionRow, folder_ids: Vec<Uuid>, input: Duplicate) -> NewPrompt {
    // The copy was not imported: a later import of the original leaves it alone.
    let mut metadata = row.metadata;
    if let Some(facts) = metadata.as_object_mut() {
        facts.remove("import");
    }
    let copy_of = |title: &str| format!("Copy of {title}").chars().take(255).collect();
    NewPrompt {
        title: input.title.unwrap_or_else(|| copy_of(&row.title)),
        slug: input.slug,
        source: newest.source,
        description: row.description,
        category: row.category,
        tags: row.tags,
        metadata,
        folder_ids,
        change_summary: Some(format!("Copied from {} version {}", row.slug, newest.number)),
        publish: Some(false),
        origin: "duplicate",
    }
}
