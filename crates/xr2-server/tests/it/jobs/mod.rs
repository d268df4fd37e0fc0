//! The queue: what is put off is done, by one worker at a time, whoever dies.

mod failures;
mod keys;
mod leases;
mod schedules;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xr2_db::Purpose;
use xr2_jobs::{Attempt, Failure, Handler, Job, Jobs, Options, Registry, Retry, Terms};
use xr2_testkit::{TestApp, both};

/// A job that writes down what it was told to.
#[derive(Serialize, Deserialize, Default)]
struct Note {
    text: String,
    /// Attempts that fail.
    fails: u32,
    /// Whether it waits to be let go.
    waits: bool,
}

impl Job for Note {
    const KIND: &'static str = "test.note";
    const QUEUE: &'static str = "notes";
    const RETRY: Retry =
        Retry { attempts: 3, first: Duration::from_secs(3600), most: Duration::from_secs(100_000) };
}

impl Handler<Desk> for Note {
    async fn handle(self, desk: Desk, attempt: Attempt) -> Result<(), Failure> {
        let _alone = Alone::enter(&desk, attempt.id);
        assert!(self.text != "panic", "as it was told to");
        if attempt.number <= self.fails {
            return Err(Failure::new(format!("{} failed", self.text)));
        }
        tokio::task::yield_now().await;
        if self.waits {
            tokio::select! {
                gate = desk.gate.acquire() => gate?.forget(),
                () = attempt.stopping.cancelled(), if self.text == "polite" => {}
            }
        }
        desk.notes().push((self.text, attempt.number));
        Ok(())
    }
}

/// What handlers of a test share.
#[derive(Clone)]
struct Desk {
    written: Arc<Mutex<Vec<(String, u32)>>>,
    in_work: Arc<Mutex<HashSet<Uuid>>>,
    met: Arc<Mutex<Vec<Uuid>>>,
    gate: Arc<Semaphore>,
}

impl Desk {
    fn new() -> Desk {
        let gate = Arc::new(Semaphore::new(0));
        Desk { written: Arc::default(), in_work: Arc::default(), met: Arc::default(), gate }
    }

    fn notes(&self) -> MutexGuard<'_, Vec<(String, u32)>> {
        self.written.lock().unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.notes().iter().map(|(text, _)| text.clone()).collect();
        texts.sort();
        texts
    }

    fn in_work(&self) -> usize {
        self.in_work.lock().unwrap().len()
    }

    /// No job was ever in two hands.
    fn assert_alone(&self) {
        assert!(self.met.lock().unwrap().is_empty(), "a job was done twice at once");
    }
}

/// Notes when two work on one job.
struct Alone(Desk, Uuid);

impl Alone {
    fn enter(desk: &Desk, job: Uuid) -> Alone {
        if !desk.in_work.lock().unwrap().insert(job) {
            desk.met.lock().unwrap().push(job);
        }
        Alone(desk.clone(), job)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.in_work.lock().unwrap().remove(&self.1);
    }
}

fn options() -> Options {
    Options {
        concurrency: 4,
        lease: Duration::from_secs(60),
        poll: Duration::from_millis(50),
        grace: Duration::from_secs(20),
        keep_dead: Duration::from_secs(7 * 86_400),
    }
}

fn queue(app: &TestApp, options: Options) -> Jobs {
    Jobs::new(app.db().clone(), app.clock().clone(), options)
}

/// A running worker.
struct Worker {
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Worker {
    fn start(jobs: &Jobs, desk: &Desk) -> Worker {
        Worker::with(Registry::new().handle::<Note>(), jobs, desk)
    }

    fn with(registry: Registry<Desk>, jobs: &Jobs, desk: &Desk) -> Worker {
        let stop = CancellationToken::new();
        let (jobs, desk, stopped) = (jobs.clone(), desk.clone(), stop.clone());
        let running = tokio::spawn(async move { jobs.run(registry, desk, stopped).await });
        Worker { stop, running }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }

    /// Ends it as `kill -9` would: nothing is noted.
    async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
    }
}

async fn enqueue(app: &TestApp, jobs: &Jobs, note: &Note, terms: Terms) -> bool {
    let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
    let is_new = jobs.enqueue(&mut tx, note, terms).await.unwrap();
    tx.commit().await.unwrap();
    is_new
}

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), ..Note::default() }
}

/// How many jobs of the tests are in a state.
async fn count(jobs: &Jobs, state: &str) -> i64 {
    let counts = jobs.counts().await.unwrap();
    counts
        .iter()
        .filter(|count| count.queue == "notes" && count.state == state)
        .map(|count| count.count)
        .sum()
}

async fn until_texts(app: &TestApp, desk: &Desk, expected: &[&str]) {
    app.until("the notes are written", || async { desk.texts() == expected }).await;
}

async fn until_empty(app: &TestApp, jobs: &Jobs) {
    app.until("all jobs are over", || async {
        count(jobs, "waiting").await + count(jobs, "running").await == 0
    })
    .await;
}

both!(a_job_is_there_when_its_transaction_is, |app| async move {
    // Nothing but the commit wakes the worker.
    let jobs = queue(&app, Options { poll: Duration::from_secs(3600), ..options() });
    let desk = Desk::new();
    let worker = Worker::start(&jobs, &desk);
    let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
    jobs.enqueue(&mut tx, &note("never"), Terms::new()).await.unwrap();
    tx.rollback().await.unwrap();
    enqueue(&app, &jobs, &note("tenant"), Terms::new()).await;
    until_texts(&app, &desk, &["tenant"]).await;
    let mut tx = app.db().system(Purpose::Jobs).write().await.unwrap();
    jobs.enqueue(&mut tx, &note("system"), Terms::new()).await.unwrap();
    tx.commit().await.unwrap();
    until_texts(&app, &desk, &["system", "tenant"]).await;
    until_empty(&app, &jobs).await;
    worker.stop().await;
});

both!(other_nodes_look_for_it, |app| async move {
    let desk = Desk::new();
    let worker = Worker::start(&queue(&app, options()), &desk);
    enqueue(&app, &queue(&app, options()), &note("elsewhere"), Terms::new()).await;
    until_texts(&app, &desk, &["elsewhere"]).await;
    worker.stop().await;
});

both!(each_job_is_done_once_by_one_worker, |app| async move {
    let desk = Desk::new();
    let jobs: Vec<Jobs> = (0..3).map(|_| queue(&app, options())).collect();
    let workers: Vec<Worker> = jobs.iter().map(|jobs| Worker::start(jobs, &desk)).collect();
    let mut expected = Vec::new();
    for batch in 0..12 {
        let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
        for number in 0..10 {
            let text = format!("{:03}", batch * 10 + number);
            jobs[batch % 3].enqueue(&mut tx, &note(&text), Terms::new()).await.unwrap();
            expected.push(text);
        }
        tx.commit().await.unwrap();
    }
    app.until("all are done", || async { desk.notes().len() >= expected.len() }).await;
    until_empty(&app, &jobs[0]).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(desk.texts(), expected);
    desk.assert_alone();
});

both!(a_job_may_be_due_later, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &note("later"), Terms::new().after(Duration::from_secs(7200))).await;
    enqueue(&app, &jobs, &note("now"), Terms::new()).await;
    until_texts(&app, &desk, &["now"]).await;
    assert_eq!(count(&jobs, "waiting").await, 1);
    app.clock().advance(chrono::TimeDelta::hours(2));
    until_texts(&app, &desk, &["later", "now"]).await;
    worker.stop().await;
});

both!(a_worker_keeps_to_its_queues, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let others = Worker::with(Registry::new().handle::<Note>().only(&["others".into()]), &jobs, &desk);
    enqueue(&app, &jobs, &note("a"), Terms::new()).await;
    others.stop().await;
    assert_eq!(count(&jobs, "waiting").await, 1);
    let worker = Worker::with(Registry::new().handle::<Note>().only(&["notes".into()]), &jobs, &desk);
    until_texts(&app, &desk, &["a"]).await;
    worker.stop().await;
});

both!(what_runs_may_end_when_the_server_stops, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    for text in ["polite", "slow"] {
        enqueue(&app, &jobs, &Note { waits: true, ..note(text) }, Terms::new()).await;
    }
    app.until("both are in work", || async { desk.in_work() == 2 }).await;
    worker.stop.cancel();
    // The one ends because it is asked to, the other in its own time.
    until_texts(&app, &desk, &["polite"]).await;
    enqueue(&app, &jobs, &note("too late"), Terms::new()).await;
    desk.gate.add_permits(1);
    worker.stop().await;
    assert_eq!(desk.texts(), ["polite", "slow"]);
    assert_eq!((count(&jobs, "waiting").await, count(&jobs, "running").await), (1, 0));
});

both!(what_does_not_end_in_time_is_given_back, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, Options { grace: Duration::from_millis(50), ..options() }));
    let worker = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &Note { waits: true, ..note("slow") }, Terms::new()).await;
    app.until("it is in work", || async { desk.in_work() == 1 }).await;
    worker.stop().await;
    assert_eq!((desk.in_work(), count(&jobs, "waiting").await), (0, 1));
    desk.gate.add_permits(1);
    let worker = Worker::start(&jobs, &desk);
    until_texts(&app, &desk, &["slow"]).await;
    assert_eq!(desk.notes()[0].1, 1, "an attempt that was broken off does not count");
    worker.stop().await;
});
