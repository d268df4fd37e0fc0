//! Jobs that fail.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use xr2_jobs::{Attempt, Failure, Handler, Job, Registry, Terms};
use xr2_testkit::{Options, both};

use super::{Desk, Note, Worker, count, enqueue, note, options, queue, until_empty, until_texts};

both!(a_failed_job_waits_longer_each_time, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    let failures = |times: usize| app.log().matches("a job failed").count() == times;
    enqueue(&app, &jobs, &Note { fails: 2, ..note("stubborn") }, Terms::new()).await;
    app.until("it has failed", || async { failures(1) && count(&jobs, "waiting").await == 1 }).await;
    // An hour, a quarter more or less; then two.
    for (too_early, at_last, attempts) in [(44, 32, 2), (89, 62, 3)] {
        app.clock().advance(TimeDelta::minutes(too_early));
        enqueue(&app, &jobs, &note("mark"), Terms::new()).await;
        app.until("the mark", || async { desk.notes().len() == attempts - 1 }).await;
        assert!(failures(attempts - 1), "it was tried too early");
        app.clock().advance(TimeDelta::minutes(at_last));
        // It is logged before it is put back: until when it waits is counted from then.
        app.until("it is tried again", || async {
            (failures(attempts) && count(&jobs, "waiting").await == 1) || desk.notes().len() == attempts
        })
        .await;
    }
    until_texts(&app, &desk, &["mark", "mark", "stubborn"]).await;
    assert_eq!(desk.notes().last().unwrap().1, 3);
    until_empty(&app, &jobs).await;
    worker.stop().await;
});

both!(a_job_that_fails_too_often_is_kept_for_a_while, Options::new().expect_errors(), |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &Note { fails: 3, ..note("hopeless") }, Terms::new()).await;
    for attempts in 1..=3 {
        app.until("it has failed", || async {
            count(&jobs, "dead").await == 1 || app.log().matches("a job failed").count() == attempts
        })
        .await;
        app.until("that is noted", || async { count(&jobs, "running").await == 0 }).await;
        app.clock().advance(TimeDelta::hours(3));
    }
    app.until("it is given up", || async { count(&jobs, "dead").await == 1 }).await;
    let dead: Vec<_> =
        jobs.dead(10).await.unwrap().into_iter().filter(|job| job.kind == Note::KIND).collect();
    assert_eq!((dead[0].attempts, dead[0].last_error.as_deref()), (3, Some("hopeless failed")));

    assert!(jobs.revive(dead[0].id).await.unwrap(), "it can be tried again");
    assert!(!jobs.revive(dead[0].id).await.unwrap());
    app.until("it has failed once more", || async { app.log().matches("a job failed").count() == 3 }).await;
    worker.stop().await;
});

both!(what_is_dead_is_forgotten, Options::new().expect_errors(), |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
    jobs.enqueue(&mut tx, &Unreadable { text: 7 }, Terms::new()).await.unwrap();
    tx.commit().await.unwrap();
    app.until("it is given up", || async { count(&jobs, "dead").await == 1 }).await;
    assert!(app.log().contains("cannot be read"));
    worker.stop().await;
    app.clock().advance(TimeDelta::days(8));
    let worker = Worker::start(&jobs, &desk);
    app.until("it is forgotten", || async { count(&jobs, "dead").await == 0 }).await;
    worker.stop().await;
});

/// What another version of the program put off under the same name.
#[derive(Serialize, Deserialize)]
struct Unreadable {
    text: i64,
}

impl Job for Unreadable {
    const KIND: &'static str = Note::KIND;
    const QUEUE: &'static str = Note::QUEUE;
}

/// What a newer program knows how to do.
#[derive(Serialize, Deserialize)]
struct OfTomorrow {}

impl Job for OfTomorrow {
    const KIND: &'static str = "test.of_tomorrow";
    const QUEUE: &'static str = Note::QUEUE;
    const TIME_LIMIT: Duration = Duration::from_millis(50);
}

impl Handler<Desk> for OfTomorrow {
    async fn handle(self, desk: Desk, _: Attempt) -> Result<(), Failure> {
        desk.gate.acquire().await?.forget();
        Err(Failure::new("no use").for_good())
    }
}

both!(what_is_not_known_is_left_to_others, Options::new().expect_errors(), |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let old = Worker::start(&jobs, &desk);
    let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
    jobs.enqueue(&mut tx, &OfTomorrow {}, Terms::new()).await.unwrap();
    tx.commit().await.unwrap();
    enqueue(&app, &jobs, &note("known"), Terms::new()).await;
    until_texts(&app, &desk, &["known"]).await;
    old.stop().await;
    assert_eq!(count(&jobs, "waiting").await, 1);

    let new = Worker::with(Registry::new().handle::<OfTomorrow>(), &jobs, &desk);
    app.until("it took too long", || async { app.log().contains("it took longer than") }).await;
    desk.gate.add_permits(1);
    app.clock().advance(TimeDelta::hours(2));
    app.until("it is given up at once", || async { count(&jobs, "dead").await == 1 }).await;
    new.stop().await;
});

both!(a_panic_is_a_failure, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &note("panic"), Terms::new()).await;
    app.until("it failed", || async { app.log().contains("it panicked") }).await;
    enqueue(&app, &jobs, &note("next"), Terms::new()).await;
    until_texts(&app, &desk, &["next"]).await;
    worker.stop().await;
});
