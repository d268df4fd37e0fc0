//! POST /prompts.

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::both;

use crate::queries::set_settings;
use crate::support::{
    Unchanged, check_revisions, complaints, delivered, details, events, made, stored, text,
};

both!(everything_given_is_kept, |app| async move {
    let owner = app.owner().await.with_header("user-agent", "author/1").with_header("x-request-id", "made-1");
    let sent = json!({
        "title": "  Welcome message ",
        "slug": "welcome",
        "type": "text",
        "syntax": "simple",
        "content": "Hello {{ name }},\nwelcome to {{ company }}.\n",
        "variables": [
            { "name": "name", "type": "string", "required": true, "max_length": 40, "description": "Who", "sample": "Ana" },
            { "name": "company", "default": "Acme" }
        ],
        "config": { "model": "some-model", "temperature": 0.25, "stop": ["a", "b"], "z": 1, "a": 2 },
        "description": " Greets ",
        "category": "support",
        "tags": ["greeting", " friendly ", "greeting"],
        "metadata": { "team": "growth", "n": 1.0 },
        "folder_ids": [],
        "change_summary": "First text",
        "publish": true,
        "workspace": "acme"
    });
    let data = made(&owner, sent).await;
    for (field, expected) in [
        ("slug", json!("welcome")),
        ("title", json!("Welcome message")),
        ("description", json!("Greets")),
        ("type", json!("text")),
        ("syntax", json!("simple")),
        ("category", json!("support")),
        ("tags", json!(["greeting", "friendly"])),
        ("metadata", json!({ "team": "growth", "n": 1.0 })),
        ("folder_ids", json!([])),
        ("archived", json!(false)),
        ("labels", json!({ "production": 1 })),
        ("latest_version", json!(1)),
        ("has_draft", json!(false)),
        ("excerpt", json!("Hello {{ name }}, welcome to {{ company }}.")),
        ("last_fetched_at", json!(null)),
        ("fetches", json!([])),
        ("deleted_at", json!(null)),
        ("deleted_by", json!(null)),
        ("can", json!({ "edit": true, "publish": true, "delete": true })),
        ("published", json!(true)),
    ] {
        assert_eq!(data[field], expected, "{field} of {data}");
    }
    assert!(data.get("publish_blocked").is_none());
    assert_eq!(data["created_by"], json!({ "type": "user", "id": owner.id, "name": "Test Person" }));
    assert_eq!(data["created_by"], data["updated_by"]);
    assert_eq!(data["live"]["version"], 1);
    assert_eq!(data["live"]["by"], data["created_by"]);
    let created = data["created_at"].as_str().unwrap();
    assert!(created.len() == 27 && created.ends_with('Z'), "six decimals, UTC: {created}");

    let version = &data["version"];
    assert_eq!(version["number"], 1);
    assert_eq!(version["parent"], json!(null));
    assert_eq!(version["branch"], "main");
    assert_eq!(version["content"], "Hello {{ name }},\nwelcome to {{ company }}.\n");
    assert_eq!(version["change_summary"], "First text");
    assert_eq!(version["labels"], json!(["production"]));
    assert_eq!(version["variables"][0]["max_length"], 40);
    assert_eq!(version["variables"][1]["default"], "Acme");
    assert_eq!(
        version["config"].to_string(),
        r#"{"model":"some-model","temperature":0.25,"stop":["a","b"],"z":1,"a":2}"#,
        "settings keep their order"
    );

    let details = details(&owner, "welcome").await;
    for (field, value) in data.as_object().unwrap() {
        if !["published", "version"].contains(&field.as_str()) {
            assert_eq!(details[field], *value, "{field} read back");
        }
    }
    assert_eq!(details["version"], *version);
    assert_eq!(details["live_version"], *version);
    assert_eq!(details["draft"], json!(null));
    assert_eq!(delivered(&owner, "welcome?name=Ana").await, "Hello Ana,\nwelcome to Acme.\n");

    let events = events(&app).await;
    assert_eq!(
        events.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["prompt.created", "prompt.published"]
    );
    for event in &events {
        assert_eq!(event.revision, Some(1), "one change, one revision");
        assert_eq!(event.actor, data["created_by"]);
        assert_eq!(event.address.as_deref(), Some("127.0.0.1"));
        assert_eq!(event.user_agent.as_deref(), Some("author/1"));
        assert_eq!(event.request_id.as_deref(), Some("made-1"));
        assert_eq!(event.resource_type, "prompt");
        assert_eq!(event.resource_id.map(|id| json!(id)), Some(data["id"].clone()));
        assert_eq!(event.resource_name.as_deref(), Some("welcome"));
    }
    assert!(events[0].sequence < events[1].sequence);
    assert_eq!(events[1].before, Some(json!({ "label": "production", "version": null })));
    let after = events[1].after.clone().unwrap();
    assert_eq!(
        (&after["label"], &after["version"], &after["slug"]),
        (&json!("production"), &json!(1), &json!("welcome"))
    );
    assert_eq!(after["comment"], "First text");
});

both!(the_least_that_makes_a_prompt, |app| async move {
    let owner = app.owner().await;
    let first = made(&owner, json!({ "title": "Größe & Maß", "content": "x" })).await;
    assert_eq!((&first["slug"], &first["syntax"]), (&json!("grosse-mass"), &json!("simple")));
    assert_eq!(first["version"]["change_summary"], "Created");
    assert_eq!((&first["config"], &first["metadata"]), (&json!(null), &json!({})));
    assert_eq!(first["version"]["config"], json!({}));
    // The documents' `name` is accepted for `title`; a title that comes twice counts on.
    let second = made(&owner, json!({ "name": "Größe & Maß", "content": "x" })).await;
    assert_eq!((&second["slug"], &second["title"]), (&json!("grosse-mass-2"), &json!("Größe & Maß")));
    let reserved = made(&owner, json!({ "title": "Search", "content": "x" })).await;
    assert_eq!(reserved["slug"], "search-prompt");
    let unnamed = made(&owner, json!({ "title": "日本語", "content": "こんにちは" })).await;
    assert_eq!(unnamed["slug"], "prompt");
    check_revisions(&app).await;
});

both!(many_prompts_of_one_title, |app| async move {
    let owner = app.owner().await;
    let mut slugs = std::collections::HashSet::new();
    for _ in 0..23 {
        let data = made(&owner, json!({ "title": "Same", "content": "x" })).await;
        slugs.insert(data["slug"].as_str().unwrap().to_owned());
    }
    assert_eq!(slugs.len(), 23, "{slugs:?}");
    assert!(slugs.iter().all(|slug| xr2_server::features::prompts::check_slug(slug).is_none()));
});

both!(a_chat_prompt, |app| async move {
    let owner = app.owner().await;
    let messages = json!([
        { "role": "system", "content": "You are {{ who }}." },
        { "type": "placeholder", "name": "history", "required": true },
        { "role": "user", "name": "ana", "content": [
            { "type": "text", "text": "Look: {{ question }}" },
            { "type": "image", "url": "https://example.com/a.png", "media_type": "image/png" }
        ] },
        { "role": "assistant", "content": "", "tool_calls": [{ "id": "c1", "function": { "name": "f", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": "done" }
    ]);
    let data = made(&owner, json!({ "title": "Chat", "messages": messages })).await;
    assert_eq!((&data["type"], &data["syntax"]), (&json!("chat"), &json!("simple")));
    assert!(data["version"].get("content").is_none());
    let kept = data["version"]["messages"].as_array().unwrap();
    assert_eq!(kept.len(), 5);
    assert_eq!(kept[1], json!({ "type": "placeholder", "name": "history", "required": true }));
    assert_eq!(kept[2]["content"][1]["url"], "https://example.com/a.png");
    assert_eq!(kept[3]["tool_calls"][0]["function"]["arguments"], "{}");
    let shown = details(&owner, "chat").await;
    assert_eq!(shown["version"]["messages"], data["version"]["messages"]);
    let fetched = owner.get("/prompts/chat").await.ok();
    let names: Vec<_> =
        fetched.data()["variables"].as_array().unwrap().iter().map(|v| v["name"].clone()).collect();
    assert!(names.contains(&json!("who")) && names.contains(&json!("question")), "{names:?}");
});

both!(the_syntax_is_found, |app| async move {
    let owner = app.owner().await;
    for (content, syntax) in [
        ("plain words", "simple"),
        ("Hello {{ name }}", "simple"),
        ("{{ user.name }}", "simple"),
        ("{{First Name}} and {#1}", "simple"),
        ("{% if x %}yes{% endif %}", "jinja"),
        ("{{ name | upper }}", "jinja"),
        ("{% if x %} never closed", "simple"),
        ("{\"a\": {\"b\": 1}}", "simple"),
        ("\\frac{{a}}{{b}}", "simple"),
    ] {
        let data = made(&owner, json!({ "title": "t", "content": content })).await;
        assert_eq!(data["syntax"], syntax, "{content}");
        assert_eq!(data["version"]["content"], content);
    }
    let none = made(&owner, json!({ "title": "t", "content": "{{ name }}", "syntax": "none" })).await;
    assert_eq!(none["syntax"], "none");
    assert_eq!(delivered(&owner, &format!("{}?name=x", none["slug"].as_str().unwrap())).await, "{{ name }}");
});

both!(variables_as_a_map, |app| async move {
    let owner = app.owner().await;
    let data = made(
        &owner,
        json!({
            "title": "Map", "content": "{{ tone }} {{ n }} {{ kind }}",
            "variables": { "tone": "string", "n": { "type": "integer", "default": 3 }, "kind": { "enum": ["a", "b"], "required": true } }
        }),
    )
    .await;
    let variables = data["version"]["variables"].as_array().unwrap();
    let named = |name: &str| variables.iter().find(|v| v["name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(named("tone")["type"], "string");
    assert_eq!(named("n")["default"], 3);
    assert_eq!(named("kind")["required"], true);
    assert_eq!(delivered(&owner, "map?tone=warm&kind=b").await, "warm 3 b");
    owner.get("/prompts/map?tone=warm&kind=c").await.error(422, "INVALID_VARIABLES");
    owner.get("/prompts/map?tone=warm&n=x&kind=a").await.error(422, "INVALID_VARIABLES");
    owner.get("/prompts/map?tone=warm").await.error(422, "MISSING_VARIABLES");
});

both!(all_problems_of_a_contract_at_once, |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    let answer = owner
        .post(
            "/prompts",
            json!({
                "title": " ", "slug": "-x", "content": "  ", "tags": ["", "ok"], "metadata": { "a": "x".repeat(20_000) },
                "variables": [
                    { "name": "1st" }, { "name": "a", "type": "color" }, { "name": "b", "min": 3, "max": 1, "type": "number" },
                    { "name": "c", "pattern": "(" }, { "name": "d" }, { "name": "d" }, { "name": "e", "wrong": 1 },
                    { "name": "f", "type": "integer", "default": "x" }
                ]
            }),
        )
        .await
        .error(422, "VALIDATION_ERROR");
    let found = complaints(&answer);
    assert!(
        found.contains(&("title".into(), "too_short".into())),
        "what the schema forbids is told first: {found:?}"
    );

    let answer = owner
        .post(
            "/prompts",
            json!({
                "slug": "-x", "content": "  ", "tags": ["", "ok"], "metadata": { "a": "x".repeat(20_000) },
                "folder_ids": ["0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10"], "config": { "a": "x".repeat(70_000) },
                "variables": [
                    { "name": "1st" }, { "name": "a", "type": "color" }, { "name": "b", "min": 3, "max": 1, "type": "number" },
                    { "name": "c", "pattern": "(" }, { "name": "d" }, { "name": "d" }, { "name": "e", "wrong": 1 },
                    { "name": "f", "type": "integer", "default": "x" }
                ]
            }),
        )
        .await
        .error(422, "VALIDATION_ERROR");
    let found = complaints(&answer);
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    for field in [
        "title",
        "slug",
        "content",
        "tags[0]",
        "metadata",
        "folder_ids[0]",
        "config",
        "variables[0].name",
        "variables[1].type",
        "variables[3].pattern",
        "variables[5].name",
        "variables[6].wrong",
        "variables[7].default",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {found:?}");
    }
    assert!(fields.iter().any(|field| field.starts_with("variables[2]")), "{found:?}");
    unchanged.check().await;
});

both!(template_errors_tell_the_place, |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    let answer = owner
        .post("/prompts", json!({ "title": "t", "syntax": "jinja", "content": "Größe\n  {% if a %}\nx {{ b | nofilter }}\n" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    let problems = answer.details()["problems"].as_array().unwrap().clone();
    assert!(!problems.is_empty(), "{}", answer.text);
    assert_eq!(
        (&answer.details()["line"], &answer.details()["column"]),
        (&problems[0]["line"], &problems[0]["column"])
    );
    for problem in &problems {
        assert!(problem["line"].as_u64().unwrap() >= 2 && problem["column"].as_u64().unwrap() >= 1);
        assert!(!problem["message"].as_str().unwrap().is_empty());
    }
    let answer = owner
        .post("/prompts", json!({ "title": "t", "syntax": "jinja", "content": "äöü {{ b | nofilter }}" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    let problem = &answer.details()["problems"][0];
    assert_eq!(problem["line"], 1);
    let column = problem["column"].as_u64().unwrap();
    assert!((5..=12).contains(&column), "columns count characters: {problem}");
    let answer = owner
        .post(
            "/prompts",
            json!({ "title": "t", "syntax": "jinja", "messages": [
                { "role": "system", "content": "fine" },
                { "role": "user", "content": [{ "type": "text", "text": "ok" }, { "type": "text", "text": "\n{% for %}" }] }
            ] }),
        )
        .await
        .error(422, "TEMPLATE_ERROR");
    let problem = &answer.details()["problems"][0];
    assert_eq!(
        (&problem["message_index"], &problem["part_index"], &problem["line"]),
        (&json!(1), &json!(1), &json!(2))
    );
    unchanged.check().await;
});

both!(publishing_is_up_to_the_author, |app| async move {
    let owner = app.owner().await;
    let quiet = made(&owner, json!({ "title": "Quiet", "content": "x", "publish": false })).await;
    assert_eq!(
        (&quiet["published"], &quiet["labels"], &quiet["live"]),
        (&json!(false), &json!({}), &json!(null))
    );
    assert_eq!(quiet["version"]["labels"], json!([]));
    owner.get("/prompts/quiet").await.error(404, "NOT_FOUND").says("not found");
    assert_eq!(delivered(&owner, "quiet?label=latest").await, "x");
    assert_eq!(app.new_events().await, ["prompt.created"]);
    let given = made(&owner, json!({ "title": "Loud", "content": "x", "publish": true })).await;
    assert_eq!(given["published"], true);
    assert_eq!(app.new_events().await, ["prompt.created", "prompt.published"]);
});

both!(a_rule_against_publishing, |app| async move {
    let owner = app.owner().await;
    let editor = app.member(Role::Editor).await;
    let writer = app.key(&[Scope::Write]).await;
    owner.put("/labels/production", json!({ "protected": true })).await.ok();

    let by_editor = made(&editor, json!({ "title": "A", "content": "x" })).await;
    assert_eq!(by_editor["published"], false);
    assert_eq!(by_editor["publish_blocked"]["code"], "protected_label");
    assert!(by_editor["publish_blocked"]["message"].as_str().unwrap().contains("production"));
    assert_eq!(by_editor["labels"], json!({}));
    assert_eq!(by_editor["can"]["delete"], false);
    let by_writer = made(&writer, json!({ "title": "B", "content": "x" })).await;
    assert_eq!(by_writer["publish_blocked"]["code"], "not_allowed");
    assert_eq!(by_writer["created_by"]["type"], "key");

    let unchanged = Unchanged::since(&app).await;
    for client in [&editor, &writer] {
        let body = json!({ "title": "C", "content": "x", "publish": true });
        client.post("/prompts", body).await.error(403, "PUBLISH_BLOCKED");
        let body = json!({ "content": "y", "publish": true });
        client.put("/prompts/a", body).await.error(403, "PUBLISH_BLOCKED");
    }
    unchanged.check().await;
    // An admin may.
    assert_eq!(made(&owner, json!({ "title": "D", "content": "x" })).await["published"], true);
});

both!(a_workspace_that_asks_for_comments, |app| async move {
    let owner = app.owner().await;
    set_settings(app.db(), app.workspace(), &json!({ "require_change_comment": true })).await.unwrap();
    let silent = made(&owner, json!({ "title": "A", "content": "x" })).await;
    assert_eq!(silent["publish_blocked"]["code"], "comment_required");
    let blank = made(&owner, json!({ "title": "B", "content": "x", "change_summary": "  " })).await;
    assert_eq!(blank["published"], false);
    let unchanged = Unchanged::since(&app).await;
    owner
        .post("/prompts", json!({ "title": "C", "content": "x", "publish": true }))
        .await
        .error(403, "PUBLISH_BLOCKED")
        .says("comment");
    owner.put("/prompts/a", json!({ "content": "y", "publish": true })).await.error(403, "PUBLISH_BLOCKED");
    owner.post("/prompts/a/publish", json!({ "from": 1 })).await.error(403, "PUBLISH_BLOCKED");
    owner.put("/prompts/a/labels/production", json!({ "version": 1 })).await.error(403, "PUBLISH_BLOCKED");
    unchanged.check().await;
    let said = made(&owner, json!({ "title": "D", "content": "x", "change_summary": "why" })).await;
    assert_eq!(said["published"], true);
    owner.post("/prompts/a/publish", json!({ "from": 1, "comment": "because" })).await.ok();
    owner.put("/prompts/b/labels/production", json!({ "version": 1, "comment": "because" })).await.ok();
});

both!(slugs_that_cannot_be, |app| async move {
    let owner = app.owner().await;
    text(&owner, "taken", "x").await;
    text(&owner, "former", "x").await;
    owner.put("/prompts/former", json!({ "slug": "present" })).await.ok();
    text(&owner, "thrown", "x").await;
    owner.delete("/prompts/thrown").await.ok();
    let unchanged = Unchanged::since(&app).await;
    for (slug, code) in [
        ("", "required"),
        ("-a", "invalid"),
        ("_a", "invalid"),
        ("Ab", "invalid"),
        ("a b", "invalid"),
        ("a/b", "invalid"),
        ("ä", "invalid"),
        ("a.b", "invalid"),
        ("0190b5a4-7b1c-7e52-b7a5-2f6f2e1c9d10", "invalid"),
        ("0190b5a47b1c7e52b7a52f6f2e1c9d10", "invalid"),
        ("batch", "reserved"),
        ("search", "reserved"),
        ("import", "reserved"),
        ("new", "reserved"),
    ] {
        let answer = owner.post("/prompts", json!({ "title": "t", "slug": slug, "content": "x" })).await;
        assert_eq!(
            complaints(&answer.error(422, "VALIDATION_ERROR")),
            [("slug".to_owned(), code.to_owned())],
            "{slug:?}"
        );
        let answer = owner.put("/prompts/taken", json!({ "slug": slug })).await;
        assert_eq!(
            complaints(&answer.error(422, "VALIDATION_ERROR")),
            [("slug".to_owned(), code.to_owned())],
            "{slug:?}"
        );
    }
    let long = "x".repeat(101);
    owner
        .post("/prompts", json!({ "title": "t", "slug": long, "content": "x" }))
        .await
        .wrong_fields(&["slug"]);
    for slug in ["taken", "former", "present", "thrown"] {
        let answer = owner.post("/prompts", json!({ "title": "t", "slug": slug, "content": "x" })).await;
        let answer = answer.error(409, "CONFLICT").says(slug);
        assert_eq!(complaints(&answer), [("slug".to_owned(), "taken".to_owned())]);
    }
    owner.put("/prompts/taken", json!({ "slug": "former" })).await.error(409, "CONFLICT");
    owner.post("/prompts/taken/duplicate", json!({ "slug": "thrown" })).await.error(409, "CONFLICT");
    owner.post("/prompts/taken/duplicate", json!({ "slug": "A" })).await.wrong_fields(&["slug"]);
    unchanged.check().await;
    text(&owner, &"x".repeat(100), "x").await;
});

both!(one_slug_for_eight_at_once, |app| async move {
    let owner = app.owner().await;
    for round in 0..3 {
        let slug = format!("race-{round}");
        let attempts = (0..8).map(|n| {
            let (owner, slug) = (owner.clone(), slug.clone());
            async move {
                owner
                    .post("/prompts", json!({ "title": format!("t{n}"), "slug": slug, "content": "x" }))
                    .await
            }
        });
        let answers = futures::future::join_all(attempts).await;
        let won = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(won, 1, "{:?}", answers.iter().map(|a| (a.status, a.text.clone())).collect::<Vec<_>>());
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.error(409, "CONFLICT");
        }
        assert_eq!(delivered(&owner, &slug).await, "x");
    }
    // Eight of one title are eight prompts.
    let attempts = (0..8).map(|_| {
        let owner = owner.clone();
        async move { owner.post("/prompts", json!({ "title": "Same title", "content": "x" })).await }
    });
    for answer in futures::future::join_all(attempts).await {
        let slug = answer.created().text_of("slug");
        assert_eq!(delivered(&owner, &slug).await, "x");
    }
    let slugs = stored(&app).await.into_iter().filter(|line| line.starts_with("slug ")).count();
    assert_eq!(slugs, 11, "every prompt has its slug");
    check_revisions(&app).await;
});
