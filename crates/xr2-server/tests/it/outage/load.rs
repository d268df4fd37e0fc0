//! Warm prompts are delivered at any time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use xr2_testkit::{Network, Options, both};

use super::{Load, people, ready, text, until_ready};

/// A server that soon notices that the database hangs.
pub(super) fn impatient() -> Options {
    let options = Options::new().with_faults();
    options.set("resilience.acquire_timeout", "4s").set("resilience.statement_timeout", "4s")
}

both!(no_warm_delivery_fails_whatever_the_database_does, impatient(), |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "target", "0").await;
    key.get("/prompts/target").await.ok();
    let load = Load::begin(&owner, &key).await;
    load.goes_on(&app, 200).await;
    let mut saved = 0;
    let mut uncertain = 0;
    for (round, networks) in [
        [Network::Cut, Network::Hangs, Network::Slow(Duration::from_millis(200))],
        [Network::Cut, Network::Slow(Duration::from_secs(2)), Network::Cut],
    ]
    .into_iter()
    .enumerate()
    {
        for network in networks {
            app.database_network(network).await;
            for _ in 0..4 {
                let body = json!({ "content": format!("{round} {network:?} {saved} {uncertain}") });
                let answer = owner.put("/prompts/target", body).await;
                match answer.status {
                    200 => saved += 1,
                    _ if answer.message().contains("not certain") => uncertain += 1,
                    _ => {
                        let refused = answer.error(503, "UNAVAILABLE").says("Nothing was changed");
                        assert!(refused.header("retry-after").is_some_and(|wait| wait != "0"));
                    }
                }
            }
            load.goes_on(&app, 300).await;
            assert_ne!(ready(&app).await.ok().json["checks"]["delivery"], "unavailable");
            app.database_network(Network::Works).await;
            until_ready(&app, "ready").await;
        }
    }
    let path = "/prompts/target/details";
    let attempts = AtomicI64::new(-1);
    app.until("writes work again", || async {
        attempts.fetch_add(1, Ordering::Relaxed);
        owner.put("/prompts/target", json!({ "content": "the last" })).await.status == 200
    })
    .await;
    uncertain += attempts.into_inner();
    let versions = owner.get(path).await.ok().data()["latest_version"].as_i64().expect("a number");
    let least = saved + 2;
    assert!(
        (least..=least + uncertain).contains(&versions),
        "{versions} versions, {saved} saved, {uncertain} uncertain"
    );
    assert_eq!(key.get("/prompts/target").await.ok().text_of("content"), "the last");
    let total = load.end().await;
    assert!(total >= 2000, "{total}");
});

both!(whoever_needs_the_database_is_refused_at_once, Options::new().with_faults(), |app| async move {
    let (owner, key) = people(&app).await;
    let load = Load::begin(&owner, &key).await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    app.until("deliveries say that they are stale", || async { load.marked_stale() > 0 }).await;
    app.until("refusals are quick", || async {
        let began = Instant::now();
        let write = owner.post("/prompts", json!({ "title": "T", "content": "x" })).await;
        write.error(503, "UNAVAILABLE");
        began.elapsed() < Duration::from_millis(100)
    })
    .await;
    let answer = ready(&app).await.ok();
    assert_eq!(answer.json["checks"]["database"], "unavailable");
    assert_eq!(answer.json["checks"]["delivery"], "stale");
    assert!(answer.json["checks"]["stale_seconds"].as_u64().is_some_and(|seconds| seconds >= 1));
    // What nobody asked for before was never in memory, but it was kept.
    key.get("/prompts/nowhere").await.error(503, "UNAVAILABLE");
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    app.until("nothing is stale any more", || async {
        key.get("/prompts/p1?name=Ana").await.ok().header("x-xr2-stale").is_none()
    })
    .await;
    key.get("/prompts/nowhere").await.error(404, "NOT_FOUND");
    load.end().await;
});

both!(what_is_used_is_noted_after_the_outage, Options::new().with_faults(), |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    key.get("/prompts/p").await.ok();
    let id = key.id.expect("an id");
    let last_used = async || {
        let keys = owner.get("/api-keys").await.ok();
        let mine =
            keys.data().as_array().into_iter().flatten().find(|one| one["id"] == id.to_string()).cloned();
        mine.and_then(|key| Some(key["last_used_at"].as_str()?.to_owned()))
    };
    app.until("the first use is noted", || async { last_used().await.is_some() }).await;
    let before = last_used().await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    // Times are noted once a second.
    app.clock().advance(TimeDelta::seconds(1));
    key.get("/prompts/p").await.ok();
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    app.until("the use during the outage is noted", || async { last_used().await > before }).await;
});
