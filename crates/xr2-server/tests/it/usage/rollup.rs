//! Sums by the hour: each delivery counts once, whoever sums, however often, whatever breaks off.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;
use xr2_server::features::usage::{Alike, Delivered, Delivery, Source, forget_old, settle};
use xr2_testkit::{Options, TestApp, both};

use super::rows;
use crate::queries;

fn delivery(app: &TestApp, prompt: Uuid, ago: TimeDelta, status: u16, micros: u64) -> Delivery {
    let what = Delivered {
        workspace: app.workspace(),
        prompt,
        version: 1,
        label: "production".into(),
        variant: "".into(),
        includes: None,
    };
    let alike = Alike {
        what: Arc::new(what),
        key: Some(Uuid::from_u128(5)),
        source: Source::Api,
        status,
        user: Some(format!("user-{}", micros % 10).into()),
        address: None,
        user_agent: None,
        model: None,
        variables: None,
    };
    Delivery { alike, at: app.clock().now() - ago, latency: Duration::from_micros(micros) }
}

async fn sums(app: &TestApp) -> (i64, i64) {
    queries::summed(app.db(), app.workspace()).await.unwrap()
}

both!(each_delivery_counts_once_however_often_is_summed, |app| async move {
    let (prompt, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for round in 0..4 {
        for number in 0..3000 {
            let ago = TimeDelta::seconds(number * 7 % 20_000);
            let status = if number % 10 == 0 { 422 } else { 200 };
            let prompt = if number % 3 == 0 { prompt } else { other };
            app.app().usage().record(delivery(&app, prompt, ago, status, 1000 + number.unsigned_abs()));
        }
        settle(app.app()).await.unwrap();
        settle(app.app()).await.unwrap();
        assert_eq!(sums(&app).await, (3000 * (round + 1), 300 * (round + 1)));
    }
});

both!(several_nodes_sum_without_counting_twice, |app| async move {
    let nodes = [app.clone(), app.second_node().await, app.second_node().await];
    let prompt = Uuid::from_u128(1);
    let mut running = Vec::new();
    for node in &nodes {
        for number in 0..4000 {
            node.app().usage().record(delivery(node, prompt, TimeDelta::zero(), 200, number));
        }
        for _ in 0..3 {
            let app = node.app().clone();
            running.push(tokio::spawn(async move { settle(&app).await }));
        }
    }
    for work in running {
        work.await.unwrap().unwrap();
    }
    settle(app.app()).await.unwrap();
    assert_eq!(sums(&app).await, (12_000, 0));
});

both!(
    single_deliveries_are_forgotten_and_their_sums_kept,
    Options::new().set("usage.retention_days", 3),
    |app| async move {
        let prompt = Uuid::from_u128(1);
        for days in 0..6 {
            app.app().usage().record(delivery(&app, prompt, TimeDelta::days(days), 200, 50));
        }
        app.app().usage().flush(app.app()).await.unwrap();
        assert_eq!(forget_old(app.app()).await.unwrap(), 0, "what has not been summed is not forgotten");
        settle(app.app()).await.unwrap();
        assert_eq!(forget_old(app.app()).await.unwrap(), 3);
        assert_eq!(forget_old(app.app()).await.unwrap(), 0);
        assert_eq!(rows(&app).await.len(), 3);
        assert_eq!(sums(&app).await, (6, 0));
    }
);
