//! One of a kind.

use std::time::Duration;

use chrono::TimeDelta;
use xr2_db::Purpose;
use xr2_jobs::Terms;
use xr2_testkit::{CANARY_ID, both};

use super::{Desk, Note, Worker, count, enqueue, note, options, queue, until_empty, until_texts};

both!(a_key_until_the_start_takes_news_along, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let terms = || Terms::new().until_start("purge");
    let waiting = Note { waits: true, ..note("first") };
    assert!(enqueue(&app, &jobs, &waiting, terms()).await);
    assert!(!enqueue(&app, &jobs, &note("same"), terms()).await, "one waits already");
    assert!(enqueue(&app, &jobs, &note("other key"), Terms::new().until_start("other")).await);
    let worker = Worker::start(&jobs, &desk);
    app.until("the first is in work", || async { desk.in_work() == 1 && desk.notes().len() == 1 }).await;
    assert!(enqueue(&app, &jobs, &note("second"), terms()).await, "what runs may have missed the news");
    desk.gate.add_permits(1);
    until_texts(&app, &desk, &["first", "other key", "second"]).await;
    worker.stop().await;
});

both!(a_key_until_the_end_lets_one_run, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let terms = || Terms::new().until_end("sum");
    let worker = Worker::start(&jobs, &desk);
    assert!(enqueue(&app, &jobs, &Note { waits: true, ..note("first") }, terms()).await);
    app.until("the first is in work", || async { desk.in_work() == 1 }).await;
    assert!(!enqueue(&app, &jobs, &note("second"), terms()).await);
    desk.gate.add_permits(1);
    until_empty(&app, &jobs).await;
    assert!(enqueue(&app, &jobs, &note("third"), terms()).await);
    until_texts(&app, &desk, &["first", "third"]).await;
    worker.stop().await;
});

both!(a_key_for_a_while_is_idempotency, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    let terms = || Terms::new().for_good_while("mail 7", Duration::from_secs(86_400));
    let worker = Worker::start(&jobs, &desk);
    assert!(enqueue(&app, &jobs, &note("first"), terms()).await);
    until_texts(&app, &desk, &["first"]).await;
    until_empty(&app, &jobs).await;
    assert!(!enqueue(&app, &jobs, &note("again"), terms()).await, "it was done already");
    app.clock().advance(TimeDelta::days(2));
    assert!(enqueue(&app, &jobs, &note("tomorrow"), terms()).await);
    until_texts(&app, &desk, &["first", "tomorrow"]).await;
    worker.stop().await;
});

both!(keys_of_workspaces_are_apart, |app| async move {
    let jobs = queue(&app, options());
    let terms = || Terms::new().until_start("same");
    assert!(enqueue(&app, &jobs, &note("ours"), terms()).await);
    for door in [app.db().tenant(CANARY_ID), app.db().system(Purpose::Jobs)] {
        let mut tx = door.write().await.unwrap();
        assert!(jobs.enqueue(&mut tx, &note("theirs"), terms()).await.unwrap());
        tx.commit().await.unwrap();
    }
    assert_eq!(count(&jobs, "waiting").await, 3);
});

both!(a_key_is_free_when_its_transaction_is_taken_back, |app| async move {
    let jobs = queue(&app, options());
    let mut tx = app.db().tenant(app.workspace()).write().await.unwrap();
    assert!(jobs.enqueue(&mut tx, &note("a"), Terms::new().until_start("key")).await.unwrap());
    tx.rollback().await.unwrap();
    assert!(enqueue(&app, &jobs, &note("b"), Terms::new().until_start("key")).await);
});
