//! The Rust SDK against a real server: what is published is read from memory, whatever the network does.

use std::time::Duration;

use serde_json::{Value, json};
use xr2_client::{Builder, Client, Error, Source};
use xr2_server::auth::Scope;
use xr2_testkit::{Client as Http, Network, Proxy, TestApp, both};

/// Makes a prompt that is live, and tells its slug.
async fn made(owner: &Http, slug: &str, content: &str) {
    owner.post("/prompts", json!({ "title": slug, "slug": slug, "content": content })).await.created();
}

async fn publish(owner: &Http, slug: &str, content: &str) {
    owner.put(&format!("/prompts/{slug}"), json!({ "content": content })).await.ok();
}

fn builder(url: &str, key: &Http) -> Builder {
    let often = Duration::from_millis(200);
    Client::builder().url(url).api_key(key.token()).telemetry_interval(often).poll_interval(often)
}

fn text(client: &Client, slug: &str) -> Option<String> {
    client.get_now(slug).ok().and_then(|prompt| prompt.text().map(str::to_owned))
}

async fn is_live(app: &TestApp, client: &Client) {
    app.until("the stream carries", || async { client.is_live() }).await;
}

async fn shows(app: &TestApp, client: &Client, slug: &str, wanted: &str) {
    app.until(wanted, || async { text(client, slug).as_deref() == Some(wanted) }).await;
}

both!(a_publish_is_in_memory_and_the_server_knows_who_has_it, |app| async move {
    let (owner, key) = (app.owner().await, app.key(&[Scope::Deliver]).await);
    made(&owner, "hi", "one").await;
    let client = builder(&format!("http://{}", app.address()), &key).instance("worker-1").build().unwrap();
    is_live(&app, &client).await;
    let prompt = client.get_now("hi").unwrap();
    assert_eq!((prompt.text(), prompt.source()), (Some("one"), Source::Stream));
    let served = async |version: i64| {
        let data = owner.get("/clients?prompt=hi&label=production").await.ok().data().clone();
        let one = &data["instances"][0];
        data["counts"] == json!({ "total": 1, "current": 1, "silent": 0 })
            && one["instance"] == "worker-1"
            && one["stream"] == true
            && one["serving"][0]["version"] == version
    };
    app.until("it serves one", || served(1)).await;
    publish(&owner, "hi", "two").await;
    shows(&app, &client, "hi", "two").await;
    app.until("it serves two", || served(2)).await;
    client.close().await;
    let reads = async || owner.get("/analytics/prompts/hi").await.ok().data()["deliveries"].clone();
    app.until("its reads count", || async { reads().await["by_source"]["sdk"].as_i64() > Some(0) }).await;
    assert!(reads().await["response_time"]["p50"].is_number());
});

both!(a_lost_server_stops_no_read_and_is_found_again, |app| async move {
    let (owner, key) = (app.owner().await, app.key(&[Scope::Deliver]).await);
    made(&owner, "hi", "one").await;
    let (network, url) = Proxy::before_url(&format!("http://{}", app.address())).await;
    let file = app.directory().join("prompts.snapshot");
    let client = builder(&url, &key).snapshot(&file).build().unwrap();
    is_live(&app, &client).await;
    app.until("the snapshot is written", || async { file.exists() }).await;
    network.set(Network::Cut);
    app.until("the stream is lost", || async { !client.is_live() }).await;
    for _ in 0..500 {
        assert_eq!(client.get("hi").await.unwrap().text(), Some("one"));
    }
    let cold = builder(&url, &key).snapshot(&file).build().unwrap();
    let prompt = cold.get("hi").await.unwrap();
    assert_eq!((prompt.text(), prompt.source()), (Some("one"), Source::Disk));

    publish(&owner, "hi", "two").await;
    network.set(Network::Works);
    for client in [&client, &cold] {
        shows(&app, client, "hi", "two").await;
        is_live(&app, client).await;
    }
    client.close().await;
    cold.close().await;
});

both!(a_revoked_key_ends_a_client_that_only_reads_its_memory, |app| async move {
    let (owner, key) = (app.owner().await, app.key(&[Scope::Deliver]).await);
    made(&owner, "hi", "one").await;
    let client = builder(&format!("http://{}", app.address()), &key).build().unwrap();
    is_live(&app, &client).await;
    assert_eq!(text(&client, "hi").as_deref(), Some("one"));
    let id = owner.get("/api-keys").await.ok().data()[0]["id"].as_str().map(str::to_owned);
    owner.delete(&format!("/api-keys/{}", id.unwrap())).await.ok();
    app.until("it is refused", || async { matches!(client.get_now("hi"), Err(Error::Auth(_))) }).await;
    assert!(client.get("hi").await.is_err());
    client.close().await;
});

both!(without_a_stream_it_polls, |app| async move {
    let (owner, key) = (app.owner().await, app.key(&[Scope::Deliver]).await);
    made(&owner, "hi", "one").await;
    let client = builder(&format!("http://{}", app.address()), &key).stream(false).build().unwrap();
    shows(&app, &client, "hi", "one").await;
    publish(&owner, "hi", "two").await;
    shows(&app, &client, "hi", "two").await;
    let clients = async || owner.get("/clients?prompt=hi").await.ok().data()["instances"].clone();
    app.until("it is listed", || async { clients().await[0]["serving"][0]["version"] == 2 }).await;
    assert_eq!(clients().await[0]["stream"], Value::Bool(false));
    client.close().await;
});
