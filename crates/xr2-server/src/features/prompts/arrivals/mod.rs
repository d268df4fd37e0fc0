//! Prompts that come from elsewhere with all they have, many at once.

pub(super) mod queries;

use serde_json::json;
use uuid::Uuid;
use xr2_db::Tx;
use xr2_prompt::{excerpt, list_includes};

use self::queries as rows;
use crate::clock::Time;
use crate::error::Result;
use crate::events::{Actor, Change, EventType, NewEvent, Resource};
use crate::features::prompts::create::EXCERPT;
use crate::features::prompts::drafts::DraftRow;
use crate::features::prompts::includes::{self, IncludedPrompt, KnownSnippets, resolve_snippets_among};
use crate::features::prompts::labels::{self, PRODUCTION};
use crate::features::prompts::queries::{self as stored, PromptRow, lock_labels};
use crate::features::prompts::versions::VersionRow;
use crate::features::prompts::{Source, drafts};

/// A prompt about to be made as it was elsewhere. Its slug is known to be free.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The prompt; what follows from its versions is filled in.
    pub row: PromptRow,
    /// Slugs it had, known to be free as well.
    pub former_slugs: Vec<(String, Time)>,
    /// Its versions, the oldest first; at least one.
    pub versions: Vec<VersionRow>,
    /// Where its labels point. Whether they may was checked.
    pub pointers: Vec<Pointed>,
    /// Where they pointed before.
    pub moves: Vec<Moved>,
    /// What is being worked on.
    pub drafts: Vec<DraftRow>,
}

/// A label of an arrival.
#[derive(Debug, Clone)]
pub struct Pointed {
    /// Its name.
    pub label: String,
    /// The version.
    pub version: i64,
    /// Why.
    pub comment: Option<String>,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Time,
}

/// A move of a label of an arrival.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The label.
    pub label: String,
    /// What it was.
    pub action: String,
    /// From where.
    pub from: Option<i64>,
    /// To where.
    pub to: Option<i64>,
    /// Why.
    pub comment: Option<String>,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Time,
}

impl Arrival {
    /// Fills in what follows from its versions.
    pub fn settle(&mut self) {
        let main = self.versions.iter().filter(|v| v.branch == drafts::MAIN && v.origin != "test");
        let Some(latest) = main.max_by_key(|version| version.number).or(self.versions.last()) else { return };
        self.row.last_number = self.versions.iter().map(|version| version.number).max().unwrap_or(1);
        self.row.latest_version = latest.number;
        self.row.kind = latest.source.content.prompt_type().as_str().to_owned();
        self.row.syntax = latest.source.syntax.as_str().to_owned();
        self.row.excerpt = excerpt(&latest.source.content, EXCERPT);
    }

    /// The versions that somebody can get: those that labels point at, and the newest when none does.
    pub fn shown(&self) -> impl Iterator<Item = &VersionRow> {
        let is_shown = |version: &&VersionRow| match self.pointers.is_empty() {
            true => version.number == self.row.latest_version,
            false => self.pointers.iter().any(|pointer| pointer.version == version.number),
        };
        self.versions.iter().filter(is_shown)
    }

    /// Whether anything of it includes another prompt.
    pub fn has_includes(&self) -> bool {
        self.versions.iter().any(|version| includes::has_includes(&version.source))
    }

    /// What is in what is shown that does not compile by itself.
    pub fn compile_shown(&self) -> Result<()> {
        for version in self.shown().filter(|version| !includes::has_includes(&version.source)) {
            includes::compile_with(Some(&self.row.slug), &version.source, &includes::Snippets::default())?;
        }
        Ok(())
    }
}

/// The slugs that a source includes.
pub fn included_slugs(source: &Source) -> Vec<String> {
    list_includes(&source.content, source.syntax).into_iter().map(|target| target.slug).collect()
}

/// What the versions of an arrival include, and whether all of it was found.
#[derive(Debug, Clone, Default)]
pub struct Links {
    found: Vec<(i64, IncludedPrompt)>,
    /// Whether everything that old versions include is there, too.
    pub is_whole: bool,
}

/// Looks up what an arrival includes. What is shown has to compile; an old version may include what is gone.
pub async fn link(tx: &mut Tx, arrival: &Arrival, known: &mut KnownSnippets) -> Result<Links> {
    lock_labels(tx).await?;
    for version in arrival.shown().filter(|version| includes::has_includes(&version.source)) {
        let snippets = resolve_snippets_among(tx, &version.source, known).await?;
        includes::compile_with(Some(&arrival.row.slug), &version.source, &snippets)?;
    }
    link_versions(tx, &arrival.versions, known).await
}

async fn link_versions(tx: &mut Tx, versions: &[VersionRow], known: &mut KnownSnippets) -> Result<Links> {
    let mut links = Links { found: Vec::new(), is_whole: true };
    for version in versions.iter().filter(|version| includes::has_includes(&version.source)) {
        let snippets = resolve_snippets_among(tx, &version.source, known).await?;
        for target in list_includes(&version.source.content, version.source.syntax) {
            match snippets.id(&target) {
                Some(id) => {
                    let selector = includes::stored_selector(&target);
                    links.found.push((version.number, IncludedPrompt { id, selector }));
                }
                None => links.is_whole = false,
            }
        }
    }
    Ok(links)
}

/// Looks once more for what the versions of a prompt include, after more prompts have come.
pub async fn link_again(tx: &mut Tx, slug: &str) -> Result<()> {
    let Some(row) = stored::find(tx, slug, false).await? else { return Ok(()) };
    let versions = rows::with_includes(tx, row.id).await?;
    let links = link_versions(tx, &versions, &mut KnownSnippets::default()).await?;
    rows::insert_includes(tx, links.found.into_iter().map(|(number, one)| (row.id, number, one))).await
}

/// Writes all of them, with what they include, and records what happened.
pub async fn insert_arrivals(change: &mut Change, arrivals: Vec<(Arrival, Links)>) -> Result<()> {
    for (arrival, _) in &arrivals {
        let shown = arrival.versions.iter().find(|one| one.number == arrival.row.latest_version);
        if let Some(shown) = shown {
            stored::insert(change.tx(), &arrival.row, &shown.source.content).await?;
            if arrival.row.deleted_at.is_some() {
                stored::save(change.tx(), &arrival.row).await?;
            }
        }
    }
    rows::insert_slugs(change.tx(), arrivals.iter().map(|(arrival, _)| arrival)).await?;
    rows::insert_tags(change.tx(), arrivals.iter().map(|(arrival, _)| &arrival.row)).await?;
    let of_versions = |(arrival, _): &(Arrival, Links)| {
        arrival.versions.iter().map(|version| (arrival.row.id, version.clone())).collect::<Vec<_>>()
    };
    rows::insert_versions(change.tx(), arrivals.iter().flat_map(of_versions)).await?;
    let of_links = |(arrival, links): &(Arrival, Links)| {
        let id = arrival.row.id;
        links.found.iter().map(move |(number, one)| (id, *number, one.clone())).collect::<Vec<_>>()
    };
    rows::insert_includes(change.tx(), arrivals.iter().flat_map(of_links)).await?;
    rows::insert_pointers(change.tx(), arrivals.iter().map(|(arrival, _)| arrival)).await?;
    let clock = change.app().clock().clone();
    rows::insert_moves(change.tx(), arrivals.iter().map(|(arrival, _)| arrival), || clock.new_id()).await?;
    rows::insert_drafts(change.tx(), arrivals.iter().map(|(arrival, _)| arrival)).await?;
    for (arrival, _) in &arrivals {
        record(change, arrival);
    }
    Ok(())
}

fn record(change: &mut Change, arrival: &Arrival) {
    let row = &arrival.row;
    let resource = || Resource::new("prompt", row.id, &row.slug);
    change.record(
        NewEvent::new(EventType::PromptCreated, resource())
            .after(json!({ "slug": row.slug, "title": row.title, "version": row.latest_version })),
    );
    for pointer in &arrival.pointers {
        let kind = match pointer.label == PRODUCTION {
            true => EventType::PromptPublished,
            false => EventType::LabelMoved,
        };
        change.record(labels::arrived_event(kind, row.id, &row.slug, &pointer.label, pointer.version));
    }
    if row.archived {
        change.record(
            NewEvent::new(EventType::PromptArchived, resource())
                .before(json!({ "archived": false }))
                .after(json!({ "archived": true, "slug": row.slug })),
        );
    }
    if row.deleted_at.is_some() {
        change
            .record(NewEvent::new(EventType::PromptDeleted, resource()).before(json!({ "slug": row.slug })));
    }
}

/// Which of `slugs` are taken, present or former, and by which prompt.
pub async fn slug_owners(tx: &mut Tx, slugs: &[&str]) -> Result<Vec<(String, Uuid)>> {
    Ok(rows::slug_owners(tx, slugs).await?)
}

/// The prompts with these ids.
pub async fn prompts_of(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<PromptRow>> {
    Ok(rows::prompts_of(tx, ids).await?)
}
