//! Taking a few rows into the workspace, in one change.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::auth::{Access, Right};
use crate::error::{ApiError, Code, Result};
use crate::events::Change;
use crate::features::exports::Pointer;
use crate::features::imports::item::Item;
use crate::features::imports::model::Status;
use crate::features::imports::options::{OnConflict, Options};
use crate::features::imports::prepare::{Prepared, Setting, author, import_key, owner_of, prepare};
use crate::features::imports::queries::{self, Told};
use crate::features::imports::workspace;
use crate::features::prompts::{
    self, Again, Arrival, KnownSnippets, Links, Moved, Over, PRODUCTION, Pointed, PromptRow, check_move,
};

/// What an import remembers from one change to the next.
pub(super) struct Run {
    pub import: Uuid,
    pub options: Options,
    pub access: Access,
    pub setting: Setting,
    /// Slugs that rows of this file have got.
    pub claimed: HashSet<String>,
    /// Whether a row that includes what is not there has failed, rather than waiting for it.
    pub is_last_wave: bool,
}

/// A row with what was made of it before the transaction.
pub(super) struct ReadyRow {
    pub number: i64,
    pub thing: std::result::Result<Thing, String>,
}

/// What can be written.
pub(super) enum Thing {
    Prompt(Box<Prepared>),
    Other(Item),
}

/// What a row comes to; none: it waits for others.
type Came = Option<Told>;

impl Run {
    /// Reads rows as they were staged.
    pub fn ready(&self, rows: Vec<queries::Waiting>) -> Vec<ReadyRow> {
        let one = |row: queries::Waiting| {
            let thing = match serde_json::from_str::<Item>(&row.payload) {
                Ok(Item::Prompt(item)) => {
                    prepare(&self.setting, *item).map(|prepared| Thing::Prompt(Box::new(prepared)))
                }
                Ok(other) => Ok(Thing::Other(other)),
                Err(error) => Err(error.to_string()),
            };
            ReadyRow { number: row.number, thing }
        };
        rows.into_iter().map(one).collect()
    }

    /// Takes rows in. Those that are not among what is told wait for others of the file.
    pub async fn bring(&mut self, change: &mut Change, rows: Vec<ReadyRow>) -> Result<Vec<Told>> {
        let mut looked_up = LookedUp::of(change, &rows).await?;
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let number = row.number;
            let came = match row.thing {
                Err(reason) => Ok(Some(failed(number, String::new(), reason))),
                Ok(Thing::Other(item)) => workspace::bring(change, self, number, item).await.map(Some),
                Ok(Thing::Prompt(prepared)) => {
                    let slug = prepared.arrival.row.slug.clone();
                    let came = self.prompt(change, &mut looked_up, number, *prepared).await;
                    came.map_err(|error| (slug, error)).or_else(|(slug, error)| refused(number, slug, error))
                }
            };
            told.extend(came?);
        }
        prompts::insert_arrivals(change, std::mem::take(&mut looked_up.arrivals)).await?;
        Ok(told)
    }

    async fn prompt(
        &mut self,
        change: &mut Change,
        looked_up: &mut LookedUp,
        number: i64,
        prepared: Prepared,
    ) -> Result<Came> {
        match self.place(change, looked_up, &prepared).await? {
            Place::Free(slug) => self.arrive(change, looked_up, number, prepared, slug).await,
            Place::There(row) => self.again(change, number, prepared, *row).await,
            Place::Claimed => Ok(Some(failed(
                number,
                prepared.arrival.row.slug,
                "another row of this file has got this slug".to_owned(),
            ))),
        }
    }

    /// The slug that is free, or the prompt that is there already.
    async fn place(&self, change: &mut Change, looked_up: &LookedUp, prepared: &Prepared) -> Result<Place> {
        let base = &prepared.arrival.row.slug;
        if !prepared.item.derived {
            return Ok(match owner_of(&looked_up.owners, base) {
                Some(id) => looked_up.row(id)?,
                None if self.claimed.contains(base) => Place::Claimed,
                None => Place::Free(base.clone()),
            });
        }
        let key = prepared.item.key.as_deref().map(|key| import_key(&self.setting.source, key));
        let is_ours = |row: &PromptRow| key.is_none() || row.metadata.get("import") == key.as_ref();
        for n in 1..=1000 {
            let slug = if n == 1 { base.clone() } else { format!("{base}-{n}") };
            if self.claimed.contains(&slug) {
                continue;
            }
            let found = match n {
                1 => owner_of(&looked_up.owners, &slug).map(|id| looked_up.row(id)).transpose()?,
                _ => {
                    let found = prompts::find(change.tx(), &slug).await?;
                    found.map(|row| Place::There(Box::new(row)))
                }
            };
            match found {
                None => return Ok(Place::Free(slug)),
                Some(Place::There(row)) if is_ours(&row) => return Ok(Place::There(row)),
                Some(_) => {}
            }
        }
        Err(ApiError::new(Code::Conflict, "a thousand prompts have this name already"))
    }

    async fn arrive(
        &mut self,
        change: &mut Change,
        looked_up: &mut LookedUp,
        number: i64,
        mut prepared: Prepared,
        slug: String,
    ) -> Result<Came> {
        let mut notes = Vec::new();
        prepared.arrival.row.slug = slug.clone();
        self.point(change, looked_up, &mut prepared, &mut notes).await?;
        let Prepared { mut arrival, .. } = prepared;
        let is_free =
            |slug: &String| owner_of(&looked_up.owners, slug).is_none() && !self.claimed.contains(slug);
        let (free, taken): (Vec<_>, Vec<_>) =
            std::mem::take(&mut arrival.former_slugs).into_iter().partition(|(slug, _)| is_free(slug));
        notes.extend(taken.iter().map(|(slug, _)| format!("its former slug {slug} is another prompt's")));
        arrival.former_slugs = free;
        arrival.compile_shown()?;
        let links = match arrival.has_includes() {
            false => Links::default(),
            true => {
                // What came in this change has to be there for those that include it.
                prompts::insert_arrivals(change, std::mem::take(&mut looked_up.arrivals)).await?;
                match prompts::link(change.tx(), &arrival, &mut KnownSnippets::default()).await {
                    Ok(links) => links,
                    Err(error) if error.code == Code::Template => {
                        return self.wait_or_fail(change, number, arrival, looked_up, error).await;
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        self.claimed.insert(slug.clone());
        self.claimed.extend(arrival.former_slugs.iter().map(|(slug, _)| slug.clone()));
        let link_again = arrival.has_includes() && !links.is_whole;
        looked_up.arrivals.push((arrival, links));
        let message = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Some(Told { number, slug, status: Status::Created, message, link_again }))
    }

    /// A prompt whose includes are not there: they may come with later rows.
    async fn wait_or_fail(
        &mut self,
        change: &mut Change,
        number: i64,
        arrival: Arrival,
        looked_up: &mut LookedUp,
        error: ApiError,
    ) -> Result<Came> {
        if self.options.dry_run {
            let wanted: Vec<String> =
                arrival.shown().flat_map(|version| prompts::included_slugs(&version.source)).collect();
            let come = queries::brings(change.tx(), self.import, &wanted).await?;
            let mut missing = Vec::new();
            for slug in wanted.iter().filter(|slug| !come.contains(slug)) {
                if prompts::find(change.tx(), slug).await?.is_none() {
                    missing.push(slug);
                }
            }
            if missing.is_empty() && !come.is_empty() {
                let slug = arrival.row.slug.clone();
                self.claimed.insert(slug.clone());
                looked_up.arrivals.push((arrival, Links::default()));
                return Ok(Some(Told {
                    number,
                    slug,
                    status: Status::Created,
                    message: None,
                    link_again: false,
                }));
            }
        } else if !self.is_last_wave {
            return Ok(None);
        }
        Ok(Some(failed(number, arrival.row.slug, error.message)))
    }

    /// Lets the labels of the file point where they may.
    async fn point(
        &self,
        change: &mut Change,
        looked_up: &mut LookedUp,
        prepared: &mut Prepared,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let arrival = &mut prepared.arrival;
        let publish = self.options.publish.or(prepared.item.publish);
        let mut wanted: Vec<Pointer> = match self.options.publish {
            Some(false) => Vec::new(),
            _ => prepared.item.prompt.labels.clone(),
        };
        let is_plain = !prepared.item.whole && wanted.is_empty();
        if (is_plain && publish != Some(false)) || (self.options.publish == Some(true) && wanted.is_empty()) {
            let label = PRODUCTION.to_owned();
            let version = arrival.row.latest_version;
            wanted.push(Pointer { label, version, comment: None, moved_by: None, moved_at: None });
        }
        for pointer in wanted {
            if !arrival.versions.iter().any(|version| version.number == pointer.version) {
                notes.push(format!(
                    "its label {} points at version {}, which is not there",
                    pointer.label, pointer.version
                ));
                continue;
            }
            match self.may_point(change, looked_up, &pointer.label).await? {
                None => {}
                Some(error) if self.options.publish == Some(true) => return Err(error),
                Some(error) => {
                    notes.push(format!("label {}: {}", pointer.label, error.message));
                    continue;
                }
            }
            let (by, at) = author(&self.setting, &pointer.moved_by, pointer.moved_at);
            let Pointer { label, version, comment, .. } = pointer;
            if !arrival.moves.iter().any(|one| one.label == label && one.to == Some(version)) {
                let action = if label == PRODUCTION { "published" } else { "moved" }.to_owned();
                let (label, comment, by) = (label.clone(), comment.clone(), by.clone());
                arrival.moves.push(Moved { label, action, from: None, to: Some(version), comment, by, at });
            }
            arrival.pointers.push(Pointed { label, version, comment, by, at });
        }
        Ok(())
    }

    /// Why a label may not be moved, if so; asked once a change.
    async fn may_point(
        &self,
        change: &mut Change,
        looked_up: &mut LookedUp,
        label: &str,
    ) -> Result<Option<ApiError>> {
        if let Some(known) = looked_up.labels.get(label) {
            return Ok(known.clone());
        }
        let refusal = match check_move(change, &self.access, label, Some("import")).await {
            Ok(()) => None,
            Err(error) if error.code.status().is_client_error() => Some(error),
            Err(error) => return Err(error),
        };
        looked_up.labels.insert(label.to_owned(), refusal.clone());
        Ok(refusal)
    }

    /// A prompt that is there already.
    async fn again(
        &mut self,
        change: &mut Change,
        number: i64,
        prepared: Prepared,
        row: PromptRow,
    ) -> Result<Came> {
        let slug = row.slug.clone();
        if row.deleted_at.is_some() {
            if prepared.arrival.row.deleted_at.is_some() {
                return Ok(Some(Told::of(number, slug, Status::Unchanged)));
            }
            let reason = "it was imported before and is in the bin; take it out of the bin or empty the bin";
            return Ok(Some(failed(number, slug, reason.to_owned())));
        }
        let is_live = prepared.item.prompt.labels.iter().any(|pointer| {
            pointer.label == PRODUCTION && pointer.version == prepared.arrival.row.latest_version
        });
        let publish =
            match (self.options.publish, prepared.item.whole || !prepared.item.prompt.labels.is_empty()) {
                (Some(publish), _) => Some(publish),
                (None, true) if !is_live => Some(false),
                (None, _) => prepared.item.publish,
            };
        let Prepared { arrival, source, item } = prepared;
        let again = Again {
            source,
            facts: arrival.row,
            is_whole: item.whole,
            summary: format!("Imported again from {}", self.setting.source),
            publish,
            over: match self.options.on_conflict {
                OnConflict::Update => Over::Everything,
                OnConflict::KeepEdited => Over::WhatNobodyEdited,
                OnConflict::Skip | OnConflict::Fail => Over::Nothing,
            },
        };
        let came = prompts::import_again(change, &self.access, row, again).await;
        let met = match came {
            // What it includes may come with later rows.
            Err(error) if error.code == Code::Template && !self.is_last_wave && !self.options.dry_run => {
                return Ok(None);
            }
            other => other?,
        };
        self.claimed.insert(slug.clone());
        Ok(Some(match met {
            prompts::Met::Same => Told::of(number, slug, Status::Unchanged),
            prompts::Met::Updated => Told::of(number, slug, Status::Updated),
            prompts::Met::Kept(reason) => {
                let status = match self.options.on_conflict {
                    OnConflict::Fail => Status::Failed,
                    _ => Status::Skipped,
                };
                Told { message: Some(reason), ..Told::of(number, slug, status) }
            }
        }))
    }

    /// Whether the caller may change the workspace itself.
    pub fn is_admin(&self) -> bool {
        self.access.rights.has(Right::Admin)
    }
}

impl Told {
    pub(super) fn of(number: i64, slug: String, status: Status) -> Told {
        Told { number, slug, status, message: None, link_again: false }
    }
}

fn failed(number: i64, slug: String, reason: String) -> Told {
    Told { message: Some(reason), ..Told::of(number, slug, Status::Failed) }
}

/// A row that is refused says why; what is no refusal ends the import.
fn refused(number: i64, slug: String, error: ApiError) -> Result<Came> {
    match error.code.status().is_client_error() {
        true => Ok(Some(failed(number, slug, error.message))),
        false => Err(error),
    }
}

enum Place {
    Free(String),
    There(Box<PromptRow>),
    Claimed,
}

/// What was looked up for all rows of a change at once.
struct LookedUp {
    owners: Vec<(String, Uuid)>,
    rows: HashMap<Uuid, PromptRow>,
    labels: HashMap<String, Option<ApiError>>,
    arrivals: Vec<(Arrival, Links)>,
}

impl LookedUp {
    async fn of(change: &mut Change, rows: &[ReadyRow]) -> Result<LookedUp> {
        let prompts = rows.iter().filter_map(|row| match &row.thing {
            Ok(Thing::Prompt(prepared)) => Some(&prepared.arrival),
            _ => None,
        });
        let slugs: Vec<&str> = prompts
            .flat_map(|arrival| {
                let former = arrival.former_slugs.iter().map(|(slug, _)| slug.as_str());
                std::iter::once(arrival.row.slug.as_str()).chain(former)
            })
            .collect();
        let mut owners = Vec::new();
        for some in slugs.chunks(500) {
            owners.extend(prompts::slug_owners(change.tx(), some).await?);
        }
        let mut ids: Vec<Uuid> = owners.iter().map(|(_, id)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut found = HashMap::new();
        for some in ids.chunks(500) {
            found.extend(prompts::prompts_of(change.tx(), some).await?.into_iter().map(|row| (row.id, row)));
        }
        Ok(LookedUp { owners, rows: found, labels: HashMap::new(), arrivals: Vec::new() })
    }

    fn row(&self, id: Uuid) -> Result<Place> {
        let row = self.rows.get(&id).cloned().ok_or_else(|| ApiError::not_found("prompt"))?;
        Ok(Place::There(Box::new(row)))
    }
}
