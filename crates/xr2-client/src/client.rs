//! The client: a handle on what is in memory, and the thread that keeps it current.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::watch;
use xr2_prompt::{Content, Values};

use crate::api::{Dated, Selector};
use crate::error::Error;
use crate::fetched::Key;
use crate::get::{Get, show};
use crate::inner::{Inner, SelectorRef};
use crate::item::Item;
use crate::prompt::{Prompt, Rendered};
use crate::settings::{Builder, Settings};
use crate::values::IntoValues;
use crate::worker::{self, Worker};

/// Most prompts of one request.
const BATCH: usize = 100;

/// Prompts of one workspace, kept current in memory. Make one per process, clone it freely, share it between threads.
///
/// A client has a thread of its own for everything that touches the network, so that its futures run on any executor
/// and a client outlives the runtime it was made in. The last clone that is dropped ends it.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
    worker: Arc<Worker>,
}

impl Client {
    /// A client of `XR2_URL` and `XR2_API_KEY`.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// Makes a client of given settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn start(settings: Settings) -> Result<Self, Error> {
        let inner = Arc::new(Inner::new(settings)?);
        let worker = Arc::new(worker::start(inner.clone())?);
        Ok(Self { inner, worker })
    }

    /// The prompt of this slug or id. From memory it takes well under a microsecond; only what is not there yet is
    /// waited for.
    ///
    /// ```no_run
    /// # async fn doc(client: xr2_client::Client) -> Result<(), xr2_client::Error> {
    /// let prompt = client.get("welcome").await?;
    /// let prompt = client.get("welcome").label("staging").user_id("u-42").await?;
    /// let prompt = client.get("welcome").version(7).await?;
    /// let prompt = client.get("welcome").fallback("Hello {{ name }}!").await?;
    /// # Ok(()) }
    /// ```
    pub fn get<'a>(&'a self, slug: &'a str) -> Get<'a> {
        Get::new(self, slug)
    }

    /// The prompt, if it is in memory. Asks nobody and waits for nothing.
    pub fn get_now(&self, slug: &str) -> Result<Prompt, Error> {
        self.get(slug).now()
    }

    /// Several prompts of the client's label; those that are not in memory are asked for in one request.
    pub async fn get_many<S: Into<String>>(
        &self,
        slugs: impl IntoIterator<Item = S>,
    ) -> BTreeMap<String, Result<Prompt, Error>> {
        let mut found = BTreeMap::new();
        let mut missing = Vec::new();
        for slug in slugs.into_iter().map(Into::into) {
            match self.inner.warm(&slug, &SelectorRef::Home, None) {
                Some(prompt) => {
                    show(&prompt);
                    found.insert(slug, Ok(prompt));
                }
                None => missing.push(slug),
            }
        }
        if missing.is_empty() {
            return found;
        }
        let inner = self.inner.clone();
        let timeout = inner.settings.tuning.timeout;
        let names = missing.clone();
        let asked = self.handle().spawn(async move {
            let asked = tokio::time::timeout(timeout, ask_many(&inner, names)).await;
            asked.unwrap_or_else(|_| {
                missing.into_iter().map(|slug| (slug, Err(Error::Timeout(timeout)))).collect()
            })
        });
        // Closed meanwhile: what was in memory is all there is.
        let asked = asked.await.unwrap_or_default();
        asked.values().flatten().for_each(show);
        found.extend(asked);
        found
    }

    /// Gets and renders in one go. A prompt that this crate cannot render, because the server is newer, is rendered by
    /// the server.
    pub async fn render<'v>(&self, slug: &str, values: impl IntoValues<'v>) -> Result<Rendered, Error> {
        let prompt = self.get(slug).await?;
        self.render_prompt(&prompt, values).await
    }

    /// Like [`Prompt::render`]; but what this crate cannot render, because the server is newer, the server renders, at
    /// exactly the version in hand.
    pub async fn render_prompt<'v>(
        &self,
        prompt: &Prompt,
        values: impl IntoValues<'v>,
    ) -> Result<Rendered, Error> {
        let values = values.into_values();
        match (prompt.content(), prompt.id(), prompt.version()) {
            (Err(_), Some(_), Some(_)) => {
                let (inner, prompt, values) = (self.inner.clone(), prompt.clone(), values.into_owned());
                let asked = self.handle().spawn(async move { render_there(&inner, prompt, values).await });
                asked.await.unwrap_or(Err(Error::Closed))
            }
            _ => prompt.render(&*values),
        }
    }

    /// Waits until the prompts of the client's label are in memory, or it is known why they are not.
    pub async fn ready(&self) -> Result<(), Error> {
        let home = self.inner.shelves.home();
        if *self.worker.is_closed.borrow() {
            return Err(Error::Closed);
        }
        self.inner.loaded(home).await;
        match self.inner.refusal().or_else(|| home.failure()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Every change up to this revision of the workspace is in memory.
    pub fn revision(&self) -> Option<u64> {
        self.inner.shelves.revision()
    }

    /// Whether the stream is open and nothing is missing: a publish is in memory within milliseconds.
    pub fn is_live(&self) -> bool {
        self.inner.is_live()
    }

    /// The name under which the dashboard lists this process.
    pub fn instance(&self) -> &str {
        &self.inner.settings.instance
    }

    /// Tells whenever something in memory changed.
    pub fn changes(&self) -> Changes {
        Changes { receiver: self.inner.changed.subscribe(), is_closed: self.worker.is_closed.clone() }
    }

    /// Tells the server what was read, writes the snapshot and ends the stream. What is in memory can still be read.
    pub async fn close(&self) {
        self.worker.closing.send_replace(true);
        let mut is_closed = self.worker.is_closed.clone();
        // An error says that the thread is gone, which is as closed as can be.
        let _ = is_closed.wait_for(|is_closed| *is_closed).await;
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.worker.handle
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.inner.settings.url.as_str())
            .field("label", &self.inner.settings.label)
            .field("revision", &self.revision())
            .field("is_live", &self.is_live())
            .finish_non_exhaustive()
    }
}

/// Made by [`Client::changes`].
#[derive(Debug, Clone)]
pub struct Changes {
    receiver: watch::Receiver<u64>,
    is_closed: watch::Receiver<bool>,
}

impl Changes {
    /// Waits for the next change; false when the client was closed. Several changes may be told as one.
    ///
    /// ```no_run
    /// # async fn doc(client: xr2_client::Client) -> Result<(), xr2_client::Error> {
    /// let mut changes = client.changes();
    /// while changes.next().await {
    ///     println!("version {:?}", client.get_now("welcome")?.version());
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn next(&mut self) -> bool {
        if *self.is_closed.borrow() {
            return false;
        }
        tokio::select! {
            change = self.receiver.changed() => change.is_ok(),
            _ = self.is_closed.wait_for(|is_closed| *is_closed) => false,
        }
    }
}

/// What was asked for together.
async fn ask_many(inner: &Arc<Inner>, slugs: Vec<String>) -> BTreeMap<String, Result<Prompt, Error>> {
    let home = inner.shelves.home().clone();
    inner.loaded(&home).await;
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    let failure = inner.refusal().or_else(|| home.failure().filter(Error::is_outage));
    for slug in slugs {
        match (inner.warm(&slug, &SelectorRef::Home, None), &failure) {
            (Some(prompt), _) => drop(found.insert(slug, Ok(prompt))),
            (None, Some(error)) => drop(found.insert(slug, Err(error.clone()))),
            (None, None) => missing.push(slug),
        }
    }
    for slugs in missing.chunks(BATCH) {
        let answer = inner.api.batch(slugs, &home.label).await;
        for slug in slugs {
            let prompt =
                answer.as_ref().map_err(Clone::clone).and_then(|answer| of_batch(inner, answer, slug));
            found.insert(slug.clone(), prompt);
        }
    }
    found
}

fn of_batch(inner: &Inner, answer: &Dated<Value>, slug: &str) -> Result<Prompt, Error> {
    let data = &answer.content;
    if let Some(prompt) = data["prompts"].get(slug) {
        let item = Arc::new(Item::read(prompt.clone()).map_err(Error::Protocol)?);
        let selector = Selector::Label(inner.shelves.home().label.clone());
        return Ok(inner.fetched.keep(Key::new(slug, selector, None), item, answer.standing));
    }
    let text = |name: &str| data["errors"][slug][name].as_str().map(str::to_owned);
    let code = text("code").unwrap_or_else(|| "NOT_FOUND".to_owned());
    Err(Error::of_status(crate::Refusal {
        status: match code.as_str() {
            "NOT_FOUND" => 404,
            "FORBIDDEN" => 403,
            "RATE_LIMITED" | "QUOTA_EXCEEDED" => 429,
            "INTERNAL" => 500,
            "UNAVAILABLE" => 503,
            _ => 422,
        },
        message: text("message").unwrap_or_else(|| format!("prompt {slug:?} not found")),
        code,
        ..crate::Refusal::default()
    }))
}

async fn render_there(inner: &Inner, prompt: Prompt, values: Values) -> Result<Rendered, Error> {
    let (Some(id), Some(version)) = (prompt.id(), prompt.version()) else { return prompt.render(values) };
    let timeout = inner.settings.tuning.timeout;
    let body = json!({"variables": values, "version": version});
    let asked = tokio::time::timeout(timeout, inner.api.render(id, &body)).await;
    let mut answer = asked.unwrap_or(Err(Error::Timeout(timeout)))?;
    let content = match answer.pointer_mut("/data/content").map(Value::take) {
        Some(Value::String(text)) => Content::Text(text),
        _ => Content::from_messages(&answer["data"]["messages"], "messages")
            .map_err(|_| Error::Protocol("messages of a newer kind".to_owned()))?,
    };
    let missing = answer["data"]["missing"].as_array().into_iter().flatten();
    let missing = missing.filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Rendered::of_server(prompt, content, missing, Vec::new()))
}
