//! Anthropic's messages.

use serde_json::{Map, Value, json};

use super::settings::Settings;
use super::tools::{Call, Choice, Tool};
use super::{Provider, Warnings, part_system};
use crate::model::{Message, MessageContent, Part, Role};

/// The API demands a limit; this one is told when it is put in.
const DEFAULT_MAX_TOKENS: u64 = 1024;
/// What other providers know and Anthropic does not.
const UNKNOWN: [&str; 12] = [
    "response_format",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "n",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "reasoning_effort",
    "modalities",
    "store",
    "stream_options",
];

pub(super) fn body(
    messages: &[Message],
    config: &Map<String, Value>,
    model: Option<&str>,
    warnings: &mut Warnings,
) -> Map<String, Value> {
    let (system, talk) = part_system(Provider::Anthropic, messages, warnings);
    let mut settings = Settings::new(Provider::Anthropic, config);
    let mut body = Map::new();
    if let Some(model) = model {
        body.insert("model".to_owned(), json!(model));
    }
    body.insert("max_tokens".to_owned(), max_tokens(&mut settings, warnings));
    let system = system_text(&system, warnings);
    if !system.is_empty() {
        body.insert("system".to_owned(), json!(system));
    }
    body.insert("messages".to_owned(), Value::Array(conversation(&talk, warnings)));
    carry_settings(&mut settings, &mut body, warnings);
    body.extend(settings.rest().map(|(name, value)| (name.to_owned(), value.clone())));
    body
}

fn max_tokens(settings: &mut Settings<'_>, warnings: &mut Warnings) -> Value {
    let given =
        settings.take(&["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"]);
    given.cloned().unwrap_or_else(|| {
        let message =
            format!("`max_tokens` is not set; Anthropic demands one, so it is {DEFAULT_MAX_TOKENS}.");
        warnings.add("MAX_TOKENS_DEFAULTED", message);
        json!(DEFAULT_MAX_TOKENS)
    })
}

fn carry_settings(settings: &mut Settings<'_>, body: &mut Map<String, Value>, warnings: &mut Warnings) {
    if let Some(temperature) = settings.take(&["temperature"]) {
        let too_high = temperature.as_f64().is_some_and(|degree| degree > 1.0);
        if too_high {
            warnings
                .add("TEMPERATURE_LOWERED", "The temperature was lowered to 1, the highest Anthropic takes.");
        }
        body.insert("temperature".to_owned(), if too_high { json!(1) } else { temperature.clone() });
    }
    settings.carry(body, &["top_p", "topP"], "top_p");
    settings.carry(body, &["top_k", "topK"], "top_k");
    if let Some(stop) = settings.take_stop() {
        body.insert("stop_sequences".to_owned(), stop);
    }
    if let Some(user) = settings.take(&["user"]) {
        body.insert("metadata".to_owned(), json!({"user_id": user}));
    }
    if let Some(tools) = settings.take(&["tools"]) {
        body.insert(
            "tools".to_owned(),
            tools.as_array().into_iter().flatten().map(|one| tool(one, warnings)).collect(),
        );
    }
    let parallel = settings.take(&["parallel_tool_calls"]).and_then(Value::as_bool);
    if let Some(choice) = tool_choice(settings.take(&["tool_choice"]), parallel) {
        body.insert("tool_choice".to_owned(), choice);
    }
    settings.leave_out(&UNKNOWN, warnings);
}

fn tool(tool: &Value, warnings: &mut Warnings) -> Value {
    let Some(read) = Tool::read(tool) else {
        // Anthropic's own tools carry a dated type; those of others cannot be told from them.
        warnings.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.");
        return tool.clone();
    };
    let mut fields = read.fields("input_schema");
    fields.entry("input_schema").or_insert_with(|| json!({"type": "object", "properties": {}}));
    Value::Object(fields)
}

fn tool_choice(choice: Option<&Value>, parallel: Option<bool>) -> Option<Value> {
    let mut converted = match choice.map(|choice| (choice, Choice::read(choice))) {
        None if parallel == Some(false) => json!({"type": "auto"}),
        None => return None,
        Some((_, Some(Choice::Auto))) => json!({"type": "auto"}),
        Some((_, Some(Choice::None))) => json!({"type": "none"}),
        Some((_, Some(Choice::Any))) => json!({"type": "any"}),
        Some((_, Some(Choice::Tool(name)))) => json!({"type": "tool", "name": name}),
        Some((as_is, None)) => as_is.clone(),
    };
    if let (Some(false), Some(fields)) = (parallel, converted.as_object_mut()) {
        fields.insert("disable_parallel_tool_use".to_owned(), json!(true));
    }
    Some(converted)
}

fn system_text(system: &[&Message], warnings: &mut Warnings) -> String {
    let texts = system.iter().map(|message| match &message.content {
        MessageContent::Text(text) => text.clone(),
        MessageContent::Empty => String::new(),
        MessageContent::Parts(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                Part::Image { .. } => {
                    warnings.add(
                        "IMAGE_LEFT_OUT",
                        "An image of a system message was left out: it may hold text only.",
                    );
                    None
                }
            });
            texts.collect::<Vec<_>>().join("\n\n")
        }
    });
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn conversation(talk: &[&Message], warnings: &mut Warnings) -> Vec<Value> {
    let mut turns: Vec<Value> = Vec::new();
    let mut after_tool = false;
    for message in talk {
        if message.role == Role::Tool {
            let result = tool_result(message);
            // Results of one turn belong into one message.
            match turns.last_mut().and_then(|turn| turn.get_mut("content")).and_then(Value::as_array_mut) {
                Some(content) if after_tool => content.push(result),
                _ => turns.push(json!({"role": "user", "content": [result]})),
            }
            after_tool = true;
            continue;
        }
        after_tool = false;
        let role = if message.role == Role::Assistant { "assistant" } else { "user" };
        turns.push(json!({"role": role, "content": content(message, warnings)}));
    }
    turns
}

fn tool_result(message: &Message) -> Value {
    let mut result = Map::new();
    result.insert("type".to_owned(), json!("tool_result"));
    result.insert("tool_use_id".to_owned(), json!(message.tool_call_id.as_deref().unwrap_or_default()));
    match &message.content {
        MessageContent::Text(text) => result.insert("content".to_owned(), json!(text)),
        MessageContent::Parts(parts) => result.insert("content".to_owned(), parts.iter().map(part).collect()),
        MessageContent::Empty => None,
    };
    Value::Object(result)
}

fn content(message: &Message, warnings: &mut Warnings) -> Value {
    let calls = message.tool_calls.as_deref().unwrap_or_default();
    let mut blocks: Vec<Value> = match &message.content {
        MessageContent::Text(text) if calls.is_empty() => return json!(text),
        MessageContent::Text(text) if text.is_empty() => Vec::new(),
        MessageContent::Text(text) => vec![json!({"type": "text", "text": text})],
        MessageContent::Parts(parts) => parts.iter().map(part).collect(),
        MessageContent::Empty => Vec::new(),
    };
    for call in calls {
        match Call::read(call) {
            Some(read) => blocks.push(json!({
                "type": "tool_use", "id": read.id.unwrap_or_default(), "name": read.name, "input": read.arguments,
            })),
            None => warnings.add("TOOL_CALL_LEFT_OUT", "A tool call without a function's name was left out."),
        }
    }
    Value::Array(blocks)
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Image { url: Some(url), .. } => json!({"type": "image", "source": {"type": "url", "url": url}}),
        Part::Image { data, media_type, .. } => {
            json!({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}})
        }
    }
}
