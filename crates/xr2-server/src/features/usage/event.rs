//! One delivery as it is noted, and what it shares with others.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::clock::Time;

/// What was delivered. Every delivery of a cached version shares one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delivered {
    /// The workspace.
    pub workspace: Uuid,
    /// The prompt.
    pub prompt: Uuid,
    /// The version's number; 0 when there was none to deliver.
    pub version: i64,
    /// The label it was asked for by; empty for a version asked for by itself.
    pub label: Box<str>,
    /// The variant of a test; empty without one.
    pub variant: Box<str>,
    /// Snippets that were put in, `[{slug, version}]` as JSON.
    pub includes: Option<Box<str>>,
}

/// Who asked, in what way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A program, with a key.
    Api,
    /// A person; counts nowhere.
    Dashboard,
    /// A program that read from its SDK's memory and reported it.
    Sdk,
}

impl Source {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Api => "api",
            Source::Dashboard => "dashboard",
            Source::Sdk => "sdk",
        }
    }
}

/// All of a delivery but its time and latency: deliveries alike in this share a row when they are written together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alike {
    /// What was delivered.
    pub what: Arc<Delivered>,
    /// The key it was asked with.
    pub key: Option<Uuid>,
    /// Who asked.
    pub source: Source,
    /// Status of the answer.
    pub status: u16,
    /// The user it was for.
    pub user: Option<Box<str>>,
    /// The client's address; stored as a keyed hash, and only when no user is named.
    pub address: Option<IpAddr>,
    /// The client's program.
    pub user_agent: Option<Arc<str>>,
    /// The model it was asked for.
    pub model: Option<Box<str>>,
    /// Names of the variables sent, as JSON.
    pub variables: Option<Arc<str>>,
}

/// One delivery, or several that an SDK has added up.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What, by whom, for whom.
    pub alike: Alike,
    /// When it was answered.
    pub at: Time,
    /// How long that took.
    pub latency: Duration,
}

/// Names of users, models and programs are kept up to so many bytes.
const LONGEST: usize = 256;

/// The beginning of a text from outside, as much as is kept.
pub fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A delivery as tests need it: the first version of a prompt, asked for by a program.
#[cfg(test)]
pub fn delivery_of(workspace: Uuid, prompt: Uuid) -> Delivery {
    let what = Delivered {
        workspace,
        prompt,
        version: 1,
        label: "production".into(),
        variant: "".into(),
        includes: None,
    };
    let alike = Alike {
        what: Arc::new(what),
        key: None,
        source: Source::Api,
        status: 200,
        user: None,
        address: None,
        user_agent: None,
        model: None,
        variables: None,
    };
    Delivery { alike, at: Time::default(), latency: Duration::ZERO }
}
