//! Counting tags and categories, and changing one in all prompts.

use std::time::Duration;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::events::Change;
use crate::features::prompts::access::shorten;
use crate::features::prompts::words::dto::{Facet, Facets, Replaced};
use crate::features::prompts::words::queries;
use crate::features::prompts::{self, PromptRow, labels, update};
use crate::state::App;

/// Prompts locked at once.
const BATCH: usize = 100;
/// After so long the others who write get their turn.
const TURN: Duration = Duration::from_millis(100);
/// Words of each sort that an overview shows, the most frequent ones.
const OVERVIEW: usize = 200;

/// What sort of word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A tag; it is delivered.
    Tag,
    /// A category; it is not.
    Category,
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Word::Tag => "tag",
            Word::Category => "category",
        }
    }
}

/// All words of a sort by name, each with how many prompts have it.
pub async fn list(app: &App, caller: &Access, word: Word) -> Result<Vec<Facet>> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let mut counts = match word {
        Word::Tag => queries::tags(&mut tx).await?,
        Word::Category => queries::categories(&mut tx).await?,
    };
    tx.commit().await?;
    counts.sort_by_cached_key(|(name, _)| (name.to_lowercase(), name.clone()));
    Ok(facets(counts))
}

/// The most frequent words of both sorts.
pub async fn overview(app: &App, caller: &Access) -> Result<Facets> {
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let (tags, categories) = (queries::tags(&mut tx).await?, queries::categories(&mut tx).await?);
    tx.commit().await?;
    let most = |mut counts: Vec<(String, i64)>| {
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts.truncate(OVERVIEW);
        facets(counts)
    };
    Ok(Facets { tags: most(tags), categories: most(categories) })
}

fn facets(counts: Vec<(String, i64)>) -> Vec<Facet> {
    counts.into_iter().map(|(name, prompts)| Facet { name, prompts }).collect()
}

/// Puts `to` in the place of `from` in all prompts, or nothing. Each prompt is looked at once, so that two who rename
/// against each other come to an end.
pub async fn replace(
    app: &App,
    caller: &Access,
    word: Word,
    from: &str,
    to: Option<&str>,
) -> Result<Replaced> {
    let to = to.map(read_name).transpose()?;
    let mut tx = app.db().tenant(caller.workspace).read().await?;
    let prompts = match word {
        Word::Tag => queries::with_tag(&mut tx, from).await?,
        Word::Category => queries::of_category(&mut tx, from).await?,
    };
    tx.commit().await?;
    if prompts.is_empty() {
        return Err(ApiError::not_found(&format!("{} \"{}\"", word.name(), shorten(from))));
    }
    let mut changed = 0;
    let mut left: &[Uuid] = if to == Some(from) { &[] } else { prompts.as_slice() };
    while !left.is_empty() {
        let turn = turn(app, caller, &left[..left.len().min(BATCH)], word, from, to).await?;
        changed += turn.changed;
        left = &left[turn.seen..];
    }
    Ok(Replaced { name: to.map(str::to_owned), changed })
}

fn read_name(name: &str) -> Result<&str> {
    match name.trim() {
        "" => Err(ApiError::invalid_field("name", "required", "must not be empty")),
        name => Ok(name),
    }
}

struct Turn {
    /// Prompts that are done.
    seen: usize,
    /// Those of them that had the word still.
    changed: i64,
}

/// Changes some of these prompts, at least one, in a change of their own.
async fn turn(
    app: &App,
    caller: &Access,
    prompts: &[Uuid],
    word: Word,
    from: &str,
    to: Option<&str>,
) -> Result<Turn> {
    let began = app.clock().monotonic();
    let mut change = Change::begin(app, caller).await?;
    change.is_no_edit();
    let rows = queries::locked(change.tx(), prompts).await?;
    let mut pointers = match word {
        Word::Tag => queries::pointers(change.tx(), prompts).await?,
        Word::Category => Default::default(),
    };
    let mut turn = Turn { seen: prompts.len(), changed: 0 };
    for row in rows {
        let id = row.id;
        turn.changed += match word {
            Word::Tag => {
                let pointers = pointers.remove(&id).unwrap_or_default();
                replace_tag(&mut change, row, from, to, pointers).await?
            }
            Word::Category => replace_category(&mut change, row, from, to).await?,
        };
        if app.clock().monotonic() - began > TURN {
            turn.seen = prompts.iter().position(|prompt| *prompt == id).map_or(prompts.len(), |at| at + 1);
            break;
        }
    }
    change.commit().await?;
    Ok(turn)
}

async fn replace_tag(
    change: &mut Change,
    mut row: PromptRow,
    from: &str,
    to: Option<&str>,
    pointers: Vec<(String, i64)>,
) -> Result<i64> {
    let Some(at) = row.tags.iter().position(|tag| tag == from) else { return Ok(0) };
    let before = row.clone();
    match to.filter(|to| !row.tags.iter().any(|tag| tag == to)) {
        Some(to) => to.clone_into(&mut row.tags[at]),
        None => drop(row.tags.remove(at)),
    }
    prompts::queries::set_tags(change.tx(), row.id, &row.tags, false).await?;
    let latest = (labels::LATEST.to_owned(), row.latest_version);
    let labels: Map<String, Value> =
        pointers.into_iter().chain([latest]).map(|(label, version)| (label, version.into())).collect();
    update::keep_facts(change, &before, row, Some(labels.into())).await?;
    Ok(1)
}

async fn replace_category(
    change: &mut Change,
    mut row: PromptRow,
    from: &str,
    to: Option<&str>,
) -> Result<i64> {
    if row.category.as_deref() != Some(from) {
        return Ok(0);
    }
    let before = row.clone();
    row.category = to.map(str::to_owned);
    update::keep_facts(change, &before, row, None).await?;
    Ok(1)
}
