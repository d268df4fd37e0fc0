//! Includes: what a template may name, and what stands behind the name.

use serde::Serialize;

use crate::contract::Contract;
use crate::model::{Content, Syntax};

/// Deepest chain of includes.
pub const MAX_INCLUDE_DEPTH: usize = 5;
/// Most different snippets of one prompt.
pub const MAX_SNIPPETS: usize = 100;

/// What an include names: `slug`, `slug@label` or `slug@7`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IncludeTarget {
    /// The snippet.
    pub slug: String,
    /// Which of its versions.
    pub selector: Selector,
}

/// Which version of a snippet is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// What its label `production` points at.
    Production,
    /// What another label points at.
    Label(String),
    /// Version of that number.
    Version(i64),
}

impl IncludeTarget {
    /// Reads the literal of an include.
    pub fn parse(literal: &str) -> Result<Self, String> {
        let (slug, selector) = match literal.split_once('@') {
            None => (literal, Selector::Production),
            Some((slug, version))
                if !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let number = version.parse().map_err(|_| format!("`{version}` is no version number."))?;
                (slug, Selector::Version(number))
            }
            Some((slug, label)) if is_label(label) => (slug, Selector::Label(label.to_owned())),
            Some((_, label)) => return Err(format!("`{label}` is neither a label nor a version number.")),
        };
        if !is_slug(slug) {
            return Err(format!("`{slug}` is no slug of a prompt (letters a-z, digits, `-` and `_`)."));
        }
        Ok(Self { slug: slug.to_owned(), selector })
    }

    /// The label to resolve, unless a version is pinned.
    pub fn label(&self) -> Option<&str> {
        match &self.selector {
            Selector::Production => Some("production"),
            Selector::Label(label) => Some(label),
            Selector::Version(_) => None,
        }
    }
}

impl std::fmt::Display for IncludeTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.selector {
            Selector::Production => f.write_str(&self.slug),
            Selector::Label(label) => write!(f, "{}@{label}", self.slug),
            Selector::Version(number) => write!(f, "{}@{number}", self.slug),
        }
    }
}

/// `^[a-z0-9][a-z0-9_-]{0,99}$`
fn is_slug(text: &str) -> bool {
    text.len() <= 100
        && !text.starts_with(['-', '_'])
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.len() <= 100 && text.bytes().all(inner)
}

/// The version of a prompt that an include is resolved to.
#[derive(Debug, Clone, PartialEq)]
pub struct Snippet {
    /// Its slug today.
    pub slug: String,
    /// Number of the version.
    pub version: i64,
    /// Its content; only text prompts can be included.
    pub content: Content,
    /// How its text is read.
    pub syntax: Syntax,
    /// Its variables.
    pub contract: Contract,
}

/// Why an include has no snippet; the text stands behind "`slug` cannot be included: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludeError(pub String);

/// A snippet that a compiled prompt holds, directly or through another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncludeRef {
    /// Its slug.
    pub slug: String,
    /// What the template asked for.
    #[serde(skip)]
    pub selector: Selector,
    /// The version it was resolved to.
    pub version: i64,
}
