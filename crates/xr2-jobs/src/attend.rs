//! Attending to one job: holding its lease while it works, and noting what came of it.

use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use xr2_db::{Purpose, Result, Tx};

use crate::queries::{self, Claimed};
use crate::registry::Handling;
use crate::retry::Next;
use crate::{Attempt, Failure, Jobs, Registry};

/// Between two tries to note what came of a job.
const NOTE_AGAIN: Duration = Duration::from_millis(500);

pub(crate) struct Attendant<C> {
    pub jobs: Jobs,
    pub registry: Registry<C>,
    pub context: C,
    /// The server was asked to stop.
    pub stop: CancellationToken,
    /// It will not wait any longer.
    pub cut: CancellationToken,
}

/// What came of a job.
enum Outcome {
    Done,
    Failed(Failure),
    /// The server stops.
    GivenBack,
    /// Somebody else may have it by now.
    Lost,
}

/// A job in work, on a task of its own; it ends with whoever attends to it.
type Running = AbortOnDropHandle<Result<(), Failure>>;

/// A job in work.
struct InWork {
    work: Running,
    /// When the lease has to be taken for lost.
    until: Instant,
}

impl<C: Clone + Send + Sync + 'static> Attendant<C> {
    /// Does a job that was taken at `taken_at`.
    pub(crate) async fn attend(&self, job: Claimed, taken_at: Instant) {
        let Some(handling) = self.registry.handling(&job.kind) else { return };
        let until = taken_at + self.span();
        let began = Instant::now();
        let (outcome, until) = match self.begin(&job, handling) {
            Err(failure) => (Outcome::Failed(failure), until),
            Ok(work) => self.watch(&job, handling.time_limit, InWork { work, until }).await,
        };
        let name = self.tell(&job, &outcome, handling);
        metrics::counter!("xr2_jobs_total", "queue" => handling.queue, "outcome" => name).increment(1);
        metrics::histogram!("xr2_job_seconds", "queue" => handling.queue)
            .record(began.elapsed().as_secs_f64());
        self.note(&job, &outcome, handling, until).await;
    }

    /// For how long a lease is relied on: a little less than it lasts.
    fn span(&self) -> Duration {
        self.jobs.0.options.lease.mul_f64(0.9)
    }

    fn begin(&self, job: &Claimed, handling: &Handling<C>) -> Result<Running, Failure> {
        if !handling.allows(job.attempts) {
            // It was begun as often as it may be and never came to an end: perhaps it is what ends its workers.
            return Err(Failure::new("its worker died during the last attempt").for_good());
        }
        let attempt = Attempt {
            id: job.id,
            workspace: job.workspace,
            number: u32::try_from(job.attempts).unwrap_or(u32::MAX),
            stopping: self.stop.clone(),
        };
        match (handling.begin)(&job.payload, self.context.clone(), attempt) {
            Ok(work) => Ok(AbortOnDropHandle::new(tokio::spawn(work))),
            Err(error) => Err(Failure::new(format!("what it is to do cannot be read: {error}")).for_good()),
        }
    }

    /// Waits for the work's end and renews the lease meanwhile. Also says until when the lease is held.
    async fn watch(&self, job: &Claimed, time_limit: Duration, mut in_work: InWork) -> (Outcome, Instant) {
        let beat = self.jobs.0.options.lease / 3;
        let mut beat = interval_at(Instant::now() + beat, beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let limit = Instant::now() + time_limit;
        let outcome = loop {
            tokio::select! {
                ended = &mut in_work.work => return (judge(ended), in_work.until),
                () = self.cut.cancelled() => break Outcome::GivenBack,
                () = sleep_until(limit) => {
                    let seconds = time_limit.as_secs();
                    break Outcome::Failed(Failure::new(format!("it took longer than {seconds} seconds")));
                }
                () = sleep_until(in_work.until) => break Outcome::Lost,
                _ = beat.tick() => {
                    let asked = Instant::now();
                    match timeout_at(in_work.until, self.renew(job)).await {
                        Ok(Ok(true)) => in_work.until = asked + self.span(),
                        Ok(Ok(false)) | Err(_) => break Outcome::Lost,
                        Ok(Err(error)) => tracing::debug!(%error, kind = %job.kind, "could not renew a lease yet"),
                    }
                }
            }
        };
        // Until it has really ended, nobody else may begin.
        in_work.work.abort();
        match in_work.work.await {
            Ok(ended) => (judge(Ok(ended)), in_work.until),
            Err(_) => (outcome, in_work.until),
        }
    }

    async fn renew(&self, job: &Claimed) -> Result<bool> {
        let until = self.jobs.0.clock.now() + self.jobs.0.options.lease;
        let mut tx = self.jobs.0.db.system(Purpose::Jobs).write().await?;
        let held = queries::renew(&mut tx, job, until).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Tells the log, and how it went in a word.
    fn tell(&self, job: &Claimed, outcome: &Outcome, handling: &Handling<C>) -> &'static str {
        let Claimed { id, kind, attempts, .. } = job;
        match outcome {
            Outcome::Done => "done",
            Outcome::GivenBack => {
                tracing::info!(%kind, %id, "a job was given back: the server stops");
                "given_back"
            }
            Outcome::Lost => {
                tracing::warn!(%kind, %id, "a job was dropped: its lease could not be renewed in time");
                "lost"
            }
            Outcome::Failed(failure) if is_last(job, failure, handling) => {
                tracing::error!(%kind, %id, attempts, error = %failure.message, "a job is given up");
                "dead"
            }
            Outcome::Failed(failure) => {
                tracing::warn!(%kind, %id, attempts, error = %failure.message, "a job failed; it is tried again");
                "failed"
            }
        }
    }

    /// Notes what came of it, for as long as the lease is held. After that it is done again.
    async fn note(&self, job: &Claimed, outcome: &Outcome, handling: &Handling<C>, until: Instant) {
        if matches!(outcome, Outcome::Lost) {
            return;
        }
        let noted = async {
            loop {
                match self.write(job, outcome, handling).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(%error, kind = %job.kind, "could not note a job's end yet"),
                }
                // A server that stops does not wait for a database that is gone.
                tokio::select! { () = self.cut.cancelled() => return, () = sleep(NOTE_AGAIN) => {} }
            }
        };
        if timeout_at(until, noted).await.is_err() {
            tracing::warn!(kind = %job.kind, id = %job.id, "a job's end could not be noted; it is done again");
        }
    }

    async fn write(&self, job: &Claimed, outcome: &Outcome, handling: &Handling<C>) -> Result<()> {
        let inner = &self.jobs.0;
        let mut tx: Tx = inner.db.system(Purpose::Jobs).write().await?;
        let now = inner.clock.now();
        match outcome {
            Outcome::Done => queries::finish(&mut tx, job, now).await?,
            Outcome::GivenBack => queries::give_back(&mut tx, job, now).await?,
            Outcome::Failed(failure) if is_last(job, failure, handling) => {
                let keep_until = now + inner.options.keep_dead;
                queries::bury(&mut tx, job, &failure.message, keep_until, now).await?;
            }
            Outcome::Failed(failure) => {
                let pause = match failure.next {
                    Next::After(pause) => pause,
                    _ => handling.retry.pause(u32::try_from(job.attempts).unwrap_or(u32::MAX)),
                };
                queries::retry(&mut tx, job, &failure.message, now + pause, now).await?;
            }
            Outcome::Lost => {}
        }
        tx.commit().await
    }
}

fn is_last<C>(job: &Claimed, failure: &Failure, handling: &Handling<C>) -> bool {
    failure.next == Next::GiveUp || !handling.allows(job.attempts + 1)
}

fn judge(ended: Result<Result<(), Failure>, JoinError>) -> Outcome {
    match ended {
        Ok(Ok(())) => Outcome::Done,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(error) if error.is_panic() => Outcome::Failed(Failure::new("it panicked")),
        Err(_) => Outcome::Lost,
    }
}
