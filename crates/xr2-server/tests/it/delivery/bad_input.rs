//! Whatever is sent, the answer is clear.

use serde_json::{Value, json};
use xr2_testkit::both;

use super::{content, people, text};

both!(queries_that_cannot_be_read, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "{{ a }}").await;
    let revision = app.revision().await;
    key.get("/prompts/p?a=%ff").await.error(400, "BAD_REQUEST").says("UTF-8");
    key.get("/prompts/p?a=%00").await.error(400, "BAD_REQUEST").says("NUL");
    key.get("/prompts/p?label=x&version=1").await.error(400, "BAD_REQUEST").says("not both");
    key.get("/prompts/p/versions/1?label=x").await.error(400, "BAD_REQUEST");
    key.get("/prompts/p?version=zero").await.wrong_fields(&["version"]);
    key.get("/prompts/p?format=xml&render=perhaps").await.wrong_fields(&["format", "render"]);
    key.get(&format!("/prompts/p?{}", "v&".repeat(1001))).await.error(400, "BAD_REQUEST").says("1000");
    key.get("/prompts/%ff").await.error(400, "BAD_REQUEST");
    key.get("/prompts/%00").await.error(404, "NOT_FOUND");
    let min = key.request("GET", "/prompts/p").header("x-xr2-min-revision", "soon").send().await;
    min.error(400, "BAD_REQUEST").says("X-XR2-Min-Revision");
    let long = "x".repeat(50_000);
    assert_eq!(content(&key.get(&format!("/prompts/p?a={long}")).await.ok()), long);
    let unknown: String = (0..900).map(|n| format!("&unknown{n}=1")).collect();
    let answer = key.get(&format!("/prompts/p?a=1{unknown}")).await.ok();
    assert_eq!(answer.json["meta"]["warnings"].as_array().map(Vec::len), Some(900));
    assert_eq!(content(&key.get("/prompts/p?a=100%").await.ok()), "100%", "a stray percent sign is kept");
    assert_eq!(app.revision().await, revision);
});

both!(bodies_that_cannot_be_read, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "{{ a }}").await;
    let render = |body: &'static str| {
        let key = key.clone();
        async move {
            let request = key.request("POST", "/prompts/p/render").header("content-type", "application/json");
            request.bytes(body).send().await
        }
    };
    render("{").await.error(400, "BAD_REQUEST").says("JSON");
    render("[]").await.error(422, "VALIDATION_ERROR");
    render(r#"{"variables":[1]}"#).await.wrong_fields(&["variables"]);
    render(r#"{"variables":{"a":"\u0000"}}"#).await.error(422, "VALIDATION_ERROR");
    render(r#"{"varables":{}}"#).await.wrong_fields(&["varables"]);
    render(r#"{"label":"x","version":1}"#).await.error(400, "BAD_REQUEST");
    render(r#"{"version":0}"#).await.wrong_fields(&["version"]);
    render(r#"{"version":true}"#).await.error(422, "VALIDATION_ERROR");
    render(r#"{"format":"xml"}"#).await.wrong_fields(&["format"]);
    let many: Value =
        (0..1001).map(|n| (format!("v{n}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    key.post("/prompts/p/render", json!({ "variables": many })).await.wrong_fields(&["variables"]);
    let deep = format!(r#"{{"variables":{{"a":{}1{}}}}}"#, "[".repeat(5000), "]".repeat(5000));
    let request = key.request("POST", "/prompts/p/render").header("content-type", "application/json");
    request.bytes(deep).send().await.error(400, "BAD_REQUEST");
    let plain = key.request("POST", "/prompts/p/render").header("content-type", "text/plain").bytes("{}");
    plain.send().await.error(415, "UNSUPPORTED_MEDIA_TYPE");
});

both!(large_prompts_are_delivered_whole, |app| async move {
    let (owner, key) = people(&app).await;
    let large = format!("{{{{ a }}}} {}", "lorem ipsum \"dolor\"\n".repeat(40_000));
    text(&owner, "large", &large).await;
    let answer = key.get("/prompts/large?a=x").await.ok();
    assert_eq!(content(&answer), large.replace("{{ a }}", "x"));
    // A value that makes it larger than may be is refused, not cut.
    let twice = "{{ a }}{{ a }}{{ a }}";
    text(&owner, "grows", twice).await;
    let values = json!({ "variables": { "a": "x".repeat(3_500_000) } });
    key.post("/prompts/grows/render", values).await.error(422, "TEMPLATE_ERROR").says("larger than");
});
