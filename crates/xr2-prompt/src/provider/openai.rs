//! OpenAI's chat completions.

use serde_json::{Map, Value, json};

use super::settings::Settings;
use super::tools::{Choice, Tool};
use super::{Provider, Warnings};
use crate::model::{Message, MessageContent, Part};

/// What other providers know and OpenAI does not.
const FOREIGN: [&str; 9] = [
    "top_k",
    "topK",
    "thinking",
    "thinking_config",
    "thinkingConfig",
    "safety_settings",
    "safetySettings",
    "cached_content",
    "cachedContent",
];

pub(super) fn body(
    messages: &[Message],
    config: &Map<String, Value>,
    model: Option<&str>,
    warnings: &mut Warnings,
) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(model) = model {
        body.insert("model".to_owned(), json!(model));
    }
    body.insert("messages".to_owned(), messages.iter().map(message).collect());
    let mut settings = Settings::new(Provider::OpenAi, config);
    let limit = if model.is_some_and(counts_reasoning) { "max_completion_tokens" } else { "max_tokens" };
    match settings.take(&["max_completion_tokens"]) {
        Some(tokens) => {
            settings.take(&["max_tokens"]);
            body.insert("max_completion_tokens".to_owned(), tokens.clone());
        }
        None => settings.carry(&mut body, &["max_tokens", "max_output_tokens", "maxOutputTokens"], limit),
    }
    if let Some(stop) = settings.take(&["stop", "stop_sequences", "stopSequences"]) {
        body.insert("stop".to_owned(), stop.clone());
    }
    settings.carry(&mut body, &["top_p", "topP"], "top_p");
    if let Some(tools) = settings.take(&["tools"]) {
        body.insert("tools".to_owned(), tools.as_array().into_iter().flatten().map(tool).collect());
    }
    if let Some(choice) = settings.take(&["tool_choice"]) {
        body.insert("tool_choice".to_owned(), tool_choice(choice));
    }
    settings.leave_out(&FOREIGN, warnings);
    body.extend(settings.rest().map(|(name, value)| (name.to_owned(), value.clone())));
    body
}

/// Models that think first count their thoughts, and refuse `max_tokens`.
fn counts_reasoning(model: &str) -> bool {
    ["o1", "o3", "o4", "gpt-5"].iter().any(|prefix| model.starts_with(prefix))
}

fn message(message: &Message) -> Value {
    let mut fields = match serde_json::to_value(message) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    if let MessageContent::Parts(parts) = &message.content {
        fields.insert("content".to_owned(), parts.iter().map(part).collect());
    }
    Value::Object(fields)
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Image { url, data, media_type } => {
            let url = url.clone().unwrap_or_else(|| {
                let media_type = media_type.as_deref().unwrap_or("image/png");
                format!("data:{media_type};base64,{}", data.as_deref().unwrap_or_default())
            });
            json!({"type": "image_url", "image_url": {"url": url}})
        }
    }
}

fn tool(tool: &Value) -> Value {
    match Tool::read(tool) {
        Some(read) => json!({"type": "function", "function": read.fields("parameters")}),
        None => tool.clone(),
    }
}

fn tool_choice(choice: &Value) -> Value {
    match Choice::read(choice) {
        Some(Choice::Auto) => json!("auto"),
        Some(Choice::None) => json!("none"),
        Some(Choice::Any) => json!("required"),
        Some(Choice::Tool(name)) => json!({"type": "function", "function": {"name": name}}),
        None => choice.clone(),
    }
}
