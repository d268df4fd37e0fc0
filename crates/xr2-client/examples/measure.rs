//! How long reads from memory take: `cargo run --release -p xr2-client --example measure`.
//!
//! A small server in this process delivers one prompt and holds a stream open; everything after the first `get` is
//! memory. Medians of eleven rounds, the last ones while the stream brings another prompt every millisecond.
//!
//! `XR2_URL=… XR2_API_KEY=… measure SLUG` reads a text prompt with the variables `name` and `product` from a running
//! server instead. `--json` prints one object and only what the SDKs for other languages measure as well.

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
use xr2_client::{Client, Error, Prompt, Source, Values};

const ROUNDS: usize = 11;
const READS: u32 = 200_000;
/// How long the stream may take to come about.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the stream brings something, when it does.
const PUT_INTERVAL: Duration = Duration::from_millis(1);
const HEARTBEAT: Duration = Duration::from_secs(1);
const VALUES: [(&str, &str); 2] = [("name", "Ada"), ("product", "xr2")];
/// Whether the stream brings something.
static IS_BUSY: AtomicBool = AtomicBool::new(false);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let slug = arguments.iter().find(|argument| !argument.starts_with('-')).map_or("welcome", String::as_str);
    let is_own = std::env::var_os("XR2_URL").is_none();
    let client = match is_own {
        true => Client::builder().url(serve().await?).api_key("xr2_measure").build()?,
        false => Client::from_env()?,
    };
    let mut changes = client.changes();
    let open = async {
        while !client.is_live() {
            changes.next().await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.map_err(|_| "the stream did not come about")?;
    from_stream(&client, slug)?;
    let rows = rows(&client, slug).await?;
    if as_json {
        from_stream(&client, slug)?;
        tell_json(&rows);
        return Ok(());
    }
    for (what, time) in rows {
        tell(what, time);
    }
    more(&client, slug)?;
    if is_own {
        IS_BUSY.store(true, Relaxed);
        while client.revision() < Some(10) {
            changes.next().await;
        }
        report("get_now while the stream is busy", || drop(black_box(client.get_now(slug))));
        threads("two threads while the stream is busy, each", &client, slug);
    }
    from_stream(&client, slug)?;
    Ok(())
}

/// The prompt, which the stream must be keeping current: else what is measured is something else.
fn from_stream(client: &Client, slug: &str) -> Result<Prompt, Box<dyn std::error::Error>> {
    let prompt = client.get_now(slug)?;
    match prompt.source() {
        Source::Stream => Ok(prompt),
        other => Err(format!("the prompt is read from `{}`, not from the stream", other.as_str()).into()),
    }
}

/// What every SDK measures, the way a program writes it.
async fn rows(client: &Client, slug: &str) -> Result<[(&'static str, Duration); 3], Error> {
    let prompt = client.get(slug).await?;
    let get = measure(async || client.get(slug).await.map(|prompt| drop(black_box(prompt)))).await?;
    let render = measure(async || prompt.render(VALUES).map(|rendered| drop(black_box(rendered)))).await?;
    let both = measure(async || {
        let prompt = client.get(slug).await?;
        prompt.render(VALUES).map(|rendered| drop(black_box(rendered)))
    });
    Ok([("get", get), ("render", render), ("get and render", both.await?)])
}

/// The median time of a call, in rounds.
async fn measure(call: impl AsyncFn() -> Result<(), Error>) -> Result<Duration, Error> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..READS {
            call().await?;
        }
        times.push(began.elapsed() / READS);
    }
    Ok(median(times))
}

/// What only this SDK has.
fn more(client: &Client, slug: &str) -> Result<(), Error> {
    let values: Values = VALUES.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
    client.get_now(slug)?.render(&values)?;
    report("get_now", || drop(black_box(client.get_now(slug))));
    report("get_now and render, values at hand", || {
        drop(black_box(client.get_now(slug).and_then(|prompt| prompt.render(&values))));
    });
    report("get_now and render", || {
        drop(black_box(client.get_now(slug).and_then(|prompt| prompt.render(VALUES))));
    });
    threads("the same on two threads, each", client, slug);
    Ok(())
}

/// Two threads at once, to see what they cost each other.
fn threads(what: &str, client: &Client, slug: &str) {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..READS {
                        drop(black_box(client.get_now(slug).and_then(|prompt| prompt.render(VALUES))));
                    }
                });
            }
        });
        times.push(began.elapsed() / READS);
    }
    tell(what, median(times));
}

fn report(what: &str, mut read: impl FnMut()) {
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        (0..READS).for_each(|_| read());
        began.elapsed() / READS
    });
    tell(what, median(times.collect()));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn tell(what: &str, time: Duration) {
    println!("{what:48} {:>6} ns", time.as_nanos());
}

#[expect(clippy::print_stdout, reason = "it is what this program is for")]
fn tell_json(rows: &[(&str, Duration)]) {
    let microseconds: serde_json::Map<String, Value> = rows
        .iter()
        .map(|(what, time)| ((*what).to_owned(), json!(time.as_nanos() as f64 / 1000.0)))
        .collect();
    println!("{}", json!({"runtime": "Rust", "rows": microseconds}));
}

/// Starts the small server; where it is.
async fn serve() -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new().route("/api/v1/bundle", get(bundle)).route("/api/v1/stream", get(stream));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(url)
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
        "content": "Hello {{ name }}, welcome to {{ product }}! How can we help you today?", "version": version,
        "label": "production", "config": {"model": "gpt-4.1"}, "tags": [],
        "variables": [
            {"name": "name", "type": "string", "required": true},
            {"name": "product", "type": "string", "required": true, "max_length": 100},
        ],
    })
}
