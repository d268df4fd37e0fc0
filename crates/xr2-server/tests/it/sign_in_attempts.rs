//! Attempts to sign in count on all nodes that share a Redis.

use serde_json::json;
use xr2_testkit::{Answer, Network, Options, PASSWORD, Proxy, RedisServer, TestApp, both, has_redis};

use crate::nodes::{node_on, until_redis};

fn four() -> Options {
    Options::new().set("auth.attempts_per_account", 4).set("resilience.redis_pause", "1s")
}

async fn registered(app: &TestApp) {
    let person = json!({ "email": "ann@example.com", "password": PASSWORD, "name": "Ann" });
    app.nobody().post("/auth/register", person).await.created();
}

async fn sign_in(node: &TestApp, password: &str) -> Answer {
    node.nobody().post("/auth/login", json!({ "email": "ann@example.com", "password": password })).await
}

both!(attempts_at_two_nodes_are_counted_together, four(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = [node_on(&app, &redis.url()).await, node_on(&app, &redis.url()).await];
    registered(&app).await;
    for n in 0..10 {
        sign_in(&nodes[n % 2], PASSWORD).await.ok();
    }
    let attempts: Vec<_> = (0..16)
        .map(|n| {
            let node = nodes[n % 2].clone();
            tokio::spawn(async move { sign_in(&node, &format!("wrong password {n}")).await.status })
        })
        .collect();
    let mut tried = 0;
    for attempt in attempts {
        tried += u32::from(attempt.await.unwrap() == 401);
    }
    assert_eq!(tried, 4, "four passwords were looked at, no more");
    for node in &nodes {
        let refused = sign_in(node, PASSWORD).await.error(429, "RATE_LIMITED");
        let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((600..=900).contains(&wait), "{wait}");
    }
    let keys = redis.command("KEYS xr2:attempts:*").await;
    assert!(keys.contains("xr2:attempts:account:") && !keys.contains("ann"), "{keys}");
});

both!(without_redis_each_node_counts_for_itself, four(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (proxy, url) = Proxy::before_url(&redis.url()).await;
    let (here, there) = (node_on(&app, &url).await, node_on(&app, &redis.url()).await);
    registered(&app).await;
    for n in 0..3 {
        sign_in(&here, &format!("wrong password {n}")).await.error(401, "INVALID_CREDENTIALS");
    }
    proxy.set(Network::Cut);
    sign_in(&here, "wrong password 3").await.error(401, "INVALID_CREDENTIALS");
    sign_in(&here, PASSWORD).await.error(429, "RATE_LIMITED");
    sign_in(&there, "wrong password 4").await.error(401, "INVALID_CREDENTIALS");
    sign_in(&there, PASSWORD).await.error(429, "RATE_LIMITED");
    proxy.set(Network::Works);
    until_redis(&here).await;
    sign_in(&here, PASSWORD).await.error(429, "RATE_LIMITED");
});
