//! What all handles on a database share: its pools, which are thrown away when it stops answering, and its breakers.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use xr2_breaker::{Breaker, Pass};

use crate::connect::{Opener, Pools};
use crate::migrate::MigrationReport;
use crate::{DbError, Result};

/// See the module.
pub(crate) struct Shared {
    opener: Opener,
    pools: RwLock<Arc<Pools>>,
    started: AtomicBool,
    /// Which file SQLite opened, to notice when it goes.
    file: Mutex<Option<FileId>>,
    reads: Breaker,
    writes: Breaker,
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
            opener,
        }
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
        let fresh = Arc::new(self.opener.pools());
        let old = std::mem::replace(&mut *self.pools.write().unwrap_or_else(PoisonError::into_inner), fresh);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { old.close().await });
        }
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
