//! Keeping memory current: bundles, asked for while there is no stream; and the stream, which makes asking needless.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::api::{Bundle, Dated, connection};
use crate::backoff::{Backoff, jittered};
use crate::error::Error;
use crate::inner::Inner;
use crate::item::Item;
use crate::shelf::Shelf;
use crate::sse::{Decoder, Frame};

/// How long a stream may take to say hello. A proxy that holds it back longer blocks it.
const HELLO: Duration = Duration::from_secs(10);
/// A stream that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(10);
/// After so many bundles that are older than what we have, the server was set back, and is right. Those of nodes that say
/// of themselves that they may be out of date do not count.
const OLDER_BUNDLES: u32 = 10;

/// Asks for bundles whenever the stream does not say it all, until the client is closed.
pub(crate) async fn poll(inner: Arc<Inner>) {
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
    let recheck_wait = || tokio::time::sleep(jittered(inner.settings.tuning.recheck_interval));
    let recheck = recheck_wait();
    tokio::pin!(recheck);
    loop {
        let outcome = load_all(&inner).await;
        inner.tell();
        let wait = match outcome {
            Ok(()) => {
                backoff.reset();
                jittered(inner.settings.tuning.poll_interval)
            }
            Err(error) => {
                let wait = backoff.next();
                error.retry_after().map_or(wait, |asked| asked.max(wait))
            }
        };
        if is_current(&inner) {
            tokio::select! {
                () = inner.link.poll.notified() => {}
                () = &mut recheck => {
                    recheck_all(&inner).await;
                    recheck.set(recheck_wait());
                }
            }
        } else {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = inner.link.poll.notified() => {}
            }
        }
    }
}

/// Whether the stream says all there is to say.
fn is_current(inner: &Inner) -> bool {
    inner.link.is_streaming.load(Relaxed)
        && !inner.link.is_doubtful.load(Relaxed)
        && inner.shelves.all().iter().all(|shelf| inner.covers(shelf))
}

async fn load_all(inner: &Inner) -> Result<(), Error> {
    let is_told = inner.link.is_streaming.load(Relaxed) && !inner.link.is_doubtful.load(Relaxed);
    let mut outcome = Ok(());
    for shelf in inner.shelves.all() {
        if is_told && inner.covers(&shelf) {
            continue;
        }
        if let Err(error) = load(inner, &shelf).await {
            outcome = Err(error);
        }
    }
    outcome
}

async fn load(inner: &Inner, shelf: &Shelf) -> Result<(), Error> {
    let is_doubtful = inner.link.is_doubtful.load(Relaxed);
    // Prompts that are as they were do not tell whether the server counts as it did.
    let etag = shelf.etag().filter(|_| !is_doubtful);
    // A server that was set back will never reach what we ask for, nor what another one tells that is cut off.
    let is_vain = is_doubtful || inner.link.is_cut_off.load(Relaxed);
    let need = if is_vain { 0 } else { inner.link.need.load(Relaxed) };
    let answer = inner.api.bundle(&shelf.label, etag.as_deref(), need).await;
    match answer.and_then(|answer| not_behind(shelf, answer)) {
        Ok(Dated { content, standing }) => {
            inner.admit();
            inner.heard();
            if !standing.is_stale {
                inner.in_touch();
            }
            match content {
                None => {
                    shelf.confirm();
                    // The answer is as new as was asked for.
                    shelf.advance(need);
                    inner.link.is_doubtful.store(false, Relaxed);
                }
                Some(bundle) => take(inner, shelf, bundle),
            }
            Ok(())
        }
        Err(error) => {
            failed(inner, shelf, &error);
            Err(error)
        }
    }
}

/// Passes on what may be taken. What a node says that is cut off, and of a time that is over here, is as good as nothing.
fn not_behind(shelf: &Shelf, answer: Dated<Option<Bundle>>) -> Result<Dated<Option<Bundle>>, Error> {
    if answer.standing.is_stale {
        shelf.count_anew();
        let revision = answer.content.as_ref().map(|bundle| bundle.revision);
        if revision.is_some_and(|revision| shelf.complete().is_some_and(|complete| complete > revision)) {
            return Err(Error::cut_off());
        }
    }
    Ok(answer)
}

fn take(inner: &Inner, shelf: &Shelf, bundle: Bundle) {
    let revision = bundle.revision;
    if shelf.complete().is_some_and(|complete| complete > revision) {
        if shelf.is_ahead() < OLDER_BUNDLES {
            return;
        }
        tracing::warn!(target: "xr2", revision, "the server went back to an older revision, and so do we");
        shelf.clear();
        inner.link.set_back();
        inner.snapshot.iter().for_each(|snapshot| snapshot.set_back());
    }
    inner.link.is_doubtful.store(false, Relaxed);
    if bundle.put_on(shelf) {
        inner.telemetry.moved.notify_one();
    }
    if inner.covers(shelf) {
        // What the stream told meanwhile has been put already.
        shelf.advance(inner.link.applied.load(Relaxed));
    }
}

/// Looks whether the stream kept anything back. That should never be; but what was lost once would be for good.
async fn recheck_all(inner: &Inner) {
    for shelf in inner.shelves.all() {
        let Some(complete) = shelf.complete() else { continue };
        match inner.api.bundle(&shelf.label, shelf.etag().as_deref(), complete).await {
            Ok(Dated { content: None, .. }) => inner.heard(),
            Ok(Dated { content: Some(bundle), .. }) => {
                inner.heard();
                // A node that is behind cannot know what was missed.
                if bundle.revision >= complete {
                    shelf.mend(bundle.revision, bundle.items, bundle.etag);
                }
            }
            // It is none for as long as the stream carries.
            Err(error) if error.is_outage() => {
                tracing::debug!(target: "xr2", "what the stream told could not be checked: {error}");
            }
            Err(error) => failed(inner, &shelf, &error),
        }
    }
}

fn failed(inner: &Inner, shelf: &Shelf, error: &Error) {
    match error.refusal().map(|refusal| refusal.status) {
        Some(401) => inner.refuse(error.clone()),
        // This key may not see the label, or nothing from here.
        Some(403) => {
            shelf.clear();
            shelf.failed(error);
        }
        _ => {
            if error.is_outage() {
                inner.missed(error);
            }
            shelf.failed(error);
        }
    }
}

/// Holds a stream open, until the client is closed.
pub(crate) async fn stream(inner: Arc<Inner>) {
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));
    loop {
        let began = Instant::now();
        let end = Stream::open(&inner).await;
        let was_streaming = inner.link.is_streaming.swap(false, Relaxed);
        inner.link.is_cut_off.store(false, Relaxed);
        inner.tell();
        if was_streaming {
            // A node that goes down ends the streams of thousands, and most are back before they need to ask.
            inner.link.poll_in(jittered(inner.settings.tuning.poll_interval));
        }
        let asked = match end {
            // Follow other labels, at once.
            End::Relabelled => continue,
            End::Over(asked) => asked,
            End::Silent => {
                inner.link.is_suspect.store(true, Relaxed);
                None
            }
            End::Failed(error) => {
                tracing::debug!(target: "xr2", "there is no stream: {error}");
                error.retry_after()
            }
        };
        if began.elapsed() > GOOD {
            backoff.reset();
        }
        let wait = backoff.next();
        tokio::select! {
            () = tokio::time::sleep(asked.map_or(wait, |asked| wait.max(jittered(asked)))) => {}
            () = inner.link.relabelled.notified() => {}
        }
    }
}

/// How a stream ended.
enum End {
    Relabelled,
    /// The other side ended it, and perhaps asked to wait; or it is left for a better one.
    Over(Option<Duration>),
    /// Nothing came for three heartbeats.
    Silent,
    Failed(Error),
}

/// An open stream.
struct Stream<'a> {
    inner: &'a Inner,
    /// Where it was resumed.
    after: Option<u64>,
    /// The greatest id seen; everything before it has been put.
    seen: u64,
    /// The age of the server this is a stream of.
    age: u64,
    has_greeted: bool,
    /// The server is cut off from its database: it does not hear of every change, and tells late what others told before.
    is_cut_off: bool,
    deadline: Duration,
    retry: Option<Duration>,
}

impl<'a> Stream<'a> {
    async fn open(inner: &'a Inner) -> End {
        let shelves = inner.shelves.all();
        let label = (shelves.len() == 1).then(|| &*shelves[0].label);
        let after = inner.shelves.revision();
        let opened = tokio::time::timeout(HELLO, inner.api.stream(label, after)).await;
        let mut response = match opened {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return End::Failed(error),
            Err(_) => return End::Failed(Error::Timeout(HELLO)),
        };
        let mut this = Self {
            inner,
            after,
            seen: after.unwrap_or(0),
            age: inner.link.age.load(Relaxed),
            has_greeted: false,
            is_cut_off: false,
            deadline: HELLO,
            retry: None,
        };
        let mut decoder = Decoder::default();
        loop {
            let piece = tokio::select! {
                piece = tokio::time::timeout(this.deadline, response.chunk()) => piece,
                () = inner.link.relabelled.notified() => return End::Relabelled,
                () = inner.link.left.notified() => return End::Over(this.retry),
            };
            let piece = match piece {
                Err(_) => return End::Silent,
                Ok(Err(error)) => return End::Failed(connection(error)),
                Ok(Ok(None)) => return End::Over(this.retry),
                Ok(Ok(Some(piece))) => piece,
            };
            let Ok(frames) = decoder.feed(&piece) else {
                return End::Failed(Error::Protocol("an event without end".to_owned()));
            };
            for frame in frames {
                if let Err(error) = this.take(frame) {
                    return End::Failed(error);
                }
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<(), Error> {
        match frame {
            Frame::Retry(milliseconds) => self.retry = Some(Duration::from_millis(milliseconds.min(60_000))),
            Frame::Comment => {
                self.proves_itself();
                self.applied(self.seen);
            }
            Frame::Event { name, data, id } => {
                let id: Option<u64> = id.and_then(|id| id.parse().ok());
                let data: Option<Value> = serde_json::from_str(&data).ok();
                let revision = data.as_ref().and_then(|data| data["revision"].as_u64()).or(id);
                if name == "hello" {
                    return self.hello(id, revision, &data.unwrap_or_default());
                }
                if !self.has_greeted {
                    return Err(Error::Protocol("a stream that does not begin with hello".to_owned()));
                }
                self.proves_itself();
                self.event(&name, revision, data.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// `from` is where the stream begins, `revision` what the server is at.
    fn hello(&mut self, from: Option<u64>, revision: Option<u64>, data: &Value) -> Result<(), Error> {
        let revision = revision.ok_or_else(|| Error::Protocol("a hello without revision".to_owned()))?;
        let from = from.unwrap_or(revision);
        let heartbeat = data["heartbeat"].as_f64().filter(|seconds| (0.01..=600.0).contains(seconds));
        self.deadline = Duration::from_secs_f64(heartbeat.unwrap_or(15.0) * 3.0);
        self.has_greeted = true;
        self.is_cut_off = data["stale"] == true;
        self.inner.link.is_cut_off.store(self.is_cut_off, Relaxed);
        // It goes on from what is in memory, or what lies before it must come with a bundle.
        self.seen = self.after.unwrap_or(0).max(from);
        self.inner.link.need.store(self.seen, Relaxed);
        // A node that is cut off has not heard of what we have, and nothing follows from that.
        let is_doubtful = !self.is_cut_off && self.after.is_some_and(|after| revision < after);
        self.inner.link.is_doubtful.store(is_doubtful, Relaxed);
        self.inner.link.applied.store(self.seen, Relaxed);
        if !self.inner.link.is_suspect.load(Relaxed) {
            self.carries();
        }
        Ok(())
    }

    /// It carries more than a hello.
    fn proves_itself(&self) {
        if self.has_greeted {
            self.inner.link.is_suspect.store(false, Relaxed);
            self.carries();
        }
    }

    /// The stream carries: asking is needless from now on, unless there may be changes that it does not hear of.
    fn carries(&self) {
        if self.is_cut_off {
            return;
        }
        self.inner.heard();
        if self.is_of_this_age() && !self.inner.link.is_streaming.swap(true, Relaxed) {
            if self.after.is_some() && !self.inner.link.is_doubtful.load(Relaxed) {
                self.inner.shelves.all().iter().for_each(|shelf| shelf.confirm());
            }
            self.inner.tell();
            self.inner.link.poll.notify_one();
            self.inner.telemetry.moved.notify_one();
        }
    }

    fn event(&mut self, name: &str, revision: Option<u64>, mut data: Value) -> Result<(), Error> {
        // What a newer server says more of may be passed over.
        if !matches!(name, "put" | "delete" | "resync" | "mark" | "changed") {
            return Ok(());
        }
        let Some(revision) = revision else {
            return Err(Error::Protocol(format!("a {name} without revision")));
        };
        if revision > self.seen {
            // Frames of one revision stand together: the one before is complete.
            self.applied(self.seen);
            self.seen = revision;
        }
        let is_read = match name {
            "put" => self.put(revision, data.get_mut("prompt").map(Value::take).unwrap_or_default()),
            "delete" => self.delete(revision, &data),
            "mark" => {
                self.applied(revision);
                true
            }
            "resync" => {
                self.resync(revision, Duration::from_secs(1));
                true
            }
            _ => true,
        };
        if !is_read {
            // We know that something changed, but not what.
            tracing::warn!(target: "xr2", revision, "an event of the stream cannot be read, all is loaded anew");
            self.resync(revision, Duration::ZERO);
        }
        Ok(())
    }

    fn put(&self, revision: u64, prompt: Value) -> bool {
        let Ok(item) = Item::read(prompt) else { return false };
        let Some(label) = item.label.clone() else { return false };
        if let Some(shelf) = self.inner.shelves.find(&label)
            && !self.is_old_news(&shelf, revision)
            && shelf.put(revision, item)
        {
            self.inner.tell();
        }
        true
    }

    fn delete(&self, revision: u64, data: &Value) -> bool {
        let (Some(id), Some(label)) = (data["id"].as_str(), data["label"].as_str()) else { return false };
        if let Some(shelf) = self.inner.shelves.find(label)
            && !self.is_old_news(&shelf, revision)
            && shelf.delete(revision, id)
        {
            self.inner.tell();
        }
        true
    }

    /// What is in memory is not all there is: a bundle is needed, in a while, so that not everybody asks at once.
    fn resync(&self, revision: u64, within: Duration) {
        if self.inner.shelves.all().iter().all(|shelf| self.is_old_news(shelf, revision)) {
            return;
        }
        if self.inner.shelves.revision().is_some_and(|complete| complete > revision) {
            self.inner.link.is_doubtful.store(true, Relaxed);
        }
        self.inner.link.need.fetch_max(revision, Relaxed);
        let wait = within.mul_f64(fastrand::f64());
        if wait.is_zero() {
            return self.inner.link.poll.notify_one();
        }
        self.inner.link.poll_in(wait);
    }

    /// Whether a node that was cut off tells only now what others told before.
    fn is_old_news(&self, shelf: &Shelf, revision: u64) -> bool {
        self.is_cut_off && shelf.has(revision)
    }

    /// Whether the server was not set back since; then it counts anew.
    fn is_of_this_age(&self) -> bool {
        self.age == self.inner.link.age.load(Relaxed)
    }

    /// Every change up to this one has been put.
    fn applied(&self, revision: u64) {
        if !self.has_greeted || !self.is_of_this_age() {
            return;
        }
        self.inner.link.applied.store(revision, Relaxed);
        let mut has_moved = false;
        for shelf in self.inner.shelves.all().iter().filter(|shelf| self.inner.covers(shelf)) {
            has_moved |= shelf.advance(revision);
        }
        if has_moved {
            self.inner.tell();
            self.inner.telemetry.moved.notify_one();
        }
    }
}
