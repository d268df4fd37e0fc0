//! Nothing old is delivered once a change has been acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use futures::future::join_all;
use serde_json::json;
use xr2_server::auth::Scope;
use xr2_testkit::both;

use super::{content, people, prompt, publish, revision, text};

both!(no_fetch_that_begins_after_a_publish_sees_the_old_text, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "0 {{ a }}").await;
    prompt(&owner, json!({ "title": "M", "slug": "m", "content": "{% include \"p\" %}", "syntax": "jinja" }))
        .await;
    let acknowledged = Arc::new(AtomicI64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let fetchers = (0..50).map(|n| {
        let (key, acknowledged, done) = (key.clone(), acknowledged.clone(), done.clone());
        tokio::spawn(async move {
            let path = if n % 5 == 0 { "/prompts/m?a=x" } else { "/prompts/p?a=x" };
            let (mut newest, mut fetches) = (0, 0);
            while !done.load(Ordering::SeqCst) || fetches == 0 {
                let at_least = acknowledged.load(Ordering::SeqCst);
                let answer = key.get(path).await.ok();
                let seen: i64 =
                    content(&answer).split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
                assert!(seen >= at_least, "{path}: saw {seen} though {at_least} was acknowledged");
                let revision = revision(&answer);
                assert!(revision >= newest, "the revision went back from {newest} to {revision}");
                newest = revision;
                fetches += 1;
            }
            fetches
        })
    });
    let fetchers: Vec<_> = fetchers.collect();
    for number in 1..=30 {
        publish(&owner, "p", &format!("{number} {{{{ a }}}}")).await;
        acknowledged.store(number, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for fetcher in fetchers {
        assert!(fetcher.await.expect("no fetch failed") > 0);
    }
    assert_eq!(content(&key.get("/prompts/p?a=x").await.ok()), "30 x");
});

both!(a_hundred_at_once, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "Hello {{ name }}").await;
    let fetches = (0..100).map(|n| {
        let key = key.clone();
        async move { (n, key.get(&format!("/prompts/p?name=user{n}")).await) }
    });
    for (n, answer) in join_all(fetches).await {
        assert_eq!(content(&answer.ok()), format!("Hello user{n}"));
    }
    let missing = (0..100).map(|_| key.get("/prompts/nope"));
    for answer in join_all(missing).await {
        answer.error(404, "NOT_FOUND");
    }
});

both!(another_process_is_followed, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let second = app.second_node().await;
    let writer = second.bearer(&app.session_of(owner.id.expect("an id")).await);
    let reader = second.key(&[Scope::Deliver]).await;
    for node_key in [&key, &reader] {
        assert_eq!(content(&node_key.get("/prompts/p").await.ok()), "one");
        node_key.get("/prompts/q").await.error(404, "NOT_FOUND");
    }
    publish(&writer, "p", "two").await;
    assert_eq!(content(&reader.get("/prompts/p").await.ok()), "two", "the node that wrote it has it at once");
    let key = &key;
    app.until("the first node follows", || async { content(&key.get("/prompts/p").await.ok()) == "two" })
        .await;
    text(&writer, "q", "new").await;
    app.until("what was not there is found", || async { key.get("/prompts/q").await.status == 200 }).await;
    writer.delete("/prompts/q?force=true").await.ok();
    app.until("what went is gone", || async { key.get("/prompts/q").await.status == 404 }).await;
});

both!(a_client_can_demand_a_revision, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let second = app.second_node().await;
    let reader = second.key(&[Scope::Deliver]).await;
    reader.get("/prompts/p").await.ok();
    for number in 0..5 {
        publish(&owner, "p", &format!("text {number}")).await;
        let wanted = app.revision().await;
        for node_key in [&reader, &key] {
            let request =
                node_key.request("GET", "/prompts/p").header("x-xr2-min-revision", &wanted.to_string());
            let answer = request.send().await.ok();
            assert_eq!(content(&answer), format!("text {number}"));
            assert!(revision(&answer) >= wanted);
        }
    }
    let far = app.revision().await + 1000;
    let waited = std::time::Instant::now();
    let request = key.request("GET", "/prompts/p").header("x-xr2-min-revision", &far.to_string());
    let refused = request.send().await.error(503, "UNAVAILABLE").says("revision");
    assert!(refused.header("retry-after").is_some());
    assert!(waited.elapsed() >= std::time::Duration::from_millis(1900));
    // And nothing was made believe by it.
    publish(&owner, "p", "last").await;
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "last");
    let request = key.request("GET", "/prompts/p").header("x-xr2-min-revision", "0");
    request.send().await.ok();
});

both!(a_change_says_which_revision_it_made, |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "p", "one").await;
    let second = app.second_node().await;
    let reader = second.key(&[Scope::Deliver]).await;
    reader.get("/prompts/p").await.ok();
    let changed = owner.put("/prompts/p", json!({ "content": "two" })).await.ok();
    let made = changed.header("x-xr2-revision").expect("the revision").to_owned();
    assert_eq!(made.parse(), Ok(app.revision().await));
    let answer = reader.request("GET", "/prompts/p").header("x-xr2-min-revision", &made).send().await.ok();
    assert_eq!(content(&answer), "two");
    let draft = owner.put("/prompts/p/draft", json!({ "content": "three" })).await.ok();
    assert_eq!(draft.header("x-xr2-revision"), None, "nothing that is delivered has changed");
});

both!(a_key_that_is_revoked_is_refused_at_once, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let answer = key.get("/prompts/p").await.ok();
    let id = key.id.expect("an id");
    owner.delete(&format!("/api-keys/{id}")).await.ok();
    let request =
        key.request("GET", "/prompts/p").header("if-none-match", answer.header("etag").unwrap_or("*"));
    request.send().await.error(401, "UNAUTHENTICATED");
});

both!(
    small_memory_delivers_all_the_same,
    xr2_testkit::Options::new().set("limits.cache_bytes", 20_000),
    |app| async move {
        let (owner, key) = people(&app).await;
        for n in 0..40 {
            text(&owner, &format!("p{n}"), &format!("{n} {}", "x".repeat(2000))).await;
        }
        for round in 0..2 {
            for n in 0..40 {
                let answer = key.get(&format!("/prompts/p{n}")).await.ok();
                assert!(content(&answer).starts_with(&format!("{n} ")), "round {round}");
            }
        }
        let (_, bytes) = app.app().prompt_cache().size();
        assert!(bytes <= 20_000, "{bytes}");
    }
);
