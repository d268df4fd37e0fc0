//! Times of last use: written in batches, by several nodes at the same time, and never set back.

use chrono::TimeDelta;
use xr2_server::auth::Scope;
use xr2_testkit::{Client, TestApp, both};

use crate::support::text;

async fn flush(node: &TestApp) {
    node.app().last_used().flush(node.app()).await.expect("last-used times are written");
}

async fn last_fetched(owner: &Client, slug: &str) -> String {
    owner.get(&format!("/prompts/{slug}/details")).await.ok().text_of("last_fetched_at")
}

both!(a_slower_node_does_not_set_a_time_back, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    let other = app.second_node().await;
    let key = app.key(&[Scope::Deliver]).await;
    app.clock().advance(TimeDelta::minutes(5));
    key.get("/prompts/p").await.ok();
    flush(&app).await;
    let newest = last_fetched(&owner, "p").await;
    app.clock().advance(TimeDelta::minutes(-5));
    other.bearer(key.token()).get("/prompts/p").await.ok();
    flush(&other).await;
    assert_eq!(last_fetched(&owner, "p").await, newest);
});

both!(nodes_that_write_the_same_at_once_do_not_stop_each_other, |app| async move {
    let owner = app.owner().await;
    let slugs: Vec<String> = (0..45).map(|n| format!("p{n}")).collect();
    for slug in &slugs {
        text(&owner, slug, "x").await;
    }
    let nodes = [app.clone(), app.second_node().await];
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(app.key(&[Scope::Deliver]).await);
    }
    for round in 0..5 {
        app.clock().advance(TimeDelta::seconds(2));
        let before = xr2_server::clock::rfc3339(&app.clock().now());
        for (n, slug) in slugs.iter().enumerate() {
            for node in &nodes {
                node.bearer(keys[n % 4].token()).get(&format!("/prompts/{slug}")).await.ok();
            }
        }
        let [here, there] = &nodes;
        tokio::join!(flush(here), flush(there));
        for slug in &slugs {
            let at = last_fetched(&owner, slug).await;
            assert!(at >= before, "round {round}: {slug} was fetched at {at}, after {before}");
        }
    }
});
