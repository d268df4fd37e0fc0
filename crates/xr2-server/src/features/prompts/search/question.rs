//! A search as it is asked of the index.

use uuid::Uuid;
use xr2_db::Engine;

use crate::features::prompts::listing::filter::Filter;
use crate::features::prompts::search::lexemes::{self, Field};
use crate::features::prompts::search::words::{Kind, words};

/// Words of a search that count.
const MOST_WORDS: usize = 8;

/// A word that is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As it is compared.
    pub text: String,
    /// Whether longer words that begin with it are meant as well.
    pub is_begun: bool,
    /// Whether it stands in the index by itself; a single sign of a script without spaces may not.
    pub is_whole: bool,
    /// What may have been meant by it.
    pub meant: Vec<String>,
}

/// What is searched for, and within what.
#[derive(Debug, Clone)]
pub struct Question {
    mark: String,
    /// The words, all of which have to be found.
    pub wanted: Vec<Wanted>,
    with: Vec<String>,
    without: Vec<String>,
}

/// How well a prompt answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It has the words as they were typed.
    Exact,
    /// The last word is the beginning of one that it has.
    Begun,
    /// It has words that may have been meant.
    Meant,
}

impl Question {
    /// What `text` asks for in what `filter` leaves; without words there is nothing that answers it.
    pub fn read(workspace: Uuid, text: &str, filter: &Filter) -> Question {
        let mark = lexemes::mark(workspace);
        let mut wanted: Vec<Wanted> = Vec::new();
        let all = words(text);
        let ends_in_word = !text.ends_with(char::is_whitespace);
        for (index, word) in all.iter().enumerate() {
            let of_pair = index > 0 && all[index - 1].kind == Kind::Pair && all[index - 1].end == word.end;
            if word.kind == Kind::Last && of_pair {
                continue;
            }
            let is_last = index + 1 == all.len() && ends_in_word;
            let is_begun = word.kind == Kind::Last || word.kind == Kind::Plain && is_last;
            let word = Wanted { text: word.text.clone(), is_begun, is_whole: true, meant: Vec::new() };
            if wanted.len() < MOST_WORDS && !wanted.contains(&word) {
                wanted.push(word);
            }
        }
        let mut with: Vec<String> = filter.tags.iter().map(|tag| lexemes::of_tag(&mark, tag)).collect();
        let mut without = Vec::new();
        if filter.deleted {
            with.push(lexemes::of_deleted(&mark));
        } else {
            match filter.archived {
                Some(true) => with.push(lexemes::of_archived(&mark)),
                Some(false) => {}
                None => without.push(lexemes::of_deleted(&mark)),
            }
        }
        Question { mark, wanted, with, without }
    }

    /// Whether only what is neither in the archive nor in the bin is asked for, which rows of the index say themselves.
    pub fn shown_only(filter: &Filter) -> bool {
        !filter.deleted && filter.archived == Some(false)
    }

    /// Whether there is a word whose beginning alone was typed.
    pub fn has_begun(&self) -> bool {
        self.wanted.iter().any(|word| word.is_begun)
    }

    /// In the engine's language: all words under `field`, as well as `fit` says.
    pub fn write(&self, engine: Engine, field: Field, fit: Fit) -> String {
        let mut groups: Vec<String> = Vec::new();
        for word in &self.wanted {
            let begun = word.is_begun && (fit != Fit::Exact || !word.is_whole);
            let mut any = vec![entry(engine, &lexemes::of_word(&self.mark, field, &word.text), begun)];
            if fit == Fit::Meant {
                any.extend(
                    word.meant
                        .iter()
                        .map(|meant| entry(engine, &lexemes::of_word(&self.mark, field, meant), false)),
                );
            }
            groups.push(join(&any, if engine == Engine::Sqlite { " OR " } else { " | " }));
        }
        groups.extend(self.with.iter().map(|with| entry(engine, with, false)));
        let mut text = join(&groups, if engine == Engine::Sqlite { " AND " } else { " & " });
        for without in &self.without {
            let not = if engine == Engine::Sqlite { " NOT " } else { " & !" };
            text = format!("{text}{not}{}", entry(engine, without, false));
        }
        text
    }
}

fn join(parts: &[String], with: &str) -> String {
    match parts {
        [one] => one.clone(),
        _ => format!("({})", parts.join(with)),
    }
}

/// Entries hold neither quotes nor backslashes.
fn entry(engine: Engine, lexeme: &str, begun: bool) -> String {
    match (engine, begun) {
        (Engine::Sqlite, false) => format!("\"{lexeme}\""),
        (Engine::Sqlite, true) => format!("\"{lexeme}\"*"),
        (Engine::Postgres, false) => format!("'{lexeme}'"),
        (Engine::Postgres, true) => format!("'{lexeme}':*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(search: &str) -> Vec<(String, bool)> {
        let question = Question::read(Uuid::nil(), search, &Filter::default());
        question.wanted.into_iter().map(|word| (word.text, word.is_begun)).collect()
    }

    #[test]
    fn the_last_word_may_be_a_beginning() {
        assert_eq!(texts("Refund an"), [("refund".into(), false), ("an".into(), true)]);
        assert_eq!(texts("refund "), [("refund".into(), false)]);
        assert_eq!(texts("東京都"), [("東京".into(), false), ("京都".into(), false)]);
        assert_eq!(texts("京 x "), [("京".into(), true), ("x".into(), false)]);
        assert_eq!(texts("\" OR * ("), [("or".into(), true)]);
        assert_eq!(texts("_ %"), []);
    }

    #[test]
    fn is_written_in_the_language_of_each_engine() {
        let filter = Filter { tags: vec!["a".into()], archived: None, ..Filter::default() };
        let mut question = Question::read(Uuid::nil(), "refund an", &filter);
        question.wanted[0].meant = vec!["refuse".into()];
        let mark = lexemes::mark(Uuid::nil());
        let plain = |text: String| text.replace(&mark, "").replace(&lexemes::of_tag(&mark, "a")[5..], "T");
        assert_eq!(
            plain(question.write(Engine::Sqlite, Field::Title, Fit::Begun)),
            "(\"trefund\" AND \"tan\"* AND \"T\") NOT \"yd\""
        );
        assert_eq!(
            plain(question.write(Engine::Postgres, Field::Content, Fit::Meant)),
            "(('crefund' | 'crefuse') & 'can':* & 'T') & !'yd'"
        );
    }
}
