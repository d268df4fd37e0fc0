//! What is done again and again, by one node for all.

use std::time::Duration;

use chrono::TimeDelta;
use xr2_jobs::{Jobs, Registry, Terms};
use xr2_testkit::{Options, both};

use super::{Desk, Worker, enqueue, note, options, queue, until_empty};
use crate::support::text;

both!(one_node_does_it_each_time, |app| async move {
    let desk = Desk::new();
    let jobs: Vec<Jobs> = (0..3).map(|_| queue(&app, options())).collect();
    let registry = || Registry::new().every(Duration::from_secs(3600), &note("hourly"));
    let workers: Vec<Worker> = jobs.iter().map(|jobs| Worker::with(registry(), jobs, &desk)).collect();
    for times in 1..=5 {
        app.until("it is done", || async { desk.notes().len() == times }).await;
        until_empty(&app, &jobs[0]).await;
        // Everybody has looked since then.
        for (number, jobs) in jobs.iter().enumerate() {
            let mark = format!("mark {times} {number}");
            enqueue(&app, jobs, &note(&mark), Terms::new()).await;
            app.until("the mark", || async { desk.texts().contains(&mark) }).await;
        }
        desk.notes().retain(|(text, _)| text == "hourly");
        assert_eq!(desk.notes().len(), times, "once an hour");
        app.clock().advance(TimeDelta::minutes(61));
    }
    for worker in workers {
        worker.stop().await;
    }
    desk.assert_alone();
});

both!(a_shorter_period_counts_from_now, |app| async move {
    let (desk, jobs) = (Desk::new(), queue(&app, options()));
    for (times, days) in [(1, 30), (1, 30), (1, 1)] {
        let registry = Registry::new().every(Duration::from_secs(days * 86_400), &note("x"));
        let worker = Worker::with(registry, &jobs, &desk);
        enqueue(&app, &jobs, &note("mark"), Terms::new()).await;
        app.until("the mark", || async { desk.texts().contains(&"mark".to_owned()) }).await;
        app.until("it is done", || async { desk.texts().contains(&"x".to_owned()) }).await;
        worker.stop().await;
        desk.notes().retain(|(text, _)| text == "x");
        assert_eq!(desk.notes().len(), times, "a restart is no reason");
    }
    app.clock().advance(TimeDelta::days(2));
    let registry = Registry::new().every(Duration::from_secs(86_400), &note("x"));
    let worker = Worker::with(registry, &jobs, &desk);
    app.until("the shorter period is over", || async { desk.notes().len() == 2 }).await;
    worker.stop().await;
});

both!(a_server_keeps_house, Options::new().with_worker().set("bin.retention_days", 3), |app| async move {
    xr2_server::telemetry::init_metrics();
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    owner.delete("/prompts/a").await.ok();
    app.new_events().await;
    app.clock().advance(TimeDelta::days(4));
    app.until("the bin is emptied", || async {
        app.new_events().await.contains(&"prompt.purged".to_owned())
    })
    .await;
    app.until("the metric counts", || async {
        let text = app.nobody().get(&app.url("/metrics")).await.text;
        text.contains("xr2_background_jobs{queue=\"upkeep\",state=\"waiting\"} 0")
            && text.contains("xr2_jobs_total{queue=\"upkeep\",outcome=\"done\"}")
    })
    .await;
});
