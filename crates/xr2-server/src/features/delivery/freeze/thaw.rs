//! Delivering from what is kept.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;
use xr2_prompt::{IncludeError, IncludeTarget, Selector, Snippet};

use crate::error::Result;
use crate::events::Place;
use crate::features::delivery::freeze::model::{FrozenPrompt, FrozenVersion, FrozenWorkspace};
use crate::features::delivery::freshness::Tenant;
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::load::{Asked, Layer, Loaded, Outcome, assemble, source_of};
use crate::features::delivery::queries::{PromptRow, VersionRow};
use crate::features::prompts::{Snippets, Source};
use crate::frozen::Part;
use crate::state::App;

/// Memory for what was read from the files, in bytes; beyond it everything is read again.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// Workspaces read from their files; one at a time, for everybody who asks meanwhile.
#[derive(Default)]
pub struct Thawed(Mutex<HashMap<Uuid, Option<Arc<FrozenWorkspace>>>>);

impl Thawed {
    /// Forgets what was read: the database is there again.
    pub fn forget(&self) {
        if let Ok(mut known) = self.0.try_lock() {
            known.clear();
        }
    }

    /// What is kept of a workspace.
    pub async fn workspace(&self, app: &App, workspace: Uuid) -> Option<Arc<FrozenWorkspace>> {
        if !app.frozen().is_on() {
            return None;
        }
        let mut known = self.0.lock().await;
        if let Some(found) = known.get(&workspace) {
            return found.clone();
        }
        let frozen = app.frozen().clone();
        let read = tokio::task::spawn_blocking(move || {
            let file = frozen.read(workspace, Part::Prompts)?;
            let parsed = FrozenWorkspace::parse(&file);
            if parsed.is_none() {
                tracing::error!(%workspace, "the kept prompts cannot be read");
            }
            parsed.map(Arc::new)
        });
        let found = read.await.ok()?;
        let taken: usize = known.values().flatten().map(|workspace| workspace.bytes).sum();
        if taken + found.as_ref().map_or(0, |found| found.bytes) > MOST_BYTES {
            known.clear();
        }
        known.insert(workspace, found.clone());
        found
    }
}

/// What `key` asks for, as it was kept. None when it was not: whether there is such a prompt now, nobody knows.
pub async fn thaw(
    app: &App,
    thawed: &Thawed,
    tenant: &Arc<Tenant>,
    key: KeyRef<'_>,
) -> Option<Result<Loaded>> {
    let workspace = thawed.workspace(app, key.workspace).await?;
    let prompt = workspace.find(key.name)?;
    let version = match key.selector {
        SelectorRef::Label(label) => prompt.version(prompt.labelled(label)?)?,
        SelectorRef::Number(number) => prompt.version(number)?,
        SelectorRef::Id(id) => prompt.versions.iter().find(|version| version.id == id)?,
    };
    let loaded = compile(tenant, key, &workspace, prompt, version).await;
    // A snippet that was not kept is no reason to say that the template is wrong.
    Some(loaded).filter(|loaded| !matches!(loaded, Ok(Loaded { outcome: Outcome::Refused(_), .. })))
}

async fn compile(
    tenant: &Arc<Tenant>,
    key: KeyRef<'_>,
    workspace: &FrozenWorkspace,
    prompt: &FrozenPrompt,
    version: &FrozenVersion,
) -> Result<Loaded> {
    let row = version.row();
    let source = source_of(&row)?;
    let snippets = workspace.snippets_of(&source);
    let former_slugs = former_slugs(prompt);
    let place = Place { revision: workspace.revision, event: None };
    let asked = Asked { key, place, former_slugs, layer: Layer::Frozen };
    let labels = prompt.labels.clone();
    assemble(asked, tenant, prompt.row(), row, labels, source, snippets).await
}

impl FrozenWorkspace {
    /// Every change up to this revision is in it.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// What `label` delivers, with former slugs.
    pub fn delivered_under(
        &self,
        label: &str,
    ) -> impl Iterator<Item = (PromptRow, VersionRow, Vec<Box<str>>)> {
        self.prompts.iter().filter_map(move |prompt| {
            let version = prompt.version(prompt.labelled(label)?)?;
            Some((prompt.row(), version.row(), former_slugs(prompt)))
        })
    }

    /// What a text includes.
    pub fn snippets_of(&self, source: &Source) -> Snippets {
        Snippets::gather(source, |target| look_up(self, target))
    }
}

fn former_slugs(prompt: &FrozenPrompt) -> Vec<Box<str>> {
    prompt.former_slugs.iter().map(|slug| slug.as_str().into()).collect()
}

fn look_up(
    workspace: &FrozenWorkspace,
    target: &IncludeTarget,
) -> std::result::Result<(Uuid, Snippet), IncludeError> {
    let missing = || IncludeError("it was not kept for times without the database".into());
    let prompt = workspace.find(&target.slug).ok_or_else(missing)?;
    let number = match &target.selector {
        Selector::Version(number) => Some(*number),
        Selector::Label(label) => prompt.labelled(label),
        Selector::Production => prompt.labelled("production"),
    };
    let version = number.and_then(|number| prompt.version(number)).ok_or_else(missing)?;
    let Source { content, syntax, contract, .. } =
        source_of(&version.row()).map_err(|error| IncludeError(error.to_string()))?;
    Ok((prompt.id, Snippet { slug: prompt.slug.clone(), version: version.number, content, syntax, contract }))
}
