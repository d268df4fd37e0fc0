//! Google's `generateContent`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::settings::Settings;
use super::tools::{Call, Choice, Tool};
use super::{Provider, Warnings, part_system};
use crate::model::{Message, MessageContent, Part, Role};

/// Settings of `generationConfig`, by the names an author may use.
const GENERATION: [(&[&str], &str); 9] = [
    (&["temperature"], "temperature"),
    (&["top_p", "topP"], "topP"),
    (&["top_k", "topK"], "topK"),
    (&["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"], "maxOutputTokens"),
    (&["n", "candidate_count", "candidateCount"], "candidateCount"),
    (&["seed"], "seed"),
    (&["presence_penalty", "presencePenalty"], "presencePenalty"),
    (&["frequency_penalty", "frequencyPenalty"], "frequencyPenalty"),
    (&["thinking_config", "thinkingConfig"], "thinkingConfig"),
];
/// Fields of the body that only Google has.
const OWN: [(&[&str], &str); 3] = [
    (&["safety_settings", "safetySettings"], "safetySettings"),
    (&["cached_content", "cachedContent"], "cachedContent"),
    (&["labels"], "labels"),
];

pub(super) fn body(
    messages: &[Message],
    config: &Map<String, Value>,
    warnings: &mut Warnings,
) -> Map<String, Value> {
    let (system, talk) = part_system(Provider::Google, messages, warnings);
    let mut body = Map::new();
    let instructions: Vec<Value> = system.iter().flat_map(|message| parts(message, warnings)).collect();
    if !instructions.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({"parts": instructions}));
    }
    body.insert("contents".to_owned(), Value::Array(contents(&talk, warnings)));
    let mut settings = Settings::new(Provider::Google, config);
    let generation = generation_config(&mut settings, warnings);
    if !generation.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(generation));
    }
    carry_tools(&mut settings, &mut body, warnings);
    for (names, to) in OWN {
        settings.carry(&mut body, names, to);
    }
    // Streaming is a matter of the address.
    settings.take(&["stream", "stream_options"]);
    let unknown: Vec<_> = settings.rest().map(|(name, _)| name).collect();
    unknown.into_iter().for_each(|name| warnings.left_out(Provider::Google, name));
    body
}

fn generation_config(settings: &mut Settings<'_>, warnings: &mut Warnings) -> Map<String, Value> {
    let mut generation = Map::new();
    for (names, to) in GENERATION {
        settings.carry(&mut generation, names, to);
    }
    if let Some(stop) = settings.take_stop() {
        generation.insert("stopSequences".to_owned(), stop);
    }
    if let Some(format) = settings.take(&["response_format"]) {
        response_format(format, &mut generation, warnings);
    }
    generation
}

fn response_format(format: &Value, generation: &mut Map<String, Value>, warnings: &mut Warnings) {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => {}
        Some("json_object") => {
            generation.insert("responseMimeType".to_owned(), json!("application/json"));
        }
        Some("json_schema") => {
            generation.insert("responseMimeType".to_owned(), json!("application/json"));
            let schema = format.pointer("/json_schema/schema").or_else(|| format.get("schema"));
            generation.extend(schema.map(|schema| ("responseJsonSchema".to_owned(), schema.clone())));
        }
        _ => warnings.left_out(Provider::Google, "response_format"),
    }
}

fn carry_tools(settings: &mut Settings<'_>, body: &mut Map<String, Value>, warnings: &mut Warnings) {
    let mut declarations = Vec::new();
    let mut tools = Vec::new();
    for tool in settings.take(&["tools"]).and_then(Value::as_array).into_iter().flatten() {
        match Tool::read(tool) {
            Some(read) => {
                let mut fields = read.fields("parameters");
                fields.remove("strict");
                declarations.push(Value::Object(fields));
            }
            None => {
                if tool.get("type").is_some() {
                    warnings.add("TOOL_AS_IS", "A tool that is no function was passed on as it is.");
                }
                tools.push(tool.clone());
            }
        }
    }
    if !declarations.is_empty() {
        tools.insert(0, json!({"functionDeclarations": declarations}));
    }
    if !tools.is_empty() {
        body.insert("tools".to_owned(), Value::Array(tools));
    }
    if let Some(choice) = settings.take(&["tool_choice"]) {
        let calling = match Choice::read(choice) {
            Some(Choice::Auto) => json!({"mode": "AUTO"}),
            Some(Choice::None) => json!({"mode": "NONE"}),
            Some(Choice::Any) => json!({"mode": "ANY"}),
            Some(Choice::Tool(name)) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
            None => return warnings.left_out(Provider::Google, "tool_choice"),
        };
        body.insert("toolConfig".to_owned(), json!({"functionCallingConfig": calling}));
    }
    settings.carry(body, &["toolConfig", "tool_config"], "toolConfig");
}

fn contents(talk: &[&Message], warnings: &mut Warnings) -> Vec<Value> {
    let mut contents: Vec<Value> = Vec::new();
    let mut called: HashMap<&str, &str> = HashMap::new();
    let mut after_tool = false;
    for message in talk {
        let calls: Vec<_> = message.tool_calls.iter().flatten().filter_map(Call::read).collect();
        called.extend(calls.iter().filter_map(|call| call.id.map(|id| (id, call.name))));
        if message.role == Role::Tool {
            let response = function_response(message, &called, warnings);
            // Results of one turn belong into one content.
            match contents.last_mut().and_then(|last| last.get_mut("parts")).and_then(Value::as_array_mut) {
                Some(parts) if after_tool => parts.push(response),
                _ => contents.push(json!({"role": "user", "parts": [response]})),
            }
            after_tool = true;
            continue;
        }
        after_tool = false;
        let role = if message.role == Role::Assistant { "model" } else { "user" };
        let mut parts = parts(message, warnings);
        parts.extend(
            calls.iter().map(|call| json!({"functionCall": {"name": call.name, "args": call.arguments}})),
        );
        contents.push(json!({"role": role, "parts": parts}));
    }
    contents
}

fn function_response(message: &Message, called: &HashMap<&str, &str>, warnings: &mut Warnings) -> Value {
    let id = message.tool_call_id.as_deref().unwrap_or_default();
    let name = called.get(id).copied().or(message.name.as_deref());
    if name.is_none() {
        let text = "A tool message answers no call of the prompt, so the function's name is not known.";
        warnings.add("TOOL_NAME_UNKNOWN", text);
    }
    let text: String = match &message.content {
        MessageContent::Text(text) => text.clone(),
        MessageContent::Empty => String::new(),
        MessageContent::Parts(parts) => {
            let texts = parts.iter().filter_map(|part| match part {
                Part::Text { text } => Some(text.as_str()),
                Part::Image { .. } => {
                    warnings.add(
                        "IMAGE_LEFT_OUT",
                        "An image of a tool message was left out: Google takes texts there.",
                    );
                    None
                }
            });
            texts.collect::<Vec<_>>().join("\n")
        }
    };
    // A result that is an object is one for Google too.
    let response = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object);
    json!({"functionResponse": {"name": name.unwrap_or(id), "response": response.unwrap_or_else(|| json!({"result": text}))}})
}

fn parts(message: &Message, warnings: &mut Warnings) -> Vec<Value> {
    match &message.content {
        MessageContent::Text(text) if text.is_empty() && message.tool_calls.is_some() => Vec::new(),
        MessageContent::Text(text) => vec![json!({"text": text})],
        MessageContent::Empty => Vec::new(),
        MessageContent::Parts(parts) => parts.iter().filter_map(|one| part(one, warnings)).collect(),
    }
}

fn part(part: &Part, warnings: &mut Warnings) -> Option<Value> {
    match part {
        Part::Text { text } => Some(json!({"text": text})),
        Part::Image { data: Some(data), media_type, .. } => {
            Some(json!({"inlineData": {"mimeType": media_type, "data": data}}))
        }
        Part::Image { url: Some(url), media_type, .. } if url.starts_with("gs://") => {
            let mut file = json!({"fileUri": url});
            if let Some(media_type) = media_type {
                file["mimeType"] = json!(media_type);
            }
            Some(json!({"fileData": file}))
        }
        Part::Image { .. } => {
            let text =
                "An image given by its address was left out: Google takes image data, or a file of its own.";
            warnings.add("IMAGE_LEFT_OUT", text);
            None
        }
    }
}
