//! Tools and calls between the shapes of the providers.

use serde_json::{Map, Value, json};

/// A tool, whichever way it was written.
pub(super) struct Tool<'a> {
    pub name: &'a str,
    pub description: Option<&'a Value>,
    pub schema: Option<&'a Value>,
    pub strict: Option<&'a Value>,
}

impl<'a> Tool<'a> {
    /// Reads OpenAI's shape, or Anthropic's; others (a provider's own tools) are nobody else's.
    pub(super) fn read(tool: &'a Value) -> Option<Self> {
        let kind = tool.get("type").and_then(Value::as_str);
        let function = match kind {
            Some("function") => tool.get("function").unwrap_or(tool),
            None | Some("custom") => tool,
            Some(_) => return None,
        };
        Some(Self {
            name: function.get("name")?.as_str()?,
            description: function.get("description"),
            schema: function.get("parameters").or_else(|| function.get("input_schema")),
            strict: function.get("strict"),
        })
    }

    pub(super) fn fields(&self, schema_name: &str) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(self.name));
        let rest = [("description", self.description), (schema_name, self.schema), ("strict", self.strict)];
        for (name, value) in rest {
            fields.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        fields
    }
}

/// Which tool the model must or may call.
pub(super) enum Choice<'a> {
    Auto,
    None,
    Any,
    Tool(&'a str),
}

impl<'a> Choice<'a> {
    pub(super) fn read(value: &'a Value) -> Option<Self> {
        let word = value.as_str().or_else(|| value.get("type").and_then(Value::as_str))?;
        match word {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::None),
            "required" | "any" => Some(Self::Any),
            "function" | "tool" => {
                let name = value.pointer("/function/name").or_else(|| value.get("name"))?;
                Some(Self::Tool(name.as_str()?))
            }
            _ => None,
        }
    }
}

/// A call of the assistant.
pub(super) struct Call<'a> {
    pub id: Option<&'a str>,
    pub name: &'a str,
    /// The arguments as an object; OpenAI writes them as JSON in a string.
    pub arguments: Value,
}

impl<'a> Call<'a> {
    pub(super) fn read(call: &'a Value) -> Option<Self> {
        let function = call.get("function").unwrap_or(call);
        let arguments = match function.get("arguments").or_else(|| function.get("input")) {
            Some(Value::String(source)) => serde_json::from_str(source).unwrap_or_else(|_| json!({})),
            Some(arguments) => arguments.clone(),
            None => json!({}),
        };
        let arguments = if arguments.is_object() { arguments } else { json!({}) };
        Some(Self {
            id: call.get("id").and_then(Value::as_str),
            name: function.get("name")?.as_str()?,
            arguments,
        })
    }
}
