//! The shape of a delivery, and which version it is.

use serde_json::json;
use xr2_server::features::delivery::Delivery;
use xr2_testkit::both;

use super::{content, people, prompt, publish, text};

both!(a_text_prompt_has_the_documented_shape, |app| async move {
    let (owner, key) = people(&app).await;
    let made = prompt(
        &owner,
        json!({
            "title": "Welcome \"message\"", "slug": "welcome", "content": "Hello {{ name }}!\n",
            "variables": [{ "name": "name", "type": "string", "description": "Who is greeted" }],
            "config": { "model": "gpt-4o", "temperature": 0.2 }, "tags": ["onboarding"],
        }),
    )
    .await;
    let answer = key.get("/prompts/welcome").await.ok();
    let delivered: Delivery = serde_json::from_value(answer.data().clone()).expect("the documented shape");
    assert_eq!(delivered.id.to_string(), made.text_of("id"));
    assert_eq!((delivered.slug.as_str(), delivered.title.as_str()), ("welcome", "Welcome \"message\""));
    assert_eq!((delivered.kind.as_str(), delivered.syntax.as_str()), ("text", "simple"));
    assert_eq!(
        delivered.content.as_deref(),
        Some("Hello {{ name }}!\n"),
        "the template, as no value was given"
    );
    assert!(!delivered.rendered && delivered.missing.is_empty() && delivered.messages.is_none());
    assert_eq!((delivered.version, delivered.label.as_deref()), (1, Some("production")));
    assert_eq!(delivered.variables[0]["name"], "name");
    assert_eq!(delivered.config["temperature"], 0.2);
    assert_eq!(delivered.tags, ["onboarding"]);
    assert!(
        delivered.updated_at.ends_with('Z') && delivered.updated_at.len() == 27,
        "{}",
        delivered.updated_at
    );
    assert_eq!(answer.json["meta"], json!({}));
    let fields: Vec<&String> = answer.data().as_object().expect("an object").keys().collect();
    let documented = [
        "id",
        "slug",
        "title",
        "type",
        "syntax",
        "content",
        "rendered",
        "version",
        "label",
        "variables",
        "config",
        "tags",
        "updated_at",
    ];
    assert_eq!(fields, documented);
});

both!(a_chat_prompt_has_messages, |app| async move {
    let (owner, key) = people(&app).await;
    let messages = json!([
        { "role": "system", "content": "You are {{ role }}." },
        { "type": "placeholder", "name": "history", "required": false },
        { "role": "user", "content": [{ "type": "text", "text": "{{ question }}" }] },
    ]);
    prompt(&owner, json!({ "title": "Chat", "slug": "chat", "messages": messages })).await;
    let template = key.get("/prompts/chat").await.ok();
    assert_eq!(template.data()["messages"], messages);
    assert!(template.data()["content"].is_null());
    let history = json!([{ "role": "assistant", "content": "{{ not a template }}" }]);
    let values = json!({ "role": "kind", "question": "Why?", "history": history });
    let rendered = key.post("/prompts/chat/render", json!({ "variables": values })).await.ok();
    let expected = json!([
        { "role": "system", "content": "You are kind." },
        { "role": "assistant", "content": "{{ not a template }}" },
        { "role": "user", "content": [{ "type": "text", "text": "Why?" }] },
    ]);
    assert_eq!(rendered.data()["messages"], expected);
    assert_eq!(rendered.data()["rendered"], true);
    serde_json::from_value::<Delivery>(rendered.data().clone()).expect("the documented shape");
});

both!(labels_versions_and_latest, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    publish(&owner, "p", "two").await;
    let saved = owner.post("/prompts/p/versions", json!({ "content": "three" })).await.created();
    owner.put("/prompts/p/labels/staging", json!({ "version": 1 })).await.ok();
    for (query, text, version, label) in [
        ("", "two", 2, json!("production")),
        ("?label=production", "two", 2, json!("production")),
        ("?label=staging", "one", 1, json!("staging")),
        ("?label=latest", "three", 3, json!("latest")),
        ("?version=1", "one", 1, json!(null)),
    ] {
        let answer = key.get(&format!("/prompts/p{query}")).await.ok();
        assert_eq!(content(&answer), text, "{query}");
        assert_eq!(answer.data()["version"], version, "{query}");
        assert_eq!(answer.data()["label"], label, "{query}");
        assert_eq!(answer.header("x-xr2-version"), Some(version.to_string().as_str()));
        assert_eq!(answer.data()["rendered"], true, "a prompt without variables is always rendered");
    }
    let id = saved.text_of("id");
    assert_eq!(content(&key.get(&format!("/prompts/p?version={id}")).await.ok()), "three");
    for version in ["1", &id] {
        let answer = key.get(&format!("/prompts/p/versions/{version}")).await.ok();
        assert!(answer.data()["label"].is_null());
    }
    let rendered = key.post("/prompts/p/render", json!({ "version": 1 })).await.ok();
    assert_eq!(content(&rendered), "one");
    assert_eq!(content(&key.post("/prompts/p/render", json!({ "version": id })).await.ok()), "three");
    assert_eq!(content(&key.post("/prompts/p/render", json!({ "label": "staging" })).await.ok()), "one");
    assert_eq!(content(&key.post("/prompts/p/render", json!({})).await.ok()), "two");
});

both!(what_is_not_there_is_not_found, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    owner
        .post("/prompts", json!({ "title": "Q", "slug": "q", "content": "x", "publish": false }))
        .await
        .created();
    for (path, says) in [
        ("/prompts/nope", "prompt \"nope\" not found"),
        ("/prompts/No%20Slug", "not found"),
        ("/prompts/0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10", "not found"),
        ("/prompts/p?label=staging", "label \"staging\" of the prompt \"p\" not found"),
        ("/prompts/p?label=no%20label", "not found"),
        ("/prompts/p?version=7", "version 7 of the prompt \"p\" not found"),
        ("/prompts/p?version=0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10", "not found"),
        ("/prompts/p/versions/7", "not found"),
        ("/prompts/p/versions/x", "version \"x\" not found"),
        ("/prompts/q", "label \"production\" of the prompt \"q\" not found"),
    ] {
        // Twice: the second time it is known not to be there.
        for _ in 0..2 {
            key.get(path).await.error(404, "NOT_FOUND").says(says);
        }
    }
    key.post("/prompts/nope/render", json!({})).await.error(404, "NOT_FOUND").says("not found");
    assert_eq!(key.get("/prompts/q?label=latest").await.ok().data()["version"], 1);
    // What was not there can come.
    text(&owner, "nope", "here").await;
    assert_eq!(content(&key.get("/prompts/nope").await.ok()), "here");
    owner.post("/prompts/q/publish", json!({ "from": 1 })).await.ok();
    assert_eq!(content(&key.get("/prompts/q").await.ok()), "x");
});

both!(a_former_slug_keeps_delivering, |app| async move {
    let (owner, key) = people(&app).await;
    let made = text(&owner, "old-name", "Hi {{ a }}").await;
    assert!(key.get("/prompts/old-name").await.ok().json["meta"].get("current_slug").is_none());
    owner.put("/prompts/old-name", json!({ "slug": "new-name" })).await.ok();
    let answer = key.get("/prompts/old-name?b=1").await.ok();
    assert_eq!(answer.json["meta"]["current_slug"], "new-name");
    assert_eq!(answer.json["meta"]["warnings"][0]["variable"], "b");
    assert_eq!(answer.data()["slug"], "new-name");
    let answer = key.get("/prompts/new-name").await.ok();
    assert_eq!(answer.json["meta"], json!({}));
    let by_id = key.get(&format!("/prompts/{}", made.text_of("id"))).await.ok();
    assert_eq!(by_id.json["meta"], json!({}));
    let upper = made.text_of("id").to_uppercase();
    assert_eq!(key.get(&format!("/prompts/{upper}")).await.ok().text, by_id.text);
});

both!(the_bin_delivers_nothing_and_the_archive_everything, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    key.get("/prompts/p").await.ok();
    owner.post("/prompts/p/archive", json!({})).await.ok();
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "one");
    owner.post("/prompts/p/unarchive", json!({})).await.ok();
    owner.delete("/prompts/p?force=true").await.ok();
    for path in ["/prompts/p", "/prompts/p?version=1", "/prompts/p/versions/1"] {
        key.get(path).await.error(404, "NOT_FOUND").says("prompt \"p\" not found");
    }
    owner.post("/prompts/p/undelete", json!({})).await.ok();
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "one");
});

both!(headers_say_how_to_keep_it, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "Hello {{ name }}").await;
    let first = key.get("/prompts/p?name=Ana").await.ok();
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    assert_eq!(first.header("content-type"), Some("application/json"));
    let vary = "Authorization, X-API-Key, Cookie, X-Workspace, Accept-Encoding";
    assert_eq!(first.header("vary"), Some(vary));
    assert_eq!(first.header("x-xr2-revision"), Some(app.revision().await.to_string().as_str()));
    let etag = first.header("etag").expect("an ETag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "strong: {etag}");
    let get = |query: &'static str, tag: String| {
        let key = key.clone();
        async move { key.request("GET", &format!("/prompts/p{query}")).header("if-none-match", &tag).send().await }
    };
    for tag in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let known = get("?name=Ana", tag).await.status(304);
        assert_eq!(known.text, "");
        assert_eq!(known.header("etag"), Some(etag.as_str()));
        assert_eq!(known.header("cache-control"), Some("private, no-cache"));
        assert!(known.header("x-xr2-revision").is_some() && known.header("x-request-id").is_some());
    }
    get("?name=Ben", etag.clone()).await.ok();
    get("", etag.clone()).await.ok();
    publish(&owner, "p", "Hi {{ name }}").await;
    let changed = get("?name=Ana", etag.clone()).await.ok();
    assert_eq!(content(&changed), "Hi Ana");
    // The key comes before the tag.
    app.nobody()
        .request("GET", "/prompts/p?name=Ana")
        .header("if-none-match", "*")
        .send()
        .await
        .error(401, "UNAUTHENTICATED");
});

both!(a_publishable_key_is_named_in_vary, |app| async move {
    let owner = app.owner().await;
    text(&owner, "p", "x").await;
    let key = app.publishable_key(&["https://shop.example"]).await;
    let answer = key.get("/prompts/p").await.ok();
    assert!(answer.header("vary").is_some_and(|vary| vary.ends_with(", Origin")));
    let foreign = key.request("GET", "/prompts/p").header("origin", "https://evil.example").send().await;
    foreign.error(403, "FORBIDDEN");
});

both!(people_and_other_workspaces, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    assert_eq!(content(&owner.get("/prompts/p").await.ok()), "x");
    app.nobody().get("/prompts/p").await.error(401, "UNAUTHENTICATED");
    app.stranger().get("/prompts/p").await.error(404, "NOT_FOUND");
    app.stranger_key().get("/prompts/p").await.error(404, "NOT_FOUND");
    key.get("/prompts/canary-prompt").await.error(404, "NOT_FOUND");
    key.get(&format!("/prompts/{}", app.canary().prompt)).await.error(404, "NOT_FOUND");
    key.get(&format!("/prompts/p?version={}", app.canary().version)).await.error(404, "NOT_FOUND");
    key.get("/prompts/p?workspace=canary-workspace").await.error(400, "WORKSPACE_CONFLICT");
    key.get("/prompts/p?workspace=acme").await.ok();
    key.request("GET", "/prompts/p").header("x-workspace", "acme").send().await.ok();
});

both!(fetches_by_keys_are_noted, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    owner.get("/prompts/p").await.ok();
    app.app().last_used().flush(app.app()).await.expect("a flush");
    assert!(
        owner.get("/prompts/p/details").await.ok().data()["last_fetched_at"].is_null(),
        "people do not count"
    );
    let before = app.clock().now();
    key.get("/prompts/p").await.ok();
    key.get("/prompts/p").await.ok();
    app.app().last_used().flush(app.app()).await.expect("a flush");
    let details = owner.get("/prompts/p/details").await.ok();
    let noted = details.text_of("last_fetched_at");
    assert!(noted >= xr2_server::clock::rfc3339(&before), "{noted}");
    app.clock().advance(chrono::TimeDelta::minutes(5));
    key.get("/prompts/p").await.ok();
    app.app().last_used().flush(app.app()).await.expect("a flush");
    assert!(owner.get("/prompts/p/details").await.ok().text_of("last_fetched_at") > noted);
    owner.delete("/prompts/p").await.error(409, "IN_USE");
});

both!(it_is_told_which_key_fetched_what_last, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    key.get("/prompts/p?version=1").await.ok();
    key.get("/prompts/p").await.ok();
    app.app().last_used().flush(app.app()).await.unwrap();
    app.clock().advance(chrono::TimeDelta::seconds(1));
    let other = app.key(&[xr2_server::auth::Scope::Deliver]).await;
    other.get("/prompts/p").await.ok();
    app.app().last_used().flush(app.app()).await.unwrap();
    for path in ["/prompts/p/details", "/prompts"] {
        let answer = owner.get(path).await.ok();
        let prompt = if answer.data().is_array() { &answer.data()[0] } else { answer.data() };
        let fetches = prompt["fetches"].as_array().unwrap();
        assert_eq!(fetches.len(), 2, "{path}");
        assert_eq!((&fetches[0]["label"], &fetches[0]["version"]), (&json!("production"), &json!(null)));
        assert_eq!((&fetches[1]["label"], &fetches[1]["version"]), (&json!(null), &json!(1)));
        assert_eq!(fetches[0]["last_fetched_at"], prompt["last_fetched_at"]);
        assert!(fetches[0]["key"]["name"].is_string());
        assert_ne!(fetches[0]["key"]["id"], fetches[1]["key"]["id"], "the one that came last is named");
    }
});
