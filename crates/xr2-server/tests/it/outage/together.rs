//! The database and Redis go away, hang or are slow at the same time.

use std::time::Duration;

use serde_json::json;
use xr2_testkit::{
    Client, Engine, Network, Options, PostgresPair, Proxy, RedisServer, TestApp, both, has_redis,
};

use super::load::impatient;
use super::{Load, first_owner, key, people, ready, text, until_ready};

/// Whether the node says that both are gone and that it delivers all the same.
async fn is_alone(node: &TestApp) -> bool {
    let checks = ready(node).await.ok().json["checks"].clone();
    assert_ne!(checks["delivery"], "unavailable");
    checks["database"] == "unavailable" && checks["redis"] == "unavailable"
}

/// Whoever writes is refused or told that nobody knows; nothing else happens.
async fn try_to_write(writer: &Client, content: &str) {
    let answer = writer.put("/prompts/target", json!({ "content": content })).await;
    if answer.status != 200 && !answer.message().contains("not certain") {
        answer.error(503, "UNAVAILABLE").says("Nothing was changed");
    }
}

/// All is as before: what is published on one node is delivered by the other.
async fn until_all_is_well(nodes: &[TestApp; 2], owner: &Client, key: &Client, content: &str) {
    for node in nodes {
        until_ready(node, "ready").await;
    }
    let (writer, reader) = (nodes[0].bearer(owner.token()), nodes[1].bearer(key.token()));
    nodes[0]
        .until("writes work again", || async {
            writer.put("/prompts/target", json!({ "content": content })).await.status == 200
        })
        .await;
    nodes[1]
        .until("the other node follows", || async {
            reader.get("/prompts/target").await.ok().text_of("content") == content
        })
        .await;
}

both!(no_warm_delivery_fails_whatever_both_do, impatient(), |app| async move {
    if !has_redis() {
        return;
    }
    let server = RedisServer::start().await;
    let (redis, url) = Proxy::before_url(&server.url()).await;
    let options = || app.options().set("redis", url.clone());
    let nodes = [app.node_with(options()).await, app.node_with(options()).await];
    let (owner, key) = people(&app).await;
    text(&owner, "target", "0").await;
    let here = nodes[0].bearer(key.token());
    let mut load = Load::begin(&nodes[0].bearer(owner.token()), &here).await;
    load.also(&nodes[1].bearer(key.token())).await;
    let rounds = [
        (Network::Cut, Network::Cut),
        (Network::Hangs, Network::Cut),
        (Network::Cut, Network::Hangs),
        (Network::Slow(Duration::from_millis(500)), Network::Slow(Duration::from_millis(500))),
        (Network::Hangs, Network::Hangs),
    ];
    for (round, (of_database, of_redis)) in rounds.into_iter().enumerate() {
        redis.set(of_redis);
        app.database_network(of_database).await;
        if of_database == Network::Cut {
            nodes[0].until("both are missed", || is_alone(&nodes[0])).await;
        }
        load.goes_on(&app, 300).await;
        try_to_write(&nodes[0].bearer(owner.token()), &format!("in round {round}")).await;
        load.goes_on(&app, 300).await;
        redis.set(Network::Works);
        app.database_network(Network::Works).await;
        until_all_is_well(&nodes, &owner, &key, &format!("after round {round}")).await;
    }
    let total = load.end().await;
    assert!(total >= 3000, "{total}");
});

both!(no_warm_delivery_fails_when_both_are_killed, Options::new().with_faults(), |app| async move {
    if app.db().engine() != Engine::Postgres || !has_redis() {
        return;
    }
    let Some(mut postgres) = PostgresPair::start().await else { return };
    let mut redis = RedisServer::start().await;
    let options = |name: &str| {
        let options = app.options().set("database", postgres.primary_url()).set("redis", redis.url());
        options.set("data_dir", app.directory().join(name).display())
    };
    let nodes = [app.node_with(options("one")).await, app.node_with(options("two")).await];
    let owner = first_owner(&nodes[0]).await;
    let shop = key(&owner, json!({ "name": "shop" })).await;
    text(&owner, "target", "0").await;
    let mut load = Load::begin(&owner, &shop).await;
    load.also(&nodes[1].bearer(shop.token())).await;
    for round in 0..3 {
        load.goes_on(&app, 200).await;
        redis.kill();
        postgres.kill_primary();
        for node in &nodes {
            node.until("both are missed", || is_alone(node)).await;
        }
        load.goes_on(&app, 300).await;
        try_to_write(&owner, &format!("in round {round}")).await;
        // Whichever is there first.
        if round % 2 == 0 {
            redis.begin().await;
            load.goes_on(&app, 200).await;
            postgres.restart_primary().await;
        } else {
            postgres.restart_primary().await;
            load.goes_on(&app, 200).await;
            redis.begin().await;
        }
        until_all_is_well(&nodes, &owner, &shop, &format!("after round {round}")).await;
    }
    load.end().await;
    for node in nodes {
        node.stop().await;
    }
});
