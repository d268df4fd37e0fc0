//! Which clients are there, and who of them has the latest.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events;
use crate::features::telemetry::dto::{ClientCounts, ClientInstance, ClientKey, ClientServing, Clients};
use crate::features::telemetry::presence::{GONE_AFTER, Serving, settle};
use crate::features::telemetry::queries::{self, InstanceRow};
use crate::features::{api_keys, prompts};
use crate::state::App;

/// Instances that are listed; all are counted.
const MOST_LISTED: usize = 1000;

/// Instances read at once: what they serve takes room.
const AT_ONCE: i64 = 250;

/// Which of the things served are looked at.
struct Filter {
    prompt: Option<Prompt>,
    label: Option<String>,
    revision: i64,
}

struct Prompt {
    id: Uuid,
    /// What its labels point at.
    pointers: HashMap<String, i64>,
}

impl Filter {
    fn passes(&self, serving: &Serving) -> bool {
        self.prompt.as_ref().is_none_or(|prompt| prompt.id == serving.prompt)
            && self.label.as_ref().is_none_or(|label| *label == serving.label)
    }

    fn is_open(&self) -> bool {
        self.prompt.is_none() && self.label.is_none()
    }

    /// Whether an instance that serves this has the latest.
    fn is_current(&self, row: &InstanceRow, serving: &[Serving]) -> bool {
        match &self.prompt {
            Some(prompt) => {
                serving.iter().all(|one| prompt.pointers.get(&one.label).copied() == Some(one.version))
            }
            None => row.revision >= self.revision,
        }
    }
}

/// The clients of a workspace, of one prompt, of one label.
pub async fn clients(
    app: &App,
    access: &Access,
    prompt: Option<&str>,
    label: Option<&str>,
) -> Result<Clients> {
    settle(app).await?;
    let filter = filter(app, access, prompt, label).await?;
    let since = app.clock().now() - GONE_AFTER;
    let db = app.db().usage();
    let mut counts = ClientCounts::default();
    let mut listed: Vec<(InstanceRow, Vec<Serving>, bool)> = Vec::new();
    let mut after = String::new();
    loop {
        let mut tx = db.tenant(access.workspace).read().await?;
        let page = queries::instances(&mut tx, since, &after, AT_ONCE).await?;
        tx.commit().await?;
        let is_last = (page.len() as i64) < AT_ONCE;
        for mut row in page {
            after.clone_from(&row.instance);
            let mut serving = std::mem::take(&mut row.serving);
            serving.retain(|one| filter.passes(one));
            if serving.is_empty() && !filter.is_open() {
                continue;
            }
            let current = filter.is_current(&row, &serving);
            counts.total += 1;
            counts.current += i64::from(current);
            if listed.len() < MOST_LISTED {
                listed.push((row, serving, current));
            }
        }
        if is_last {
            break;
        }
    }
    let names = Named::read(app, access, &listed).await?;
    let instances = listed.into_iter().map(|(row, serving, current)| names.instance(row, serving, current));
    Ok(Clients { revision: filter.revision, instances: instances.collect(), counts })
}

async fn filter(app: &App, access: &Access, prompt: Option<&str>, label: Option<&str>) -> Result<Filter> {
    let mut tx = app.db().tenant(access.workspace).read().await?;
    let revision = events::revision(&mut tx).await?;
    let prompt = match prompt {
        Some(name) => {
            let row = prompts::find(&mut tx, name).await?.ok_or_else(|| ApiError::not_found("prompt"))?;
            let mut pointers: HashMap<String, i64> =
                queries::pointers(&mut tx, row.id).await?.into_iter().collect();
            pointers.insert("latest".to_owned(), row.latest_version);
            Some(Prompt { id: row.id, pointers })
        }
        None => None,
    };
    tx.commit().await?;
    Ok(Filter { prompt, label: label.map(str::to_owned), revision })
}

/// Names of what is listed.
struct Named {
    slugs: HashMap<Uuid, String>,
    keys: HashMap<Uuid, String>,
}

impl Named {
    async fn read(app: &App, access: &Access, listed: &[(InstanceRow, Vec<Serving>, bool)]) -> Result<Named> {
        let prompts: HashSet<Uuid> =
            listed.iter().flat_map(|(_, serving, _)| serving.iter().map(|one| one.prompt)).collect();
        let keys: HashSet<Uuid> = listed.iter().filter_map(|(row, ..)| row.key).collect();
        let mut tx = app.db().tenant(access.workspace).read().await?;
        let mut slugs = HashMap::new();
        for some in prompts.into_iter().collect::<Vec<_>>().chunks(1000) {
            slugs.extend(queries::slugs(&mut tx, some).await?);
        }
        let keys = api_keys::names(&mut tx, &keys.into_iter().collect::<Vec<_>>()).await?;
        tx.commit().await?;
        Ok(Named { slugs, keys: keys.into_iter().collect() })
    }

    fn instance(&self, row: InstanceRow, serving: Vec<Serving>, current: bool) -> ClientInstance {
        let key = row.key.and_then(|id| Some(ClientKey { id, name: self.keys.get(&id)?.clone() }));
        let serving = serving
            .into_iter()
            .map(|one| ClientServing {
                slug: self.slugs.get(&one.prompt).cloned(),
                prompt: one.prompt,
                label: one.label,
                version: one.version,
                since: one.since.and_then(DateTime::<Utc>::from_timestamp_micros),
            })
            .collect();
        ClientInstance {
            instance: row.instance,
            sdk: row.sdk,
            key,
            revision: row.revision,
            current,
            last_seen: row.last_seen,
            first_seen: row.first_seen,
            serving,
            stream: row.stream,
        }
    }
}
