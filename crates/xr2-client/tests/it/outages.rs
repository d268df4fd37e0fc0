//! The server away, unwell, set back; the key revoked.

use axum::http::StatusCode;
use serde_json::json;
use xr2_client::{Client, Error, Source};

use crate::server::{KEY, Server, Streams, prompt, text, until};

#[tokio::test]
async fn the_last_good_prompts_go_on_being_used() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    server.script().down = Some(StatusCode::SERVICE_UNAVAILABLE);
    server.script().stream = Streams::Refused(503);
    server.cut();
    until(&client, |client| !client.is_live()).await;
    server.until_asked("bundle", |asked| asked.last().unwrap().status == 503).await;
    let bridged = client.get("a").await.unwrap();
    assert_eq!((bridged.text(), bridged.source()), (Some("one"), Source::Cache));
    server.set(prompt("a", 2, "two"));
    server.script().down = None;
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    server.script().stream = Streams::Open;
    until(&client, |client| client.is_live()).await;
}

#[tokio::test]
async fn without_a_server_there_is_the_fallback_at_once() {
    let nowhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = Client::builder().url(format!("http://{nowhere}")).api_key(KEY).build().unwrap();
    let prompt = client.get("a").fallback("Hello").await.unwrap();
    assert_eq!((prompt.text(), prompt.source()), (Some("Hello"), Source::Fallback));
    assert!(prompt.cause().unwrap().is_outage());
    assert!(matches!(client.get("a").await, Err(Error::Connection(_))));
    client.close().await;
    assert!(matches!(client.get("a").await, Err(Error::Closed)));
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_not_waited_for() {
    // A server that takes connections and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::builder().url(url).api_key(KEY).build().unwrap();
    let timeout = std::time::Duration::from_millis(30);
    assert!(matches!(client.get("a").timeout(timeout).await, Err(Error::Timeout(_))));
    drop(listener);
}

#[tokio::test]
async fn a_revoked_key_ends_everything_until_it_is_good_again() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompts.xr2");
    let client = server.builder().snapshot(&file).build().unwrap();
    until(&client, |client| client.is_live()).await;
    server.script().down = Some(StatusCode::UNAUTHORIZED);
    server.script().stream = Streams::Refused(401);
    server.cut();
    until(&client, |client| client.get_now("a").is_err()).await;
    assert!(matches!(client.get("a").await, Err(Error::Auth(_))));
    assert!(matches!(client.ready().await, Err(Error::Auth(_))));
    assert_eq!(client.get("a").fallback("f").await.unwrap().source(), Source::Fallback);
    server.script().down = None;
    server.script().stream = Streams::Open;
    until(&client, |client| text(client, "a").as_deref() == Some("one")).await;
    server.script().down = Some(StatusCode::UNAUTHORIZED);
    server.script().stream = Streams::Refused(401);
    server.cut();
    until(&client, |client| client.get_now("a").is_err()).await;
    client.close().await;
    assert!(!file.exists(), "what was fetched with a revoked key is kept nowhere");
}

#[tokio::test]
async fn a_proxy_that_says_401_revokes_no_key() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    // The sign-in page of a hotel speaks for nobody.
    let page = axum::Router::new().fallback(|| async { (StatusCode::UNAUTHORIZED, "<h1>Welcome</h1>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, page).await });
    let lost = Client::builder().url(url).api_key(KEY).build().unwrap();
    let error = lost.get("a").await.unwrap_err();
    assert!(error.is_outage(), "{error}");
}

#[tokio::test]
async fn a_node_that_is_behind_undoes_nothing_but_a_restored_backup_is_believed_in_the_end() {
    let server = Server::start(50, vec![prompt("a", 5, "five")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    {
        let mut script = server.script();
        script.revision = 20;
        script.prompts = vec![prompt("a", 2, "two")];
    }
    server.cut();
    let polls = server.asked("bundle").len();
    server.until_asked("bundle", |asked| asked.len() >= polls + 3).await;
    assert_eq!(text(&client, "a").as_deref(), Some("five"), "it may be another node, a moment behind");
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    until(&client, |client| client.is_live()).await;
    assert_eq!(client.revision(), Some(20));
    server.say("put", 21, &json!({"revision": 21, "prompt": prompt("a", 3, "three")}));
    until(&client, |client| text(client, "a").as_deref() == Some("three")).await;
}
