//! Workers that die or cannot reach the database.

use std::time::Duration;

use xr2_jobs::{Options, Terms};
use xr2_testkit::{Network, both};

use super::{Desk, Note, Worker, count, enqueue, note, options, queue, until_empty, until_texts};

both!(a_killed_workers_job_is_taken_over, |app| async move {
    let short = Options { lease: Duration::from_millis(500), ..options() };
    let (first, second) = (queue(&app, short.clone()), queue(&app, short));
    let (dying, heir) = (Desk::new(), Desk::new());
    let worker = Worker::start(&first, &dying);
    enqueue(&app, &first, &Note { waits: true, ..note("orphan") }, Terms::new()).await;
    app.until("it is in work", || async { dying.in_work() == 1 }).await;
    worker.kill().await;
    app.until("it is gone", || async { dying.in_work() == 0 }).await;
    heir.gate.add_permits(1);
    let worker = Worker::start(&second, &heir);
    until_texts(&app, &heir, &["orphan"]).await;
    assert_eq!(heir.notes()[0].1, 2, "it is the second attempt");
    until_empty(&app, &second).await;
    worker.stop().await;
});

both!(a_lease_is_renewed_for_as_long_as_it_takes, |app| async move {
    let with = |concurrency| queue(&app, Options { lease: Duration::from_secs(3), concurrency, ..options() });
    let (desk, dying, jobs) = (Desk::new(), Desk::new(), with(1));
    let long = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &Note { waits: true, ..note("long") }, Terms::new()).await;
    app.until("it is in work", || async { desk.in_work() == 1 }).await;
    let short = Worker::start(&with(1), &dying);
    enqueue(&app, &jobs, &Note { waits: true, ..note("orphan") }, Terms::new()).await;
    app.until("the other one is in work", || async { dying.in_work() == 1 }).await;
    short.kill().await;
    // Its lease was given later: when that is over, the first one's would be as well, and an heir would take both.
    let heir = Worker::start(&with(4), &desk);
    app.until("it is taken over", || async { desk.in_work() == 2 }).await;
    assert_eq!(count(&jobs, "running").await, 2);
    desk.gate.add_permits(2);
    until_texts(&app, &desk, &["long", "orphan"]).await;
    let mut notes = desk.notes().clone();
    notes.sort();
    assert_eq!(notes, [("long".to_owned(), 1), ("orphan".to_owned(), 2)]);
    desk.assert_alone();
    for worker in [long, heir] {
        worker.stop().await;
    }
});

both!(
    a_job_is_dropped_before_its_lease_is_over,
    xr2_testkit::Options::new().with_faults(),
    |app| async move {
        let (desk, jobs) = (Desk::new(), queue(&app, Options { lease: Duration::from_secs(1), ..options() }));
        let worker = Worker::start(&jobs, &desk);
        enqueue(&app, &jobs, &Note { waits: true, ..note("a") }, Terms::new()).await;
        app.until("it is in work", || async { desk.in_work() == 1 }).await;
        app.database_network(Network::Hangs).await;
        app.until("it is dropped", || async { desk.in_work() == 0 }).await;
        desk.gate.add_permits(1);
        app.database_network(Network::Works).await;
        until_texts(&app, &desk, &["a"]).await;
        until_empty(&app, &jobs).await;
        desk.assert_alone();
        worker.stop().await;
    }
);

both!(jobs_wait_for_a_database_that_is_gone, xr2_testkit::Options::new().with_faults(), |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let worker = Worker::start(&jobs, &desk);
    enqueue(&app, &jobs, &note("before"), Terms::new()).await;
    until_texts(&app, &desk, &["before"]).await;
    app.database_network(Network::Cut).await;
    app.until("it is refused", || async { jobs.counts().await.is_err_and(|error| error.is_refusal()) }).await;
    app.database_network(Network::Works).await;
    app.until("it is back", || async { jobs.counts().await.is_ok() }).await;
    app.until("it writes again", || async {
        let Ok(mut tx) = app.db().tenant(app.workspace()).write().await else { return false };
        jobs.enqueue(&mut tx, &note("after"), Terms::new().until_start("after")).await.is_ok()
            && tx.commit().await.is_ok()
    })
    .await;
    app.until("it is done", || async { desk.texts().contains(&"after".to_owned()) }).await;
    let complaints = app.log().matches("could not look for jobs").count();
    assert!(complaints <= 20, "{complaints} lines say the same");
    worker.stop().await;
});
