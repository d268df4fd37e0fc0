//! Who depends on what. Everything in the cache carries a [`Mark`]; a change sets the marks of what it touches before
//! it is acknowledged, so that a reader has to look at one flag and at no lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, Weak};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::events::Place;
use crate::features::delivery::key::Key;

/// Something that a delivery was made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// A prompt: its rows, versions and labels.
    Prompt(Uuid),
    /// A slug, whether a prompt has it or not.
    Name(Box<str>),
}

/// What a change touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nothing that is delivered.
    Nothing,
    /// These.
    Some(Vec<Dependency>),
    /// The whole workspace.
    Everything,
}

/// Whether something that was read is still as it was.
#[derive(Debug)]
pub struct Mark {
    key: Key,
    revision: i64,
    stale: AtomicBool,
}

impl Mark {
    /// A mark of something read at `revision`.
    pub fn new(key: Key, revision: i64) -> Arc<Mark> {
        Arc::new(Mark { key, revision, stale: AtomicBool::new(false) })
    }

    /// What it was asked for by.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The workspace's revision it was read at.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Makes it stale.
    pub fn outdate(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// Whether a change has touched it since.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Acquire)
    }
}

/// Changes remembered per workspace, to tell a fill that it read too early.
const REMEMBERED: usize = 1024;

/// A workspace as delivery sees it.
pub struct Tenant {
    id: Uuid,
    /// Every change up to this revision has been applied to what this node holds.
    told: AtomicI64,
    /// Every change after this revision that this node has heard of stands in the book.
    known_from: i64,
    /// The newest change this node has heard of; changes before it may still be on their way.
    seen: AtomicI64,
    /// Woken when `told` moves.
    pub moved: Notify,
    /// Held by whoever asks the database for the revision on behalf of all who wait for it.
    pub asking: tokio::sync::Mutex<()>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    holders: HashMap<Dependency, Vec<Weak<Mark>>>,
    everything: Vec<Weak<Mark>>,
    /// Newest revision that touched each thing, as far as remembered.
    changed: HashMap<Dependency, i64>,
    /// Newest revision that touched everything, or of what is no longer remembered.
    floor: i64,
    /// The last event of each of the newest revisions: which history this is.
    history: BTreeMap<i64, Uuid>,
    registered: usize,
    sweep_at: usize,
}

impl Tenant {
    fn new(id: Uuid, place: Place, known_from: i64) -> Tenant {
        let told = place.revision;
        let history = place.event.map(|event| (told, event)).into_iter().collect();
        Tenant {
            id,
            known_from,
            told: AtomicI64::new(told),
            seen: AtomicI64::new(told),
            moved: Notify::new(),
            asking: tokio::sync::Mutex::new(()),
            book: Mutex::new(Book { history, ..Book::default() }),
        }
    }

    /// The workspace.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// See the field.
    pub fn told(&self) -> i64 {
        self.told.load(Ordering::Acquire)
    }

    /// See the field.
    pub fn seen(&self) -> i64 {
        self.seen.load(Ordering::Acquire)
    }

    /// Notes that every change up to `revision` has been applied.
    pub fn caught_up(&self, revision: i64) {
        if self.told.fetch_max(revision, Ordering::AcqRel) < revision {
            self.moved.notify_waiters();
        }
    }

    /// Takes in something read at the mark's revision, unless a newer change has touched it meanwhile. `keep` runs
    /// under the same lock as changes, so that none slips in between.
    pub fn register(&self, mark: &Arc<Mark>, dependencies: &[Dependency], keep: impl FnOnce()) -> bool {
        let mut book = self.book();
        let newest = dependencies.iter().filter_map(|one| book.changed.get(one)).max().copied().unwrap_or(0);
        if book.floor > mark.revision || newest > mark.revision {
            return false;
        }
        for dependency in dependencies {
            book.holders.entry(dependency.clone()).or_default().push(Arc::downgrade(mark));
        }
        book.everything.push(Arc::downgrade(mark));
        book.registered += dependencies.len() + 1;
        book.sweep();
        keep();
        true
    }

    /// Up to which revision something holds that was read elsewhere at `place`, if that is of the history this node knows,
    /// and if it knows that nothing has touched it since.
    pub fn vouch(&self, place: Place, dependencies: &[Dependency]) -> Option<i64> {
        let (book, revision) = (self.book(), place.revision);
        if place.event.is_none() || book.history.get(&revision).copied() != place.event {
            return None;
        }
        let (told, seen) = (self.told(), self.seen());
        // Of changes between these two some may not have been heard of; and what is newer than all of them may be of
        // another time, before a backup was restored.
        if told < seen || revision > told || revision < self.known_from || book.floor > revision {
            return None;
        }
        let is_touched =
            dependencies.iter().any(|one| book.changed.get(one).is_some_and(|at| *at > revision));
        (!is_touched).then_some(told)
    }

    /// Applies a change: what it touches is stale from here on, except what was read after it. Gives what became stale.
    pub fn change(&self, revision: i64, event: Uuid, scope: &Scope) -> Vec<Arc<Mark>> {
        let mut book = self.book();
        book.note(revision, event);
        self.seen.fetch_max(revision, Ordering::AcqRel);
        let touched: Vec<Arc<Mark>> = match scope {
            Scope::Nothing => Vec::new(),
            Scope::Some(dependencies) => {
                for dependency in dependencies {
                    let newest = book.changed.entry(dependency.clone()).or_insert(revision);
                    *newest = revision.max(*newest);
                }
                book.forget_old();
                dependencies
                    .iter()
                    .filter_map(|one| book.holders.get(one))
                    .flatten()
                    .filter_map(Weak::upgrade)
                    .collect()
            }
            Scope::Everything => {
                book.floor = revision.max(book.floor);
                book.everything.iter().filter_map(Weak::upgrade).collect()
            }
        };
        // A change is told twice on the node that made it: what was read since then is as new as it can be.
        touched
            .into_iter()
            .filter(|mark| mark.revision < revision && !mark.stale.swap(true, Ordering::AcqRel))
            .collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Book {
    /// Of several events of a revision the last one counts.
    fn note(&mut self, revision: i64, event: Uuid) {
        self.history.insert(revision, event);
        if self.history.len() > REMEMBERED {
            self.history.pop_first();
        }
    }

    /// Forgets the older half of the changes; whoever read before them has to read again.
    fn forget_old(&mut self) {
        if self.changed.len() <= REMEMBERED {
            return;
        }
        let mut revisions: Vec<i64> = self.changed.values().copied().collect();
        let (_, middle, _) = revisions.select_nth_unstable(REMEMBERED / 2);
        let middle = *middle;
        self.changed.retain(|_, revision| *revision > middle);
        self.floor = self.floor.max(middle);
    }

    /// Drops what is no longer held by anybody, when there may be much of it.
    fn sweep(&mut self) {
        if self.registered < self.sweep_at.max(4096) {
            return;
        }
        let is_held = |mark: &Weak<Mark>| mark.upgrade().is_some_and(|mark| !mark.is_stale());
        self.holders.retain(|_, marks| {
            marks.retain(is_held);
            !marks.is_empty()
        });
        self.everything.retain(is_held);
        self.registered = self.holders.values().map(Vec::len).sum::<usize>() + self.everything.len();
        self.sweep_at = self.registered * 2;
    }
}

/// The workspaces that something was delivered from.
#[derive(Default)]
pub struct Tenants {
    known: RwLock<HashMap<Uuid, Arc<Tenant>>>,
    /// The newest change this node has heard of, of all workspaces.
    heard: Mutex<HashMap<Uuid, i64>>,
}

impl Tenants {
    /// The workspace, if anything was ever asked from it.
    pub fn find(&self, workspace: Uuid) -> Option<Arc<Tenant>> {
        self.known.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&workspace).cloned()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.known.read().unwrap_or_else(|poisoned| poisoned.into_inner()).len()
    }

    /// Makes everything stale that was read, and begins anew.
    pub fn forget(&self) {
        let tenants =
            std::mem::take(&mut *self.known.write().unwrap_or_else(|poisoned| poisoned.into_inner()));
        for tenant in tenants.into_values() {
            let mut book = tenant.book();
            // What is being read now would come too late to be forgotten.
            book.floor = i64::MAX;
            let marks: Vec<_> = book.everything.iter().filter_map(Weak::upgrade).collect();
            drop(book);
            marks.iter().for_each(|mark| mark.outdate());
            tenant.moved.notify_waiters();
        }
    }

    /// Notes a change, before the workspace is looked for: one that is new meanwhile knows of it, or is told of it.
    pub fn heard(&self, workspace: Uuid, revision: i64) {
        let mut heard = self.heard.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let newest = heard.entry(workspace).or_default();
        *newest = revision.max(*newest);
    }

    /// The workspace; `told` is asked for when it is new.
    pub fn get(&self, workspace: Uuid, told: impl FnOnce() -> Place) -> Arc<Tenant> {
        if let Some(found) = self.find(workspace) {
            return found;
        }
        let mut tenants = self.known.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        let begin = || {
            let told = told();
            let heard = self.heard.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let known_from = heard.get(&workspace).map_or(told.revision, |heard| told.revision.max(*heard));
            Arc::new(Tenant::new(workspace, told, known_from))
        };
        tenants.entry(workspace).or_insert_with(begin).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::delivery::key::Selector;

    fn mark(revision: i64) -> Arc<Mark> {
        Mark::new(Key { workspace: Uuid::nil(), name: "a".into(), selector: Selector::Number(1) }, revision)
    }

    fn id(revision: i64) -> Uuid {
        Uuid::from_u128(u128::from(revision.unsigned_abs()))
    }

    fn place(revision: i64) -> Place {
        Place { revision, event: Some(id(revision)) }
    }

    fn name(text: &str) -> Dependency {
        Dependency::Name(text.into())
    }

    #[test]
    fn a_change_marks_what_depends_on_it_and_nothing_else() {
        let tenant = Tenant::new(Uuid::nil(), place(0), 0);
        let (touched, other) = (mark(1), mark(1));
        assert!(tenant.register(&touched, &[name("a"), name("snippet")], || {}));
        assert!(tenant.register(&other, &[name("b")], || {}));
        let stale = tenant.change(2, id(2), &Scope::Some(vec![name("snippet")]));
        assert_eq!(stale.len(), 1);
        assert!(touched.is_stale() && !other.is_stale());
        assert!(tenant.change(3, id(3), &Scope::Nothing).is_empty());
        assert_eq!(tenant.change(4, id(4), &Scope::Everything).len(), 1);
        assert!(other.is_stale());
    }

    #[test]
    fn a_fill_that_read_before_a_change_is_not_kept() {
        let tenant = Tenant::new(Uuid::nil(), place(0), 0);
        tenant.change(5, id(5), &Scope::Some(vec![name("a")]));
        assert!(!tenant.register(&mark(4), &[name("a")], || panic!("must not be kept")));
        assert!(tenant.register(&mark(4), &[name("b")], || {}), "nothing has touched b");
        assert!(tenant.register(&mark(5), &[name("a")], || {}));
        tenant.change(6, id(6), &Scope::Everything);
        assert!(!tenant.register(&mark(5), &[name("c")], || {}));
    }

    #[test]
    fn a_change_told_again_spares_what_was_read_since() {
        let tenant = Tenant::new(Uuid::nil(), place(0), 0);
        let fresh = mark(5);
        tenant.register(&fresh, &[name("a")], || {});
        assert!(tenant.change(5, id(5), &Scope::Some(vec![name("a")])).is_empty());
        assert!(!fresh.is_stale());
    }

    #[test]
    fn many_changes_are_forgotten_but_never_a_reader_misled() {
        let tenant = Tenant::new(Uuid::nil(), place(0), 0);
        for revision in 1..=5000 {
            tenant.change(revision, id(revision), &Scope::Some(vec![name(&format!("p{revision}"))]));
        }
        assert!(tenant.book().changed.len() <= REMEMBERED);
        assert!(!tenant.register(&mark(10), &[name("p20")], || {}), "forgotten, so read again");
        assert!(!tenant.register(&mark(4998), &[name("p4999")], || {}));
        assert!(tenant.register(&mark(4998), &[name("p7")], || {}));
    }

    #[test]
    fn only_what_is_known_to_be_untouched_is_vouched_for() {
        let tenant = Tenant::new(Uuid::nil(), place(10), 10);
        assert_eq!(tenant.vouch(place(10), &[name("a")]), Some(10));
        assert_eq!(tenant.vouch(place(9), &[name("a")]), None, "what came between 9 and 10 is not known");
        assert_eq!(tenant.vouch(place(11), &[name("a")]), None, "from the future");
        tenant.change(11, id(11), &Scope::Some(vec![name("b")]));
        assert_eq!(tenant.vouch(place(10), &[name("a")]), None, "a change is on its way");
        tenant.caught_up(11);
        assert_eq!(tenant.vouch(place(10), &[name("a")]), Some(11));
        assert_eq!(tenant.vouch(place(10), &[name("a"), name("b")]), None);
        assert_eq!(tenant.vouch(place(11), &[name("b")]), Some(11));
        tenant.change(12, id(12), &Scope::Everything);
        tenant.caught_up(12);
        assert_eq!(tenant.vouch(place(11), &[name("b")]), None);
    }

    #[test]
    fn what_was_read_in_another_history_is_not_vouched_for() {
        let tenant = Tenant::new(Uuid::nil(), place(10), 10);
        let lost = |revision| Place { revision, event: Some(id(1000 + revision)) };
        assert_eq!(tenant.vouch(lost(10), &[name("a")]), None);
        tenant.change(11, id(11), &Scope::Nothing);
        tenant.caught_up(11);
        assert_eq!(tenant.vouch(lost(11), &[name("a")]), None);
        assert_eq!(tenant.vouch(Place { revision: 11, event: None }, &[name("a")]), None);
        assert_eq!(tenant.vouch(place(11), &[name("a")]), Some(11));
    }

    #[test]
    fn what_is_read_while_all_is_forgotten_is_not_kept() {
        let tenants = Tenants::default();
        let tenant = tenants.get(Uuid::nil(), || place(11));
        tenants.forget();
        assert!(!tenant.register(&mark(11), &[name("a")], || panic!("must not be kept")));
    }

    #[test]
    fn a_new_workspace_knows_nothing_of_what_was_heard_before_it() {
        let tenants = Tenants::default();
        tenants.heard(Uuid::nil(), 12);
        let tenant = tenants.get(Uuid::nil(), || place(11));
        tenant.change(12, id(12), &Scope::Nothing);
        tenant.caught_up(12);
        assert_eq!(tenant.vouch(place(11), &[name("a")]), None);
        assert_eq!(tenant.vouch(place(12), &[name("a")]), Some(12));
    }

    #[test]
    fn the_book_does_not_grow_with_what_is_gone() {
        let tenant = Tenant::new(Uuid::nil(), place(0), 0);
        for n in 0..20_000 {
            tenant.register(&mark(1), &[name(&format!("p{n}"))], || {});
        }
        let book = tenant.book();
        assert!(book.registered < 10_000, "{}", book.registered);
    }
}
