//! Somebody who talks to the server.

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::canary::NEEDLES;
use crate::{Answer, TestApp};

/// A caller: nobody, a person or a key. Paths are those below `/api/v1`; whole addresses are taken as they are.
#[derive(Clone)]
pub struct Client {
    pub(crate) app: TestApp,
    pub(crate) headers: Vec<(String, String)>,
    /// A member of the planted workspace sees what was planted.
    pub(crate) sees_canary: bool,
    /// The user or key behind it.
    pub id: Option<uuid::Uuid>,
}

impl Client {
    /// The same caller with one more header on every request.
    pub fn with_header(mut self, name: &str, value: &str) -> Client {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A caller of the same server with this key.
    pub fn with_key(&self, key: &str) -> Client {
        self.app.bearer(key)
    }

    /// The token or key sent as bearer; empty when none is.
    pub fn token(&self) -> &str {
        let header = self.headers.iter().find(|(name, _)| name == "authorization");
        header.and_then(|(_, value)| value.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// A request that is still to be filled in.
    pub fn request(&self, method: &str, path: &str) -> Request<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Request { client: self, method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path).json(body).send().await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request("PUT", path).json(body).send().await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path).send().await
    }
}

/// A request about to be sent.
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body.
    pub fn json(self, body: Value) -> Self {
        self.header("content-type", "application/json").bytes(body.to_string().into_bytes())
    }

    /// Sets the body as it is.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it and leaves the body unread, for streams. Nothing is searched.
    pub async fn open(self) -> reqwest::Response {
        self.build().send().await.expect("the server answers")
    }

    /// Sends it, reads the answer to its end and searches it for what was planted.
    pub async fn send(self) -> Answer {
        let asked = format!("{} {} {:?}", self.method, self.path, self.headers);
        let sent =
            format!("{asked}{}", self.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default());
        let client = self.client;
        let response = self.build().send().await.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{asked}: {error}"));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { request: asked, status, headers, json, text };
        client.search(&sent, &answer);
        client.app.remember_secrets(&answer);
        answer
    }

    fn build(self) -> reqwest::RequestBuilder {
        let Request { client, method, path, headers, body } = self;
        let url = if path.starts_with("http") { path } else { client.app.url(&format!("/api/v1{path}")) };
        let mut builder = client.app.http().request(method, url);
        for (name, value) in client.headers.iter().chain(&headers) {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            builder = builder.header(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        match body {
            Some(body) => builder.body(body),
            None => builder,
        }
    }
}

impl Client {
    /// Nothing of the planted workspace may reach others, unless they sent it themselves; and its members see nothing
    /// of the workspace under test.
    fn search(&self, sent: &str, answer: &Answer) {
        let whole = format!("{:?}{}", answer.headers, answer.text);
        if self.sees_canary {
            let ours = self.app.workspace().to_string();
            assert!(sent.contains(&ours) || !whole.contains(&ours), "another workspace shows: {answer:?}");
            return;
        }
        for needle in NEEDLES.iter().filter(|needle| !sent.contains(**needle)) {
            assert!(
                !whole.contains(needle),
                "{}\n  shows {needle} of another workspace: {whole}",
                answer.request
            );
        }
    }
}
