//! Several PostgreSQL servers, of which one can be written to.

use std::time::{Duration, Instant};

use serde_json::json;
use xr2_testkit::{Engine, Network, Options, PostgresPair, Proxy, TestApp, both};

use super::{Load, first_owner, key, people, ready, text, until_ready};

/// Longer than any test: whoever waits for the breaker waits in vain.
const PAUSE: &str = "10m";

/// One address of several.
fn several(urls: [&str; 2]) -> String {
    let end = |url: &str| {
        let host = url.rfind('@').map_or(0, |at| at + 1);
        (host, url[host..].find('/').map_or(url.len(), |at| host + at))
    };
    let ((_, first_end), (second, second_end)) = (end(urls[0]), end(urls[1]));
    let (first, rest) = urls[0].split_at(first_end);
    format!("{first},{}{rest}", &urls[1][second..second_end])
}

fn options(app: &TestApp, url: &str) -> Options {
    app.options().set("database", url).set("resilience.database_pause", PAUSE)
}

both!(a_dead_host_is_passed_over, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let (dead, dead_url) = Proxy::before_url(app.database_url()).await;
    dead.set(Network::Cut);
    let node = app.node_with(options(&app, &several([&dead_url, app.database_url()]))).await;
    let owner = app.owner().await;
    text(&node.bearer(owner.token()), "p", "x").await;
    until_ready(&node, "ready").await;
});

both!(without_any_host_the_start_says_which, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let url = "postgres://xr2:secret@127.0.0.1:1,127.0.0.1:2/xr2";
    let options = options(&app, url)
        .set("delivery.snapshot", false)
        .set("data_dir", app.directory().join("b").display());
    let message = app.try_node(options).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(message.contains("127.0.0.1:1") && message.contains("127.0.0.1:2"), "{message}");
    assert!(!message.contains("secret"), "{message}");
});

both!(another_host_takes_over_while_programs_fetch, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let (one, one_url) = Proxy::before_url(app.database_url()).await;
    let (two, two_url) = Proxy::before_url(app.database_url()).await;
    two.set(Network::Cut);
    let node = app.node_with(options(&app, &several([&one_url, &two_url]))).await;
    let (owner, shop) = people(&app).await;
    let (owner, shop) = (node.bearer(owner.token()), node.bearer(shop.token()));
    let load = Load::begin(&owner, &shop).await;
    for (round, (gone, comes)) in [(&one, &two), (&two, &one), (&one, &two)].into_iter().enumerate() {
        gone.set(if round == 1 { Network::Hangs } else { Network::Cut });
        comes.set(Network::Works);
        node.until("it writes to the other one", || async {
            let body = json!({ "title": "T", "content": format!("round {round}") });
            owner.post("/prompts", body).await.status == 201
        })
        .await;
        until_ready(&node, "ready").await;
        load.goes_on(&node, 200).await;
    }
    load.end().await;
    node.stop().await;
});

both!(a_promoted_replica_is_written_to, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres {
        return;
    }
    let Some(mut pair) = PostgresPair::start().await else { return };
    let node = app.node_with(options(&app, &pair.url())).await;
    let owner = first_owner(&node).await;
    let shop = key(&owner, json!({ "name": "shop" })).await;
    let load = Load::begin(&owner, &shop).await;
    load.goes_on(&node, 200).await;
    // What a replica has not been sent yet is lost with its primary.
    node.until("the replica has everything", || async { pair.is_level().await }).await;
    pair.kill_primary();
    node.until("it is missed", || async { ready(&node).await.ok().json["status"] == "degraded" }).await;
    load.goes_on(&node, 200).await;
    pair.promote().await;
    let promoted = Instant::now();
    let body = json!({ "title": "After", "slug": "after", "content": "written to the other one" });
    node.until("it writes again", || async { owner.post("/prompts", body.clone()).await.status == 201 })
        .await;
    assert!(promoted.elapsed() < Duration::from_secs(20), "{:?}", promoted.elapsed());
    assert_eq!(shop.get("/prompts/after").await.ok().text_of("content"), "written to the other one");
    until_ready(&node, "ready").await;
    load.end().await;
    node.stop().await;
});
