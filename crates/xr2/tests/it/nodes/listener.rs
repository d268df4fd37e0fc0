//! Somebody who listens to a node's stream.

use std::sync::Arc;
use std::time::Instant;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::cluster::SLUG;
use super::number_in;

/// See the module. It ends with the stream.
pub struct Listener {
    heard: watch::Receiver<Heard>,
    reading: AbortHandle,
}

#[derive(Clone, Copy, Default)]
struct Heard {
    /// The newest text.
    number: i64,
    at: Option<Instant>,
    revision: Option<i64>,
}

impl Listener {
    /// Opens the stream, from where a client was.
    pub async fn open(http: &Client, url: &str, last: Option<i64>) -> Arc<Listener> {
        let mut request = http.get(format!("{url}/api/v1/stream?label=production&slugs={SLUG}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("a stream");
        assert_eq!(response.status(), StatusCode::OK);
        let (sender, heard) = watch::channel(Heard { revision: last, ..Heard::default() });
        let reading = tokio::spawn(read(response, sender)).abort_handle();
        Arc::new(Listener { heard, reading })
    }

    /// When a text as new as this was heard.
    pub async fn until(&self, number: i64) -> Instant {
        let mut heard = self.heard.clone();
        let there = heard.wait_for(|heard| heard.number >= number).await;
        there.expect("the stream goes on").at.expect("it was heard")
    }

    /// The last revision that was heard of.
    pub fn revision(&self) -> Option<i64> {
        self.heard.borrow().revision
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn read(mut response: Response, heard: watch::Sender<Heard>) {
    let mut text = String::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = text.find("\n\n") {
            let frame: String = text.drain(..end + 2).collect();
            take(&frame, &heard);
        }
    }
}

fn take(frame: &str, heard: &watch::Sender<Heard>) {
    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let put = field("data").filter(|_| field("event") == Some("put"));
    let put: Value = put.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let number = number_in(&put["prompt"]["content"]);
    heard.send_modify(|heard| {
        heard.revision = field("id").and_then(|id| id.parse().ok()).or(heard.revision);
        if number > heard.number {
            (heard.number, heard.at) = (number, Some(Instant::now()));
        }
    });
}
