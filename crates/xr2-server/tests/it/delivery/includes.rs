//! Snippets in deliveries.

use serde_json::json;
use xr2_testkit::both;

use super::{content, people, prompt, publish, text};

both!(a_snippet_is_put_in_line_and_followed, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "house-rules", "Be {{ tone }}.").await;
    let template = "{% include \"house-rules\" %} Answer {{ question }}";
    prompt(&owner, json!({ "title": "M", "slug": "mail", "content": template, "syntax": "jinja" })).await;
    let pinned = "{% include \"house-rules@1\" %}";
    prompt(&owner, json!({ "title": "P", "slug": "pinned", "content": pinned, "syntax": "jinja" })).await;
    let answer = key.get("/prompts/mail?tone=kind&question=why").await.ok();
    assert_eq!(content(&answer), "Be kind. Answer why");
    assert_eq!(answer.data()["includes"], json!([{ "slug": "house-rules", "version": 1 }]));
    let names: Vec<_> =
        answer.data()["variables"].as_array().into_iter().flatten().map(|v| &v["name"]).collect();
    assert!(names.contains(&&json!("tone")) && names.contains(&&json!("question")));
    assert_eq!(content(&key.get("/prompts/pinned?tone=x").await.ok()), "Be x.");

    publish(&owner, "house-rules", "Stay {{ tone }}.").await;
    let answer = key.get("/prompts/mail?tone=kind&question=why").await.ok();
    assert_eq!(content(&answer), "Stay kind. Answer why");
    assert_eq!(answer.data()["includes"][0]["version"], 2);
    assert_eq!(content(&key.get("/prompts/pinned?tone=x").await.ok()), "Be x.");

    owner.put("/prompts/house-rules/labels/production", json!({ "version": 1 })).await.ok();
    assert_eq!(content(&key.get("/prompts/mail?tone=kind&question=why").await.ok()), "Be kind. Answer why");
    owner.put("/prompts/house-rules", json!({ "slug": "rules" })).await.ok();
    let renamed = key.get("/prompts/mail?tone=kind&question=why").await.ok();
    assert_eq!(renamed.data()["includes"][0]["slug"], "rules", "a former slug leads to it still");
});

both!(a_snippet_that_goes_leaves_a_clear_error, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "deep", "deep").await;
    prompt(
        &owner,
        json!({ "title": "S", "slug": "snippet", "content": "{% include \"deep\" %}", "syntax": "jinja" }),
    )
    .await;
    prompt(
        &owner,
        json!({ "title": "M", "slug": "mail", "content": "{% include \"snippet\" %}", "syntax": "jinja" }),
    )
    .await;
    assert_eq!(content(&key.get("/prompts/mail").await.ok()), "deep");
    publish(&owner, "deep", "deeper").await;
    assert_eq!(content(&key.get("/prompts/mail").await.ok()), "deeper", "through two includes");
    owner.delete("/prompts/deep?force=true").await.ok();
    for _ in 0..2 {
        key.get("/prompts/mail").await.error(422, "TEMPLATE_ERROR").says("deep");
    }
    owner.post("/prompts/deep/undelete", json!({})).await.ok();
    assert_eq!(content(&key.get("/prompts/mail").await.ok()), "deeper");
});

both!(circles_are_refused, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "a").await;
    prompt(
        &owner,
        json!({ "title": "B", "slug": "b", "content": "{% include \"a\" %}b", "syntax": "jinja" }),
    )
    .await;
    let circle = json!({ "content": "{% include \"b\" %}a", "syntax": "jinja" });
    owner.put("/prompts/a", circle).await.error(422, "TEMPLATE_ERROR").says("itself");
    let own = json!({ "content": "{% include \"a\" %}", "syntax": "jinja" });
    owner.put("/prompts/a", own).await.error(422, "TEMPLATE_ERROR").says("itself");
    assert_eq!(content(&key.get("/prompts/b").await.ok()), "ab");
    // A circle that closes through a label that moves later, is found when it is delivered.
    owner.post("/prompts/a/versions", json!({ "content": "a2" })).await.created();
    let other = json!({ "title": "C", "slug": "c", "content": "{% include \"a@staging\" %}c", "syntax": "jinja", "publish": false });
    owner.post("/prompts", other).await.error(422, "TEMPLATE_ERROR").says("staging");
});
