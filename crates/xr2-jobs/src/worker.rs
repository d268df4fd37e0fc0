//! A worker: takes what is due, a few at a time, and sees to schedules.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use xr2_db::{DbError, Purpose, Result};

use crate::attend::Attendant;
use crate::queries::{self, Claimed};
use crate::{Jobs, Registry, Terms};

/// How often is looked for jobs that have been kept for long enough.
const FORGET_EVERY: Duration = Duration::from_secs(600);

impl Jobs {
    /// Works jobs off until `stop`; then lets running ones end for as long as the grace lasts, and gives back the rest.
    pub async fn run<C: Clone + Send + Sync + 'static>(
        &self,
        registry: Registry<C>,
        context: C,
        stop: CancellationToken,
    ) {
        let kinds = registry.kinds();
        if kinds.is_empty() {
            return;
        }
        let attendant =
            Attendant { jobs: self.clone(), registry, context, stop, cut: CancellationToken::new() };
        let worker = Worker { jobs: self.clone(), kinds, attendant: Arc::new(attendant) };
        worker.run().await;
    }
}

struct Worker<C> {
    jobs: Jobs,
    kinds: Vec<&'static str>,
    attendant: Arc<Attendant<C>>,
}

impl<C: Clone + Send + Sync + 'static> Worker<C> {
    async fn run(&self) {
        let options = &self.jobs.0.options;
        let stop = &self.attendant.stop;
        let mut running = JoinSet::new();
        let (mut knows_schedules, mut forget_at) = (false, Instant::now());
        while !stop.is_cancelled() {
            if !knows_schedules {
                knows_schedules = told(self.put_schedules().await).is_some();
            }
            if Instant::now() >= forget_at && told(self.forget().await).is_some() {
                forget_at = Instant::now() + FORGET_EVERY;
            }
            let free = options.concurrency - running.len();
            if free > 0 {
                let taken_at = Instant::now();
                for job in told(self.take(free).await).unwrap_or_default() {
                    let attendant = self.attendant.clone();
                    running.spawn(async move { attendant.attend(job, taken_at).await });
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(_) = running.join_next() => {}
                () = self.jobs.0.woken.notified(), if running.len() < options.concurrency => {}
                () = sleep(options.poll), if running.len() < options.concurrency => {}
            }
        }
        let all_end = async { while running.join_next().await.is_some() {} };
        if timeout(options.grace, all_end).await.is_err() {
            self.attendant.cut.cancel();
            while running.join_next().await.is_some() {}
        }
    }

    /// Takes what is due, at most so many.
    async fn take(&self, limit: usize) -> Result<Vec<Claimed>> {
        let Jobs(inner) = &self.jobs;
        let now = inner.clock.now();
        let schedules = self.attendant.registry.schedules();
        let names: Vec<_> = schedules.iter().map(|schedule| schedule.name).collect();
        // Looked at before anything is written: most of the time there is nothing.
        let mut tx = inner.db.system(Purpose::Jobs).read().await?;
        let due = queries::due_schedules(&mut tx, &names, now).await?;
        let is_any_due = !due.is_empty() || queries::is_any_due(&mut tx, &self.kinds, now).await?;
        tx.commit().await?;
        if !is_any_due {
            return Ok(Vec::new());
        }
        let mut tx = inner.db.system(Purpose::Jobs).write().await?;
        for schedule in schedules.iter().filter(|schedule| due.iter().any(|name| name == schedule.name)) {
            if queries::move_schedule(&mut tx, schedule.name, now, now + schedule.every).await? {
                let terms = Terms::new().until_end("schedule");
                self.jobs.enqueue_row(&mut tx, schedule.row(), terms).await?;
            }
        }
        let lease = inner.clock.new_id();
        let times = (inner.clock.now(), inner.clock.now() + inner.options.lease);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let taken = queries::claim(&mut tx, &self.kinds, limit, lease, times).await?;
        tx.commit().await?;
        Ok(taken)
    }

    async fn put_schedules(&self) -> Result<()> {
        let Jobs(inner) = &self.jobs;
        let now = inner.clock.now();
        let mut tx = inner.db.system(Purpose::Jobs).write().await?;
        for schedule in self.attendant.registry.schedules() {
            queries::put_schedule(&mut tx, schedule.name, now, now + schedule.every).await?;
        }
        tx.commit().await
    }

    async fn forget(&self) -> Result<()> {
        let Jobs(inner) = &self.jobs;
        let mut tx = inner.db.system(Purpose::Jobs).write().await?;
        let forgotten = queries::forget(&mut tx, inner.clock.now()).await?;
        tx.commit().await?;
        if forgotten > 0 {
            tracing::debug!(forgotten, "jobs that were over are forgotten");
        }
        Ok(())
    }
}

/// Says what went wrong, but not each second for as long as the database is left alone.
fn told<T>(outcome: Result<T, DbError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) if error.is_refusal() => {
            tracing::debug!(%error, "jobs wait for the database");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "could not look for jobs; trying again");
            None
        }
    }
}
