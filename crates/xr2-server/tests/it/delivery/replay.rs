//! Coming back to a stream.

use serde_json::{Value, json};
use xr2_testkit::{Client, Options, TestApp, both};

use super::stream::Listener;
use super::{content, people, prompt, publish, text};

async fn back(client: &Client, query: &str, last: i64) -> Listener {
    let request = client.request("GET", &format!("/stream{query}"));
    Listener::of(request.header("last-event-id", &last.to_string()).open().await)
}

/// The slugs and texts of puts, `-slug` of deletes.
fn told(heard: &[(String, i64, Value)]) -> Vec<String> {
    let one = |(event, _, data): &(String, i64, Value)| match event.as_str() {
        "put" => format!("{} {}", data["prompt"]["slug"], data["prompt"]["content"]).replace('"', ""),
        "delete" => format!("-{}", data["slug"]).replace('"', ""),
        other => other.to_owned(),
    };
    heard.iter().map(one).collect()
}

both!(what_was_missed_is_sent_once_and_as_it_is_now, |app| async move {
    let (owner, key) = people(&app).await;
    for slug in ["a", "b", "c"] {
        text(&owner, slug, "old").await;
    }
    let mut first = Listener::open(&key, "?label=production").await;
    let from = first.hello().await;
    publish(&owner, "a", "a2").await;
    publish(&owner, "b", "b2").await;
    publish(&owner, "a", "a3").await;
    owner.delete("/prompts/c?force=true").await.ok();
    let now = app.revision().await;
    first.up_to(now).await;
    let mut listener = back(&key, "?label=production", from).await;
    let (event, id, data) = listener.next().await.expect("a greeting");
    // What follows begins after what the client has; the data tell where the server is.
    assert_eq!((event.as_str(), id, data["revision"].as_i64()), ("hello", Some(from), Some(now)));
    let heard = listener.up_to(now).await;
    assert_eq!(told(&heard), ["b b2", "a a3", "-c"]);
    publish(&owner, "b", "b3").await;
    assert_eq!(told(&listener.up_to(app.revision().await).await), ["b b3"]);
    let mut current = back(&key, "?label=production", app.revision().await).await;
    assert_eq!(current.hello().await, app.revision().await);
    publish(&owner, "b", "b4").await;
    assert_eq!(told(&current.up_to(app.revision().await).await), ["b b4"]);
    let mut filtered = back(&key, "?label=production&slugs=b", from).await;
    filtered.next().await;
    assert_eq!(told(&filtered.up_to(app.revision().await).await), ["b b4"]);
});

both!(a_node_that_has_just_started_replays_from_the_database, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "one").await;
    let from = app.revision().await;
    publish(&owner, "a", "two").await;
    text(&owner, "b", "new").await;
    let now = app.revision().await;
    let second = app.second_node().await;
    let client = second.bearer(key.token());
    for _ in 0..2 {
        let mut listener = back(&client, "?label=production", from).await;
        listener.next().await;
        assert_eq!(told(&listener.up_to(now).await), ["a two", "b new"]);
    }
    let mut listener = back(&client, "?label=production", from + 1).await;
    listener.next().await;
    assert_eq!(told(&listener.up_to(now).await), ["b new"]);
    // What the first node changes reaches those who listen on the second.
    publish(&owner, "a", "three").await;
    assert_eq!(told(&listener.up_to(app.revision().await).await), ["a three"]);
});

async fn assert_resync(app: &TestApp, client: &Client, last: i64) {
    let mut listener = back(client, "", last).await;
    assert_eq!(listener.hello().await, app.revision().await);
    let (event, id, data) = listener.next().await.expect("something");
    let now = app.revision().await;
    assert_eq!((event.as_str(), id, &data), ("resync", Some(now), &json!({ "revision": now })));
}

both!(
    beyond_the_window_there_is_a_resync,
    Options::new().set("stream.replay_revisions", 3),
    |app| async move {
        let (owner, key) = people(&app).await;
        text(&owner, "a", "0").await;
        let from = app.revision().await;
        for n in 1..=4 {
            publish(&owner, "a", &n.to_string()).await;
        }
        assert_resync(&app, &key, from).await;
        let mut listener = back(&key, "?label=production", from + 1).await;
        listener.next().await;
        assert_eq!(told(&listener.up_to(app.revision().await).await), ["a 4"]);
    }
);

both!(
    what_memory_does_not_hold_is_read_again,
    Options::new().set("stream.replay_bytes", 2000),
    |app| async move {
        let (owner, key) = people(&app).await;
        text(&owner, "a", "0").await;
        let mut first = Listener::open(&key, "?label=production").await;
        let from = first.hello().await;
        for n in 1..=20 {
            publish(&owner, "a", &n.to_string()).await;
            // What nobody has taken yet is not kept for long either.
            first.up_to(app.revision().await).await;
        }
        let now = app.revision().await;
        for from in [from, from + 7, from] {
            let mut listener = back(&key, "?label=production", from).await;
            listener.next().await;
            assert_eq!(told(&listener.up_to(now).await), ["a 20"]);
        }
    }
);

both!(who_is_ahead_of_the_server_is_told_to_look_again, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "a").await;
    assert_resync(&app, &key, app.revision().await + 100).await;
});

both!(a_last_event_id_must_be_a_revision, |app| async move {
    let (_, key) = people(&app).await;
    let long = "9".repeat(30);
    for bad in ["x", "-1", "1.5", "", "1,2", long.as_str()] {
        let request = key.request("GET", "/stream").header("last-event-id", bad);
        request.send().await.error(400, "BAD_REQUEST").says("Last-Event-ID");
    }
});

both!(a_listener_that_reads_in_order_ends_with_what_is_delivered, |app| async move {
    let (owner, key) = people(&app).await;
    for n in 0..5 {
        prompt(&owner, json!({ "title": "P", "slug": format!("p{n}"), "content": "0" })).await;
    }
    let mut listener = Listener::open(&key, "?label=production").await;
    let mut applied = listener.hello().await;
    let mut held = std::collections::HashMap::new();
    let writer = {
        let owner = owner.clone();
        tokio::spawn(async move {
            for n in 1..=40 {
                publish(&owner, &format!("p{}", n % 5), &n.to_string()).await;
            }
        })
    };
    let mut breaks = 0;
    loop {
        let (event, id, data) = listener.next().await.expect("goes on");
        let id = id.expect("an id");
        if event == "put" {
            let text =
                data["prompt"]["content"].as_str().and_then(|t| t.parse::<i64>().ok()).expect("a number");
            let before = held.insert(data["prompt"]["slug"].as_str().expect("a slug").to_owned(), text);
            assert!(before.is_none_or(|before| before <= text), "went back from {before:?} to {text}");
            // Now and then the line breaks before a revision is complete.
            if text % 6 == 0 && breaks < 5 {
                breaks += 1;
                listener = back(&key, "?label=production", applied).await;
            }
        }
        if event == "mark" {
            applied = id;
        }
        if writer.is_finished() && applied == app.revision().await {
            break;
        }
    }
    writer.await.expect("all is published");
    for n in 0..5 {
        let delivered = content(&key.get(&format!("/prompts/p{n}")).await.ok());
        assert_eq!(held[&format!("p{n}")].to_string(), delivered);
    }
});
