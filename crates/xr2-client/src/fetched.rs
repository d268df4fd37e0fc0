//! Prompts that are asked for one by one: pinned versions, variants of a test, what the client's selection leaves out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::api::{Dated, Selector, Standing};
use crate::error::Error;
use crate::inner::{Flights, Inner};
use crate::item::Item;
use crate::prompt::{Prompt, Source};

/// Most copies kept; the least recently used go first.
const MOST: usize = 1_000;
/// How long a copy that may change is handed out without asking.
const FRESH: Duration = Duration::from_secs(1);
/// How long nobody asks again for what is not there.
const ABSENT: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    name: Box<str>,
    selector: Selector,
    user: Option<Box<str>>,
}

impl Key {
    pub fn new(name: &str, selector: Selector, user: Option<&str>) -> Self {
        Self { name: name.into(), selector, user: user.map(Box::from) }
    }

    fn is_pinned(&self) -> bool {
        matches!(self.selector, Selector::Version(_))
    }
}

/// A copy.
struct Copy {
    answer: Result<Arc<Item>, Error>,
    etag: Option<String>,
    /// Of which it is, as far as the server said.
    revision: Option<u64>,
    checked: Instant,
    used: Instant,
}

/// What came of a request: a prompt, and whether it was the server who gave it now.
type Outcome = Result<(Arc<Item>, bool), Error>;

/// See the module.
#[derive(Default)]
pub(crate) struct Fetched {
    copies: Mutex<HashMap<Key, Copy>>,
    flights: Flights<Key, Outcome>,
}

impl Fetched {
    /// A copy that needs no confirmation.
    pub fn known(&self, key: &Key) -> Option<Arc<Item>> {
        let mut copies = self.copies();
        let copy = copies.get_mut(key)?;
        copy.used = Instant::now();
        let is_fresh = key.is_pinned() || copy.checked.elapsed() < FRESH;
        copy.answer.as_ref().ok().filter(|_| is_fresh).cloned()
    }

    /// The prompt: a fresh copy, else the server's, else the last good one.
    pub async fn get(&self, inner: &Arc<Inner>, key: Key) -> Result<Prompt, Error> {
        let began = Instant::now();
        if let Some(item) = self.known(&key) {
            if inner.settings.tuning.telemetry {
                inner.telemetry.count(&item, began);
            }
            return Ok(Prompt::new(item, Source::Cache, false));
        }
        if let Some(error) = self.absent(&key) {
            return Err(error);
        }
        match self.fetch(inner, key.clone()).await {
            Ok((item, _)) => Ok(Prompt::new(item, Source::Api, false)),
            Err(error) if error.is_outage() => match self.last_good(&key) {
                Some(item) => Ok(Prompt::new(item, Source::Cache, true)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Keeps what a batch brought along, and gives it; or the last good copy, where the batch is behind that.
    pub fn keep(&self, key: Key, item: Arc<Item>, standing: Standing) -> Prompt {
        match self.last_good(&key).filter(|_| self.is_behind(&key, standing)) {
            Some(newer) => Prompt::new(newer, Source::Cache, true),
            None => {
                self.store(key, Ok(item.clone()), None, standing.revision);
                Prompt::new(item, Source::Api, false)
            }
        }
    }

    pub fn clear(&self) {
        self.copies().clear();
    }

    /// Asks the server, together with everybody who wants the same.
    async fn fetch(&self, inner: &Arc<Inner>, key: Key) -> Outcome {
        let mut flight = self.join(inner, key);
        let landed = flight.wait_for(Option::is_some).await;
        landed.map_err(|_| Error::Closed)?.clone().unwrap_or(Err(Error::Closed))
    }

    fn join(&self, inner: &Arc<Inner>, key: Key) -> watch::Receiver<Option<Outcome>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        flights.insert(key.clone(), receiver.clone());
        let inner = inner.clone();
        // A task of its own: whoever began it may give up waiting.
        tokio::spawn(async move {
            let outcome = inner.fetched.ask(&inner, &key).await;
            let mut flights = inner.fetched.flights.lock().unwrap_or_else(PoisonError::into_inner);
            flights.remove(&key);
            sender.send_replace(Some(outcome));
        });
        receiver
    }

    async fn ask(&self, inner: &Inner, key: &Key) -> Outcome {
        let etag =
            self.copies().get(key).filter(|copy| copy.answer.is_ok()).and_then(|copy| copy.etag.clone());
        match inner.api.prompt(&key.name, &key.selector, key.user.as_deref(), etag.as_deref()).await {
            Ok(Dated { standing, .. }) if self.is_behind(key, standing) => Err(Error::cut_off()),
            Ok(Dated { content, standing }) => {
                if !standing.is_stale {
                    inner.in_touch();
                }
                let Some((item, etag)) = content else { return self.confirm(key, standing) };
                let item = Arc::new(item);
                self.store(key.clone(), Ok(item.clone()), etag, standing.revision);
                Ok((item, true))
            }
            Err(error) => {
                if matches!(error, Error::NotFound(_)) {
                    self.store(key.clone(), Err(error.clone()), None, None);
                } else if !error.is_outage() {
                    self.copies().remove(key);
                }
                if error.refusal().is_some_and(|refusal| refusal.status == 401) {
                    // The other route will say so as well, and then all is dropped.
                    inner.link.poll.notify_one();
                }
                Err(error)
            }
        }
    }

    /// Whether an answer is of a node that is cut off, and older than the copy.
    fn is_behind(&self, key: &Key, standing: Standing) -> bool {
        let held = self.copies().get(key).and_then(|copy| copy.revision);
        standing.is_stale && held.zip(standing.revision).is_some_and(|(held, answered)| answered < held)
    }

    fn store(&self, key: Key, answer: Result<Arc<Item>, Error>, etag: Option<String>, revision: Option<u64>) {
        let now = Instant::now();
        let mut copies = self.copies();
        if copies.len() >= MOST && !copies.contains_key(&key) {
            let oldest = copies.iter().min_by_key(|(_, copy)| copy.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| copies.remove(&key));
        }
        copies.insert(key, Copy { answer, etag, revision, checked: now, used: now });
    }

    /// The copy is what the server has.
    fn confirm(&self, key: &Key, standing: Standing) -> Outcome {
        let mut copies = self.copies();
        let Some(copy) = copies.get_mut(key).filter(|copy| copy.answer.is_ok()) else {
            return Err(Error::Protocol("nothing has changed, yet nothing is known".to_owned()));
        };
        copy.checked = Instant::now();
        copy.revision = standing.revision.max(copy.revision);
        copy.answer.clone().map(|item| (item, true))
    }

    /// A copy of any age.
    pub fn last_good(&self, key: &Key) -> Option<Arc<Item>> {
        self.copies().get(key)?.answer.as_ref().ok().cloned()
    }

    /// Why it is not there, if that was asked a moment ago.
    fn absent(&self, key: &Key) -> Option<Error> {
        let copies = self.copies();
        let copy = copies.get(key).filter(|copy| copy.checked.elapsed() < ABSENT)?;
        copy.answer.as_ref().err().cloned()
    }

    fn copies(&self) -> MutexGuard<'_, HashMap<Key, Copy>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
