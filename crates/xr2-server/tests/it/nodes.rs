//! Several nodes on one Redis, and many requests at once.

use xr2_testkit::{Client, Options, TestApp};

/// How many of `count` requests at the same time pass; the others are refused for the limit.
pub async fn passing(clients: &[Client], path: &'static str, count: usize) -> usize {
    let requests: Vec<_> = (0..count)
        .map(|n| {
            let client = clients[n % clients.len()].clone();
            tokio::spawn(async move { client.get(path).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(request.await.unwrap());
    }
    let passed = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(passed + refused, count, "{statuses:?}");
    passed
}

/// A node with a Redis that is given time: a busy machine is no outage.
pub async fn node_on(app: &TestApp, redis: &str) -> TestApp {
    node_with(app, app.options(), redis, "10s").await
}

/// A node with other settings, which waits for Redis for so long.
pub async fn node_with(app: &TestApp, options: Options, redis: &str, patience: &str) -> TestApp {
    let options = options.set("redis", redis).set("resilience.redis_patience", patience);
    let node = app.node_with(options.set("resilience.redis_timeout", "10s")).await;
    until_redis(&node).await;
    node
}

/// Three nodes on one Redis.
pub async fn three_nodes(app: &TestApp, redis: &str) -> [TestApp; 3] {
    [node_on(app, redis).await, node_on(app, redis).await, node_on(app, redis).await]
}

/// Waits until a node shares limits with others.
pub async fn until_redis(node: &TestApp) {
    node.until("Redis is there", || async {
        let checks = node.nobody().get(&node.url("/ready")).await.json["checks"].clone();
        checks["redis"] == "ok" && checks["limits"] == "ok"
    })
    .await;
}
