//! What a client can ask for: a prompt by some name, and which of its versions.

use std::hash::{Hash, Hasher};

use quick_cache::Equivalent;
use uuid::Uuid;

/// What a delivery was asked for, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The workspace.
    pub workspace: Uuid,
    /// Slug, former slug or id, as it stood in the path.
    pub name: Box<str>,
    /// Which version.
    pub selector: Selector,
}

/// Which version of a prompt is meant, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// What a label points at; `latest` is computed.
    Label(Box<str>),
    /// The version of that number.
    Number(i64),
    /// The version of that id.
    Id(Uuid),
}

/// [`Key`], borrowed from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyRef<'a> {
    /// The workspace.
    pub workspace: Uuid,
    /// Slug, former slug or id.
    pub name: &'a str,
    /// Which version.
    pub selector: SelectorRef<'a>,
}

/// [`Selector`], borrowed from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SelectorRef<'a> {
    /// What a label points at.
    Label(&'a str),
    /// The version of that number.
    Number(i64),
    /// The version of that id.
    Id(Uuid),
}

impl Key {
    /// The same, borrowed.
    pub fn as_ref(&self) -> KeyRef<'_> {
        let selector = match &self.selector {
            Selector::Label(label) => SelectorRef::Label(label),
            Selector::Number(number) => SelectorRef::Number(*number),
            Selector::Id(id) => SelectorRef::Id(*id),
        };
        KeyRef { workspace: self.workspace, name: &self.name, selector }
    }

    /// Bytes it takes in a cache.
    pub fn bytes(&self) -> usize {
        let label = if let Selector::Label(label) = &self.selector { label.len() } else { 0 };
        size_of::<Key>() + self.name.len() + label
    }
}

impl KeyRef<'_> {
    /// The same, owned.
    pub fn to_key(self) -> Key {
        let selector = match self.selector {
            SelectorRef::Label(label) => Selector::Label(label.into()),
            SelectorRef::Number(number) => Selector::Number(number),
            SelectorRef::Id(id) => Selector::Id(id),
        };
        Key { workspace: self.workspace, name: self.name.into(), selector }
    }
}

// An owned key is found by a borrowed one, so both hash alike.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.as_ref()
    }
}

/// Longest slug, and longest label.
const MAX_NAME: usize = 100;

/// Whether a prompt can have this slug; what cannot be one is not looked for.
pub fn is_slug(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with(['-', '_'])
}

/// Whether a workspace can have this label.
pub fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn a_borrowed_key_finds_the_owned_one() {
        let workspace = Uuid::from_u128(7);
        let hasher = std::hash::RandomState::new();
        for selector in
            [SelectorRef::Label("production"), SelectorRef::Number(3), SelectorRef::Id(Uuid::from_u128(3))]
        {
            let borrowed = KeyRef { workspace, name: "welcome", selector };
            let owned = borrowed.to_key();
            assert!(borrowed.equivalent(&owned));
            assert_eq!(hasher.hash_one(borrowed), hasher.hash_one(&owned));
            assert_eq!(owned.as_ref(), borrowed);
        }
    }

    #[test]
    fn names_that_cannot_be_are_not_looked_for() {
        assert!(is_slug("welcome-message") && is_slug("0_x"));
        for text in ["", "-a", "A", "a b", "ä", &"x".repeat(101)] {
            assert!(!is_slug(text), "{text}");
        }
        assert!(is_label("production") && is_label("eu.west_1-Blue") && !is_label("a b") && !is_label(""));
    }
}
