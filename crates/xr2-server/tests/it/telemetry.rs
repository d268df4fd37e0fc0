//! What SDKs report: reads that count once, and instances that are there.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xr2_server::auth::Scope;
use xr2_server::clock::rfc3339;
use xr2_server::features::usage::settle;
use xr2_testkit::{CANARY_ID, Client, KeyFixture, TestApp, both};

use crate::queries;
use crate::support::{complaints, put, text};

async fn people(app: &TestApp) -> (Client, Client) {
    (app.owner().await, app.key(&[Scope::Deliver]).await)
}

fn event(app: &TestApp, id: &str) -> Value {
    let at = rfc3339(&app.clock().now());
    json!({ "id": id, "type": "delivery", "prompt": "hi", "version": 1, "label": "production", "at": at, "count": 3,
            "latency_us": 12.5, "user_id": "u" })
}

fn report(events: Vec<Value>) -> Value {
    json!({ "instance": "one", "sdk": "python/0.1.0", "revision": 1, "events": events })
}

async fn count(app: &TestApp) -> (i64, i64) {
    settle(app.app()).await.unwrap();
    queries::summed(app.db(), app.workspace()).await.unwrap()
}

async fn send(client: &Client, body: Value) -> Value {
    let answer = client.post("/telemetry", body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.data().clone()
}

both!(reads_count_once_however_often_they_are_reported, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let body = report(vec![event(&app, "a"), event(&app, "b"), event(&app, "a")]);
    assert_eq!(send(&key, body.clone()).await, json!({ "accepted": 2, "duplicates": 1, "rejected": [] }));
    assert_eq!(send(&key, body).await, json!({ "accepted": 0, "duplicates": 3, "rejected": [] }));
    let node = app.second_node().await;
    let again = report(vec![event(&app, "b"), event(&app, "c")]);
    assert_eq!(send(&node.bearer(key.token()), again).await["accepted"], 1);
    assert_eq!(count(&app).await, (9, 0));
    let row = queries::usage(app.db(), app.workspace()).await.unwrap().remove(0);
    assert_eq!(
        (row.source.as_str(), row.count, row.latency_us, row.user.as_deref()),
        ("sdk", 3, Some(13), Some("u"))
    );
    let usage = owner.get("/analytics/prompts/hi").await.ok();
    assert_eq!(usage.data()["deliveries"]["by_source"], json!({ "sdk": 9 }));
});

both!(no_key_uses_up_the_ids_of_another, |app| async move {
    let (owner, key) = people(&app).await;
    let other = app.key(&[Scope::Deliver]).await;
    text(&owner, "hi", "Hello").await;
    let body = report(vec![event(&app, "a")]);
    for sender in [&other, &key] {
        assert_eq!(send(sender, body.clone()).await["accepted"], 1);
        assert_eq!(send(sender, body.clone()).await["duplicates"], 1);
    }
    assert_eq!(count(&app).await, (6, 0));
});

both!(what_was_reported_stays_known, |app| async move {
    let (_, key) = people(&app).await;
    text(&app.owner().await, "hi", "Hello").await;
    let counted = async |client: &Client, ids: &[&str]| {
        let answer = send(client, report(ids.iter().map(|id| event(&app, id)).collect())).await;
        (answer["accepted"].as_i64(), answer["duplicates"].as_i64())
    };
    assert_eq!(counted(&key, &["a", "b", "a"]).await, (Some(2), Some(1)));
    app.app().reported_ids().move_now(app.app()).await.unwrap();
    assert_eq!(counted(&key, &["a", "b", "c"]).await, (Some(1), Some(2)), "after they were put in order");
    assert_eq!(counted(&key, &["c", "d"]).await, (Some(1), Some(1)), "and before");
    let node = app.second_node().await;
    let there = node.bearer(key.token());
    assert_eq!(
        counted(&there, &["a", "c", "d", "e"]).await,
        (Some(1), Some(3)),
        "by a server that has just started"
    );
    node.app().reported_ids().move_now(node.app()).await.unwrap();
    assert_eq!(counted(&key, &["d", "e", "f"]).await, (Some(1), Some(2)), "wherever they were put in order");
});

both!(a_report_sent_by_many_at_once_counts_once, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let events: Vec<Value> = (0..300).map(|number| event(&app, &format!("e{number}"))).collect();
    let mut reversed = events.clone();
    reversed.reverse();
    let bodies = [report(events.clone()), report(reversed), report(events.clone()), report(events)];
    let [a, b, c, d] = bodies.map(|body| send(&key, body));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let accepted: i64 = [a, b, c, d].iter().map(|answer| answer["accepted"].as_i64().unwrap()).sum();
    assert_eq!(accepted, 300);
    assert_eq!(count(&app).await, (900, 0));
});

both!(forged_events_are_rejected_one_by_one, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let with = |field: &str, value: Value| {
        let mut event = event(&app, &format!("{field}-{value}"));
        event[field] = value;
        event
    };
    let old = rfc3339(&(app.clock().now() - TimeDelta::days(8)));
    let ahead = rfc3339(&(app.clock().now() + TimeDelta::days(300)));
    let events = vec![
        event(&app, "good"),
        with("prompt", json!("nothing")),
        with("prompt", json!(app.canary().prompt)),
        with("prompt", json!("canary-prompt")),
        with("version", json!(2)),
        with("version", json!(0)),
        with("label", json!("nowhere")),
        with("at", json!(old)),
        with("at", json!("yesterday")),
        with("count", json!(0)),
        with("count", json!(i64::MAX)),
        with("latency_us", json!(-1)),
        with("type", json!("conversion")),
        with("id", json!("")),
        with("id", json!("x".repeat(101))),
        json!({ "id": 7 }),
        json!("event"),
        with("at", json!(ahead)),
        with("label", json!("latest")),
        with("error", json!("NOT_FOUND")),
    ];
    let answer = send(&key, report(events)).await;
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(4), &json!(0)));
    let rejected: Vec<u64> =
        answer["rejected"].as_array().unwrap().iter().map(|one| one["index"].as_u64().unwrap()).collect();
    assert_eq!(rejected, (1..17).collect::<Vec<_>>());
    assert_eq!(count(&app).await, (12, 3));
    assert_eq!(queries::usage(app.db(), CANARY_ID).await.unwrap().len(), 1, "what was planted, and no more");
    let hours = owner.get("/analytics/usage").await.ok();
    assert_eq!(hours.data()["time_series"][23]["requests"], 12, "a time to come is cut to the present");
});

both!(a_key_reports_what_it_may_see, |app| async move {
    let owner = app.owner().await;
    text(&owner, "hi", "Hello").await;
    owner.put("/prompts/hi/labels/staging", json!({ "version": 1 })).await.ok();
    let key = app.key_with(KeyFixture { labels: vec!["staging"], ..KeyFixture::default() }).await;
    let mut staging = event(&app, "s");
    staging["label"] = json!("staging");
    let mut none = event(&app, "n");
    none["label"] = Value::Null;
    let answer = send(&key, report(vec![staging, none, event(&app, "p")])).await;
    assert_eq!(
        (answer["accepted"].as_i64(), answer["rejected"].as_array().map(Vec::len)),
        (Some(1), Some(2))
    );
    let mut unknown = event(&app, "u");
    unknown["label"] = json!("staging");
    unknown["prompt"] = json!("nowhere");
    let mut later = event(&app, "v");
    later["label"] = json!("staging");
    later["version"] = json!(7);
    let refused = send(&key, report(vec![unknown, later, event(&app, "q")])).await["rejected"].clone();
    let reasons: Vec<&Value> = refused.as_array().unwrap().iter().map(|one| &one["message"]).collect();
    assert!(reasons.len() == 3 && reasons.iter().all(|one| *one == reasons[0]), "{refused}");
    let reported = send(&owner, report(vec![event(&app, "by-hand")])).await;
    assert_eq!(reported["accepted"], 1);
    assert_eq!(count(&app).await, (3, 0), "what people report counts nowhere");
});

both!(reports_that_are_wrong_are_refused, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let many: Vec<Value> = (0..1001).map(|number| event(&app, &number.to_string())).collect();
    let answer = key.post("/telemetry", report(many)).await;
    assert_eq!(complaints(&answer), [("events".to_owned(), "too_long".to_owned())]);
    let served: Vec<Value> = (0..1001).map(|_| json!({ "prompt": "hi", "version": 1 })).collect();
    let answer = key.post("/telemetry", json!({ "instance": "x", "serving": served })).await;
    assert_eq!(complaints(&answer), [("serving".to_owned(), "too_long".to_owned())]);
    for body in [
        json!({}),
        json!({ "instance": "" }),
        json!({ "instance": "x".repeat(101) }),
        json!({ "instance": 5 }),
        json!({ "instance": "x", "revision": -1 }),
        json!({ "instance": "x", "revision": "new" }),
        json!({ "instance": "x", "events": {} }),
        json!([]),
    ] {
        key.post("/telemetry", body).await.error(422, "VALIDATION_ERROR");
    }
    key.post("/telemetry", json!({ "instance": "a\0" })).await.error(400, "BAD_REQUEST");
    let answer = key.post("/telemetry", json!({ "instance": "a\\u0000" })).await;
    assert_eq!(answer.status, 202, "a backslash is none: {}", answer.text);
    let broken =
        key.request("POST", "/telemetry").header("content-type", "application/json").bytes("{\"instance\":");
    broken.send().await.error(400, "BAD_REQUEST");
    let form = key.request("POST", "/telemetry").header("content-type", "text/plain").bytes("{}");
    form.send().await.error(415, "UNSUPPORTED_MEDIA_TYPE");
    let deep = key
        .request("POST", "/telemetry")
        .bytes(format!("{{\"instance\":\"x\",\"events\":{}", "[".repeat(100_000)));
    deep.send().await.error(400, "BAD_REQUEST");
    assert_eq!(count(&app).await, (0, 0));
});

async fn heartbeat(client: &Client, instance: &str, revision: i64, serving: Value) {
    let body = json!({ "instance": instance, "sdk": "rust/0.1.0", "revision": revision, "serving": serving });
    send(client, body).await;
}

fn counted(total: i64, current: i64) -> Value {
    json!({ "total": total, "current": current, "silent": 0 })
}

both!(absurd_figures_leave_the_sums_readable, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    for round in 0..4 {
        let absurd = |number: usize| {
            let mut event = event(&app, &format!("{round}-{number}"));
            (event["count"], event["latency_us"]) = (json!(1_000_000), json!(3.6e9));
            event
        };
        send(&key, report((0..1000).map(absurd).collect())).await;
    }
    let (reads, _) = count(&app).await;
    assert_eq!(reads, 4_000_000_000);
    let usage = owner.get("/analytics/prompts/hi").await.ok();
    assert_eq!(usage.data()["deliveries"]["by_source"], json!({ "sdk": 4_000_000_000_i64 }));
});

both!(clients_tell_what_they_serve, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    put(&owner, "hi", json!({ "content": "two" })).await;
    let revision = app.revision().await;
    let serves = |version: i64| json!([{ "prompt": "hi", "label": "production", "version": version, "since": "2026-01-31T12:00:00Z" }]);
    let node = app.second_node().await;
    heartbeat(&key, "a", revision, serves(2)).await;
    heartbeat(&node.bearer(key.token()), "b", revision - 1, serves(1)).await;
    heartbeat(
        &key,
        "c",
        revision,
        json!([{ "prompt": "nothing", "version": 1 }, { "prompt": "hi", "version": 9 }]),
    )
    .await;
    app.until("both nodes have written", || async {
        let all = owner.get("/clients").await.ok();
        all.data()["counts"] == counted(3, 2)
    })
    .await;
    let of_prompt = owner.get("/clients?prompt=hi&label=production").await.ok();
    let data = of_prompt.data();
    assert_eq!((&data["revision"], &data["counts"]), (&json!(revision), &counted(2, 1)));
    assert_eq!(data["instances"][0]["current"], false, "who is behind comes first");
    let first = &data["instances"][1];
    assert_eq!(
        (&first["instance"], &first["sdk"], &first["current"]),
        (&json!("a"), &json!("rust/0.1.0"), &json!(true))
    );
    assert_eq!(first["serving"][0]["slug"], "hi");
    assert_eq!(first["serving"][0]["version"], 2);
    assert_eq!(first["serving"][0]["since"], "2026-01-31T12:00:00.000000Z");
    assert!(first["key"]["name"].is_string());

    // A publish, and one after the other has it.
    put(&owner, "hi", json!({ "content": "three" })).await;
    let counts =
        async || owner.get("/clients?prompt=hi&label=production").await.ok().data()["counts"].clone();
    assert_eq!(counts().await, counted(2, 0));
    heartbeat(&key, "a", revision + 2, serves(3)).await;
    assert_eq!(counts().await, counted(2, 1));
    heartbeat(&key, "b", revision + 2, serves(3)).await;
    assert_eq!(counts().await, counted(2, 2));
    assert_eq!(owner.get("/clients?prompt=hi&label=staging").await.ok().data()["counts"]["total"], 0);
    owner.get("/clients?prompt=nothing").await.error(404, "NOT_FOUND");
    assert_eq!(app.stranger().get("/clients").await.ok().data()["counts"]["total"], 1, "theirs");
});

both!(an_instance_that_is_silent_is_gone, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let serving = json!([{ "prompt": "hi", "version": 1 }]);
    heartbeat(&key, "a", 1, serving).await;
    let listed = async || owner.get("/clients").await.ok().data()["instances"].clone();
    let first_seen = listed().await[0]["first_seen"].clone();
    app.clock().advance(TimeDelta::seconds(100));
    send(&key, json!({ "instance": "a", "revision": 2 })).await;
    let again = listed().await;
    assert_eq!((&again[0]["revision"], &again[0]["first_seen"]), (&json!(2), &first_seen));
    assert_eq!(again[0]["serving"][0]["version"], 1, "what is not said again stays");
    app.clock().advance(TimeDelta::seconds(121));
    assert_eq!(listed().await, json!([]));
    send(&key, json!({ "instance": "a", "revision": 3 })).await;
    let back = listed().await;
    assert_eq!(back[0]["serving"], json!([]), "it came back as somebody new");
    assert_ne!(back[0]["first_seen"], first_seen);
});

both!(who_is_behind_and_silent_is_told_apart, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let serves = |version: i64| json!([{ "prompt": "hi", "version": version }]);
    heartbeat(&key, "quick", 1, serves(1)).await;
    heartbeat(&key, "lost", 1, serves(1)).await;
    let look = async |query: &str| {
        let answer = owner.get(&format!("/clients?prompt=hi&label=production{query}")).await.ok();
        answer.data().clone()
    };
    assert_eq!(look("").await["counts"], counted(2, 2));
    app.clock().advance(TimeDelta::seconds(41));
    assert_eq!(look("").await["counts"], counted(2, 2), "silent, but what it said last is right");
    put(&owner, "hi", json!({ "content": "two" })).await;
    heartbeat(&key, "quick", app.revision().await, serves(2)).await;
    let data = look("").await;
    assert_eq!(data["counts"], json!({ "total": 2, "current": 1, "silent": 1 }));
    assert!(
        data["at"].as_str() <= Some(rfc3339(&app.clock().now()).as_str()),
        "the server's clock: {}",
        data["at"]
    );
    let of = |index: usize, field: &str| data["instances"][index][field].clone();
    assert_eq!((of(0, "instance"), of(0, "silent")), (json!("lost"), json!(true)));
    assert_eq!((of(1, "instance"), of(1, "silent")), (json!("quick"), json!(false)));
    let counts_alone = look("&limit=0").await;
    assert_eq!((&counts_alone["counts"], &counts_alone["instances"]), (&data["counts"], &json!([])));
    assert_eq!(look("&limit=1").await["instances"][0]["instance"], "lost");
    for limit in ["-1", "1001", "many"] {
        let answer = owner.get(&format!("/clients?limit={limit}")).await;
        assert_eq!(complaints(&answer), [("limit".to_owned(), "invalid".to_owned())]);
    }
    app.clock().advance(TimeDelta::seconds(121));
    assert_eq!(look("").await["counts"], counted(0, 0), "gone");
});

both!(a_part_of_a_prompt_is_counted_with_it, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "part", "one").await;
    let whole =
        json!({ "title": "w", "slug": "whole", "syntax": "jinja", "content": "{% include 'part' %}" });
    owner.post("/prompts", whole).await.created();
    let serving = json!([{ "prompt": "whole", "version": 1 }]);
    heartbeat(&key, "a", app.revision().await, serving.clone()).await;
    let counts = async || owner.get("/clients?prompt=whole&limit=0").await.ok().data()["counts"].clone();
    assert_eq!(counts().await, counted(1, 1));
    put(&owner, "part", json!({ "content": "two" })).await;
    assert_eq!(counts().await, counted(1, 0), "the same version, with another text inside");
    text(&owner, "other", "x").await;
    heartbeat(&key, "a", app.revision().await - 1, serving.clone()).await;
    assert_eq!(counts().await, counted(1, 1), "what else happened does not matter");
});

both!(many_clients_are_counted_and_a_thousand_listed, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    let node = app.second_node().await;
    let other = node.bearer(key.token());
    for number in 0..1010 {
        let client = if number % 2 == 0 { &key } else { &other };
        heartbeat(client, &format!("n{number:04}"), 1, json!([{ "prompt": "hi", "version": 1 }])).await;
    }
    app.until("both nodes have written", || async {
        let data = owner.get("/clients?prompt=hi").await.ok();
        data.data()["counts"] == counted(1010, 1010)
    })
    .await;
    let data = owner.get("/clients?prompt=hi").await.ok();
    assert_eq!(data.data()["instances"].as_array().map(Vec::len), Some(1000));
    put(&owner, "hi", json!({ "content": "two" })).await;
    heartbeat(&other, "n1009", 9, json!([{ "prompt": "hi", "version": 2 }])).await;
    app.until("the other node has written", || async {
        let data = owner.get("/clients?prompt=hi&limit=0").await.ok();
        data.data()["counts"] == counted(1010, 1)
    })
    .await;
});

both!(reads_from_memory_keep_a_prompt_in_use, |app| async move {
    let (owner, key) = people(&app).await;
    text(&owner, "hi", "Hello").await;
    send(&key, report(vec![event(&app, "a")])).await;
    owner.delete("/prompts/hi").await.error(409, "IN_USE");
});
