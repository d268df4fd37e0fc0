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
    let lease = Duration::from_secs(3);
    let short = || queue(&app, Options { lease, ..options() });
    let (desk, jobs) = (Desk::new(), short());
    let workers = [Worker::start(&jobs, &desk), Worker::start(&short(), &desk)];
    enqueue(&app, &jobs, &Note { waits: true, ..note("long") }, Terms::new()).await;
    app.until("it is in work", || async { desk.in_work() == 1 }).await;
    // The other one would have it by then.
    tokio::time::sleep(lease * 2).await;
    assert_eq!((desk.in_work(), count(&jobs, "running").await), (1, 1));
    desk.gate.add_permits(1);
    until_texts(&app, &desk, &["long"]).await;
    assert_eq!(desk.notes()[0].1, 1);
    desk.assert_alone();
    for worker in workers {
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
