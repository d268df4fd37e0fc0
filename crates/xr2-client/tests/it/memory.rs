//! What is read from memory, and how it comes there.

use serde_json::json;
use xr2_client::{Error, Source};

use crate::server::{Server, prompt, text, until};

#[tokio::test]
async fn a_prompt_is_loaded_once_and_read_from_memory() {
    let server = Server::start(7, vec![prompt("welcome", 3, "Hello {{ name }}!")]).await;
    let client = server.client();
    let first = client.get("welcome").await.unwrap();
    assert_eq!((first.slug(), first.version(), first.label()), ("welcome", Some(3), Some("production")));
    assert_eq!(first.config().unwrap()["model"], "gpt-4.1");
    assert_eq!(first.render([("name", "Ada")]).unwrap().text(), Some("Hello Ada!"));
    until(&client, |client| client.is_live()).await;
    for _ in 0..100 {
        assert_eq!(client.get("welcome").await.unwrap().source(), Source::Stream);
    }
    assert_eq!(client.get_now("id-welcome").unwrap().slug(), "welcome");
    assert_eq!(client.revision(), Some(7));
    assert!(server.asked("prompt").is_empty(), "nothing is asked one by one");
    assert_eq!(server.asked("stream").len(), 1);
}

#[tokio::test]
async fn a_bundle_of_many_pages_is_put_together() {
    let prompts = (0..25).map(|number| prompt(&format!("p{number}"), number, "x")).collect();
    let server = Server::start(1, prompts).await;
    server.script().page = 10;
    let client = server.client();
    client.ready().await.unwrap();
    for number in 0..25 {
        assert_eq!(client.get_now(&format!("p{number}")).unwrap().version(), Some(number));
    }
    let cursors: Vec<_> =
        server.asked("bundle").iter().take(3).map(|one| one.query.get("cursor").cloned()).collect();
    assert_eq!(cursors, [None, Some("10".to_owned()), Some("20".to_owned())]);
}

#[tokio::test]
async fn wrong_values_are_told_all_at_once() {
    let mut strict = prompt("strict", 1, "{{ name }} {{ age }} {{ tone }}");
    strict["variables"] = json!([
        {"name": "name", "type": "string", "required": true, "used": true, "discovered": false},
        {"name": "age", "type": "integer", "required": true},
        {"name": "tone", "type": "string", "required": false, "discovered": true, "used": true},
    ]);
    let server = Server::start(1, vec![strict]).await;
    let client = server.client();
    let prompt = client.get("strict").await.unwrap();
    let Error::MissingVariables { variables, .. } = prompt.render([("age", "old")]).unwrap_err() else {
        panic!("a missing value is no matter of type")
    };
    assert_eq!(variables.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["name", "age"]);
    let error = prompt.render([("name", json!("Ada")), ("age", json!("old"))]).unwrap_err();
    assert_eq!(error.code(), "INVALID_VARIABLES");
    let rendered = prompt.render(json!({"name": "Ada", "age": 36, "nmae": "x"})).unwrap();
    assert_eq!(rendered.text(), Some("Ada 36 {{ tone }}"));
    assert_eq!(rendered.missing(), ["tone"]);
    assert_eq!(rendered.warnings()[0].nearest.as_deref(), Some("name"));
}

#[tokio::test]
async fn a_rendered_prompt_becomes_a_request() {
    let mut chat = prompt("chat", 1, "");
    chat.as_object_mut().unwrap().remove("content");
    chat["type"] = json!("chat");
    chat["messages"] = json!([
        {"role": "system", "content": "Be {{ mood }}.", "from_the_future": 1},
        {"type": "placeholder", "name": "history", "required": false},
        {"role": "user", "content": "{{ question }}"},
    ]);
    let server = Server::start(1, vec![chat]).await;
    let client = server.client();
    let values =
        json!({"mood": "kind", "question": "{{ why }}", "history": [{"role": "user", "content": "Hi"}]});
    let rendered = client.get("chat").await.unwrap().render(values).unwrap();
    let request = rendered.to_openai().request;
    assert_eq!(
        request["messages"],
        json!([
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {"role": "user", "content": "{{ why }}"},
        ])
    );
    assert_eq!(rendered.to_anthropic().request["system"], "Be kind.");
    assert_eq!(rendered.to_google().model.as_deref(), Some("gpt-4.1"));
}

#[tokio::test]
async fn other_labels_are_followed_as_soon_as_they_are_asked_for() {
    let mut staged = prompt("welcome", 4, "staged");
    staged["id"] = json!("id-welcome");
    staged["label"] = json!("staging");
    let mut server_prompts = vec![prompt("welcome", 3, "live")];
    server_prompts.push(staged.clone());
    let server = Server::start(5, server_prompts).await;
    let client = server.client();
    assert_eq!(client.get("welcome").await.unwrap().text(), Some("live"));
    assert_eq!(client.get("welcome").label("staging").await.unwrap().text(), Some("staged"));
    // One stream serves both: it is opened anew, for every label.
    let streams = server
        .until_asked("stream", |asked| asked.last().is_some_and(|one| !one.query.contains_key("label")))
        .await;
    assert_eq!(streams[0].query["label"], "production");
    until(&client, |client| client.is_live()).await;
    staged["content"] = json!("staged anew");
    staged["version"] = json!(5);
    server.say("put", 6, &json!({"revision": 6, "prompt": staged}));
    until(&client, |client| {
        client.get("welcome").label("staging").now().unwrap().text() == Some("staged anew")
    })
    .await;
    assert_eq!(text(&client, "welcome").as_deref(), Some("live"));
}

#[tokio::test]
async fn many_are_got_together_and_only_what_is_missing_is_asked_for() {
    let server = Server::start(1, vec![prompt("a", 1, "A"), prompt("b", 2, "B")]).await;
    server.script().single.insert("c".to_owned(), prompt("c", 3, "C"));
    let client = server.client();
    client.ready().await.unwrap();
    let many = client.get_many(["a", "b", "c", "d"]).await;
    let found: Vec<_> = many
        .iter()
        .map(|(slug, one)| (slug.as_str(), one.as_ref().ok().and_then(|one| one.version())))
        .collect();
    assert_eq!(found, [("a", Some(1)), ("b", Some(2)), ("c", Some(3)), ("d", None)]);
    assert!(matches!(many["d"], Err(Error::NotFound(_))));
    assert_eq!(server.asked("batch")[0].body["slugs"], json!(["c", "d"]));
}

#[test]
fn a_program_without_a_runtime_can_use_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start(1, vec![prompt("welcome", 1, "Hello")]));
    let client = server.client();
    assert_eq!(client.get("welcome").blocking().unwrap().text(), Some("Hello"));
    assert_eq!(client.get("gone").fallback("Hi").blocking().unwrap().source(), Source::Fallback);
    // No executor at all: the future only waits for the client's own thread.
    assert_eq!(
        futures::executor::block_on(async { client.get("welcome").await }).unwrap().version(),
        Some(1)
    );
    futures::executor::block_on(client.close());
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_no_secret_is_shown() {
    let server = Server::start(1, vec![]).await;
    let client = server.client();
    let error = client.get("a").label("x").version(1).fallback("f").await.unwrap_err();
    assert_eq!(error.code(), "USAGE");
    assert!(matches!(
        xr2_client::Client::builder().url("ftp://x").api_key("k").build(),
        Err(Error::Usage(_))
    ));
    let shown = format!("{client:?} {:?} {:?}", server.builder(), client.get("a").await);
    assert!(!shown.contains(crate::server::KEY), "{shown}");
}
