//! Putting what was found into a workspace.

use serde_json::{Map, Value, json};
use xr2_db::Tx;
use xr2_prompt::{Content, Contract};

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::Change;
use crate::features::imports::{Batch, Found, Skipped, variables};
use crate::features::prompts::{self, NewPrompt, PromptRow, Source, check_slug, slugify};
use crate::state::App;

/// Prompts written in one transaction: enough to be quick, few enough not to hold the one writer.
const PER_CHANGE: usize = 25;

/// How to import.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Only tell what would happen.
    pub dry_run: bool,
    /// Whether what is imported goes live at once.
    pub publish: bool,
}

/// What became of one prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Made.
    Created,
    /// The file changed since the last import: a new version.
    Updated,
    /// It is there already, the same.
    Unchanged,
}

/// What an import came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Slugs made.
    pub created: Vec<String>,
    /// Slugs that got a new version.
    pub updated: Vec<String>,
    /// How many were there already.
    pub unchanged: usize,
    /// What was left out, and why.
    pub skipped: Vec<Skipped>,
}

/// Imports `batch`; `progress` is called with the number of prompts done.
pub async fn apply(
    app: &App,
    access: &Access,
    batch: Batch,
    settings: Settings,
    mut progress: impl FnMut(usize),
) -> Result<Report> {
    let mut report = Report { skipped: batch.skipped, ..Report::default() };
    let mut done = 0;
    for chunk in batch.found.chunks(PER_CHANGE) {
        let mut change = Change::begin(app, access).await?;
        for found in chunk {
            match one(&mut change, access, &batch.source, found, settings).await {
                Ok((slug, Outcome::Created)) => report.created.push(slug),
                Ok((slug, Outcome::Updated)) => report.updated.push(slug),
                Ok((_, Outcome::Unchanged)) => report.unchanged += 1,
                Err(error) if error.code.status().is_client_error() => {
                    report.skipped.push(Skipped { place: found.place.clone(), reason: error.message });
                }
                Err(error) => return Err(error),
            }
            done += 1;
            progress(done);
        }
        if settings.dry_run {
            // Everything was tried for real and is taken back, so the report cannot be wrong. Within a chunk slugs
            // count up as they will; across chunks a title that comes twice may show a slug that will get a number.
            drop(change);
        } else {
            change.commit().await?;
        }
    }
    Ok(report)
}

async fn one(
    change: &mut Change,
    access: &Access,
    source_name: &str,
    found: &Found,
    settings: Settings,
) -> Result<(String, Outcome)> {
    let converted = variables::convert(&found.text, found.notation);
    let source = Source {
        syntax: converted.syntax,
        content: Content::Text(converted.text),
        contract: Contract::of(converted.variables),
        config: Value::Object(Map::new()),
    };
    source.check_size(change.app().config().limits.content_bytes)?;
    let base = match &found.slug {
        Some(slug) => check_slug(slug)
            .map_or_else(|| Ok(slug.clone()), |problem| Err(ApiError::validation(vec![problem])))?,
        None => slugify(&found.title),
    };
    let key = json!({ "source": source_name, "key": found.key });
    match place(change.tx(), &base, &key).await? {
        Place::Free(slug) => {
            let mut metadata: Map<String, Value> = found.facts.iter().cloned().collect();
            metadata.insert("import".to_owned(), key);
            let new = NewPrompt {
                title: found.title.clone(),
                slug: Some(slug.clone()),
                source,
                description: found.description.clone(),
                category: found.category.clone(),
                tags: found.tags.clone(),
                metadata: Value::Object(metadata),
                folder_ids: Vec::new(),
                change_summary: Some(format!("Imported from {source_name}")),
                publish: Some(settings.publish),
                origin: "import",
            };
            prompts::create_in(change, access, new.checked()?, true).await?;
            Ok((slug, Outcome::Created))
        }
        Place::Ours(row) => {
            if row.deleted_at.is_some() {
                return Err(skip(
                    "it was imported before and is in the bin; take it out of the bin or empty the bin",
                ));
            }
            let outcome =
                prompts::import_again(change, access, row.clone(), source, source_name, settings.publish)
                    .await?;
            match outcome {
                Some(true) => Ok((row.slug, Outcome::Updated)),
                Some(false) => Ok((row.slug, Outcome::Unchanged)),
                None => Err(skip("it was edited in xr2 since it was imported; yours was kept")),
            }
        }
    }
}

fn skip(reason: &str) -> ApiError {
    ApiError::new(crate::error::Code::Conflict, reason)
}

enum Place {
    /// This slug is free.
    Free(String),
    /// An earlier run made this prompt.
    Ours(Box<PromptRow>),
}

/// `base`, `base-2`, …: the first that is free, or that an earlier run of the same source gave this prompt.
async fn place(tx: &mut Tx, base: &str, key: &Value) -> Result<Place> {
    for n in 1..=1000 {
        let slug = if n == 1 { base.to_owned() } else { format!("{base}-{n}") };
        match prompts::find(tx, &slug).await? {
            None => return Ok(Place::Free(slug)),
            Some(row) if row.metadata.get("import") == Some(key) => return Ok(Place::Ours(Box::new(row))),
            Some(_) => {}
        }
    }
    Err(skip("a thousand prompts have this name already"))
}
