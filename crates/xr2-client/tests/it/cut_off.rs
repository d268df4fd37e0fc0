//! A node that is cut off from its database, and says so: it may be behind, and is not believed over what is newer.

use std::time::Duration;

use serde_json::json;
use xr2_client::{Client, Prompt, Source};

use crate::server::{Server, prompt, text, until};

/// More bundles than it takes to believe that a server was set back.
const OFTEN: usize = 15;

/// From now on the server is what it was long ago.
fn set_back(server: &Server, stale: bool) {
    let mut script = server.script();
    script.revision = 20;
    script.prompts = vec![prompt("a", 2, "two")];
    script.single.insert("b".to_owned(), prompt("b", 2, "two"));
    script.stale = stale;
}

/// Has the client ask for the bundle now: the stream says something that nobody understands.
async fn ask(server: &Server) {
    let polls = server.asked("bundle").len();
    server.raw("event: put\nid: 60\ndata: {\"revision\":60}\n\n");
    server.until_asked("bundle", |asked| asked.len() > polls).await;
}

#[tokio::test]
async fn it_undoes_nothing_however_often_it_is_asked_and_a_restored_server_is_believed() {
    let server = Server::start(50, vec![prompt("a", 5, "five")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    set_back(&server, true);
    server.cut();
    server.until_asked("stream", |asked| asked.len() == 2).await;
    for _ in 0..OFTEN {
        ask(&server).await;
        assert_eq!(text(&client, "a").as_deref(), Some("five"));
    }
    assert_eq!((client.is_live(), client.revision()), (false, Some(50)));
    server.script().stale = false;
    ask(&server).await;
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    until(&client, |client| client.is_live()).await;
    server.say("put", 21, &json!({"revision": 21, "prompt": prompt("a", 3, "three")}));
    until(&client, |client| text(client, "a").as_deref() == Some("three")).await;
}

#[tokio::test]
async fn its_stream_is_listened_to_and_left_as_soon_as_some_node_is_in_touch() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    server.script().stale = true;
    let client = server.client();
    client.ready().await.unwrap();
    server.until_asked("stream", |asked| asked.len() == 1).await;
    server.say("put", 8, &json!({"revision": 8, "prompt": prompt("a", 2, "two")}));
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    assert_eq!(client.get_now("a").unwrap().source(), Source::Cache, "there may be something newer");
    let polls = server.asked("bundle").len();
    server.until_asked("bundle", |asked| asked.len() > polls + 1).await;
    assert!(!client.is_live());
    server.set(prompt("a", 2, "two"));
    server.script().stale = false;
    until(&client, |client| client.is_live()).await;
    assert!(server.asked("stream").len() > 1);
}

#[tokio::test]
async fn what_it_tells_late_is_no_news() {
    let server = Server::start(50, vec![prompt("a", 5, "five")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    set_back(&server, true);
    server.cut();
    server.until_asked("stream", |asked| asked.len() == 2).await;
    server.say("put", 30, &json!({"revision": 30, "prompt": prompt("gone", 1, "gone by now")}));
    server.say("put", 51, &json!({"revision": 51, "prompt": prompt("a", 6, "six")}));
    until(&client, |client| text(client, "a").as_deref() == Some("six")).await;
    assert_eq!(text(&client, "gone"), None);
}

/// The prompt as soon as the server was asked for it once more.
async fn asked_again(server: &Server, client: &Client) -> Prompt {
    let before = server.asked("prompt").len();
    loop {
        let prompt = client.get("b").await.unwrap();
        if server.asked("prompt").len() > before {
            return prompt;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn its_single_prompts_and_batches_undo_nothing_either() {
    let server = Server::start(50, vec![prompt("a", 5, "five")]).await;
    server.script().single.insert("b".to_owned(), prompt("b", 5, "five"));
    let client = server.client();
    assert_eq!(client.get("b").await.unwrap().text(), Some("five"));
    set_back(&server, true);
    let single = asked_again(&server, &client).await;
    assert_eq!((single.text(), single.source(), single.is_stale()), (Some("five"), Source::Cache, true));
    let many = client.get_many(["b"]).await;
    let of_batch = many["b"].as_ref().unwrap();
    assert_eq!((of_batch.text(), of_batch.is_stale(), server.asked("batch").len()), (Some("five"), true, 1));
    server.script().stale = false;
    assert_eq!(asked_again(&server, &client).await.text(), Some("two"));
}
