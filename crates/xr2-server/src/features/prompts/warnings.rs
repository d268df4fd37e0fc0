//! Warning whoever saves what looks like a secret: everybody who may fetch the prompt would read it, and versions stay.

use serde_json::Value;
use xr2_prompt::find_secrets;

use crate::features::prompts::source::SourceInput;
use crate::http::Warning;

/// Warnings of one request at most.
const MOST: usize = 10;

/// What of a request looks like a secret. The secret itself is not repeated.
pub fn secrets_in(input: &SourceInput, description: Option<&str>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut look = |place: &str, text: &str, tells_line: bool| {
        for found in find_secrets(text) {
            let place = match tells_line {
                true => format!("Line {} of {place}", found.line),
                false => capitalized(place),
            };
            let message = format!(
                "{place} looks like it holds {}. Everybody who may fetch this prompt can read it, and versions keep it: take it out, revoke it where it came from, and pass it as a variable.",
                found.kind
            );
            let warning =
                Warning { code: "POSSIBLE_SECRET".to_owned(), message, variable: None, nearest: None };
            if warnings.len() < MOST && !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    };
    if let Some(content) = &input.content {
        look("the text", content, true);
    }
    for (number, message) in (1..).zip(input.messages.iter().filter_map(Value::as_array).flatten()) {
        each_text(message, &mut |text| look(&format!("message {number}"), text, true));
    }
    if let Some(variables) = &input.variables {
        each_text(variables, &mut |text| look("a variable's default or sample", text, false));
    }
    if let Some(config) = &input.config {
        each_text(config, &mut |text| look("the model settings", text, false));
    }
    look("the description", description.unwrap_or_default(), false);
    warnings
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Every text in a value. Requests are not nested deeper than JSON is read.
fn each_text(value: &Value, look: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, look)),
        Value::Object(fields) => fields.values().for_each(|field| each_text(field, look)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
