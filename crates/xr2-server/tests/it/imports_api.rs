//! Bringing files in over the API: reports, dry runs, all or nothing, and the way out and in again.

use std::io::Write;

use serde_json::{Value, json};
use xr2_testkit::{Client, Options, TestApp, both};

use crate::exports::exported;
use crate::support::{Unchanged, check_revisions, delivered, details, made, put, text};

async fn import(client: &Client, query: &str, file: impl Into<Vec<u8>>) -> Value {
    client.request("POST", &format!("/import{query}")).bytes(file).send().await.ok().data().clone()
}

/// Somebody with an empty workspace of their own.
async fn newcomer(app: &TestApp) -> Client {
    let body = json!({ "email": "new@example.com", "password": "a long enough passphrase", "name": "New" });
    let made = app.nobody().post("/auth/register", body).await.created();
    app.bearer(&made.text_of("token"))
}

fn counts(report: &Value) -> Vec<i64> {
    ["created", "updated", "unchanged", "skipped", "failed"]
        .iter()
        .map(|name| report["counts"][name].as_i64().expect("a count"))
        .collect()
}

/// What a document says of content, without what differs from one server to the next.
fn comparable(mut document: Value) -> Value {
    for name in ["exported_at", "sha256"] {
        document.as_object_mut().unwrap().remove(name);
    }
    document["workspace"]["slug"] = json!(null);
    document["workspace"]["name"] = json!(null);
    // Labels that every workspace begins with are as old as it is.
    for label in document["labels"].as_array_mut().unwrap() {
        if label["name"] == "production" || label["name"] == "staging" {
            (label["created_at"], label["created_by"]) = (json!(null), json!(null));
        }
    }
    document["prompts"].as_array_mut().unwrap().sort_by_key(|prompt| prompt["slug"].to_string());
    document
}

/// A workspace with something of everything.
async fn furnished(app: &TestApp, owner: &Client) {
    owner
        .post("/labels", json!({ "name": "canary", "color": "violet", "description": "Few" }))
        .await
        .created();
    text(owner, "snippet", "Be kind to {{ name }}").await;
    // Made before what it includes is what it is.
    made(owner, json!({ "title": "Outer", "slug": "a-outer", "content": "{% include \"snippet\" %}!" }))
        .await;
    put(owner, "snippet", json!({ "content": "Be very kind to {{ name }}", "publish": false })).await;
    made(
        owner,
        json!({ "title": "Größe 日本", "slug": "first", "content": "Hello {{ name }}", "description": "Greets",
            "category": "chat", "tags": ["b", "a"], "metadata": { "z": 1, "a": [1.5, null] },
            "variables": [{ "name": "name", "type": "string", "default": "you" }], "config": { "t": 0.5 } }),
    )
    .await;
    put(owner, "first", json!({ "content": "Hi {{ name }}", "change_summary": "Shorter" })).await;
    put(owner, "first", json!({ "slug": "renamed" })).await;
    owner.put("/prompts/renamed/labels/production", json!({ "version": 1, "comment": "back" })).await.ok();
    owner.put("/prompts/renamed/labels/canary", json!({ "version": 2 })).await.ok();
    owner.put("/prompts/renamed/draft", json!({ "content": "Hey {{ name }}" })).await.ok();
    let messages =
        json!([{ "role": "system", "content": "Be brief" }, { "role": "user", "content": "{{ q }}" }]);
    made(owner, json!({ "title": "Chat", "slug": "chat", "messages": messages })).await;
    owner.post("/prompts/chat/archive", json!({})).await.ok();
    made(owner, json!({ "title": "Quiet", "slug": "quiet", "content": "=1+1", "publish": false })).await;
    text(owner, "gone", "x").await;
    owner.delete("/prompts/gone").await.ok();
    let settings = json!({ "require_change_comment": true });
    crate::queries::set_settings(app.db(), app.workspace(), &settings).await.unwrap();
}

both!(out_and_in_again_is_the_same, |app| async move {
    let owner = app.owner().await;
    furnished(&app, &owner).await;
    let path = "/export?deleted=true";
    let file = owner.get(path).await.ok().text;
    let before = exported(&owner, path).await;
    let other = newcomer(&app).await;
    let report = import(&other, "", file.clone()).await;
    assert_eq!((&report["state"], &report["format"]), (&json!("done"), &json!("xr2")), "{report:#}");
    assert_eq!(report["counts"]["failed"], 0, "{report:#}");
    let after = exported(&other, path).await;
    let (before, after) = (comparable(before), comparable(after));
    assert_eq!(
        serde_json::to_string_pretty(&after).unwrap(),
        serde_json::to_string_pretty(&before).unwrap(),
        "the same workspace"
    );
    // It is delivered as well, and what includes others knows of them.
    assert_eq!(delivered(&other, "first?name=Ana").await, "Hello Ana");
    assert_eq!(delivered(&other, "a-outer?name=Ana").await, "Be kind to Ana!");
    other.delete("/prompts/snippet").await.error(409, "IN_USE");
    // Once more changes nothing.
    let again = import(&other, "", file).await;
    assert_eq!(counts(&again)[..2], [0, 0], "{again:#}");
    assert_eq!(comparable(exported(&other, path).await), after);
});

both!(once_more_changes_nothing, |app| async move {
    let owner = app.owner().await;
    let file = json!([
        { "name": "support/refund", "version": 1, "prompt": "Refund {{order}}", "labels": [] },
        { "name": "support/refund", "version": 2, "prompt": "Refund {{order}} now", "labels": ["production", "eu"], "tags": ["a"] },
        { "name": "chat", "type": "chat", "prompt": [{ "role": "user", "content": "{{q}}" }], "labels": ["latest"] },
        { "prompt": "nameless" },
    ])
    .to_string();
    let report = import(&owner, "", file.clone()).await;
    assert_eq!((&report["format"], counts(&report)), (&json!("langfuse"), vec![3, 0, 0, 0, 1]), "{report:#}");
    let wrong = &report["rows"][0];
    assert_eq!((&wrong["status"], &wrong["place"]), (&json!("failed"), &json!("entry 4")));
    assert_eq!(delivered(&owner, "support-refund?order=7").await, "Refund 7 now");
    let refund = details(&owner, "support-refund").await;
    assert_eq!(refund["labels"], json!({ "eu": 2, "production": 2 }));
    owner.get("/prompts/chat").await.error(404, "NOT_FOUND");
    check_revisions(&app).await;
    let unchanged = Unchanged::since(&app).await;
    assert_eq!(counts(&import(&owner, "", file).await), [0, 0, 3, 0, 1]);
    unchanged.check().await;
});

both!(what_is_there_is_met_as_asked, |app| async move {
    let owner = app.owner().await;
    text(&owner, "mine", "mine").await;
    let file = "slug,title,content\nmine,Mine,theirs\nfresh,New,x\n";
    let unchanged = Unchanged::since(&app).await;
    let dry = import(&owner, "?dry_run=true", file).await;
    assert_eq!((&dry["state"], counts(&dry)), (&json!("checked"), vec![1, 1, 0, 0, 0]), "{dry:#}");
    unchanged.check().await;
    let skipped = import(&owner, "?on_conflict=skip&dry_run=true", file).await;
    assert_eq!(counts(&skipped), [1, 0, 0, 1, 0]);
    let unchanged = Unchanged::since(&app).await;
    let refused = import(&owner, "?on_conflict=fail&all_or_nothing=true", file).await;
    assert_eq!((&refused["state"], counts(&refused)), (&json!("failed"), vec![1, 0, 0, 0, 1]), "{refused:#}");
    unchanged.check().await;
    // The dry run that was looked at is applied.
    let id = dry["id"].as_str().unwrap();
    let done = owner.post(&format!("/imports/{id}/apply"), json!({})).await.ok();
    assert_eq!((&done.data()["state"], counts(done.data())), (&json!("done"), vec![1, 1, 0, 0, 0]));
    assert_eq!(
        (delivered(&owner, "mine").await, delivered(&owner, "fresh").await),
        ("theirs".into(), "x".into())
    );
    owner.post(&format!("/imports/{id}/apply"), json!({})).await.error(409, "CONFLICT");
    owner.post(&format!("/imports/{id}/cancel"), json!({})).await.error(409, "CONFLICT");
    // A file from before somebody went on does not take it back.
    put(&owner, "mine", json!({ "content": "newer" })).await;
    assert_eq!(counts(&import(&owner, "", file).await), [0, 0, 2, 0, 0]);
    assert_eq!(delivered(&owner, "mine").await, "newer");
});

both!(many_rows_and_a_bad_one, Options::new().with_worker(), |app| async move {
    let owner = app.owner().await;
    let mut file = "slug,title,content,tags\n".to_owned();
    for n in 0..1200 {
        file.push_str(&format!("row-{n},Row {n},\"Text {n} {{{{ x }}}}\",\"a, b\"\n"));
    }
    let bad = file.replace("row-777,", "Not A Slug,");
    let unchanged = Unchanged::since(&app).await;
    let waits =
        owner.request("POST", "/import?all_or_nothing=true").bytes(bad.clone()).send().await.status(202);
    let id = waits.data()["id"].as_str().unwrap().to_owned();
    let path = format!("/imports/{id}");
    app.until("the import is over", || async { owner.get(&path).await.ok().data()["state"] == "failed" })
        .await;
    unchanged.check().await;
    let failed = owner.get(&format!("{path}/rows?status=failed")).await.ok();
    assert_eq!(failed.data()[0]["place"], "table line 779");
    let waits = owner.request("POST", "/import").bytes(bad).send().await.status(202);
    let path = format!("/imports/{}", waits.data()["id"].as_str().unwrap());
    app.until("the import is over", || async { owner.get(&path).await.ok().data()["state"] == "done" }).await;
    assert_eq!(counts(owner.get(&path).await.ok().data()), [1199, 0, 0, 0, 1]);
    assert_eq!(delivered(&owner, "row-1199?x=1").await, "Text 1199 1");
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("{path}/rows?limit=100{cursor}")).await.ok();
        seen += page.data().as_array().unwrap().len();
        let Some(next) = page.json["meta"]["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, 1200);
    let all = import(&owner, "?all_or_nothing=true&wait=true", "slug,title,content\nlast,Last,x\n").await;
    assert_eq!(counts(&all), [1, 0, 0, 0, 0]);
    check_revisions(&app).await;
});

both!(files_that_cannot_be, Options::new().set("limits.import_bytes", 100_000), |app| async move {
    let owner = app.owner().await;
    let unchanged = Unchanged::since(&app).await;
    let cut = r#"{"format":"xr2","version":1,"exported_at":"2026-01-01T00:00:00Z","prompts":[{"slug":"a","versions":[{"source":{"content":"x"}}]}"#;
    let short = format!("{cut}]}}");
    let deep =
        format!("{{\"name\":\"a\",\"prompt\":\"x\",\"config\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    for (query, file, says) in [
        ("", "", "empty"),
        ("", "  \n", "empty"),
        ("", cut, "cut"),
        ("", short.as_str(), "last line is missing"),
        ("", r#"{"format":"xr2","version":9,"prompts":[]}"#, "newer xr2"),
        ("?format=csv", "a,b\n1,2\n", "columns"),
        ("?format=promptfoo", "a: b", "no list of prompts"),
        ("?format=zip", "no zip", "zip file"),
        ("", deep.as_str(), "recursion"),
        ("?format=csv&mapping={\"title\":\"x\"}", "a,b\n1,2\n", "no column x"),
    ] {
        owner
            .request("POST", &format!("/import{query}"))
            .bytes(file)
            .send()
            .await
            .error(422, "VALIDATION_ERROR")
            .says(says);
    }
    owner
        .request("POST", "/import?format=x&on_conflict=y&mapping=z&publish=q")
        .bytes("a")
        .send()
        .await
        .wrong_fields(&["publish", "format", "on_conflict", "mapping"]);
    owner.request("POST", "/import").bytes("x".repeat(100_001)).send().await.error(413, "PAYLOAD_TOO_LARGE");
    // A small file that unfolds to a large one.
    let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    bomb.start_file("big.txt", options).unwrap();
    bomb.write_all(&vec![b'x'; 20_000_000]).unwrap();
    let bomb = bomb.finish().unwrap().into_inner();
    assert!(bomb.len() < 100_000);
    owner.request("POST", "/import").bytes(bomb).send().await.error(422, "VALIDATION_ERROR").says("unfolds");
    unchanged.check().await;
    assert_eq!(std::fs::read_dir(app.directory().join("uploads")).map_or(0, Iterator::count), 0);
});

both!(folders_of_files, |app| async move {
    let owner = app.owner().await;
    let mut folder = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [
        (
            "support/refund.md",
            "---\ntitle: Refunds\ntags: [money, support]\ndescription: Gives back\n---\nRefund {{order}}\n",
        ),
        ("support/README.md", "about"),
        ("notes.txt", "A note"),
        ("promptfooconfig.yaml", "prompts:\n  - file://eval/answer.txt\n  - 'Say {{x}}'\n  - file://no.py\n"),
        ("eval/answer.txt", "Answer {{q}}"),
        ("../../escape.md", "out"),
        ("image.png", "\u{1}"),
        ("__MACOSX/x.md", "noise"),
    ] {
        folder.start_file(name, options).unwrap();
        folder.write_all(content.as_bytes()).unwrap();
    }
    let file = folder.finish().unwrap().into_inner();
    let report = import(&owner, "?name=prompts.zip", file.clone()).await;
    assert_eq!(counts(&report), [4, 0, 0, 1, 2], "{report:#}");
    let refund = details(&owner, "refunds").await;
    assert_eq!(
        (&refund["tags"], &refund["description"]),
        (&json!(["money", "support"]), &json!("Gives back"))
    );
    assert_eq!(delivered(&owner, "refunds?order=7").await, "Refund 7\n");
    assert_eq!(delivered(&owner, "answer-q?q=1").await, "Answer 1");
    assert_eq!(delivered(&owner, "notes").await, "A note");
    let reasons: Vec<&str> =
        report["rows"].as_array().unwrap().iter().filter_map(|row| row["message"].as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("leads out")), "{reasons:?}");
    assert_eq!(counts(&import(&owner, "?name=prompts.zip", file).await)[..3], [0, 0, 4]);
});

both!(tables_out_and_in, |app| async move {
    let owner = app.owner().await;
    furnished(&app, &owner).await;
    let table = owner.get("/export?format=csv").await.ok().text;
    let other = newcomer(&app).await;
    let report = import(&other, "", table.clone()).await;
    assert_eq!((&report["counts"]["failed"], &report["warnings"]), (&json!(0), &json!([])), "{report:#}");
    let quiet = details(&other, "quiet").await;
    assert_eq!(
        (&quiet["version"]["content"], &quiet["labels"]),
        (&json!("=1+1"), &json!({})),
        "no formula, not live"
    );
    assert_eq!(delivered(&other, "renamed?render=true").await, "Hello you");
    let again = import(&other, "", table.clone()).await;
    assert_eq!(counts(&again)[..2], [0, 0], "{again:#}");
    let cut = table.rsplit_once("#end").unwrap().0.to_owned();
    assert!(import(&other, "", cut).await["warnings"][0].as_str().unwrap().contains("last row"));
    // UTF-16, as spreadsheets save it, with columns of their own.
    let wide: Vec<u8> = "\u{feff}Name;Body;Who\r\nÄpfel;\"a\r\nb\";Ana\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mapped = import(
        &other,
        "?format=csv&mapping=%7B%22title%22%3A%22Name%22%2C%22content%22%3A%22Body%22%7D",
        wide,
    )
    .await;
    assert_eq!(counts(&mapped), [1, 0, 0, 0, 0], "{mapped:#}");
    assert_eq!(delivered(&other, "apfel").await, "a\r\nb");
});

both!(others_see_nothing_and_rights_hold, |app| async move {
    let owner = app.owner().await;
    let id = import(&owner, "?dry_run=true", "slug,title,content\na,A,x\n").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for client in [app.stranger(), app.stranger_key()] {
        client.get(&format!("/imports/{id}")).await.error(404, "NOT_FOUND");
        client.get(&format!("/imports/{id}/rows")).await.error(404, "NOT_FOUND");
        client.post(&format!("/imports/{id}/apply"), json!({})).await.error(404, "NOT_FOUND");
    }
    assert_eq!(owner.get("/imports").await.ok().data()[0]["id"], json!(id));
    // An editor makes no labels, changes no settings, and does not say who made what.
    let editor = app.member(xr2_server::auth::Role::Editor).await;
    let file = json!({ "format": "xr2", "workspace": { "settings": { "require_change_comment": true } },
        "labels": [{ "name": "theirs", "color": "red" }],
        "prompts": [{ "slug": "e", "created_by": { "type": "user", "id": null, "name": "Somebody" },
            "labels": [{ "label": "theirs", "version": 1 }, { "label": "production", "version": 1 }],
            "versions": [{ "source": { "content": "x" } }] }] });
    let report = import(&editor, "", file.to_string()).await;
    assert_eq!(counts(&report), [1, 0, 0, 2, 0], "{report:#}");
    let made = details(&owner, "e").await;
    assert_eq!(
        (&made["created_by"]["name"], &made["labels"]),
        (&json!("Test Person"), &json!({ "production": 1 }))
    );
});
