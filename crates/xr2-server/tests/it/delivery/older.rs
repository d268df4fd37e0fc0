//! The database turns out to be an older one, as after a backup was restored.

use serde_json::Value;
use xr2_testkit::{Answer, both};

use super::stream::Listener;
use super::{content, people, publish, revision, text};
use crate::queries;

fn bundled(answer: &Answer) -> Value {
    answer.data()["prompts"][0]["content"].clone()
}

both!(nothing_of_the_newer_one_is_delivered_any_more, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "saved").await;
    let saved = app.revision().await;
    publish(&owner, "p", "lost").await;
    assert_eq!(bundled(&key.get("/bundle").await.ok()), "lost");
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "lost");
    let mut listener = Listener::open(&key, "").await;
    let lost = listener.hello().await;
    assert!(lost > saved);
    queries::go_back(app.db(), app.workspace(), lost - saved).await.expect("the database is older");
    listener.assert_ends().await;
    let bundle = key.get("/bundle").await.ok();
    assert_eq!((bundled(&bundle), revision(&bundle)), (Value::from("saved"), saved));
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "saved");
    // Whoever comes back with what it has is told to look at everything again, and hears what happens from then on.
    let response = key.request("GET", "/stream").header("last-event-id", &lost.to_string()).open().await;
    let mut listener = Listener::of(response);
    assert_eq!(listener.hello().await, saved);
    assert_eq!(listener.next().await.map(|(event, id, _)| (event, id)), Some(("resync".into(), Some(saved))));
});
