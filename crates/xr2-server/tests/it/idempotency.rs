//! `Idempotency-Key`: what is sent twice is done once.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::{Role, Scope};
use xr2_testkit::{Answer, Client, both};

use crate::support::{Unchanged, check_revisions, delivered, details, text};

async fn post(by: &Client, path: &str, key: &str, body: Value) -> Answer {
    by.request("POST", path).header("idempotency-key", key).json(body).send().await
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

both!(a_prompt_is_made_once, |app| async move {
    let owner = app.owner().await;
    let body = json!({ "title": "Welcome", "content": "Hello {{name}}" });
    let first = post(&owner, "/prompts", "k1", body.clone()).await.created();
    assert!(!is_replayed(&first));
    assert_eq!(
        delivered(&owner, "welcome").await,
        "Hello {{name}}",
        "it is delivered when the answer is there"
    );
    let unchanged = Unchanged::since(&app).await;
    let again = post(&owner, "/prompts", "k1", body.clone()).await.created();
    assert!(is_replayed(&again));
    assert_eq!(again.text, first.text, "letter for letter");
    assert_eq!(again.header("x-xr2-revision"), first.header("x-xr2-revision"));
    assert!(first.header("x-xr2-revision").is_some());
    unchanged.check().await;
    check_revisions(&app).await;

    let other = post(&owner, "/prompts", "k2", body.clone()).await.created();
    assert_eq!(other.data()["slug"], "welcome-2");
    owner.post("/prompts", body).await.created();
});

both!(another_request_is_not_answered_with_it, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    text(&owner, "b", "x").await;
    post(&owner, "/prompts", "k", json!({ "title": "One", "content": "x" })).await.created();
    let unchanged = Unchanged::since(&app).await;
    post(&owner, "/prompts", "k", json!({ "title": "Two", "content": "x" }))
        .await
        .error(422, "IDEMPOTENCY_KEY_REUSED")
        .says("new key");
    unchanged.check().await;
    // A route has keys of its own, and the path belongs to the request.
    post(&owner, "/prompts/a/duplicate", "k", json!({})).await.created();
    let unchanged = Unchanged::since(&app).await;
    post(&owner, "/prompts/b/duplicate", "k", json!({})).await.error(422, "IDEMPOTENCY_KEY_REUSED");
    post(&owner, "/prompts/a/duplicate?x=1", "k", json!({})).await.error(422, "IDEMPOTENCY_KEY_REUSED");
    unchanged.check().await;
});

both!(a_key_belongs_to_its_caller, |app| async move {
    let owner = app.owner().await;
    let (editor, key) = (app.member(Role::Editor).await, app.key(&[Scope::Write]).await);
    let body = json!({ "title": "Mine", "content": "x" });
    for (caller, slug) in [(&owner, "mine"), (&editor, "mine-2"), (&key, "mine-3")] {
        let made = post(caller, "/prompts", "same", body.clone()).await.created();
        assert_eq!(made.data()["slug"], slug);
        assert!(is_replayed(&post(caller, "/prompts", "same", body.clone()).await.created()));
    }
    app.stranger()
        .request("POST", "/prompts")
        .header("idempotency-key", "same")
        .json(body.clone())
        .send()
        .await
        .created();

    // Whoever may not do it any more is not told what came of it.
    app.set_role(editor.id.unwrap(), Some(Role::Viewer)).await;
    post(&editor, "/prompts", "same", body.clone()).await.error(403, "FORBIDDEN");
    app.set_role(editor.id.unwrap(), None).await;
    let refused = post(&editor, "/prompts", "same", body.clone()).await;
    assert!((400..500).contains(&refused.status), "{}", refused.text);
    post(&app.nobody(), "/prompts", "same", body).await.error(401, "UNAUTHENTICATED");
});

both!(what_fails_is_not_kept, |app| async move {
    let owner = app.owner().await;
    text(&owner, "taken", "x").await;
    let unchanged = Unchanged::since(&app).await;
    post(&owner, "/prompts", "k", json!({ "title": "" })).await.error(422, "VALIDATION_ERROR");
    post(&owner, "/prompts", "k", json!({ "title": "t", "slug": "taken", "content": "x" }))
        .await
        .error(409, "CONFLICT");
    post(&owner, "/prompts", "k", json!({ "title": "t", "content": "{% if %}", "syntax": "jinja" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    unchanged.check().await;
    post(&owner, "/prompts", "k", json!({ "title": "t", "content": "x" })).await.created();
});

both!(keys_are_looked_at, |app| async move {
    let owner = app.owner().await;
    let body = json!({ "title": "t", "content": "x" });
    let unchanged = Unchanged::since(&app).await;
    for key in ["", &"k".repeat(256)] {
        post(&owner, "/prompts", key, body.clone()).await.error(400, "BAD_REQUEST").says("Idempotency-Key");
    }
    let two = owner.request("POST", "/prompts").header("idempotency-key", "a").header("idempotency-key", "b");
    two.json(body.clone()).send().await.error(400, "BAD_REQUEST");
    unchanged.check().await;
    let key = "k".repeat(255);
    post(&owner, "/prompts", &key, body.clone()).await.created();
    assert!(is_replayed(&post(&owner, "/prompts", &key, body).await.created()));

    // Reading and replacing are alike as often as they are sent; the header means nothing there.
    for method in ["GET", "PUT"] {
        let request = owner.request(method, "/prompts/t").header("idempotency-key", &key);
        let request = if method == "PUT" { request.json(json!({ "title": "u" })) } else { request };
        assert!(!is_replayed(&request.send().await.ok()));
    }
    let render = json!({ "variables": {} });
    post(&owner, "/prompts/t/render", "k", render.clone()).await.ok();
    assert!(!is_replayed(&post(&owner, "/prompts/t/render", "k", render).await.ok()));
});

both!(secrets_are_shown_once, |app| async move {
    let owner = app.owner().await;
    let body = json!({ "name": "Shop", "scopes": ["deliver"] });
    let first = post(&owner, "/api-keys", "k", body.clone()).await.created();
    let secret = first.text_of("key");
    let again = post(&owner, "/api-keys", "k", body).await.created();
    assert!(is_replayed(&again) && !again.text.contains(&secret), "{}", again.text);
    assert_eq!((&again.data()["key"], &again.data()["id"]), (&Value::Null, &first.data()["id"]));
    assert_eq!(again.json["meta"]["warnings"][0]["code"], "SHOWN_ONCE");
    assert!(!crate::queries::kept_answers(app.db()).await.unwrap().concat().contains(&secret));
    app.bearer(&secret).get("/auth/me").await.ok();

    let path = format!("/api-keys/{}/rotate", first.text_of("id"));
    let rotated = post(&owner, &path, "r", json!({})).await.created();
    let again = post(&owner, &path, "r", json!({})).await.created();
    assert!(is_replayed(&again) && !again.text.contains(&rotated.text_of("key")));
});

both!(links_are_shown_once, |app| async move {
    let owner = app.owner().await;
    let body = json!({ "email": "ana@example.com" });
    let first = post(&owner, "/workspaces/acme/members", "k", body.clone()).await.created();
    let link = first.text_of("link");
    let unchanged = Unchanged::since(&app).await;
    let again = post(&owner, "/workspaces/acme/members", "k", body).await.created();
    assert!(is_replayed(&again) && again.data()["link"].is_null(), "{}", again.text);
    assert_eq!(again.data()["invitation"], first.data()["invitation"]);
    let kept = crate::queries::kept_answers(app.db()).await.unwrap().concat();
    let token = link.rsplit('/').next().unwrap();
    assert!(!kept.contains(&link) && !kept.contains(token));
    unchanged.check().await;
});

both!(every_move_is_made_once, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "one").await;
    let moves = [
        ("/prompts/a/versions", json!({ "content": "two", "publish": true })),
        ("/prompts/a/versions/1/restore", json!({})),
        ("/prompts/a/publish", json!({ "from": 2 })),
        ("/prompts/a/archive", json!({})),
        ("/prompts/a/unarchive", json!({})),
        ("/prompts/a/duplicate", json!({})),
        ("/labels", json!({ "name": "trial" })),
    ];
    for (path, body) in moves {
        let first = post(&owner, path, path, body.clone()).await;
        assert!((200..300).contains(&first.status), "{path}: {}", first.text);
        let unchanged = Unchanged::since(&app).await;
        let again = post(&owner, path, path, body).await.status(first.status);
        assert!(is_replayed(&again), "{path}");
        assert_eq!(again.text, first.text, "{path}");
        unchanged.check().await;
    }
    // Without a body there is none to compare.
    let bare =
        |key: &'static str| owner.request("POST", "/prompts/a/archive").header("idempotency-key", key).send();
    bare("none").await.ok();
    assert!(is_replayed(&bare("none").await.ok()));
    check_revisions(&app).await;
    assert_eq!(details(&owner, "a").await["latest_version"], 3);
});

both!(at_the_same_time_it_is_done_once, |app| async move {
    let owner = app.owner().await;
    let other = app.second_node().await;
    let twin = other.bearer(owner.token());
    let body = json!({ "title": "Once", "slug": "once", "content": "x" });
    let requests = (0..12).map(|n| {
        let (client, body) = (if n % 2 == 0 { owner.clone() } else { twin.clone() }, body.clone());
        tokio::spawn(async move { post(&client, "/prompts", "k", body).await })
    });
    let mut made = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        let answer = request.await.unwrap();
        match answer.status {
            201 => made.push(answer.text_of("id")),
            _ => drop(answer.error(409, "CONFLICT").says("just now")),
        }
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(is_replayed(&post(&twin, "/prompts", "k", body).await.created()), "another node knows it");
    let listed = owner.get("/prompts").await.ok();
    assert_eq!(listed.data().as_array().unwrap().len(), 1);
    check_revisions(&app).await;
});

both!(a_day_later_the_key_is_free, |app| async move {
    let owner = app.owner().await;
    let body = json!({ "title": "Daily", "content": "x" });
    post(&owner, "/prompts", "k", body.clone()).await.created();
    app.clock().advance(TimeDelta::hours(23));
    assert!(is_replayed(&post(&owner, "/prompts", "k", body.clone()).await.created()));
    app.clock().advance(TimeDelta::hours(2));
    let later = post(&owner, "/prompts", "k", body).await.created();
    assert!(!is_replayed(&later));
    assert_eq!(later.data()["slug"], "daily-2");
});
