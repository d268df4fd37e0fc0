//! A warning when what is saved looks like a secret.

use serde_json::{Value, json};
use xr2_testkit::{Answer, both};

use crate::support::text;

/// Put together here, so that nobody's scanner stops at this file.
fn key() -> String {
    format!("sk-ant-{}", "a1B2c3D4e5F6g7H8i9J0kLmN")
}

/// Messages of the warnings about secrets; none of them repeats one.
fn warned(answer: &Answer) -> Vec<String> {
    let warnings = answer.json["meta"]["warnings"].as_array().cloned().unwrap_or_default();
    let ours = warnings.iter().filter(|warning| warning["code"] == "POSSIBLE_SECRET");
    let messages: Vec<String> =
        ours.map(|warning| warning["message"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(!Value::from(messages.clone()).to_string().contains("a1B2"), "a warning repeats the secret");
    messages
}

both!(whoever_pastes_a_key_is_warned, |app| async move {
    let owner = app.owner().await;
    let content = format!("Hello\nUse {} to call", key());
    let made =
        owner.post("/prompts", json!({ "title": "a", "slug": "a", "content": content })).await.created();
    let messages = warned(&made);
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].starts_with("Line 2 of the text looks like it holds an Anthropic API key."),
        "{messages:?}"
    );
    assert!(made.data()["published"].as_bool().unwrap(), "it is saved all the same");
    let saved = owner.put("/prompts/a", json!({ "description": key(), "publish": false })).await.ok();
    assert!(warned(&saved)[0].starts_with("The description"));
    let chat = json!([{ "role": "system", "content": "Hi" }, { "role": "user", "content": key() }]);
    let saved = owner.put("/prompts/a/draft", json!({ "messages": chat })).await.ok();
    assert!(warned(&saved)[0].starts_with("Line 1 of message 2"), "{:?}", warned(&saved));
    let body = json!({ "content": "x", "variables": [{ "name": "k", "default": key() }], "config": { "headers": { "x": key() } } });
    let saved = owner.post("/prompts/a/versions", body).await.created();
    assert_eq!(warned(&saved).len(), 2, "{}", saved.text);
    // Nobody is bothered about what is none.
    text(&owner, "b", "x").await;
    let fine = owner
        .put("/prompts/b", json!({ "content": "Your key is {{ api_key }}, password: {{ password }}" }))
        .await
        .ok();
    assert!(warned(&fine).is_empty());
});
