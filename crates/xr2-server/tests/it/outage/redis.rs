//! Redis goes away, hangs or is slow: nobody who fetches notices.

use std::time::Duration;

use serde_json::json;
use xr2_testkit::{Network, Options, Proxy, RedisServer, both, has_redis, redis_url};

use super::{Load, people, ready, until_ready};

both!(redis_costs_nothing_but_quickness, Options::new().with_faults(), |app| async move {
    let Some(redis) = redis_url() else {
        let required = std::env::var_os("XR2_TEST_REQUIRE_ALL").is_some_and(|value| value == "1");
        assert!(!required, "XR2_TEST_REDIS has to name a Redis server");
        return;
    };
    let (proxy, url) = Proxy::before_url(&redis).await;
    let options = || app.options().set("redis", url.clone());
    let (first, second) = (app.node_with(options()).await, app.node_with(options()).await);
    let (owner, key) = people(&app).await;
    let here = first.bearer(key.token());
    let load = Load::begin(&owner, &here).await;
    until_ready(&first, "ready").await;
    until_ready(&second, "ready").await;
    let writer = first.bearer(owner.token());
    let reader = second.bearer(key.token());
    let mut text = 0;
    for network in [Network::Hangs, Network::Cut, Network::Slow(Duration::from_millis(1500))] {
        proxy.set(network);
        first
            .until("Redis is missed", || async {
                ready(&first).await.ok().json["checks"]["redis"] == "unavailable"
            })
            .await;
        text += 1;
        let content = format!("text {text}");
        writer.put("/prompts/p0", json!({ "content": content, "publish": false })).await.ok();
        first
            .until("the other node follows", || async {
                reader.get("/prompts/p0?label=latest").await.ok().text_of("content") == content
            })
            .await;
        load.goes_on(&app, 200).await;
        first
            .until("nothing is stale for want of Redis", || async {
                let checks = ready(&first).await.ok().json["checks"].clone();
                checks["redis"] == "unavailable" && checks["delivery"] == "ok" && checks["database"] == "ok"
            })
            .await;
        proxy.set(Network::Works);
        until_ready(&first, "ready").await;
        until_ready(&second, "ready").await;
    }
    load.end().await;
});

both!(
    redis_that_is_killed_and_begins_anew_costs_no_delivery,
    Options::new().with_faults(),
    |app| async move {
        if !has_redis() {
            return;
        }
        let mut redis = RedisServer::start().await;
        let options = || app.options().set("redis", redis.url());
        let nodes = [app.node_with(options()).await, app.node_with(options()).await];
        let (owner, key) = people(&app).await;
        let mut load = Load::begin(&nodes[0].bearer(owner.token()), &nodes[0].bearer(key.token())).await;
        load.also(&nodes[1].bearer(key.token())).await;
        let (writer, reader) = (nodes[0].bearer(owner.token()), nodes[1].bearer(key.token()));
        for round in 0..3 {
            for (state, content) in
                [("unavailable", format!("{round} without")), ("ok", format!("{round} with"))]
            {
                if state == "ok" {
                    redis.begin().await;
                } else {
                    redis.kill();
                }
                for node in &nodes {
                    let is_so = || async { ready(node).await.ok().json["checks"]["redis"] == state };
                    node.until(&format!("Redis is {state}"), is_so).await;
                }
                let body = json!({ "content": content, "publish": false });
                writer.put("/prompts/p0", body).await.ok();
                let follows = || async {
                    reader.get("/prompts/p0?label=latest").await.ok().text_of("content") == content
                };
                nodes[1].until("the other node follows", follows).await;
                load.goes_on(&app, 200).await;
            }
        }
        for node in &nodes {
            until_ready(node, "ready").await;
        }
        load.end().await;
    }
);
