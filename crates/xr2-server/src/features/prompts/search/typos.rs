//! What may have been meant by a word that is mistyped: the words of a workspace, in memory, and how far two words differ.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use xr2_db::Tx;

use crate::error::Result;
use crate::features::prompts::search::queries;

/// Words of one workspace that are kept in memory.
const MOST_WORDS: i64 = 300_000;
/// Workspaces whose words are kept.
const MOST_WORKSPACES: usize = 32;
/// Transactions may be seen in another order than their numbers were given; so many are looked at once more.
const OVERLAP: i64 = 1000;
/// What one word may mean.
const MOST_MEANT: usize = 8;

/// Words by their letters, and how far they are known.
#[derive(Clone, Default)]
struct Known {
    /// Behind the number of letters: each word with a bit for each letter that it has.
    by_letters: Vec<Vec<(u32, Box<str>)>>,
    last: i64,
    latest: HashSet<i64>,
}

/// The words of the workspaces that were searched of late.
#[derive(Default)]
pub struct Vocabularies(Mutex<HashMap<Uuid, Arc<Known>>>);

impl Vocabularies {
    fn get(&self, workspace: Uuid) -> Option<Arc<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace).cloned()
    }

    fn put(&self, workspace: Uuid, known: Arc<Known>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_WORKSPACES && !all.contains_key(&workspace) {
            let any = all.keys().next().copied();
            any.and_then(|any| all.remove(&any));
        }
        all.insert(workspace, known);
    }

    /// For each of `words` what may have been meant, the nearest first.
    pub(super) async fn meant(&self, tx: &mut Tx, words: &[&str]) -> Result<Vec<Vec<String>>> {
        let known = self.current(tx).await?;
        Ok(words.iter().map(|word| known.meant(word)).collect())
    }

    async fn current(&self, tx: &mut Tx) -> Result<Arc<Known>> {
        let workspace = tx.workspace();
        let known = self.get(workspace).unwrap_or_default();
        let room = MOST_WORDS - known.len();
        let fresh = queries::vocabulary_after(tx, known.last - OVERLAP, room.max(0) + OVERLAP).await?;
        if fresh.iter().all(|(id, _)| known.latest.contains(id)) {
            return Ok(known);
        }
        let mut known = Known::clone(&known);
        known.add(fresh);
        let known = Arc::new(known);
        self.put(workspace, known.clone());
        Ok(known)
    }
}

impl Known {
    fn len(&self) -> i64 {
        self.by_letters.iter().map(|words| words.len() as i64).sum()
    }

    fn add(&mut self, fresh: Vec<(i64, String)>) {
        for (id, word) in fresh {
            if !self.latest.insert(id) {
                continue;
            }
            self.last = self.last.max(id);
            let letters = word.chars().count();
            if self.by_letters.len() <= letters {
                self.by_letters.resize(letters + 1, Vec::new());
            }
            self.by_letters[letters].push((letters_of(&word), word.into_boxed_str()));
        }
        let from = self.last - OVERLAP;
        self.latest.retain(|id| *id > from);
    }

    fn meant(&self, word: &str) -> Vec<String> {
        let typed: Vec<char> = word.chars().collect();
        let most = edits(typed.len());
        if most == 0 {
            return Vec::new();
        }
        let mask = letters_of(word);
        let mut found: Vec<(usize, &str)> = Vec::new();
        let lengths = typed.len().saturating_sub(most)..=typed.len() + most;
        for words in lengths.filter_map(|letters| self.by_letters.get(letters)) {
            for (other_mask, other) in words {
                // An edit changes one letter for another at most.
                if (mask ^ other_mask).count_ones() as usize > 2 * most || **other == *word {
                    continue;
                }
                if let Some(distance) = distance(&typed, other, most) {
                    found.push((distance, other));
                }
            }
        }
        let first = typed.first().copied();
        found.sort_unstable_by_key(|(distance, other)| (*distance, other.chars().next() != first, *other));
        found.dedup();
        found.truncate(MOST_MEANT);
        found.into_iter().map(|(_, other)| other.to_owned()).collect()
    }
}

/// How many edits a word of so many letters may be away: one from four, two from eight.
fn edits(letters: usize) -> usize {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

fn letters_of(word: &str) -> u32 {
    word.chars().fold(0, |mask, c| mask | 1 << (u32::from(c) % 32))
}

/// Letters put in, left out, exchanged, or swapped with their neighbour, from one word to the other; none if they are more
/// than `most`.
fn distance(typed: &[char], other: &str, most: usize) -> Option<usize> {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=typed.len()).collect();
    let mut previous = None;
    for (row, c) in other.chars().enumerate() {
        let mut here = Vec::with_capacity(last.len());
        here.push(row + 1);
        for column in 1..=typed.len() {
            let exchanged = last[column - 1] + usize::from(typed[column - 1] != c);
            let mut least = exchanged.min(last[column] + 1).min(here[column - 1] + 1);
            if column > 1 && previous == Some(typed[column - 1]) && typed[column - 2] == c {
                least = least.min(before_last[column - 2] + 1);
            }
            here.push(least);
        }
        if here.iter().min().is_none_or(|least| *least > most) {
            return None;
        }
        before_last = std::mem::replace(&mut last, here);
        previous = Some(c);
    }
    last.last().copied().filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(words: &[&str]) -> Known {
        let mut known = Known::default();
        known.add(words.iter().enumerate().map(|(id, word)| (id as i64 + 1, (*word).to_owned())).collect());
        known
    }

    #[test]
    fn one_edit_from_four_letters_and_two_from_eight() {
        let known = known(&["refund", "refunds", "fund", "conversation", "conversion", "notes", "größe"]);
        assert_eq!(known.meant("refnud"), ["refund"]);
        assert_eq!(known.meant("refun"), ["refund"]);
        assert_eq!(known.meant("xefund"), ["refund"]);
        assert_eq!(known.meant("refunt"), ["refund"]);
        assert_eq!(known.meant("refundx"), ["refund", "refunds"]);
        assert_eq!(known.meant("rfnd"), Vec::<String>::new(), "two edits of four letters");
        assert_eq!(known.meant("fun"), Vec::<String>::new(), "too short");
        assert_eq!(known.meant("covnersatoin"), ["conversation"]);
        assert_eq!(known.meant("convsersatiom"), ["conversation"]);
        assert_eq!(known.meant("grösse"), ["größe"].map(str::to_owned)[..0].to_vec());
    }

    #[test]
    fn what_is_seen_twice_is_kept_once() {
        let mut known = known(&["alpha"]);
        known.add(vec![(1, "alpha".into()), (2, "beta".into())]);
        assert_eq!((known.len(), known.last), (2, 2));
    }
}
