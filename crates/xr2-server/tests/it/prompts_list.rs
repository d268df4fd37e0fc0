//! GET /prompts: search, filters, order, pages.

use chrono::TimeDelta;
use serde_json::json;
use xr2_server::auth::Scope;
use xr2_testkit::{Client, both};

use crate::support::{made, put, text};

async fn slugs(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/prompts?{query}")).await.ok();
    let list = answer.data().as_array().expect("a list").clone();
    list.iter().map(|prompt| prompt["slug"].as_str().expect("a slug").to_owned()).collect()
}

both!(found_by_words, |app| async move {
    let owner = app.owner().await;
    made(
        &owner,
        json!({ "title": "Refund ANSWER", "slug": "r1", "content": "Dear {{ name }}", "tags": ["Support"] }),
    )
    .await;
    made(
        &owner,
        json!({ "title": "Größe GRÖSSE", "slug": "r2", "content": "zwölf ÄPFEL", "description": "Für Obst" }),
    )
    .await;
    made(&owner, json!({ "title": "100% sure_thing", "slug": "r3", "content": "a\\b" })).await;
    made(
        &owner,
        json!({ "title": "Chat", "slug": "r4", "messages": [{ "role": "user", "content": "needle here" }] }),
    )
    .await;
    for (search, expected) in [
        ("refund", vec!["r1"]),
        ("REFUND", vec!["r1"]),
        ("answer%20refund", vec!["r1"]),
        ("dear", vec!["r1"]),
        ("support", vec!["r1"]),
        ("r2", vec!["r2"]),
        ("gr%C3%B6sse", vec!["r2"]),
        ("GR%C3%96SSE", vec!["r2"]),
        ("%C3%A4pfel", vec!["r2"]),
        ("f%C3%BCr%20obst", vec!["r2"]),
        ("100%25", vec!["r3"]),
        ("sure_", vec!["r3"]),
        ("_", vec![]),
        ("%25", vec![]),
        ("a%5Cb", vec!["r3"]),
        ("needle", vec!["r4"]),
        ("nowhere", vec![]),
        ("refund%20needle", vec![]),
    ] {
        assert_eq!(slugs(&owner, &format!("sort=slug&search={search}")).await, expected, "{search}");
    }
    assert_eq!(
        slugs(&owner, "search=%22&sort=slug").await,
        Vec::<String>::new(),
        "quotes of stored lists are no match"
    );
    assert_eq!(slugs(&owner, "search=&sort=slug").await.len(), 4);
    // Only the newest text is searched.
    put(&owner, "r1", json!({ "content": "other" })).await;
    assert_eq!(slugs(&owner, "search=dear").await, Vec::<String>::new());
});

both!(narrowed, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "A", "content": "x", "tags": ["t1", "t2"], "category": "c1" })).await;
    made(&owner, json!({ "title": "B", "content": "x", "tags": ["t2"], "category": "c2" })).await;
    made(&owner, json!({ "title": "C", "content": "x" })).await;
    made(&owner, json!({ "title": "D", "content": "x", "tags": ["t2"] })).await;
    owner.post("/prompts/c/archive", json!({})).await.ok();
    owner.delete("/prompts/d").await.ok();
    for (query, expected) in [
        ("tag=t2", vec!["a", "b"]),
        ("tag=t1", vec!["a"]),
        ("tag=T1", vec![]),
        ("category=c2", vec!["b"]),
        ("category=c2&tag=t1", vec![]),
        ("archived=true", vec!["c"]),
        ("archived=false", vec!["a", "b"]),
        ("archived=all", vec!["a", "b", "c"]),
        ("deleted=true", vec!["d"]),
        ("deleted=true&tag=t2", vec!["d"]),
        ("", vec!["a", "b"]),
    ] {
        assert_eq!(slugs(&owner, &format!("sort=slug&{query}")).await, expected, "{query}");
    }
    put(&owner, "b", json!({ "tags": [] })).await;
    assert_eq!(slugs(&owner, "tag=t2").await, ["a"]);
    let facets = owner.get("/facets").await.ok().data().clone();
    assert_eq!(facets["tags"], json!([{ "name": "t1", "prompts": 1 }, { "name": "t2", "prompts": 1 }]));
    assert_eq!(facets["categories"], json!([{ "name": "c1", "prompts": 1 }, { "name": "c2", "prompts": 1 }]));
});

both!(in_order_and_by_pages, |app| async move {
    let owner = app.owner().await;
    for (slug, title) in [("c", "alpha"), ("a", "Beta"), ("b", "gamma"), ("e", "Delta"), ("d", "epsilon")] {
        made(&owner, json!({ "title": title, "slug": slug, "content": "x" })).await;
        app.clock().advance(TimeDelta::seconds(1));
    }
    put(&owner, "a", json!({ "title": "beta" })).await;
    for (sort, expected) in [
        ("slug", "abcde"),
        ("-slug", "edcba"),
        ("title", "caedb"),
        ("-title", "bdeac"),
        ("created_at", "cabed"),
        ("-created_at", "debac"),
        ("updated_at", "cbeda"),
        ("-updated_at", "adebc"),
        ("", "adebc"),
    ] {
        assert_eq!(slugs(&owner, &format!("sort={sort}")).await.concat(), expected, "{sort}");
    }
    let mut seen = Vec::new();
    for (page, size) in [(1, 2), (2, 2), (3, 1), (4, 0)] {
        let answer = owner.get(&format!("/prompts?sort=slug&limit=2&page={page}")).await.ok();
        let mut meta = answer.json["meta"].clone();
        let next = meta.as_object_mut().unwrap().remove("next_cursor");
        assert_eq!(next.is_some(), page < 3, "{page}");
        assert_eq!(meta, json!({ "page": page, "limit": 2, "total": 5 }));
        let list = answer.data().as_array().unwrap().clone();
        assert_eq!(list.len(), size);
        seen.extend(list.into_iter().map(|prompt| prompt["slug"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen.concat(), "abcde");
    assert_eq!(owner.get("/prompts").await.ok().json["meta"]["limit"], 20);
    assert_eq!(owner.get("/prompts?limit=100").await.ok().json["meta"]["limit"], 100);
});

both!(what_a_list_cannot_do, |app| async move {
    let owner = app.owner().await;
    for (query, field) in [
        ("page=0", "page"),
        ("page=x", "page"),
        ("page=-1", "page"),
        ("page=99999999999999999999", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("sort=size", "sort"),
        ("archived=maybe", "archived"),
        ("deleted=2", "deleted"),
    ] {
        owner.get(&format!("/prompts?{query}")).await.wrong_fields(&[field]);
    }
    owner.get("/prompts?page=0&limit=0").await.wrong_fields(&["page", "limit"]);
    let all = [
        "type",
        "syntax",
        "live",
        "has_draft",
        "created_by",
        "updated_by",
        "updated_after",
        "updated_before",
    ];
    let query: Vec<String> = all.iter().map(|name| format!("{name}=wrong")).collect();
    owner
        .get(&format!(
            "/prompts?{}&created_after=2026-13-01&created_before=x&sort=y&unused_days=0",
            query.join("&")
        ))
        .await
        .wrong_fields(&[&all[..], &["created_after", "created_before", "unused_days", "sort"][..]].concat());
    for cursor in ["x", "00", "%22", "ffffffffffffffff7b7d"] {
        owner.get(&format!("/prompts?cursor={cursor}")).await.error(400, "BAD_REQUEST");
    }
    owner.get("/prompts?search=%FF").await.error(400, "BAD_REQUEST");
    owner.get("/prompts?search=%00").await.error(400, "BAD_REQUEST");
    let long = "x%20".repeat(500);
    assert!(slugs(&owner, &format!("search={long}")).await.is_empty());
});

both!(entities_of_a_list_are_whole, |app| async move {
    let owner = app.owner().await;
    text(&owner, "a", "x").await;
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    owner.put("/prompts/a/draft", json!({ "content": "y" })).await.ok();
    let list = owner.get("/prompts").await.ok().data().clone();
    let details = crate::support::details(&owner, "a").await;
    for (field, value) in list[0].as_object().unwrap() {
        if field == "calls_7d" {
            assert_eq!(*value, json!(0), "only lists tell");
            continue;
        }
        assert_eq!(details[field], *value, "{field}");
    }
    assert_eq!(
        (&list[0]["has_draft"], &list[0]["labels"]),
        (&json!(true), &json!({ "production": 1, "staging": 1 }))
    );
    let viewer = app.member(xr2_server::auth::Role::Viewer).await;
    let seen = viewer.get("/prompts").await.ok().data().clone();
    assert_eq!(seen[0]["can"], json!({ "edit": false, "publish": false, "delete": false }));
});

both!(what_nobody_fetches_is_found, |app| async move {
    let owner = app.owner().await;
    let key = app.key(&[Scope::Deliver]).await;
    made(&owner, json!({ "title": "Used", "slug": "used", "content": "x" })).await;
    made(&owner, json!({ "title": "Once", "slug": "once", "content": "x" })).await;
    made(&owner, json!({ "title": "Never", "slug": "never", "content": "x" })).await;
    made(&owner, json!({ "title": "Part", "slug": "part", "content": "x" })).await;
    made(
        &owner,
        json!({ "title": "Whole", "slug": "whole", "syntax": "jinja", "content": "{% include 'part' %}" }),
    )
    .await;
    key.get("/prompts/once").await.ok();
    app.clock().advance(TimeDelta::days(31));
    // The first session has ended meanwhile.
    let owner = app.bearer(&app.session_of(owner.id.expect("an id")).await);
    key.get("/prompts/used").await.ok();
    key.get("/prompts/whole").await.ok();
    made(&owner, json!({ "title": "Fresh", "slug": "fresh", "content": "x" })).await;
    assert_eq!(
        slugs(&owner, "unused_days=30&sort=slug").await,
        ["never", "once"],
        "not what is new or part of another"
    );
    assert_eq!(slugs(&owner, "unused_days=32").await, Vec::<String>::new());
    app.clock().advance(TimeDelta::seconds(1));
    key.get("/prompts/used").await.ok();
    assert_eq!(slugs(&owner, "sort=-last_fetched_at&limit=3").await, ["used", "whole", "once"]);
    let longest = slugs(&owner, "sort=last_fetched_at").await;
    assert_eq!(
        (longest[0].as_str(), &longest[3..]),
        ("never", &["once", "whole", "used"].map(str::to_owned)[..])
    );
    for days in ["0", "-1", "soon", "100000"] {
        owner.get(&format!("/prompts?unused_days={days}")).await.error(422, "VALIDATION_ERROR");
    }
});

both!(narrowed_by_more, |app| async move {
    let owner = app.owner().await;
    let key = app.key(&[Scope::Read, Scope::Write]).await;
    made(&owner, json!({ "title": "A", "content": "x {{ n }}", "tags": ["t1", "t2"] })).await;
    made(&owner, json!({ "title": "B", "messages": [{ "role": "user", "content": "x" }], "tags": ["t2"] }))
        .await;
    app.clock().advance(TimeDelta::days(2));
    let owner = app.bearer(&app.session_of(owner.id.expect("an id")).await);
    made(
        &key,
        json!({ "title": "C", "content": "{% if a %}x{% endif %}", "publish": false, "tags": ["t1"] }),
    )
    .await;
    made(&owner, json!({ "title": "D", "content": "x" })).await;
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    owner.put("/prompts/b/draft", json!({ "content": "y" })).await.ok();
    put(&key, "d", json!({ "description": "by the key" })).await;
    let yesterday = (app.clock().now() - TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    let me = owner.id.map_or_else(String::new, |id| id.to_string());
    for (query, expected) in [
        ("tag=t1&tag=t2".to_owned(), "a"),
        ("tag=t2".to_owned(), "ab"),
        ("tag=t1&tag=none".to_owned(), ""),
        ("type=chat".to_owned(), "b"),
        ("type=text".to_owned(), "acd"),
        ("syntax=jinja".to_owned(), "c"),
        ("label=staging".to_owned(), "a"),
        ("label=production&type=chat".to_owned(), "b"),
        ("live=true".to_owned(), "abd"),
        ("live=false".to_owned(), "c"),
        ("has_draft=true".to_owned(), "b"),
        ("has_draft=false".to_owned(), "acd"),
        ("created_by=me".to_owned(), "abd"),
        ("created_by=00000000-0000-0000-0000-000000000001".to_owned(), ""),
        (format!("updated_by={me}"), if me.is_empty() { "" } else { "ab" }),
        ("updated_by=me&has_draft=false".to_owned(), "a"),
        (format!("created_after={yesterday}"), "cd"),
        (format!("created_before={yesterday}T00:00:00Z"), "ab"),
        (format!("updated_after={yesterday}&updated_by=me"), ""),
        (format!("updated_before={yesterday}"), "ab"),
    ] {
        if query.starts_with("updated_by=") && me.is_empty() {
            continue;
        }
        assert_eq!(slugs(&owner, &format!("sort=slug&{query}")).await.concat(), expected, "{query}");
    }
});

both!(cursors_go_on_whatever_changes, |app| async move {
    let owner = app.owner().await;
    for slug in ["a", "b", "c", "d", "e", "f", "g"] {
        made(
            &owner,
            json!({ "title": format!("Title {slug}"), "slug": slug, "content": "x", "tags": ["t"] }),
        )
        .await;
        app.clock().advance(TimeDelta::seconds(1));
    }
    for sort in [
        "slug",
        "-slug",
        "title",
        "-title",
        "created_at",
        "-created_at",
        "updated_at",
        "-updated_at",
        "calls_7d",
        "-calls_7d",
        "last_fetched_at",
    ] {
        let whole = slugs(&owner, &format!("sort={sort}&tag=t")).await;
        let mut seen = Vec::new();
        let mut query = format!("sort={sort}&tag=t&limit=3");
        loop {
            let answer = owner.get(&format!("/prompts?{query}")).await.ok();
            let list = answer.data().as_array().unwrap().clone();
            seen.extend(list.into_iter().map(|prompt| prompt["slug"].as_str().unwrap().to_owned()));
            assert_eq!(answer.json["meta"]["total"], 7, "{sort}");
            match answer.json["meta"]["next_cursor"].as_str() {
                Some(next) => query = format!("limit=3&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, whole, "{sort}");
    }
    // What was seen changes, and what is behind it stands where it stood.
    let first = owner.get("/prompts?sort=slug&limit=2").await.ok();
    let next = first.json["meta"]["next_cursor"].as_str().unwrap().to_owned();
    owner.delete("/prompts/a").await.ok();
    assert_eq!(slugs(&owner, &format!("limit=2&cursor={next}")).await, ["c", "d"]);
    assert_eq!(slugs(&owner, &format!("limit=2&sort=slug&cursor={next}")).await, ["c", "d"]);
    owner.get(&format!("/prompts?sort=title&cursor={next}")).await.error(400, "BAD_REQUEST");
    owner.get(&format!("/prompts?tag=t&cursor={next}")).await.error(400, "BAD_REQUEST");
    owner.get(&format!("/prompts?cursor={}", &next[..next.len() - 2])).await.error(400, "BAD_REQUEST");
});
