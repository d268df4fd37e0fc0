//! A prompt as the server put it: its template, its contract, and what is known of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use xr2_prompt::{Compiled, Content, Contract, IncludeError, Syntax, TemplateProblem, compile};

use crate::error::Error;

/// One version of a prompt under one label, shared by everybody who reads it.
pub(crate) struct Item {
    data: Map<String, Value>,
    pub id: Box<str>,
    pub slug: Box<str>,
    pub version: Option<i64>,
    pub label: Option<Box<str>>,
    /// The compiled template; made when somebody first wants it.
    compiled: OnceLock<Result<Compiled, Error>>,
    /// Reads from memory that have not been told to the server yet.
    pub reads: AtomicU64,
    /// The nanoseconds they took together.
    pub spent: AtomicU64,
    /// Read from the snapshot, and not yet confirmed by the server.
    pub is_from_disk: AtomicBool,
    /// Since when this process has it.
    pub since: DateTime<Utc>,
}

impl Item {
    /// Reads a prompt; what this crate does not know is kept and otherwise ignored.
    pub fn read(data: Value) -> Result<Self, String> {
        let Value::Object(data) = data else { return Err("a prompt must be an object".to_owned()) };
        let text = |name: &str| data.get(name).and_then(Value::as_str).map(Box::<str>::from);
        let id = text("id").filter(|id| !id.is_empty()).ok_or("a prompt without id")?;
        let slug = text("slug").filter(|slug| !slug.is_empty()).ok_or("a prompt without slug")?;
        if !data.get("content").is_some_and(Value::is_string)
            && !data.get("messages").is_some_and(Value::is_array)
        {
            return Err(format!("the prompt {slug:?} has neither content nor messages"));
        }
        let (version, label) = (data.get("version").and_then(Value::as_i64), text("label"));
        Ok(Self {
            id,
            slug,
            version,
            label,
            data,
            compiled: OnceLock::new(),
            reads: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            is_from_disk: AtomicBool::new(false),
            since: Utc::now_micros(),
        })
    }

    /// A prompt that the program itself brought along.
    pub fn of_fallback(slug: &str, content: &Content) -> Self {
        let mut data = Map::new();
        data.insert("slug".to_owned(), Value::from(slug));
        data.insert("type".to_owned(), Value::from(content.prompt_type().as_str()));
        data.insert("syntax".to_owned(), Value::from("simple"));
        let field = if matches!(content, Content::Text(_)) { "content" } else { "messages" };
        data.insert(field.to_owned(), serde_json::to_value(content).unwrap_or_default());
        Self {
            id: "".into(),
            slug: slug.into(),
            version: None,
            label: None,
            data,
            compiled: OnceLock::new(),
            reads: AtomicU64::new(0),
            spent: AtomicU64::new(0),
            is_from_disk: AtomicBool::new(false),
            since: Utc::now_micros(),
        }
    }

    /// Everything the server said of it.
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    pub fn field(&self, name: &str) -> Option<&Value> {
        self.data.get(name).filter(|value| !value.is_null())
    }

    pub fn text_field(&self, name: &str) -> Option<&str> {
        self.data.get(name)?.as_str()
    }

    pub fn list(&self, name: &str) -> &[Value] {
        self.data.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Whether a test decides who gets which version, so that the server must be asked for each user.
    pub fn has_test(&self) -> bool {
        self.field("ab_test").is_some()
    }

    /// The names it is found by: id, slug, former slugs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let former = self.list("former_slugs").iter().filter_map(Value::as_str);
        [&*self.id, &*self.slug].into_iter().chain(former)
    }

    /// The template, ready to be rendered.
    pub fn compiled(&self) -> Result<&Compiled, Error> {
        self.compiled.get_or_init(|| self.compile()).as_ref().map_err(Clone::clone)
    }

    fn compile(&self) -> Result<Compiled, Error> {
        let fail = |message: String| Error::Template {
            slug: self.slug.to_string(),
            problem: Box::new(TemplateProblem::whole(message)),
        };
        let content = lenient::content(&self.data).map_err(fail)?;
        let contract = lenient::contract(self.data.get("variables")).map_err(fail)?;
        // What the server rendered already is text: a brace in it is a brace.
        let is_rendered = self.data.get("rendered").and_then(Value::as_bool).unwrap_or(false);
        let syntax: Syntax = match self.text_field("syntax") {
            _ if is_rendered => Syntax::None,
            Some(word) => word.parse().map_err(fail)?,
            None => Syntax::Simple,
        };
        // Includes stand in line already.
        let mut no_includes = |_: &_| Err(IncludeError("it was not put in line.".to_owned()));
        compile(None, &content, syntax, &contract, &mut no_includes).map_err(|error| {
            let problem = error.problems.into_iter().next().unwrap_or_else(|| TemplateProblem::whole(""));
            Error::Template { slug: self.slug.to_string(), problem: Box::new(problem) }
        })
    }
}

/// The present time as the API writes it: UTC, cut to microseconds.
pub(crate) trait NowMicros {
    fn now_micros() -> DateTime<Utc>;
}

impl NowMicros for Utc {
    fn now_micros() -> DateTime<Utc> {
        DateTime::from(std::time::SystemTime::now())
    }
}

/// Reads what newer servers may say more of: unknown fields are passed over.
mod lenient {
    use super::*;

    const SPEC: [&str; 13] = [
        "name",
        "type",
        "required",
        "default",
        "enum",
        "min",
        "max",
        "min_length",
        "max_length",
        "pattern",
        "items",
        "description",
        "sample",
    ];
    const MESSAGE: [&str; 7] = ["role", "content", "name", "tool_calls", "tool_call_id", "type", "required"];
    const PART: [&str; 5] = ["type", "text", "url", "data", "media_type"];

    pub fn content(data: &Map<String, Value>) -> Result<Content, String> {
        if let Some(text) = data.get("content").and_then(Value::as_str) {
            return Ok(Content::Text(text.to_owned()));
        }
        let mut messages = data.get("messages").cloned().unwrap_or_default();
        for message in messages.as_array_mut().into_iter().flatten() {
            keep(message, &MESSAGE);
            let is_message = message.get("role").is_some();
            if let Some(fields) = message.as_object_mut().filter(|_| is_message) {
                fields.retain(|name, _| name != "type" && name != "required");
            }
            let parts = message.get_mut("content").and_then(Value::as_array_mut);
            parts.into_iter().flatten().for_each(|part| keep(part, &PART));
        }
        Content::from_messages(&messages, "messages").map_err(first)
    }

    pub fn contract(variables: Option<&Value>) -> Result<Contract, String> {
        let mut variables = variables.cloned().unwrap_or_default();
        if let Some(specs) = variables.as_array_mut() {
            // The discovered ones are found again in the template.
            specs.retain(|spec| spec.get("discovered").and_then(Value::as_bool) != Some(true));
            specs.iter_mut().for_each(|spec| keep(spec, &SPEC));
        }
        Contract::from_value(&variables, "variables").map_err(first)
    }

    fn keep(value: &mut Value, known: &[&str]) {
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|name, _| known.contains(&name.as_str()));
        }
    }

    fn first(problems: Vec<xr2_prompt::FieldProblem>) -> String {
        problems.into_iter().next().map_or_else(String::new, |one| format!("{}: {}", one.field, one.message))
    }
}
