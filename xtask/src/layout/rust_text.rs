//! Just enough of Rust's lexical structure to tell code, comments and string literals apart.

/// A string literal, escapes as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// The 1-based line it begins on.
    pub line: usize,
    pub text: String,
}

/// A source text, taken apart.
#[derive(Debug, Default)]
pub struct Parts {
    /// The text with comments and the insides of literals blanked out; line breaks are kept.
    pub code: String,
    pub literals: Vec<Literal>,
}

/// Takes a source text apart.
pub fn split(text: &str) -> Parts {
    let mut scanner = Scanner { rest: text, line: 1, parts: Parts::default() };
    while let Some(next) = scanner.rest.chars().next() {
        scanner.step(next);
    }
    scanner.parts
}

/// Whether `word` stands in the text by itself, not as part of a longer name.
pub fn has_word(text: &str, word: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part_of_name)
            && !text[at + word.len()..].chars().next().is_some_and(part_of_name)
    })
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    parts: Parts,
}

impl Scanner<'_> {
    fn step(&mut self, next: char) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(end);
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment_length(self.rest));
        } else if next == '"' {
            self.literal(1, "\"", true);
        } else if next == '\'' {
            let length = character_length(self.rest);
            self.blank(length);
        } else if next.is_alphabetic() || next == '_' {
            self.word();
        } else {
            self.keep(next.len_utf8());
        }
    }

    /// A name, or the prefix of a literal (`r#"`, `b"`, `c"`, `br"`).
    fn word(&mut self) {
        let length = self
            .rest
            .find(|character: char| !(character.is_alphanumeric() || character == '_'))
            .unwrap_or(self.rest.len());
        let (word, behind) = self.rest.split_at(length);
        let hashes = behind.len() - behind.trim_start_matches('#').len();
        let quoted = behind[hashes..].starts_with('"');
        match word {
            "r" | "br" | "cr" if quoted => {
                let end = format!("\"{}", "#".repeat(hashes));
                self.literal(length + hashes + 1, &end, false);
            }
            "b" | "c" if quoted && hashes == 0 => self.literal(length + 1, "\"", true),
            "b" if behind.starts_with('\'') => {
                let inside = character_length(behind);
                self.blank(length + inside);
            }
            _ => self.keep(length),
        }
    }

    fn literal(&mut self, opening: usize, closing: &str, escapes: bool) {
        let line = self.line;
        let inside = &self.rest[opening..];
        let end = if escapes { escaped_end(inside) } else { inside.find(closing) }.unwrap_or(inside.len());
        self.parts.literals.push(Literal { line, text: inside[..end].to_owned() });
        let whole = (opening + end + closing.len()).min(self.rest.len());
        self.parts.code.push('"');
        self.blank(whole);
        self.parts.code.push('"');
    }

    fn keep(&mut self, length: usize) {
        let (kept, rest) = self.rest.split_at(length);
        self.line += kept.matches('\n').count();
        self.parts.code.push_str(kept);
        self.rest = rest;
    }

    fn blank(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        let breaks = gone.matches('\n').count();
        self.line += breaks;
        self.parts.code.push(' ');
        self.parts.code.extend(std::iter::repeat_n('\n', breaks));
        self.rest = rest;
    }
}

/// Where the closing quote stands in text that begins behind the opening one.
fn escaped_end(inside: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// Block comments nest.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a character literal, or of the quote alone when it begins a lifetime.
fn character_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => {
            let behind_escape = text.char_indices().nth(3).map_or(text.len(), |(at, _)| at);
            text[behind_escape..].find('\'').map_or(text.len(), |at| behind_escape + at + 1)
        }
        Some(_) => match characters.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(text: &str) -> Vec<(usize, String)> {
        split(text).literals.into_iter().map(|literal| (literal.line, literal.text)).collect()
    }

    #[test]
    fn finds_every_kind_of_literal_on_its_line() {
        let text = "let a = \"one\";\nlet b = r#\"t\"wo\"#; // \"no\"\n/* \"no /* \"no\" */ \"no\" */ let c = b\"three\";\n";
        assert_eq!(literals(text), [(1, "one".into()), (2, "t\"wo".into()), (3, "three".into())]);
    }

    #[test]
    fn is_not_led_astray_by_characters_lifetimes_and_escapes() {
        assert_eq!(
            literals(r#"let q = '"'; let e = '\''; let s = "a\"b"; fn f<'a>(x: &'a str) {} let z = "end";"#),
            [(1, "a\\\"b".into()), (1, "end".into())]
        );
        assert_eq!(literals("let b = b'\"'; let u = '\\u{1F600}'; let s = \"x\";"), [(1, "x".into())]);
    }

    #[test]
    fn code_keeps_lines_and_loses_comments_and_strings() {
        let code = split("a // sqlx\nb \"sqlx\\nmore\" c\n").code;
        assert!(!code.contains("sqlx"), "{code}");
        assert_eq!(code.lines().count(), 2);
        assert!(code.contains('b') && code.contains('c'));
    }

    #[test]
    fn a_word_is_no_part_of_a_longer_one() {
        assert!(has_word("use sqlx::Row", "sqlx"));
        assert!(!has_word("use sqlx_like::Row", "sqlx") && !has_word("mysqlx", "sqlx"));
    }
}
