//! What load balancers and monitoring ask.

use xr2_testkit::both;

both!(alive_and_ready, |app| async move {
    let nobody = app.nobody();
    assert_eq!(nobody.get(&app.url("/health")).await.ok().json["status"], "ok");
    let ready = nobody.get(&app.url("/ready")).await.ok();
    assert_eq!(ready.json["checks"]["engine"], app.db().engine().name());
    nobody.get("/nowhere").await.error(404, "NOT_FOUND");
    nobody.post(&app.url("/health"), serde_json::json!({})).await.error(405, "METHOD_NOT_ALLOWED");
    assert!(app.new_events().await.is_empty());
});

both!(metrics_have_the_documented_names, |app| async move {
    xr2_server::telemetry::init_metrics();
    let owner = app.owner().await;
    crate::support::text(&owner, "a", "x").await;
    app.key(&[xr2_server::auth::Scope::Deliver]).await.get("/prompts/a").await.ok();
    let text = app.nobody().get(&app.url("/metrics")).await.text;
    for name in ["xr2_active_workspaces", "xr2_background_jobs", "xr2_db_connections", "xr2_app_info"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is not there:\n{text}");
    }
});

both!(the_api_page_may_load_nothing_from_outside, |app| async move {
    let nobody = app.nobody();
    for path in ["/docs/", "/docs/index.html", "/docs/swagger-initializer.js"] {
        let page = nobody.get(&app.url(path)).await;
        let policy = page.header("content-security-policy").expect("a policy").to_owned();
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    // The policy names this one by its hash.
    let preset = nobody.get(&app.url("/docs/swagger-ui-standalone-preset.js")).await;
    assert!(preset.text.contains(".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}"));
    let initializer = nobody.get(&app.url("/docs/swagger-initializer.js")).await;
    assert!(initializer.text.contains("\"validatorUrl\": \"none\""), "{}", initializer.text);
});

both!(delivery_describes_its_headers, |app| async move {
    let document = app.nobody().get(&app.url("/openapi.json")).await.json;
    let fetch = &document["paths"]["/api/v1/prompts/{p}"]["get"];
    let asks: Vec<&str> =
        fetch["parameters"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(asks.contains(&"If-None-Match") && asks.contains(&"X-XR2-Min-Revision"), "{asks:?}");
    let (owner, key) = (app.owner().await, app.key(&[xr2_server::auth::Scope::Deliver]).await);
    crate::support::text(&owner, "p", "Hello").await;
    let answer = key.get("/prompts/p").await.ok();
    for name in ["ETag", "X-XR2-Revision", "X-XR2-Version"] {
        assert!(answer.header(name).is_some(), "{name} is sent");
        assert!(fetch["responses"]["200"]["headers"][name].is_object(), "{name} is described");
    }
    let publish = &document["paths"]["/api/v1/prompts/{p}/publish"]["post"]["responses"];
    assert!(publish["200"]["headers"]["X-XR2-Revision"].is_object());
});

both!(every_operation_lists_its_common_errors, |app| async move {
    let document = app.nobody().get(&app.url("/openapi.json")).await.json;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 30);
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let mut expected: Vec<&str> = Vec::new();
            if path.starts_with("/api/") {
                expected.extend(["429", "503"]);
                if operation.get("security").is_none() {
                    expected.extend(["401", "403"]);
                }
            }
            if path.contains('{') {
                expected.push("404");
            }
            if operation.get("requestBody").is_some() {
                expected.extend(["400", "413", "415", "422"]);
            }
            if operation["parameters"].as_array().is_some_and(|all| !all.is_empty())
                && path.starts_with("/api/")
            {
                expected.push("400");
            }
            for status in expected {
                let found = &operation["responses"][status];
                assert!(found.is_object(), "{method} {path} does not list {status}");
                if let Some(name) = found["$ref"].as_str() {
                    let at = name.strip_prefix('#').unwrap();
                    assert!(document.pointer(at).is_some(), "{method} {path}: {name} leads nowhere");
                }
            }
        }
    }
});
