//! Which clients are there, and who of them has the latest.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::Access;
use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::events;
use crate::features::telemetry::dto::{ClientCounts, ClientInstance, ClientKey, ClientServing, Clients};
use crate::features::telemetry::presence::{GONE_AFTER, Serving};
use crate::features::telemetry::queries::{self, InstanceRow};
use crate::features::telemetry::roster;
use crate::features::{api_keys, prompts};
use crate::state::App;

/// Instances that are listed at most; all are counted.
pub const MOST_LISTED: usize = 1000;

/// Revisions in which one looks for a change of what is delivered inside a prompt under the same version: who is further
/// behind than that is behind anyway.
const LOOKED_BACK: i64 = 1000;

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
    /// The revision at which it, or what is delivered inside it, changed last, as far as one looks back.
    changed: i64,
}

impl Filter {
    fn passes(&self, serving: &Serving) -> bool {
        self.prompt.as_ref().is_none_or(|prompt| prompt.id == serving.prompt)
            && self.label.as_ref().is_none_or(|label| *label == serving.label)
    }

    /// Whether an instance serves any of it.
    fn concerns(&self, row: &InstanceRow) -> bool {
        (self.prompt.is_none() && self.label.is_none()) || row.serving.iter().any(|one| self.passes(one))
    }

    /// Whether an instance that serves this has the latest.
    fn is_current(&self, row: &InstanceRow) -> bool {
        match &self.prompt {
            Some(prompt) => {
                let mut serving = row.serving.iter().filter(|one| self.passes(one));
                row.revision >= prompt.changed
                    && serving.all(|one| prompt.pointers.get(&one.label).copied() == Some(one.version))
            }
            None => row.revision >= self.revision,
        }
    }
}

/// What is asked for.
pub struct Asked<'a> {
    /// The clients of one prompt.
    pub prompt: Option<&'a str>,
    /// The clients of one label.
    pub label: Option<&'a str>,
    /// How many are listed.
    pub limit: usize,
}

/// Somebody on the list.
struct Listed {
    row: InstanceRow,
    current: bool,
    silent: bool,
}

/// The clients of a workspace, of one prompt, of one label.
pub async fn clients(app: &App, access: &Access, asked: Asked<'_>) -> Result<Clients> {
    let filter = filter(app, access, asked.prompt, asked.label).await?;
    let now = app.clock().now();
    let (counts, listed) = look(app, access, &filter, now, asked.limit).await?;
    let names = Named::read(app, access, &listed).await?;
    let instances = listed.into_iter().map(|one| names.instance(one)).collect();
    Ok(Clients { revision: filter.revision, at: now, instances, counts })
}

/// Counts all that are there, and lists some of them, those that are behind first.
async fn look(
    app: &App,
    access: &Access,
    filter: &Filter,
    now: Time,
    limit: usize,
) -> Result<(ClientCounts, Vec<Listed>)> {
    let mut counts = ClientCounts::default();
    let heard_until = now - app.config().clients.silent_after;
    let (mut behind, mut current) = (Vec::new(), Vec::new());
    roster::each(app, access.workspace, now - GONE_AFTER, |row| {
        if !filter.concerns(row) {
            return;
        }
        let is_current = filter.is_current(row);
        let silent = row.last_seen < heard_until;
        counts.total += 1;
        counts.current += i64::from(is_current);
        counts.silent += i64::from(silent && !is_current);
        let list = if is_current { &mut current } else { &mut behind };
        if list.len() < limit {
            let mut row = row.clone();
            row.serving.retain(|one| filter.passes(one));
            list.push(Listed { row, current: is_current, silent });
        }
    })
    .await?;
    behind.extend(current);
    behind.truncate(limit);
    Ok((counts, behind))
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
            let changed = queries::last_change(&mut tx, row.id, revision - LOOKED_BACK).await?;
            Some(Prompt { id: row.id, pointers, changed })
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
    async fn read(app: &App, access: &Access, listed: &[Listed]) -> Result<Named> {
        let (mut slugs, mut keys) = (HashMap::new(), HashMap::new());
        let prompts: HashSet<Uuid> =
            listed.iter().flat_map(|one| one.row.serving.iter().map(|serving| serving.prompt)).collect();
        let asked: HashSet<Uuid> = listed.iter().filter_map(|one| one.row.key).collect();
        if listed.is_empty() {
            return Ok(Named { slugs, keys: HashMap::new() });
        }
        let mut tx = app.db().tenant(access.workspace).read().await?;
        for some in prompts.into_iter().collect::<Vec<_>>().chunks(1000) {
            slugs.extend(queries::slugs(&mut tx, some).await?);
        }
        for some in asked.into_iter().collect::<Vec<_>>().chunks(1000) {
            keys.extend(api_keys::names(&mut tx, some).await?);
        }
        tx.commit().await?;
        Ok(Named { slugs, keys })
    }

    fn instance(&self, Listed { row, current, silent }: Listed) -> ClientInstance {
        let key = row.key.and_then(|id| Some(ClientKey { id, name: self.keys.get(&id)?.clone() }));
        let serving = row
            .serving
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
            silent,
            last_seen: row.last_seen,
            first_seen: row.first_seen,
            serving,
            stream: row.stream,
        }
    }
}
