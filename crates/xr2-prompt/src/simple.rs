//! The simple syntax: `{{ name }}` and `{{ a.b }}`, everything else is text.
//!
//! Read from the left: where `{{`, white space (space, tab, CR, LF), a path of names joined by dots,
//! white space and `}}` stand together, that is a variable; otherwise the next character is tried.
//! So `{{{a}}}` is a brace, the variable `a`, and a brace.

use serde_json::Value;

/// A template of the simple syntax, split where values go; it refers to its text by offsets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SimpleTemplate {
    slots: Box<[Slot]>,
}

/// A variable of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    start: u32,
    end: u32,
    /// The path as written, without white space: `a.b`.
    path: Box<str>,
    /// Length of the first name in `path`.
    root: u32,
}

impl Slot {
    /// The variable's name.
    pub(crate) fn root(&self) -> &str {
        &self.path[..self.root as usize]
    }

    /// The whole path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Bytes of the text it stands on.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The names below the root.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.path.split('.').skip(1)
    }

    /// Follows the path below its root; only the fields of objects are followed.
    fn follow<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        if self.root as usize == self.path.len() {
            return Some(value);
        }
        self.fields().try_fold(value, |value, name| value.as_object()?.get(name))
    }
}

impl SimpleTemplate {
    /// Finds the variables of a text of less than 4 GiB.
    pub(crate) fn parse(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut slots = Vec::new();
        let mut at = 0;
        while let Some(found) = text[at..].find("{{") {
            let start = at + found;
            match read_slot(bytes, start) {
                Some((end, path)) => {
                    let path = &text[path];
                    let root = path.find('.').unwrap_or(path.len());
                    slots.push(Slot {
                        start: offset(start),
                        end: offset(end),
                        path: path.into(),
                        root: offset(root),
                    });
                    at = end;
                }
                None => at = start + 1,
            }
        }
        Self { slots: slots.into() }
    }

    /// The variables, in order of first use, repeats included.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Puts the pieces in turn: text as it is, and for each variable its value or, when there is none, its slot.
    pub(crate) fn pieces<'t, 'v>(
        &'t self,
        text: &'t str,
        lookup: impl Fn(&str) -> Option<&'v Value>,
        mut put: impl FnMut(Piece<'t, 'v>),
    ) {
        let mut plain_from = 0;
        for slot in &self.slots {
            put(Piece::Text(&text[plain_from..slot.start as usize]));
            plain_from = slot.end as usize;
            let given = lookup(slot.root());
            match given.and_then(|value| slot.follow(value)) {
                Some(value) => put(Piece::Value(value)),
                None => put(Piece::Missing {
                    source: &text[slot.range()],
                    name: if given.is_some() { slot.path() } else { slot.root() },
                }),
            }
        }
        put(Piece::Text(&text[plain_from..]));
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.slots.iter().map(|slot| size_of::<Slot>() + slot.path.len()).sum()
    }
}

/// A piece of a rendered simple template.
pub(crate) enum Piece<'t, 'v> {
    Text(&'t str),
    Value(&'v Value),
    Missing { source: &'t str, name: &'t str },
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Reads a variable whose `{{` stands at `start`; gives its end and where its path stands.
fn read_slot(bytes: &[u8], start: usize) -> Option<(usize, std::ops::Range<usize>)> {
    let path_start = skip_space(bytes, start + 2);
    let mut at = read_name(bytes, path_start)?;
    while bytes.get(at) == Some(&b'.') {
        at = read_name(bytes, at + 1)?;
    }
    let path_end = at;
    at = skip_space(bytes, at);
    bytes.get(at..at + 2).is_some_and(|end| end == b"}}").then_some((at + 2, path_start..path_end))
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

fn read_name(bytes: &[u8], start: usize) -> Option<usize> {
    let first = bytes.get(start)?;
    if !first.is_ascii_alphabetic() && *first != b'_' {
        return None;
    }
    let rest = bytes[start + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    Some(start + 1 + rest.count())
}
