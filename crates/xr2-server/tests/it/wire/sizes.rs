//! Heads that are too large.

use serde_json::Value;
use xr2_testkit::both;

use super::{Raw, fetcher, is_served};

both!(headers_that_are_too_large_are_refused, |app| async move {
    let key = fetcher(&app).await;
    let with = |size: usize| {
        let key = key.clone();
        async move { key.request("GET", "/prompts/p?name=Ana").header("x-long", &"x".repeat(size)).send().await }
    };
    with(20_000).await.ok();
    with(40_000).await.error(431, "HEADERS_TOO_LARGE").says("32768 bytes");
    with(100_000).await.error(431, "HEADERS_TOO_LARGE");
    // Beyond what is read at all there is no body.
    let (answer, _) = refused(&app, &format!("X-Long: {}\r\n", "x".repeat(300_000)), "/health").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many: String = (0..150).map(|n| format!("X-{n}: 1\r\n")).collect();
    let (answer, _) = refused(&app, &many, "/health").await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    is_served(&key).await;
});

both!(addresses_that_are_too_long_are_refused, |app| async move {
    let key = fetcher(&app).await;
    let (answer, json) = refused(&app, "", &format!("/api/v1/prompts/p?name={}", "x".repeat(61_000))).await;
    assert!(answer.starts_with("HTTP/1.1 414"), "{answer}");
    assert_eq!(json["error"]["code"], "URI_TOO_LONG");
    assert_eq!(json["success"], false);
    let (answer, _) = refused(&app, "", &format!("/{}", "x".repeat(70_000))).await;
    assert!(answer.starts_with("HTTP/1.1 414"), "{answer}");
    is_served(&key).await;
});

both!(ten_thousand_values_are_refused, |app| async move {
    let key = fetcher(&app).await;
    let query: String = (0..10_000).map(|n| format!("&v{n}")).collect();
    assert!(query.len() < 60_000);
    key.get(&format!("/prompts/p?name=Ana{query}")).await.error(400, "BAD_REQUEST").says("1000");
    let values: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("v{n}"), n.into())).collect();
    let body = serde_json::json!({ "variables": values });
    key.post("/prompts/p/render", body.clone()).await.wrong_fields(&["variables"]);
    let batch = serde_json::json!({ "slugs": ["p"], "variables": values });
    key.post("/prompts/batch", batch).await.wrong_fields(&["variables"]);
    is_served(&key).await;
});

async fn refused(app: &xr2_testkit::TestApp, headers: &str, path: &str) -> (String, Value) {
    let mut connection = Raw::open(app).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    // The server may answer and close before it has read all.
    let _ = tokio::io::AsyncWriteExt::write_all(&mut connection.0, request.as_bytes()).await;
    let answer = connection.rest().await;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json = serde_json::from_str(body).unwrap_or(Value::Null);
    (answer, json)
}
