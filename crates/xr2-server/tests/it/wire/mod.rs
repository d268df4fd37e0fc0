//! Below the API: connections, their protocols, their limits.

mod http2;
mod sizes;
mod slow;
mod tls;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xr2_server::auth::Scope;
use xr2_testkit::{Client, TestApp};

use crate::support::text;

/// A key that fetches the prompt `p`, whose text is `Hello {{ name }}`.
pub async fn fetcher(app: &TestApp) -> Client {
    text(&app.owner().await, "p", "Hello {{ name }}").await;
    app.key(&[Scope::Deliver]).await
}

/// Fails unless somebody else is served.
pub async fn is_served(client: &Client) {
    assert_eq!(client.get("/prompts/p?name=Ana").await.ok().text_of("content"), "Hello Ana");
}

/// A connection that is written to by hand.
pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn open(app: &TestApp) -> Raw {
        Raw(TcpStream::connect(app.address()).await.expect("a connection"))
    }

    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is sent");
    }

    /// What comes until the server closes.
    pub async fn rest(mut self) -> String {
        let mut all = Vec::new();
        // A server that closes while something of ours is unread resets the connection.
        let _ = self.0.read_to_end(&mut all).await;
        String::from_utf8_lossy(&all).into_owned()
    }

    /// One answer, up to the end of its body of a length that is told.
    pub async fn answer(&mut self) -> String {
        let mut all = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&all).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
                let length = length.lines().next().unwrap_or("0").parse().unwrap_or(0);
                if body.len() >= length {
                    return text;
                }
            }
            let count = self.0.read_buf(&mut all).await.expect("an answer comes");
            assert!(count > 0, "the server closed after {text:?}");
        }
    }
}
