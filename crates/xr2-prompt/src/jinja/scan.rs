//! The first look at a template, over its tokens: tags that do not exist, blocks that are never closed, and
//! nesting deeper than a recursive parser should be asked to follow. What passes here is safe to parse.

use std::ops::Range;

use minijinja::machinery::{Span, Token, tokenize};
use minijinja::syntax::SyntaxConfig;

use crate::names::nearest;

/// Deepest nesting of blocks.
const MAX_BLOCKS: usize = 25;
/// Most open blocks and `elif` branches on the way to one place.
const MAX_BRANCHES: usize = 100;
/// Deepest nesting of brackets in one tag.
const MAX_BRACKETS: usize = 25;
/// Most operators, dots and filters in one tag.
const MAX_OPERATORS: usize = 100;

const TAGS: [&str; 9] = ["if", "elif", "else", "endif", "for", "endfor", "include", "raw", "endraw"];
const REFUSED: [&str; 24] = [
    "set",
    "endset",
    "macro",
    "endmacro",
    "import",
    "from",
    "extends",
    "block",
    "endblock",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "with",
    "endwith",
    "do",
    "autoescape",
    "endautoescape",
    "debug",
    "break",
    "continue",
    "trans",
    "endtrans",
    "namespace",
];

/// A fault and the bytes it stands on.
pub(crate) type Fault = (Range<usize>, String);

/// A `{% … %}` or `{{ … }}`: the whole tag.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub range: Range<usize>,
}

/// Finds the tags of a template, or everything that keeps it from being parsed.
pub(crate) fn scan(text: &str) -> Result<Vec<Tag>, Vec<Fault>> {
    if u32::try_from(text.len()).is_err() {
        return Err(vec![(0..0, "The template is too large.".to_owned())]);
    }
    let mut scanner = Scanner::default();
    for token in tokenize(text, false, syntax_config()) {
        match token {
            Ok((token, span)) => scanner.token(&token, &span),
            Err(error) => {
                scanner.faults.push(fault_of(&error, text));
                return Err(scanner.faults);
            }
        }
    }
    scanner.finish();
    if scanner.faults.is_empty() { Ok(scanner.tags) } else { Err(scanner.faults) }
}

/// The final newline belongs to the text.
pub(crate) fn syntax_config() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default()
}

/// An error of the parser in our words.
pub(crate) fn fault_of(error: &minijinja::Error, text: &str) -> Fault {
    let range = error.range().unwrap_or(0..0);
    let end = range.end.min(text.len());
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = match detail.as_str() {
        "unexpected end of comment" => "A comment `{#` is never closed with `#}`.".to_owned(),
        "unexpected end of raw block" => "A `{% raw %}` is never closed with `{% endraw %}`.".to_owned(),
        "unexpected end of string" => "A text in quotes is never closed.".to_owned(),
        _ => format!("Syntax error: {detail}."),
    };
    (range.start.min(end)..end, message)
}

fn range_of(span: &Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

#[derive(Default)]
struct Scanner {
    tags: Vec<Tag>,
    faults: Vec<Fault>,
    blocks: Vec<OpenBlock>,
    /// The tag we are in.
    open: Option<OpenTag>,
}

struct OpenBlock {
    word: &'static str,
    range: Range<usize>,
    branches: usize,
}

struct OpenTag {
    start: Range<usize>,
    is_block: bool,
    has_keyword: bool,
    brackets: usize,
    operators: usize,
}

impl Scanner {
    fn token(&mut self, token: &Token<'_>, span: &Span) {
        let range = range_of(span);
        match token {
            Token::VariableStart | Token::BlockStart => {
                self.open_tag(matches!(token, Token::BlockStart), range)
            }
            Token::VariableEnd | Token::BlockEnd => self.close_tag(range),
            Token::TemplateData(_) => {}
            _ => self.inner(token, range),
        }
    }

    fn open_tag(&mut self, is_block: bool, start: Range<usize>) {
        self.open = Some(OpenTag { start, is_block, has_keyword: false, brackets: 0, operators: 0 });
    }

    fn close_tag(&mut self, end: Range<usize>) {
        if let Some(tag) = self.open.take() {
            let range = tag.start.start..end.end;
            if tag.is_block && !tag.has_keyword {
                self.faults.push((range.clone(), "The tag `{% %}` is empty.".to_owned()));
            }
            self.tags.push(Tag { range });
        }
    }

    fn inner(&mut self, token: &Token<'_>, range: Range<usize>) {
        let Some(tag) = &mut self.open else { return };
        if tag.is_block && !tag.has_keyword {
            tag.has_keyword = true;
            if let Token::Ident(word) = token {
                let start = tag.start.start..range.end;
                return self.keyword(word, start);
            }
        }
        let Some(tag) = &mut self.open else { return };
        let was_fine = tag.brackets <= MAX_BRACKETS && tag.operators <= MAX_OPERATORS;
        match token {
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                tag.brackets += 1;
                tag.operators += 1;
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                tag.brackets = tag.brackets.saturating_sub(1);
            }
            Token::Ident("not" | "and" | "or" | "in" | "is" | "if" | "else") => tag.operators += 1,
            Token::Ident(_) | Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) => {}
            Token::Float(_) | Token::Comma | Token::Colon | Token::Assign => {}
            _ => tag.operators += 1,
        }
        // A list may be long: its commas and constants are no operators.
        let is_fine = tag.brackets <= MAX_BRACKETS && tag.operators <= MAX_OPERATORS;
        if was_fine && !is_fine {
            let message = if tag.brackets > MAX_BRACKETS {
                format!("Brackets are nested more than {MAX_BRACKETS} deep.")
            } else {
                format!("One expression may have {MAX_OPERATORS} operators at most.")
            };
            self.faults.push((range, message));
        }
    }

    fn keyword(&mut self, word: &str, range: Range<usize>) {
        match word {
            "if" => self.open_block("if", range),
            "for" => self.open_block("for", range),
            "elif" => self.branch(word, range, &["if"]),
            "else" => self.branch(word, range, &["if", "for"]),
            "endif" => self.close_block("if", word, range),
            "endfor" => self.close_block("for", word, range),
            "include" => {}
            _ => self.faults.push((range, unknown_tag(word))),
        }
    }

    fn open_block(&mut self, word: &'static str, range: Range<usize>) {
        let branches = self.blocks.last().map_or(0, |block| block.branches) + 1;
        self.blocks.push(OpenBlock { word, range: range.clone(), branches });
        if self.blocks.len() == MAX_BLOCKS + 1 {
            self.faults.push((range, format!("Blocks are nested more than {MAX_BLOCKS} deep.")));
        } else {
            self.check_branches(range);
        }
    }

    fn branch(&mut self, word: &str, range: Range<usize>, of: &[&str]) {
        match self.blocks.last_mut() {
            Some(block) if of.contains(&block.word) => {
                if word == "elif" {
                    block.branches += 1;
                    self.check_branches(range);
                }
            }
            _ => {
                self.faults.push((range, format!("`{{% {word} %}}` stands outside of `{{% {} %}}`.", of[0])))
            }
        }
    }

    fn check_branches(&mut self, range: Range<usize>) {
        if self.blocks.last().is_some_and(|block| block.branches == MAX_BRANCHES + 1) {
            self.faults
                .push((range, format!("There are more than {MAX_BRANCHES} branches within each other.")));
        }
    }

    fn close_block(&mut self, opened_by: &str, word: &str, range: Range<usize>) {
        match self.blocks.last() {
            Some(block) if block.word == opened_by => {
                self.blocks.pop();
            }
            Some(block) => {
                let open = block.word;
                let message = format!("`{{% {word} %}}` closes nothing: `{{% {open} %}}` is still open.");
                self.faults.push((range, message));
            }
            None => {
                let message = format!("`{{% {word} %}}` closes nothing: no `{{% {opened_by} %}}` is open.");
                self.faults.push((range, message));
            }
        }
    }

    fn finish(&mut self) {
        if let Some(tag) = self.open.take() {
            let (open, close) = if tag.is_block { ("{%", "%}") } else { ("{{", "}}") };
            self.faults.push((tag.start, format!("`{open}` is never closed with `{close}`.")));
        }
        // One misplaced tag tends to leave everything open: tell that only when it is the only trouble.
        if self.faults.is_empty() {
            let unclosed = self.blocks.drain(..).map(|block| {
                (block.range, format!("`{{% {0} %}}` is never closed; add `{{% end{0} %}}`.", block.word))
            });
            self.faults.extend(unclosed.take(5));
        }
    }
}

fn unknown_tag(word: &str) -> String {
    if REFUSED.contains(&word) {
        return format!("`{{% {word} %}}` is not available in prompts; use variables, if, for and include.");
    }
    match nearest(word, TAGS) {
        Some(tag) => format!("There is no tag `{{% {word} %}}`; did you mean `{{% {tag} %}}`?"),
        None => format!("There is no tag `{{% {word} %}}`; there are if, for, include and raw."),
    }
}
