//! The prompts of one label in memory.
//!
//! A read takes the lock of one shard, which writers hold for as long as one name is put in or taken out. Bundles are
//! put under the lock of the ledger, and that is no reader's: what a read needs of it is told by an atomic.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::error::Error;
use crate::item::Item;

const SHARDS: usize = 64;
/// Stands for no revision at all.
const NONE: u64 = u64::MAX;

/// What is known of a prompt that was put or taken away.
struct Mark {
    revision: u64,
    /// The names it is found by; none when the label delivers nothing.
    names: Vec<Box<str>>,
}

/// What a shelf has been told so far.
#[derive(Default)]
struct Ledger {
    marks: HashMap<Box<str>, Mark>,
    /// The tag of the last bundle, as long as that says the same as this shelf.
    etag: Option<String>,
    /// Why there is no bundle, when the last attempt failed.
    failure: Option<Error>,
    /// Bundles in a row that were older than what is here.
    older: u32,
    /// How often something was put or taken away.
    changes: u64,
}

impl Ledger {
    /// Something was put or taken away: the shelf says something else than the last bundle.
    fn changed(&mut self) {
        self.changes += 1;
        self.etag = None;
    }
}

/// Prompts by every name they are found by.
type Names = HashMap<Box<str>, Arc<Item>>;

/// See the module.
pub(crate) struct Shelf {
    pub label: Box<str>,
    shards: Box<[RwLock<Names>]>,
    hasher: RandomState,
    /// All changes up to this one are on the shelf. Written under the lock of the ledger.
    complete: AtomicU64,
    ledger: Mutex<Ledger>,
}

impl Shelf {
    pub fn new(label: &str) -> Self {
        Self {
            label: label.into(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            complete: AtomicU64::new(NONE),
            ledger: Mutex::default(),
        }
    }

    /// What the label delivers under this name: a slug, a former slug or an id.
    pub fn get(&self, name: &str) -> Option<Arc<Item>> {
        self.shard(name).read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The revision up to which every change is here; none as long as no bundle or snapshot was.
    pub fn complete(&self) -> Option<u64> {
        Some(self.complete.load(Acquire)).filter(|revision| *revision != NONE)
    }

    /// How often something was put or taken away.
    pub fn changes(&self) -> u64 {
        self.ledger().changes
    }

    /// Why there is no bundle, when that is so.
    pub fn failure(&self) -> Option<Error> {
        let ledger = self.ledger();
        if self.complete().is_some() { None } else { ledger.failure.clone() }
    }

    /// The key may not see this label.
    pub fn is_forbidden(&self) -> bool {
        let failure = self.failure();
        failure.as_ref().and_then(Error::refusal).is_some_and(|refusal| refusal.status == 403)
    }

    /// The tag of a bundle that says the same as this shelf, if there is one.
    pub fn etag(&self) -> Option<String> {
        self.ledger().etag.clone()
    }

    /// Whether every change up to this one is here.
    pub fn has(&self, revision: u64) -> bool {
        self.complete().is_some_and(|complete| complete >= revision)
    }

    /// Counts bundles that are older than what is here; gives how many came in a row.
    pub fn is_ahead(&self) -> u32 {
        let mut ledger = self.ledger();
        ledger.older += 1;
        ledger.older
    }

    /// The row of older bundles is broken by an answer that proves nothing.
    pub fn count_anew(&self) {
        self.ledger().older = 0;
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
        ledger.changed();
        let item = Arc::new(item);
        let names: Vec<Box<str>> = item.names().map(Box::from).collect();
        for name in &names {
            // What stood there before is dropped when the lock is free again.
            let _before = self.write(name).insert(name.clone(), item.clone());
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
        if !names.is_empty() {
            ledger.changed();
        }
        self.forget(id, names.iter());
        true
    }

    /// Takes everything of a bundle with this tag; false when the shelf is ahead of it.
    pub fn replace(&self, revision: u64, items: Vec<Item>, etag: Option<String>) -> bool {
        let mut ledger = self.ledger();
        if self.complete().is_some_and(|complete| complete > revision) {
            return false;
        }
        self.lay(&mut ledger, revision, items, etag);
        true
    }

    /// Takes from a bundle whatever was missed up to its revision, and leaves what was told later as it is. It must
    /// be at least as new as the last one.
    pub fn mend(&self, revision: u64, items: Vec<Item>, etag: Option<String>) {
        let mut ledger = self.ledger();
        self.lay(&mut ledger, revision, items, etag);
    }

    fn lay(&self, ledger: &mut Ledger, revision: u64, items: Vec<Item>, etag: Option<String>) {
        let present: std::collections::HashSet<Box<str>> = items.iter().map(|item| item.id.clone()).collect();
        for item in items {
            self.put_with(ledger, revision, item);
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
                if !mark.names.is_empty() {
                    ledger.changed();
                }
                self.forget(&id, mark.names.iter());
            }
        }
        // With something newer on it the shelf says more than the bundle.
        let is_exact = ledger.marks.values().all(|mark| mark.revision <= revision);
        ledger.etag = etag.filter(|_| is_exact);
        ledger.failure = None;
        ledger.older = 0;
        let complete = self.complete().map_or(revision, |complete| complete.max(revision));
        self.complete.store(complete, Release);
    }

    /// Every change up to `revision` has been put, provided everything before was here.
    /// Gives whether that is news.
    pub fn advance(&self, revision: u64) -> bool {
        let _ledger = self.ledger();
        let is_news = self.complete().is_some_and(|complete| complete < revision);
        if is_news {
            self.complete.store(revision, Release);
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
        self.complete.store(NONE, Release);
        for shard in &self.shards {
            let _before = std::mem::take(&mut *shard.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Every prompt, each once, in order of slug, and the revision they are complete at.
    pub fn contents(&self) -> Option<(u64, Vec<Arc<Item>>)> {
        let ledger = self.ledger();
        let complete = self.complete()?;
        let mut items: Vec<_> =
            ledger.marks.values().filter_map(|mark| self.get(mark.names.first()?)).collect();
        items.sort_by(|a, b| a.slug.cmp(&b.slug));
        Some((complete, items))
    }

    /// Names that still lead to the prompt `id` lead nowhere any more.
    fn forget<'a>(&self, id: &str, names: impl Iterator<Item = &'a Box<str>>) {
        for name in names {
            let mut shard = self.write(name);
            let is_of_it = shard.get(name).is_some_and(|item| *item.id == *id);
            let before = if is_of_it { shard.remove(name) } else { None };
            drop(shard);
            drop(before);
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
        assert!(shelf.replace(10, bundle, None));
        assert_eq!(version(&shelf, "a"), Some(5));
        assert_eq!(version(&shelf, "b"), None);
        assert_eq!(version(&shelf, "c"), None);
        assert_eq!(version(&shelf, "d"), Some(1));
        shelf.advance(12);
        assert!(!shelf.replace(11, vec![], None), "an older bundle is not taken at all");
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
        shelf.replace(1, vec![item("1", "a", 1, &[])], None);
        let before = shelf.get("a").unwrap();
        before.is_from_disk.store(true, Relaxed);
        shelf.replace(2, vec![item("1", "a", 1, &[])], None);
        assert!(Arc::ptr_eq(&before, &shelf.get("a").unwrap()));
        assert!(!before.is_from_disk.load(Relaxed));
    }
    #[test]
    fn the_tag_stays_while_nothing_was_put() {
        let tag = || Some("\"r1\"".to_owned());
        let shelf = Shelf::new("production");
        shelf.replace(1, vec![item("1", "a", 1, &[])], tag());
        shelf.advance(5);
        shelf.put(6, item("1", "a", 1, &[]));
        shelf.delete(6, "nobody");
        assert_eq!(shelf.etag(), tag(), "revisions went by, and all is as it was");
        shelf.put(7, item("1", "a", 2, &[]));
        assert_eq!(shelf.etag(), None);
        shelf.put(9, item("2", "b", 1, &[]));
        shelf.replace(8, vec![item("1", "a", 2, &[])], tag());
        assert_eq!(shelf.etag(), None, "the bundle does not know what is newer");
        shelf.replace(9, vec![item("1", "a", 2, &[]), item("2", "b", 1, &[])], tag());
        assert_eq!(shelf.etag(), tag());
        shelf.delete(10, "2");
        assert_eq!(shelf.etag(), None);
    }

    #[test]
    fn what_was_missed_is_mended_and_what_was_told_later_stays() {
        let shelf = Shelf::new("production");
        let first = ["1", "2", "3"].map(|id| item(id, id, 1, &[])).into();
        shelf.replace(10, first, None);
        shelf.put(14, item("1", "1", 4, &[]));
        shelf.delete(13, "3");
        shelf.advance(14);
        // Up to 12 the second was taken away and a fourth was put, and nobody told.
        let bundle = ["1", "3", "4"].map(|id| item(id, id, 2, &[])).into();
        shelf.mend(12, bundle, Some("\"r12\"".to_owned()));
        let versions = ["1", "2", "3", "4"].map(|id| version(&shelf, id));
        assert_eq!(versions, [Some(4), None, None, Some(2)]);
        assert_eq!((shelf.complete(), shelf.etag()), (Some(14), None));
    }

    #[test]
    fn a_read_waits_for_no_writer() {
        let client = crate::Client::builder()
            .url("http://127.0.0.1:9")
            .api_key("xr2_test")
            .stream(false)
            .telemetry(false)
            .build()
            .unwrap();
        let home = client.inner.shelves.home().clone();
        home.replace(1, vec![item("1", "a", 1, &[])], None);
        client.inner.link.is_streaming.store(true, Relaxed);
        std::thread::scope(|scope| {
            // As it is held while a bundle is put.
            let _ledger = home.ledger();
            let (sender, receiver) = std::sync::mpsc::channel();
            let client = &client;
            scope.spawn(move || sender.send(client.get_now("a").map(|prompt| prompt.source())));
            let read = receiver.recv_timeout(std::time::Duration::from_secs(60));
            assert_eq!(read.expect("it waits").unwrap(), crate::Source::Stream);
        });
    }
}
