//! Asking for one prompt.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use xr2_prompt::{Content, Entry, Message};

use crate::api::Selector;
use crate::client::Client;
use crate::error::Error;
use crate::fetched::Key;
use crate::inner::{SelectorRef, Wanted};
use crate::prompt::{Prompt, Source};

/// A prompt that is asked for; made by [`Client::get`]. Await it, or take what is there with [`now`](Get::now).
#[must_use = "nothing is asked until it is awaited"]
pub struct Get<'a> {
    client: &'a Client,
    name: &'a str,
    label: Option<&'a str>,
    version: Option<i64>,
    user: Option<&'a str>,
    fallback: Option<Content>,
    timeout: Option<Duration>,
}

impl<'a> Get<'a> {
    pub(crate) fn new(client: &'a Client, name: &'a str) -> Self {
        Self { client, name, label: None, version: None, user: None, fallback: None, timeout: None }
    }

    /// What this label points at, instead of the client's own.
    pub fn label(mut self, label: &'a str) -> Self {
        self.label = Some(label);
        self
    }

    /// This version, which never changes.
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// Who it is for: where an A/B test runs, the same user gets the same variant every time.
    pub fn user_id(mut self, user: &'a str) -> Self {
        self.user = Some(user).filter(|user| !user.is_empty());
        self
    }

    /// What is returned instead of an error: a text, or messages.
    pub fn fallback(mut self, fallback: impl Into<Fallback>) -> Self {
        self.fallback = Some(fallback.into().0);
        self
    }

    /// How long this call may take if the server has to be asked.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What is in memory, at once; else the fallback, else an error. Asks nobody and waits for nothing.
    pub fn now(self) -> Result<Prompt, Error> {
        let selector = self.selector()?;
        if let Some(prompt) = self.client.inner.warm(self.name, &selector, self.user) {
            show(&prompt);
            return Ok(prompt);
        }
        if let SelectorRef::Label(label) = selector {
            // The next call will find it.
            self.client.inner.follow(label);
        }
        let why = self.client.inner.refusal().unwrap_or_else(|| Error::NotLoaded(self.name.to_owned()));
        or_fallback(Err(why), self.name, self.fallback)
    }

    /// Like awaiting it, on a thread that may wait.
    pub fn blocking(self) -> Result<Prompt, Error> {
        let selector = self.selector()?;
        if let Some(prompt) = self.client.inner.warm(self.name, &selector, self.user) {
            show(&prompt);
            return Ok(prompt);
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let asked = self.ask(selector);
        self.client.handle().spawn(async move { sender.send(asked.await) });
        let outcome = receiver.recv().unwrap_or(Err(Error::Closed));
        or_fallback(outcome, self.name, self.fallback)
    }

    fn selector(&self) -> Result<SelectorRef<'a>, Error> {
        match (self.label, self.version) {
            (Some(_), Some(_)) => {
                Err(Error::Usage("a label and a version cannot be asked for together".to_owned()))
            }
            (_, Some(number)) => Ok(SelectorRef::Version(number)),
            (Some(label), _) => Ok(SelectorRef::Label(label)),
            (None, None) => Ok(SelectorRef::Home),
        }
    }

    /// The prompt from wherever it can be had, in the time given; to be run by the client's own thread.
    fn ask(&self, selector: SelectorRef<'a>) -> impl Future<Output = Result<Prompt, Error>> + Send + use<> {
        let inner = self.client.inner.clone();
        let wanted = Wanted {
            name: self.name.to_owned(),
            selector: match selector {
                SelectorRef::Home => Selector::Label(inner.shelves.home().label.clone()),
                SelectorRef::Label(label) => Selector::Label(label.into()),
                SelectorRef::Version(number) => Selector::Version(number),
            },
            user: self.user.map(str::to_owned),
        };
        let timeout = self.timeout.unwrap_or(inner.settings.tuning.timeout);
        async move {
            let key = Key::new(&wanted.name, wanted.selector.clone(), wanted.user.as_deref());
            match tokio::time::timeout(timeout, inner.find(wanted)).await {
                Ok(outcome) => outcome,
                Err(_) => match inner.fetched.last_good(&key) {
                    Some(item) => Ok(Prompt::new(item, Source::Cache, true)),
                    None => Err(Error::Timeout(timeout)),
                },
            }
        }
    }
}

impl<'a> IntoFuture for Get<'a> {
    type Output = Result<Prompt, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let selector = self.selector()?;
            if let Some(prompt) = self.client.inner.warm(self.name, &selector, self.user) {
                show(&prompt);
                return Ok(prompt);
            }
            let asked = self.client.handle().spawn(self.ask(selector));
            let outcome = asked.await.unwrap_or(Err(Error::Closed));
            or_fallback(outcome, self.name, self.fallback)
        })
    }
}

/// What a call returns instead of an error.
#[derive(Debug, Clone)]
pub struct Fallback(Content);

impl From<&str> for Fallback {
    fn from(text: &str) -> Self {
        Self(Content::Text(text.to_owned()))
    }
}

impl From<String> for Fallback {
    fn from(text: String) -> Self {
        Self(Content::Text(text))
    }
}

impl From<Vec<Message>> for Fallback {
    fn from(messages: Vec<Message>) -> Self {
        Self(Content::Chat(messages.into_iter().map(Entry::Message).collect()))
    }
}

impl From<Content> for Fallback {
    fn from(content: Content) -> Self {
        Self(content)
    }
}

fn or_fallback(
    outcome: Result<Prompt, Error>,
    name: &str,
    fallback: Option<Content>,
) -> Result<Prompt, Error> {
    let prompt = match (outcome, fallback) {
        (Err(error), Some(content)) => {
            tracing::debug!(target: "xr2", prompt = name, "the fallback is used: {error}");
            Prompt::fallback(name, &content, error)
        }
        (outcome, _) => outcome?,
    };
    show(&prompt);
    Ok(prompt)
}

/// Version of a prompt that has none, as one that came from a fallback.
const NO_VERSION: i64 = 0;

/// Puts the prompt on the caller's span, where the span has fields for it, and into an event of that span. What a span
/// has been told cannot be taken back: all fields are told, lest those of an earlier prompt stand beside this one's.
pub(crate) fn show(prompt: &Prompt) {
    let span = tracing::Span::current();
    if !span.is_disabled() {
        span.record("xr2.prompt.slug", prompt.slug());
        span.record("xr2.prompt.source", prompt.source().as_str());
        span.record("xr2.prompt.version", prompt.version().unwrap_or(NO_VERSION));
        span.record("xr2.prompt.label", prompt.label().unwrap_or_default());
        span.record("xr2.prompt.variant", prompt.variant().unwrap_or_default());
    }
    tracing::debug!(
        target: "xr2::get",
        {
        xr2.prompt.slug = prompt.slug(),
        xr2.prompt.version = prompt.version(),
        xr2.prompt.label = prompt.label(),
        xr2.prompt.variant = prompt.variant(),
        xr2.prompt.source = prompt.source().as_str(),
        },
        "prompt"
    );
}
