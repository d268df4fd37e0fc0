//! Filling the cache: one read transaction, then compiling.

use std::sync::Arc;

use xr2_db::Tx;
use xr2_prompt::{Content, PromptType};

use crate::error::{ApiError, Result};
use crate::events::{self, Place};
use crate::features::delivery::entry::{Entry, Parts, is_heavy};
use crate::features::delivery::freshness::{Dependency, Mark, Tenant};
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::queries::{self, PromptRow, VersionRow};
use crate::features::prompts::{Snippets, Source, compile_off, resolve_snippets, template_error};
use crate::features::usage::Delivered;
use crate::heavy::heavy;
use crate::state::App;

/// Something that was asked for, as it was at the mark's revision.
#[derive(Clone)]
pub struct Loaded {
    /// Freshness of the outcome.
    pub mark: Arc<Mark>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the outcome was made of.
    pub dependencies: Arc<[Dependency]>,
    /// Where it comes from.
    pub layer: Layer,
}

/// Where something comes from that was not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// From Redis: another node has read it.
    Warm,
    /// From the database.
    Cold,
    /// From what is kept for times without the database.
    Frozen,
}

impl Loaded {
    /// Whether it may be of any age.
    pub fn is_frozen(&self) -> bool {
        self.layer == Layer::Frozen
    }
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
    /// What usage counts it as, when the prompt is there.
    pub what: Option<Arc<Delivered>>,
}

/// Reads and compiles what `key` asks for. An error is the database's; it is not kept.
pub async fn load(app: &App, tenant: &Arc<Tenant>, key: KeyRef<'_>) -> Result<Loaded> {
    let mut tx = app.db().tenant(key.workspace).read().await?;
    let place = events::place(&mut tx).await?;
    app.follower().expect(key.workspace, place);
    let revision = place.revision;
    let found = find(&mut tx, key).await?;
    let mark = Mark::new(key.to_key(), revision);
    let mut dependencies = vec![Dependency::Name(key.name.into())];
    let refused = |error, what: Option<Delivered>, dependencies: Vec<Dependency>| {
        let lacks_version = what.as_ref().is_some_and(|what| what.version == 0);
        let refusal = Refusal { mark: mark.clone(), error, lacks_version, what: what.map(Arc::new) };
        Loaded {
            mark: mark.clone(),
            outcome: Outcome::Refused(Arc::new(refusal)),
            dependencies: dependencies.into(),
            layer: Layer::Cold,
        }
    };
    let (prompt, version, labels) = match found {
        Found::Nothing => return Ok(refused(prompt_not_found(key.name), None, dependencies)),
        Found::NoVersion(prompt) => {
            dependencies.extend(dependencies_on(&prompt));
            return Ok(refused(version_not_found(key), Some(attempt(key, &prompt, 0)), dependencies));
        }
        Found::Version(prompt, version, labels) => (prompt, version, labels),
    };
    let source = source_of(&version)?;
    let snippets = resolve_snippets(&mut tx, &source).await?;
    let former_slugs = queries::former_slugs(&mut tx, prompt.id).await?;
    tx.commit().await?;
    let former_slugs = former_slugs.into_iter().map(Into::into).collect();
    let asked = Asked { key, place, former_slugs, layer: Layer::Cold };
    let kept = app.warm_tier().note(&asked, &prompt, &version, &labels, &snippets);
    let loaded = assemble(asked, tenant, prompt, version, labels, source, snippets).await?;
    if let (Outcome::Ready(_), Some(kept)) = (&loaded.outcome, kept) {
        app.warm_tier().keep(kept);
    }
    Ok(loaded)
}

/// What was asked for, and of which revision the answer is.
pub struct Asked<'a> {
    pub key: KeyRef<'a>,
    pub place: Place,
    pub former_slugs: Vec<Box<str>>,
    pub layer: Layer,
}

/// Compiles what was read.
pub async fn assemble(
    asked: Asked<'_>,
    tenant: &Arc<Tenant>,
    prompt: PromptRow,
    version: VersionRow,
    labels: Vec<(String, i64)>,
    source: Source,
    snippets: Snippets,
) -> Result<Loaded> {
    let Asked { key, place, former_slugs, layer } = asked;
    let mark = Mark::new(key.to_key(), place.revision);
    let dependencies = dependencies_of(key, &prompt, &snippets).into();
    let what = attempt(key, &prompt, version.number);
    let config = source.config.clone();
    let outcome = match compile_off(prompt.slug.clone(), source, snippets).await? {
        Ok(compiled) => {
            let parts = Parts {
                mark: mark.clone(),
                tenant: tenant.clone(),
                prompt: prompt.id,
                labels: labels_of(version.number, &prompt, labels),
                slug: prompt.slug,
                title: prompt.title,
                tags: prompt.tags,
                former_slugs,
                number: version.number,
                compiled,
                config,
                config_text: version.config,
                updated_at: version.created_at,
                is_frozen: layer == Layer::Frozen,
            };
            // A new entry is rendered once, which may take long.
            let entry = if is_heavy(&parts.compiled) {
                heavy(|| Entry::new(parts)).await?
            } else {
                Entry::new(parts)
            };
            Outcome::Ready(Arc::new(entry))
        }
        // A snippet has changed or gone since the version was checked.
        Err(error) => {
            let error = template_error(&error);
            Outcome::Refused(Arc::new(Refusal {
                mark: mark.clone(),
                error,
                lacks_version: false,
                what: Some(Arc::new(what)),
            }))
        }
    };
    Ok(Loaded { mark, outcome, dependencies, layer })
}

/// Everything that a delivery is made of.
pub fn dependencies_of(key: KeyRef<'_>, prompt: &PromptRow, snippets: &Snippets) -> Vec<Dependency> {
    let mut dependencies = vec![Dependency::Name(key.name.into())];
    dependencies.extend(dependencies_on(prompt));
    dependencies.extend(dependencies_on_snippets(snippets));
    dependencies
}

/// What usage counts a delivery as that comes to nothing.
fn attempt(key: KeyRef<'_>, prompt: &PromptRow, version: i64) -> Delivered {
    let label = if let SelectorRef::Label(label) = key.selector { label } else { "" };
    Delivered {
        workspace: key.workspace,
        prompt: prompt.id,
        version,
        label: label.into(),
        variant: "".into(),
        includes: None,
    }
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

/// The version's source.
pub fn source_of(row: &VersionRow) -> Result<Source> {
    let kind: PromptType = row.kind.parse().map_err(ApiError::internal)?;
    let content: Content = Source::parse_content(kind, row.content.clone()).map_err(ApiError::internal)?;
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
