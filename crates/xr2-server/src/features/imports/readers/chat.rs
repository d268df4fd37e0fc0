//! Prompts of other tools as ours.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::features::exports::{Prompt, Substance};

/// JSON as it is kept in a document.
pub(super) fn raw(value: &Value) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}

/// Messages of another tool: what ours have, in their form.
pub(super) fn messages(list: &[Value]) -> Value {
    let one = |value: &Value| {
        let Some(fields) = value.as_object() else { return value.clone() };
        if fields.get("type").and_then(Value::as_str) == Some("placeholder") {
            let name = fields.get("name").cloned().unwrap_or_default();
            return serde_json::json!({ "type": "placeholder", "name": name });
        }
        let known = ["role", "content", "name", "tool_calls", "tool_call_id"];
        let kept = fields.iter().filter(|(name, value)| known.contains(&name.as_str()) && !value.is_null());
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
    };
    Value::Array(list.iter().map(one).collect())
}

/// A text or a list of messages as a substance.
pub(super) fn substance(prompt: &Value, syntax: Option<&str>) -> Option<Substance> {
    let source = Substance { syntax: syntax.map(str::to_owned), ..Substance::default() };
    match prompt {
        Value::String(text) => Some(Substance { content: Some(text.clone()), ..source }),
        Value::Array(list) => Some(Substance { messages: raw(&messages(list)), ..source }),
        _ => None,
    }
}

/// A prompt with nothing but its name.
pub(super) fn named(slug: String, title: String) -> Prompt {
    Prompt { slug, title: Some(title), ..Prompt::default() }
}
