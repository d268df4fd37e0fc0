//! The routes of the server that this crate uses.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::backoff::jittered;
use crate::error::{Error, Refusal};
use crate::item::Item;
use crate::settings::Settings;
use crate::shelf::Shelf;

/// Largest answer that is read: a page of a bundle has about 4 MiB, a prompt 1 MiB of text.
const MAX_ANSWER: usize = 64 << 20;
/// Most prompts of a bundle.
const MAX_BUNDLE: usize = 200_000;
/// How often a bundle is begun again because the revision moved between its pages.
const BUNDLE_ATTEMPTS: usize = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For an answer to a request that is not a stream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a GET is asked again.
const RETRIES: usize = 2;

/// See the module.
pub(crate) struct Api {
    http: reqwest::Client,
    base: Url,
    authorization: HeaderValue,
    filter: Vec<(&'static str, String)>,
}

/// A whole bundle.
pub(crate) struct Bundle {
    pub revision: u64,
    pub items: Vec<Item>,
    pub etag: Option<String>,
}

/// What an answer says of its own age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Every change up to it is in the answer.
    pub revision: Option<u64>,
    /// The node is cut off from its database: there may be later revisions.
    pub is_stale: bool,
}

/// An answer's content, and its age.
pub(crate) struct Dated<T> {
    pub content: T,
    pub standing: Standing,
}

/// A prompt with its ETag; none when it is still what was asked about.
pub(crate) type Single = Option<(Item, Option<String>)>;

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    etag: Option<String>,
    standing: Standing,
    body: Vec<u8>,
}

/// Which version of a prompt is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Selector {
    Label(Box<str>),
    Version(i64),
}

impl Selector {
    fn pair(&self) -> (&'static str, String) {
        match self {
            Self::Label(label) => ("label", label.to_string()),
            Self::Version(number) => ("version", number.to_string()),
        }
    }
}

impl Api {
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", settings.api_key))
            .map_err(|_| Error::Usage("the API key holds characters that no key has".to_owned()))?;
        authorization.set_sensitive(true);
        let http = match &settings.http {
            Some(client) => client.clone(),
            None => http_client()?,
        };
        let mut filter = Vec::new();
        for (name, words) in [("slugs", &settings.slugs), ("tags", &settings.tags)] {
            if !words.is_empty() {
                filter.push((name, words.join(",")));
            }
        }
        Ok(Self { http, base: settings.url.clone(), authorization, filter })
    }

    /// Everything a label delivers, unless it is still what `etag` names.
    pub async fn bundle(
        &self,
        label: &str,
        etag: Option<&str>,
        min_revision: u64,
    ) -> Result<Dated<Option<Bundle>>, Error> {
        for _ in 1..BUNDLE_ATTEMPTS {
            match self.bundle_once(label, etag, min_revision).await {
                // The revision moved on between two pages.
                Err(Error::Refused(refusal)) if refusal.status == 409 => {}
                other => return other,
            }
        }
        self.bundle_once(label, etag, min_revision).await
    }

    async fn bundle_once(
        &self,
        label: &str,
        etag: Option<&str>,
        min_revision: u64,
    ) -> Result<Dated<Option<Bundle>>, Error> {
        let mut bundle = Bundle { revision: 0, items: Vec::new(), etag: None };
        let mut standing = Standing::default();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = vec![("label", label)];
            query.extend(self.filter.iter().map(|(name, words)| (*name, words.as_str())));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut request = self.request(Method::GET, &["bundle"], &query);
            if min_revision > 0 {
                request = request.header("x-xr2-min-revision", min_revision);
            }
            if let (Some(etag), None) = (etag, &cursor) {
                request = request.header(IF_NONE_MATCH, etag);
            }
            let answer = self.ask_again(request).await?;
            let is_first = cursor.is_none();
            if is_first {
                standing = answer.standing;
            }
            if answer.status == StatusCode::NOT_MODIFIED {
                return Ok(Dated { content: None, standing });
            }
            cursor = bundle.take_page(answer, is_first)?;
            if cursor.is_none() {
                return Ok(Dated { content: Some(bundle), standing });
            }
        }
    }

    /// One prompt, unless it is still what `etag` names.
    pub async fn prompt(
        &self,
        name: &str,
        selector: &Selector,
        user: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Dated<Single>, Error> {
        let (field, value) = selector.pair();
        let mut query = vec![(field, value.as_str())];
        query.extend(user.map(|user| ("user_id", user)));
        let mut request = self.request(Method::GET, &["prompts", name], &query);
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = self.ask_again(request).await?;
        let standing = answer.standing;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(Dated { content: None, standing });
        }
        let etag = answer.etag.clone();
        let item = Item::read(answer.data()?).map_err(Error::Protocol)?;
        Ok(Dated { content: Some((item, etag)), standing })
    }

    /// Several prompts of a label in one request: `{prompts, errors}`.
    pub async fn batch(&self, names: &[String], label: &str) -> Result<Dated<Value>, Error> {
        let request = self.request(Method::POST, &["prompts", "batch"], &[]);
        let body = json!({"slugs": names, "label": label}).to_string();
        // It changes nothing, so that it may be asked again.
        let answer = self.ask_again(with_json(request, body)).await?;
        Ok(Dated { content: answer.data()?, standing: answer.standing })
    }

    /// A prompt rendered by the server: the answer's `data` and `meta`.
    pub async fn render(&self, name: &str, body: &Value) -> Result<Value, Error> {
        let request = self.request(Method::POST, &["prompts", name, "render"], &[]);
        self.ask_again(with_json(request, body.to_string())).await?.envelope()
    }

    /// Tells what was read.
    pub async fn telemetry(&self, body: String) -> Result<(), Error> {
        let request = self.request(Method::POST, &["telemetry"], &[]);
        self.ask(with_json(request, body)).await.map(|_| ())
    }

    /// Opens the stream; its answer has no end.
    pub async fn stream(&self, label: Option<&str>, after: Option<u64>) -> Result<Response, Error> {
        let mut query: Vec<_> = label.map(|label| ("label", label)).into_iter().collect();
        query.extend(self.filter.iter().map(|(name, words)| (*name, words.as_str())));
        let mut request = self
            .request(Method::GET, &["stream"], &query)
            .header(reqwest::header::ACCEPT, "text/event-stream")
            // A compressing proxy would hold events back.
            .header(reqwest::header::ACCEPT_ENCODING, "identity");
        if let Some(revision) = after {
            request = request.header("last-event-id", revision);
        }
        let response = request.send().await.map_err(connection)?;
        if !response.status().is_success() {
            return Err(refusal_of(&response).await_body(response).await);
        }
        let kind = response.headers().get(reqwest::header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            return Err(Error::Protocol("this is no event stream".to_owned()));
        }
        Ok(response)
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http.request(method, url).header(AUTHORIZATION, self.authorization.clone())
    }

    /// Asks, and asks again when the server was away or unwell.
    async fn ask_again(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let mut wait = Duration::from_millis(100);
        for _ in 0..RETRIES {
            let Some(this) = request.try_clone() else { break };
            match self.ask(this).await {
                Err(error) if error.is_outage() && error.retry_after().is_none() => {}
                other => return other,
            }
            tokio::time::sleep(jittered(wait)).await;
            wait *= 4;
        }
        self.ask(request).await
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let asked = async {
            let mut response = request.send().await.map_err(connection)?;
            let status = response.status();
            if !status.is_success() && status != StatusCode::NOT_MODIFIED {
                return Err(refusal_of(&response).await_body(response).await);
            }
            let etag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            let standing = Standing::of(response.headers());
            let body = read_body(&mut response, MAX_ANSWER).await?;
            Ok(Answer { status, etag, standing, body })
        };
        tokio::time::timeout(ANSWER_TIMEOUT, asked).await.unwrap_or(Err(Error::Timeout(ANSWER_TIMEOUT)))
    }
}

impl Standing {
    fn of(headers: &HeaderMap) -> Self {
        let revision = headers.get("x-xr2-revision").and_then(|value| value.to_str().ok()?.parse().ok());
        Self { revision, is_stale: headers.contains_key("x-xr2-stale") }
    }
}

impl Answer {
    fn envelope(&self) -> Result<Value, Error> {
        let value: Value = serde_json::from_slice(&self.body)
            .map_err(|error| Error::Protocol(format!("this is no JSON: {error}")))?;
        match value.get("data") {
            Some(_) => Ok(value),
            None => Err(Error::Protocol("an answer without `data`".to_owned())),
        }
    }

    fn data(&self) -> Result<Value, Error> {
        self.envelope().map(|mut answer| answer.get_mut("data").map(Value::take).unwrap_or_default())
    }
}

impl Bundle {
    /// Takes a page; gives where the next one begins.
    fn take_page(&mut self, answer: Answer, is_first: bool) -> Result<Option<String>, Error> {
        let wrong = |why: &str| Error::Protocol(format!("a bundle {why}"));
        let mut page = answer.envelope()?;
        let revision = page["data"]["revision"].as_u64().ok_or_else(|| wrong("without revision"))?;
        if is_first {
            (self.revision, self.etag) = (revision, answer.etag);
        } else if revision != self.revision {
            return Err(wrong("whose pages are of several revisions"));
        }
        let prompts = page.pointer_mut("/data/prompts").map(Value::take);
        let Some(Value::Array(prompts)) = prompts else { return Err(wrong("without prompts")) };
        if self.items.len() + prompts.len() > MAX_BUNDLE {
            return Err(wrong("too large to be kept in memory; narrow it with slugs or tags"));
        }
        for prompt in prompts {
            match Item::read(prompt) {
                Ok(item) => self.items.push(item),
                Err(why) => tracing::warn!(target: "xr2", "a prompt of the bundle is passed over: {why}"),
            }
        }
        let cursor = page["meta"]["next_cursor"].as_str().map(str::to_owned);
        // An empty page that leads to another could go on for ever.
        if cursor.is_some() && self.items.is_empty() {
            return Err(wrong("with an empty page"));
        }
        Ok(cursor)
    }

    /// Puts everything on the shelf of its label; false when the shelf is ahead.
    pub fn put_on(self, shelf: &Shelf) -> bool {
        shelf.replace(self.revision, self.items, self.etag)
    }
}

fn with_json(request: RequestBuilder, body: String) -> RequestBuilder {
    request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body)
}

/// What the headers of a refusal say; the body follows.
struct Headers(Refusal);

fn refusal_of(response: &Response) -> Headers {
    let text = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
    let seconds = text(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
    Headers(Refusal {
        status: response.status().as_u16(),
        retry_after: seconds.map(|seconds: u64| Duration::from_secs(seconds.min(3600))),
        request_id: text("x-request-id"),
        ..Refusal::default()
    })
}

impl Headers {
    /// The error, with what the body says; a proxy's page says nothing.
    async fn await_body(self, mut response: Response) -> Error {
        let mut refusal = self.0;
        let read = tokio::time::timeout(Duration::from_secs(5), read_body(&mut response, 1 << 20)).await;
        let body: Option<Value> =
            read.ok().and_then(Result::ok).and_then(|body| serde_json::from_slice(&body).ok());
        let error = body.as_ref().map(|body| &body["error"]).filter(|error| error["code"].is_string());
        match error {
            Some(error) => {
                let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
                (refusal.code, refusal.message) = (text("code"), text("message"));
                refusal.details = error["details"].clone();
                Error::of_status(refusal)
            }
            // Only xr2 itself can say that a prompt is gone or a key is bad; all else is a proxy in between.
            None if refusal.status < 500 && refusal.status != 429 => {
                Error::Protocol(format!("status {} with no word from xr2", refusal.status))
            }
            None => {
                refusal.code = format!("HTTP_{}", refusal.status);
                refusal.message = "the server is unwell".to_owned();
                Error::of_status(refusal)
            }
        }
    }
}

async fn read_body(response: &mut Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(connection)? {
        if body.len() + piece.len() > most {
            return Err(Error::Protocol(format!("it is larger than {} MiB", most >> 20)));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What the network says, without addresses.
pub(crate) fn connection(error: reqwest::Error) -> Error {
    use std::error::Error as _;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(cause) = inner {
        text = cause.to_string();
        inner = cause.source();
    }
    Error::Connection(text)
}

fn http_client() -> Result<reqwest::Client, Error> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("xr2-rust/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(Duration::from_secs(30))
        // With a key in hand nobody is followed.
        .redirect(reqwest::redirect::Policy::none());
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(tls_config()?);
    builder.build().map_err(|error| Error::Usage(format!("no HTTP client can be made: {error}")))
}

/// TLS by ring with the system's certificates. Nothing is set for the whole process.
#[cfg(feature = "tls")]
fn tls_config() -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Usage(format!("TLS cannot be set up: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
