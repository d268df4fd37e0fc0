//! How long reads from memory take: `cargo run --release -p xr2-client --example measure`.
//!
//! A small server in this process delivers one prompt and holds a stream open; everything after the first `get` is
//! memory. Medians of eleven rounds, the last ones while the stream brings another prompt every millisecond.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use futures::StreamExt;
use serde_json::{Value, json};
use xr2_client::{Client, Source, Values};

const ROUNDS: usize = 11;
const READS: u32 = 200_000;
/// How often the stream brings something, when it does.
const PUT_INTERVAL: Duration = Duration::from_millis(1);
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Whether the stream brings something.
static IS_BUSY: AtomicBool = AtomicBool::new(false);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/api/v1/bundle", get(bundle)).route("/api/v1/stream", get(stream));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let client = Client::builder().url(url).api_key("xr2_measure").build()?;
    let mut changes = client.changes();
    while !client.is_live() {
        changes.next().await;
    }
    assert_eq!(client.get_now("welcome")?.source(), Source::Stream);

    let values =
        Values::from_iter([("name".to_owned(), json!("Ada")), ("shop".to_owned(), json!("Tea House"))]);
    report("get_now", || drop(black_box(client.get_now("welcome"))));
    report("get_now and render, values at hand", || {
        drop(black_box(client.get_now("welcome").and_then(|prompt| prompt.render(&values))));
    });
    report("get_now and render, values made each time", || {
        let values = [("name", "Ada"), ("shop", "Tea House")];
        drop(black_box(client.get_now("welcome").and_then(|prompt| prompt.render(values))));
    });
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..READS {
            let prompt = client.get("welcome").await?;
            black_box(prompt.render([("name", "Ada"), ("shop", "Tea House")])?);
        }
        times.push(began.elapsed() / READS);
    }
    tell("get().await and render, values made each time", times);
    threads("the same on two threads, each", &client);

    IS_BUSY.store(true, Relaxed);
    while client.revision() < Some(10) {
        changes.next().await;
    }
    report("get_now while the stream is busy", || drop(black_box(client.get_now("welcome"))));
    threads("two threads while the stream is busy, each", &client);
    assert_eq!(client.get_now("welcome")?.source(), Source::Stream);
    Ok(())
}

/// Two threads at once, to see what they cost each other.
fn threads(what: &str, client: &Client) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..READS {
                        let values = [("name", "Ada"), ("shop", "Tea House")];
                        drop(black_box(client.get_now("welcome").and_then(|prompt| prompt.render(values))));
                    }
                });
            }
        });
        times.push(began.elapsed() / READS);
    }
    tell(what, times);
}

fn report(what: &str, mut read: impl FnMut()) {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        (0..READS).for_each(|_| read());
        began.elapsed() / READS
    });
    tell(what, times.collect());
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    println!("{what:48} {:>6} ns", times[times.len() / 2].as_nanos());
}

/// A hello, and from then on a heartbeat or a publish.
async fn stream() -> impl IntoResponse {
    let hello = "event: hello\nid: 1\ndata: {\"revision\":1,\"heartbeat\":15}\n\n".to_owned();
    let rest = futures::stream::unfold(1_u64, |revision| async move {
        let is_busy = IS_BUSY.load(Relaxed);
        tokio::time::sleep(if is_busy { PUT_INTERVAL } else { HEARTBEAT }).await;
        if !is_busy {
            return Some((": ping\n\n".to_owned(), revision));
        }
        let revision = revision + 1;
        let data =
            json!({"revision": revision, "prompt": prompt(&format!("other-{}", revision % 1_000), revision)});
        Some((format!("event: put\nid: {revision}\ndata: {data}\n\n"), revision))
    });
    let frames = futures::stream::once(async { hello }).chain(rest).map(Ok::<_, Infallible>);
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames))
}

async fn bundle() -> String {
    let prompts = [prompt("welcome", 3)];
    json!({"data": {"revision": 1, "label": "production", "prompts": prompts}, "meta": {"next_cursor": null}})
        .to_string()
}

fn prompt(slug: &str, version: u64) -> Value {
    json!({
        "id": format!("id-{slug}"), "slug": slug, "title": "Welcome", "type": "text", "syntax": "simple",
        "content": "Hello {{ name }}, welcome to {{ shop }}! How can we help you today?", "version": version,
        "label": "production", "config": {"model": "gpt-4.1"}, "tags": [],
        "variables": [
            {"name": "name", "type": "string", "required": true},
            {"name": "shop", "type": "string", "required": true, "max_length": 100},
        ],
    })
}
