//! Clients that take their time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use xr2_testkit::{Options, both};

use super::{Raw, fetcher, is_served};

fn hasty() -> Options {
    Options::new().set("http.header_timeout", "1s").set("http.idle_timeout", "1s")
}

both!(a_head_that_does_not_end_is_cut_off, hasty(), |app| async move {
    let key = fetcher(&app).await;
    let mut silent = Vec::new();
    for begun in ["", "GET /api/v1/prompts/p HT", "PRI * HTTP/2.0\r\n"] {
        let mut connection = Raw::open(&app).await;
        connection.send(begun).await;
        silent.push(connection);
    }
    let mut dripping = Raw::open(&app).await;
    let drip = tokio::spawn(async move {
        dripping.send("GET /api/v1/prompts/p HTTP/1.1\r\nHost: localhost\r\nX-Long: ").await;
        while dripping.0.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    is_served(&key).await;
    for connection in silent {
        assert_eq!(connection.rest().await, "");
    }
    drip.await.unwrap();
    is_served(&key).await;
});

both!(the_second_head_has_to_end_too, hasty(), |app| async move {
    let key = fetcher(&app).await;
    let mut connection = Raw::open(&app).await;
    connection.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(connection.answer().await.starts_with("HTTP/1.1 200"));
    connection.send("GET /health HTTP/1.1\r\nHost: ").await;
    assert_eq!(connection.rest().await, "");
    is_served(&key).await;
});

both!(connections_without_requests_end_and_streams_do_not, hasty(), |app| async move {
    let key = fetcher(&app).await;
    let mut stream = key.request("GET", "/stream?label=production").open().await;
    assert_eq!(stream.status(), 200);
    let mut idle = Raw::open(&app).await;
    idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(idle.answer().await.starts_with("HTTP/1.1 200"));
    assert_eq!(idle.rest().await, "", "it is closed without a word");
    // Meanwhile the stream was open for as long, and it hears what happens now.
    let owner = app.owner().await;
    crate::support::put(&owner, "p", serde_json::json!({ "content": "Good day {{ name }}" })).await;
    let mut heard = String::new();
    while !heard.contains("Good day") {
        let piece = stream.chunk().await.expect("the stream goes on").expect("the stream goes on");
        heard.push_str(&String::from_utf8_lossy(&piece));
    }
});

both!(a_slow_download_comes_to_its_end, hasty(), |app| async move {
    let key = fetcher(&app).await;
    let long = "x".repeat(900_000);
    crate::support::text(&app.owner().await, "long", &long).await;
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(8192).expect("a small buffer");
    let mut connection = socket.connect(app.address()).await.expect("a connection");
    let body = serde_json::json!({ "slugs": ["long"] }).to_string();
    let head = format!(
        "POST /api/v1/prompts/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        key.token(),
        body.len()
    );
    connection.write_all(head.as_bytes()).await.expect("it is sent");
    let began = tokio::time::Instant::now();
    let (mut taken, mut piece) = (0, vec![0; 16 * 1024]);
    while taken < long.len() {
        let count = connection.read(&mut piece).await.expect("it goes on");
        assert!(count > 0, "cut off after {taken} bytes and {:?}", began.elapsed());
        taken += count;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(began.elapsed() > Duration::from_millis(1500), "longer than an idle connection is left open");
    is_served(&key).await;
});

both!(
    a_body_that_drips_is_refused,
    Options::new().set("http.body_timeout", "1s").set("http.body_rate", 1_000_000),
    |app| async move {
        let key = fetcher(&app).await;
        let mut connection = Raw::open(&app).await;
        let head = format!(
            "POST /api/v1/prompts/p/render HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{",
            key.token()
        );
        connection.send(&head).await;
        let (mut reading, mut writing) = connection.0.into_split();
        let drip = tokio::spawn(async move {
            while writing.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        is_served(&key).await;
        let mut answer = Vec::new();
        let _ = reading.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains(r#""code":"REQUEST_TIMEOUT""#), "{answer}");
        drip.await.unwrap();
        is_served(&key).await;
    }
);

both!(
    a_large_body_may_take_longer,
    Options::new().set("http.body_timeout", "1s").set("http.body_rate", 2_000),
    |app| async move {
        let key = fetcher(&app).await;
        let value = "x".repeat(100_000);
        let body = serde_json::json!({ "variables": { "name": value } }).to_string();
        let head = format!(
            "POST /api/v1/prompts/p/render HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            key.token(),
            body.len()
        );
        let (front, back) = body.split_at(90_000);
        let mut connection = Raw::open(&app).await;
        connection.send(&head).await;
        connection.send(front).await;
        is_served(&key).await;
        // Who began later and sends nothing has had all the time there is for nothing.
        let mut empty = Raw::open(&app).await;
        empty.send(&head).await;
        assert!(empty.answer().await.starts_with("HTTP/1.1 408"));
        connection.send(back).await;
        let answer = connection.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{}", &answer[..answer.len().min(300)]);
    }
);

both!(
    who_finds_no_place_waits,
    Options::new().set("limits.connections", 3).set("http.header_timeout", "1s"),
    |app| async move {
        let mut silent = Vec::new();
        for _ in 0..3 {
            silent.push(Raw::open(&app).await);
        }
        // Until one of them is cut off.
        let mut waiting = Raw::open(&app).await;
        waiting.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(waiting.rest().await.starts_with("HTTP/1.1 200"));
        drop(silent);
    }
);
