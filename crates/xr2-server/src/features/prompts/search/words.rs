//! Words as they are indexed and searched for: lower case, without accents, the same on both engines.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that count.
const MAX_WORD: usize = 40;

/// What a [`Word`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters and digits between others, or a sign of its own.
    Plain,
    /// Two signs side by side of a script that does not separate words.
    Pair,
    /// The last sign of such a run, which begins no pair.
    Last,
}

/// A word and where it stands in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it is compared.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// All words of a text in their order. Scripts without spaces are cut into overlapping pairs of signs, so that any part
/// of a run is found.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        match sort_of(c) {
            Sort::Space => {}
            Sort::Sign => {
                words.push(Word { text: c.to_string(), kind: Kind::Plain, start, end: start + c.len_utf8() });
            }
            Sort::Unspaced => {
                let mut run = vec![(start, c)];
                while let Some((at, c)) = chars.next_if(|(_, c)| sort_of(*c) == Sort::Unspaced) {
                    run.push((at, c));
                }
                push_run(&mut words, &run);
            }
            Sort::Letter => {
                let mut end = start + c.len_utf8();
                let mut folded = String::new();
                fold(c, &mut folded);
                while let Some((at, c)) = chars.next_if(|(_, c)| sort_of(*c) == Sort::Letter) {
                    end = at + c.len_utf8();
                    fold(c, &mut folded);
                }
                if let Some((cut, _)) = folded.char_indices().nth(MAX_WORD) {
                    folded.truncate(cut);
                }
                if !folded.is_empty() {
                    words.push(Word { text: folded, kind: Kind::Plain, start, end });
                }
            }
        }
    }
    words
}

fn push_run(words: &mut Vec<Word>, run: &[(usize, char)]) {
    for pair in run.windows(2) {
        let ((start, first), (at, second)) = (pair[0], pair[1]);
        let text = [first, second].iter().flat_map(|c| c.to_lowercase()).collect();
        words.push(Word { text, kind: Kind::Pair, start, end: at + second.len_utf8() });
    }
    if let Some(&(start, c)) = run.last() {
        let text = c.to_lowercase().collect();
        words.push(Word { text, kind: Kind::Last, start, end: start + c.len_utf8() });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Letter,
    Unspaced,
    Sign,
    Space,
}

fn sort_of(c: char) -> Sort {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Sort::Letter,
        '\0'..='\x7f' => Sort::Space,
        // Thai to Khmer, kana, Han, Hangul.
        '\u{0E00}'..='\u{0EFF}' | '\u{1780}'..='\u{17FF}' if c.is_alphanumeric() || is_combining_mark(c) => {
            Sort::Unspaced
        }
        '\u{3040}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' if c.is_alphanumeric() => Sort::Unspaced,
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => Sort::Unspaced,
        '\u{AC00}'..='\u{D7AF}' | '\u{20000}'..='\u{3FFFF}' => Sort::Unspaced,
        _ if c.is_alphanumeric() || is_combining_mark(c) && !is_selector(c) => Sort::Letter,
        // Arrows, symbols, emoji; not the punctuation of East Asia.
        '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' => Sort::Sign,
        _ => Sort::Space,
    }
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{20D0}'..='\u{20FF}')
}

/// Appends a letter in lower case and without its accents.
fn fold(c: char, out: &mut String) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
        return;
    }
    for lower in c.to_lowercase() {
        match lower {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            // Latin, Greek and Cyrillic with their marks, ligatures, full and half width; marks mean more elsewhere.
            '\0'..='\u{052F}'
            | '\u{1E00}'..='\u{1FFF}'
            | '\u{FB00}'..='\u{FB06}'
            | '\u{FF00}'..='\u{FFEF}' => {
                let plain = std::iter::once(lower).nfkd().filter(|c| !is_combining_mark(*c));
                out.extend(plain.flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()));
            }
            _ => out.push(lower),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn letters_are_compared_without_case_and_accents() {
        assert_eq!(texts("Größe GRÖSSE, Crème-brûlée"), ["grosse", "grosse", "creme", "brulee"]);
        assert_eq!(texts("Ærø İstanbul ﬁne e\u{301}te"), ["aero", "istanbul", "fine", "ete"]);
        assert_eq!(texts("{{ user_name }} a\\b 100%"), ["user", "name", "a", "b", "100"]);
        assert_eq!(texts("_ % \" ( ) * : ^ ' \u{0}"), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(texts("東京都 x"), ["東京", "京都", "都", "x"]);
        assert_eq!(words("京").first().map(|word| word.kind), Some(Kind::Last));
        assert_eq!(texts("go 🚀!"), ["go", "🚀"]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "  Für Äpfel, 東京";
        let found: Vec<&str> = words(text).iter().map(|word| &text[word.start..word.end]).collect();
        assert_eq!(found, ["Für", "Äpfel", "東京", "京"]);
        assert_eq!(words(&"x".repeat(500))[0].text.len(), MAX_WORD);
    }
}
