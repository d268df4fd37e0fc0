//! What changes about a prompt and is not delivered.

use serde_json::{Value, json};
use xr2_testkit::{KeyFixture, both};

use super::stream::Listener;
use super::{people, prompt, revision};

both!(dashboards_hear_of_it_and_programs_are_told_nothing_new, |app| async move {
    let (owner, key) = people(&app).await;
    prompt(&owner, json!({ "title": "P", "slug": "p", "content": "x", "tags": ["t"] })).await;
    let before = key.get("/prompts/p").await.ok();
    key.get("/bundle").await.ok();
    app.new_events().await;
    let mut dashboard = Listener::open(&owner, "").await;
    dashboard.hello().await;
    let mut program = Listener::open(&key, "?label=production").await;
    program.hello().await;
    let confined = app.key_with(KeyFixture { labels: vec!["production"], ..KeyFixture::default() }).await;
    let mut confined = Listener::open(&confined, "").await;
    confined.hello().await;
    let mut of_tag = Listener::open(&owner, "?tags=t").await;
    of_tag.hello().await;
    let mut of_others = Listener::open(&owner, "?slugs=q").await;
    of_others.hello().await;

    owner
        .put("/prompts/p", json!({ "description": "Said at the door", "metadata": { "team": "a" } }))
        .await
        .ok();
    assert_eq!(app.new_events().await, ["prompt.edited"]);
    let now = app.revision().await;
    for listener in [&mut dashboard, &mut of_tag] {
        let heard = listener.up_to(now).await;
        let heard: Vec<_> =
            heard.iter().map(|(event, id, data)| (event.as_str(), *id, &data["slug"])).collect();
        assert_eq!(heard, [("edited", now, &json!("p"))]);
    }
    for listener in [&mut program, &mut confined, &mut of_others] {
        assert!(listener.up_to(now).await.is_empty());
    }
    let after = key.get("/prompts/p").await.ok();
    assert_eq!((&after.text, after.header("etag")), (&before.text, before.header("etag")));
    assert_eq!((revision(&after), revision(&key.get("/bundle").await.ok())), (now, now));
    // Together with what is delivered it is an update.
    owner.put("/prompts/p", json!({ "description": "Said inside", "title": "Q" })).await.ok();
    assert_eq!(app.new_events().await, ["prompt.updated"]);
    let updated = program.up_to(app.revision().await).await;
    let updated: Vec<_> =
        updated.iter().map(|(event, _, data)| (event.as_str(), &data["prompt"]["title"])).collect();
    assert_eq!(updated, [("put", &Value::from("Q"))]);
    // Whoever comes back hears of both.
    let response =
        owner.request("GET", "/stream").header("last-event-id", &(now - 1).to_string()).open().await;
    let mut back = Listener::of(response);
    let (event, id, _) = back.next().await.expect("a greeting");
    assert_eq!((event.as_str(), id), ("hello", Some(now - 1)));
    let heard = back.up_to(now + 1).await;
    assert!(heard.iter().any(|(event, id, _)| event == "edited" && *id == now), "{heard:?}");
});
