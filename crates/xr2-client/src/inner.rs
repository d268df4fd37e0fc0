//! What a client's handles and its background tasks share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use crate::api::{Api, Selector};
use crate::error::Error;
use crate::fetched::{Fetched, Key};
use crate::item::Item;
use crate::prompt::{Prompt, Source};
use crate::settings::Settings;
use crate::shelf::Shelf;
use crate::shelves::Shelves;
use crate::snapshot::Snapshot;
use crate::telemetry::Telemetry;

/// See the module.
pub(crate) struct Inner {
    pub settings: Settings,
    pub api: Api,
    pub shelves: Shelves,
    pub fetched: Fetched,
    pub telemetry: Telemetry,
    pub snapshot: Option<Snapshot>,
    pub link: Link,
    /// Raised whenever something in memory changed; its value means nothing.
    pub changed: watch::Sender<u64>,
    /// Why the key is good for nothing, when that is so.
    refused: RwLock<Option<Error>>,
    is_refused: AtomicBool,
    started: Instant,
}

/// How we stand with the server.
#[derive(Default)]
pub(crate) struct Link {
    /// A stream is open and has shown that it carries.
    pub is_streaming: AtomicBool,
    /// What the stream tells goes on from here; a bundle must be at least as new.
    pub need: AtomicU64,
    /// The server is behind us: another node, or a restored backup.
    pub is_doubtful: AtomicBool,
    /// The open stream is of a node that is cut off from its database and does not hear of every change.
    pub is_cut_off: AtomicBool,
    /// Leave that stream.
    pub left: Notify,
    /// Ask for the bundles now.
    pub poll: Arc<Notify>,
    /// The labels to follow have changed.
    pub relabelled: Notify,
    /// What the open stream has put so far.
    pub applied: AtomicU64,
    /// A stream fell silent; the next one must carry more than its hello before it is believed.
    pub is_suspect: AtomicBool,
    /// How often the server was set back.
    pub age: AtomicU64,
    /// Milliseconds since the start when the server was heard of last.
    heard_at: AtomicU64,
    is_away: AtomicBool,
}

impl Link {
    /// The server was set back: what the stream told before means nothing, and it is opened anew.
    pub fn set_back(&self) {
        self.age.fetch_add(1, Relaxed);
        self.is_streaming.store(false, Relaxed);
        self.need.store(0, Relaxed);
        self.applied.store(0, Relaxed);
        self.relabelled.notify_one();
    }

    /// Asks for the bundles in a while.
    pub fn poll_in(&self, wait: Duration) {
        let poll = self.poll.clone();
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            poll.notify_one();
        });
    }
}

/// What somebody wants.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub name: String,
    pub selector: Selector,
    pub user: Option<String>,
}

impl Inner {
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let inner = Self {
            api: Api::new(&settings)?,
            shelves: Shelves::new(&settings.label),
            fetched: Fetched::default(),
            telemetry: Telemetry::default(),
            snapshot: Snapshot::new(&settings),
            link: Link::default(),
            changed: watch::Sender::new(0),
            refused: RwLock::default(),
            is_refused: AtomicBool::new(false),
            started: Instant::now(),
            settings,
        };
        inner.restore();
        Ok(inner)
    }

    /// Puts on the shelves what an earlier run kept.
    fn restore(&self) {
        for kept in self.snapshot.iter().flat_map(Snapshot::read) {
            let Some((shelf, _)) = self.shelves.follow(&kept.label) else { continue };
            kept.items.iter().for_each(|item| item.is_from_disk.store(true, Relaxed));
            shelf.replace(kept.revision, kept.items, kept.etag);
        }
    }

    /// What is in memory, if it is what is wanted; at once.
    pub fn warm(&self, name: &str, selector: &SelectorRef<'_>, user: Option<&str>) -> Option<Prompt> {
        if self.is_refused.load(Relaxed) {
            return None;
        }
        let began = Instant::now();
        let item = match selector {
            SelectorRef::Home => self.shelves.home().get(name)?,
            SelectorRef::Label(label) => self.shelves.find(label)?.get(name)?,
            SelectorRef::Version(number) => return self.warm_version(name, *number, user, began),
        };
        // Who gets which variant is for the server to say.
        if user.is_some() && item.has_test() {
            return None;
        }
        Some(self.hand_out(item, began))
    }

    /// A version never changes, so that any copy will do.
    fn warm_version(&self, name: &str, number: i64, user: Option<&str>, began: Instant) -> Option<Prompt> {
        let key = Key::new(name, Selector::Version(number), user);
        let item = self.fetched.known(&key)?;
        if self.settings.tuning.telemetry {
            self.telemetry.count(&item, began);
        }
        Some(Prompt::new(item, Source::Cache, false))
    }

    fn hand_out(&self, item: Arc<Item>, began: Instant) -> Prompt {
        if self.settings.tuning.telemetry {
            self.telemetry.count(&item, began);
        }
        let is_live = self.is_live();
        let source = if is_live { Source::Stream } else { Source::Cache };
        Prompt::new(item, source, !is_live && self.silence() > self.settings.tuning.poll_interval * 4)
    }

    /// What is wanted, from wherever it can be had.
    pub async fn find(self: &Arc<Self>, wanted: Wanted) -> Result<Prompt, Error> {
        if let Some(error) = self.refusal() {
            return Err(error);
        }
        if let Selector::Label(label) = &wanted.selector
            && let Some(shelf) = self.follow(label)
        {
            self.loaded(&shelf).await;
            let selector = SelectorRef::Label(label);
            if let Some(prompt) = self.warm(&wanted.name, &selector, wanted.user.as_deref()) {
                return Ok(prompt);
            }
            // One request probes while the server is away; nobody else waits for it.
            if let Some(failure) = self.refusal().or_else(|| shelf.failure().filter(Error::is_outage)) {
                return Err(failure);
            }
        }
        let key = Key::new(&wanted.name, wanted.selector, wanted.user.as_deref());
        self.fetched.get(self, key).await
    }

    /// The shelf of a label, followed from now on.
    pub fn follow(&self, label: &str) -> Option<Arc<Shelf>> {
        let (shelf, is_new) = self.shelves.follow(label)?;
        if is_new {
            self.link.relabelled.notify_one();
            self.link.poll.notify_one();
        }
        Some(shelf)
    }

    /// Waits until the shelf has been loaded, or the attempt failed.
    pub async fn loaded(&self, shelf: &Shelf) {
        let mut changes = self.changed.subscribe();
        let is_settled = |_: &u64| {
            shelf.complete().is_some() || shelf.failure().is_some() || self.is_refused.load(Relaxed)
        };
        // The sender lives as long as we do.
        let _ = changes.wait_for(is_settled).await;
    }

    /// Tells everybody who waits that something changed.
    pub fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Whether every change is in memory as soon as it is made.
    pub fn is_live(&self) -> bool {
        self.link.is_streaming.load(Relaxed)
            && !self.link.is_doubtful.load(Relaxed)
            && self.covers(self.shelves.home())
    }

    /// Whether the shelf has everything that came before what the stream tells.
    pub fn covers(&self, shelf: &Shelf) -> bool {
        shelf.complete().is_some_and(|complete| complete >= self.link.need.load(Relaxed))
    }

    /// The server was heard of.
    pub fn heard(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.link.heard_at.store(now, Relaxed);
        if self.link.is_away.swap(false, Relaxed) {
            tracing::info!(target: "xr2", "the server is back");
        }
    }

    /// A node answered that hears of every change: perhaps its stream is to be had instead of one that does not.
    pub fn in_touch(&self) {
        if self.link.is_cut_off.load(Relaxed) {
            self.link.left.notify_waiters();
        }
    }

    /// The server is away; told once.
    pub fn missed(&self, error: &Error) {
        if !self.link.is_away.swap(true, Relaxed) {
            tracing::warn!(target: "xr2", "the server is away, the last good prompts go on being used: {error}");
        }
    }

    fn silence(&self) -> Duration {
        let heard_at = Duration::from_millis(self.link.heard_at.load(Relaxed));
        self.started.elapsed().saturating_sub(heard_at)
    }

    /// Why the key is good for nothing, when that is so.
    pub fn refusal(&self) -> Option<Error> {
        self.refused.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The key is good for nothing: what was fetched with it is not handed out any more.
    pub fn refuse(&self, error: Error) {
        if !self.is_refused.swap(true, Relaxed) {
            tracing::error!(target: "xr2", "the server refuses the API key: {error}");
        }
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.shelves.all().iter().for_each(|shelf| shelf.clear());
        self.fetched.clear();
        if let Some(snapshot) = &self.snapshot {
            snapshot.remove();
        }
        self.tell();
    }

    /// The key is good.
    pub fn admit(&self) {
        if self.is_refused.swap(false, Relaxed) {
            *self.refused.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Which version of a prompt is meant.
#[derive(Clone, Copy)]
pub(crate) enum SelectorRef<'a> {
    /// The client's own label.
    Home,
    Label(&'a str),
    Version(i64),
}

/// Requests under way, each shared by everybody who wants the same.
pub(crate) type Flights<K, T> = Mutex<HashMap<K, watch::Receiver<Option<T>>>>;
