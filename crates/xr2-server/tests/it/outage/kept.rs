//! What is kept is delivered in every form, and says how old it is.

use serde_json::json;
use xr2_testkit::{Answer, Client, Network, Options, both};

use super::restart::make_prompts;
use super::{people, text, until_kept, until_ready};
use crate::delivery::stream::Listener;

fn revision(answer: &Answer) -> Option<i64> {
    answer.header("x-xr2-revision")?.parse().ok()
}

fn is_stale(answer: &Answer) -> bool {
    answer.header("x-xr2-stale").is_some_and(|seconds| seconds != "0")
}

/// Asks for something no older than `revision`.
async fn no_older(client: &Client, method: &str, path: &str, revision: i64) -> Answer {
    let mut request = client.request(method, path).header("x-xr2-min-revision", &revision.to_string());
    if method == "POST" {
        request = request.json(json!({ "slugs": ["p", "other"] }));
    }
    request.send().await
}

both!(bundles_and_streams_need_no_database_to_begin, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    make_prompts(&owner).await;
    let paths = ["/bundle", "/bundle?label=latest", "/bundle?label=staging&slugs=simple", "/bundle?limit=2"];
    let mut before = Vec::new();
    for path in paths {
        before.push(shop.get(path).await.ok());
    }
    until_kept(&app).await;
    app.database_network(Network::Cut).await;
    // Also before this node has noticed: what the database did not confirm just now may be older than it is.
    assert!(is_stale(&shop.get("/bundle?label=canary").await.ok()));
    until_ready(&app, "degraded").await;

    let node = app.second_node().await;
    let there = node.bearer(shop.token());
    for (path, before) in paths.iter().zip(&before) {
        let answer = there.get(path).await.ok();
        assert_eq!(answer.text, before.text, "{path}");
        assert_eq!(answer.header("etag"), before.header("etag"));
        assert_eq!(revision(&answer), revision(before));
        assert!(is_stale(&answer), "{:?}", answer.headers);
        let tag = before.header("etag").expect("a tag");
        assert!(is_stale(&there.request("GET", path).header("if-none-match", tag).send().await.status(304)));
    }
    let next = before[3].json["meta"]["next_cursor"].as_str().expect("more").to_owned();
    let page = there.get(&format!("/bundle?limit=2&cursor={next}")).await.ok();
    assert_eq!(page.data(), shop.get(&format!("/bundle?limit=2&cursor={next}")).await.ok().data());
    let present = revision(&before[0]).expect("a revision");
    no_older(&there, "GET", "/bundle", present).await.ok();
    no_older(&there, "GET", "/bundle", present + 1).await.error(503, "UNAVAILABLE");
    let several = there.post("/prompts/batch", json!({ "slugs": ["simple", "with-snippets"] })).await.ok();
    assert_eq!(several.data()["errors"], json!({}));
    assert!(is_stale(&several) && revision(&several) == Some(present));

    let mut listener = Listener::open(&there, "?label=production").await;
    let (event, id, hello) = listener.next().await.expect("a greeting");
    assert_eq!((event.as_str(), id, hello["revision"].as_i64()), ("hello", Some(present), Some(present)));
    assert_eq!(hello["stale"], true, "there may be later revisions that it knows nothing of");
    app.database_network(Network::Works).await;
    until_ready(&node, "ready").await;
    app.until("writes work again", || async {
        owner.put("/prompts/simple", json!({ "content": "Welcome {{ name }}" })).await.status == 200
    })
    .await;
    loop {
        let (event, _, data) = listener.next().await.expect("the stream goes on");
        if event == "put" && data["prompt"]["content"] == "Welcome {{ name }}" {
            break;
        }
    }
    let answer = there.get("/bundle").await.ok();
    assert!(answer.header("x-xr2-stale").is_none() && revision(&answer) > Some(present));
    let (_, _, hello) = Listener::open(&there, "").await.next().await.expect("a greeting");
    assert!(hello["revision"].as_i64() > Some(present) && hello.get("stale").is_none(), "{hello}");
});

both!(what_is_older_than_was_known_says_so, Options::new().with_faults(), |app| async move {
    let (owner, shop) = people(&app).await;
    text(&owner, "p", "old").await;
    text(&owner, "other", "untouched").await;
    until_kept(&app).await;
    let before = app.revision().await;
    assert_eq!(revision(&shop.get("/bundle").await.ok()), Some(before));
    let prompts = app.directory().join("frozen").join(format!("{}.prompts", app.workspace()));
    let old = std::fs::read(&prompts).expect("the prompts are kept");
    owner.put("/prompts/p", json!({ "content": "new" })).await.ok();
    until_kept(&app).await;
    let present = app.revision().await;
    app.database_network(Network::Cut).await;
    until_ready(&app, "degraded").await;
    // As if the change had not been kept in time.
    std::fs::write(&prompts, old).expect("the file from before is put back");

    let answer = shop.get("/prompts/p").await.ok();
    assert_eq!((answer.text_of("content").as_str(), revision(&answer)), ("old", Some(before)));
    assert!(is_stale(&answer));
    no_older(&shop, "GET", "/prompts/p", before).await.ok();
    no_older(&shop, "GET", "/prompts/p", present).await.error(503, "UNAVAILABLE").says("has not reached");
    // Nothing has happened to it since.
    assert_eq!(revision(&no_older(&shop, "GET", "/prompts/other", present).await.ok()), Some(present));

    let several = no_older(&shop, "POST", "/prompts/batch", present).await.ok();
    assert_eq!(several.data()["errors"]["p"]["code"], "UNAVAILABLE");
    assert_eq!(several.data()["prompts"]["other"]["content"], "untouched");
    assert_eq!(revision(&several), Some(present));
    let several = no_older(&shop, "POST", "/prompts/batch", before).await.ok();
    assert_eq!((several.data()["errors"].clone(), revision(&several)), (json!({}), Some(before)));

    let bundle = shop.get("/bundle").await.ok();
    assert_eq!((revision(&bundle), is_stale(&bundle)), (Some(before), true));
    no_older(&shop, "GET", "/bundle", present).await.error(503, "UNAVAILABLE").says("has not reached");
    app.database_network(Network::Works).await;
    until_ready(&app, "ready").await;
    for (method, path) in [("GET", "/prompts/p"), ("GET", "/bundle"), ("POST", "/prompts/batch")] {
        app.until("it is of now", || async {
            let answer = no_older(&shop, method, path, present).await;
            answer.status == 200
                && answer.header("x-xr2-stale").is_none()
                && revision(&answer) >= Some(present)
        })
        .await;
    }
});
