//! A prompt at a glance.

use serde::Serialize;

use crate::model::Content;

/// How much text a prompt has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ContentStats {
    /// Characters.
    pub characters: usize,
    /// Runs of what is no white space.
    pub words: usize,
    /// Lines; an empty text has none.
    pub lines: usize,
}

/// Counts the text of a prompt, over all its messages.
pub fn stats(content: &Content) -> ContentStats {
    content.texts().fold(ContentStats::default(), |sum, (_, text)| ContentStats {
        characters: sum.characters + text.chars().count(),
        words: sum.words + text.split_whitespace().count(),
        lines: sum.lines + text.lines().count(),
    })
}

/// The first `length` characters of a prompt on one line; `…` tells that there is more.
pub fn excerpt(content: &Content, length: usize) -> String {
    let words = content.texts().flat_map(|(_, text)| text.split_whitespace());
    let mut out = String::new();
    let mut room = length;
    for word in words {
        let space = usize::from(!out.is_empty());
        let letters = word.chars().count();
        if letters + space > room {
            // A first word that is too long is cut; otherwise the excerpt ends between words.
            if out.is_empty() {
                out.extend(word.chars().take(room));
            }
            out.push('…');
            return out;
        }
        if space == 1 {
            out.push(' ');
        }
        out.push_str(word);
        room -= letters + space;
    }
    out
}
