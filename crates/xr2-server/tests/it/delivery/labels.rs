//! Keys that are confined to labels.

use serde_json::json;
use xr2_testkit::{KeyFixture, both};

use super::{content, people, publish, text};

both!(a_confined_key_sees_its_labels_only, |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "p", "one").await;
    publish(&owner, "p", "two").await;
    owner.put("/prompts/p/labels/staging", json!({ "version": 1 })).await.ok();
    let key = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    assert_eq!(content(&key.get("/prompts/p?label=staging").await.ok()), "one");
    for path in
        ["/prompts/p", "/prompts/p?label=production", "/prompts/p?label=latest", "/prompts/nope?label=x"]
    {
        key.get(path).await.error(403, "FORBIDDEN").says("staging");
    }
    key.post("/prompts/p/render", json!({})).await.error(403, "FORBIDDEN");
    // A version only while one of its labels points there.
    assert_eq!(content(&key.get("/prompts/p?version=1").await.ok()), "one");
    assert_eq!(content(&key.get("/prompts/p/versions/1").await.ok()), "one");
    for path in ["/prompts/p?version=2", "/prompts/p/versions/2", "/prompts/p?version=9"] {
        key.get(path).await.error(403, "FORBIDDEN");
    }
    owner.put("/prompts/p/labels/staging", json!({ "version": 2 })).await.ok();
    key.get("/prompts/p?version=1").await.error(403, "FORBIDDEN");
    assert_eq!(content(&key.get("/prompts/p?version=2").await.ok()), "two");
});

both!(a_label_that_is_taken_off_is_gone_at_once, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    key.get("/prompts/p").await.ok();
    owner.delete("/prompts/p/labels/production").await.ok();
    key.get("/prompts/p").await.error(404, "NOT_FOUND");
    owner.put("/prompts/p/labels/production", json!({ "version": 1 })).await.ok();
    key.get("/prompts/p").await.ok();
});
