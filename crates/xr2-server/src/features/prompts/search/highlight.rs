//! Which parts of a text were searched for.

use serde::Serialize;
use utoipa::ToSchema;

use crate::features::prompts::search::question::Question;
use crate::features::prompts::search::words::words;

/// Characters of a description or text that are shown.
const SHOWN: usize = 200;
/// And those of them before the first match.
const BEFORE: usize = 60;
/// Characters of a text that are looked through.
const LOOKED_THROUGH: usize = 64 * 1024;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Segment {
    /// As it stands there; plain text.
    pub text: String,
    /// Whether it was searched for.
    #[serde(rename = "match")]
    pub is_match: bool,
}

/// Where the words of a search stand in a prompt. Fields without any are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Highlight {
    /// The whole title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Vec<Segment>>,
    /// A part of the description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Vec<Segment>>,
    /// A part of the newest text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<Segment>>,
}

/// Marks the matches in title, description and text.
pub fn highlight(question: &Question, title: &str, description: Option<&str>, content: &str) -> Highlight {
    Highlight {
        title: segments(question, title, None),
        description: description.and_then(|text| segments(question, text, Some(SHOWN))),
        content: segments(question, content, Some(SHOWN)),
    }
}

/// The text cut into what matches and what does not; none if nothing does. `shown`: only so many characters around the
/// first match.
fn segments(question: &Question, text: &str, shown: Option<usize>) -> Option<Vec<Segment>> {
    let text = &text[..text.floor_char_boundary(LOOKED_THROUGH)];
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for word in words(text) {
        if !is_wanted(question, &word.text) {
            continue;
        }
        match spans.last_mut() {
            Some(last) if word.start <= last.1 => last.1 = last.1.max(word.end),
            _ => spans.push((word.start, word.end)),
        }
    }
    let first = spans.first()?.0;
    let (from, to) = shown.map_or((0, text.len()), |shown| window(text, first, shown));
    let mut segments = Vec::new();
    let mut push = |piece: &str, is_match: bool| {
        if !piece.is_empty() {
            segments.push(Segment { text: piece.to_owned(), is_match });
        }
    };
    if from > 0 {
        push("…", false);
    }
    let mut at = from;
    for (start, end) in spans.into_iter().filter(|(start, end)| *start >= from && *end <= to) {
        push(&text[at..start], false);
        push(&text[start..end], true);
        at = end;
    }
    push(&text[at..to], false);
    if to < text.len() {
        push("…", false);
    }
    Some(segments)
}

fn is_wanted(question: &Question, word: &str) -> bool {
    question.wanted.iter().any(|wanted| {
        word == wanted.text
            || wanted.is_begun && word.starts_with(&wanted.text)
            || wanted.meant.iter().any(|meant| meant == word)
    })
}

/// So many characters around a match, in bytes.
fn window(text: &str, first: usize, shown: usize) -> (usize, usize) {
    let from = text[..first].char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
    // From the beginning of a word, if there is one.
    let from = if from == 0 {
        0
    } else {
        text[from..first].find(char::is_whitespace).map_or(from, |space| {
            let after = from + space;
            after + text[after..].chars().next().map_or(0, char::len_utf8)
        })
    };
    let to = text[from..].char_indices().nth(shown).map_or(text.len(), |(at, _)| from + at);
    (from, to)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::features::prompts::listing::filter::Filter;

    fn marked(search: &str, text: &str, shown: Option<usize>) -> Option<String> {
        let question = Question::read(Uuid::nil(), search, &Filter::default());
        let segments = segments(&question, text, shown)?;
        let piece = |s: &Segment| if s.is_match { format!("[{}]", s.text) } else { s.text.clone() };
        Some(segments.iter().map(piece).collect())
    }

    #[test]
    fn marks_words_as_they_stand() {
        assert_eq!(marked("grosse ref", "Die Größe: REFUNDS", None).unwrap(), "Die [Größe]: [REFUNDS]");
        assert_eq!(marked("京都", "東京都の", None).unwrap(), "東[京都]の");
        assert_eq!(marked("東京都", "東京都の", None).unwrap(), "[東京都]の");
        assert_eq!(marked("<b>", "a <b>b</b>", None).unwrap(), "a <[b]>[b]</[b]>");
        assert_eq!(marked("x", "nothing", None), None);
    }

    #[test]
    fn shows_what_stands_around_the_first_match() {
        let text = format!("{} needle {}", "wörd ".repeat(100), "more ".repeat(100));
        let shown = marked("needle", &text, Some(SHOWN)).unwrap();
        assert!(shown.starts_with("…wörd ") && shown.contains("[needle]") && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= SHOWN + 4, "{shown}");
    }
}
