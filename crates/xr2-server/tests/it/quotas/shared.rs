//! Calls a month on several nodes that share a Redis.

use serde_json::json;
use xr2_testkit::{Client, Network, Options, Proxy, RedisServer, TestApp, both, has_redis};

use super::{begin_next_month, people, warning};
use crate::nodes::{node_on, node_with, passing, three_nodes, until_redis};

const PATH: &str = "/prompts/p?name=Ana";

/// 110 calls pass.
fn hundred() -> Options {
    Options::new().set("limits.calls_per_month", 100)
}

fn at(nodes: &[TestApp], key: &Client) -> Vec<Client> {
    nodes.iter().map(|node| node.bearer(key.token())).collect()
}

/// Writes down what was delivered, as happens twice a second.
async fn write_usage(nodes: &[TestApp]) {
    for node in nodes {
        node.app().usage().flush(node.app()).await.expect("the database takes it");
    }
}

/// What Redis keeps of the month.
async fn kept(redis: &RedisServer) -> String {
    let key = redis.command("KEYS xr2:month:*").await;
    let key = key.lines().find(|line| line.starts_with("xr2:")).unwrap_or("none").to_owned();
    redis.command(&format!("HGETALL {key}")).await
}

both!(exactly_the_quota_passes_on_three_nodes, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = three_nodes(&app, &redis.url()).await;
    let (_, key) = people(&app).await;
    let clients = at(&nodes, &key);
    let missing: Vec<_> = (0..30)
        .map(|n| {
            let client = clients[n % 3].clone();
            tokio::spawn(async move { client.get("/prompts/none").await.status })
        })
        .collect();
    assert_eq!(passing(&clients, PATH, 60).await, 60);
    for request in missing {
        assert_eq!(request.await.unwrap(), 404, "it takes a permit and gives it back");
    }
    assert_eq!(passing(&clients, PATH, 150).await, 50, "all at once, everywhere");
    for client in &clients {
        let refused = client.get(PATH).await.error(429, "QUOTA_EXCEEDED");
        assert_eq!((refused.header("retry-after"), &refused.details()["used"]), (None, &json!(110)));
    }
});

both!(a_node_gives_back_what_another_needs, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = three_nodes(&app, &redis.url()).await;
    let (owner, key) = people(&app).await;
    let clients = at(&nodes, &key);
    assert_eq!(passing(&clients[..1], PATH, 55).await, 55);
    assert_eq!(passing(&clients[1..2], PATH, 29).await, 29);
    app.until("the third node has heard of the others' calls", || async {
        nodes[2].app().quotas().level(nodes[2].app(), app.workspace()).await.is_some()
    })
    .await;
    assert_eq!(warning(&clients[2].get(PATH).await.ok()).map(|text| text.contains("80%")), Some(true));
    assert_eq!(passing(&clients[2..], PATH, 90).await, 25);
    assert_eq!(passing(&clients[..1], PATH, 3).await, 0);
    let there = nodes[1].bearer(owner.token());
    let warnings = there.get("/analytics/usage").await.ok().json["meta"]["warnings"].clone();
    assert_eq!(warnings[0]["code"], "QUOTA_100", "{warnings}");
});

both!(a_month_begins_anew_on_all_nodes, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = three_nodes(&app, &redis.url()).await;
    let (_, key) = people(&app).await;
    let clients = at(&nodes, &key);
    assert_eq!(passing(&clients, PATH, 120).await, 110);
    begin_next_month(&app);
    let mut first = None;
    for client in &clients {
        first = first.or(warning(&client.get(PATH).await.ok()).map(str::to_owned));
    }
    assert_eq!(first, None);
    assert_eq!(passing(&clients, PATH, 150).await, 107);
});

both!(a_request_of_the_last_month_does_not_undo_what_the_new_one_has_counted, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = three_nodes(&app, &redis.url()).await;
    let (_, key) = people(&app).await;
    let clients = at(&nodes, &key);
    let before = app.clock().now();
    begin_next_month(&app);
    assert_eq!(passing(&clients, PATH, 60).await, 60);
    for node in &nodes {
        // It looked at the clock before the month was over, and comes to counting only now.
        drop(node.app().quotas().try_take(node.app(), node.workspace(), before));
    }
    assert_eq!(passing(&clients, PATH, 150).await, 50);
    assert_eq!(passing(&clients, PATH, 9).await, 0);
});

both!(what_redis_forgets_is_told_again, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    // For so long twice over nothing is lent after the loss.
    let node = async || node_with(&app, app.options(), &redis.url(), "2s").await;
    let nodes = [node().await, node().await, node().await];
    let (_, key) = people(&app).await;
    let clients = at(&nodes, &key);
    assert_eq!(passing(&clients, PATH, 20).await, 20);
    write_usage(&nodes).await;
    assert_eq!(passing(&clients, PATH, 20).await, 20, "which may not be written yet");
    redis.command("FLUSHALL").await;
    assert_eq!(passing(&clients, PATH, 150).await, 70);
    assert_eq!(passing(&clients, PATH, 9).await, 0);
});

/// Redis is gone for a while; all calls count nevertheless. `is_emptied`: it comes back with nothing in it.
async fn outage(app: &TestApp, is_emptied: bool) {
    let mut redis = RedisServer::start().await;
    let (proxy, url) = Proxy::before_url(&redis.url()).await;
    let node = async || {
        let options = app.options().set("resilience.redis_pause", "1s");
        node_with(app, options, &url, "2s").await
    };
    let nodes = [node().await, node().await, node().await];
    let (_, key) = people(app).await;
    let clients = at(&nodes, &key);
    assert_eq!(passing(&clients, PATH, 20).await, 20);
    proxy.set(Network::Cut);
    assert_eq!(passing(&clients, PATH, 30).await, 30, "each goes by what it knows");
    write_usage(&nodes).await;
    assert_eq!(passing(&clients, PATH, 15).await, 15);
    if is_emptied {
        redis.kill();
        redis.begin().await;
    }
    proxy.set(Network::Works);
    for node in &nodes {
        until_redis(node).await;
    }
    for client in &clients {
        client.get(PATH).await.ok();
    }
    assert_eq!(passing(&clients, PATH, 150).await, 110 - 68);
    assert_eq!(passing(&clients, PATH, 9).await, 0);
}

both!(calls_without_redis_count_when_it_is_back, hundred(), |app| async move {
    if has_redis() {
        outage(&app, false).await;
    }
});

both!(calls_without_redis_count_when_it_is_back_and_empty, hundred(), |app| async move {
    if has_redis() {
        outage(&app, true).await;
    }
});

both!(without_redis_a_node_goes_by_the_database, hundred(), |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (proxy, url) = Proxy::before_url(&redis.url()).await;
    let options = app.options().set("resilience.redis_pause", "1s");
    let here = node_with(&app, options, &url, "50ms").await;
    let (_, key) = people(&app).await;
    // Another one, which Redis knows nothing of.
    assert_eq!(passing(std::slice::from_ref(&key), PATH, 30).await, 30);
    let there = here.bearer(key.token());
    there.get(PATH).await.ok();
    for network in [Network::Hangs, Network::Cut] {
        proxy.set(network);
        assert_eq!(passing(std::slice::from_ref(&there), PATH, 20).await, 20, "{network:?}");
    }
    assert_eq!(passing(std::slice::from_ref(&key), PATH, 29).await, 29);
    app.until("the node has heard of all calls", || async {
        write_usage(&[app.clone(), here.clone()]).await;
        let level = here.app().quotas().level(here.app(), here.workspace()).await;
        level.is_some_and(|level| level.warning().code == "QUOTA_100")
    })
    .await;
    assert_eq!(passing(&[there], PATH, 30).await, 10);
});

both!(
    what_a_killed_node_holds_comes_back,
    hundred().set("limits.lent_for", "6s").set("resilience.redis_pause", "1s"),
    |app| async move {
        if !has_redis() {
            return;
        }
        let redis = RedisServer::start().await;
        let (proxy, url) = Proxy::before_url(&redis.url()).await;
        let (doomed, other) = (node_on(&app, &url).await, node_on(&app, &redis.url()).await);
        let (_, key) = people(&app).await;
        doomed.bearer(key.token()).get(PATH).await.ok();
        proxy.set(Network::Cut);
        doomed.stop().await;
        let kept = kept(&redis).await;
        assert!(!kept.contains(":0:"), "it was lent a permit and gave nothing back: {kept}");
        assert_eq!(passing(&at(&[other], &key), PATH, 150).await, 109);
    }
);
