//! Taking everything out.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xr2_testkit::{Client, both};

use crate::support::{Unchanged, made, put, text};

/// The document, checked to be whole.
pub async fn exported(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await.ok();
    let lines: Vec<&str> = answer.text.trim_end().split('\n').collect();
    let (last, before) = lines.split_last().expect("a document");
    let sum: String = Sha256::digest(before.iter().map(|line| format!("{line}\n")).collect::<String>())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(last.contains(&sum), "the last line has the sum of those before: {last}");
    let document = answer.json;
    assert_eq!((&document["complete"], &document["sha256"]), (&json!(true), &json!(sum)));
    assert_eq!(document["count"], json!(document["prompts"].as_array().expect("prompts").len()));
    document
}

both!(a_document_holds_everything, |app| async move {
    let owner = app.owner().await;
    text(&owner, "snippet", "Be kind").await;
    made(
        &owner,
        json!({ "title": "Größe", "slug": "first", "content": "Hello {{ name }}", "description": "Greets",
            "category": "chat", "tags": ["b", "a"], "metadata": { "z": 1, "a": [1.5, null] },
            "variables": [{ "name": "name", "type": "string", "default": "you" }], "config": { "temperature": 0.5 } }),
    )
    .await;
    put(
        &owner,
        "first",
        json!({ "content": "Hi {{ name }}", "publish": false, "change_summary": "Shorter" }),
    )
    .await;
    put(&owner, "first", json!({ "slug": "renamed" })).await;
    owner.put("/prompts/renamed/draft", json!({ "content": "Hey {{ name }}" })).await.ok();
    owner.put("/prompts/renamed/labels/staging", json!({ "version": 2, "comment": "look" })).await.ok();
    let messages =
        json!([{ "role": "system", "content": "Be brief" }, { "role": "user", "content": "{{ q }}" }]);
    made(&owner, json!({ "title": "Chat", "slug": "chat", "messages": messages })).await;
    owner.post("/prompts/chat/archive", json!({})).await.ok();
    text(&owner, "gone", "x").await;
    owner.delete("/prompts/gone").await.ok();

    let unchanged = Unchanged::since(&app).await;
    let document = exported(&owner, "/export").await;
    unchanged.check().await;
    assert_eq!((&document["format"], &document["version"]), (&json!("xr2"), &json!(1)));
    assert_eq!(document["workspace"]["slug"], "acme");
    let labels: Vec<&Value> = document["labels"].as_array().unwrap().iter().map(|l| &l["name"]).collect();
    assert_eq!(labels, ["production", "staging"]);
    let slugs: Vec<&Value> = document["prompts"].as_array().unwrap().iter().map(|p| &p["slug"]).collect();
    assert_eq!(slugs, ["snippet", "renamed", "chat"], "in the order they were made, without the bin");

    let first = &document["prompts"][1];
    assert_eq!(
        (&first["title"], &first["description"], &first["category"], &first["archived"]),
        (&json!("Größe"), &json!("Greets"), &json!("chat"), &json!(false))
    );
    assert_eq!(first["metadata"].to_string(), r#"{"z":1,"a":[1.5,null]}"#, "in the order it was given");
    assert_eq!(first["former_slugs"][0]["slug"], "first");
    assert_eq!(first["created_by"]["name"], "Test Person");
    let versions = first["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (&versions[1]["number"], &versions[1]["parent"], &versions[1]["branch"], &versions[1]["origin"]),
        (&json!(2), &json!(1), &json!("main"), &json!("author"))
    );
    assert_eq!(versions[1]["change_summary"], "Shorter");
    assert_eq!(versions[0]["source"]["content"], "Hello {{ name }}");
    assert_eq!(versions[0]["source"]["variables"][0]["default"], "you");
    assert_eq!(versions[0]["source"]["config"], json!({ "temperature": 0.5 }));
    assert_eq!(first["drafts"][0]["source"]["content"], "Hey {{ name }}");
    let points: Vec<(&Value, &Value)> =
        first["labels"].as_array().unwrap().iter().map(|l| (&l["label"], &l["version"])).collect();
    assert_eq!(points, [(&json!("production"), &json!(1)), (&json!("staging"), &json!(2))]);
    assert_eq!(first["label_history"].as_array().unwrap().len(), 2);
    let chat = &document["prompts"][2];
    assert_eq!((&chat["archived"], &chat["versions"][0]["source"]["type"]), (&json!(true), &json!("chat")));
    assert_eq!(chat["versions"][0]["source"]["messages"][1]["content"], "{{ q }}");

    let with_bin = exported(&owner, "/export?deleted=true").await;
    assert_eq!(with_bin["count"], 4);
    assert!(with_bin["prompts"][3]["deleted_at"].is_string());
    let some = exported(&owner, "/export?prompts=first,chat,gone,nowhere").await;
    assert_eq!(some["count"], 2, "by former slugs too; what is not there is not there");
    owner.get("/export?format=xml").await.wrong_fields(&["format"]);
});

both!(more_than_has_room_comes_in_pieces, |app| async move {
    let owner = app.owner().await;
    for n in 0..120 {
        text(&owner, &format!("p{n}"), &format!("text {n}")).await;
    }
    text(&owner, "large", "begin").await;
    for n in 0..5 {
        let content = format!("{n} {}", "x".repeat(1_000_000));
        put(&owner, "large", json!({ "content": content, "publish": false })).await;
    }
    text(&owner, "behind", "end").await;
    let document = exported(&owner, "/export").await;
    assert_eq!(document["count"], 122);
    let large = &document["prompts"][120];
    let numbers: Vec<i64> =
        large["versions"].as_array().unwrap().iter().map(|v| v["number"].as_i64().unwrap()).collect();
    assert_eq!((large["slug"].as_str(), numbers), (Some("large"), vec![1, 2, 3, 4, 5, 6]));
    assert_eq!(document["prompts"][121]["versions"][0]["source"]["content"], "end");
    let table = owner.get("/export?format=csv").await.ok().text;
    assert_eq!(csv::Reader::from_reader(table.as_bytes()).records().count(), 123);
});

both!(a_table_for_spreadsheets, |app| async move {
    let owner = app.owner().await;
    made(
        &owner,
        json!({ "title": "=SUM(A1)", "slug": "formula", "content": "@x, \"y\"\nz", "tags": ["a", "b"],
            "description": "'+1" }),
    )
    .await;
    put(&owner, "formula", json!({ "content": "not live", "publish": false })).await;
    made(&owner, json!({ "title": "Unpublished", "slug": "quiet", "content": "soon", "publish": false }))
        .await;
    let answer = owner.get("/export?format=csv").await.ok();
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = answer.header("content-disposition").unwrap_or_default();
    assert!(disposition.starts_with("attachment; filename=\"acme-") && disposition.ends_with(".csv\""));
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| rows[row][names.iter().position(|n| n == name).unwrap()].to_owned();
    assert_eq!((cell(0, "title").as_str(), cell(0, "content").as_str()), ("'=SUM(A1)", "'@x, \"y\"\nz"));
    assert_eq!((cell(0, "description").as_str(), cell(0, "tags").as_str()), ("''+1", "a, b"));
    assert_eq!((cell(0, "live_version").as_str(), cell(0, "labels").as_str()), ("1", "production=1"));
    assert_eq!((cell(1, "content").as_str(), cell(1, "live_version").as_str()), ("soon", ""));
    assert_eq!((&rows[2][0], &rows[2][1]), ("#end", "2"));
    let sum: String = {
        let before = answer.text.split_inclusive("\r\n").collect::<Vec<_>>();
        let before = before[..before.len() - 1].concat();
        Sha256::digest(before).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert_eq!(rows[2][2], sum);
});
