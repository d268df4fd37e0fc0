//! How long reads from memory take: `cargo run --release -p xr2-client --example measure`.
//!
//! A small server in this process delivers one prompt; everything after the first `get` is memory. Medians of eleven
//! rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use serde_json::json;
use xr2_client::{Client, Values};

const ROUNDS: usize = 11;
const READS: u32 = 200_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/api/v1/bundle", get(bundle));
    tokio::spawn(async move { axum::serve(listener, app).await });
    // As a program under load has it: memory is confirmed on the side while it is read.
    let client = Client::builder().url(url).api_key("xr2_measure").stream(false).build()?;
    client.ready().await?;

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
    threads(&client);
    Ok(())
}

/// Two threads at once, to see what they cost each other.
fn threads(client: &Client) {
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
    tell("the same on two threads, each", times);
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

async fn bundle() -> String {
    let prompt = json!({
        "id": "0193", "slug": "welcome", "title": "Welcome", "type": "text", "syntax": "simple",
        "content": "Hello {{ name }}, welcome to {{ shop }}! How can we help you today?", "version": 3,
        "label": "production", "config": {"model": "gpt-4.1"}, "tags": [],
        "variables": [
            {"name": "name", "type": "string", "required": true},
            {"name": "shop", "type": "string", "required": true, "max_length": 100},
        ],
    });
    json!({"data": {"revision": 1, "label": "production", "prompts": [prompt]}, "meta": {"next_cursor": null}}).to_string()
}
