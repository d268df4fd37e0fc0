//! What all handles on a database share: its pools, which are thrown away when it stops answering, and its breakers.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use xr2_breaker::{Breaker, Pass};

use crate::connect::{Opener, Pools};
use crate::hosts::Hosts;
use crate::migrate::MigrationReport;
use crate::{DbError, Result};

/// Between two looks for a server that can be written to, and how long each of them may take to answer.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module.
pub(crate) struct Shared {
    opener: Opener,
    pools: RwLock<Arc<Pools>>,
    started: AtomicBool,
    /// Which file SQLite opened, to notice when it goes.
    file: Mutex<Option<FileId>>,
    reads: Breaker,
    writes: Breaker,
    /// Somebody is looking for another server.
    is_looking: AtomicBool,
    is_closed: AtomicBool,
    /// Counts how often another server has taken over.
    switches: watch::Sender<u64>,
}

/// What tells a file from another of the same name.
type FileId = (u64, u64);

impl Shared {
    pub(crate) fn new(opener: Opener) -> Shared {
        let breaker = || match &opener.options().time {
            Some(time) => Breaker::with_time(opener.options().breaker, time.clone()),
            None => Breaker::new(opener.options().breaker),
        };
        Shared {
            pools: RwLock::new(Arc::new(opener.pools())),
            started: AtomicBool::new(false),
            file: Mutex::default(),
            reads: breaker(),
            writes: breaker(),
            is_looking: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            switches: watch::Sender::new(0),
            opener,
        }
    }

    /// For what is only read from: there is nothing to be started.
    pub(crate) fn opened(opener: Opener) -> Shared {
        let shared = Shared::new(opener);
        shared.started.store(true, Ordering::Release);
        shared
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.opener.is_sqlite()
    }

    pub(crate) fn options(&self) -> &crate::Options {
        self.opener.options()
    }

    pub(crate) fn breaker(&self, write: bool) -> &Breaker {
        if write { &self.writes } else { &self.reads }
    }

    pub(crate) fn pools(&self) -> Arc<Pools> {
        self.pools.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    pub(crate) fn wants_start(&self) -> bool {
        let opened = *self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.opener.file().and_then(file_id);
        if self.is_sqlite() && present.is_none() {
            // An empty one is made at the first start only.
            return false;
        }
        !self.has_started() || present != opened
    }

    pub(crate) fn withdraw(&self) {
        self.started.store(false, Ordering::Release);
    }

    pub(crate) fn lacks_file(&self) -> bool {
        self.opener.file().is_some_and(|path| !path.exists())
    }

    /// Connects and migrates; may be tried again and again.
    pub(crate) async fn start(&self) -> Result<MigrationReport> {
        if let Some(hosts) = self.opener.hosts().filter(|hosts| hosts.is_choice()) {
            hosts.choose(self.options().connect_timeout).await?;
        }
        let pools = Arc::new(self.opener.pools());
        let report = self.opener.start(&pools).await?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = self.opener.file().and_then(file_id);
        *self.pools.write().unwrap_or_else(PoisonError::into_inner) = pools;
        self.started.store(true, Ordering::Release);
        Ok(report)
    }

    /// Lets a transaction in, or refuses at once.
    pub(crate) fn enter(&self, write: bool) -> Result<Pass> {
        if !self.has_started() {
            return Err(DbError::refused("the database has not been reached yet", None));
        }
        self.check_file()?;
        self.breaker(write).pass().map_err(|refused| {
            let message = "the database does not answer; it is left alone for a while";
            DbError::refused(message, Some(refused.retry_after))
        })
    }

    /// A connection keeps a file open that others cannot see any more; what is written to it is lost.
    pub(crate) fn check_file(&self) -> Result<()> {
        let Some(path) = self.opener.file() else { return Ok(()) };
        let opened = *self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match file_id(path) {
            present if present.is_some() && present == opened => Ok(()),
            None => Err(DbError::refused(format!("the database file {} is gone", path.display()), None)),
            Some(_) => {
                let message = format!("the database file {} is another one now", path.display());
                Err(DbError::refused(message, None))
            }
        }
    }

    /// Notes that the database did not answer. When that opens the breaker, the connections are thrown away: some may
    /// hang for as long as the network lets them, and nobody should wait for those again.
    pub(crate) fn failed(&self, pass: Pass, write: bool) {
        if !pass.failed() {
            return;
        }
        let what = if write { "writes to" } else { "reads from" };
        let pause = self.options().breaker.pause.as_secs();
        tracing::warn!("{what} the database fail; it is asked again in {pause} seconds");
        self.renew_pools();
    }

    fn renew_pools(&self) {
        let old = {
            // Made under the lock: of two who renew them at once, the second does not bring back an older host.
            let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *pools, Arc::new(self.opener.pools()))
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { old.close().await });
        }
    }

    /// The server does not answer or cannot be written to any more: looks whether another one has taken over, until one
    /// is there that can be written to. One look-out at a time.
    pub(crate) fn suspect(shared: &Arc<Shared>) {
        let is_choice = shared.opener.hosts().is_some_and(Hosts::is_choice);
        if !is_choice || !shared.has_started() || shared.is_looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let shared = Arc::downgrade(shared);
        runtime.spawn(async move {
            while let Some(shared) = shared.upgrade() {
                if shared.is_closed.load(Ordering::Acquire) || shared.look().await {
                    shared.is_looking.store(false, Ordering::Release);
                    return;
                }
                drop(shared);
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
    }

    /// Whether a server is there that can be written to. If it is another one, everything begins anew with it.
    async fn look(&self) -> bool {
        let Some(hosts) = self.opener.hosts() else { return true };
        match hosts.choose(PATIENCE).await {
            Err(error) => {
                tracing::debug!(%error, "still without a server");
                false
            }
            // It is back, or never was gone. If it is too slow, the breaker has its say.
            Ok(false) => true,
            Ok(true) => {
                tracing::warn!(host = hosts.current_name(), "another PostgreSQL server has taken over");
                self.renew_pools();
                self.reads.reset();
                self.writes.reset();
                self.switches.send_modify(|switches| *switches += 1);
                true
            }
        }
    }

    /// Tells whoever waits for a connection that another server has taken over.
    pub(crate) fn switches(&self) -> watch::Receiver<u64> {
        self.switches.subscribe()
    }

    /// Waits until a server was met that cannot be written to, though it has to be.
    pub(crate) async fn refused(&self) {
        self.opener.refused().notified().await;
    }

    /// The name of the server in use.
    pub(crate) fn host_name(&self) -> &str {
        self.opener.hosts().map_or("", Hosts::current_name)
    }

    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.pools().close().await;
    }
}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|_| (0, 0))
}
