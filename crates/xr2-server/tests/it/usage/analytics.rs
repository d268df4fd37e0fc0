//! What analytics tell of deliveries.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_testkit::both;

use crate::support::{made, put, text};

both!(usage_of_a_workspace, |app| async move {
    let owner = app.owner().await;
    let contract = json!([{ "name": "must", "type": "string", "required": true }]);
    made(&owner, json!({ "title": "T", "slug": "busy", "content": "{{ must }}", "variables": contract }))
        .await;
    text(&owner, "quiet", "Hello").await;
    let key = app.key(&[Scope::Deliver]).await;
    for user in ["ana", "ben", "ana"] {
        key.get(&format!("/prompts/busy?must=x&user_id={user}")).await.ok();
    }
    key.get("/prompts/busy?render").await.error(422, "MISSING_VARIABLES");
    key.get("/prompts/quiet").await.ok();
    app.clock().advance(TimeDelta::hours(30));
    key.get("/prompts/busy?must=x&user_id=cyd").await.ok();

    let week = owner.get("/analytics/usage?period=7d").await.ok();
    let data = week.data();
    assert_eq!(data["summary"]["total_requests"], 6);
    assert_eq!(data["summary"]["total_errors"], 1);
    assert_eq!(data["summary"]["unique_users"], 4, "three named ones and an address");
    assert_eq!(data["time_series"].as_array().unwrap().len(), 7);
    let listed: Vec<(&str, i64, i64)> = data["prompts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            (
                p["slug"].as_str().unwrap(),
                p["total_requests"].as_i64().unwrap(),
                p["unique_users"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(listed, [("busy", 5, 3), ("quiet", 1, 1)]);
    assert_eq!(data["prompts"][0]["error_rate"], json!(0.2));
    assert!(data["prompts"][0]["avg_response_time"].as_f64().unwrap() > 0.0);
    assert!(data["prompts"][0]["last_used"].as_str().unwrap().ends_with('Z'));

    let day = owner.get("/analytics/usage").await.ok();
    assert_eq!(day.data()["period"], "24h");
    assert_eq!(day.data()["summary"]["total_requests"], 1, "the rest was longer ago");
    assert_eq!(day.data()["time_series"][23]["requests"], 1);
    owner.get("/analytics/usage?period=1y").await.error(422, "VALIDATION_ERROR");
});

both!(usage_of_a_prompt, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "one").await;
    let key = app.key(&[Scope::Deliver]).await;
    key.get("/prompts/hi").await.ok();
    put(&owner, "hi", json!({ "content": "two" })).await;
    for _ in 0..9 {
        key.get("/prompts/hi").await.ok();
    }
    key.get("/prompts/hi?version=1").await.ok();
    key.get("/prompts/hi?label=staging").await.error(404, "NOT_FOUND");
    let answer = owner.get("/analytics/prompts/hi?period=30d").await.ok();
    let data = answer.data();
    assert_eq!(data["slug"], "hi");
    assert_eq!(data["total_executions"], Value::Null);
    let told = &data["deliveries"];
    assert_eq!((&told["total_requests"], &told["total_errors"]), (&json!(12), &json!(1)));
    assert_eq!((&told["active_days"], &told["by_source"]), (&json!(1), &json!({ "api": 12 })));
    let of = |version: Value, label: Value| {
        let all = told["by_version"].as_array().unwrap();
        all.iter().find(|v| v["version"] == version && v["label"] == label).map(|v| v["requests"].clone())
    };
    assert_eq!(of(json!(2), json!("production")), Some(json!(9)));
    assert_eq!(of(json!(1), json!("production")), Some(json!(1)));
    assert_eq!(of(json!(1), Value::Null), Some(json!(1)));
    assert_eq!(of(Value::Null, json!("staging")), Some(json!(1)));
    assert_eq!(told["by_key"][0]["requests"], 12);
    assert!(told["by_key"][0]["name"].is_string());
    let time = &told["response_time"];
    let [p50, p99] = ["p50", "p99"].map(|name| time[name].as_f64().expect("a percentile"));
    assert!(p50 > 0.0 && p50 <= p99);
    let empty = app.owner().await.get("/analytics/prompts/nothing").await;
    empty.error(404, "NOT_FOUND");
});

both!(nothing_used_is_told_as_such, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "one").await;
    let data = owner.get("/analytics/prompts/hi").await.ok().data().clone();
    assert_eq!(data["deliveries"]["error_rate"], Value::Null);
    assert_eq!(data["deliveries"]["response_time"]["p50"], Value::Null);
    assert_eq!(data["deliveries"]["last_used"], Value::Null);
    assert_eq!(data["daily_trend"].as_array().unwrap().len(), 24);
});
