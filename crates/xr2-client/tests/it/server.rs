//! A server for tests: it says what it is told to say, and remembers what it was asked.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use xr2_client::{Builder, Client};

pub const KEY: &str = "xr2_test_key_that_must_never_be_told";

/// How the server behaves.
pub struct Script {
    pub revision: u64,
    pub prompts: Vec<Value>,
    /// What GET /prompts/{slug} knows beyond the prompts above.
    pub single: HashMap<String, Value>,
    /// Whether this node is cut off from its database, as it says of itself.
    pub stale: bool,
    /// Answered to everything but the stream.
    pub down: Option<StatusCode>,
    pub stream: Streams,
    /// Prompts on a page of the bundle.
    pub page: usize,
    pub heartbeat: f64,
}

/// What becomes of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// A hello, then what the test sends.
    Open,
    /// Open, but nothing comes.
    Mute,
    /// Refused with this status.
    Refused(u16),
    /// A proxy's page.
    Page,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: HeaderMap,
    pub body: Value,
    pub status: u16,
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    asked: Mutex<Vec<Asked>>,
    streams: Mutex<Vec<mpsc::UnboundedSender<Bytes>>>,
    happened: watch::Sender<u64>,
}

/// A prompt as the bundle has it.
pub fn prompt(slug: &str, version: i64, content: &str) -> Value {
    json!({
        "id": format!("id-{slug}"), "slug": slug, "title": slug, "type": "text", "syntax": "simple",
        "content": content, "rendered": false, "version": version, "label": "production", "variables": [],
        "config": {"model": "gpt-4.1"}, "tags": ["shop"], "updated_at": "2026-11-20T10:00:00.000000Z",
    })
}

impl Server {
    pub async fn start(revision: u64, prompts: Vec<Value>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, shared: Arc::new(Shared::new(revision, prompts)) };
        let app = Router::new()
            .route("/api/v1/bundle", get(bundle))
            .route("/api/v1/stream", get(stream))
            .route("/api/v1/telemetry", post(telemetry))
            .route("/api/v1/prompts/batch", post(batch))
            .route("/api/v1/prompts/{slug}", get(single))
            .route("/api/v1/prompts/{slug}/render", post(render))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        server
    }

    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub fn builder(&self) -> Builder {
        Client::builder()
            .url(&self.url)
            .api_key(KEY)
            .poll_interval(Duration::from_millis(20))
            .telemetry_interval(Duration::from_secs(3600))
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script.lock().unwrap()
    }

    /// Puts a prompt and tells every stream.
    pub fn put(&self, prompt: Value) {
        let revision = self.set(prompt.clone());
        self.say("put", revision, &json!({"revision": revision, "prompt": prompt}));
        self.say("mark", revision, &json!({"revision": revision}));
    }

    /// Puts a prompt and tells nobody.
    pub fn set(&self, prompt: Value) -> u64 {
        let mut script = self.script();
        script.revision += 1;
        script.prompts.retain(|one| one["id"] != prompt["id"]);
        script.prompts.push(prompt);
        script.revision
    }

    pub fn say(&self, event: &str, id: u64, data: &Value) {
        self.raw(&format!("event: {event}\nid: {id}\ndata: {data}\n\n"));
    }

    /// Sends bytes down every stream.
    pub fn raw(&self, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        self.shared.streams.lock().unwrap().retain(|stream| stream.send(bytes.clone()).is_ok());
    }

    /// Ends every stream.
    pub fn cut(&self) {
        self.shared.streams.lock().unwrap().clear();
    }

    /// What was asked of a path so far.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().iter().filter(|one| one.path == path).cloned().collect()
    }

    /// Waits until what was asked of a path is as it should be.
    pub async fn until_asked(&self, path: &str, is_so: impl Fn(&[Asked]) -> bool) -> Vec<Asked> {
        let mut happened = self.shared.happened.subscribe();
        let waiting = async {
            loop {
                let asked = self.asked(path);
                if is_so(&asked) {
                    return asked;
                }
                happened.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        waited.unwrap_or_else(|_| panic!("{path} was asked only for {:#?}", self.asked(path)))
    }

    fn note(
        &self,
        path: &str,
        query: HashMap<String, String>,
        headers: &HeaderMap,
        body: Value,
        status: u16,
    ) {
        let asked = Asked { path: path.to_owned(), query, headers: headers.clone(), body, status };
        self.shared.asked.lock().unwrap().push(asked);
        self.shared.happened.send_modify(|count| *count += 1);
    }
}

impl Script {
    /// What every answer says of its age.
    fn standing(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-xr2-revision", self.revision.into());
        if self.stale {
            headers.insert("x-xr2-stale", 60.into());
        }
        headers
    }
}

impl Shared {
    fn new(revision: u64, prompts: Vec<Value>) -> Self {
        let script = Script {
            revision,
            prompts,
            single: HashMap::new(),
            stale: false,
            down: None,
            stream: Streams::Open,
            page: 1_000,
            heartbeat: 15.0,
        };
        Self {
            script: Mutex::new(script),
            asked: Mutex::default(),
            streams: Mutex::default(),
            happened: watch::Sender::new(0),
        }
    }
}

/// Waits until the client is as it should be; it looks again whenever something in its memory changed.
pub async fn until(client: &Client, is_so: impl Fn(&Client) -> bool) {
    let mut changes = client.changes();
    let waiting = async {
        while !is_so(client) {
            assert!(changes.next().await, "the client was closed");
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    waited.unwrap_or_else(|_| panic!("this never came about; the client is {client:?}"));
}

/// The text in memory.
pub fn text(client: &Client, slug: &str) -> Option<String> {
    client.get_now(slug).ok()?.text().map(str::to_owned)
}

pub fn refusal(status: StatusCode) -> Response {
    let code = match status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        429 => "RATE_LIMITED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let body =
        json!({"success": false, "error": {"code": code, "message": "as the test wants it", "details": {}}});
    (status, [("x-request-id", "req-1")], axum::Json(body)).into_response()
}

type Query_ = Query<HashMap<String, String>>;

async fn bundle(State(server): State<Server>, Query(query): Query_, headers: HeaderMap) -> Response {
    let response = bundle_answer(&server, &query, &headers);
    server.note("bundle", query, &headers, Value::Null, response.status().as_u16());
    response
}

fn bundle_answer(server: &Server, query: &HashMap<String, String>, headers: &HeaderMap) -> Response {
    let script = server.script();
    if let Some(status) = script.down {
        return refusal(status);
    }
    let wanted = headers.get("x-xr2-min-revision").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if wanted.is_some_and(|wanted| wanted > script.revision) {
        return refusal(StatusCode::SERVICE_UNAVAILABLE);
    }
    let label = &query["label"];
    let etag = format!("\"r{}-{label}\"", script.revision);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, script.standing(), [(header::ETAG, etag)]).into_response();
    }
    let of_label: Vec<_> = script.prompts.iter().filter(|prompt| prompt["label"] == *label).collect();
    let start = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let end = of_label.len().min(start + script.page);
    let next = (end < of_label.len()).then(|| end.to_string());
    let body = json!({
        "success": true,
        "data": {"revision": script.revision, "label": label, "prompts": &of_label[start..end]},
        "meta": {"next_cursor": next, "total": of_label.len()},
    });
    (script.standing(), [(header::ETAG, etag)], axum::Json(body)).into_response()
}

async fn stream(State(server): State<Server>, Query(query): Query_, headers: HeaderMap) -> Response {
    let (mode, revision, heartbeat, stale) = {
        let script = server.script();
        (script.stream, script.revision, script.heartbeat, script.stale)
    };
    let after = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let response = match mode {
        Streams::Refused(status) => refusal(StatusCode::from_u16(status).unwrap()),
        Streams::Page => ([(header::CONTENT_TYPE, "text/html")], "<h1>Proxy</h1>").into_response(),
        Streams::Open | Streams::Mute => {
            let (sender, mut receiver) = mpsc::unbounded_channel::<Bytes>();
            if mode == Streams::Open {
                let mut data = json!({"revision": revision, "heartbeat": heartbeat});
                if stale {
                    data["stale"] = json!(true);
                }
                sender.send(format!("event: hello\nid: {revision}\ndata: {data}\n\n").into()).unwrap();
                if after.is_some_and(|after| after > revision) {
                    let data = json!({"revision": revision});
                    sender.send(format!("event: resync\nid: {revision}\ndata: {data}\n\n").into()).unwrap();
                }
            }
            server.shared.streams.lock().unwrap().push(sender);
            let frames = futures::stream::poll_fn(move |context| {
                receiver.poll_recv(context).map(|bytes| bytes.map(Ok::<_, Infallible>))
            });
            ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(frames)).into_response()
        }
    };
    server.note("stream", query, &headers, Value::Null, response.status().as_u16());
    response
}

async fn telemetry(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let down = server.script().down;
    let body = serde_json::from_slice(&body).unwrap();
    server.note("telemetry", HashMap::new(), &headers, body, down.map_or(202, |status| status.as_u16()));
    match down {
        Some(status) => refusal(status),
        None => {
            let answer = json!({"success": true, "data": {"accepted": 1, "duplicates": 0, "rejected": []}});
            (StatusCode::ACCEPTED, axum::Json(answer)).into_response()
        }
    }
}

async fn batch(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (mut prompts, mut errors) = (json!({}), json!({}));
    for slug in body["slugs"].as_array().unwrap().iter().filter_map(Value::as_str) {
        match server.script().single.get(slug) {
            Some(prompt) => prompts[slug] = prompt.clone(),
            None => errors[slug] = json!({"code": "NOT_FOUND", "message": "prompt not found"}),
        }
    }
    server.note("batch", HashMap::new(), &headers, body, 200);
    let standing = server.script().standing();
    let answer = json!({"success": true, "data": {"prompts": prompts, "errors": errors}});
    (standing, axum::Json(answer)).into_response()
}

async fn single(
    State(server): State<Server>,
    Path(slug): Path<String>,
    Query(query): Query_,
    headers: HeaderMap,
) -> Response {
    let (down, found, standing) = {
        let script = server.script();
        (script.down, script.single.get(&slug).cloned(), script.standing())
    };
    let response = match (down, found) {
        (Some(status), _) => refusal(status),
        (None, None) => refusal(StatusCode::NOT_FOUND),
        (None, Some(prompt)) => {
            let etag = format!("\"{}\"", prompt["version"]);
            let known =
                headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
            let body = json!({"success": true, "data": prompt, "meta": {}});
            match known {
                true => (StatusCode::NOT_MODIFIED, standing).into_response(),
                false => (standing, [(header::ETAG, etag)], axum::Json(body)).into_response(),
            }
        }
    };
    server.note("prompt", query, &headers, Value::from(slug), response.status().as_u16());
    response
}

async fn render(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap();
    server.note("render", HashMap::new(), &headers, body, 200);
    let data = json!({"content": "rendered there", "rendered": true, "missing": ["x"]});
    axum::Json(json!({"success": true, "data": data, "meta": {}})).into_response()
}
