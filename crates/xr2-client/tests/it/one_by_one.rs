//! What memory does not hold is asked for one by one.

use serde_json::json;
use xr2_client::{Error, Source};

use crate::server::{Server, Streams, prompt, until};

#[tokio::test]
async fn a_version_is_asked_for_once() {
    let server = Server::start(1, vec![prompt("welcome", 9, "new")]).await;
    let mut old = prompt("welcome", 7, "old");
    old["label"] = json!(null);
    server.script().single.insert("welcome".to_owned(), old);
    let client = server.client();
    let prompts: Vec<_> = futures::future::join_all((0..50).map(|_| {
        let client = client.clone();
        async move { client.get("welcome").version(7).await.unwrap() }
    }))
    .await;
    assert!(prompts.iter().all(|prompt| prompt.text() == Some("old")));
    assert_eq!(client.get("welcome").version(7).await.unwrap().source(), Source::Cache);
    let asked = server.asked("prompt");
    assert_eq!(asked.len(), 1, "fifty callers share one request");
    assert_eq!(asked[0].query["version"], "7");
}

#[tokio::test]
async fn what_is_not_there_is_an_error_or_the_fallback() {
    let server = Server::start(1, vec![]).await;
    let client = server.client();
    let Err(Error::NotFound(refusal)) = client.get("gone").await else { panic!("it is not there") };
    assert_eq!((refusal.status, refusal.request_id.as_deref()), (404, Some("req-1")));
    let fallback = client.get("gone").fallback("Hello {{ name }}").await.unwrap();
    assert_eq!(fallback.source(), Source::Fallback);
    assert_eq!(fallback.cause().map(Error::code), Some("NOT_FOUND"));
    assert_eq!(fallback.render([("name", "Ada")]).unwrap().text(), Some("Hello Ada"));
    assert_eq!(server.asked("prompt").len(), 1, "nobody asks again at once");
}

#[tokio::test]
async fn the_server_says_which_user_gets_which_variant() {
    let mut tested = prompt("welcome", 3, "control");
    tested["ab_test"] = json!({"id": "t", "name": "tone", "variant": "control", "assignment_id": "1"});
    let server = Server::start(1, vec![tested.clone(), prompt("plain", 1, "x")]).await;
    tested["ab_test"]["variant"] = json!("warm");
    server.script().single.insert("welcome".to_owned(), tested);
    let client = server.client();
    assert_eq!(client.get("welcome").user_id("u-42").await.unwrap().variant(), Some("warm"));
    assert_eq!(server.asked("prompt")[0].query["user_id"], "u-42");
    client.get("plain").user_id("u-42").await.unwrap();
    assert_eq!(server.asked("prompt").len(), 1, "where no test runs, memory knows as well");
}

#[tokio::test]
async fn a_selection_leaves_out_the_rest() {
    let server = Server::start(1, vec![prompt("a", 1, "A")]).await;
    server.script().single.insert("b".to_owned(), prompt("b", 1, "B"));
    let client = server.builder().slugs(["a", "x"]).tags(["shop"]).build().unwrap();
    assert_eq!(client.get("b").await.unwrap().source(), Source::Api);
    until(&client, |client| client.is_live()).await;
    for path in ["bundle", "stream"] {
        let query = &server.asked(path)[0].query;
        assert_eq!((query["slugs"].as_str(), query["tags"].as_str()), ("a,x", "shop"), "{path}");
    }
}

#[tokio::test]
async fn a_prompt_of_a_newer_kind_is_rendered_by_the_server() {
    let mut newer = prompt("newer", 4, "{{ x }}");
    newer["syntax"] = json!("handlebars");
    let server = Server::start(1, vec![newer]).await;
    let client = server.client();
    let prompt = client.get("newer").await.unwrap();
    assert_eq!(prompt.text(), Some("{{ x }}"));
    assert_eq!(prompt.render(()).unwrap_err().code(), "TEMPLATE_ERROR");
    let rendered = client.render("newer", [("x", 1)]).await.unwrap();
    assert_eq!((rendered.text(), rendered.missing()), (Some("rendered there"), &["x".to_owned()][..]));
    assert_eq!(server.asked("render")[0].body, json!({"variables": {"x": 1}, "version": 4}));
}

#[tokio::test]
async fn an_older_server_without_bundles_serves_all_the_same() {
    let server = Server::start(1, vec![]).await;
    server.script().down = Some(axum::http::StatusCode::NOT_FOUND);
    server.script().stream = Streams::Refused(404);
    let client = server.client();
    assert!(client.ready().await.is_err());
    server.script().down = None;
    server.script().single.insert("a".to_owned(), prompt("a", 1, "A"));
    assert_eq!(client.get("a").await.unwrap().text(), Some("A"));
}
