//! Preview links: what they show, to whom, and when they end.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Client, TestApp, both};

use crate::support::{Unchanged, last_event, made, put, text};

/// Makes a link and returns `data`; the token must turn up nowhere.
async fn share(app: &TestApp, client: &Client, slug: &str, body: Value) -> Value {
    let made = client.post(&format!("/prompts/{slug}/preview-links"), body).await.created();
    app.keep_secret(&made.text_of("token"));
    made.data().clone()
}

fn path(link: &Value) -> String {
    format!("/preview-links/{}", link["token"].as_str().expect("a token"))
}

both!(a_version_is_shown_and_nothing_around_it, |app| async move {
    let owner = app.owner().await;
    text(&owner, "snippet", "Dear").await;
    let body = json!({
        "title": "Letter", "slug": "letter", "content": "{% include \"snippet\" %} {{ name }}, you owe {{ sum }}.{% if x %}!{% endif %}",
        "variables": [{ "name": "sum", "type": "number", "sample": 7 }, { "name": "name", "default": "Ana" }],
        "config": { "model": "secret-model" }, "metadata": { "owner": "finance" }, "tags": ["internal"],
    });
    let prompt = made(&owner, body).await;
    app.new_events().await;
    let link = share(&app, &owner, "letter", json!({ "note": " Please look ", "expires_in_days": 3 })).await;
    assert_eq!(app.new_events().await, ["preview_link.created"]);
    let event = last_event(&app).await;
    assert_eq!(
        (event.revision, event.resource_name.as_deref()),
        (None, Some("letter")),
        "delivery does not care"
    );
    assert_eq!(event.after.unwrap()["version"], 1);
    let token = link["token"].as_str().unwrap();
    assert!(link["url"].as_str().unwrap().ends_with(&format!("/preview#token={token}")), "{link}");
    assert_eq!(
        (&link["version"], &link["draft"], &link["note"]),
        (&json!(1), &json!(false), &json!("Please look"))
    );

    let shown = app.nobody().get(&path(&link)).await.ok();
    assert_eq!(shown.header("x-robots-tag"), Some("noindex, nofollow"));
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let data = shown.data();
    assert_eq!(
        (&data["title"], &data["type"], &data["syntax"], &data["version"]),
        (&json!("Letter"), &json!("text"), &json!("jinja"), &json!(1))
    );
    assert_eq!(data["content"], "Dear {{ name }}, you owe {{ sum }}.{% if x %}!{% endif %}");
    assert_eq!(data["sample"], json!({ "content": "Dear Ana, you owe 7.", "missing": ["x"] }));
    assert_eq!((&data["shared_by"], &data["note"]), (&json!("Test Person"), &json!("Please look")));
    let names: Vec<&str> =
        data["variables"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names.len(), 3, "{data}");
    let workspace = app.workspace().to_string();
    let owner_id = owner.id.unwrap().to_string();
    for hidden in [
        prompt["id"].as_str().unwrap(),
        &owner_id,
        &workspace,
        "secret-model",
        "finance",
        "internal",
        "snippet",
        "letter",
        "acme",
        "@example.com",
    ] {
        assert!(!shown.text.contains(hidden), "{hidden} shows: {}", shown.text);
    }
    // Sent twice it is one link, and its address is not told again.
    let again = || {
        let request = owner.request("POST", "/prompts/letter/preview-links").header("idempotency-key", "k");
        request.json(json!({})).send()
    };
    let first = again().await.created();
    app.keep_secret(&first.text_of("token"));
    let second = again().await.created();
    assert_eq!(second.data()["id"], first.data()["id"]);
    assert!(!second.text.contains("xr2p_"), "{}", second.text);
    // A newer version does not change what was shared.
    put(&owner, "letter", json!({ "content": "Rewritten", "syntax": "simple" })).await;
    assert_eq!(app.nobody().get(&path(&link)).await.ok().data()["version"], 1);
});

both!(a_draft_is_shown_as_it_stands, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    owner
        .post("/prompts/a/preview-links", json!({ "draft": true }))
        .await
        .error(404, "NOT_FOUND")
        .says("draft");
    owner.put("/prompts/a/draft", json!({ "content": "two" })).await.ok();
    let link = share(&app, &owner, "a", json!({ "draft": true })).await;
    assert_eq!((&link["version"], &link["draft"]), (&Value::Null, &json!(true)));
    assert_eq!(app.nobody().get(&path(&link)).await.ok().data()["content"], "two");
    owner.put("/prompts/a/draft", json!({ "content": "{% if", "syntax": "jinja", "revision": 1 })).await.ok();
    let broken = app.nobody().get(&path(&link)).await.ok();
    assert_eq!((&broken.data()["content"], &broken.data()["sample"]), (&json!("{% if"), &Value::Null));
    owner.delete("/prompts/a/draft?revision=2").await.ok();
    app.nobody().get(&path(&link)).await.error(404, "NOT_FOUND");
});

both!(chats_are_shown_as_messages, |app| async move {
    let owner = app.owner().await;
    let messages =
        json!([{ "role": "system", "content": "Be {{ mood }}." }, { "role": "user", "content": "Hi" }]);
    made(&owner, json!({ "title": "Chat", "slug": "chat", "messages": messages })).await;
    let link = share(&app, &owner, "chat", json!({ "version": 1 })).await;
    let data = app.nobody().get(&path(&link)).await.ok().data().clone();
    assert_eq!((&data["messages"], &data["type"]), (&messages, &json!("chat")));
    assert_eq!(data["sample"]["missing"], json!(["mood"]));
    assert!(data.get("content").is_none());
});

both!(links_end, |app| async move {
    let owner = app.owner().await;
    let nobody = app.nobody();
    text(&owner, "a", "x").await;
    // Expired.
    let link = share(&app, &owner, "a", json!({ "expires_in_days": 1 })).await;
    app.clock().advance(TimeDelta::hours(23));
    nobody.get(&path(&link)).await.ok();
    app.clock().advance(TimeDelta::hours(2));
    let gone = nobody.get(&path(&link)).await.error(404, "NOT_FOUND");
    let listed = owner.get("/prompts/a/preview-links").await.ok();
    assert_eq!(listed.data()[0]["expired"], true);
    // Revoked.
    let link = share(&app, &owner, "a", json!({})).await;
    nobody.get(&path(&link)).await.ok();
    let one = format!("/prompts/a/preview-links/{}", link["id"].as_str().unwrap());
    app.new_events().await;
    owner.delete(&one).await.ok();
    assert_eq!(app.new_events().await, ["preview_link.revoked"]);
    let revoked = nobody.get(&path(&link)).await.error(404, "NOT_FOUND");
    assert_eq!((revoked.message(), revoked.details()), (gone.message(), gone.details()), "nobody learns why");
    let unknown = nobody.get("/preview-links/xr2p_unknown").await.error(404, "NOT_FOUND");
    assert_eq!(unknown.message(), gone.message());
    let unchanged = Unchanged::since(&app).await;
    owner.delete(&one).await.error(404, "NOT_FOUND");
    owner.delete("/prompts/a/preview-links/none").await.error(404, "NOT_FOUND").says("preview link");
    unchanged.check().await;
    assert_eq!(owner.get("/prompts/a/preview-links").await.ok().data().as_array().unwrap().len(), 1);
    // In the bin, and back.
    let link = share(&app, &owner, "a", json!({})).await;
    owner.delete("/prompts/a").await.ok();
    nobody.get(&path(&link)).await.error(404, "NOT_FOUND");
    owner.post("/prompts/a/undelete", json!({})).await.ok();
    nobody.get(&path(&link)).await.ok();
    // Its maker leaves.
    let editor = app.member(Role::Editor).await;
    let theirs = share(&app, &editor, "a", json!({})).await;
    nobody.get(&path(&theirs)).await.ok();
    app.set_role(editor.id.unwrap(), None).await;
    nobody.get(&path(&theirs)).await.error(404, "NOT_FOUND");
    // Gone for good.
    owner.delete("/prompts/a").await.ok();
    owner.delete("/prompts/a?permanent=true").await.ok();
    nobody.get(&path(&link)).await.error(404, "NOT_FOUND");
});

both!(who_may_share, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let (viewer, editor) = (app.member(Role::Viewer).await, app.member(Role::Editor).await);
    let unchanged = Unchanged::since(&app).await;
    viewer.post("/prompts/a/preview-links", json!({})).await.error(403, "FORBIDDEN");
    app.key(&[Scope::Read]).await.post("/prompts/a/preview-links", json!({})).await.error(403, "FORBIDDEN");
    let canary = app.canary().prompt;
    owner.post(&format!("/prompts/{canary}/preview-links"), json!({})).await.error(404, "NOT_FOUND");
    owner
        .post("/prompts/a/preview-links", json!({ "version": 1, "draft": true }))
        .await
        .wrong_fields(&["version"]);
    owner
        .post("/prompts/a/preview-links", json!({ "version": 9 }))
        .await
        .error(404, "NOT_FOUND")
        .says("version 9");
    for days in [0, 366, -1] {
        owner
            .post("/prompts/a/preview-links", json!({ "expires_in_days": days }))
            .await
            .wrong_fields(&["expires_in_days"]);
    }
    unchanged.check().await;
    let link = share(&app, &editor, "a", json!({})).await;
    assert_eq!(viewer.get("/prompts/a/preview-links").await.ok().data()[0]["id"], link["id"]);
    assert!(
        !viewer.get("/prompts/a/preview-links").await.ok().text.contains("xr2p_"),
        "the token is shown once"
    );
    // The link of one prompt is none of another's.
    text(&owner, "b", "x").await;
    let elsewhere = format!("/prompts/b/preview-links/{}", link["id"].as_str().unwrap());
    owner.delete(&elsewhere).await.error(404, "NOT_FOUND");
    app.nobody().get(&path(&link)).await.ok();
    assert!(!app.log().contains(link["token"].as_str().unwrap()));
});
