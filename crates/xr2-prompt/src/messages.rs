//! Messages from and to JSON: strictly as an author writes them, freely as the values bring them.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::model::{Entry, Message, MessageContent, Part, Placeholder, Role};
use crate::names::{MAX_NAME, is_name};
use crate::problem::FieldProblem;

/// Reads the messages of an author; all problems at once.
pub(crate) fn parse_messages(value: &Value, field: &str) -> Result<Vec<Entry>, Vec<FieldProblem>> {
    let Value::Array(items) = value else {
        return Err(vec![FieldProblem::new(field, "invalid", "Messages must be an array.")]);
    };
    let mut reader = Reader { strict: true, problems: Vec::new() };
    let entries: Vec<_> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| reader.entry(item, &format!("{field}[{index}]")))
        .collect();
    if reader.problems.is_empty() { Ok(entries) } else { Err(reader.problems) }
}

/// Reads a message that came with the values: unknown fields are kept, placeholders are no messages.
pub(crate) fn message_from_value(value: &Value) -> Option<Message> {
    let mut reader = Reader { strict: false, problems: Vec::new() };
    let message = reader.message(value.as_object()?, "")?;
    reader.problems.is_empty().then_some(message)
}

struct Reader {
    strict: bool,
    problems: Vec<FieldProblem>,
}

impl Reader {
    fn refuse(&mut self, path: &str, name: &str, code: &'static str, message: impl Into<String>) {
        let field = if name.is_empty() { path.to_owned() } else { format!("{path}.{name}") };
        self.problems.push(FieldProblem::new(field, code, message));
    }

    fn entry(&mut self, value: &Value, path: &str) -> Option<Entry> {
        let Some(fields) = value.as_object() else {
            self.refuse(path, "", "invalid", "A message must be an object with `role` and `content`.");
            return None;
        };
        match fields.get("type").and_then(Value::as_str) {
            Some("placeholder") => self.placeholder(fields, path).map(Entry::Placeholder),
            Some(_) if !fields.contains_key("role") => {
                self.refuse(path, "type", "invalid", "The only entry with a `type` is `placeholder`.");
                None
            }
            _ => self.message(fields, path).map(Entry::Message),
        }
    }

    fn placeholder(&mut self, fields: &Map<String, Value>, path: &str) -> Option<Placeholder> {
        self.refuse_unknown(fields, path, &["type", "name", "required"]);
        let required = match fields.get("required") {
            None => false,
            Some(Value::Bool(required)) => *required,
            Some(_) => {
                self.refuse(path, "required", "invalid", "`required` must be true or false.");
                false
            }
        };
        match fields.get("name").and_then(Value::as_str) {
            Some(name) if is_name(name) && name.len() <= MAX_NAME => {
                Some(Placeholder { name: name.to_owned(), required })
            }
            _ => {
                let message =
                    "A placeholder needs a name of letters, digits and `_`, not beginning with a digit.";
                self.refuse(path, "name", "invalid", message);
                None
            }
        }
    }

    fn message(&mut self, fields: &Map<String, Value>, path: &str) -> Option<Message> {
        let known = ["role", "content", "name", "tool_calls", "tool_call_id"];
        if self.strict {
            self.refuse_unknown(fields, path, &known);
        }
        let role = self.role(fields, path);
        let tool_calls = self.tool_calls(fields, path, role);
        let content = self.content(fields, path, tool_calls.is_some());
        let name = self.string(fields, path, "name");
        let tool_call_id = self.string(fields, path, "tool_call_id");
        let extra = fields
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Some(Message { role: role?, content: content?, name, tool_calls, tool_call_id, extra })
    }

    fn role(&mut self, fields: &Map<String, Value>, path: &str) -> Option<Role> {
        let Some(word) = fields.get("role") else {
            self.refuse(path, "role", "required", "Every message needs a role.");
            return None;
        };
        match word.as_str().unwrap_or_default().parse() {
            Ok(role) => Some(role),
            Err(message) => {
                self.refuse(path, "role", "invalid", message);
                None
            }
        }
    }

    fn tool_calls(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        role: Option<Role>,
    ) -> Option<Vec<Value>> {
        let calls = match fields.get("tool_calls") {
            None | Some(Value::Null) => return None,
            Some(Value::Array(calls)) if calls.iter().all(Value::is_object) => calls,
            Some(_) => {
                self.refuse(path, "tool_calls", "invalid", "`tool_calls` must be an array of objects.");
                return None;
            }
        };
        if role.is_some_and(|role| role != Role::Assistant) {
            self.refuse(path, "tool_calls", "invalid", "Only a message of the assistant calls tools.");
        }
        Some(calls.clone())
    }

    fn content(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        calls_tools: bool,
    ) -> Option<MessageContent> {
        match fields.get("content") {
            Some(Value::String(text)) => Some(MessageContent::Text(text.clone())),
            Some(Value::Array(items)) => {
                let parts = items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.part(item, &format!("{path}.content[{index}]")));
                Some(MessageContent::Parts(parts.collect()))
            }
            None | Some(Value::Null) if calls_tools => Some(MessageContent::Empty),
            None | Some(Value::Null) => {
                self.refuse(path, "content", "required", "The message has no content.");
                None
            }
            Some(_) => {
                self.refuse(path, "content", "invalid", "Content must be a text or an array of parts.");
                None
            }
        }
    }

    fn part(&mut self, item: &Value, path: &str) -> Option<Part> {
        match serde_json::from_value(item.clone()) {
            Ok(Part::Image { url, data, .. }) if url.is_some() == data.is_some() => {
                self.refuse(path, "", "invalid", "An image needs either `url` or `data`.");
                None
            }
            Ok(Part::Image { data: Some(_), media_type: None, .. }) => {
                self.refuse(
                    path,
                    "media_type",
                    "required",
                    "Image data needs its `media_type`, as `image/png`.",
                );
                None
            }
            Ok(part) => Some(part),
            Err(error) => {
                self.refuse(path, "", "invalid", format!("A part is a text or an image: {error}."));
                None
            }
        }
    }

    fn string(&mut self, fields: &Map<String, Value>, path: &str, name: &str) -> Option<String> {
        match fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.refuse(path, name, "invalid", format!("`{name}` must be a text."));
                None
            }
        }
    }

    fn refuse_unknown(&mut self, fields: &Map<String, Value>, path: &str, known: &[&str]) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            self.refuse(path, name, "unknown_field", format!("A message has no field `{name}`."));
        }
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Message(message) => message.serialize(serializer),
            Self::Placeholder(placeholder) => placeholder.serialize(serializer),
        }
    }
}

impl Serialize for Placeholder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("type", "placeholder")?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("required", &self.required)?;
        map.end()
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", &self.role)?;
        match &self.content {
            MessageContent::Text(text) => map.serialize_entry("content", text)?,
            MessageContent::Parts(parts) => map.serialize_entry("content", parts)?,
            MessageContent::Empty => map.serialize_entry("content", &())?,
        }
        if let Some(name) = &self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(calls) = &self.tool_calls {
            map.serialize_entry("tool_calls", calls)?;
        }
        if let Some(id) = &self.tool_call_id {
            map.serialize_entry("tool_call_id", id)?;
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
