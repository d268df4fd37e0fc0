//! What a label delivers at a revision, and the pages that were made of it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::clock::Time;
use crate::features::delivery::freshness::Mark;

/// Compressed pages kept of one snapshot.
const PAGES: usize = 64;

/// One prompt of a bundle.
pub struct Item {
    /// The prompt's id.
    pub id: Uuid,
    /// Its slug and those it had before.
    pub names: Vec<Box<str>>,
    /// Its tags.
    pub tags: Vec<Box<str>>,
    /// Number of the version.
    pub number: i64,
    /// The template form as JSON.
    pub json: Bytes,
    /// Whether it is still so; none when it cannot be told.
    pub mark: Option<Arc<Mark>>,
}

impl Item {
    /// Its present slug.
    pub fn slug(&self) -> &str {
        self.names.first().map_or("", |slug| slug)
    }

    /// Memory it takes.
    fn bytes(&self) -> usize {
        let names = self.names.iter().chain(&self.tags).map(|name| name.len() + 16);
        size_of::<Item>() + self.json.len() + names.sum::<usize>()
    }
}

/// See the module.
pub struct Snapshot {
    /// The workspace's revision.
    pub revision: i64,
    /// The label.
    pub label: String,
    /// Its prompts, by slug.
    pub items: Vec<Arc<Item>>,
    /// Whether it was made of what is kept for times without the database.
    pub is_frozen: bool,
    /// Whether something is missing that may be delivered in truth.
    pub is_partial: bool,
    /// Since when there is a newer revision, in microseconds since 1970; 0: there is none that is known of.
    outdated_at: AtomicI64,
    bytes: usize,
    page_bytes: AtomicUsize,
    pages: Mutex<HashMap<String, Arc<OnceCell<Bytes>>>>,
}

impl Snapshot {
    /// What `label` delivers at `revision`.
    pub fn new(revision: i64, label: &str, mut items: Vec<Arc<Item>>) -> Snapshot {
        items.sort_by(|one, other| one.slug().cmp(other.slug()));
        let bytes = items.iter().map(|item| item.bytes()).sum();
        Snapshot {
            revision,
            label: label.to_owned(),
            items,
            is_frozen: false,
            is_partial: false,
            outdated_at: AtomicI64::new(0),
            bytes,
            page_bytes: AtomicUsize::new(0),
            pages: Mutex::default(),
        }
    }

    /// What `label` delivered at `revision`, as far as it was kept.
    pub fn frozen(revision: i64, label: &str, items: Vec<Arc<Item>>, is_partial: bool) -> Snapshot {
        Snapshot { is_frozen: true, is_partial, ..Snapshot::new(revision, label, items) }
    }

    /// There is a newer revision since `now`, unless there was one before.
    pub fn outdate(&self, now: Time) {
        let now = now.timestamp_micros();
        let _ = self.outdated_at.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Since when there is a newer revision; none: there is none that is known of.
    pub fn outdated_at(&self) -> Option<Time> {
        let micros = self.outdated_at.load(Ordering::Acquire);
        if micros == 0 { None } else { Time::from_timestamp_micros(micros) }
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.page_bytes.load(Ordering::Acquire)
    }

    /// Where the compressed page of this name is kept; none when there are too many.
    pub fn page(&self, name: &str) -> Option<Arc<OnceCell<Bytes>>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(name) {
            return Some(page.clone());
        }
        if pages.len() >= PAGES {
            return None;
        }
        Some(pages.entry(name.to_owned()).or_default().clone())
    }

    /// A page of so many bytes was kept.
    pub fn page_kept(&self, bytes: usize) {
        self.page_bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    /// The items somebody asked for.
    pub fn select<'a>(&'a self, wanted: &'a Wanted) -> impl Iterator<Item = &'a Arc<Item>> {
        self.items.iter().filter(|item| wanted.has(item))
    }
}

/// Which prompts somebody wants.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By slug, former slug or id; none: all.
    pub slugs: Option<HashSet<String>>,
    /// With one of these tags; none: all.
    pub tags: Option<HashSet<String>>,
}

impl Wanted {
    fn has(&self, item: &Item) -> bool {
        self.slugs.as_ref().is_none_or(|slugs| {
            item.names.iter().any(|name| slugs.contains(&**name)) || slugs.contains(&item.id.to_string())
        }) && self.tags.as_ref().is_none_or(|tags| item.tags.iter().any(|tag| tags.contains(&**tag)))
    }

    /// The same for everybody who wants the same; empty for everything.
    pub fn name(&self) -> String {
        let list = |name: &str, words: &Option<HashSet<String>>| {
            words.as_ref().map_or_else(String::new, |words| {
                let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
                words.sort_unstable();
                format!("{name}={};", words.join(","))
            })
        };
        list("slugs", &self.slugs) + &list("tags", &self.tags)
    }
}
