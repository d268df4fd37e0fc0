//! Bodies, paths and sizes that are wrong: a clear error each, and nothing changed.

use serde_json::{Value, json};
use xr2_testkit::{Answer, Client, Options, both};

use crate::support::{Unchanged, complaints, delivered, details, made, put, text};

/// Sends bytes as they are to everything that takes a body.
async fn to_every_write(client: &Client, body: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (method, path) in [
        ("POST", "/prompts"),
        ("PUT", "/prompts/a"),
        ("POST", "/prompts/a/versions"),
        ("PUT", "/prompts/a/draft"),
        ("POST", "/prompts/a/publish"),
        ("POST", "/prompts/a/duplicate"),
        ("POST", "/prompts/a/versions/1/restore"),
        ("PUT", "/prompts/a/labels/staging"),
        ("POST", "/labels"),
        ("PUT", "/labels/staging"),
        ("POST", "/prompts/a/render"),
        ("POST", "/templates/preview"),
    ] {
        let request = client.request(method, path).header("content-type", "application/json").bytes(body);
        answers.push(request.send().await);
    }
    answers
}

both!(bodies_that_are_no_json, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    let deep = format!("{{\"content\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    for (body, says) in [
        (&b"{"[..], "JSON"),
        (b"{\"title\": \"x\",}", "line 1 column 15"),
        (b"{} {}", "JSON"),
        (b"{\"title\": \"\xff\xfe\"}", "JSON"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"{\"title\": \"a\\ud800b\"}", "JSON"),
        (b"{\"title\": \"a\x00b\"}", "JSON"),
        (b"{\"n\": 1e999}", "JSON"),
        (b"NaN", "JSON"),
        (deep.as_bytes(), "JSON"),
        (deep_objects.as_bytes(), "JSON"),
    ] {
        for answer in to_every_write(&owner, body).await {
            let answer = answer.error(400, "BAD_REQUEST").says(says);
            assert!(
                answer.details()["line"].is_u64() && answer.details()["column"].is_u64(),
                "{}",
                answer.text
            );
        }
    }
    unchanged.check().await;
});

both!(bodies_of_another_kind, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    for body in [&b"[]"[..], b"7", b"\"text\"", b"null", b"true"] {
        for answer in to_every_write(&owner, body).await {
            let answer = answer.error(422, "VALIDATION_ERROR");
            assert_eq!(
                complaints(&answer)[0],
                ("(body)".to_owned(), "wrong_type".to_owned()),
                "{}",
                answer.text
            );
        }
    }
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml", ""]
    {
        let request = owner.request("POST", "/prompts").header("content-type", kind);
        request
            .bytes("{\"title\":\"t\",\"content\":\"x\"}")
            .send()
            .await
            .error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    unchanged.check().await;
    // What is JSON by any of its names is taken.
    for (n, kind) in
        ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"].iter().enumerate()
    {
        let body = json!({ "title": "t", "slug": format!("t{n}"), "content": "x" }).to_string();
        owner.request("POST", "/prompts").header("content-type", kind).bytes(body).send().await.created();
    }
});

both!(fields_of_a_wrong_type, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    let wrong = json!({
        "title": 7, "slug": true, "type": "poem", "syntax": 1, "content": ["x"], "messages": "hi", "variables": 3, "config": "x",
        "description": {}, "category": 1, "tags": "a,b", "metadata": [], "folder_ids": ["x"], "change_summary": 1,
        "publish": "yes", "nonsense": 1
    });
    let answer = owner.post("/prompts", wrong.clone()).await.error(422, "VALIDATION_ERROR");
    let found = complaints(&answer);
    for field in [
        "title",
        "slug",
        "type",
        "syntax",
        "content",
        "messages",
        "config",
        "description",
        "category",
        "tags",
        "metadata",
        "folder_ids[0]",
        "change_summary",
        "publish",
        "nonsense",
    ] {
        assert!(found.iter().any(|(name, _)| name == field), "{field} is missing in {found:?}");
    }
    let answer = owner.put("/prompts/a", wrong).await.error(422, "VALIDATION_ERROR");
    assert!(complaints(&answer).len() >= 14, "{}", answer.text);
    let answer = owner.post("/prompts", json!({ "title": "t", "content": "x", "variables": 3 })).await;
    answer.wrong_fields(&["variables"]);
    let long = json!({ "title": "x".repeat(256), "content": "x", "category": "x".repeat(101), "description": "x".repeat(4001),
        "change_summary": "x".repeat(1001), "tags": ["x".repeat(51)] });
    let answer = owner.post("/prompts", long).await.error(422, "VALIDATION_ERROR");
    assert!(
        complaints(&answer).iter().all(|(_, code)| code == "too_long" || code == "invalid"),
        "{}",
        answer.text
    );
    let tags: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    owner
        .post("/prompts", json!({ "title": "t", "content": "x", "tags": tags }))
        .await
        .wrong_fields(&["tags"]);
    let variables: Vec<Value> = (0..2000).map(|n| json!({ "name": format!("v{n}") })).collect();
    owner
        .post("/prompts", json!({ "title": "t", "content": "x", "variables": variables }))
        .await
        .wrong_fields(&["variables"]);
    unchanged.check().await;
    // Characters count, not bytes.
    made(&owner, json!({ "title": "ü".repeat(255), "content": "x" })).await;
});

both!(messages_that_are_none, |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    for (messages, field) in [
        (json!([]), "messages"),
        (json!([7]), "messages[0]"),
        (json!([{ "role": "robot", "content": "x" }]), "messages[0].role"),
        (json!([{ "content": "x" }]), "messages[0].role"),
        (json!([{ "role": "user" }]), "messages[0].content"),
        (json!([{ "role": "user", "content": "x", "colour": 1 }]), "messages[0].colour"),
        (json!([{ "role": "user", "content": [{ "type": "video" }] }]), "messages[0].content[0]"),
        (json!([{ "role": "user", "content": "x" }, { "type": "placeholder" }]), "messages[1].name"),
        (json!([{ "type": "placeholder", "name": "not a name" }]), "messages[0].name"),
    ] {
        let answer = owner
            .post("/prompts", json!({ "title": "t", "messages": messages }))
            .await
            .error(422, "VALIDATION_ERROR");
        assert_eq!(
            complaints(&answer).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            [field],
            "{}",
            answer.text
        );
    }
    let many: Vec<Value> = (0..501).map(|_| json!({ "role": "user", "content": "x" })).collect();
    owner.post("/prompts", json!({ "title": "t", "messages": many })).await.wrong_fields(&["messages"]);
    unchanged.check().await;
});

both!(nul_nowhere, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    for (body, field) in [
        (json!({ "title": "a\0b", "content": "x" }), "title"),
        (json!({ "title": "t", "content": "a\0b" }), "content"),
        (json!({ "title": "t", "content": "x", "tags": ["\0"] }), "tags[0]"),
        (json!({ "title": "t", "content": "x", "metadata": { "a": { "b": ["\0"] } } }), "metadata.a.b[0]"),
        (json!({ "title": "t", "content": "x", "metadata": { "a\0": 1 } }), "metadata"),
        (json!({ "title": "t", "content": "x", "config": { "stop": "\0" } }), "config.stop"),
        (
            json!({ "title": "t", "content": "x", "variables": [{ "name": "a", "default": "\0" }] }),
            "variables[0].default",
        ),
        (json!({ "title": "t", "messages": [{ "role": "user", "content": "\0" }] }), "messages[0].content"),
    ] {
        owner.post("/prompts", body).await.wrong_fields(&[field]);
    }
    owner.put("/prompts/a/draft", json!({ "content": "\0" })).await.wrong_fields(&["content"]);
    for query in [
        "/prompts/a/versions/1/diff?against=%00",
        "/prompts/a/draft?branch=%00",
        "/prompts/a?label=%00",
        "/prompts?tag=%00",
    ] {
        owner.get(query).await.error(400, "BAD_REQUEST").says("NUL");
    }
    for (method, path) in [
        ("GET", "/prompts/a%00b"),
        ("GET", "/prompts/a%00b/details"),
        ("GET", "/prompts/a/versions/1%00"),
        ("GET", "/prompts/a/versions/1%00/diff"),
        ("GET", "/prompts/a/labels/x%00y/history"),
        ("PUT", "/prompts/a%00"),
        ("DELETE", "/prompts/a%00"),
        ("POST", "/prompts/a%00/archive"),
        ("PUT", "/prompts/a/labels/x%00"),
        ("DELETE", "/labels/x%00"),
        ("POST", "/prompts/a/versions/x%00/restore"),
    ] {
        owner.request(method, path).json(json!({})).send().await.error(404, "NOT_FOUND").says("NUL");
    }
    unchanged.check().await;
});

both!(paths_that_are_no_utf8, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    let unchanged = Unchanged::since(&app).await;
    for (method, path) in [
        ("GET", "/prompts/%ff"),
        ("GET", "/prompts/%ff/details"),
        ("PUT", "/prompts/%ff"),
        ("DELETE", "/prompts/%ff"),
        ("GET", "/prompts/a/versions/%ff/diff"),
        ("PUT", "/prompts/a/labels/%ff"),
        ("DELETE", "/labels/%ff"),
        ("GET", "/prompts/%ff/draft"),
        ("POST", "/prompts/%ff/publish"),
    ] {
        owner.request(method, path).json(json!({})).send().await.error(400, "BAD_REQUEST").says("UTF-8");
    }
    let endless = "x".repeat(6_000);
    for path in [
        format!("/prompts/{endless}"),
        format!("/prompts/{endless}/details"),
        format!("/prompts/a/versions/{endless}/diff"),
    ] {
        let answer = owner.get(&path).await.error(404, "NOT_FOUND");
        assert!(answer.text.len() < 1_000, "a long name is not sent back whole: {}", answer.text.len());
    }
    owner.put(&format!("/prompts/a/labels/{endless}"), json!({ "version": 1 })).await.error(404, "NOT_FOUND");
    owner.get("/prompts/%F0%9F%98%80").await.error(404, "NOT_FOUND");
    owner.get("/prompts/..%2F..%2Fetc%2Fpasswd").await.error(404, "NOT_FOUND");
    unchanged.check().await;
});

/// The limit when nothing else is set.
const LIMIT: usize = 2 * 1024 * 1024;

both!(two_megabytes_of_text, |app| async move {
    let owner = app.owner().await;
    let whole = format!("{{{{ x }}}}{}", "ü".repeat((LIMIT - 7) / 2));
    assert!(LIMIT - whole.len() < 2);
    text(&owner, "big", &whole).await;
    assert_eq!(details(&owner, "big").await["version"]["content"], whole);
    assert!(delivered(&owner, "big").await == whole, "delivered as a template");
    assert!(delivered(&owner, "big?x=1").await == whole.replacen("{{ x }}", "1", 1), "and rendered");
    let plain = "y".repeat(LIMIT);
    made(&owner, json!({ "title": "plain", "content": plain, "syntax": "none" })).await;
    assert!(delivered(&owner, "plain").await == plain);
    owner.put("/prompts/plain/draft", json!({ "content": "z".repeat(LIMIT) })).await.ok();

    let unchanged = Unchanged::since(&app).await;
    let more = "y".repeat(LIMIT + 1);
    let answer = owner
        .post("/prompts", json!({ "title": "t", "content": more }))
        .await
        .error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(answer.details(), &json!({ "bytes": LIMIT + 1, "limit": LIMIT }));
    owner.put("/prompts/plain", json!({ "content": more })).await.error(413, "PAYLOAD_TOO_LARGE");
    owner.post("/prompts/plain/versions", json!({ "content": more })).await.error(413, "PAYLOAD_TOO_LARGE");
    owner
        .put("/prompts/plain/draft", json!({ "content": more, "revision": 1 }))
        .await
        .error(413, "PAYLOAD_TOO_LARGE");
    let half = "y".repeat(LIMIT / 2 + 1);
    let messages = json!([{ "role": "user", "content": half }, { "role": "user", "content": half }]);
    owner
        .post("/prompts", json!({ "title": "t", "messages": messages }))
        .await
        .error(413, "PAYLOAD_TOO_LARGE");
    unchanged.check().await;
});

both!(
    limits_are_settings,
    Options::new().set("limits.content_bytes", 1024).set("limits.body_bytes", 4096),
    |app| async move {
        let owner = app.owner().await;
        text(&owner, "a", &"x".repeat(1024)).await;
        let unchanged = Unchanged::since(&app).await;
        owner
            .put("/prompts/a", json!({ "content": "x".repeat(1025) }))
            .await
            .error(413, "PAYLOAD_TOO_LARGE")
            .says("1024");
        owner
            .put("/prompts/a", json!({ "metadata": { "a": "x".repeat(5000) } }))
            .await
            .error(413, "PAYLOAD_TOO_LARGE")
            .says("4096");
        unchanged.check().await;
    }
);

both!(a_jinja_text_that_could_never_be_rendered, |app| async move {
    let owner = app.owner().await;
    let long = format!("{{% if x %}}{}{{% endif %}}", "y".repeat(1_500_000));
    let unchanged = Unchanged::since(&app).await;
    owner
        .post("/prompts", json!({ "title": "t", "syntax": "jinja", "content": long }))
        .await
        .error(422, "TEMPLATE_ERROR")
        .says("1 MiB");
    unchanged.check().await;
});

both!(templates_that_would_never_end, |app| async move {
    let owner = app.owner().await;
    for (n, content) in [
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{{ x }}{% endfor %}{% endfor %}",
        "{{ x | replace('a', 'aaaaaaaaaa') | replace('a', 'aaaaaaaaaa') | replace('a', 'aaaaaaaaaa') | replace('a', 'aaaaaaaaaa') }}",
        "{{ x | indent(1000000000) }}",
    ]
    .into_iter()
    .enumerate()
    {
        let slug = format!("t{n}");
        let made = owner.post("/prompts", json!({ "title": "t", "slug": slug, "syntax": "jinja", "content": content })).await;
        if made.status == 201 {
            let body = json!({ "variables": { "x": "a".repeat(1000) } });
            let answer = owner.post(&format!("/prompts/{slug}/render"), body).await.error(422, "TEMPLATE_ERROR");
            assert!(answer.details()["line"].is_u64(), "{}", answer.text);
        } else {
            made.error(422, "TEMPLATE_ERROR");
        }
    }
    let unchanged = Unchanged::since(&app).await;
    for content in [
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% import 'a' as b %}",
        "{% extends 'a' %}",
        "{{ 1 + 1 }}",
        "{{ 'a' * 9 }}",
        "{{ range(1000000) }}{% if x %}{% endif %}{{ debug() }}",
        "{{ [1]|slice(1000000000)|list }}",
        "{{ x.__class__ }}{{ cycler() }}",
    ] {
        let answer = owner
            .post("/prompts", json!({ "title": "t", "slug": "t", "syntax": "jinja", "content": content }))
            .await;
        answer.error(422, "TEMPLATE_ERROR");
    }
    let nested = format!("{}x{}", "{% if a %}".repeat(2_000), "{% endif %}".repeat(2_000));
    owner
        .post("/prompts", json!({ "title": "t", "syntax": "jinja", "content": nested }))
        .await
        .error(422, "TEMPLATE_ERROR");
    let brackets = format!("{{{{ {}x{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    owner
        .post("/prompts", json!({ "title": "t", "syntax": "jinja", "content": brackets }))
        .await
        .error(422, "TEMPLATE_ERROR");
    unchanged.check().await;
});

both!(values_that_do_not_fit, |app| async move {
    let owner = app.owner().await;
    let variables = json!({ "n": { "type": "integer", "required": true, "min": 1 }, "s": { "type": "string", "pattern": "^[a-z]+$" } });
    made(&owner, json!({ "title": "a", "content": "{{ n }} {{ s }}", "variables": variables })).await;
    let wrong = json!({ "variables": { "n": "7", "s": "A" } });
    let answer = owner.post("/prompts/a/render", wrong).await.error(422, "INVALID_VARIABLES");
    let named: Vec<_> =
        answer.details()["variables"].as_array().unwrap().iter().map(|v| v["name"].clone()).collect();
    assert_eq!(named, ["n", "s"], "all at once");
    assert!(answer.details()["variables"][0]["expected"].is_string());
    owner.post("/prompts/a/render", json!({ "variables": {} })).await.error(422, "MISSING_VARIABLES");
    owner.post("/prompts/a/render", json!({ "variables": [] })).await.wrong_fields(&["variables"]);
    owner
        .post("/prompts/a/render", json!({ "variables": { "n": 1 }, "label": "production", "version": 1 }))
        .await
        .error(400, "BAD_REQUEST");
    let ignored =
        owner.post("/prompts/a/render", json!({ "variables": { "n": 1, "s": "x", "ss": 1 } })).await.ok();
    assert_eq!(ignored.data()["content"], "1 x");
    assert_eq!(
        (&ignored.json["meta"]["warnings"][0]["variable"], &ignored.json["meta"]["warnings"][0]["nearest"]),
        (&json!("ss"), &json!("s"))
    );
});

both!(numbers_and_texts_come_back_as_they_were, |app| async move {
    let owner = app.owner().await;
    let content = "tab\t CR\r\nLF\n emoji 😀 combining e\u{301} RTL \u{202e}x\u{202c} zero\u{200b}width \u{feff}end \u{1}\u{1f}\n\n";
    let config = json!({ "big": 9_007_199_254_740_993_i64, "huge": 18_446_744_073_709_551_615_u64, "float": 0.1, "exp": 1e-7, "one": 1.0,
        "nested": { "z": [null, true, { "y": "\"\\/" }] }, "": "empty name" });
    made(&owner, json!({ "title": "a", "content": content, "config": config, "metadata": config })).await;
    let shown = details(&owner, "a").await;
    assert_eq!(shown["version"]["content"], content);
    assert_eq!(shown["version"]["config"].to_string(), config.to_string());
    assert_eq!(shown["metadata"].to_string(), config.to_string());
    assert_eq!(delivered(&owner, "a").await, content);
    // Saving what came back is no change.
    let again = json!({ "content": content, "config": shown["version"]["config"], "variables": shown["version"]["variables"] });
    assert_eq!(put(&owner, "a", again).await["version"], json!(null));
});
