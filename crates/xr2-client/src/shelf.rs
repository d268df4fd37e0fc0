//! The prompts of one label in memory. Readers take a lock that is held for as long as a pointer is copied.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::error::Error;
use crate::item::Item;

const SHARDS: usize = 64;

/// What is known of a prompt that was put or taken away.
struct Mark {
    revision: u64,
    /// The names it is found by; none when the label delivers nothing.
    names: Vec<Box<str>>,
}

/// What a shelf has been told so far.
#[derive(Default)]
struct Ledger {
    /// All changes up to this one are on the shelf.
    complete: Option<u64>,
    marks: HashMap<Box<str>, Mark>,
    /// The tag of the last bundle, and its revision.
    etag: Option<(String, u64)>,
    /// Why there is no bundle, when the last attempt failed.
    failure: Option<Error>,
    /// Bundles in a row that were older than what is here.
    older: u32,
    /// How often something was put or taken away.
    changes: u64,
}

/// Prompts by every name they are found by.
type Names = HashMap<Box<str>, Arc<Item>>;

/// See the module.
pub(crate) struct Shelf {
    pub label: Box<str>,
    shards: Box<[RwLock<Names>]>,
    hasher: RandomState,
    ledger: Mutex<Ledger>,
}

impl Shelf {
    pub fn new(label: &str) -> Self {
        Self {
            label: label.into(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            ledger: Mutex::default(),
        }
    }

    /// What the label delivers under this name: a slug, a former slug or an id.
    pub fn get(&self, name: &str) -> Option<Arc<Item>> {
        self.shard(name).read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The revision up to which every change is here; none as long as no bundle or snapshot was.
    pub fn complete(&self) -> Option<u64> {
        self.ledger().complete
    }

    /// How often something was put or taken away.
    pub fn changes(&self) -> u64 {
        self.ledger().changes
    }

    /// Why there is no bundle, when that is so.
    pub fn failure(&self) -> Option<Error> {
        let ledger = self.ledger();
        if ledger.complete.is_some() { None } else { ledger.failure.clone() }
    }

    /// The tag of a bundle that says the same as this shelf, if there is one.
    pub fn etag(&self) -> Option<String> {
        let ledger = self.ledger();
        let (tag, revision) = ledger.etag.as_ref()?;
        (ledger.complete == Some(*revision)).then(|| tag.clone())
    }

    /// Remembers the tag of the bundle that was put last.
    pub fn tagged(&self, etag: Option<String>, revision: u64) {
        self.ledger().etag = etag.map(|tag| (tag, revision));
    }

    /// Counts bundles that are older than what is here; gives how many came in a row.
    pub fn is_ahead(&self) -> u32 {
        let mut ledger = self.ledger();
        ledger.older += 1;
        ledger.older
    }

    pub fn failed(&self, error: &Error) {
        self.ledger().failure = Some(error.clone());
    }

    /// Puts a prompt, unless something newer was heard of it.
    pub fn put(&self, revision: u64, item: Item) -> bool {
        let mut ledger = self.ledger();
        self.put_with(&mut ledger, revision, item)
    }

    fn put_with(&self, ledger: &mut Ledger, revision: u64, item: Item) -> bool {
        let known = ledger.marks.get(&item.id);
        if known.is_some_and(|mark| mark.revision > revision) {
            return false;
        }
        let before = known.map(|mark| mark.names.clone()).unwrap_or_default();
        if let Some(same) = before.first().and_then(|name| self.get(name))
            && same.data() == item.data()
        {
            // What is known of it stays: the compiled template, since when it is here.
            same.is_from_disk.store(item.is_from_disk.load(Relaxed), Relaxed);
            ledger.marks.insert(same.id.clone(), Mark { revision, names: before });
            return true;
        }
        ledger.changes += 1;
        let item = Arc::new(item);
        let names: Vec<Box<str>> = item.names().map(Box::from).collect();
        for name in &names {
            self.write(name).insert(name.clone(), item.clone());
        }
        self.forget(&item.id, before.iter().filter(|name| !names.contains(name)));
        ledger.marks.insert(item.id.clone(), Mark { revision, names });
        true
    }

    /// Takes a prompt away, unless something newer was heard of it.
    pub fn delete(&self, revision: u64, id: &str) -> bool {
        let mut ledger = self.ledger();
        let mark = ledger.marks.entry(id.into()).or_insert(Mark { revision, names: Vec::new() });
        if mark.revision > revision {
            return false;
        }
        mark.revision = revision;
        let names = std::mem::take(&mut mark.names);
        ledger.changes += u64::from(!names.is_empty());
        self.forget(id, names.iter());
        true
    }

    /// Takes everything of a bundle; false when the shelf is ahead of it.
    pub fn replace(&self, revision: u64, items: Vec<Item>) -> bool {
        let mut ledger = self.ledger();
        if ledger.complete.is_some_and(|complete| complete > revision) {
            return false;
        }
        let present: std::collections::HashSet<Box<str>> = items.iter().map(|item| item.id.clone()).collect();
        for item in items {
            self.put_with(&mut ledger, revision, item);
        }
        // What is in no bundle is delivered no more, and what was taken away before it need not be remembered.
        let gone: Vec<_> = ledger
            .marks
            .iter()
            .filter(|(id, mark)| mark.revision <= revision && !present.contains(*id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            if let Some(mark) = ledger.marks.remove(&id) {
                ledger.changes += u64::from(!mark.names.is_empty());
                self.forget(&id, mark.names.iter());
            }
        }
        ledger.complete = Some(revision);
        ledger.failure = None;
        ledger.older = 0;
        true
    }

    /// Every change up to `revision` has been put, provided everything before was here.
    /// Gives whether that is news.
    pub fn advance(&self, revision: u64) -> bool {
        let mut ledger = self.ledger();
        let is_news = ledger.complete.is_some_and(|complete| complete < revision);
        if is_news {
            ledger.complete = Some(revision);
        }
        is_news
    }

    /// Everything is as the server says once more.
    pub fn confirm(&self) {
        self.ledger().older = 0;
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.values().for_each(|item| item.is_from_disk.store(false, Relaxed));
        }
    }

    /// Forgets everything, revisions too.
    pub fn clear(&self) {
        let mut ledger = self.ledger();
        *ledger = Ledger { changes: ledger.changes + 1, ..Ledger::default() };
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Every prompt, each once, in order of slug, and the revision they are complete at.
    pub fn contents(&self) -> Option<(u64, Vec<Arc<Item>>)> {
        let ledger = self.ledger();
        let complete = ledger.complete?;
        let mut items: Vec<_> =
            ledger.marks.values().filter_map(|mark| self.get(mark.names.first()?)).collect();
        items.sort_by(|a, b| a.slug.cmp(&b.slug));
        Some((complete, items))
    }

    /// Names that still lead to the prompt `id` lead nowhere any more.
    fn forget<'a>(&self, id: &str, names: impl Iterator<Item = &'a Box<str>>) {
        for name in names {
            let mut shard = self.write(name);
            if shard.get(name).is_some_and(|item| *item.id == *id) {
                shard.remove(name);
            }
        }
    }

    fn shard(&self, name: &str) -> &RwLock<Names> {
        // The upper bits, because the lower ones choose the place within a shard.
        let at = (self.hasher.hash_one(name) >> 48) as usize % SHARDS;
        &self.shards[at]
    }

    fn write(&self, name: &str) -> std::sync::RwLockWriteGuard<'_, Names> {
        self.shard(name).write().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(id: &str, slug: &str, version: i64, former: &[&str]) -> Item {
        let data =
            json!({"id": id, "slug": slug, "version": version, "content": "x", "former_slugs": former});
        Item::read(data).unwrap()
    }

    fn version(shelf: &Shelf, name: &str) -> Option<i64> {
        shelf.get(name)?.version
    }

    #[test]
    fn the_newer_revision_wins_in_any_order() {
        let shelf = Shelf::new("production");
        assert!(shelf.put(7, item("1", "a", 3, &[])));
        assert!(!shelf.put(6, item("1", "a", 2, &[])));
        assert!(!shelf.delete(6, "1"));
        assert_eq!(version(&shelf, "a"), Some(3));
        assert!(shelf.delete(8, "1"));
        assert!(!shelf.put(7, item("1", "a", 3, &[])), "what was taken away stays away");
        assert_eq!(version(&shelf, "a"), None);
    }

    #[test]
    fn a_bundle_neither_undoes_what_is_newer_nor_keeps_what_is_gone() {
        let shelf = Shelf::new("production");
        shelf.put(12, item("1", "a", 5, &[]));
        shelf.delete(12, "2");
        shelf.put(4, item("3", "c", 1, &[]));
        let bundle = vec![item("1", "a", 4, &[]), item("2", "b", 1, &[]), item("4", "d", 1, &[])];
        assert!(shelf.replace(10, bundle));
        assert_eq!(version(&shelf, "a"), Some(5));
        assert_eq!(version(&shelf, "b"), None);
        assert_eq!(version(&shelf, "c"), None);
        assert_eq!(version(&shelf, "d"), Some(1));
        shelf.advance(12);
        assert!(!shelf.replace(11, vec![]), "an older bundle is not taken at all");
        assert_eq!(version(&shelf, "d"), Some(1));
    }

    #[test]
    fn a_renamed_prompt_is_found_by_both_slugs_until_another_takes_one() {
        let shelf = Shelf::new("production");
        shelf.put(1, item("1", "old", 1, &[]));
        shelf.put(2, item("1", "new", 1, &["old"]));
        assert_eq!(version(&shelf, "old"), Some(1));
        assert_eq!(version(&shelf, "new"), Some(1));
        shelf.put(3, item("2", "old", 9, &[]));
        shelf.put(4, item("1", "new", 2, &[]));
        assert_eq!(version(&shelf, "old"), Some(9));
        assert_eq!(version(&shelf, "1"), Some(2));
        shelf.delete(5, "1");
        assert_eq!(version(&shelf, "new"), None);
        assert_eq!(version(&shelf, "old"), Some(9));
    }

    #[test]
    fn what_did_not_change_is_kept_as_it_is() {
        let shelf = Shelf::new("production");
        shelf.replace(1, vec![item("1", "a", 1, &[])]);
        let before = shelf.get("a").unwrap();
        before.is_from_disk.store(true, Relaxed);
        shelf.replace(2, vec![item("1", "a", 1, &[])]);
        assert!(Arc::ptr_eq(&before, &shelf.get("a").unwrap()));
        assert!(!before.is_from_disk.load(Relaxed));
    }
}
