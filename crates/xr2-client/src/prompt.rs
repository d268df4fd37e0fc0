//! A prompt in hand, and what comes of it when values are put in.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use xr2_prompt::{
    Content, Entry, PromptType, Provider, ProviderRequest, RenderOptions, VariableSpec, Warning,
    provider_request, render,
};

use crate::error::Error;
use crate::item::Item;
use crate::values::IntoValues;

/// Where a copy of a prompt came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// Memory, kept current by the open stream.
    Stream,
    /// Memory, while there is no stream: confirmed by polling, or the last good copy ([`Prompt::is_stale`]).
    Cache,
    /// The server, during this call.
    Api,
    /// The snapshot of an earlier run; the server could not be reached yet.
    Disk,
    /// The fallback of the call; [`Prompt::cause`] says why.
    Fallback,
}

impl Source {
    /// The word used in telemetry and on spans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Cache => "cache",
            Self::Api => "api",
            Self::Disk => "disk",
            Self::Fallback => "fallback",
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One version of a prompt. Cheap to clone; it never changes, a later [`get`](crate::Client::get) gives the next one.
#[derive(Clone)]
pub struct Prompt {
    item: Arc<Item>,
    source: Source,
    is_stale: bool,
    cause: Option<Error>,
}

impl Prompt {
    pub(crate) fn new(item: Arc<Item>, source: Source, is_stale: bool) -> Self {
        let is_from_disk = source != Source::Api && item.is_from_disk.load(Relaxed);
        let source = if is_from_disk { Source::Disk } else { source };
        Self { item, source, is_stale: is_stale || is_from_disk, cause: None }
    }

    pub(crate) fn fallback(slug: &str, content: &Content, cause: Error) -> Self {
        let item = Arc::new(Item::of_fallback(slug, content));
        Self { item, source: Source::Fallback, is_stale: false, cause: Some(cause) }
    }

    /// Its present slug, which may be another than it was asked for by.
    pub fn slug(&self) -> &str {
        &self.item.slug
    }

    /// Its id; none for a fallback.
    pub fn id(&self) -> Option<&str> {
        (!self.item.id.is_empty()).then_some(&*self.item.id)
    }

    /// What people call it.
    pub fn title(&self) -> Option<&str> {
        self.item.text_field("title")
    }

    /// One text, or a conversation.
    pub fn prompt_type(&self) -> PromptType {
        if self.text().is_some() { PromptType::Text } else { PromptType::Chat }
    }

    /// The template: a text, or messages. An error if it is of a newer kind than this crate reads.
    pub fn content(&self) -> Result<&Content, Error> {
        self.item.compiled().map(xr2_prompt::Compiled::template_form)
    }

    /// The template of a text prompt.
    pub fn text(&self) -> Option<&str> {
        self.item.text_field("content")
    }

    /// The messages of a chat prompt, as the server wrote them.
    pub fn messages(&self) -> Option<&[Value]> {
        self.item.field("messages")?.as_array().map(Vec::as_slice)
    }

    /// How it is written: `simple`, `jinja` or `none`.
    pub fn syntax(&self) -> &str {
        self.item.text_field("syntax").unwrap_or("simple")
    }

    /// The variables that were declared, those of included snippets with them.
    pub fn variables(&self) -> Result<&[VariableSpec], Error> {
        self.item.compiled().map(|compiled| compiled.contract().variables())
    }

    /// Names without value and default that the server found when it rendered this; usually none.
    pub fn missing(&self) -> Vec<&str> {
        self.item.list("missing").iter().filter_map(Value::as_str).collect()
    }

    /// Model settings that were published with the text.
    pub fn config(&self) -> Option<&Map<String, Value>> {
        self.item.field("config")?.as_object()
    }

    /// Its tags.
    pub fn tags(&self) -> Vec<&str> {
        self.item.list("tags").iter().filter_map(Value::as_str).collect()
    }

    /// Number of the version; none for a fallback.
    pub fn version(&self) -> Option<i64> {
        self.item.version
    }

    /// The label it was asked for by; none when a version was.
    pub fn label(&self) -> Option<&str> {
        self.item.label.as_deref()
    }

    /// The variant of the A/B test this is, if one runs.
    pub fn variant(&self) -> Option<&str> {
        self.item.field("ab_test")?.get("variant")?.as_str()
    }

    /// The A/B test it belongs to: `{id, name, variant, assignment_id}`.
    pub fn ab_test(&self) -> Option<&Value> {
        self.item.field("ab_test")
    }

    /// When the version was made.
    pub fn updated_at(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(self.item.text_field("updated_at")?).ok().map(Into::into)
    }

    /// Where this copy came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Whether it may be old: the server could not be asked lately.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Why this is the fallback.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_ref()
    }

    /// Everything the server said of it, with fields that this crate does not know.
    pub fn data(&self) -> &Map<String, Value> {
        self.item.data()
    }

    /// Puts values in, here in this process. Values are checked against the contract, never coerced and never read as
    /// templates; every problem is told at once.
    pub fn render<'v>(&self, values: impl IntoValues<'v>) -> Result<Rendered, Error> {
        let values = values.into_values();
        let rendered = render(self.item.compiled()?, &values, RenderOptions::default())
            .map_err(|error| Error::of_render(&self.item.slug, error))?;
        let mut missing = rendered.missing;
        if missing.is_empty() {
            missing.extend(self.missing().into_iter().map(str::to_owned));
        }
        Ok(Rendered { content: rendered.content, missing, warnings: rendered.warnings, prompt: self.clone() })
    }
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("slug", &self.slug())
            .field("version", &self.version())
            .field("label", &self.label())
            .field("source", &self.source)
            .field("is_stale", &self.is_stale)
            .finish_non_exhaustive()
    }
}

/// A prompt with its values put in.
#[derive(Debug, Clone)]
pub struct Rendered {
    content: Content,
    missing: Vec<String>,
    warnings: Vec<Warning>,
    prompt: Prompt,
}

impl Rendered {
    pub(crate) fn of_server(
        prompt: Prompt,
        content: Content,
        missing: Vec<String>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self { content, missing, warnings, prompt }
    }

    /// The text, or the messages.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The text of a text prompt.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Chat(_) => None,
        }
    }

    /// The text of a text prompt, taken out.
    pub fn into_text(self) -> Option<String> {
        match self.content {
            Content::Text(text) => Some(text),
            Content::Chat(_) => None,
        }
    }

    /// The messages of a chat prompt.
    pub fn messages(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Text(_) => None,
            Content::Chat(entries) => Some(entries),
        }
    }

    /// Optional variables that had neither value nor default, in order of first use.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Values that nobody asked for, each with the name that was probably meant.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What was rendered: its version, its settings, where it came from.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// The body of a chat completion of OpenAI, and of what is compatible with it.
    pub fn to_openai(&self) -> ProviderRequest {
        self.to_request(Provider::OpenAi)
    }

    /// The body of a message of Anthropic.
    pub fn to_anthropic(&self) -> ProviderRequest {
        self.to_request(Provider::Anthropic)
    }

    /// The body of Google's `generateContent`; its `model` belongs into the address.
    pub fn to_google(&self) -> ProviderRequest {
        self.to_request(Provider::Google)
    }

    fn to_request(&self, provider: Provider) -> ProviderRequest {
        let config = self.prompt.item.field("config").unwrap_or(&Value::Null);
        provider_request(provider, &self.content, config, None)
    }
}

/// The text; the messages of a chat as JSON.
impl std::fmt::Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.content {
            Content::Text(text) => f.write_str(text),
            Content::Chat(_) => {
                f.write_str(&serde_json::to_string(&self.content).map_err(|_| std::fmt::Error)?)
            }
        }
    }
}
