//! HTTP/2 without TLS, by clients that know beforehand.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Version;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use xr2_testkit::{Options, TestApp, both};

use super::{fetcher, is_served};

fn client() -> reqwest::Client {
    xr2_testkit::http().http2_prior_knowledge().build().expect("a client")
}

async fn fetch(app: &TestApp, client: &reqwest::Client, token: &str) -> (Version, u16, Value) {
    let url = app.url("/api/v1/prompts/p?name=Ana");
    let response = client.get(url).bearer_auth(token).send().await.expect("an answer");
    let (version, status) = (response.version(), response.status().as_u16());
    (version, status, response.json().await.expect("JSON"))
}

both!(prompts_are_fetched_over_http2, |app| async move {
    let key = fetcher(&app).await;
    let client = client();
    // Cold, then warm; then many at once on one connection.
    for _ in 0..3 {
        let (version, status, json) = fetch(&app, &client, key.token()).await;
        assert_eq!((version, status), (Version::HTTP_2, 200));
        assert_eq!(json["data"]["content"], "Hello Ana");
    }
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (app, client, token) = (app.clone(), client.clone(), key.token().to_owned());
        many.spawn(async move { fetch(&app, &client, &token).await.1 });
    }
    assert!(many.join_all().await.iter().all(|status| *status == 200));
    let missing = client.get(app.url("/api/v1/prompts/none")).bearer_auth(key.token()).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["error"]["code"], "NOT_FOUND");
    is_served(&key).await;
});

both!(a_stream_and_requests_share_a_connection, |app| async move {
    let key = fetcher(&app).await;
    let owner = app.owner().await;
    let client = client();
    let url = app.url("/api/v1/stream?label=production");
    let mut stream = client.get(url).bearer_auth(key.token()).send().await.unwrap();
    assert_eq!((stream.version(), stream.status().as_u16()), (Version::HTTP_2, 200));
    assert_eq!(fetch(&app, &client, key.token()).await.1, 200);
    crate::support::put(&owner, "p", json!({ "content": "Good day" })).await;
    let mut heard = String::new();
    while !heard.contains("Good day") {
        let piece = stream.chunk().await.unwrap().expect("the stream goes on");
        heard.push_str(&String::from_utf8_lossy(&piece));
    }
});

both!(the_dashboard_writes_over_http2, |app| async move {
    let owner = app.owner().await;
    let session = app.session_of(owner.id.unwrap()).await;
    let write = |origin: String| {
        let (client, app, session) = (client(), app.clone(), session.clone());
        async move {
            let request = client.put(app.url("/api/v1/auth/me")).header("origin", origin);
            let request = request.header("cookie", format!("xr2_session={session}"));
            request.json(&json!({ "name": "Ana" })).send().await.unwrap().status().as_u16()
        }
    };
    assert_eq!(write(format!("http://{}", app.address())).await, 200);
    assert_eq!(write("https://evil.example".to_owned()).await, 403);
});

both!(headers_over_http2_have_the_same_limit, |app| async move {
    let key = fetcher(&app).await;
    let request = client().get(app.url("/api/v1/prompts/p")).bearer_auth(key.token());
    let response = request.header("x-long", "x".repeat(40_000)).send().await.unwrap();
    assert_eq!(response.status(), 431);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "HEADERS_TOO_LARGE");
    is_served(&key).await;
});

both!(
    streams_of_a_connection_are_limited,
    Options::new().set("http.streams_per_connection", 7),
    |app| async move {
        let (send, connection) = handshake(&app).await;
        let connection = tokio::spawn(connection);
        let mut send = send.ready().await.expect("it is ready");
        let (answer, _) = send.send_request(health(&app), true).expect("it is sent");
        assert_eq!(answer.await.expect("an answer").status(), 200);
        assert_eq!(send.current_max_send_streams(), 7);
        connection.abort();
    }
);

both!(who_opens_and_resets_is_let_go, |app| async move {
    let key = fetcher(&app).await;
    let (send, connection) = handshake(&app).await;
    let connection = tokio::spawn(connection);
    let mut send = send.ready().await.expect("it is ready");
    let mut sent = 0;
    let ended = loop {
        let Ok((_, mut stream)) = send.send_request(health(&app), true) else { break true };
        stream.send_reset(h2::Reason::CANCEL);
        sent += 1;
        if sent % 50 == 0 {
            match tokio::time::timeout(Duration::from_secs(20), send.clone().ready()).await {
                Ok(Ok(_)) => {}
                _ => break true,
            }
        }
        if sent == 100_000 {
            break false;
        }
    };
    assert!(ended, "{sent} requests were opened and reset");
    let error = connection.await.unwrap().expect_err("the server ends the connection");
    // Who goes on writing may meet the closed connection before the reason.
    assert!(error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) || error.is_io(), "{error}");
    is_served(&key).await;
});

both!(
    an_answer_that_is_left_lying_ends_its_connection,
    Options::new().set("stream.stall", "0.5").set("http.header_timeout", "1s"),
    |app| async move {
        let key = fetcher(&app).await;
        crate::support::text(&app.owner().await, "long", &"x".repeat(1_000_000)).await;
        let (send, mut connection) = handshake(&app).await;
        let mut signs_of_life = connection.ping_pong().expect("pings");
        let connection = tokio::spawn(connection);
        let mut send = send.ready().await.expect("it is ready");
        let request = http::Request::get(app.url("/api/v1/prompts/long"))
            .header("authorization", format!("Bearer {}", key.token()))
            .body(())
            .expect("a request");
        let (answer, _) = send.send_request(request, true).expect("it is sent");
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status(), 200);
        // The other end is well and answers; it only does not take what it asked for.
        while signs_of_life.ping(h2::Ping::opaque()).await.is_ok() {
            is_served(&key).await;
        }
        let _ = connection.await.expect("the connection's task");
        drop(answer);
        is_served(&key).await;
    }
);

type Send = h2::client::SendRequest<Bytes>;
type Connection = h2::client::Connection<TcpStream, Bytes>;

async fn handshake(app: &TestApp) -> (Send, Connection) {
    let stream = TcpStream::connect(app.address()).await.expect("a connection");
    h2::client::handshake(stream).await.expect("a handshake")
}

fn health(app: &TestApp) -> http::Request<()> {
    http::Request::get(app.url("/health")).body(()).expect("a request")
}
