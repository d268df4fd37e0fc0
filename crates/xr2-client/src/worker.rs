//! The thread that does everything a client does on the network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::Error;
use crate::follow;
use crate::inner::Inner;
use crate::telemetry;

/// How long the last report may take.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long a duty that failed is left alone.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// The snapshot is written this long after a change, so that many changes are written once.
const SNAPSHOT_DELAY: Duration = Duration::from_millis(500);
/// And not more often than this.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(5);

/// See the module. Dropping it ends the thread.
pub(crate) struct Worker {
    pub handle: Handle,
    pub closing: watch::Sender<bool>,
    pub is_closed: watch::Receiver<bool>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.closing.send_replace(true);
    }
}

/// Begins to keep memory current.
pub(crate) fn start(inner: Arc<Inner>) -> Result<Worker, Error> {
    let cannot = |error: std::io::Error| Error::Usage(format!("no thread can be started: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let handle = runtime.handle().clone();
    let (closing, should_close) = watch::channel(false);
    let (closed, is_closed) = watch::channel(false);
    let thread = std::thread::Builder::new().name("xr2-client".to_owned());
    let run = move || {
        runtime.block_on(work(inner, should_close));
        // Requests that hang are let go.
        runtime.shutdown_background();
        closed.send_replace(true);
    };
    thread.spawn(run).map_err(cannot)?;
    Ok(Worker { handle, closing, is_closed })
}

async fn work(inner: Arc<Inner>, mut should_close: watch::Receiver<bool>) {
    let mut tasks = Tasks { inner: inner.clone(), running: JoinSet::new(), duties: HashMap::new() };
    tasks.begin(Duty::Poll);
    if inner.settings.tuning.stream {
        tasks.begin(Duty::Stream);
    }
    if inner.settings.tuning.telemetry {
        tasks.begin(Duty::Telemetry);
    }
    if inner.snapshot.is_some() {
        tasks.begin(Duty::Snapshot);
    }
    tokio::select! {
        // An error says that every handle is gone.
        _ = should_close.wait_for(|should_close| *should_close) => {}
        () = tasks.keep_up() => {}
    }
    tasks.running.shutdown().await;
    inner.link.is_streaming.store(false, std::sync::atomic::Ordering::Relaxed);
    if inner.settings.tuning.telemetry {
        // What cannot be told in time is not told.
        let _ = tokio::time::timeout(LAST_WORDS, telemetry::send(&inner)).await;
    }
    write_snapshot(&inner).await;
}

/// What is done as long as a client lives.
#[derive(Debug, Clone, Copy)]
enum Duty {
    Poll,
    Stream,
    Telemetry,
    Snapshot,
}

/// The duties under way.
struct Tasks {
    inner: Arc<Inner>,
    running: JoinSet<()>,
    duties: HashMap<tokio::task::Id, Duty>,
}

impl Tasks {
    fn begin(&mut self, duty: Duty) {
        let inner = self.inner.clone();
        let task = match duty {
            Duty::Poll => self.running.spawn(follow::poll(inner)),
            Duty::Stream => self.running.spawn(follow::stream(inner)),
            Duty::Telemetry => self.running.spawn(telemetry::run(inner)),
            Duty::Snapshot => self.running.spawn(keep_snapshot(inner)),
        };
        self.duties.insert(task.id(), duty);
    }

    /// Begins again what ended by a fault of ours: a program must not be left with prompts that never change.
    async fn keep_up(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
            let Some(duty) = self.duties.remove(&id) else { continue };
            tracing::error!(target: "xr2", "a duty of the client ended and is begun again: {duty:?}");
            self.inner.link.is_streaming.store(false, std::sync::atomic::Ordering::Relaxed);
            self.inner.link.poll.notify_one();
            tokio::time::sleep(RESTART_DELAY).await;
            self.begin(duty);
        }
    }
}

async fn keep_snapshot(inner: Arc<Inner>) {
    let mut changed = inner.changed.subscribe();
    let mut written = signature(&inner);
    loop {
        if changed.changed().await.is_err() {
            return;
        }
        if signature(&inner) == written {
            continue;
        }
        tokio::time::sleep(SNAPSHOT_DELAY).await;
        written = signature(&inner);
        write_snapshot(&inner).await;
        tokio::time::sleep(SNAPSHOT_INTERVAL - SNAPSHOT_DELAY).await;
        changed.mark_changed();
    }
}

/// Differs when what a snapshot would hold differs; that the revision alone went on is not worth a file.
fn signature(inner: &Inner) -> Vec<(Box<str>, u64, bool)> {
    let shelves = inner.shelves.all();
    let one =
        |shelf: &Arc<crate::shelf::Shelf>| (shelf.label.clone(), shelf.changes(), shelf.complete().is_some());
    shelves.iter().map(one).collect()
}

async fn write_snapshot(inner: &Arc<Inner>) {
    let inner = inner.clone();
    let write = move || {
        let Some(snapshot) = inner.snapshot.as_ref().filter(|_| inner.refusal().is_none()) else { return };
        if let Err(error) = snapshot.write(&inner.shelves.all()) {
            tracing::warn!(target: "xr2", "the snapshot cannot be written: {error}");
        }
    };
    if let Err(error) = tokio::task::spawn_blocking(write).await {
        tracing::error!(target: "xr2", "the snapshot was not written: {error}");
    }
}
