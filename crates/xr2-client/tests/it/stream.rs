//! The stream: what it brings, and what is done when it does not.

use std::time::Duration;

use serde_json::json;
use xr2_client::Source;

use crate::server::{Server, Streams, prompt, text, until};

#[tokio::test]
async fn a_publish_arrives_and_a_deletion_too() {
    let server = Server::start(7, vec![prompt("a", 1, "one"), prompt("b", 1, "b")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    server.put(prompt("a", 2, "two"));
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    until(&client, |client| client.revision() == Some(8)).await;
    let in_hand = client.get_now("a").unwrap();
    server.say("changed", 9, &json!({"slug": "a", "revision": 9}));
    server.say("delete", 9, &json!({"revision": 9, "id": "id-a", "slug": "a", "label": "production"}));
    until(&client, |client| client.get_now("a").is_err()).await;
    assert_eq!(in_hand.text(), Some("two"), "what is in hand does not change");
    assert_eq!(client.revision(), Some(8), "a revision is complete when the next begins");
    server.raw(": ping\n\n");
    until(&client, |client| client.revision() == Some(9)).await;
    assert_eq!(server.asked("bundle").last().unwrap().status, 200);
    assert_eq!(client.get_now("b").unwrap().source(), Source::Stream);
}

#[tokio::test]
async fn what_comes_out_of_order_or_late_overwrites_nothing_newer() {
    let server = Server::start(10, vec![prompt("a", 10, "ten")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    server.say("put", 13, &json!({"revision": 13, "prompt": prompt("a", 13, "thirteen")}));
    server.say("put", 12, &json!({"revision": 12, "prompt": prompt("a", 12, "twelve")}));
    server.say("delete", 11, &json!({"revision": 11, "id": "id-a", "slug": "a", "label": "production"}));
    server.say("put", 14, &json!({"revision": 14, "prompt": prompt("b", 1, "b")}));
    until(&client, |client| text(client, "b").is_some()).await;
    assert_eq!(text(&client, "a").as_deref(), Some("thirteen"));
}

#[tokio::test]
async fn after_a_cut_it_goes_on_where_it_was() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    server.put(prompt("a", 2, "two"));
    until(&client, |client| client.revision() == Some(8)).await;
    server.cut();
    let streams = server.until_asked("stream", |asked| asked.len() == 2).await;
    assert!(streams[0].headers.get("last-event-id").is_none());
    assert_eq!(streams[1].headers["last-event-id"], "8");
    until(&client, |client| client.is_live()).await;
}

#[tokio::test]
async fn nobody_asks_for_a_bundle_when_the_stream_is_back_in_time() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.builder().poll_interval(Duration::from_secs(3600)).build().unwrap();
    until(&client, |client| client.is_live()).await;
    server.put(prompt("a", 2, "two"));
    until(&client, |client| client.revision() == Some(8)).await;
    let bundles = server.asked("bundle").len();
    server.cut();
    server.until_asked("stream", |asked| asked.len() == 2).await;
    until(&client, |client| client.is_live()).await;
    server.put(prompt("a", 3, "three"));
    until(&client, |client| text(client, "a").as_deref() == Some("three")).await;
    assert_eq!(server.asked("bundle").len(), bundles, "thousands would ask in the same instant");
}

#[tokio::test]
async fn where_nothing_was_put_the_bundle_is_not_sent_again() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    // Revisions that did not concern the label.
    server.say("mark", 9, &json!({"revision": 9}));
    until(&client, |client| client.revision() == Some(9)).await;
    let before = server.asked("bundle").len();
    server.script().stream = Streams::Refused(503);
    server.cut();
    let asked = server.until_asked("bundle", |asked| asked.len() > before).await;
    assert_eq!(asked[before].headers["if-none-match"], "\"r7-production\"");
    assert_eq!(asked[before].status, 304);
}

#[tokio::test]
async fn what_a_stream_kept_back_is_found_by_asking_now_and_then() {
    let server = Server::start(7, vec![prompt("a", 1, "one"), prompt("b", 1, "b")]).await;
    let client = server.builder().recheck_interval(Duration::from_millis(20)).build().unwrap();
    until(&client, |client| client.is_live()).await;
    server.until_asked("bundle", |asked| asked.iter().any(|one| one.status == 304)).await;
    server.script().prompts.retain(|one| one["slug"] != "b");
    server.set(prompt("a", 2, "two"));
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    assert_eq!(text(&client, "b"), None);
    // A node that is behind, or unwell, changes nothing.
    server.script().revision = 5;
    for down in [None, Some(axum::http::StatusCode::BAD_GATEWAY)] {
        let before = server.asked("bundle").len();
        server.script().down = down;
        server.until_asked("bundle", |asked| asked.len() > before + 1).await;
        assert_eq!(text(&client, "a").as_deref(), Some("two"));
        assert!(client.is_live());
    }
    assert_eq!(server.asked("stream").len(), 1);
}

#[tokio::test]
async fn behind_the_window_the_bundle_is_fetched() {
    let server = Server::start(7, vec![prompt("a", 1, "one"), prompt("b", 1, "b")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    server.script().prompts.retain(|one| one["slug"] != "b");
    let revision = server.set(prompt("a", 5, "five")) + 42;
    server.script().revision = revision;
    server.say("resync", revision, &json!({"revision": revision}));
    // What follows goes on from there, and is not undone by the bundle that comes later.
    server.say("put", revision + 1, &json!({"revision": revision + 1, "prompt": prompt("c", 1, "c")}));
    until(&client, |client| text(client, "a").as_deref() == Some("five")).await;
    assert_eq!(text(&client, "b"), None);
    assert_eq!(text(&client, "c").as_deref(), Some("c"));
    let asked = server.asked("bundle");
    assert_eq!(asked.last().unwrap().headers["x-xr2-min-revision"], revision.to_string());
    until(&client, |client| client.is_live()).await;
}

#[tokio::test]
async fn a_stream_that_never_sends_is_no_stream() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    server.script().stream = Streams::Mute;
    let client = server.client();
    assert_eq!(client.get("a").await.unwrap().source(), Source::Cache);
    server.set(prompt("a", 2, "two"));
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    assert!(!client.is_live());
}

#[tokio::test]
async fn after_three_heartbeats_of_silence_it_is_given_up_and_must_prove_itself() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    server.script().heartbeat = 0.05;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    // Nothing comes any more, though the connection stands.
    until(&client, |client| !client.is_live()).await;
    server.set(prompt("a", 2, "two"));
    until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
    server.script().heartbeat = 60.0;
    let before = server.asked("stream").len();
    server.until_asked("stream", |asked| asked.len() > before).await;
    let polls = server.asked("bundle").len();
    server.until_asked("bundle", |asked| asked.len() > polls + 1).await;
    assert!(!client.is_live(), "a hello alone is not believed again");
    server.raw(": ping\n\n");
    until(&client, |client| client.is_live()).await;
}

#[tokio::test]
async fn where_streams_are_blocked_it_polls_and_stops_when_they_are_not() {
    for blocked in [Streams::Refused(503), Streams::Refused(404), Streams::Page] {
        let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
        server.script().stream = blocked;
        let client = server.client();
        assert_eq!(client.get("a").await.unwrap().source(), Source::Cache);
        server.until_asked("bundle", |asked| asked.iter().filter(|one| one.status == 304).count() >= 3).await;
        server.set(prompt("a", 2, "two"));
        until(&client, |client| text(client, "a").as_deref() == Some("two")).await;
        assert!(!client.get_now("a").unwrap().is_stale());
        server.script().stream = Streams::Open;
        until(&client, |client| client.is_live()).await;
        server.put(prompt("a", 3, "three"));
        until(&client, |client| text(client, "a").as_deref() == Some("three")).await;
        assert_eq!(client.get_now("a").unwrap().source(), Source::Stream);
        let polls = server.asked("bundle").len();
        server.put(prompt("a", 4, "four"));
        until(&client, |client| text(client, "a").as_deref() == Some("four")).await;
        assert!(server.asked("bundle").len() <= polls + 1, "polling retires");
    }
}

#[tokio::test]
async fn what_cannot_be_read_leads_to_a_fresh_bundle() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    let client = server.client();
    until(&client, |client| client.is_live()).await;
    for (version, broken) in [(2, "{not json"), (3, "{\"revision\":REV,\"prompt\":{\"id\":7}}"), (4, "[]")] {
        let revision = server.set(prompt("a", version, "x"));
        let data = broken.replace("REV", &revision.to_string());
        server.raw(&format!("event: put\nid: {revision}\ndata: {data}\n\n"));
        until(&client, |client| client.get_now("a").unwrap().version() == Some(version)).await;
    }
    // What a newer server says more of, and fields nobody knows, disturb nothing.
    server.say("poetry", 99, &json!({"revision": 99}));
    let mut more = prompt("a", 5, "five");
    more["from_the_future"] = json!({"x": 1});
    server.put(more);
    until(&client, |client| client.get_now("a").unwrap().version() == Some(5)).await;
    assert!(client.is_live());
}

#[tokio::test]
async fn a_stream_of_anything_else_is_cut_and_polling_goes_on() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    server.script().stream = Streams::Mute;
    let client = server.client();
    server.until_asked("stream", |asked| asked.len() == 1).await;
    server.raw("event: put\nid: 9\ndata: {\"revision\":9}\n\n");
    server.until_asked("stream", |asked| asked.len() == 2).await;
    assert_eq!(client.get("a").await.unwrap().source(), Source::Cache);
}

#[tokio::test]
async fn what_lies_before_the_beginning_of_a_stream_comes_with_a_bundle() {
    let server = Server::start(7, vec![prompt("a", 1, "one")]).await;
    server.script().stream = Streams::Mute;
    let client = server.client();
    client.ready().await.unwrap();
    server.until_asked("stream", |asked| asked.len() == 1).await;
    // The server is at 9 already; 8 lies before, 9 is going to be told.
    server.set(prompt("a", 2, "two"));
    server.set(prompt("b", 1, "b"));
    server.raw("event: hello\nid: 8\ndata: {\"revision\":9,\"heartbeat\":15}\n\n");
    until(&client, |client| client.is_live()).await;
    assert_eq!(text(&client, "a").as_deref(), Some("two"));
    server.say("put", 9, &json!({"revision": 9, "prompt": prompt("b", 1, "b")}));
    server.say("mark", 9, &json!({"revision": 9}));
    until(&client, |client| text(client, "b").is_some() && client.revision() == Some(9)).await;
}
