//! The editor's live check.

use serde_json::json;
use xr2_server::auth::{Role, Scope};
use xr2_testkit::both;

use super::{people, text};

both!(a_good_template_is_rendered, |app| async move {
    let (owner, _) = people(&app).await;
    let body = json!({
        "content": "Hello {{ name }},\nyour {{ thing }}", "values": { "name": "Ana", "nam": 1 },
        "variables": [{ "name": "name", "type": "string", "required": true }, { "name": "unused", "type": "string" }],
    });
    let answer = owner.post("/templates/preview", body).await.ok();
    let data = answer.data();
    assert_eq!(data["content"], "Hello Ana,\nyour {{ thing }}");
    assert_eq!((&data["syntax"], &data["rendered"]), (&json!("simple"), &json!(true)));
    assert_eq!(data["missing"], json!(["thing"]));
    assert_eq!(data["problems"], json!([]));
    assert_eq!(data["stats"], json!({ "characters": 27, "words": 6, "lines": 2 }));
    let flags: Vec<_> = data["variables"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|v| (v["name"].as_str(), v["discovered"].as_bool(), v["used"].as_bool()))
        .collect();
    let expected = [
        (Some("name"), Some(false), Some(true)),
        (Some("unused"), Some(false), Some(false)),
        (Some("thing"), Some(true), Some(true)),
    ];
    assert_eq!(flags, expected);
    assert_eq!(answer.json["meta"]["warnings"][0]["nearest"], "name");
    assert!(app.new_events().await.is_empty(), "nothing is kept");
});

both!(what_is_wrong_is_told_and_not_refused, |app| async move {
    let (owner, _) = people(&app).await;
    let preview = |body| owner.post("/templates/preview", body);
    let broken = preview(json!({ "content": "a\n{% if x %}", "syntax": "jinja" })).await.ok();
    assert_eq!(broken.data()["problems"][0]["code"], "TEMPLATE_ERROR");
    assert!(broken.data()["problems"][0]["line"].as_u64().is_some_and(|line| line >= 1));
    assert_eq!(broken.data()["rendered"], false);
    let contract = json!([{ "name": "n", "type": "integer", "required": true }]);
    let missing = preview(json!({ "content": "{{ n }}", "variables": contract })).await.ok();
    assert_eq!(missing.data()["problems"][0]["code"], "MISSING_VARIABLES");
    assert_eq!(missing.data()["problems"][0]["variable"], "n");
    let wrong =
        preview(json!({ "content": "{{ n }}", "variables": contract, "values": { "n": "x" } })).await.ok();
    assert_eq!(wrong.data()["problems"][0]["code"], "INVALID_VARIABLES");
    let unrendered =
        preview(json!({ "content": "{{ n }}", "variables": contract, "render": false })).await.ok();
    assert_eq!((&unrendered.data()["rendered"], &unrendered.data()["problems"]), (&json!(false), &json!([])));
    let empty = preview(json!({ "content": "" })).await.ok();
    assert_eq!(empty.data()["stats"]["words"], 0);
    preview(json!({})).await.wrong_fields(&["content"]);
    preview(json!({ "messages": [{ "role": "king", "content": "x" }] }))
        .await
        .wrong_fields(&["messages[0].role"]);
    preview(json!({ "content": "x", "variables": [{ "name": "1" }] })).await.error(422, "VALIDATION_ERROR");
    let most = app.app().config().limits.content_bytes;
    preview(json!({ "content": "x".repeat(most + 1) })).await.error(413, "PAYLOAD_TOO_LARGE");
});

both!(bombs_do_no_harm, |app| async move {
    let (owner, _) = people(&app).await;
    let bomb = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}";
    let answer = owner.post("/templates/preview", json!({ "content": bomb, "syntax": "jinja" })).await.ok();
    assert_eq!(answer.data()["problems"][0]["code"], "TEMPLATE_ERROR");
});

both!(snippets_of_the_own_workspace_are_included, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "rules", "Be {{ tone }}.").await;
    let body =
        json!({ "content": "{% include \"rules\" %}!", "syntax": "jinja", "values": { "tone": "kind" } });
    let answer = owner.post("/templates/preview", body.clone()).await.ok();
    assert_eq!(answer.data()["content"], "Be kind.!");
    assert_eq!(answer.data()["includes"], json!([{ "slug": "rules", "version": 1 }]));
    let own = json!({ "content": "{% include \"rules\" %}!", "syntax": "jinja", "slug": "rules" });
    let circle = owner.post("/templates/preview", own).await.ok();
    assert!(circle.data()["problems"][0]["message"].as_str().is_some_and(|text| text.contains("itself")));
    let foreign = json!({ "content": "{% include \"canary-prompt\" %}", "syntax": "jinja" });
    let foreign = owner.post("/templates/preview", json!(foreign)).await;
    assert_eq!(foreign.ok().data()["problems"][0]["code"], "TEMPLATE_ERROR");
    key.post("/templates/preview", body.clone()).await.error(403, "FORBIDDEN");
    app.key(&[Scope::Read]).await.post("/templates/preview", body.clone()).await.ok();
    app.member(Role::Viewer).await.post("/templates/preview", body).await.ok();
});

both!(chat_is_previewed_with_places, |app| async move {
    let (owner, _) = people(&app).await;
    let messages =
        json!([{ "role": "system", "content": "fine" }, { "role": "user", "content": "{% nope %}" }]);
    let answer =
        owner.post("/templates/preview", json!({ "messages": messages, "syntax": "jinja" })).await.ok();
    assert_eq!(answer.data()["problems"][0]["message_index"], 1);
    let messages = json!([{ "role": "user", "content": "Hi {{ name }}" }]);
    let body = json!({ "messages": messages, "values": { "name": "Ana" } });
    let answer = owner.post("/templates/preview", body).await.ok();
    assert_eq!(answer.data()["messages"], json!([{ "role": "user", "content": "Hi Ana" }]));
});
