//! Values: from the query, from a body, missing, wrong, unknown.

use serde_json::json;
use xr2_testkit::both;

use super::{content, people, prompt, text};

both!(any_other_query_parameter_is_a_variable, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "{{ name }}/{{ tone }}/{{ label }}/{{ format }}").await;
    let answer = key.get("/prompts/p?name=Ana+B%C3%A4r&tone=&var.label=L&var.format=F").await.ok();
    assert_eq!(content(&answer), "Ana Bär//L/F");
    assert_eq!(answer.data()["rendered"], true);
    assert!(answer.data().get("missing").is_none());
    // Parameters of ours are none, whatever is in the template.
    let answer =
        key.get("/prompts/p?name=Ana&user_id=u1&attr.plan=pro&xr2_later=1&optimized_for=gpt-4").await.ok();
    assert_eq!(content(&answer), "Ana/{{ tone }}/{{ label }}/{{ format }}");
    assert_eq!(answer.data()["missing"], json!(["tone", "label", "format"]));
    assert!(answer.json["meta"].get("warnings").is_none());
    assert_eq!(key.get("/prompts/p?user_id=u1").await.ok().data()["rendered"], false);
    assert_eq!(key.get("/prompts/p?render=true").await.ok().data()["rendered"], true);
    assert_eq!(key.get("/prompts/p?render").await.ok().data()["rendered"], true);
    assert_eq!(key.get("/prompts/p?render=false").await.ok().data()["rendered"], false);
});

both!(values_are_never_templates_nor_escaped, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "[{{ a }}]").await;
    let tricky = "<b>{{ b }}</b> \"q\" \\ \u{1F600} \n{% if x %}";
    let answer = key.post("/prompts/p/render", json!({ "variables": { "a": tricky, "b": "no" } })).await.ok();
    assert_eq!(content(&answer), format!("[{tricky}]"));
    assert_eq!(answer.json["meta"]["warnings"][0]["variable"], "b");
});

both!(query_text_is_read_by_the_declared_type, |app| async move {
    let (owner, key) = people(&app).await;
    prompt(
        &owner,
        json!({
            "title": "T", "slug": "p", "content": "{{ n }} {{ yes }} {{ list }} {{ s }}",
            "variables": [
                { "name": "n", "type": "integer", "min": 1 }, { "name": "yes", "type": "boolean" },
                { "name": "list", "type": "array", "items": "string" }, { "name": "s", "type": "string" },
            ],
        }),
    )
    .await;
    let answer = key.get("/prompts/p?n=7&yes=true&list=a&list=b&s=7").await.ok();
    assert_eq!(content(&answer), r#"7 true ["a","b"] 7"#);
    let wrong = key.get("/prompts/p?n=x&yes=maybe").await.error(422, "INVALID_VARIABLES");
    let named: Vec<_> = wrong.details()["variables"].as_array().into_iter().flatten().collect();
    assert_eq!(named.len(), 2, "all at once: {}", wrong.text);
    assert_eq!(named[0], &json!({ "name": "n", "problem": "wrong_type", "expected": "integer" }));
    let wrong = key.post("/prompts/p/render", json!({ "variables": { "n": "7" } })).await;
    wrong.error(422, "INVALID_VARIABLES").says("integer");
    let wrong = key.post("/prompts/p/render", json!({ "variables": { "n": 0 } })).await;
    assert_eq!(wrong.error(422, "INVALID_VARIABLES").details()["variables"][0]["problem"], "too_small");
});

both!(a_missing_required_value_is_named, |app| async move {
    let (owner, key) = people(&app).await;
    prompt(
        &owner,
        json!({
            "title": "T", "slug": "p", "content": "{{ a }} {{ b }} {{ c }}",
            "variables": [
                { "name": "a", "type": "string", "required": true },
                { "name": "b", "type": "string", "required": true, "default": "B" },
                { "name": "c", "type": "string" },
            ],
        }),
    )
    .await;
    assert_eq!(key.get("/prompts/p").await.ok().data()["rendered"], false);
    for query in ["?render=true", "?c=1", "?format=openai"] {
        let answer = key.get(&format!("/prompts/p{query}")).await.error(422, "MISSING_VARIABLES").says("`a`");
        assert_eq!(answer.details()["variables"][0]["name"], "a");
        assert_eq!(
            answer.details()["variables"].as_array().map(Vec::len),
            Some(1),
            "a default makes it optional"
        );
    }
    let answer = key.get("/prompts/p?a=1").await.ok();
    assert_eq!(content(&answer), "1 B {{ c }}");
    assert_eq!(answer.data()["missing"], json!(["c"]));
});

both!(unknown_values_are_told_with_the_nearest_name, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "{{ first_name }}").await;
    let answer = key.get("/prompts/p?first_nam=Ana").await.ok();
    let warning = &answer.json["meta"]["warnings"][0];
    assert_eq!((&warning["code"], &warning["nearest"]), (&json!("UNKNOWN_VARIABLE"), &json!("first_name")));
    assert!(warning["message"].as_str().is_some_and(|text| text.contains("first_name")));
    text(&owner, "none", "Nothing to fill in").await;
    assert_eq!(key.get("/prompts/none?a=1").await.ok().json["meta"]["warnings"][0]["variable"], "a");
});

both!(a_format_adds_the_providers_request, |app| async move {
    let (owner, key) = people(&app).await;
    prompt(
        &owner,
        json!({
            "title": "T", "slug": "p", "config": { "model": "gpt-4o", "max_tokens": 50 },
            "messages": [{ "role": "system", "content": "Be {{ tone }}." }, { "role": "user", "content": "Hi" }],
        }),
    )
    .await;
    let openai = key.get("/prompts/p?tone=kind&format=openai").await.ok();
    assert_eq!(openai.data()["request"]["model"], "gpt-4o");
    assert_eq!(openai.data()["request"]["messages"][0]["content"], "Be kind.");
    assert!(openai.data()["warnings"].is_array());
    let anthropic =
        key.get("/prompts/p?tone=kind&format=anthropic&optimized_for=claude-sonnet-4-5").await.ok();
    assert_eq!(anthropic.data()["request"]["model"], "claude-sonnet-4-5");
    assert_eq!(anthropic.data()["request"]["system"], "Be kind.");
    let google = json!({ "variables": { "tone": "kind" }, "format": "google" });
    let google = key.post("/prompts/p/render", google).await.ok();
    assert!(google.data()["request"]["contents"].is_array(), "{}", google.text);
    assert!(key.get("/prompts/p?tone=kind&format=text").await.ok().data().get("request").is_none());
});

both!(jinja_is_rendered_with_its_limits, |app| async move {
    let (owner, key) = people(&app).await;
    let template = "{% for i in items %}{{ loop.index }}. {{ i|upper }}\n{% endfor %}";
    prompt(&owner, json!({ "title": "T", "slug": "list", "content": template, "syntax": "jinja" })).await;
    let values = json!({ "variables": { "items": ["a", "b"] } });
    assert_eq!(content(&key.post("/prompts/list/render", values).await.ok()), "1. A\n2. B\n");
    let bombs = [
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}0123456789012345678901234567890123456789{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{{ text|replace('a', text)|replace('a', text) }}{% endfor %}",
    ];
    for (number, bomb) in bombs.iter().enumerate() {
        let slug = format!("bomb-{number}");
        let made = owner
            .post("/prompts", json!({ "title": slug, "slug": slug, "content": bomb, "syntax": "jinja" }))
            .await;
        if made.status == 422 {
            made.error(422, "TEMPLATE_ERROR");
            continue;
        }
        let values = json!({ "variables": { "text": "a".repeat(2000) } });
        let refused = key.post(&format!("/prompts/{slug}/render"), values).await.error(422, "TEMPLATE_ERROR");
        assert!(
            refused.details()["line"].is_u64() && refused.details()["problems"].is_array(),
            "{}",
            refused.text
        );
        // And where nothing is asked for, too.
        let plain = key.get(&format!("/prompts/{slug}")).await;
        assert!(plain.status == 422 || plain.data()["rendered"] == false, "{}", plain.text);
    }
    key.get("/prompts/list").await.ok();
});
