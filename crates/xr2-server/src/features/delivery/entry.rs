//! What is kept of a version that somebody asked for: compiled, and with everything that does not change already
//! written as JSON.

use std::sync::Arc;

use axum::http::HeaderValue;
use bytes::Bytes;
use uuid::Uuid;
use xr2_prompt::{Compiled, Content, RenderOptions, Syntax, Values, render};

use crate::clock::{Time, rfc3339};
use crate::features::delivery::body::{Body, Json, etag_of};
use crate::features::delivery::form::Packed;
use crate::features::delivery::freshness::{Mark, Tenant};
use crate::features::delivery::key::{Selector, is_slug};
use crate::features::usage::Delivered;
use crate::last_used::FetchStamp;

/// Templates larger than this are rendered beside the threads that serve requests.
const LARGE: usize = 64 * 1024;

/// A version ready to be delivered under the name and selector it was asked by.
pub struct Entry {
    /// Whether it is still so.
    pub mark: Arc<Mark>,
    /// Its workspace.
    pub tenant: Arc<Tenant>,
    /// The prompt's id.
    pub prompt: Uuid,
    /// The prompt's present slug.
    pub slug: Box<str>,
    /// The prompt's tags.
    pub tags: Vec<Box<str>>,
    /// Slugs it had before, which go on delivering it.
    pub former_slugs: Vec<Box<str>>,
    /// The version's number.
    pub number: i64,
    /// Labels that point at the version.
    pub labels: Vec<Box<str>>,
    /// The template.
    pub compiled: Compiled,
    /// The model settings.
    pub config: serde_json::Value,
    /// When a client last fetched it.
    pub fetches: Arc<FetchStamp>,
    /// What usage counts a delivery of it as.
    pub what: Arc<Delivered>,
    /// `X-XR2-Version`
    pub version_header: HeaderValue,
    /// The whole answer when no values are given and no rendering is asked for; none when rendering fails.
    pub unasked: Option<(Bytes, HeaderValue)>,
    /// The same, packed for those who take it so; made when first asked for.
    pub packed: Packed,
    /// Whether rendering may take long.
    pub is_heavy: bool,
    /// Whether it comes from the snapshot.
    pub is_frozen: bool,
    head: Box<[u8]>,
    tail: Box<[u8]>,
    current_slug: Option<Box<str>>,
    bytes: usize,
}

/// What an [`Entry`] is made of.
pub struct Parts {
    pub mark: Arc<Mark>,
    pub tenant: Arc<Tenant>,
    pub prompt: Uuid,
    pub slug: String,
    pub title: String,
    /// JSON.
    pub tags: String,
    pub former_slugs: Vec<Box<str>>,
    pub number: i64,
    pub labels: Vec<Box<str>>,
    pub compiled: Compiled,
    pub config: serde_json::Value,
    /// JSON.
    pub config_text: String,
    pub updated_at: Time,
    pub is_frozen: bool,
}

impl Entry {
    /// Writes down all that stays the same from request to request.
    pub fn new(parts: Parts) -> Entry {
        let key = parts.mark.key();
        let label = label_of(&key.selector);
        let counted_as = label.map_or_else(|| format!("#{}", parts.number), str::to_owned);
        let asked_by_former_slug = is_slug(&key.name) && *key.name != *parts.slug;
        let asked_by_former_slug = asked_by_former_slug && Uuid::try_parse(&key.name).is_err();
        let mut entry = Entry {
            what: Arc::new(delivered(&parts, label)),
            fetches: FetchStamp::new(key.workspace, parts.prompt, counted_as),
            version_header: HeaderValue::from(parts.number),
            unasked: None,
            packed: Packed::default(),
            is_heavy: is_heavy(&parts.compiled),
            is_frozen: parts.is_frozen,
            head: head(&parts),
            tail: tail(&parts, label),
            current_slug: asked_by_former_slug.then(|| parts.slug.as_str().into()),
            bytes: 0,
            prompt: parts.prompt,
            slug: parts.slug.into(),
            tags: words(&parts.tags),
            former_slugs: parts.former_slugs,
            number: parts.number,
            labels: parts.labels,
            config: parts.config,
            mark: parts.mark,
            tenant: parts.tenant,
            compiled: parts.compiled,
        };
        entry.unasked = entry.answer_unasked();
        entry.bytes = entry.count_bytes();
        entry
    }

    /// Begins a body: everything up to the content.
    pub fn begin(&self, room: usize) -> Body<'_> {
        Body::begin(&self.head, &self.tail, self.current_slug.as_deref(), room)
    }

    /// The data alone of an answer that began with [`Entry::begin`].
    pub fn data_of(mut answer: Vec<u8>) -> Vec<u8> {
        answer.drain(..ENVELOPE.len());
        answer
    }

    /// What bundles and streams carry of it: the template form as JSON.
    pub fn item(&self) -> Vec<u8> {
        write_item(&self.head, &self.tail, &self.compiled, &self.former_slugs)
    }

    /// Memory it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn answer_unasked(&self) -> Option<(Bytes, HeaderValue)> {
        let body = if self.compiled.has_no_variables() {
            let rendered = render(&self.compiled, &Values::new(), RenderOptions::default()).ok()?;
            self.begin(0).content(&rendered.content).rendered(&rendered.missing).finish(&[])
        } else {
            self.begin(0).content(self.compiled.template_form()).template().finish(&[])
        };
        let etag = etag_of(&body);
        Some((Bytes::from(body), etag))
    }

    fn count_bytes(&self) -> usize {
        // With room for its packed forms.
        let unasked = self.unasked.as_ref().map_or(0, |(body, _)| body.len() + body.len() / 2);
        let names = self.labels.iter().chain(&self.tags).chain(&self.former_slugs);
        let names: usize = names.map(|name| name.len() + 16).sum();
        size_of::<Entry>()
            + 2 * self.mark.key().bytes()
            + self.compiled.approximate_bytes()
            + self.head.len()
            + self.tail.len()
            + 2 * self.tail.len().min(4096)
            + unasked
            + self.slug.len()
            + names
    }
}

/// Loops take as long as the values make them; large texts take their time as well.
pub fn is_heavy(compiled: &Compiled) -> bool {
    let texts = || compiled.template_form().texts().map(|(_, text)| text);
    texts().map(str::len).sum::<usize>() > LARGE
        || (compiled.syntax() == Syntax::Jinja && texts().any(|text| text.contains("{%")))
}

fn delivered(parts: &Parts, label: Option<&str>) -> Delivered {
    let includes = parts.compiled.includes();
    Delivered {
        workspace: parts.mark.key().workspace,
        prompt: parts.prompt,
        version: parts.number,
        label: label.unwrap_or_default().into(),
        variant: "".into(),
        includes: (!includes.is_empty())
            .then(|| serde_json::to_string(&includes).unwrap_or_default().into_boxed_str()),
    }
}

/// [`Entry::item`] of what is not kept as an entry.
pub fn item_of(parts: &Parts) -> Vec<u8> {
    let label = label_of(&parts.mark.key().selector);
    write_item(&head(parts), &tail(parts, label), &parts.compiled, &parts.former_slugs)
}

fn write_item(head: &[u8], tail: &[u8], compiled: &Compiled, former_slugs: &[Box<str>]) -> Vec<u8> {
    let form = compiled.template_form();
    let room: usize = form.texts().map(|(_, text)| text.len() + text.len() / 8 + 64).sum();
    Body::begin(&head[ENVELOPE.len()..], tail, None, room).content(form).template().finish_item(former_slugs)
}

/// A JSON list of words, such as tags.
pub fn words(json: &str) -> Vec<Box<str>> {
    serde_json::from_str(json).unwrap_or_default()
}

fn label_of(selector: &Selector) -> Option<&str> {
    match selector {
        Selector::Label(label) => Some(label),
        Selector::Number(_) | Selector::Id(_) => None,
    }
}

/// What stands before the data.
const ENVELOPE: &str = r#"{"success":true,"data":"#;

fn head(parts: &Parts) -> Box<[u8]> {
    let form = parts.compiled.template_form();
    let mut json = Json::new();
    json.raw(ENVELOPE)
        .raw(r#"{"id":""#)
        .raw(&parts.prompt.to_string())
        .raw(r#"","slug":"#)
        .value(&parts.slug)
        .raw(r#","title":"#)
        .value(&parts.title)
        .raw(r#","type":""#)
        .raw(form.prompt_type().as_str())
        .raw(r#"","syntax":""#)
        .raw(parts.compiled.syntax().as_str())
        .raw(match form {
            Content::Text(_) => r#"","content":"#,
            Content::Chat(_) => r#"","messages":"#,
        });
    json.into_bytes()
}

fn tail(parts: &Parts, label: Option<&str>) -> Box<[u8]> {
    let includes = parts.compiled.includes();
    let variables: Vec<_> = parts.compiled.variables().iter().map(|variable| &variable.spec).collect();
    let mut json = Json::new();
    if !includes.is_empty() {
        json.raw(r#","includes":"#).value(&includes);
    }
    json.raw(r#","version":"#)
        .value(&parts.number)
        .raw(r#","label":"#)
        .value(&label)
        .raw(r#","variables":"#)
        .value(&variables)
        .raw(r#","config":"#)
        .raw(&parts.config_text)
        .raw(r#","tags":"#)
        .raw(&parts.tags)
        .raw(r#","updated_at":""#)
        .raw(&rfc3339(&parts.updated_at))
        .raw("\"");
    json.into_bytes()
}
