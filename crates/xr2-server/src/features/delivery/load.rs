//! Filling the cache: one read transaction, then compiling.

use std::sync::Arc;

use xr2_db::Tx;
use xr2_prompt::{CompileError, Compiled, Content, PromptType, compile};

use crate::error::{ApiError, Result};
use crate::features::delivery::entry::{Entry, Parts};
use crate::features::delivery::freshness::{Dependency, Mark, Tenant};
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::queries::{self, PromptRow, VersionRow};
use crate::features::prompts::{Snippets, Source, resolve_snippets, template_error};
use crate::state::App;

/// Texts larger than this are compiled beside the threads that serve requests.
const LARGE: usize = 32 * 1024;

/// Something that was asked for, as it was at the mark's revision.
#[derive(Clone)]
pub struct Loaded {
    /// Freshness of the outcome.
    pub mark: Arc<Mark>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the outcome was made of.
    pub dependencies: Arc<[Dependency]>,
}

/// What came of looking for something.
#[derive(Clone)]
pub enum Outcome {
    /// It can be delivered.
    Ready(Arc<Entry>),
    /// It cannot, and will not before something changes.
    Refused(Arc<Refusal>),
}

/// Why something cannot be delivered.
pub struct Refusal {
    /// Freshness of the refusal.
    pub mark: Arc<Mark>,
    /// What the client is told.
    pub error: ApiError,
    /// Whether the prompt is there, but not that version of it.
    pub lacks_version: bool,
}

/// Reads and compiles what `key` asks for. An error is the database's; it is not kept.
pub async fn load(app: &App, tenant: &Arc<Tenant>, key: KeyRef<'_>) -> Result<Loaded> {
    let mut tx = app.db().tenant(key.workspace).read().await?;
    let revision = queries::revision(&mut tx).await?;
    let found = find(&mut tx, key).await?;
    let mark = Mark::new(key.to_key(), revision);
    let mut dependencies = vec![Dependency::Name(key.name.into())];
    let refused = |error, lacks_version, dependencies: Vec<Dependency>| {
        let refusal = Refusal { mark: mark.clone(), error, lacks_version };
        Loaded {
            mark: mark.clone(),
            outcome: Outcome::Refused(Arc::new(refusal)),
            dependencies: dependencies.into(),
        }
    };
    let (prompt, version, labels) = match found {
        Found::Nothing => return Ok(refused(prompt_not_found(key.name), false, dependencies)),
        Found::NoVersion(prompt) => {
            dependencies.extend(dependencies_on(&prompt));
            return Ok(refused(version_not_found(key), true, dependencies));
        }
        Found::Version(prompt, version, labels) => (prompt, version, labels),
    };
    dependencies.extend(dependencies_on(&prompt));
    let (number, updated_at) = (version.number, version.created_at);
    let config_text = version.config.clone();
    let source = source_of(version)?;
    let config = source.config.clone();
    let snippets = resolve_snippets(&mut tx, &source).await?;
    let former_slugs = queries::former_slugs(&mut tx, prompt.id).await?;
    tx.commit().await?;
    dependencies.extend(dependencies_on_snippets(&snippets));

    let slug = prompt.slug.clone();
    let compiled = match compile_beside(slug, source, snippets).await? {
        Ok(compiled) => compiled,
        // A snippet has changed or gone since the version was checked.
        Err(error) => return Ok(refused(template_error(&error), false, dependencies)),
    };
    let parts = Parts {
        mark: mark.clone(),
        tenant: tenant.clone(),
        prompt: prompt.id,
        labels: labels_of(number, &prompt, labels),
        slug: prompt.slug,
        title: prompt.title,
        tags: prompt.tags,
        former_slugs: former_slugs.into_iter().map(Into::into).collect(),
        number,
        compiled,
        config,
        config_text,
        updated_at,
    };
    let outcome = Outcome::Ready(Arc::new(Entry::new(parts)));
    Ok(Loaded { mark, outcome, dependencies: dependencies.into() })
}

enum Found {
    Nothing,
    NoVersion(PromptRow),
    Version(PromptRow, VersionRow, Vec<(String, i64)>),
}

async fn find(tx: &mut Tx, key: KeyRef<'_>) -> Result<Found> {
    let Some(prompt) = queries::prompt(tx, key.name).await? else { return Ok(Found::Nothing) };
    let labels = queries::labels(tx, prompt.id).await?;
    let selector = match key.selector {
        SelectorRef::Label("latest") => Some(SelectorRef::Number(prompt.latest_version)),
        SelectorRef::Label(label) => {
            labels.iter().find(|(name, _)| name == label).map(|(_, number)| SelectorRef::Number(*number))
        }
        pinned => Some(pinned),
    };
    let version = match selector {
        Some(selector) => queries::version(tx, prompt.id, selector).await?,
        None => None,
    };
    Ok(match version {
        Some(version) => Found::Version(prompt, version, labels),
        None => Found::NoVersion(prompt),
    })
}

pub fn dependencies_on(prompt: &PromptRow) -> [Dependency; 2] {
    [Dependency::Prompt(prompt.id), Dependency::Name(prompt.slug.as_str().into())]
}

pub fn dependencies_on_snippets(snippets: &Snippets) -> impl Iterator<Item = Dependency> {
    snippets.looked_at().flat_map(|(target, found)| {
        let asked = Dependency::Name(target.slug.as_str().into());
        let found = found.into_iter().flat_map(|(id, snippet)| {
            [Dependency::Prompt(id), Dependency::Name(snippet.slug.as_str().into())]
        });
        found.chain([asked])
    })
}

pub fn source_of(row: VersionRow) -> Result<Source> {
    let kind: PromptType = row.kind.parse().map_err(ApiError::internal)?;
    let content: Content = Source::parse_content(kind, row.content).map_err(ApiError::internal)?;
    Ok(Source {
        content,
        syntax: row.syntax.parse().map_err(ApiError::internal)?,
        contract: serde_json::from_str(&row.variables).map_err(ApiError::internal)?,
        config: serde_json::from_str(&row.config).map_err(ApiError::internal)?,
    })
}

fn labels_of(number: i64, prompt: &PromptRow, labels: Vec<(String, i64)>) -> Vec<Box<str>> {
    let latest = (number == prompt.latest_version).then(|| "latest".into());
    let pointing = labels.into_iter().filter(|(_, at)| *at == number).map(|(label, _)| label.into());
    pointing.chain(latest).collect()
}

/// Compiles; what is large does so beside the threads that serve requests.
pub async fn compile_beside(
    slug: String,
    source: Source,
    snippets: Snippets,
) -> Result<std::result::Result<Compiled, CompileError>> {
    let size: usize = source.content.texts().map(|(_, text)| text.len()).sum();
    let work = move || compile_now(&slug, &source, &snippets);
    if size <= LARGE {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}

/// Compiles here and now.
pub fn compile_now(
    slug: &str,
    source: &Source,
    snippets: &Snippets,
) -> std::result::Result<Compiled, CompileError> {
    let Source { content, syntax, contract, .. } = source;
    compile(Some(slug), content, *syntax, contract, &mut |target| snippets.resolve(target))
}

fn prompt_not_found(name: &str) -> ApiError {
    ApiError::not_found(&format!("prompt {name:?}"))
}

fn version_not_found(key: KeyRef<'_>) -> ApiError {
    let what = match key.selector {
        SelectorRef::Label(label) => format!("label {label:?}"),
        SelectorRef::Number(number) => format!("version {number}"),
        SelectorRef::Id(id) => format!("version {id}"),
    };
    ApiError::not_found(&format!("{what} of the prompt {:?}", key.name))
}
