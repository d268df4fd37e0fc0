//! `GET /bundle`: everything a label delivers.

use futures::future::join_all;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::{Answer, KeyFixture, Options, both};

use super::{content, make_at_once, people, prompt, publish, revision, text};

fn slugs(answer: &Answer) -> Vec<String> {
    let prompts = answer.data()["prompts"].as_array().expect("prompts");
    prompts.iter().map(|prompt| prompt["slug"].as_str().expect("a slug").to_owned()).collect()
}

fn item<'a>(answer: &'a Answer, slug: &str) -> &'a Value {
    let prompts = answer.data()["prompts"].as_array().expect("prompts");
    prompts
        .iter()
        .find(|prompt| prompt["slug"] == slug)
        .unwrap_or_else(|| panic!("no {slug}: {}", answer.text))
}

both!(it_holds_what_every_prompt_delivers, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "sign", "Yours, {{ us }}").await;
    let mail = json!({
        "title": "Mail", "slug": "old-mail", "content": "Dear {{ name }},\n{% include \"sign\" %}", "syntax": "jinja",
        "tags": ["post"], "config": { "model": "m", "n": 1.50 }, "variables": [{ "name": "name", "required": true }],
    });
    prompt(&owner, mail).await;
    owner.put("/prompts/old-mail", json!({ "slug": "mail" })).await.ok();
    let chat = json!({ "title": "Chat", "slug": "chat", "type": "chat", "messages": [{ "role": "user", "content": "{{ q }}" }] });
    prompt(&owner, chat).await;
    text(&owner, "plain", "no variables").await;
    prompt(&owner, json!({ "title": "D", "slug": "draft-only", "content": "d", "publish": false })).await;
    text(&owner, "binned", "b").await;
    owner.delete("/prompts/binned?force=true").await.ok();

    let answer = key.get("/bundle").await.ok();
    assert_eq!(slugs(&answer), ["chat", "mail", "plain", "sign"]);
    assert_eq!(answer.data()["revision"], app.revision().await);
    assert_eq!(answer.data()["label"], "production");
    assert_eq!(answer.json["meta"], json!({ "next_cursor": null, "total": 4 }));
    assert_eq!(revision(&answer), app.revision().await);
    for slug in ["chat", "mail", "sign"] {
        let fetched = key.get(&format!("/prompts/{slug}")).await.ok();
        let mut expected = fetched.data().clone();
        if slug == "mail" {
            expected["former_slugs"] = json!(["old-mail"]);
        }
        assert_eq!(item(&answer, slug), &expected);
    }
    assert_eq!(
        (&item(&answer, "plain")["content"], &item(&answer, "plain")["rendered"]),
        (&json!("no variables"), &json!(false))
    );
    let latest = key.get("/bundle?label=latest").await.ok();
    assert_eq!(slugs(&latest), ["chat", "draft-only", "mail", "plain", "sign"]);
    assert_eq!(item(&latest, "draft-only")["label"], "latest");
    assert_eq!(slugs(&key.get("/bundle?label=nothing").await.ok()), [""; 0]);
    key.get("/bundle?label=a%20b").await.wrong_fields(&["label"]);
});

both!(it_is_never_older_than_what_was_acknowledged, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "rules", "0").await;
    prompt(
        &owner,
        json!({ "title": "M", "slug": "m", "content": "{% include \"rules\" %}!", "syntax": "jinja" }),
    )
    .await;
    text(&owner, "other", "other").await;
    key.get("/bundle").await.ok();
    for n in 1..=5 {
        publish(&owner, "rules", &n.to_string()).await;
        let answer = key.get("/bundle").await.ok();
        assert_eq!(revision(&answer), app.revision().await);
        assert_eq!(item(&answer, "rules")["content"], n.to_string());
        assert_eq!(item(&answer, "m")["content"], format!("{n}!"), "what includes it is made anew");
        assert_eq!(item(&answer, "other")["content"], "other");
    }
    owner.put("/prompts/other", json!({ "title": "Another", "tags": ["t"] })).await.ok();
    let answer = key.get("/bundle").await.ok();
    assert_eq!(
        (&item(&answer, "other")["title"], &item(&answer, "other")["tags"]),
        (&json!("Another"), &json!(["t"]))
    );
    owner.delete("/prompts/other?force=true").await.ok();
    assert_eq!(slugs(&key.get("/bundle").await.ok()), ["m", "rules"]);
    owner.delete("/prompts/rules?force=true").await.ok();
    assert_eq!(slugs(&key.get("/bundle").await.ok()), [""; 0], "what cannot be compiled is left out");
    owner.post("/prompts/rules/undelete", json!({})).await.ok();
    assert_eq!(slugs(&key.get("/bundle").await.ok()), ["m", "rules"]);
});

both!(another_node_has_it_when_asked_for_the_revision, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let second = app.second_node().await;
    let reader = second.bearer(key.token());
    reader.get("/bundle").await.ok();
    for n in 0..3 {
        publish(&owner, "p", &n.to_string()).await;
        let wanted = app.revision().await;
        let request = reader.request("GET", "/bundle").header("x-xr2-min-revision", &wanted.to_string());
        let answer = request.send().await.ok();
        assert!(revision(&answer) >= wanted);
        assert_eq!(item(&answer, "p")["content"], n.to_string());
    }
    let far = (app.revision().await + 9).to_string();
    let request = reader.request("GET", "/bundle").header("x-xr2-min-revision", &far);
    request.send().await.error(503, "UNAVAILABLE");
});

both!(clients_that_have_it_are_told_so, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "one").await;
    let answer = key.get("/bundle").await.ok();
    let tag = answer.header("etag").expect("a tag").to_owned();
    assert_eq!(tag, format!("\"r{}-production\"", app.revision().await));
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept-Encoding")));
    let again = |path: &'static str, tag: String| {
        let key = &key;
        async move { key.request("GET", path).header("if-none-match", &tag).send().await }
    };
    let known = again("/bundle", tag.clone()).await.status(304);
    assert!(known.text.is_empty());
    assert_eq!(revision(&known), app.revision().await);
    again("/bundle", format!("\"x\", W/{tag}")).await.status(304);
    again("/bundle", tag.replace("production", "production.gz")).await.status(304);
    again("/bundle?slugs=p", tag.clone()).await.ok();
    let filtered = key.get("/bundle?slugs=p").await.ok().header("etag").expect("a tag").to_owned();
    again("/bundle?slugs=p", filtered).await.status(304);
    publish(&owner, "p", "two").await;
    let fresh = again("/bundle", tag).await.ok();
    assert_eq!(item(&fresh, "p")["content"], "two");
    let id = key.id.expect("an id");
    let tag = fresh.header("etag").expect("a tag").to_owned();
    owner.delete(&format!("/api-keys/{id}")).await.ok();
    again("/bundle", tag).await.error(401, "UNAUTHENTICATED");
});

both!(it_is_compressed_for_those_who_can_read_it, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", &"many words ".repeat(500)).await;
    let plain = key.get("/bundle").await.ok();
    let get = |accepted: &'static str| {
        let key = &key;
        async move { key.request("GET", "/bundle").header("accept-encoding", accepted).open().await }
    };
    for accepted in ["gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1"] {
        let response = get(accepted).await;
        let header = |headers: &HeaderMap, name: &str| headers[name].to_str().expect("text").to_owned();
        assert_eq!(header(response.headers(), "content-encoding"), "gzip");
        assert_ne!(header(response.headers(), "etag"), plain.header("etag").unwrap_or_default());
        let packed = response.bytes().await.expect("a body");
        assert!(packed.len() < plain.text.len() / 10);
        let mut unpacked = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked)
            .expect("gzip");
        assert_eq!(unpacked, plain.text);
    }
    assert!(get("gzip;q=0, br").await.headers().get("content-encoding").is_none());
});

both!(it_comes_in_pages_of_one_revision, |app| async move {
    let (owner, key) = people(&app).await;
    make_at_once(&app, 25).await;
    let first = key.get("/bundle?limit=10").await.ok();
    assert_eq!((slugs(&first).len(), first.json["meta"]["total"].as_i64()), (10, Some(25)));
    let next = |answer: &Answer| answer.json["meta"]["next_cursor"].as_str().map(str::to_owned);
    // What is published meanwhile does not mix in.
    publish(&owner, "p9", "changed").await;
    key.get("/bundle").await.ok();
    let second = key.get(&format!("/bundle?limit=10&cursor={}", next(&first).expect("more"))).await.ok();
    let third = key.get(&format!("/bundle?limit=10&cursor={}", next(&second).expect("more"))).await.ok();
    assert_eq!(next(&third), None);
    let mut all: Vec<String> = [&first, &second, &third].into_iter().flat_map(slugs).collect();
    assert!(all.is_sorted());
    all.dedup();
    assert_eq!(all.len(), 25);
    assert_eq!(item(&third, "p9")["content"], "9 {{ name }}");
    assert_eq!(second.data()["revision"], first.data()["revision"]);
    for n in 0..5 {
        publish(&owner, "p1", &n.to_string()).await;
        key.get("/bundle").await.ok();
    }
    let late = key.get(&format!("/bundle?limit=10&cursor={}", next(&first).expect("more"))).await;
    late.error(409, "CONFLICT").says("Begin again");
    for query in ["limit=0", "limit=1001", "limit=x"] {
        key.get(&format!("/bundle?{query}")).await.wrong_fields(&["limit"]);
    }
    for cursor in ["x", "1", "1.x", "-.-"] {
        key.get(&format!("/bundle?cursor={cursor}")).await.wrong_fields(&["cursor"]);
    }
});

both!(filters_choose_by_slug_and_tag, |app| async move {
    let (owner, key) = people(&app).await;
    for (slug, tag) in [("a", "x"), ("b", "y"), ("c", "x")] {
        prompt(&owner, json!({ "title": slug, "slug": slug, "content": slug, "tags": [tag] })).await;
    }
    let id = key.get("/prompts/c").await.ok().text_of("id");
    owner.put("/prompts/b", json!({ "slug": "b2" })).await.ok();
    assert_eq!(slugs(&key.get("/bundle?slugs=a,b,zzz").await.ok()), ["a", "b2"]);
    assert_eq!(slugs(&key.get(&format!("/bundle?slugs={id}")).await.ok()), ["c"]);
    assert_eq!(slugs(&key.get("/bundle?tags=x").await.ok()), ["a", "c"]);
    let both = key.get("/bundle?tags=x,y&slugs=b2,c").await.ok();
    assert_eq!(
        (slugs(&both), &both.json["meta"]["total"]),
        (vec!["b2".to_owned(), "c".to_owned()], &json!(2))
    );
    let many = (0..501).map(|n| format!("p{n}")).collect::<Vec<_>>().join(",");
    key.get(&format!("/bundle?slugs={many}")).await.wrong_fields(&["slugs"]);
});

both!(who_may_have_it, |app| async move {
    let (owner, _) = people(&app).await;
    text(&owner, "a", "secret").await;
    let key = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    key.get("/bundle").await.error(403, "FORBIDDEN").says("staging");
    key.get("/bundle?label=latest").await.error(403, "FORBIDDEN");
    assert_eq!(slugs(&key.get("/bundle?label=staging").await.ok()), [""; 0]);
    owner.put("/prompts/a/labels/staging", json!({ "version": 1 })).await.ok();
    assert_eq!(slugs(&key.get("/bundle?label=staging").await.ok()), ["a"]);
    let stranger = app.stranger_key().get("/bundle").await.ok();
    assert!(
        stranger.data()["prompts"].as_array().is_some_and(|prompts| prompts.iter().all(|p| p["slug"] != "a"))
    );
    let page =
        app.publishable_key(&["https://shop.example"]).await.with_header("origin", "https://shop.example");
    let answer = page.get("/bundle").await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(slugs(&answer), ["a"]);
    let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|v| v.to_str().expect("text")).collect();
    assert!(vary.join(",").contains("Origin"));
});

both!(many_who_ask_at_once_are_served_by_one_build, |app| async move {
    let (owner, key) = people(&app).await;
    make_at_once(&app, 50).await;
    publish(&owner, "p7", "seven").await;
    let answers = join_all((0..20).map(|_| key.get("/bundle"))).await;
    for answer in answers {
        assert_eq!(slugs(&answer.ok()).len(), 50);
    }
    assert_eq!(content(&key.get("/prompts/p7").await.ok()), "seven");
});

both!(memory_for_bundles_is_bounded, Options::new().set("limits.bundle_bytes", 30_000), |app| async move {
    let (owner, key) = people(&app).await;
    for n in 0..10 {
        text(&owner, &format!("p{n}"), &"x".repeat(2000)).await;
    }
    for label in ["production", "latest", "staging", "production", "latest"] {
        key.get(&format!("/bundle?label={label}")).await.ok();
        assert!(app.app().bundles().bytes() <= 30_000);
        publish(&owner, "p1", label).await;
    }
    assert!(app.app().bundles().bytes() > 0);
    assert_eq!(slugs(&key.get("/bundle").await.ok()).len(), 10);
});

both!(several_prompts_come_in_one_answer, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "Hello {{ name }}").await;
    text(&owner, "plain", "plain").await;
    let strict = json!({ "title": "S", "slug": "s", "content": "{{ n }}", "variables": [{ "name": "n", "type": "number", "required": true }] });
    let id = prompt(&owner, strict).await.data()["id"].as_str().expect("an id").to_owned();
    owner.put("/prompts/plain", json!({ "slug": "plainer" })).await.ok();

    let answer =
        key.post("/prompts/batch", json!({ "slugs": ["a", "plain", "nope", "A b", "a", id] })).await.ok();
    let data = answer.data();
    assert_eq!(
        data["prompts"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["a".to_owned(), "plain".to_owned(), id.clone()])
    );
    for name in ["a", "plain", id.as_str()] {
        assert_eq!(&data["prompts"][name], key.get(&format!("/prompts/{name}")).await.ok().data(), "{name}");
    }
    assert_eq!(data["errors"]["nope"]["code"], "NOT_FOUND");
    assert_eq!(data["errors"]["A b"]["code"], "NOT_FOUND");

    let body = json!({ "slugs": ["a", "s", "plainer"], "variables": { "name": "Ana", "n": "x" } });
    let answer = key.post("/prompts/batch", body).await.ok();
    assert_eq!(answer.data()["prompts"]["a"]["content"], "Hello Ana");
    assert_eq!(answer.data()["prompts"]["plainer"]["rendered"], true);
    assert_eq!(answer.data()["errors"]["s"]["code"], "INVALID_VARIABLES");
    assert_eq!(answer.data()["errors"]["s"]["details"]["variables"][0]["name"], "n");
    let rendered = key.post("/prompts/batch", json!({ "slugs": ["a", "s"], "variables": {} })).await.ok();
    assert_eq!(rendered.data()["prompts"]["a"]["missing"], json!(["name"]));
    assert_eq!(rendered.data()["errors"]["s"]["code"], "MISSING_VARIABLES");
    let none = key.post("/prompts/batch", json!({ "slugs": [] })).await.ok();
    assert_eq!(none.data(), &json!({ "prompts": {}, "errors": {} }));
});

both!(a_batch_is_refused_as_a_whole_when_it_asks_too_much, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "a", "a").await;
    let many: Vec<String> = (0..101).map(|n| format!("p{n}")).collect();
    key.post("/prompts/batch", json!({ "slugs": many })).await.wrong_fields(&["slugs"]);
    let values: serde_json::Map<String, Value> = (0..1001).map(|n| (format!("v{n}"), json!(1))).collect();
    key.post("/prompts/batch", json!({ "slugs": ["a"], "variables": values }))
        .await
        .wrong_fields(&["variables"]);
    key.post("/prompts/batch", json!({})).await.wrong_fields(&["slugs"]);
    key.post("/prompts/batch", json!({ "slugs": ["a"], "lable": "x" })).await.wrong_fields(&["lable"]);
    let confined = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    confined.post("/prompts/batch", json!({ "slugs": ["a"] })).await.error(403, "FORBIDDEN");
    let staged = confined.post("/prompts/batch", json!({ "slugs": ["a"], "label": "staging" })).await.ok();
    assert_eq!(staged.data()["errors"]["a"]["code"], "NOT_FOUND");
    let page =
        app.publishable_key(&["https://shop.example"]).await.with_header("origin", "https://shop.example");
    let answer = page.post("/prompts/batch", json!({ "slugs": ["a"] })).await.ok();
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.example"));
    assert_eq!(app.key(&[Scope::Deliver]).await.get("/prompts/batch").await.status, 405);
});

both!(an_answer_with_several_prompts_has_an_end, |app| async move {
    let (owner, key) = people(&app).await;
    for n in 0..20 {
        text(&owner, &format!("p{n}"), "{{ text }}").await;
    }
    let slugs: Vec<String> = (0..20).map(|n| format!("p{n}")).collect();
    let of = |length: usize| json!({ "slugs": slugs, "variables": { "text": "x".repeat(length) } });
    let whole = key.post("/prompts/batch", of(500_000)).await.ok();
    assert_eq!(whole.data()["prompts"].as_object().map(serde_json::Map::len), Some(20));
    assert_eq!(revision(&whole), app.revision().await);
    let refused = key.post("/prompts/batch", of(900_000)).await;
    refused.wrong_fields(&["slugs"]).says("16 MiB");
});

both!(labels_that_somebody_made_up_cost_no_memory, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "p", "x").await;
    key.get("/bundle").await.ok();
    for n in 0..20 {
        let answer = key.get(&format!("/bundle?label=made-up-{n}")).await.ok();
        assert_eq!(slugs(&answer), [""; 0]);
        let tag = answer.header("etag").expect("a tag");
        let path = format!("/bundle?label=made-up-{n}");
        key.request("GET", &path).header("if-none-match", tag).send().await.status(304);
        key.get(&format!("/bundle?label=made-up-{n}&cursor=999.5")).await.error(409, "CONFLICT");
    }
    assert_eq!(app.app().bundles().labels(), 1);
});

both!(a_build_goes_on_when_whoever_asked_first_hangs_up, |app| async move {
    let (owner, key) = people(&app).await;
    make_at_once(&app, 200).await;
    text(&owner, "last", "x").await;
    let bundles = app.app().bundles();
    let workspace = app.workspace();
    // Polled until the build has begun, and then dropped.
    let mut first = Box::pin(bundles.get(app.app(), workspace, "production"));
    assert!(futures::poll!(first.as_mut()).is_pending());
    drop(first);
    app.until("it is built all the same", || async { bundles.bytes() > 0 }).await;
    assert_eq!(slugs(&key.get("/bundle").await.ok()).len(), 201);
});
