//! Listeners that do not read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use xr2_server::auth::Scope;
use xr2_testkit::{Client, Options, TestApp, both};

use super::stream::Listener;
use super::{content, people, publish, text};

/// Opens a stream, takes the greeting and reads no further.
async fn deaf(app: &TestApp, key: &Client) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(8192).expect("a small buffer");
    let mut stream = socket.connect(app.address()).await.expect("a connection");
    let request = format!(
        "GET /api/v1/stream?label=production HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n",
        key.token()
    );
    stream.write_all(request.as_bytes()).await.expect("the request is sent");
    let mut head = Vec::new();
    while !String::from_utf8_lossy(&head).contains("event: hello") {
        let length = stream.read_buf(&mut head).await.expect("the greeting comes");
        assert!(length > 0, "{}", String::from_utf8_lossy(&head));
    }
    stream
}

both!(
    who_never_reads_is_let_go_and_holds_up_nobody,
    Options::new()
        .set("stream.stall", "0.5")
        .set("stream.heartbeat", "0.2")
        .set("limits.streams_per_caller", 1),
    |app| async move {
        let (owner, key) = people(&app).await;
        text(&owner, "p", "0").await;
        let other = app.key(&[Scope::Deliver]).await;
        let mut listener = Listener::open(&other, "?label=production").await;
        listener.hello().await;
        let _deaf = deaf(&app, &key).await;
        let key = &key;
        key.get("/stream").await.error(429, "RATE_LIMITED");
        // More than the buffers of both ends take.
        for n in 0..16 {
            publish(&owner, "p", &format!("{n} {}", "x".repeat(1_000_000))).await;
            let heard = listener.up_to(app.revision().await).await;
            let text =
                heard.last().and_then(|(_, _, data)| data["prompt"]["content"].as_str()).expect("a put");
            assert!(text.starts_with(&format!("{n} ")));
        }
        app.until("the place is given back", || async {
            key.request("GET", "/stream").open().await.status() == 200
        })
        .await;
        assert!(content(&key.get("/prompts/p").await.ok()).starts_with("15 "));
    }
);
