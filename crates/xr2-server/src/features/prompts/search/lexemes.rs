//! What of a prompt goes into the index.
//!
//! An entry is the mark of the workspace, a letter for the field, and a word: `1a2b3trefund`. A word of the title is
//! entered under all fields that weigh less as well, so that whoever looks for several words in title or slug, or anywhere,
//! asks for all of them under one letter. Tags and states are entries too: a search within them meets only what has them.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::features::prompts::search::words::{Kind, words};

/// Where a word stands, the weightiest first; what stands in one field counts as standing in those behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The title.
    Title,
    /// The slug.
    Slug,
    /// The tags.
    Tags,
    /// The description.
    Description,
    /// The text.
    Content,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 5] = [Field::Title, Field::Slug, Field::Tags, Field::Description, Field::Content];

    fn letter(self) -> char {
        match self {
            Field::Title => 't',
            Field::Slug => 's',
            Field::Tags => 'g',
            Field::Description => 'd',
            Field::Content => 'c',
        }
    }
}

/// Different words of one prompt that are indexed.
const MOST_WORDS: usize = 4000;
/// And those of them that a mistyped word may have meant.
const MOST_KNOWN: usize = 1000;
/// Letters of a word that may be meant.
const KNOWN_LETTERS: std::ops::RangeInclusive<usize> = 4..=24;

/// What a prompt is found by.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its slug.
    pub slug: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its newest text.
    pub content: String,
    /// Whether it is in the archive.
    pub archived: bool,
    /// Whether it is in the bin.
    pub deleted: bool,
}

/// Entries of a document.
pub struct Entries {
    /// What is searched, each once.
    pub lexemes: Vec<String>,
    /// Words that somebody may mean who mistypes one.
    pub known: Vec<String>,
}

/// The mark that entries of a workspace begin with. Two workspaces may have the same one: what is found is held against
/// the workspace in any case, and only takes longer.
pub fn mark(workspace: Uuid) -> String {
    let digest = Sha256::digest(workspace.as_bytes());
    digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect::<String>()[..5].to_owned()
}

/// The entry of a word.
pub fn of_word(mark: &str, field: Field, word: &str) -> String {
    format!("{mark}{}{word}", field.letter())
}

/// The entry of a tag, letter for letter.
pub fn of_tag(mark: &str, tag: &str) -> String {
    let digest = Sha256::digest(tag);
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{mark}x{name}")
}

/// The entry of what is in the archive and not in the bin.
pub fn of_archived(mark: &str) -> String {
    format!("{mark}ya")
}

/// The entry of what is in the bin.
pub fn of_deleted(mark: &str) -> String {
    format!("{mark}yd")
}

/// All entries of a document.
pub fn entries(workspace: Uuid, document: &Document) -> Entries {
    let mark = mark(workspace);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut lexemes = Vec::new();
    let tags = document.tags.join("\n");
    let fields = [
        &document.title,
        &document.slug,
        &tags,
        document.description.as_deref().unwrap_or(""),
        &document.content,
    ];
    for (field, text) in Field::ALL.into_iter().zip(fields) {
        for word in words(text) {
            if seen.len() >= MOST_WORDS {
                break;
            }
            if !seen.insert(word.text.clone()) {
                continue;
            }
            lexemes.extend(
                Field::ALL
                    .iter()
                    .filter(|under| **under >= field)
                    .map(|under| of_word(&mark, *under, &word.text)),
            );
            let letters = word.text.chars().count();
            let may_be_meant = word.kind == Kind::Plain
                && KNOWN_LETTERS.contains(&letters)
                && word.text.chars().all(char::is_alphabetic);
            if may_be_meant && known.len() < MOST_KNOWN {
                known.insert(word.text);
            }
        }
    }
    lexemes.extend(document.tags.iter().map(|tag| of_tag(&mark, tag)));
    if document.deleted {
        lexemes.push(of_deleted(&mark));
    } else if document.archived {
        lexemes.push(of_archived(&mark));
    }
    lexemes.sort_unstable();
    lexemes.dedup();
    Entries { lexemes, known: known.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_entered_under_its_field_and_all_that_weigh_less() {
        let document = Document {
            title: "Refund".into(),
            slug: "refund-2".into(),
            tags: vec!["Sales Team".into()],
            content: "refund the buyer".into(),
            ..Document::default()
        };
        let entries = entries(Uuid::nil(), &document);
        let mark = mark(Uuid::nil());
        let has = |entry: &str| entries.lexemes.contains(&format!("{mark}{entry}"));
        for entry in
            ["trefund", "srefund", "grefund", "drefund", "crefund", "s2", "c2", "gsales", "cteam", "cbuyer"]
        {
            assert!(has(entry), "{entry}");
        }
        for entry in ["t2", "ssales", "dbuyer", "ya", "yd"] {
            assert!(!has(entry), "{entry}");
        }
        assert!(entries.lexemes.contains(&of_tag(&mark, "Sales Team")));
        assert!(!entries.lexemes.contains(&of_tag(&mark, "sales team")));
        assert_eq!(entries.known, ["buyer", "refund", "sales", "team"]);
        assert!(entries.lexemes.iter().all(|entry| !entry.contains(['\'', '"', ' ', '\\'])));
    }
}
