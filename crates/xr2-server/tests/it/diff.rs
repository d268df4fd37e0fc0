//! GET /prompts/{p}/versions/{v}/diff.

use serde_json::{Value, json};
use xr2_testkit::both;

use crate::support::{made, put, text};

fn lines(diff: &Value) -> Vec<(String, Option<u64>, Option<u64>, String)> {
    let list = diff["lines"].as_array().expect("lines");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.iter().map(|l| (text(&l["kind"]), l["old"].as_u64(), l["new"].as_u64(), text(&l["text"]))).collect()
}

both!(of_two_texts, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "Hello {{ name }},\nplease wait.\nBye").await;
    put(
        &owner,
        "a",
        json!({ "content": "Hello {{ name }},\nplease hurry.\nBye\n{{ tone }}", "variables": [{ "name": "tone" }], "config": { "model": "m" } }),
    )
    .await;
    let answer = owner.get("/prompts/a/versions/2/diff").await.ok();
    let diff = answer.data();
    assert_eq!(
        (&diff["from"], &diff["to"]),
        (&json!({ "number": 1, "name": "Version 1" }), &json!({ "number": 2, "name": "Version 2" }))
    );
    assert_eq!(
        diff["summary"],
        "Changed 1 line, added 1 line, added variable `tone`, changed model settings"
    );
    assert_eq!(diff["stats"], json!({ "added": 1, "removed": 0, "changed": 1 }));
    let row = |kind: &str, old: Option<u64>, new: Option<u64>, text: &str| {
        (kind.to_owned(), old, new, text.to_owned())
    };
    assert_eq!(
        lines(diff),
        [
            row("equal", Some(1), Some(1), "Hello {{ name }},"),
            row("delete", Some(2), None, "please wait."),
            row("insert", None, Some(2), "please hurry."),
            row("equal", Some(3), Some(3), "Bye"),
            row("insert", None, Some(4), "{{ tone }}"),
        ]
    );
    let words: Vec<_> =
        diff["lines"][1]["segments"].as_array().unwrap().iter().filter(|s| s["changed"] == true).collect();
    assert!(words.iter().all(|word| word["text"].as_str().unwrap().contains("wait")), "{words:?}");
    assert_eq!(diff["variables"], json!({ "added": ["tone"], "removed": [], "changed": [] }));
    assert_eq!(diff["config"], json!({ "before": {}, "after": { "model": "m" } }));
    assert_eq!((&diff["type_changed"], &diff["syntax"]), (&json!(false), &json!(null)));
});

both!(against_anything, |app| async move {
    let owner = app.owner().await;
    let made = text(&owner, "a", "1").await;
    put(&owner, "a", json!({ "content": "2" })).await;
    put(&owner, "a", json!({ "content": "3", "publish": false })).await;
    owner.put("/prompts/a/draft", json!({ "content": "draft" })).await.ok();
    let id = made["version"]["id"].as_str().unwrap();
    for (query, from, to) in [
        ("1/diff", "Nothing", "Version 1"),
        ("3/diff", "Version 2", "Version 3"),
        ("3/diff?against=1", "Version 1", "Version 3"),
        ("1/diff?against=3", "Version 3", "Version 1"),
        ("3/diff?against=live", "Version 2", "Version 3"),
        ("live/diff", "Version 1", "Version 2"),
        ("draft/diff", "Version 3", "Draft"),
        ("draft/diff?against=live", "Version 2", "Draft"),
        ("2/diff?against=draft", "Draft", "Version 2"),
        (&format!("2/diff?against={id}"), "Version 1", "Version 2"),
        (&format!("{id}/diff?against=2"), "Version 2", "Version 1"),
    ] {
        let answer = owner.get(&format!("/prompts/a/versions/{query}")).await.ok();
        assert_eq!(
            (answer.data()["from"]["name"].as_str(), answer.data()["to"]["name"].as_str()),
            (Some(from), Some(to)),
            "{query}"
        );
    }
    let same = owner.get("/prompts/a/versions/2/diff?against=2").await.ok();
    assert_eq!(
        (&same.data()["summary"], &same.data()["stats"]),
        (&json!("No changes"), &json!({ "added": 0, "removed": 0, "changed": 0 }))
    );
    for query in [
        "9/diff",
        "x/diff",
        "1/diff?against=9",
        "1/diff?against=x",
        "00000000-0000-0000-0000-000000000000/diff",
    ] {
        owner.get(&format!("/prompts/a/versions/{query}")).await.error(404, "NOT_FOUND").says("not found");
    }
    owner.delete("/prompts/a/draft").await.ok();
    owner.get("/prompts/a/versions/draft/diff").await.error(404, "NOT_FOUND").says("draft");
    owner.delete("/prompts/a/labels/production").await.ok();
    let gone = owner.get("/prompts/a/versions/1/diff?against=live").await.ok();
    assert_eq!(gone.data()["from"], json!({ "number": null, "name": "Nothing" }));
});

both!(of_two_chats_and_of_a_text_and_a_chat, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "a", "messages": [{ "role": "system", "content": "Be kind." }, { "role": "user", "content": "{{ q }}" }] })).await;
    put(&owner, "a", json!({ "messages": [{ "role": "system", "content": "Be brief." }, { "type": "placeholder", "name": "history" }, { "role": "user", "content": "{{ q }}" }] })).await;
    let answer = owner.get("/prompts/a/versions/2/diff").await.ok();
    let told = lines(answer.data());
    let has = |kind: &str, text: &str| told.iter().any(|line| line.0 == kind && line.3 == text);
    assert!(has("equal", "[system]") && has("delete", "Be kind.") && has("insert", "Be brief."), "{told:?}");
    assert!(has("insert", "[placeholder: history]"), "{told:?}");
    put(&owner, "a", json!({ "content": "a text", "syntax": "none" })).await;
    let answer = owner.get("/prompts/a/versions/3/diff").await.ok();
    assert_eq!(
        (&answer.data()["type_changed"], &answer.data()["syntax"]),
        (&json!(true), &json!({ "before": "simple", "after": "none" }))
    );
});

both!(of_large_texts_in_bounded_time, |app| async move {
    let owner = app.owner().await;
    let lines = |shift: usize| {
        (0..20_000).map(|n| format!("{}\n", (n * 7919 + shift * n) % 10_007)).collect::<String>()
    };
    text(&owner, "a", &lines(0)).await;
    put(&owner, "a", json!({ "content": lines(1) })).await;
    let diff = owner.get("/prompts/a/versions/2/diff").await.ok();
    let rows = diff.data()["lines"].as_array().unwrap().clone();
    let rebuilt = |skip: &str| {
        rows.iter()
            .filter(|row| row["kind"] != skip)
            .map(|row| format!("{}\n", row["text"].as_str().unwrap()))
            .collect::<String>()
    };
    let same = |kind: &str, text: String| rebuilt(kind).trim_end() == text.trim_end();
    assert!(same("insert", lines(0)) && same("delete", lines(1)), "coarse it may be, wrong never");
});
