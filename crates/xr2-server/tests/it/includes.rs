//! Snippets: what may be included, who is told of a change, pinning.

use serde_json::json;
use xr2_testkit::both;

use crate::support::{Unchanged, delivered, details, last_event, made, put, text};

both!(put_in_line, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "tone", "content": "Be {{ tone }}.", "variables": { "tone": { "default": "kind" } } })).await;
    text(&owner, "a", "{% include \"tone\" %} Answer {{ name }}.").await;
    assert_eq!(details(&owner, "a").await["syntax"], "jinja");
    let answer = owner.get("/prompts/a?name=Ana").await.ok();
    assert_eq!(answer.data()["content"], "Be kind. Answer Ana.");
    assert_eq!(answer.data()["includes"], json!([{ "slug": "tone", "version": 1 }]));
    assert_eq!(delivered(&owner, "a?name=Ana&tone=brief").await, "Be brief. Answer Ana.");
    assert_eq!(details(&owner, "tone").await["included_by"], json!(["a"]));
    // A new text of the snippet shows at once.
    put(&owner, "tone", json!({ "content": "Stay {{ tone }}." })).await;
    let answer = owner.get("/prompts/a?name=Ana").await.ok();
    assert_eq!(answer.data()["content"], "Stay kind. Answer Ana.");
    assert_eq!(answer.data()["includes"], json!([{ "slug": "tone", "version": 2 }]));
    // And one under its former slug.
    put(&owner, "tone", json!({ "slug": "manner" })).await;
    assert_eq!(delivered(&owner, "a?name=Ana").await, "Stay kind. Answer Ana.");
});

both!(labels_and_versions_pin, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "1").await;
    put(&owner, "s", json!({ "content": "2", "publish": false })).await;
    owner.put("/prompts/s/labels/staging", json!({ "version": 2 })).await.ok();
    text(&owner, "a", "{% include \"s\" %} {% include \"s@staging\" %} {% include \"s@1\" %} {% include \"s@production\" %}").await;
    assert_eq!(delivered(&owner, "a").await, "1 2 1 1");
    put(&owner, "s", json!({ "content": "3" })).await;
    assert_eq!(delivered(&owner, "a").await, "3 2 1 3");
    owner.put("/prompts/s/labels/staging", json!({ "version": 3 })).await.ok();
    assert_eq!(delivered(&owner, "a").await, "3 3 1 3");
    text(&owner, "newest", "{% include \"s@latest\" %}").await;
    put(&owner, "s", json!({ "content": "4", "publish": false })).await;
    assert_eq!(delivered(&owner, "newest").await, "4");
});

both!(dependents_are_told, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "1").await;
    owner.put("/prompts/s/labels/staging", json!({ "version": 1 })).await.ok();
    text(&owner, "one", "{% include \"s\" %}").await;
    text(&owner, "two", "{% include \"one\" %}").await;
    text(&owner, "pinned", "{% include \"s@1\" %}").await;
    text(&owner, "staged", "{% include \"s@staging\" %}").await;
    let dependents = |after: Option<serde_json::Value>| {
        let list =
            after.expect("an event with particulars")["dependents"].as_array().expect("dependents").clone();
        let mut slugs: Vec<String> = list.iter().map(|d| d["slug"].as_str().unwrap().to_owned()).collect();
        slugs.sort();
        slugs
    };
    put(&owner, "s", json!({ "content": "2" })).await;
    let event = last_event(&app).await;
    assert_eq!(
        (event.kind.as_str(), dependents(event.after)),
        ("prompt.published", vec!["one".to_owned(), "two".to_owned()])
    );
    owner.put("/prompts/s/labels/staging", json!({ "version": 2 })).await.ok();
    assert_eq!(dependents(last_event(&app).await.after), ["staged"]);
    owner.put("/prompts/s/labels/production", json!({ "version": 1 })).await.ok();
    assert_eq!(dependents(last_event(&app).await.after), ["one", "two"]);
    put(&owner, "s", json!({ "slug": "renamed" })).await;
    assert_eq!(dependents(last_event(&app).await.after), ["one", "pinned", "staged", "two"]);
    owner.delete("/prompts/s?force=true").await.ok();
    assert_eq!(dependents(last_event(&app).await.after), ["one", "pinned", "staged", "two"]);
});

both!(what_cannot_be_included, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "S").await;
    made(&owner, json!({ "title": "quiet", "content": "x", "publish": false })).await;
    made(&owner, json!({ "title": "chat", "messages": [{ "role": "user", "content": "x" }] })).await;
    text(&owner, "thrown", "x").await;
    owner.delete("/prompts/thrown").await.ok();
    text(&owner, "archived", "kept").await;
    owner.post("/prompts/archived/archive", json!({})).await.ok();
    text(&owner, "a", "plain").await;
    let unchanged = Unchanged::since(&app).await;
    for (include, says) in [
        ("nowhere", "nowhere"),
        ("quiet", "production"),
        ("s@staging", "staging"),
        ("s@nowhere", "nowhere"),
        ("s@9", "version 9"),
        ("chat", "chat"),
        ("thrown", "thrown"),
        ("canary-prompt", "canary-prompt"),
        ("Not A Slug", "slug"),
    ] {
        let body = json!({ "title": "t", "slug": "t", "syntax": "jinja", "content": format!("line\n {{% include \"{include}\" %}}") });
        let answer = owner.post("/prompts", body).await.error(422, "TEMPLATE_ERROR").says(says);
        assert_eq!(answer.details()["line"], 2, "{}", answer.text);
    }
    for content in ["{% include name %}", "{% include \"a\" ~ \"b\" %}", "{% include [\"s\", \"a\"] %}"] {
        owner
            .post("/prompts", json!({ "title": "t", "slug": "t", "syntax": "jinja", "content": content }))
            .await
            .error(422, "TEMPLATE_ERROR");
    }
    // Itself, and round in a circle.
    owner
        .put("/prompts/a", json!({ "syntax": "jinja", "content": "{% include \"a\" %}" }))
        .await
        .error(422, "TEMPLATE_ERROR")
        .says("a");
    owner
        .put(
            "/prompts/a",
            json!({ "syntax": "jinja", "content": "{% include \"a@1\" %}{% include \"a@production\" %}" }),
        )
        .await
        .error(422, "TEMPLATE_ERROR");
    unchanged.check().await;
    // A draft of it is kept, and says so.
    let draft = owner
        .put("/prompts/a/draft", json!({ "syntax": "jinja", "content": "{% include \"a\" %}" }))
        .await
        .ok();
    assert!(draft.data()["problems"][0]["message"].as_str().unwrap().contains("itself"), "{}", draft.text);
    text(&owner, "b", "{% include \"a\" %}").await;
    text(&owner, "c", "{% include \"b\" %}").await;
    let unchanged = Unchanged::since(&app).await;
    owner
        .put("/prompts/a", json!({ "syntax": "jinja", "content": "{% include \"c\" %}" }))
        .await
        .error(422, "TEMPLATE_ERROR")
        .says("c");
    owner
        .post("/prompts/a/versions", json!({ "syntax": "jinja", "content": "{% include \"b\" %}" }))
        .await
        .error(422, "TEMPLATE_ERROR");
    unchanged.check().await;
    text(&owner, "of-archived", "{% include \"archived\" %}").await;
    assert_eq!(delivered(&owner, "of-archived").await, "kept");
});

both!(five_deep_and_no_deeper, |app| async move {
    let owner = app.owner().await;
    text(&owner, "d0", "end").await;
    for depth in 1..=5 {
        text(&owner, &format!("d{depth}"), &format!("{{% include \"d{}\" %}}", depth - 1)).await;
    }
    assert_eq!(delivered(&owner, "d5").await, "end");
    let unchanged = Unchanged::since(&app).await;
    let body = json!({ "title": "d6", "content": "{% include \"d5\" %}" });
    owner.post("/prompts", body).await.error(422, "TEMPLATE_ERROR").says("deep");
    unchanged.check().await;
});

both!(a_circle_made_from_two_sides, |app| async move {
    // Each side alone is right when it is saved without publishing; the publish that would close the circle is refused.
    let owner = app.owner().await;
    text(&owner, "a", "A").await;
    text(&owner, "b", "B {% include \"a\" %}").await;
    put(&owner, "b", json!({ "content": "B alone" })).await;
    put(&owner, "a", json!({ "syntax": "jinja", "content": "A {% include \"b\" %}" })).await;
    let unchanged = Unchanged::since(&app).await;
    owner.post("/prompts/b/publish", json!({ "from": 1 })).await.error(422, "TEMPLATE_ERROR");
    owner.put("/prompts/b/labels/production", json!({ "version": 1 })).await.error(422, "TEMPLATE_ERROR");
    owner.post("/prompts/b/versions/1/restore", json!({})).await.error(422, "TEMPLATE_ERROR");
    unchanged.check().await;
    assert_eq!(delivered(&owner, "a").await, "A B alone");
});

both!(frozen, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "1").await;
    text(&owner, "a", "[{% include \"s\" %}]").await;
    let frozen = owner.post("/prompts/a/publish?freeze=true", json!({ "from": 1 })).await.ok();
    let version = &frozen.data()["version"];
    assert_eq!((&version["number"], &version["parent"]), (&json!(2), &json!(1)));
    assert_eq!(version["content"], "[{% include \"s@1\" %}]");
    assert_eq!(version["change_summary"], "Version 1 with its snippets pinned");
    put(&owner, "s", json!({ "content": "2" })).await;
    assert_eq!(delivered(&owner, "a").await, "[1]");
    assert_eq!(delivered(&owner, "a?version=1").await, "[2]");
    // From a draft.
    owner.put("/prompts/a/draft", json!({ "content": "<{% include \"s\" %}>" })).await.ok();
    let frozen = owner.post("/prompts/a/publish?freeze=true", json!({ "from": "draft" })).await.ok();
    assert_eq!(frozen.data()["version"]["content"], "<{% include \"s@2\" %}>");
    // Snippets that include others are written in line.
    text(&owner, "b", "({% include \"a\" %} {{ x }})").await;
    let frozen = owner.post("/prompts/b/publish?freeze=true", json!({ "from": 1 })).await.ok();
    assert_eq!(frozen.data()["version"]["content"], "(<2> {{ x }})");
    put(&owner, "a", json!({ "content": "changed" })).await;
    assert_eq!(delivered(&owner, "b?x=y").await, "(<2> y)");
    // Nothing to pin: nothing new.
    let plain = owner.post("/prompts/s/publish?freeze=true", json!({ "from": 2 })).await.ok();
    assert_eq!(plain.data()["version"]["number"], 2);
});

both!(contracts_are_merged, |app| async move {
    let owner = app.owner().await;
    made(&owner, json!({ "title": "s", "content": "{{ n }}", "variables": { "n": { "type": "integer", "required": true } } })).await;
    // What the including prompt declares itself counts.
    made(&owner, json!({ "title": "a", "content": "{% include \"s\" %}{% if n %}!{% endif %}", "variables": { "n": { "type": "boolean" } } })).await;
    assert_eq!(delivered(&owner, "a?n=true").await, "true!");
    owner.get("/prompts/a?n=7").await.error(422, "INVALID_VARIABLES");
    text(&owner, "b", "{% include \"s\" %}").await;
    owner.get("/prompts/b?render=true").await.error(422, "MISSING_VARIABLES");
    owner.get("/prompts/b?n=x").await.error(422, "INVALID_VARIABLES");
    assert_eq!(delivered(&owner, "b?n=7").await, "7");
    assert_eq!(last_event(&app).await.resource_name.as_deref(), Some("b"));
});

both!(a_snippet_that_would_break_others_is_refused, |app| async move {
    let owner = app.owner().await;
    text(&owner, "d0", "end").await;
    for depth in 1..=5 {
        text(&owner, &format!("d{depth}"), &format!("{{% include \"d{}\" %}}", depth - 1)).await;
    }
    text(&owner, "s", "S").await;
    text(&owner, "other", "{% include \"s\" %}").await;
    let unchanged = Unchanged::since(&app).await;
    // One include more below makes d5 too deep; a chat cannot be included at all.
    let deeper = json!({ "syntax": "jinja", "content": "{% include \"s\" %}" });
    let answer = owner.put("/prompts/d0", deeper).await.error(409, "IN_USE").says("d5");
    assert_eq!(answer.details()["reasons"], json!([{ "kind": "included_by", "slug": "d5" }]));
    let chat = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    owner.put("/prompts/s", chat.clone()).await.error(409, "IN_USE").says("other");
    unchanged.check().await;
    assert_eq!(delivered(&owner, "d5").await, "end");
    // It can be kept, as long as nobody gets it; and a prompt that is broken already hinders nobody.
    let kept = owner.post("/prompts/s/versions", chat).await.created();
    let number = kept.data()["number"].clone();
    owner.put("/prompts/s/labels/production", json!({ "version": number })).await.error(409, "IN_USE");
    owner.delete("/prompts/s?force=true").await.ok();
    owner.post("/prompts/s/undelete", json!({})).await.ok();
    text(&owner, "t", "T").await;
    text(&owner, "both", "{% include \"s\" %}{% include \"t\" %}").await;
    owner.delete("/prompts/t?force=true").await.ok();
    put(&owner, "s", json!({ "syntax": "jinja", "content": "{% include \"d0\" %}", "base_version": number }))
        .await;
    assert_eq!(delivered(&owner, "other").await, "end");
});

both!(a_label_that_others_include_by_stays, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "S").await;
    owner.put("/prompts/s/labels/staging", json!({ "version": 1 })).await.ok();
    text(&owner, "a", "[{% include \"s@staging\" %}]").await;
    text(&owner, "b", "{% include \"a\" %}").await;
    let unchanged = Unchanged::since(&app).await;
    let answer = owner.delete("/prompts/s/labels/staging").await.error(409, "IN_USE").says("a, b");
    assert_eq!(
        answer.details()["reasons"],
        json!([{ "kind": "included_by", "slug": "a" }, { "kind": "included_by", "slug": "b" }])
    );
    unchanged.check().await;
    assert_eq!(delivered(&owner, "b").await, "[S]");
    // Nobody includes by this one; and whoever insists may.
    owner.delete("/prompts/b/labels/production").await.ok();
    owner.delete("/prompts/s/labels/staging?force=true").await.ok();
    owner.get("/prompts/a").await.error(422, "TEMPLATE_ERROR");
});

both!(two_that_would_include_each_other_at_once, |app| async move {
    let owner = app.owner().await;
    for round in 0..6 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        text(&owner, &a, "A").await;
        text(&owner, &b, "B").await;
        for (this, that) in [(&a, &b), (&b, &a)] {
            let content = format!("{this} {{% include \"{that}\" %}}");
            let body = json!({ "content": content, "syntax": "jinja" });
            owner.post(&format!("/prompts/{this}/versions"), body).await.created();
        }
        let publish = |slug: &str| {
            let (owner, path) = (owner.clone(), format!("/prompts/{slug}/publish"));
            async move { owner.post(&path, json!({ "from": 2 })).await }
        };
        let (first, second) = futures::future::join(publish(&a), publish(&b)).await;
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", first.text, second.text);
        for slug in [&a, &b] {
            owner.get(&format!("/prompts/{slug}")).await.ok();
        }
    }
});

both!(a_snippet_cannot_go_while_somebody_begins_to_include_it, |app| async move {
    let owner = app.owner().await;
    for round in 0..6 {
        let (s, a) = (format!("s{round}"), format!("a{round}"));
        text(&owner, &s, "S").await;
        let include = format!("{{% include \"{s}\" %}}");
        let body = json!({ "title": a, "slug": a, "content": include });
        let make = async { owner.post("/prompts", body).await };
        let path = format!("/prompts/{s}");
        let delete = async { owner.delete(&path).await };
        let (made, deleted) = futures::future::join(make, delete).await;
        match (made.status, deleted.status) {
            (201, 409) => assert_eq!(delivered(&owner, &a).await, "S"),
            (422, 200) => {}
            other => panic!("{other:?}: {} {}", made.text, deleted.text),
        }
    }
});

both!(heavy_includes_are_checked_as_light_ones_are, |app| async move {
    // Large enough to be compiled beside the transaction, in which what was compiled is found again.
    let owner = app.owner().await;
    let long = "word ".repeat(20_000);
    text(&owner, "s", &format!("{long}{{{{ x }}}}")).await;
    text(&owner, "a", &format!("{long}{{% include \"s\" %}}")).await;
    assert!(delivered(&owner, "a?x=end").await.ends_with("word end"));
    let draft = owner
        .put("/prompts/a/draft", json!({ "content": format!("{long}{{% include \"nowhere\" %}}") }))
        .await
        .ok();
    let problem = &draft.data()["problems"][0];
    assert!(problem["message"].as_str().unwrap().contains("nowhere"), "{problem}");
    assert_eq!(owner.get("/prompts/a/draft").await.ok().data()["problems"], draft.data()["problems"]);
    let unchanged = Unchanged::since(&app).await;
    owner
        .post("/prompts/a/publish", json!({ "from": "draft" }))
        .await
        .error(422, "TEMPLATE_ERROR")
        .says("nowhere");
    unchanged.check().await;
    owner
        .put("/prompts/a/draft", json!({ "content": format!("{long}!{{% include \"s\" %}}"), "revision": 1 }))
        .await
        .ok();
    let published = owner.post("/prompts/a/publish?freeze=true", json!({ "from": "draft" })).await.ok();
    assert!(published.data()["version"]["content"].as_str().unwrap().ends_with("!{% include \"s@1\" %}"));
    owner.post("/prompts/a/versions/1/restore", json!({})).await.created();
    owner.put("/prompts/a/labels/staging", json!({ "version": 2 })).await.ok();
    put(&owner, "a", json!({ "content": format!("{long}?{{% include \"s\" %}}") })).await;
    assert!(delivered(&owner, "a?x=end").await.contains("?word"));
    owner
        .put("/prompts/s", json!({ "messages": [{ "role": "user", "content": "x" }] }))
        .await
        .error(409, "IN_USE")
        .says("a");
});

both!(a_saved_version_is_told_to_those_that_include_the_latest, |app| async move {
    let owner = app.owner().await;
    text(&owner, "s", "1").await;
    text(&owner, "newest", "{% include \"s@latest\" %}").await;
    text(&owner, "live", "{% include \"s\" %}").await;
    put(&owner, "s", json!({ "content": "2", "publish": false })).await;
    let event = last_event(&app).await;
    assert_eq!(event.kind, "version.created");
    let dependents = event.after.unwrap()["dependents"].clone();
    let slugs: Vec<_> = dependents.as_array().unwrap().iter().map(|d| d["slug"].clone()).collect();
    assert_eq!(slugs, [json!("newest")]);
    // What goes and comes back does so under the computed label as well.
    owner.delete("/prompts/s?force=true").await.ok();
    assert_eq!(last_event(&app).await.after.unwrap()["labels"], json!({ "production": 1, "latest": 2 }));
    owner.post("/prompts/s/undelete", json!({})).await.ok();
    assert_eq!(last_event(&app).await.after.unwrap()["labels"], json!({ "production": 1, "latest": 2 }));
});
