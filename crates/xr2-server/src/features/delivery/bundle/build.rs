//! Making a snapshot: what nobody has changed is taken over from the one before, the rest is read and compiled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;
use xr2_db::Tx;

use crate::clock::Time;
use crate::error::Result;
use crate::events;
use crate::features::delivery::bundle::snapshot::{Item, Snapshot};
use crate::features::delivery::entry::{Parts, item_of, words};
use crate::features::delivery::freshness::{Dependency, Mark, Tenant};
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::load::{dependencies_on, dependencies_on_snippets, source_of};
use crate::features::delivery::queries::{self, DeliveredRow, PromptRow, VersionRow};
use crate::features::delivery::revision;
use crate::features::prompts::{KnownSnippets, Snippets, Source, compile_now, resolve_snippets_among};
use crate::heavy::heavy;
use crate::state::App;

/// Prompts read and compiled at once.
const CHUNK: usize = 200;

/// How often the follower is waited for before everything is read anew.
const ATTEMPTS: usize = 3;

/// How long each time.
const PATIENCE: Duration = Duration::from_millis(300);

/// What `label` delivers now.
pub async fn build(
    app: &App,
    tenant: &Arc<Tenant>,
    label: &str,
    previous: Option<&Snapshot>,
) -> Result<Snapshot> {
    metrics::counter!("xr2_bundle_builds_total").increment(1);
    let (mut tx, revision) = begin(app, tenant, previous.is_some()).await?;
    let listed = queries::delivered_under(&mut tx, label).await?;
    // What was told up to this revision has set the marks of all it touched.
    let known = previous.filter(|_| tenant.told() >= revision);
    let known: HashMap<Uuid, &Arc<Item>> =
        known.iter().flat_map(|known| &known.items).map(|item| (item.id, item)).collect();
    let mut items = Vec::with_capacity(listed.len());
    let mut missing = Vec::new();
    for (id, number) in listed {
        match known.get(&id).filter(|item| item.number == number && is_fresh(item)) {
            Some(item) => items.push(Arc::clone(item)),
            None => missing.push(id),
        }
    }
    let mut snippets = KnownSnippets::default();
    for chunk in missing.chunks(CHUNK) {
        let work = read(&mut tx, tenant, label, revision, chunk, &mut snippets).await?;
        let made: Vec<Made> = heavy(move || work.into_iter().filter_map(Work::finish).collect()).await?;
        items.extend(made.into_iter().map(|made| Arc::new(made.keep(tenant))));
    }
    tx.commit().await?;
    Ok(Snapshot::new(revision, label, items))
}

/// A transaction and the revision it sees: preferably one that this node has been told all about.
async fn begin(app: &App, tenant: &Tenant, wait: bool) -> Result<(Tx, i64)> {
    let mut attempts = if wait { ATTEMPTS } else { 0 };
    loop {
        let mut tx = app.db().tenant(tenant.id()).read().await?;
        let place = events::place(&mut tx).await?;
        app.follower().expect(tenant.id(), place);
        let revision = place.revision;
        if tenant.told() >= revision || attempts == 0 {
            return Ok((tx, revision));
        }
        attempts -= 1;
        tx.commit().await?;
        let _ = tokio::time::timeout(PATIENCE, revision::reach(app, tenant.id(), revision)).await;
    }
}

fn is_fresh(item: &Item) -> bool {
    item.mark.as_ref().is_some_and(|mark| !mark.is_stale())
}

/// A prompt that was read.
pub struct Work {
    parts: WorkParts,
    source: Source,
    snippets: Snippets,
}

/// A prompt that was read but for its snippets.
pub struct WorkParts {
    mark: Arc<Mark>,
    tenant: Arc<Tenant>,
    prompt: PromptRow,
    former_slugs: Vec<Box<str>>,
    number: i64,
    config_text: String,
    updated_at: Time,
}

/// A prompt that was compiled and written.
pub struct Made {
    item: Item,
    mark: Arc<Mark>,
    dependencies: Vec<Dependency>,
}

async fn read(
    tx: &mut Tx,
    tenant: &Arc<Tenant>,
    label: &str,
    revision: i64,
    prompts: &[Uuid],
    known: &mut KnownSnippets,
) -> Result<Vec<Work>> {
    let rows = queries::delivered(tx, label, prompts).await?;
    let mut former: HashMap<Uuid, Vec<Box<str>>> = HashMap::new();
    for (id, slug) in queries::former_slugs_of(tx, prompts).await? {
        former.entry(id).or_default().push(slug.into());
    }
    let mut work = Vec::with_capacity(rows.len());
    for DeliveredRow { prompt, version } in rows {
        let former_slugs = former.remove(&prompt.id).unwrap_or_default();
        let begun = Work::begin(tenant, label, revision, prompt, version, former_slugs);
        let Some((parts, source)) = begun else { continue };
        let snippets = resolve_snippets_among(tx, &source, known).await?;
        work.push(parts.with(source, snippets));
    }
    Ok(work)
}

impl WorkParts {
    /// With all that it includes.
    pub fn with(self, source: Source, snippets: Snippets) -> Work {
        Work { parts: self, source, snippets }
    }
}

impl Work {
    /// What was read at `revision`; none when it makes no sense.
    pub fn begin(
        tenant: &Arc<Tenant>,
        label: &str,
        revision: i64,
        prompt: PromptRow,
        version: VersionRow,
        former_slugs: Vec<Box<str>>,
    ) -> Option<(WorkParts, Source)> {
        let key = KeyRef { workspace: tenant.id(), name: &prompt.slug, selector: SelectorRef::Label(label) };
        let mark = Mark::new(key.to_key(), revision);
        let (number, updated_at, config_text) = (version.number, version.created_at, version.config.clone());
        let source = source_of(&version)
            .inspect_err(|error| {
                let cause = error.cause();
                tracing::error!(cause, "a stored version cannot be read; a bundle leaves it out");
            })
            .ok()?;
        let tenant = tenant.clone();
        Some((WorkParts { mark, tenant, prompt, former_slugs, number, config_text, updated_at }, source))
    }

    /// Compiles and writes it; none when it cannot be delivered, as after a snippet of it went.
    pub fn finish(self) -> Option<Made> {
        let Work { parts, source, snippets } = self;
        let WorkParts { mark, tenant, prompt, former_slugs, number, config_text, updated_at } = parts;
        let compiled = compile_now(&prompt.slug, &source, &snippets).ok()?;
        let dependencies: Vec<Dependency> =
            dependencies_on(&prompt).into_iter().chain(dependencies_on_snippets(&snippets)).collect();
        let names =
            std::iter::once(prompt.slug.as_str().into()).chain(former_slugs.iter().cloned()).collect();
        let (id, tags) = (prompt.id, words(&prompt.tags));
        let json = item_of(&Parts {
            mark: mark.clone(),
            tenant,
            prompt: prompt.id,
            slug: prompt.slug,
            title: prompt.title,
            tags: prompt.tags,
            former_slugs,
            number,
            labels: Vec::new(),
            compiled,
            config: source.config,
            config_text,
            updated_at,
            is_frozen: false,
        });
        let item = Item { id, names, tags, number, json: json.into(), mark: None };
        Some(Made { item, mark, dependencies })
    }
}

impl Made {
    /// From here on it is told when something changes that it was made of.
    pub fn keep(self, tenant: &Tenant) -> Item {
        let Made { mut item, mark, dependencies } = self;
        if tenant.register(&mark, &dependencies, || {}) {
            item.mark = Some(mark);
        }
        item
    }
}
