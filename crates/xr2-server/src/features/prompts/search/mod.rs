//! Search: which prompts have all words of a text, the best first, and where the words stand in them.
//!
//! The index is written in the transaction of the change. A prompt has a number in it, higher than all others when its
//! words change, so that "the latest first" is the order the index is read in and nothing has to be sorted: a common word
//! costs no more than the page that is shown. Ranking is a short list of questions, asked one after the other until the
//! page is full: the words in the title, then in title or slug, and so on; whatever was typed before what begins with it,
//! and what may have been meant only where little was found.

mod highlight;
mod jobs;
mod lexemes;
mod queries;
mod question;
mod typos;
mod words;

use std::collections::HashSet;

use uuid::Uuid;
use xr2_db::Tx;

use crate::error::Result;
use crate::features::prompts::listing::filter::Filter;
use crate::features::prompts::listing::passing;
use crate::features::prompts::search::lexemes::Field;
use crate::features::prompts::search::question::Fit;

pub use highlight::{Highlight, highlight};
pub use jobs::IndexPrompts;
pub use lexemes::Document;
pub use question::Question;
pub use typos::Vocabularies;

/// Hits of one question that are looked at a time.
const BATCH: usize = 200;
/// Hits that are looked at in all.
const MOST_LOOKED_AT: usize = 20_000;
/// Where fewer are found, what may have been meant is looked for as well.
const FEW: usize = 10;

/// Makes `document` what the prompt is found by, in the transaction of the change.
pub async fn put(tx: &mut Tx, prompt: Uuid, document: &Document) -> xr2_db::Result<()> {
    let entries = lexemes::entries(tx.workspace(), document);
    queries::write(tx, prompt, document.archived || document.deleted, &entries).await
}

/// What was found.
pub struct Found {
    /// Prompts, the best first.
    pub ids: Vec<Uuid>,
    /// Whether there may be more.
    pub more: bool,
    /// What was looked for, with what may have been meant.
    pub question: Question,
}

/// At least `wanted` prompts that answer the filter's search and pass it, if there are as many.
pub async fn find(vocabularies: &Vocabularies, tx: &mut Tx, filter: &Filter, wanted: usize) -> Result<Found> {
    let text = filter.search.as_deref().unwrap_or_default();
    let question = Question::read(tx.workspace(), text, filter);
    let mut search = Search { filter, seen: HashSet::new(), ids: Vec::new(), wanted, more: false };
    if question.wanted.is_empty() {
        return Ok(Found { ids: Vec::new(), more: false, question });
    }
    let mut question = question;
    for field in Field::ALL {
        search.ask(tx, &question, field, Fit::Exact).await?;
        if question.has_begun() {
            search.ask(tx, &question, field, Fit::Begun).await?;
        }
    }
    if search.seen.len() < FEW {
        let words: Vec<&str> = question.wanted.iter().map(|word| word.text.as_str()).collect();
        let meant = vocabularies.meant(tx, &words).await?;
        let any = meant.iter().any(|meant| !meant.is_empty());
        for (word, meant) in question.wanted.iter_mut().zip(meant) {
            word.meant = meant;
        }
        if any {
            for field in [Field::Title, Field::Description, Field::Content] {
                search.ask(tx, &question, field, Fit::Meant).await?;
            }
        }
    }
    Ok(Found { ids: search.ids, more: search.more, question })
}

/// A search under way.
struct Search<'a> {
    filter: &'a Filter,
    /// What an earlier question has found, whether it passed or not.
    seen: HashSet<Uuid>,
    ids: Vec<Uuid>,
    wanted: usize,
    more: bool,
}

impl Search<'_> {
    /// Adds what answers the question, until there is enough.
    async fn ask(&mut self, tx: &mut Tx, question: &Question, field: Field, fit: Fit) -> Result<()> {
        let asked = question.write(tx.engine(), field, fit);
        let shown_only = Question::shown_only(self.filter);
        let mut before = i64::MAX;
        while !self.more {
            // What was found before is found again.
            let most = BATCH.max(self.wanted.saturating_sub(self.ids.len()) + self.seen.len());
            let hits = queries::hits(tx, &asked, shown_only, before, most as i64).await?;
            let is_last = hits.len() < most;
            before = hits.last().map_or(0, |(doc, _)| *doc);
            let mut fresh: Vec<Uuid> =
                hits.into_iter().map(|(_, id)| id).filter(|id| self.seen.insert(*id)).collect();
            if !self.filter.is_within_index() && !fresh.is_empty() {
                fresh = passing(tx, self.filter, &fresh).await?;
            }
            self.ids.extend(fresh);
            self.more = self.ids.len() >= self.wanted || self.seen.len() >= MOST_LOOKED_AT;
            if is_last {
                // Another question may still find some; only what comes after this one is known to be nothing.
                break;
            }
        }
        Ok(())
    }
}
