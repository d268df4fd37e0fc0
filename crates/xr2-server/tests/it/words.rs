//! Tags and categories: which there are, and changing one in all prompts.

use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, both};

use crate::support::{Unchanged, check_revisions, delivered, details, last_event, made};

async fn words(client: &Client, path: &str) -> Value {
    let list = client.get(path).await.ok().data().clone();
    let pair = |word: &Value| (word["name"].as_str().unwrap().to_owned(), word["prompts"].clone());
    list.as_array().unwrap().iter().map(pair).collect::<serde_json::Map<_, _>>().into()
}

async fn tagged(client: &Client, slug: &str, tags: &[&str]) {
    made(
        client,
        json!({ "title": slug, "slug": slug, "content": "x", "tags": tags, "category": tags.first() }),
    )
    .await;
}

both!(a_tag_is_renamed_everywhere, |app| async move {
    let owner = app.owner().await;
    tagged(&owner, "a", &["old", "other"]).await;
    tagged(&owner, "b", &["first", "old", "new"]).await;
    tagged(&owner, "c", &["OLD"]).await;
    tagged(&owner, "archived", &["old"]).await;
    tagged(&owner, "binned", &["old"]).await;
    owner.post("/prompts/archived/archive", json!({})).await.ok();
    owner.delete("/prompts/binned").await.ok();
    assert_eq!(words(&owner, "/tags").await, json!({ "first": 1, "new": 1, "OLD": 1, "old": 3, "other": 1 }));
    let names: Vec<Value> = owner
        .get("/tags")
        .await
        .ok()
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone())
        .collect();
    assert_eq!(names, ["first", "new", "OLD", "old", "other"]);
    app.new_events().await;
    let revision = app.revision().await;

    let done = owner.put("/tags/old", json!({ "name": " new " })).await.ok();
    assert_eq!(done.data(), &json!({ "name": "new", "changed": 4 }));
    assert_eq!(app.new_events().await, ["prompt.updated"; 4]);
    assert_eq!(app.revision().await, revision + 1, "few prompts are one change");
    for (slug, tags) in [
        ("a", vec!["new", "other"]),
        ("b", vec!["first", "new"]),
        ("c", vec!["OLD"]),
        ("archived", vec!["new"]),
        ("binned", vec!["new"]),
    ] {
        assert_eq!(details(&owner, slug).await["tags"], json!(tags), "{slug}");
    }
    assert_eq!(words(&owner, "/tags").await, json!({ "first": 1, "new": 3, "OLD": 1, "other": 1 }));
    let event = last_event(&app).await;
    assert_eq!(
        (&event.before.unwrap()["tags"], &event.after.clone().unwrap()["tags"]),
        (&json!(["old"]), &json!(["new"]))
    );
    assert_eq!(event.after.unwrap()["labels"], json!({ "production": 1, "latest": 1 }));
    // Delivery and lists know at once.
    let key = app.key(&[Scope::Deliver]).await;
    assert_eq!(key.get("/prompts/a").await.ok().data()["tags"], json!(["new", "other"]));
    let listed = owner.get("/prompts?tag=new").await.ok();
    assert_eq!(
        (listed.data().as_array().unwrap().len(), owner.get("/prompts?tag=old").await.ok().data()),
        (2, &json!([]))
    );
    assert_eq!(owner.get("/prompts?search=old&archived=all").await.ok().data().as_array().unwrap().len(), 1);
    check_revisions(&app).await;
});

both!(delivery_sees_a_renamed_tag, |app| async move {
    let owner = app.owner().await;
    tagged(&owner, "a", &["x"]).await;
    let key = app.key(&[Scope::Deliver]).await;
    let warm = key.get("/prompts/a").await.ok();
    assert_eq!(warm.data()["tags"], json!(["x"]));
    owner.put("/tags/x", json!({ "name": "y/z %" })).await.ok();
    let after = key.get("/prompts/a").await.ok();
    assert_eq!(after.data()["tags"], json!(["y/z %"]));
    assert_ne!(after.header("etag"), warm.header("etag"));
    // Whatever stands in a tag, it can be named in a path.
    owner.delete("/tags/y%2Fz%20%25").await.ok();
    assert_eq!(key.get("/prompts/a").await.ok().data()["tags"], json!([]));
    assert_eq!(words(&owner, "/tags").await, json!({}));
    assert_eq!(delivered(&key, "a").await, "x");
});

both!(a_category_is_renamed_everywhere, |app| async move {
    let owner = app.owner().await;
    for (slug, category) in [("a", "one"), ("b", "one"), ("c", "two"), ("d", "one")] {
        tagged(&owner, slug, &[category]).await;
    }
    owner.delete("/prompts/d").await.ok();
    assert_eq!(words(&owner, "/categories").await, json!({ "one": 2, "two": 1 }));
    app.new_events().await;
    assert_eq!(
        owner.put("/categories/one", json!({ "name": "two" })).await.ok().data(),
        &json!({ "name": "two", "changed": 3 })
    );
    assert_eq!(app.new_events().await, ["prompt.edited"; 3]);
    assert_eq!(words(&owner, "/categories").await, json!({ "two": 3 }));
    assert_eq!(details(&owner, "d").await["category"], "two");
    assert_eq!(owner.delete("/categories/two").await.ok().data(), &json!({ "name": null, "changed": 4 }));
    assert_eq!(words(&owner, "/categories").await, json!({}));
    assert_eq!(details(&owner, "a").await["category"], json!(null));
    assert_eq!(words(&owner, "/tags").await, json!({ "one": 2, "two": 1 }), "tags are something else");
    let facets = owner.get("/facets").await.ok().data().clone();
    assert_eq!(facets["tags"][0], json!({ "name": "one", "prompts": 2 }));
    check_revisions(&app).await;
});

both!(more_prompts_than_one_turn_takes, |app| async move {
    let owner = app.owner().await;
    for n in 0..130 {
        made(&owner, json!({ "title": "T", "slug": format!("p{n}"), "content": "x", "tags": ["many"], "publish": false })).await;
    }
    let revision = app.revision().await;
    assert_eq!(owner.put("/tags/many", json!({ "name": "all" })).await.ok().data()["changed"], 130);
    assert!(app.revision().await >= revision + 2, "others get their turn in between");
    assert_eq!(words(&owner, "/tags").await, json!({ "all": 130 }));
    // Two who rename against each other come to an end, and every prompt has one of the two.
    let (one, other) = tokio::join!(
        owner.put("/tags/all", json!({ "name": "some" })),
        owner.put("/tags/some", json!({ "name": "all" })),
    );
    one.ok();
    assert!(matches!(other.status, 200 | 404), "{}", other.text);
    let left = words(&owner, "/tags").await;
    let sum: i64 = left.as_object().unwrap().values().filter_map(Value::as_i64).sum();
    assert_eq!(sum, 130, "{left}");
    check_revisions(&app).await;
});

both!(what_cannot_be_renamed, |app| async move {
    let owner = app.owner().await;
    tagged(&owner, "a", &["t"]).await;
    let unchanged = Unchanged::since(&app).await;
    owner
        .put("/tags/none", json!({ "name": "x" }))
        .await
        .error(404, "NOT_FOUND")
        .says("tag \"none\" not found");
    owner.put("/categories/none", json!({ "name": "x" })).await.error(404, "NOT_FOUND").says("category");
    owner.delete("/tags/none").await.error(404, "NOT_FOUND");
    for word in ["CANARY-tag", "T"] {
        owner.delete(&format!("/tags/{word}")).await.error(404, "NOT_FOUND");
    }
    owner.delete("/categories/CANARY%20category").await.error(404, "NOT_FOUND");
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({ "name": " " }), vec!["name"]),
        (json!({ "name": "x".repeat(101), "color": 1 }), vec!["name", "color"]),
    ] {
        owner.put("/tags/t", body.clone()).await.wrong_fields(&fields);
        owner.put("/categories/t", body).await.wrong_fields(&fields);
    }
    owner.put("/tags/t", json!({ "name": "x".repeat(51) })).await.wrong_fields(&["name"]);
    assert_eq!(owner.put("/tags/t", json!({ "name": "t" })).await.ok().data()["changed"], 0);
    let viewer = app.member(Role::Viewer).await;
    viewer.put("/tags/t", json!({ "name": "x" })).await.error(403, "FORBIDDEN");
    viewer.delete("/categories/t").await.error(403, "FORBIDDEN");
    unchanged.check().await;
    assert_eq!(words(&viewer, "/tags").await, json!({ "t": 1 }));
});
