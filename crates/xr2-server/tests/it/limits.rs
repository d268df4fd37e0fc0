//! Limits per minute: of a key, and of callers without one; on one node, and on several that share a Redis.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use xr2_server::auth::Scope;
use xr2_server::limits::Who;
use xr2_testkit::{Answer, Client, KeyFixture, Network, Options, Proxy, RedisServer, both, has_redis};

use crate::nodes::{node_on, passing, three_nodes};

fn limited(limit: i64) -> KeyFixture {
    KeyFixture { rate_limit_per_minute: Some(limit), ..KeyFixture::default() }
}

async fn from(client: &Client, address: &str, path: &str) -> Answer {
    client.request("GET", path).header("x-forwarded-for", address).send().await
}

fn header(answer: &Answer, name: &str) -> i64 {
    let value = answer.header(name).unwrap_or_else(|| panic!("no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
}

both!(exactly_the_limit_passes, |app| async move {
    let key = app.key_with(limited(7)).await;
    assert_eq!(passing(&[key], "/auth/me", 20).await, 7);
});

both!(the_answer_tells_when_to_come_back, |app| async move {
    let key = app.key_with(limited(2)).await;
    let other = app.key_with(limited(2)).await;
    let first = key.get("/auth/me").await.ok();
    assert_eq!((header(&first, "ratelimit-limit"), header(&first, "ratelimit-remaining")), (2, 1));
    assert_eq!(first.header("ratelimit-policy"), Some("2;w=60"));
    assert!((60..=61).contains(&header(&first, "ratelimit-reset")));
    app.clock().advance(TimeDelta::seconds(40));
    let second = key.get("/auth/me").await.ok();
    assert_eq!(header(&second, "ratelimit-remaining"), 0);
    let refused = key.get("/auth/me").await.error(429, "RATE_LIMITED").says("rate limit");
    let wait = header(&refused, "retry-after");
    assert!((10..=22).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-limit"), Some("2"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("ratelimit-policy"), Some("2;w=60"));
    assert_eq!(refused.header("ratelimit-reset"), refused.header("retry-after"));
    assert_eq!(refused.details()["retry_after"], wait);
    other.get("/auth/me").await.ok();
    app.clock().advance(TimeDelta::seconds(wait));
    key.get("/auth/me").await.ok();
    key.get("/auth/me").await.error(429, "RATE_LIMITED");
    assert!(app.new_events().await.is_empty());
});

both!(warm_deliveries_are_counted_and_say_so, |app| async move {
    let owner = app.owner().await;
    let body = serde_json::json!({ "title": "P", "slug": "p", "content": "Hello {{ name }}" });
    owner.post("/prompts", body).await.created();
    let key = app.key_with(limited(8)).await;
    for left in (0..8).rev() {
        // One that comes to nothing counts once, though it is looked at twice.
        let path = if left == 4 { "/prompts/p?label=a&version=1" } else { "/prompts/p?name=Ana" };
        let answer = key.get(path).await;
        assert_eq!(header(&answer, "ratelimit-remaining"), left, "{}", answer.text);
    }
    key.get("/prompts/p?name=Ana").await.error(429, "RATE_LIMITED");
    let free = app.key(&[Scope::Deliver]).await;
    assert_eq!(free.get("/prompts/p").await.ok().header("ratelimit-limit"), None, "no limit, no headers");
});

both!(an_operator_limits_all_keys, Options::new().set("limits.requests_per_key", 3), |app| async move {
    let (key, own) = (app.key(&[Scope::Deliver]).await, app.key_with(limited(5)).await);
    assert_eq!(passing(&[key], "/auth/me", 10).await, 3);
    assert_eq!(passing(&[own], "/auth/me", 10).await, 5, "a limit of its own counts");
});

both!(
    callers_without_a_key_share_a_limit_by_network,
    Options::new().set("limits.requests_per_network", 10).set("trusted_proxies", "127.0.0.0/8"),
    |app| async move {
        let (key, owner) = (app.key(&[Scope::Deliver]).await, app.owner().await);
        let nobody = app.nobody();
        let well_formed = {
            let made = owner.post("/api-keys", serde_json::json!({ "name": "gone" })).await.created();
            owner.delete(&format!("/api-keys/{}", made.text_of("id"))).await.ok();
            nobody.with_key(&made.text_of("key"))
        };
        let strangers = [nobody.clone(), nobody.with_key("xr2_nonsense"), well_formed.clone()];
        for n in 0..9 {
            let path = if n % 3 == 0 { "/auth/status" } else { "/auth/me" };
            let answer = from(&strangers[n % 3], "2001:db8:0:1::7", path).await;
            assert!([200, 401].contains(&answer.status), "{}", answer.text);
            assert_eq!(header(&answer, "ratelimit-limit"), 10);
            assert_eq!(header(&answer, "ratelimit-remaining"), 9 - n as i64);
        }
        // A neighbour in the same /56.
        from(&nobody, "2001:db8:0:ff::8", "/auth/status").await.ok();
        for stranger in &strangers {
            let refused = from(stranger, "2001:db8:0:1::7", "/auth/status").await;
            assert!((1..=61).contains(&header(&refused.error(429, "RATE_LIMITED"), "retry-after")));
        }
        from(&nobody, "2001:db8:0:100::7", "/auth/status").await.ok();
        from(&nobody, "203.0.113.1", "/auth/status").await.ok();
        from(&key, "203.0.113.1", "/auth/me").await.ok();
        from(&key, "2001:db8:0:1::7", "/auth/me").await.ok();
        let made = owner.post("/api-keys", serde_json::json!({ "name": "new" })).await.created();
        let not_yet_looked_up = owner.with_key(&made.text_of("key"));
        from(&not_yet_looked_up, "2001:db8:0:1::7", "/auth/me").await.ok();
        from(&owner, "2001:db8:0:1::7", "/auth/me").await.ok();
        let health = nobody.request("GET", &app.url("/health")).header("x-forwarded-for", "2001:db8:0:1::7");
        health.send().await.ok();
    }
);

both!(exactly_the_limit_passes_on_three_nodes, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let nodes = three_nodes(&app, &redis.url()).await;
    let clients = |key: &Client| nodes.each_ref().map(|node| node.bearer(key.token()));
    for limit in [1, 7, 100] {
        let key = app.key_with(limited(limit)).await;
        let passed = passing(&clients(&key), "/auth/me", 150).await;
        assert_eq!(passed as i64, limit, "all at once, everywhere");
        assert_eq!(passing(&clients(&key), "/auth/me", 9).await, 0);
        let refused = clients(&key)[1].get("/auth/me").await.error(429, "RATE_LIMITED");
        assert!((1..=62).contains(&header(&refused, "retry-after")));
    }
    // One node after the other, so that what one of them holds and does not need has to come back.
    let key = app.key_with(limited(200)).await;
    let [first, second, third] = clients(&key);
    assert_eq!(passing(std::slice::from_ref(&first), "/auth/me", 90).await, 90);
    let answer = first.get("/auth/me").await.ok();
    assert_eq!(header(&answer, "ratelimit-remaining"), 109);
    assert_eq!(passing(&[second], "/auth/me", 90).await, 90);
    assert_eq!(passing(&[third], "/auth/me", 90).await, 19);
    assert_eq!(passing(&[first], "/auth/me", 9).await, 0);
});

both!(who_hangs_up_takes_no_permits_along, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (proxy, url) = Proxy::before_url(&redis.url()).await;
    let (here, there) = (node_on(&app, &url).await, node_on(&app, &redis.url()).await);
    let key = app.key_with(limited(40)).await;
    let who = Who::Key(key.id.expect("a key has an id"));
    proxy.set(Network::Slow(Duration::from_millis(200)));
    let mut passed = 0;
    for _ in 0..10 {
        // Long enough to ask, too short for the answer.
        let asked = tokio::time::timeout(Duration::from_millis(50), here.app().limits().pass(who, 40)).await;
        passed += usize::from(asked.is_ok_and(|verdict| verdict.is_ok()));
    }
    proxy.set(Network::Works);
    let clients = [here.bearer(key.token()), there.bearer(key.token())];
    passed += passing(&clients, "/auth/me", 150).await;
    assert_eq!(passed, 40);
});

both!(a_clock_that_is_set_back_stops_nobody, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let node = node_on(&app, &redis.url()).await;
    let key = node.bearer(app.key_with(limited(5)).await.token());
    key.get("/auth/me").await.ok();
    node.clock().advance(TimeDelta::seconds(-40));
    let passed = tokio::time::timeout(Duration::from_secs(30), passing(&[key], "/auth/me", 12)).await;
    assert_eq!(passed, Ok(4));
});

both!(without_redis_nobody_is_refused_or_waits, |app| async move {
    if !has_redis() {
        return;
    }
    let redis = RedisServer::start().await;
    let (proxy, url) = Proxy::before_url(&redis.url()).await;
    let options = app.options().set("redis", url).set("resilience.redis_patience", "20ms");
    let node = app.node_with(options).await;
    let key = node.bearer(app.key_with(limited(1000)).await.token());
    key.get("/auth/me").await.ok();
    for network in [Network::Hangs, Network::Slow(Duration::from_millis(600)), Network::Cut] {
        proxy.set(network);
        let began = Instant::now();
        for _ in 0..100 {
            let answer = key.get("/auth/me").await.ok();
            assert_eq!(header(&answer, "ratelimit-limit"), 1000);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{network:?}: {:?}", began.elapsed());
    }
    // On its own a node still knows what it has let through.
    let tight = node.bearer(app.key_with(limited(5)).await.token());
    assert_eq!(passing(std::slice::from_ref(&tight), "/auth/me", 12).await, 5);
    proxy.set(Network::Works);
    node.until("Redis is back", || async {
        app.nobody().get(&node.url("/ready")).await.json["checks"]["redis"] == "ok"
    })
    .await;
    assert_eq!(passing(&[tight], "/auth/me", 3).await, 0, "and tells the others later");
});
