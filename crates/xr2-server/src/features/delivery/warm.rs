//! The warm tier: what one node has read for a prompt, kept in Redis for the others, and for itself when memory was short.
//!
//! A record is as of a revision and its last event. It is used only when that is of the history this node knows, and when it
//! knows of every change since and none of them touched what the prompt is made of; so it is never older than what would be in this node's memory. Records are sealed with
//! the instance's key: Redis holds nothing that anybody could read or forge.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xr2_bus::Bus;
use xr2_prompt::{Content, Contract, IncludeError, IncludeTarget, Snippet, Syntax};

use crate::config::{Config, SecretKey};
use crate::error::Result;
use crate::events::{Listener, Notice, Place};
use crate::features::delivery::freeze::{FrozenPrompt, FrozenVersion};
use crate::features::delivery::freshness::Tenant;
use crate::features::delivery::key::{KeyRef, SelectorRef};
use crate::features::delivery::load::{Asked, Layer, Loaded, Outcome, assemble, dependencies_of, source_of};
use crate::features::delivery::metrics;
use crate::features::delivery::queries::{PromptRow, VersionRow};
use crate::features::prompts::Snippets;
use crate::frozen::Sealer;
use crate::state::App;

/// Larger records stay out: reading them would hold up everybody else's.
const LARGEST: usize = 1024 * 1024;

/// After Redis took too long, nobody waits for it for so long.
const REST: Duration = Duration::from_secs(2);

/// Records on their way to Redis at the same time; more are not kept.
const WRITES: u64 = 64;

/// See the module.
pub struct WarmTier {
    bus: Bus,
    sealer: Sealer,
    /// Keys the names of records, which tell nothing of what is in them.
    secret: [u8; 32],
    shared_for: Duration,
    patience: Duration,
    pause: Pause,
    writing: AtomicU64,
}

/// How long Redis is left alone.
#[derive(Default)]
struct Pause {
    until: Mutex<Option<Instant>>,
    is_on: AtomicBool,
}

impl Pause {
    /// Begins a pause. One that lasts longer goes on.
    fn begin(&self, pause: Duration) {
        let mut until = self.until();
        let end = Instant::now() + pause;
        *until = Some(until.map_or(end, |known| known.max(end)));
        self.is_on.store(true, Ordering::Release);
    }

    fn is_over(&self) -> bool {
        if !self.is_on.load(Ordering::Acquire) {
            return true;
        }
        let mut until = self.until();
        let is_over = until.is_none_or(|until| until <= Instant::now());
        if is_over {
            *until = None;
            self.is_on.store(false, Ordering::Release);
        }
        is_over
    }

    fn until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.until.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What a delivery was made of.
#[derive(Serialize, Deserialize)]
struct Record {
    revision: i64,
    /// The last event of that revision, which tells it from the same revision of a history that was lost.
    #[serde(default)]
    event: Option<Uuid>,
    /// With the one version that is delivered.
    prompt: FrozenPrompt,
    snippets: Vec<SnippetRecord>,
}

#[derive(Serialize, Deserialize)]
struct SnippetRecord {
    /// As the include names it.
    target: String,
    found: std::result::Result<FoundSnippet, String>,
}

#[derive(Serialize, Deserialize)]
struct FoundSnippet {
    id: Uuid,
    slug: String,
    version: i64,
    content: Content,
    syntax: Syntax,
    contract: Contract,
}

/// A record on its way to Redis.
pub struct Kept {
    name: String,
    record: Vec<u8>,
}

impl WarmTier {
    /// The tier behind `bus`; there is none on one node.
    pub fn new(bus: Bus, config: &Config, secret: &SecretKey) -> WarmTier {
        WarmTier {
            bus,
            sealer: Sealer::new(secret),
            secret: secret.derive("names in the warm tier"),
            shared_for: config.delivery.shared_for,
            patience: config.resilience.redis_patience,
            pause: Pause::default(),
            writing: AtomicU64::new(0),
        }
    }

    fn is_on(&self) -> bool {
        self.bus.is_shared() && !self.shared_for.is_zero()
    }

    fn name(&self, key: KeyRef<'_>) -> String {
        let selector = match key.selector {
            SelectorRef::Label(label) => format!("@{label}"),
            SelectorRef::Number(number) => format!("#{number}"),
            SelectorRef::Id(id) => format!("={id}"),
        };
        let mut text = self.secret.to_vec();
        text.extend_from_slice(format!("{}/{}{selector}", key.workspace, key.name).as_bytes());
        let hash = ring::digest::digest(&ring::digest::SHA256, &text);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("xr2:prompt:{hash}")
    }

    async fn read(&self, name: &str) -> Option<Record> {
        let sealed = match tokio::time::timeout(self.patience, self.bus.get(name)).await {
            Ok(answer) => answer.ok()??,
            Err(_) => {
                self.pause.begin(REST);
                return None;
            }
        };
        let record = self.sealer.open(name, sealed).ok()?;
        serde_json::from_slice(&record).ok()
    }

    /// What a delivery is being made of, to be kept if it comes to something.
    pub fn note(
        &self,
        asked: &Asked<'_>,
        prompt: &PromptRow,
        version: &VersionRow,
        labels: &[(String, i64)],
        snippets: &Snippets,
    ) -> Option<Kept> {
        if !self.is_on() || !self.pause.is_over() {
            return None;
        }
        let frozen = FrozenPrompt {
            id: prompt.id,
            slug: prompt.slug.clone(),
            former_slugs: asked.former_slugs.iter().map(|slug| slug.to_string()).collect(),
            title: prompt.title.clone(),
            tags: prompt.tags.clone(),
            latest_version: prompt.latest_version,
            labels: labels.to_vec(),
            versions: vec![FrozenVersion {
                id: Uuid::nil(),
                number: version.number,
                kind: version.kind.clone(),
                syntax: version.syntax.clone(),
                content: version.content.clone(),
                variables: version.variables.clone(),
                config: version.config.clone(),
                created_at: version.created_at,
            }],
        };
        let snippets = snippets.found().map(|(target, found)| SnippetRecord::of(target, found)).collect();
        let record =
            Record { revision: asked.place.revision, event: asked.place.event, prompt: frozen, snippets };
        let record = serde_json::to_vec(&record).ok().filter(|record| record.len() <= LARGEST)?;
        Some(Kept { name: self.name(asked.key), record })
    }

    /// Keeps it, beside the request.
    pub fn keep(self: &Arc<Self>, kept: Kept) {
        if self.writing.fetch_add(1, Ordering::Relaxed) >= WRITES {
            self.writing.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let tier = self.clone();
        tokio::spawn(async move {
            if let Ok(sealed) = tier.sealer.seal(&kept.name, &kept.record)
                && tier.bus.set(&kept.name, &sealed, tier.shared_for).await.is_ok()
            {
                metrics::promoted_to_warm();
            }
            tier.writing.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

impl Listener for WarmTier {
    fn invalidate(&self, _: &Notice) {}

    fn in_order(&self, _: &Notice) {}

    /// What was kept may be of a time that never was.
    fn forget(&self) {
        self.pause.begin(self.shared_for);
    }
}

impl SnippetRecord {
    fn of(
        target: &IncludeTarget,
        found: &std::result::Result<(Uuid, Snippet), IncludeError>,
    ) -> SnippetRecord {
        let found = match found {
            Ok((id, snippet)) => Ok(FoundSnippet {
                id: *id,
                slug: snippet.slug.clone(),
                version: snippet.version,
                content: snippet.content.clone(),
                syntax: snippet.syntax,
                contract: snippet.contract.clone(),
            }),
            Err(error) => Err(error.0.clone()),
        };
        SnippetRecord { target: target.to_string(), found }
    }

    fn found(self) -> std::result::Result<(Uuid, Snippet), IncludeError> {
        let FoundSnippet { id, slug, version, content, syntax, contract } =
            self.found.map_err(IncludeError)?;
        Ok((id, Snippet { slug, version, content, syntax, contract }))
    }
}

/// What `key` asks for, as another node has read it, if nothing has changed since.
pub async fn find(app: &App, tenant: &Arc<Tenant>, key: KeyRef<'_>) -> Option<Result<Loaded>> {
    let tier = app.warm_tier();
    if !tier.is_on() || !tier.pause.is_over() {
        return None;
    }
    let Some(mut record) = tier.read(&tier.name(key)).await else {
        metrics::missed_warm();
        return None;
    };
    let version = record.prompt.versions.pop()?;
    let (prompt, row) = (record.prompt.row(), version.row());
    let mut found: Vec<SnippetRecord> = record.snippets;
    let source = source_of(&row).ok()?;
    let snippets = Snippets::gather(&source, |target| {
        let name = target.to_string();
        match found.iter().position(|one| one.target == name) {
            Some(index) => found.swap_remove(index).found(),
            None => Err(IncludeError("it was not kept".into())),
        }
    });
    let read_at = Place { revision: record.revision, event: record.event };
    let Some(revision) = tenant.vouch(read_at, &dependencies_of(key, &prompt, &snippets)) else {
        metrics::missed_warm();
        return None;
    };
    let former_slugs = record.prompt.former_slugs.iter().map(|slug| slug.as_str().into()).collect();
    let asked = Asked { key, place: Place { revision, event: None }, former_slugs, layer: Layer::Warm };
    let loaded = assemble(asked, tenant, prompt, row, record.prompt.labels, source, snippets).await;
    Some(loaded).filter(|loaded| !matches!(loaded, Ok(Loaded { outcome: Outcome::Refused(_), .. })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_pause_does_not_end_a_long_one() {
        let pause = Pause::default();
        assert!(pause.is_over());
        pause.begin(Duration::from_secs(3600));
        pause.begin(Duration::ZERO);
        assert!(!pause.is_over());
        let short = Pause::default();
        short.begin(Duration::ZERO);
        assert!(short.is_over() && short.is_over());
    }
}
