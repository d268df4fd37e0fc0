//! The database turns out to be an older one, as after a backup was restored, or one that the last changes never reached.

use serde_json::Value;
use xr2_testkit::{Answer, both};

use super::stream::Listener;
use super::{content, lose_last, people, publish, revision, text};
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

both!(a_revision_that_was_lost_and_taken_again_is_noticed, |app| async move {
    let (owner, key) = people(&app).await;
    let shown = app.publishable_key(&["https://shop.example"]).await;
    text(&owner, "p", "saved").await;
    let node = app.second_node().await;
    let (there, shown) = (node.bearer(key.token()), node.bearer(shown.token()));
    publish(&owner, "p", "lost").await;
    let lost = app.revision().await;
    for key in [&there, &shown] {
        let request = key.request("GET", "/prompts/p").header("x-xr2-min-revision", &lost.to_string());
        assert_eq!(content(&request.send().await.ok()), "lost");
    }
    assert_eq!(content(&key.get("/prompts/p").await.ok()), "lost");
    lose_last(&app).await;
    assert_eq!(app.revision().await, lost, "by number nothing has happened");
    for (client, node) in [(&key, &app), (&there, &node)] {
        node.until("the lost text is forgotten", || async {
            content(&client.get("/prompts/p").await.ok()) == "saved"
        })
        .await;
    }
    node.until("the key that was revoked is refused", || async {
        shown.get("/prompts/p").await.status == 401
    })
    .await;
    publish(&owner, "p", "new").await;
    node.until("what follows is heard", || async { content(&there.get("/prompts/p").await.ok()) == "new" })
        .await;
});
