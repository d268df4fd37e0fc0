//! A workspace that somebody listens in: what was last said, who waits for more, and what may be replayed.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

use futures::task::AtomicWaker;
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use crate::features::stream::batch::Batch;
use crate::features::stream::changes::Change;
use crate::features::stream::replays::Replays;
use crate::features::stream::ring::Ring;

/// What a slow listener may be behind before it has to look at everything again.
const BACKLOG: usize = 256;
const BACKLOG_BYTES: usize = 16 * 1024 * 1024;

/// Wakes one listener, and tells it what else there is to do.
#[derive(Default)]
pub struct Waiter {
    waker: AtomicWaker,
    flags: AtomicU8,
}

/// Who may listen may have changed.
pub const RECHECK: u8 = 1;
/// The server stops, or nothing that was said holds any more.
pub const END: u8 = 2;

impl Waiter {
    /// To be woken from here on.
    pub fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// What there is to do, and forgets it.
    pub fn take_flags(&self) -> u8 {
        if self.flags.load(Ordering::Acquire) == 0 { 0 } else { self.flags.swap(0, Ordering::AcqRel) }
    }

    fn call(&self, flag: u8) {
        self.flags.fetch_or(flag, Ordering::AcqRel);
        self.waker.wake();
    }
}

/// See the module.
pub struct Room {
    /// The workspace.
    pub workspace: Uuid,
    /// Done when it is known where the room begins.
    pub begun: OnceCell<()>,
    /// Woken when something was said.
    pub moved: Notify,
    /// Woken when listeners have taken what was said.
    pub taken: Notify,
    /// Whether somebody is at work saying what has changed.
    pub at_work: AtomicBool,
    /// Replays made for those who came back.
    pub replays: tokio::sync::Mutex<Replays>,
    /// Held from reading what is delivered until that is said, or has its place before what is said next. Else somebody
    /// who comes back would be told of now, and then of what was read a moment earlier.
    pub telling: tokio::sync::Mutex<()>,
    /// Whether the room was given up.
    closed: AtomicBool,
    /// The newest revision this node has heard of.
    heard: AtomicI64,
    /// Number of the newest batch.
    newest: AtomicU64,
    state: Mutex<State>,
    log: RwLock<Log>,
    waiters: RwLock<Waiters>,
}

#[derive(Default)]
struct State {
    /// Everything up to this revision has been said.
    said: i64,
    /// What is to be said, up to which revision.
    pending: Vec<Change>,
    pending_to: i64,
    ring: Ring,
}

/// The newest batches; the first has the number `base`.
#[derive(Default)]
struct Log {
    base: u64,
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
}

#[derive(Default)]
struct Waiters {
    next: u64,
    all: HashMap<u64, Arc<Waiter>>,
}

/// Where a listener begins.
pub struct Place {
    /// Its number among those who wait.
    pub number: u64,
    /// How it is woken.
    pub waiter: Arc<Waiter>,
    /// The number of the next batch that is news to it.
    pub cursor: u64,
    /// Everything up to this revision has been said before.
    pub said: i64,
}

/// What comes next for a listener.
pub enum Next {
    /// This.
    Batch(Arc<Batch>),
    /// It was too slow; the next one has this number.
    Lagged(u64),
    /// Nothing yet.
    Nothing,
}

impl Room {
    /// An empty room.
    pub fn new(workspace: Uuid) -> Room {
        Room {
            workspace,
            begun: OnceCell::new(),
            moved: Notify::new(),
            taken: Notify::new(),
            at_work: AtomicBool::new(false),
            replays: tokio::sync::Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            closed: AtomicBool::new(false),
            heard: AtomicI64::new(0),
            newest: AtomicU64::new(0),
            state: Mutex::default(),
            log: RwLock::default(),
            waiters: RwLock::default(),
        }
    }

    /// Everything up to `revision` is old news.
    pub fn begin(&self, revision: i64) {
        let mut state = self.state();
        state.said = revision;
        state.pending.retain(|change| change.told.revision > revision);
        let news = std::mem::take(&mut state.pending);
        state.ring.begin(revision);
        for change in &news {
            state.ring.push(change.clone());
        }
        state.pending = news;
    }

    /// Takes a place.
    pub fn sit(&self) -> Place {
        let state = self.state();
        let mut waiters = self.waiters.write().unwrap_or_else(PoisonError::into_inner);
        let (number, waiter) = (waiters.next, Arc::new(Waiter::default()));
        waiters.next += 1;
        waiters.all.insert(number, waiter.clone());
        Place { number, waiter, cursor: self.newest.load(Ordering::Acquire), said: state.said }
    }

    /// Where a listener would begin now: the number of the next batch, and what has been said.
    pub fn here(&self) -> (u64, i64) {
        let state = self.state();
        (self.newest.load(Ordering::Acquire), state.said)
    }

    /// Gives it back. Nobody needs what was said in an empty room: gives how many bytes of it are forgotten.
    pub fn leave(&self, number: u64) -> usize {
        let mut waiters = self.waiters.write().unwrap_or_else(PoisonError::into_inner);
        waiters.all.remove(&number);
        // With the door shut, so that nobody comes in and misses what is said meanwhile.
        if waiters.all.is_empty() { self.forget_replays() + self.log_mut().keep(0) } else { 0 }
    }

    /// Memory taken by what was said and may be replayed.
    pub fn bytes(&self) -> usize {
        let replays = self.replays.try_lock().map_or(0, |replays| replays.bytes());
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner).bytes;
        self.state().ring.bytes() + log + replays
    }

    /// Forgets what can be done without best. Gives how many bytes.
    pub fn shrink(&self) -> usize {
        match self.forget_replays() {
            0 => {}
            freed => return freed,
        }
        let mut state = self.state();
        let before = state.ring.bytes();
        state.ring.forget_half();
        let of_ring = before - state.ring.bytes();
        drop(state);
        let mut log = self.log_mut();
        let half = (log.batches.len() / 2).max(1);
        of_ring + log.keep(half)
    }

    /// Forgets everything. Gives how many bytes.
    pub fn clear(&self) -> usize {
        self.forget_replays() + self.state().ring.clear() + self.log_mut().keep(0)
    }

    /// Those who make one just now keep theirs.
    fn forget_replays(&self) -> usize {
        self.replays.try_lock().map_or(0, |mut replays| replays.clear())
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.waiters.read().unwrap_or_else(PoisonError::into_inner).all.len()
    }

    /// Notes that there is a revision; it is said later.
    pub fn hear(&self, revision: i64) {
        self.heard.fetch_max(revision, Ordering::AcqRel);
    }

    /// The newest revision heard of.
    pub fn heard(&self) -> i64 {
        self.heard.load(Ordering::Acquire)
    }

    /// Everything up to this revision has been said.
    pub fn said(&self) -> i64 {
        self.state().said
    }

    /// Takes in changes, in order. Gives by how many bytes what is kept has grown.
    pub fn note(&self, changes: Vec<Change>) -> isize {
        let mut state = self.state();
        let before = state.ring.bytes();
        for change in changes {
            if change.told.revision > state.said {
                state.ring.push(change.clone());
                state.pending.push(change);
            }
        }
        difference(before, state.ring.bytes())
    }

    /// Everything up to `revision` has been noted. Whether there is something to say.
    pub fn complete(&self, revision: i64) -> bool {
        self.hear(revision);
        let mut state = self.state();
        state.pending_to = revision.max(state.pending_to);
        state.pending_to > state.said
    }

    /// Whether there is something to say.
    pub fn has_news(&self) -> bool {
        let state = self.state();
        state.pending_to > state.said
    }

    /// What is to be said now.
    pub fn take_pending(&self) -> Option<(Vec<Change>, i64)> {
        let mut state = self.state();
        let to = state.pending_to;
        if to <= state.said {
            return None;
        }
        let split = state.pending.partition_point(|change| change.told.revision <= to);
        let later = state.pending.split_off(split);
        Some((std::mem::replace(&mut state.pending, later), to))
    }

    /// Puts back what could not be said yet.
    pub fn put_back(&self, mut changes: Vec<Change>) {
        let mut state = self.state();
        changes.append(&mut state.pending);
        state.pending = changes;
    }

    /// Nobody listens, so nothing is said; not if somebody has come meanwhile.
    pub fn skip_to(&self, revision: i64) -> bool {
        let mut state = self.state();
        if self.listeners() > 0 {
            return false;
        }
        state.said = revision.max(state.said);
        drop(state);
        self.moved.notify_waiters();
        true
    }

    /// Says something. Gives by how many bytes what is kept has grown.
    pub fn say(&self, batch: Arc<Batch>) -> isize {
        let (waiters, grown): (Vec<Arc<Waiter>>, isize) = {
            let mut state = self.state();
            let waiters = self.waiters.read().unwrap_or_else(PoisonError::into_inner);
            batch.say_to(waiters.all.len());
            state.said = batch.revision.max(state.said);
            let mut log = self.log_mut();
            let before = log.bytes;
            log.push(batch);
            let grown = difference(before, log.bytes);
            drop(log);
            self.newest.fetch_add(1, Ordering::AcqRel);
            (waiters.all.values().cloned().collect(), grown)
        };
        self.moved.notify_waiters();
        for waiter in &waiters {
            waiter.waker.wake();
        }
        grown
    }

    /// What comes after `cursor`.
    pub fn next(&self, cursor: u64) -> Next {
        if cursor >= self.newest.load(Ordering::Acquire) {
            return Next::Nothing;
        }
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        match cursor.checked_sub(log.base).and_then(|at| log.batches.get(usize::try_from(at).ok()?)) {
            Some(batch) => Next::Batch(batch.clone()),
            None => Next::Lagged(log.base + log.batches.len() as u64),
        }
    }

    /// The room is given up: whoever listens in it, now or later, is sent away.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.call(END);
    }

    /// Whether it was given up.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Calls everybody who listens.
    pub fn call(&self, flag: u8) {
        for waiter in self.waiters.read().unwrap_or_else(PoisonError::into_inner).all.values() {
            waiter.call(flag);
        }
    }

    /// Works on what may be replayed.
    pub fn with_ring<T>(&self, work: impl FnOnce(&mut Ring) -> T) -> T {
        work(&mut self.state().ring)
    }

    fn log_mut(&self) -> RwLockWriteGuard<'_, Log> {
        self.log.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn push(&mut self, batch: Arc<Batch>) {
        self.bytes += batch.bytes();
        self.batches.push_back(batch);
        self.keep(BACKLOG);
        while self.bytes > BACKLOG_BYTES && self.batches.len() > 1 {
            self.keep(self.batches.len() - 1);
        }
    }

    /// Forgets all but so many of the newest. Gives how many bytes.
    fn keep(&mut self, most: usize) -> usize {
        let before = self.bytes;
        while self.batches.len() > most {
            if let Some(oldest) = self.batches.pop_front() {
                self.bytes -= oldest.bytes();
                self.base += 1;
            }
        }
        before - self.bytes
    }
}

/// By how much something has grown.
pub(super) fn difference(before: usize, now: usize) -> isize {
    isize::try_from(now).unwrap_or(isize::MAX) - isize::try_from(before).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(revision: i64) -> Arc<Batch> {
        Arc::new(Batch::new(revision, Vec::new()))
    }

    #[test]
    fn a_listener_gets_what_is_said_after_it_came_in_order() {
        let room = Room::new(Uuid::nil());
        room.begin(4);
        room.say(batch(5));
        let place = room.sit();
        assert_eq!(place.said, 5);
        assert!(matches!(room.next(place.cursor), Next::Nothing));
        room.say(batch(6));
        room.say(batch(7));
        for (ahead, revision) in [(0, 6), (1, 7)] {
            let Next::Batch(batch) = room.next(place.cursor + ahead) else { panic!("nothing") };
            assert_eq!(batch.revision, revision);
        }
        assert!(matches!(room.next(place.cursor + 2), Next::Nothing));
    }

    #[test]
    fn who_is_too_far_behind_goes_on_from_the_end() {
        let room = Room::new(Uuid::nil());
        let place = room.sit();
        let last = BACKLOG as i64 + 10;
        for revision in 1..=last {
            room.say(batch(revision));
        }
        let Next::Lagged(cursor) = room.next(place.cursor) else { panic!("it lags") };
        assert!(matches!(room.next(cursor), Next::Nothing));
        room.say(batch(last + 1));
        let Next::Batch(batch) = room.next(cursor) else { panic!("nothing") };
        assert_eq!(batch.revision, last + 1);
    }

    #[test]
    fn an_empty_room_keeps_nothing_that_was_said() {
        let room = Room::new(Uuid::nil());
        let (first, second) = (room.sit(), room.sit());
        let grown = room.say(batch(1)) + room.say(batch(2));
        assert!(grown > 0 && room.bytes() == grown.unsigned_abs());
        assert_eq!(room.leave(first.number), 0);
        assert_eq!(room.leave(second.number), grown.unsigned_abs());
        assert_eq!(room.bytes(), 0);
        let place = room.sit();
        room.say(batch(3));
        let Next::Batch(batch) = room.next(place.cursor) else { panic!("nothing") };
        assert_eq!(batch.revision, 3);
    }

    #[test]
    fn nothing_is_skipped_while_somebody_listens() {
        let room = Room::new(Uuid::nil());
        room.begin(1);
        assert!(room.complete(3) && room.has_news());
        assert!(room.skip_to(3));
        let place = room.sit();
        assert_eq!(place.said, 3);
        assert!(room.complete(4) && !room.skip_to(4));
        assert_eq!(room.take_pending().map(|(changes, to)| (changes.len(), to)), Some((0, 4)));
        room.leave(place.number);
        assert!(room.skip_to(4) && !room.has_news());
    }
}
