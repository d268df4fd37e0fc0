//! What a file holds, each thing as it waits to be brought in.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::features::exports::{Label, Prompt};

/// One thing of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Settings of the workspace.
    Settings(Box<RawValue>),
    /// A label of the workspace.
    Label(Label),
    /// A prompt.
    Prompt(Box<PromptItem>),
}

/// A prompt of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PromptItem {
    /// Whether the file says all there is to say: what it does not name is empty, and is not left as it was.
    pub whole: bool,
    /// Whether the slug was made from a name: one that is taken by another prompt gets a number.
    pub derived: bool,
    /// What tells it from others of the same source, if not its slug.
    pub key: Option<String>,
    /// Whether it is to go live; none: as its labels say, or if one may.
    #[serde(default)]
    pub publish: Option<bool>,
    /// The prompt.
    pub prompt: Prompt,
}

impl Item {
    /// As rows name it.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::Settings(_) => "settings",
            Item::Label(_) => "label",
            Item::Prompt(_) => "prompt",
        }
    }

    /// The slug, or the name.
    pub fn name(&self) -> &str {
        match self {
            Item::Settings(_) => "settings",
            Item::Label(label) => &label.name,
            Item::Prompt(item) => &item.prompt.slug,
        }
    }

    /// What people call it.
    pub fn title(&self) -> &str {
        match self {
            Item::Settings(_) => "Settings",
            Item::Label(label) => &label.name,
            Item::Prompt(item) => item.prompt.title.as_deref().unwrap_or(&item.prompt.slug),
        }
    }
}

/// A thing at its place in a file, or why it cannot be read.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `line 7`, `prompt 3`, `support/refund.md`
    pub place: String,
    /// The thing, or what is wrong with it.
    pub item: Result<Item, Unreadable>,
}

/// Something that cannot be brought in.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// What it is called, as far as is known.
    pub name: String,
    /// In plain words.
    pub reason: String,
    /// Whether it is merely left out: it is no prompt.
    pub is_left_out: bool,
}

impl Entry {
    /// Something that cannot be read.
    pub fn wrong(place: impl Into<String>, name: impl Into<String>, reason: impl Into<String>) -> Entry {
        let (name, reason) = (name.into(), reason.into());
        Entry { place: place.into(), item: Err(Unreadable { name, reason, is_left_out: false }) }
    }

    /// Something that is no prompt.
    pub fn left_out(place: impl Into<String>, reason: impl Into<String>) -> Entry {
        let reason = reason.into();
        Entry {
            place: place.into(),
            item: Err(Unreadable { name: String::new(), reason, is_left_out: true }),
        }
    }
}
