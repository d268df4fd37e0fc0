//! What a stream carries: `put`, `delete` and `mark`.

use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::{KeyFixture, Options, both};

use super::stream::Listener;
use super::{make_at_once, people, prompt, publish, text};

/// The fields of a fetched prompt that an item has as well.
fn as_item(mut fetched: Value) -> Value {
    fetched["rendered"] = json!(false);
    fetched
}

both!(a_put_carries_the_template_form, |app| async move {
    let (owner, key) = people(&app).await;
    let body = json!({
        "title": "Mail", "slug": "mail", "content": "Dear {{ name }},\n\"{% include \"sign\" %}\"", "syntax": "jinja",
        "tags": ["post"], "config": { "model": "m", "n": 1.5 }, "variables": [{ "name": "name", "required": true }],
    });
    text(&owner, "sign", "Yours").await;
    let mut listener = Listener::open(&key, "?label=production").await;
    listener.hello().await;
    prompt(&owner, body).await;
    let heard = listener.up_to(app.revision().await).await;
    let [(event, revision, data)] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((event.as_str(), *revision), ("put", app.revision().await));
    let fetched = key.get("/prompts/mail").await.ok();
    assert_eq!(data["prompt"], as_item(fetched.data().clone()));
    assert_eq!(data["prompt"]["content"], "Dear {{ name }},\n\"Yours\"");
    assert_eq!(data["prompt"]["includes"][0]["slug"], "sign");
    owner.put("/prompts/mail", json!({ "slug": "letter" })).await.ok();
    let heard = listener.up_to(app.revision().await).await;
    let item = &heard.last().expect("a put").2["prompt"];
    assert_eq!((&item["slug"], &item["former_slugs"]), (&json!("letter"), &json!(["mail"])));
});

both!(every_label_is_told_of_with_what_it_delivers, |app| async move {
    let (owner, key) = people(&app).await;
    let mut listener = Listener::open(&key, "").await;
    listener.hello().await;
    let mut told = async |expected: &[(&str, &str, Option<i64>)]| {
        let heard = listener.up_to(app.revision().await).await;
        let short = |(event, _, data): &(String, i64, Value)| {
            let what = if event == "put" { &data["prompt"] } else { data };
            (event.clone(), what["label"].as_str().expect("a label").to_owned(), what["version"].as_i64())
        };
        let mut heard: Vec<_> = heard.iter().map(short).collect();
        heard.sort();
        let expected: Vec<_> =
            expected.iter().map(|(e, l, v)| ((*e).to_owned(), (*l).to_owned(), *v)).collect();
        assert_eq!(heard, expected);
    };
    text(&owner, "p", "one").await;
    told(&[("put", "latest", Some(1)), ("put", "production", Some(1))]).await;
    owner.post("/prompts/p/versions", json!({ "content": "two" })).await.created();
    told(&[("put", "latest", Some(2))]).await;
    owner.put("/prompts/p/labels/staging", json!({ "version": 2 })).await.ok();
    told(&[("put", "staging", Some(2))]).await;
    owner.put("/prompts/p", json!({ "title": "P" })).await.ok();
    told(&[("put", "latest", Some(2)), ("put", "production", Some(1)), ("put", "staging", Some(2))]).await;
    owner.delete("/prompts/p/labels/staging").await.ok();
    told(&[("delete", "staging", None)]).await;
    owner.delete("/prompts/p?force=true").await.ok();
    told(&[("delete", "latest", None), ("delete", "production", None)]).await;
    owner.post("/prompts/p/undelete", json!({})).await.ok();
    told(&[("put", "latest", Some(2)), ("put", "production", Some(1))]).await;
    owner.post("/prompts/p/archive", json!({})).await.ok();
    told(&[]).await;
});

both!(a_deleted_prompt_is_named_by_id_and_slug, |app| async move {
    let (owner, key) = people(&app).await;
    let id = text(&owner, "p", "one").await.data()["id"].clone();
    let mut listener = Listener::open(&key, "?label=production").await;
    listener.hello().await;
    owner.delete("/prompts/p?force=true").await.ok();
    let revision = app.revision().await;
    let heard = listener.up_to(revision).await;
    let gone = json!({ "revision": revision, "id": id, "slug": "p", "label": "production" });
    assert_eq!(heard, [("delete".to_owned(), revision, gone)]);
});

both!(a_snippet_that_nobody_published_reaches_those_who_follow_latest, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "rules", "one").await;
    let body = json!({ "title": "M", "slug": "m", "content": "{% include \"rules@latest\" %}", "syntax": "jinja", "publish": false });
    prompt(&owner, body).await;
    let mut listener = Listener::open(&key, "?label=latest&slugs=m").await;
    listener.hello().await;
    owner.post("/prompts/rules/versions", json!({ "content": "two" })).await.created();
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].2["prompt"]["content"], "two");
    owner.post("/prompts/rules/versions", json!({ "content": "three" })).await.created();
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!(heard[0].2["prompt"]["content"], "three");
});

both!(tags_choose_prompts_and_let_go_of_them, |app| async move {
    let (owner, key) = people(&app).await;
    let mut listener = Listener::open(&key, "?label=production&tags=mail,web").await;
    listener.hello().await;
    prompt(&owner, json!({ "title": "A", "slug": "a", "content": "a", "tags": ["web"] })).await;
    prompt(&owner, json!({ "title": "B", "slug": "b", "content": "b", "tags": ["other"] })).await;
    let heard = listener.up_to(app.revision().await).await;
    let slugs: Vec<&Value> = heard.iter().map(|(_, _, data)| &data["prompt"]["slug"]).collect();
    assert_eq!(slugs, ["a"]);
    owner.put("/prompts/a", json!({ "tags": ["other"] })).await.ok();
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!((heard[0].0.as_str(), &heard[0].2["slug"]), ("delete", &json!("a")));
    owner.put("/prompts/b", json!({ "tags": ["mail"] })).await.ok();
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!((heard[0].0.as_str(), &heard[0].2["prompt"]["slug"]), ("put", &json!("b")));
    let many = (0..51).map(|n| format!("t{n}")).collect::<Vec<_>>().join(",");
    key.get(&format!("/stream?tags={many}")).await.wrong_fields(&["tags"]);
});

both!(what_does_not_concern_a_listener_is_marked_all_the_same, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "a").await;
    let mut listener = Listener::open(&key, "?label=staging").await;
    listener.hello().await;
    publish(&owner, "a", "a2").await;
    assert!(listener.up_to(app.revision().await).await.is_empty());
    app.key(&[Scope::Deliver]).await;
    owner.post("/api-keys", json!({ "name": "another" })).await.created();
    assert!(listener.up_to(app.revision().await).await.is_empty());
});

both!(a_confined_key_is_sent_its_labels_only, |app| async move {
    let (owner, _) = people(&app).await;
    let key = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    let mut listener = Listener::open(&key, "").await;
    listener.hello().await;
    text(&owner, "a", "secret").await;
    assert!(listener.up_to(app.revision().await).await.is_empty());
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].2["prompt"]["label"], "staging");
});

both!(
    signs_of_life_come_as_often_as_is_said,
    Options::new().set("stream.heartbeat", "0.1"),
    |app| async move {
        let (_, key) = people(&app).await;
        let mut listener = Listener::open(&key, "").await;
        let (_, _, hello) = listener.next().await.expect("a greeting");
        assert_eq!(hello["heartbeat"], 0.1);
        let mut comments = String::new();
        while comments.matches(": ping\n\n").count() < 3 {
            let chunk = listener.response.chunk().await.expect("well").expect("goes on");
            comments.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
);

both!(many_changes_at_once_are_one_resync, |app| async move {
    let (owner, key) = people(&app).await;
    let mut listener = Listener::open(&key, "?label=production").await;
    let mut staging = Listener::open(&key, "?label=staging").await;
    listener.hello().await;
    staging.hello().await;
    make_at_once(&app, 600).await;
    let revision = app.revision().await;
    let (mut event, mut id, mut data) = listener.next().await.expect("something");
    while id.is_some_and(|id| id < revision) {
        (event, id, data) = listener.next().await.expect("more");
    }
    assert_eq!((event.as_str(), &data), ("resync", &json!({ "revision": revision })));
    assert!(staging.up_to(revision).await.is_empty(), "nothing happened to that label");
    text(&owner, "after", "after").await;
    let heard = listener.up_to(app.revision().await).await;
    assert_eq!(heard[0].2["prompt"]["slug"], "after");
});
