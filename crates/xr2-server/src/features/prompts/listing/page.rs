//! One page of a list: which prompts, and where the next one begins.

use chrono::DateTime;
use uuid::Uuid;
use xr2_db::{Tx, Value};

use crate::clock::rfc3339;
use crate::error::{ApiError, Result};
use crate::features::prompts::PromptRow;
use crate::features::prompts::listing::calls::Calls;
use crate::features::prompts::listing::cursor::Place;
use crate::features::prompts::listing::filter::{Filter, Key, Sort};
use crate::features::prompts::listing::queries::{self, From};
use crate::features::prompts::search::{self, Question, Vocabularies};

/// So many of the best hits are looked for at least, to tell how many there are.
const FOUND: usize = 100;
/// And so many where they are to stand in another order.
const SORTED: usize = 2000;
/// As many prompts of a list are counted, and no more.
const COUNTED: i64 = 10_000;
/// And so many where each has to be looked at.
const COUNTED_ONE_BY_ONE: i64 = 1000;
/// Called prompts that are held against the filter at a time.
const BATCH: usize = 500;

/// Which page of a list.
pub(super) struct Asked<'a> {
    pub vocabularies: &'a Vocabularies,
    pub filter: &'a Filter,
    pub sort: Sort,
    /// Where it begins.
    pub place: Place,
    /// Items on it.
    pub limit: i64,
    /// What prompts are called, if the order asks for it.
    pub calls: Calls,
}

/// What stands on it.
pub(super) struct Found {
    /// What was searched for, if anything was.
    pub question: Option<Question>,
    pub rows: Vec<PromptRow>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
    /// How many there are in all, and whether there may be more.
    pub total: (i64, bool),
}

pub(super) async fn find(tx: &mut Tx, asked: &Asked<'_>) -> Result<Found> {
    if asked.filter.search.is_some() {
        return search(tx, asked).await;
    }
    let among = queries::few(tx, asked.filter).await?;
    let mut found = in_order(tx, asked, among.as_deref()).await?;
    if found.total.0 < 0 {
        found.total = count(tx, asked.filter, among.as_deref()).await?;
    }
    Ok(found)
}

/// A page of what answers the search.
async fn search(tx: &mut Tx, asked: &Asked<'_>) -> Result<Found> {
    if asked.sort.key != Key::Relevance {
        let hits = search::find(asked.vocabularies, tx, asked.filter, SORTED).await?;
        let mut found = in_order(tx, asked, Some(&hits.ids)).await?;
        found.total = (hits.ids.len() as i64, hits.more);
        found.question = Some(hits.question);
        return Ok(found);
    }
    let before = match asked.place {
        Place::Count(before) => usize::try_from(before).unwrap_or(usize::MAX),
        Place::Behind { .. } => 0,
    };
    let limit = usize::try_from(asked.limit).unwrap_or(0);
    let wanted = before.saturating_add(limit + 1).max(FOUND);
    let hits = search::find(asked.vocabularies, tx, asked.filter, wanted).await?;
    let ids: Vec<Uuid> = hits.ids.iter().copied().skip(before).take(limit).collect();
    let more = hits.ids.len() > before.saturating_add(limit);
    Ok(Found {
        question: Some(hits.question),
        rows: queries::rows(tx, &ids).await?,
        next: more.then(|| Place::Count((before + limit) as i64)),
        total: (hits.ids.len() as i64, hits.more),
    })
}

/// A page in an order that the database knows; its total is negative where it is still to be counted.
async fn in_order(tx: &mut Tx, asked: &Asked<'_>, among: Option<&[Uuid]>) -> Result<Found> {
    let mut ids = match asked.sort.key {
        Key::Calls => by_calls(tx, asked, among).await?,
        _ => {
            let from = from(asked)?;
            queries::ids(tx, asked.filter, among, asked.sort, from, asked.limit + 1).await?
        }
    };
    let more = ids.len() as i64 > asked.limit;
    ids.truncate(usize::try_from(asked.limit).unwrap_or(0));
    let rows = queries::rows(tx, &ids).await?;
    let next = match rows.last().filter(|_| more) {
        Some(last) => Some(behind(tx, asked, last).await?),
        None => None,
    };
    let total = match asked.place {
        Place::Count(before) if !more && (before == 0 || !ids.is_empty()) => {
            (before + ids.len() as i64, false)
        }
        _ => (-1, false),
    };
    Ok(Found { question: None, rows, next, total })
}

/// How many prompts there are in all, and whether there may be more.
async fn count(tx: &mut Tx, filter: &Filter, among: Option<&[Uuid]>) -> Result<(i64, bool)> {
    let most = if filter.is_plain() { COUNTED } else { COUNTED_ONE_BY_ONE };
    let counted = queries::count(tx, filter, among, most + 1).await?;
    Ok((counted.min(most), counted > most))
}

fn from(asked: &Asked<'_>) -> Result<From> {
    Ok(match &asked.place {
        Place::Count(offset) => From::Offset(*offset),
        Place::Behind { key, id } => From::Behind(
            match asked.sort.key {
                Key::UpdatedAt | Key::CreatedAt => {
                    let time = DateTime::parse_from_rfc3339(key).map_err(ApiError::internal)?;
                    Value::from(time.to_utc())
                }
                _ => Value::from(key.as_str()),
            },
            *id,
        ),
    })
}

async fn behind(tx: &mut Tx, asked: &Asked<'_>, last: &PromptRow) -> Result<Place> {
    let key = match asked.sort.key {
        Key::UpdatedAt => rfc3339(&last.updated_at),
        Key::CreatedAt => rfc3339(&last.created_at),
        Key::Slug => last.slug.clone(),
        Key::Title => queries::title_key(tx, last.id).await?.unwrap_or_default(),
        Key::LastFetchedAt | Key::EditedAt | Key::Calls | Key::Relevance => {
            let before = match asked.place {
                Place::Count(before) => before,
                Place::Behind { .. } => 0,
            };
            return Ok(Place::Count(before + asked.limit));
        }
    };
    Ok(Place::Behind { key, id: last.id })
}

/// Ids of the page and one more, in the order of calls; those called alike, the last changed first.
async fn by_calls(tx: &mut Tx, asked: &Asked<'_>, among: Option<&[Uuid]>) -> Result<Vec<Uuid>> {
    let Place::Count(before) = asked.place else { return Ok(Vec::new()) };
    let wanted = usize::try_from(before + asked.limit + 1).unwrap_or(usize::MAX);
    let calls = &asked.calls;
    let mut found = Vec::new();
    if asked.sort.descending {
        let mut called: Vec<Uuid> = calls.keys().copied().collect();
        called.sort_by_key(|id| (std::cmp::Reverse(calls[id]), std::cmp::Reverse(*id)));
        for some in called.chunks(BATCH) {
            found.extend(queries::passing(tx, asked.filter, some).await?);
            if found.len() >= wanted {
                break;
            }
        }
    }
    if found.len() < wanted {
        let last_changed_first = Sort { key: Key::UpdatedAt, descending: true };
        let all =
            queries::ids(tx, asked.filter, among, last_changed_first, From::Offset(0), i64::MAX).await?;
        let uncalled = all.iter().copied().filter(|id| !calls.contains_key(id));
        if asked.sort.descending {
            found.extend(uncalled);
        } else {
            found = uncalled.collect();
            let mut called: Vec<Uuid> = all.into_iter().filter(|id| calls.contains_key(id)).collect();
            called.sort_by_key(|id| (calls[id], *id));
            found.extend(called);
        }
    }
    let skipped = usize::try_from(before).unwrap_or(usize::MAX);
    Ok(found.into_iter().skip(skipped).take(wanted.saturating_sub(skipped)).collect())
}
