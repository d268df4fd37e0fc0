//! What a prompt is made of.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::messages::parse_messages;
use crate::problem::{FieldProblem, TextPlace};

/// Most messages of a chat prompt.
pub const MAX_MESSAGES: usize = 500;

/// One text, or a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptType {
    /// One text.
    #[default]
    Text,
    /// A list of messages.
    Chat,
}

impl PromptType {
    /// The word used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Chat => "chat",
        }
    }
}

/// How the text of a version is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// `{{ name }}` and `{{ a.b }}`; everything else is text.
    #[default]
    Simple,
    /// A closed subset of Jinja.
    Jinja,
    /// Nothing is special.
    None,
}

impl Syntax {
    /// The word used in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Jinja => "jinja",
            Self::None => "none",
        }
    }
}

macro_rules! word_type {
    ($($type:ident: $what:literal => $($variant:ident)*;)*) => {$(
        impl std::str::FromStr for $type {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                [$(Self::$variant),*].into_iter().find(|one| one.as_str() == word).ok_or_else(|| {
                    let words = [$(Self::$variant.as_str()),*].join(", ");
                    format!("`{word}` is no {}; use one of: {words}", $what)
                })
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

word_type! {
    PromptType: "prompt type" => Text Chat;
    Syntax: "template syntax" => Simple Jinja None;
    Role: "role" => System Developer User Assistant Tool;
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the roles of the field")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// The content of a version: in JSON a string, or an array of messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A text prompt.
    Text(String),
    /// A chat prompt.
    Chat(Vec<Entry>),
}

/// One line of a chat prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A message.
    Message(Message),
    /// Where messages from the values are put.
    Placeholder(Placeholder),
}

/// A message of a chat prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: MessageContent,
    /// Name of the speaker.
    pub name: Option<String>,
    /// Tools the assistant calls, as the provider defines them.
    pub tool_calls: Option<Vec<Value>>,
    /// Which call a tool message answers.
    pub tool_call_id: Option<String>,
    /// Further fields of a message that came with the values; kept as they are.
    pub extra: Map<String, Value>,
}

impl Message {
    /// A message with nothing but a text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            content: MessageContent::Text(text.into()),
            name: None,
            tool_calls: None,
            tool_call_id: None,
            extra: Map::new(),
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageContent {
    /// A text.
    Text(String),
    /// Texts and images.
    Parts(Vec<Part>),
    /// Nothing: an assistant's message that only calls tools.
    Empty,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// A text.
    Text {
        /// The text.
        text: String,
    },
    /// An image: by address, or base64 data with its media type.
    Image {
        /// Address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
        /// As `image/png`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media_type: Option<String>,
    },
}

/// Where messages from the values are put, unparsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// Name of the value.
    pub name: String,
    /// Whether the value must be given.
    pub required: bool,
}

impl Content {
    /// Which type of prompt this is.
    pub fn prompt_type(&self) -> PromptType {
        match self {
            Self::Text(_) => PromptType::Text,
            Self::Chat(_) => PromptType::Chat,
        }
    }

    /// Reads `messages` as an author wrote them; unknown fields are refused and every problem is told,
    /// its path beginning with `field`.
    pub fn from_messages(value: &Value, field: &str) -> Result<Self, Vec<FieldProblem>> {
        parse_messages(value, field).map(Self::Chat)
    }

    /// What an author must still mend before this can be a version: it is empty, or has too many
    /// messages. How many bytes it may have is for whoever keeps it to say.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let field = if matches!(self, Self::Text(_)) { "content" } else { "messages" };
        let mut problems = Vec::new();
        match self {
            Self::Text(text) if text.trim().is_empty() => {
                problems.push(FieldProblem::new(field, "required", "The prompt has no text yet."));
            }
            Self::Chat(entries) if entries.is_empty() => {
                problems.push(FieldProblem::new(
                    field,
                    "required",
                    "A chat prompt needs at least one message.",
                ));
            }
            Self::Chat(entries) if entries.len() > MAX_MESSAGES => {
                let message = format!("A chat prompt holds at most {MAX_MESSAGES} messages.");
                problems.push(FieldProblem::new(field, "too_long", message));
            }
            _ => {}
        }
        problems
    }

    /// Every text that is a template, with its place: the text, or the texts and text parts of the messages.
    pub fn texts(&self) -> impl Iterator<Item = (TextPlace, &str)> {
        let (single, entries): (Option<&str>, &[Entry]) = match self {
            Self::Text(text) => (Some(text), &[]),
            Self::Chat(entries) => (None, entries),
        };
        let messages = entries.iter().enumerate().flat_map(|(index, entry)| entry_texts(index, entry));
        single.map(|text| (TextPlace::default(), text)).into_iter().chain(messages)
    }

    /// The same content with every template text replaced.
    pub fn map_texts<E>(
        &self,
        mut replace: impl FnMut(TextPlace, &str) -> Result<String, E>,
    ) -> Result<Self, E> {
        match self {
            Self::Text(text) => Ok(Self::Text(replace(TextPlace::default(), text)?)),
            Self::Chat(entries) => {
                let mapped = entries.iter().enumerate().map(|(index, entry)| match entry {
                    Entry::Message(message) => Ok(Entry::Message(map_message(index, message, &mut replace)?)),
                    Entry::Placeholder(_) => Ok(entry.clone()),
                });
                mapped.collect::<Result<_, E>>().map(Self::Chat)
            }
        }
    }

    /// The placeholders of a chat prompt, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        let entries: &[Entry] = match self {
            Self::Text(_) => &[],
            Self::Chat(entries) => entries,
        };
        entries.iter().filter_map(|entry| match entry {
            Entry::Placeholder(placeholder) => Some(placeholder),
            Entry::Message(_) => None,
        })
    }
}

fn entry_texts(index: usize, entry: &Entry) -> Vec<(TextPlace, &str)> {
    let message = Some(index);
    match entry {
        Entry::Placeholder(_) => Vec::new(),
        Entry::Message(Message { content: MessageContent::Empty, .. }) => Vec::new(),
        Entry::Message(Message { content: MessageContent::Text(text), .. }) => {
            vec![(TextPlace { message, part: None }, text)]
        }
        Entry::Message(Message { content: MessageContent::Parts(parts), .. }) => parts
            .iter()
            .enumerate()
            .filter_map(|(part, one)| match one {
                Part::Text { text } => Some((TextPlace { message, part: Some(part) }, text.as_str())),
                Part::Image { .. } => None,
            })
            .collect(),
    }
}

fn map_message<E>(
    index: usize,
    message: &Message,
    replace: &mut impl FnMut(TextPlace, &str) -> Result<String, E>,
) -> Result<Message, E> {
    let content = match &message.content {
        MessageContent::Empty => MessageContent::Empty,
        MessageContent::Text(text) => {
            MessageContent::Text(replace(TextPlace { message: Some(index), part: None }, text)?)
        }
        MessageContent::Parts(parts) => {
            let mapped = parts.iter().enumerate().map(|(part, one)| match one {
                Part::Text { text } => {
                    let place = TextPlace { message: Some(index), part: Some(part) };
                    Ok(Part::Text { text: replace(place, text)? })
                }
                Part::Image { .. } => Ok(one.clone()),
            });
            MessageContent::Parts(mapped.collect::<Result<_, E>>()?)
        }
    };
    Ok(Message { content, ..message.clone() })
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Chat(entries) => entries.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            messages => Self::from_messages(&messages, "messages").map_err(|problems| {
                D::Error::custom(problems.first().map_or("invalid messages".to_owned(), |problem| {
                    format!("{}: {}", problem.field, problem.message)
                }))
            }),
        }
    }
}
