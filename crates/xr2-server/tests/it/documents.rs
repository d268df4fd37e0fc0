//! The examples of the documents that xr2 was described in, adapted where the contract says so: answers stand in an
//! envelope, `versionNumber` is `number`.

use serde_json::json;
use xr2_server::auth::Scope;
use xr2_testkit::both;

use crate::support::made;

// describe('PromptVersionService'): it('should create a new version')
both!(version_service_creates_a_new_version, |app| async move {
    let owner = app.owner().await;
    let prompt = made(&owner, json!({ "title": "prompt-1", "content": "New content" })).await;
    assert_eq!(
        (&prompt["version"]["number"], &prompt["version"]["content"]),
        (&json!(1), &json!("New content"))
    );

    // As the service is written: the next number, the parent, a summary of its own when none is given.
    let second =
        owner.post("/prompts/prompt-1/versions", json!({ "content": "Newer content" })).await.created();
    assert_eq!((&second.data()["number"], &second.data()["parent"]), (&json!(2), &json!(1)));
    assert_eq!(second.data()["change_summary"], "Changed 1 line");
    assert_eq!(second.data()["prompt"]["latest_version"], 2);
    let third = owner
        .post("/prompts/prompt-1/versions", json!({ "content": "Newest", "change_summary": "Said why" }))
        .await
        .created();
    assert_eq!(third.data()["change_summary"], "Said why");

    // getVersions: newest first, with who made them.
    let versions = owner.get("/prompts/prompt-1/versions").await.ok();
    let numbers: Vec<_> =
        versions.data().as_array().unwrap().iter().map(|v| v["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(versions.data()[0]["created_by"]["name"], "Test Person");

    // restoreVersion: a new version with the old content.
    let id = prompt["version"]["id"].as_str().unwrap();
    let restored = owner.post(&format!("/prompts/prompt-1/versions/{id}/restore"), json!({})).await.created();
    let version = &restored.data()["version"];
    assert_eq!((&version["number"], &version["content"]), (&json!(4), &json!("New content")));
    assert_eq!(version["change_summary"], "Restored from version 1");
    owner
        .post("/prompts/prompt-1/versions/9/restore", json!({}))
        .await
        .error(404, "NOT_FOUND")
        .says("ersion 9 not found");
});

// describe('POST /api/prompts'): it('should create a prompt')
both!(post_creates_a_prompt, |app| async move {
    let owner = app.owner().await;
    let response = owner.post("/prompts", json!({ "title": "Test Prompt", "content": "Test content" })).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.data()["slug"], "test-prompt");
});

// class TestPromptAPI: test_get_prompt_success
both!(get_prompt_success, |app| async move {
    let prompt =
        made(&app.owner().await, json!({ "title": "Test", "content": "Hello {{name}} at {{company}}" }))
            .await;
    let client = app.key(&[Scope::Deliver]).await;
    let response = client.get(&format!("/prompts/{}", prompt["slug"].as_str().unwrap())).await;
    assert_eq!(response.status, 200);
    let data = response.data();
    assert_eq!(data["slug"], prompt["slug"]);
    assert!(!data["content"].is_null());
    assert!(data.get("version").is_some());
});

// test_get_prompt_with_variables
both!(get_prompt_with_variables, |app| async move {
    let prompt =
        made(&app.owner().await, json!({ "title": "Test", "content": "Hello {{name}} at {{company}}" }))
            .await;
    let client = app.key(&[Scope::Deliver]).await;
    let path = format!("/prompts/{}?name=John&company=Acme+Corp", prompt["slug"].as_str().unwrap());
    let response = client.get(&path).await;
    assert_eq!(response.status, 200);
    let content = response.text_of("content");
    assert!(content.contains("John") && content.contains("Acme Corp"), "{content}");
});

// test_prompt_not_found
both!(prompt_not_found, |app| async move {
    let client = app.key(&[Scope::Deliver]).await;
    let response = client.get("/prompts/non-existent").await;
    assert_eq!(response.status, 404);
    assert!(response.message().contains("not found"), "{}", response.text);
});

// class TestPerformance: test_concurrent_requests
both!(a_hundred_requests_at_once, |app| async move {
    made(&app.owner().await, json!({ "title": "Test", "content": "Hello {{name}}" })).await;
    let client = app.key(&[Scope::Deliver]).await;
    let requests = (0..100).map(|_| {
        let client = client.clone();
        async move { client.get("/prompts/test").await }
    });
    for response in futures::future::join_all(requests).await {
        assert_eq!(response.status, 200);
    }
});
