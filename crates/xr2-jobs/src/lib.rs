#![doc = include_str!("../README.md")]

mod attend;
mod enqueue;
mod queries;
mod registry;
mod retry;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::{Db, Purpose, Result};

pub use enqueue::Terms;
pub use queries::{Count, DeadJob};
pub use registry::Registry;
pub use retry::{Failure, Retry};

/// Something to be done later. What it is about travels as JSON: ids rather than contents, which may have changed.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// What it is called in the database; never changes, and no other job has it.
    const KIND: &'static str;

    /// The queue it stands in. Workers can be confined to some queues.
    const QUEUE: &'static str;

    /// What happens when it fails.
    const RETRY: Retry = Retry::USUAL;

    /// It has failed when it takes longer.
    const TIME_LIMIT: Duration = Duration::from_secs(300);
}

/// Does a job. `C` is what handlers share, such as the application.
pub trait Handler<C>: Job {
    /// Does it. It may have been begun before, here or elsewhere, and is dropped at its next `await` when the server stops
    /// and will not wait any longer.
    fn handle(self, context: C, attempt: Attempt) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Which time it is that a job is tried.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job's id, the same at every attempt.
    pub id: Uuid,
    /// The workspace in whose transaction it was put off.
    pub workspace: Option<Uuid>,
    /// From 1.
    pub number: u32,
    /// Cancelled when the server is asked to stop: what takes long had better come to an end.
    pub stopping: CancellationToken,
}

/// Where time and ids come from.
pub trait Clock: Send + Sync + 'static {
    /// The present.
    fn now(&self) -> DateTime<Utc>;

    /// A fresh id that sorts by time.
    fn new_id(&self) -> Uuid;
}

/// How jobs are worked off.
#[derive(Debug, Clone)]
pub struct Options {
    /// Jobs at a time.
    pub concurrency: usize,
    /// For how long a worker has a job without renewing it. Nodes' clocks have to agree to within a part of it.
    pub lease: Duration,
    /// How often other nodes' jobs are looked for.
    pub poll: Duration,
    /// How long running jobs get when the server stops, before they are given back.
    pub grace: Duration,
    /// How long a job that was given up is kept.
    pub keep_dead: Duration,
}

/// A handle on the queue; cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Box<dyn Clock>,
    options: Options,
    woken: Arc<Notify>,
}

impl Jobs {
    /// The queue in `db`.
    pub fn new(db: Db, clock: impl Clock, options: Options) -> Jobs {
        Jobs(Arc::new(Inner { db, clock: Box::new(clock), options, woken: Arc::default() }))
    }

    /// How many jobs there are, by queue and state.
    pub async fn counts(&self) -> Result<Vec<Count>> {
        let mut tx = self.0.db.system(Purpose::Jobs).read().await?;
        let counts = queries::counts(&mut tx).await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// Jobs that were given up, the latest first.
    pub async fn dead(&self, limit: i64) -> Result<Vec<DeadJob>> {
        let mut tx = self.0.db.system(Purpose::Jobs).read().await?;
        let dead = queries::dead(&mut tx, limit).await?;
        tx.commit().await?;
        Ok(dead)
    }

    /// Has a job tried again that was given up, as often as a new one. Whether there was such a job.
    pub async fn revive(&self, id: Uuid) -> Result<bool> {
        Ok(self.revive_some(Some(id)).await? > 0)
    }

    /// The same for all that were given up; how many there were.
    pub async fn revive_all(&self) -> Result<u64> {
        self.revive_some(None).await
    }

    async fn revive_some(&self, id: Option<Uuid>) -> Result<u64> {
        let mut tx = self.0.db.system(Purpose::Jobs).write().await?;
        let revived = queries::revive(&mut tx, id, self.0.clock.now()).await?;
        tx.commit().await?;
        self.0.woken.notify_one();
        Ok(revived)
    }
}
