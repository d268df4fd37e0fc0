//! What a version consists of, read from input: type, syntax, content, variable contract, model settings.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use xr2_prompt::{Content, Contract, PromptType, Side, Syntax, change_summary, detect_syntax};

use crate::error::{ApiError, Code, FieldProblem};

/// A summary of a huge text may be coarse, but not slow: it is made while the change is being written.
const SUMMARY_TIME: Duration = Duration::from_millis(50);

/// Largest `config`, as JSON.
const MAX_CONFIG_BYTES: usize = 64 * 1024;

/// The substance of a version or draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// How its text is read.
    pub syntax: Syntax,
    /// Text or messages.
    pub content: Content,
    /// Declared variables.
    pub contract: Contract,
    /// Model settings; free JSON.
    pub config: Value,
}

/// The fields of a request that make up a [`Source`]; absent ones are taken over from what was there.
#[derive(Debug, Clone, Default)]
pub struct SourceInput {
    /// `type`
    pub kind: Option<PromptType>,
    /// `syntax`
    pub syntax: Option<Syntax>,
    /// `content`
    pub content: Option<String>,
    /// `messages`
    pub messages: Option<Value>,
    /// `variables`
    pub variables: Option<Value>,
    /// `config`
    pub config: Option<Value>,
}

impl SourceInput {
    /// Whether the request says anything about the substance.
    pub fn is_empty(&self) -> bool {
        self.kind.is_none()
            && self.syntax.is_none()
            && self.content.is_none()
            && self.messages.is_none()
            && self.variables.is_none()
            && self.config.is_none()
    }

    /// Reads the input over `base`. Every problem is pushed to `problems`; then the result means nothing.
    /// `strict` asks for what a version needs: some text. A draft may be empty.
    pub fn read(self, base: Option<&Source>, strict: bool, problems: &mut Vec<FieldProblem>) -> Source {
        let before = problems.len();
        let content = self.read_content(base, problems);
        if strict && problems.len() == before {
            problems.extend(content.problems().into_iter().map(of_engine));
        }
        let contract = match &self.variables {
            None => base.map(|base| base.contract.clone()).unwrap_or_default(),
            Some(Value::Null) => Contract::default(),
            Some(value) => Contract::from_value(value, "variables").unwrap_or_else(|found| {
                problems.extend(found.into_iter().map(of_engine));
                Contract::default()
            }),
        };
        let config = match self.config {
            None => base.map_or_else(|| Value::Object(Map::new()), |base| base.config.clone()),
            Some(Value::Null) => Value::Object(Map::new()),
            Some(value) => value,
        };
        if !config.is_object() {
            problems.push(FieldProblem::new("config", "wrong_type", "must be an object"));
        } else if config.to_string().len() > MAX_CONFIG_BYTES {
            problems.push(FieldProblem::new("config", "too_long", "must be at most 64 KiB of JSON"));
        }
        let syntax = self.syntax.or(base.map(|base| base.syntax)).unwrap_or_else(|| detect_syntax(&content));
        Source { syntax, content, contract, config }
    }

    fn read_content(&self, base: Option<&Source>, problems: &mut Vec<FieldProblem>) -> Content {
        let mut problem = |field: &str, code: &str, message: &str| {
            problems.push(FieldProblem::new(field, code, message));
            Content::Text(String::new())
        };
        match (&self.content, &self.messages) {
            (Some(_), Some(_)) => problem("messages", "invalid", "give either content or messages, not both"),
            (Some(_), None) if self.kind == Some(PromptType::Chat) => {
                problem("content", "invalid", "a chat prompt has messages, not content")
            }
            (None, Some(_)) if self.kind == Some(PromptType::Text) => {
                problem("messages", "invalid", "a text prompt has content, not messages")
            }
            (Some(text), None) => Content::Text(text.clone()),
            (None, Some(messages)) => match Content::from_messages(messages, "messages") {
                Ok(content) => content,
                Err(found) => {
                    problems.extend(found.into_iter().map(of_engine));
                    Content::Chat(Vec::new())
                }
            },
            (None, None) => match (base, self.kind) {
                (Some(base), None) => base.content.clone(),
                (Some(base), Some(kind)) if base.content.prompt_type() == kind => base.content.clone(),
                (_, Some(PromptType::Chat)) => {
                    problem("messages", "required", "is required for a chat prompt");
                    Content::Chat(Vec::new())
                }
                _ => problem("content", "required", "is required (or messages, for a chat prompt)"),
            },
        }
    }
}

impl Source {
    /// 413 when the text is larger than this server takes.
    pub fn check_size(&self, max_bytes: usize) -> Result<(), ApiError> {
        let bytes: usize = self.content.texts().map(|(_, text)| text.len()).sum();
        if bytes <= max_bytes {
            return Ok(());
        }
        let message =
            format!("The text has {bytes} bytes; this server takes up to {max_bytes}. Nothing was saved.");
        Err(ApiError::new(Code::PayloadTooLarge, message)
            .with_details(serde_json::json!({ "bytes": bytes, "limit": max_bytes })))
    }

    /// This source as one side of a comparison.
    pub fn side(&self) -> Side<'_> {
        Side { content: &self.content, syntax: self.syntax, contract: &self.contract, config: &self.config }
    }

    /// What changed since `before`, in a sentence; "Created" when there was nothing.
    pub fn summary_since(&self, before: Option<&Source>) -> String {
        change_summary(before.map(Source::side).as_ref(), &self.side(), Some(Instant::now() + SUMMARY_TIME))
    }

    /// As it is stored: the text, or the messages as JSON.
    pub fn stored_content(&self) -> String {
        match &self.content {
            Content::Text(text) => text.clone(),
            Content::Chat(_) => serde_json::to_string(&self.content).unwrap_or_default(),
        }
    }

    /// Reads what [`Source::stored_content`] wrote.
    pub fn parse_content(kind: PromptType, stored: String) -> Result<Content, String> {
        match kind {
            PromptType::Text => Ok(Content::Text(stored)),
            PromptType::Chat => serde_json::from_str(&stored).map_err(|error| error.to_string()),
        }
    }

    /// `content` or `messages` as they stand in answers.
    pub fn content_fields(&self) -> (Option<String>, Option<Value>) {
        match &self.content {
            Content::Text(text) => (Some(text.clone()), None),
            Content::Chat(_) => (None, serde_json::to_value(&self.content).ok()),
        }
    }
}

/// The engine's problem as the API's.
pub fn of_engine(problem: xr2_prompt::FieldProblem) -> FieldProblem {
    FieldProblem::new(problem.field, problem.code, problem.message)
}

/// 422 TEMPLATE_ERROR with every problem; the first one's place stands beside them.
pub fn template_error(error: &xr2_prompt::CompileError) -> ApiError {
    let first = error.problems.first();
    ApiError::new(Code::Template, error.to_string()).with_details(serde_json::json!({
        "problems": error.problems,
        "line": first.map(|p| p.line),
        "column": first.map(|p| p.column),
    }))
}
