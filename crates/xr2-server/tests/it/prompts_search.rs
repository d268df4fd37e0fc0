//! GET /prompts?search=: what is found, in which order, and what of it is marked.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_testkit::{Client, both};

use crate::support::{made, put};

async fn found(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/prompts?{query}")).await.ok();
    let list = answer.data().as_array().expect("a list").clone();
    list.iter().map(|prompt| prompt["slug"].as_str().expect("a slug").to_owned()).collect()
}

async fn slugs(client: &Client, search: &str) -> String {
    found(client, &format!("search={}", search.replace(' ', "%20"))).await.join(" ")
}

both!(the_best_comes_first, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "One", "slug": "content", "content": "About refund" })).await;
    made(&owner, json!({ "title": "Two", "slug": "described", "content": "x", "description": "A refund" }))
        .await;
    made(&owner, json!({ "title": "Three", "slug": "tagged", "content": "x", "tags": ["refund"] })).await;
    made(&owner, json!({ "title": "Four", "slug": "refund-by-slug", "content": "x" })).await;
    made(&owner, json!({ "title": "Refund", "slug": "titled", "content": "x" })).await;
    made(&owner, json!({ "title": "Refunds", "slug": "begun", "content": "x" })).await;
    made(&owner, json!({ "title": "Nothing", "slug": "nothing", "content": "x" })).await;
    let best = "titled begun refund-by-slug tagged described content";
    assert_eq!(slugs(&owner, "refund").await, best);
    assert_eq!(
        slugs(&owner, "Refund ").await,
        "titled refund-by-slug tagged described content begun",
        "meant"
    );
    assert_eq!(
        slugs(&owner, "refnud").await,
        "begun titled refund-by-slug tagged described content".replace("begun titled", "titled")
    );
    // The latest first among alike.
    put(&owner, "nothing", json!({ "title": "Refund" })).await;
    assert_eq!(slugs(&owner, "refund").await, format!("nothing {best}"));
    put(&owner, "titled", json!({ "description": "new" })).await;
    assert_eq!(slugs(&owner, "refund").await, best.replace("titled begun", "titled nothing begun"));
    // Another order, or relevance by name.
    assert_eq!(found(&owner, "search=refund&sort=slug").await[0], "begun");
    assert_eq!(found(&owner, "search=refund&sort=relevance").await[0], "titled");
    assert_eq!(found(&owner, "sort=relevance").await[0], "titled", "the last changed without a search");
});

both!(words_in_any_order_and_the_last_as_typed, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "Summarise a meeting", "slug": "a", "content": "Write the notes of {{ meeting_name }}", "tags": ["Sales Team"] })).await;
    made(&owner, json!({ "title": "Meeting agenda", "slug": "b", "messages": [{ "role": "user", "content": "Crème brûlée für Ärzte 🚀" }] })).await;
    made(&owner, json!({ "title": "東京都の天気", "slug": "c", "content": "안녕하세요 мир ёлка" })).await;
    for (search, expected) in [
        ("meeting summarise", "a"),
        ("summarise meet", "a"),
        ("s", "a"),
        ("su", "a"),
        ("sum", "a"),
        ("summ", "a"),
        ("notes sales", "a"),
        ("meeting_name", "a"),
        ("meeting_na", "a"),
        ("name agenda", ""),
        ("agenda", "b"),
        ("creme BRULEE", "b"),
        ("arzt", "b"),
        ("%F0%9F%9A%80", "b"),
        ("東京", "c"),
        ("京都", "c"),
        ("天気", "c"),
        ("天", "c"),
        ("気", "c"),
        ("京天", ""),
        ("안녕", "c"),
        ("МИР", "c"),
        ("елка", "c"),
        ("\"", ""),
        ("*", ""),
        ("OR NOT (", ""),
        ("' | 'x", ""),
        ("a:* & !b", ""),
    ] {
        let search = search.replace('&', "%26").replace('"', "%22").replace('*', "%2A");
        let expected_found = slugs(&owner, &search).await;
        assert_eq!(expected_found, expected, "{search}");
    }
    assert_eq!(slugs(&owner, "summarize").await, "a", "one letter");
    assert_eq!(slugs(&owner, "metting summarise").await, "a");
    assert_eq!(slugs(&owner, "smmmarise").await, "a", "two letters of nine");
    assert_eq!(slugs(&owner, "smmmaryze").await, "", "three");
});

both!(changes_are_found_at_once, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "Alpha", "slug": "a", "content": "first words", "tags": ["T1", "t2"] }))
        .await;
    made(&owner, json!({ "title": "Alpha", "slug": "b", "content": "first words", "tags": ["t2"] })).await;
    assert_eq!(slugs(&owner, "first").await, "b a");
    put(&owner, "a", json!({ "content": "second words" })).await;
    assert_eq!((slugs(&owner, "first").await, slugs(&owner, "second").await), ("b".into(), "a".into()));
    put(&owner, "a", json!({ "title": "Omega", "slug": "omega" })).await;
    assert_eq!(
        (slugs(&owner, "alpha").await, slugs(&owner, "omega second").await),
        ("b".into(), "omega".into())
    );
    // Within a tag, the archive, the bin.
    for (query, expected) in [
        ("search=words&tag=T1", "omega"),
        ("search=words&tag=t2", "omega b"),
        ("search=words&tag=t1", ""),
        ("search=words&tag=T1&tag=t2", "omega"),
        ("search=words&type=chat", ""),
        ("search=words&type=text&live=true&created_by=me", "omega b"),
        ("search=words&archived=true", ""),
        ("search=words&deleted=true", ""),
    ] {
        assert_eq!(found(&owner, query).await.join(" "), expected, "{query}");
    }
    put(&owner, "omega", json!({ "tags": ["t1"] })).await;
    assert_eq!(found(&owner, "search=words&tag=t1").await, ["omega"]);
    assert_eq!(found(&owner, "search=words&tag=T1").await, Vec::<String>::new());
    owner.post("/prompts/b/archive", json!({})).await.ok();
    assert_eq!(slugs(&owner, "words").await, "omega");
    assert_eq!(found(&owner, "search=words&archived=true").await, ["b"]);
    assert_eq!(found(&owner, "search=words&archived=all").await.len(), 2);
    owner.delete("/prompts/omega?force=true").await.ok();
    assert_eq!(found(&owner, "search=words&archived=all").await, ["b"]);
    assert_eq!(found(&owner, "search=words&deleted=true").await, ["omega"]);
    owner.post("/prompts/omega/undelete", json!({})).await.ok();
    assert_eq!(slugs(&owner, "words").await, "omega");
    owner.delete("/prompts/omega?force=true").await.ok();
    owner.delete("/prompts/omega?permanent=true").await.ok();
    assert_eq!(found(&owner, "search=words&archived=all").await, ["b"]);
    // Nothing of another workspace, though it is full of this word.
    assert_eq!(slugs(&owner, "canary").await, "");
});

both!(pages_of_what_was_found, |app| async move {
    let owner = app.owner().await;
    for number in 0..130 {
        made(
            &owner,
            json!({ "title": format!("Needle {number}"), "slug": format!("n{number}"), "content": "x" }),
        )
        .await;
    }
    app.clock().advance(TimeDelta::seconds(1));
    let first = owner.get("/prompts?search=needle&limit=50").await.ok();
    let meta = &first.json["meta"];
    assert_eq!((&meta["total"], &meta["total_is_at_least"]), (&json!(130), &json!(true)));
    assert_eq!(first.data()[0]["slug"], "n129");
    let mut seen = Vec::new();
    let mut query = "search=needle&limit=50".to_owned();
    let mut last = Value::Null;
    for _ in 0..5 {
        let answer = owner.get(&format!("/prompts?{query}")).await.ok();
        seen.extend(
            answer.data().as_array().unwrap().iter().map(|item| item["slug"].as_str().unwrap().to_owned()),
        );
        last = answer.json["meta"].clone();
        match last["next_cursor"].as_str() {
            Some(next) => query = format!("limit=50&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..130).rev().map(|number| format!("n{number}")).collect();
    assert_eq!(seen, expected);
    assert_eq!((&last["total"], last.get("total_is_at_least")), (&json!(130), None));
    assert_eq!(found(&owner, "search=needle&limit=50&page=3").await.len(), 30);
    assert_eq!(found(&owner, "search=needle&limit=50&page=4").await.len(), 0);
    assert_eq!(found(&owner, "search=needle&sort=created_at&limit=2").await, ["n0", "n1"]);
});

both!(what_was_searched_for_is_marked, |app| async move {
    let owner = app.owner().await;
    let long = format!("{} the Größe of it {}", "word ".repeat(100), "more ".repeat(100));
    made(
        &owner,
        json!({ "title": "<b>Grosse</b> Pläne", "slug": "a", "content": long, "description": "Nothing" }),
    )
    .await;
    let item = owner.get("/prompts?search=gr%C3%B6sse%20pl").await.ok().data()[0].clone();
    assert_eq!(
        item["highlight"]["title"],
        json!([
            { "text": "<b>", "match": false }, { "text": "Grosse", "match": true }, { "text": "</b> ", "match": false },
            { "text": "Pläne", "match": true },
        ])
    );
    assert_eq!(item["highlight"].get("description"), None);
    let content = item["highlight"]["content"].as_array().unwrap();
    let marked: Vec<&Value> = content.iter().filter(|segment| segment["match"] == true).collect();
    assert_eq!(marked, [&json!({ "text": "Größe", "match": true })]);
    assert!(content.iter().all(|segment| segment["text"].as_str().unwrap().len() < 250));
    let mistyped = owner.get("/prompts?search=grsse").await.ok().data()[0].clone();
    assert_eq!(mistyped["highlight"]["title"][1], json!({ "text": "Grosse", "match": true }));
    assert_eq!(owner.get("/prompts").await.ok().data()[0].get("highlight"), None);
});
