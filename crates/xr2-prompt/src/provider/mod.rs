//! A rendered prompt as the request body of a provider.
//!
//! `config` is free JSON in the words of OpenAI's chat API (`model`, `temperature`, `max_tokens`, `stop`, `tools`,
//! `response_format`, …); other providers get the same meaning in their own words. What cannot be carried over is left
//! out and told.

mod anthropic;
mod google;
mod openai;
mod settings;
mod tools;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{Content, Entry, Message, Role};

/// Whose request body is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// OpenAI's chat completions, and what is compatible with them.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Google,
}

impl Provider {
    /// The word used for `format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Google => "google",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::OpenAi => "OpenAI",
            Self::Anthropic => "Anthropic",
            Self::Google => "Google",
        }
    }

    /// The provider a model's name gives away.
    fn of_model(model: &str) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| model.starts_with(prefix));
        if starts(&["gpt-", "o1", "o3", "o4", "chatgpt-"]) {
            Some(Self::OpenAi)
        } else if starts(&["claude-"]) {
            Some(Self::Anthropic)
        } else if starts(&["gemini-"]) {
            Some(Self::Google)
        } else {
            None
        }
    }
}

impl std::str::FromStr for Provider {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::OpenAi, Self::Anthropic, Self::Google]
            .into_iter()
            .find(|provider| provider.as_str() == word)
            .ok_or_else(|| format!("`{word}` is no format; use one of: text, openai, anthropic, google"))
    }
}

/// A provider's request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProviderRequest {
    /// The body.
    pub request: Value,
    /// What could not be carried over.
    pub warnings: Vec<ProviderWarning>,
    /// The model; Google names it in the address, not in the body.
    pub model: Option<String>,
}

/// Something that could not be carried over, or was decided for the author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderWarning {
    /// Stable code.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
}

/// Makes the request body of a provider from a rendered prompt. `model` beats the one of the config.
pub fn provider_request(
    provider: Provider,
    content: &Content,
    config: &Value,
    model: Option<&str>,
) -> ProviderRequest {
    let empty = Map::new();
    let config = config.as_object().unwrap_or(&empty);
    let model =
        model.or_else(|| config.get("model").and_then(Value::as_str)).filter(|model| !model.is_empty());
    let mut warnings = Warnings::default();
    warnings.check_model(provider, model);
    let messages = messages_of(content);
    let request = match provider {
        Provider::OpenAi => openai::body(&messages, config, model, &mut warnings),
        Provider::Anthropic => anthropic::body(&messages, config, model, &mut warnings),
        Provider::Google => google::body(&messages, config, &mut warnings),
    };
    ProviderRequest { request: Value::Object(request), warnings: warnings.0, model: model.map(str::to_owned) }
}

/// The messages of a rendered prompt: a text is what the user says.
fn messages_of(content: &Content) -> Vec<Message> {
    match content {
        Content::Text(text) => vec![Message::text(Role::User, text.clone())],
        Content::Chat(entries) => entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Message(message) => Some(message.clone()),
                Entry::Placeholder(_) => None,
            })
            .collect(),
    }
}

#[derive(Debug, Default)]
struct Warnings(Vec<ProviderWarning>);

impl Warnings {
    /// Tells something, once.
    fn add(&mut self, code: &'static str, message: impl Into<String>) {
        let warning = ProviderWarning { code, message: message.into() };
        if !self.0.contains(&warning) {
            self.0.push(warning);
        }
    }

    fn left_out(&mut self, provider: Provider, name: &str) {
        let message = format!("`{name}` was left out: {} has nothing like it.", provider.title());
        self.add("SETTING_LEFT_OUT", message);
    }

    fn check_model(&mut self, provider: Provider, model: Option<&str>) {
        match model {
            // Google takes the model from the address.
            None if provider != Provider::Google => {
                self.add("MODEL_MISSING", "No model is set; the request needs one before it is sent.");
            }
            Some(model) if Provider::of_model(model).is_some_and(|other| other != provider) => {
                let message = format!("`{model}` is not a model of {}.", provider.title());
                self.add("MODEL_OF_OTHER_PROVIDER", message);
            }
            _ => {}
        }
    }

    /// What a message says beside its content, where a provider cannot hear it.
    fn check_message(&mut self, provider: Provider, message: &Message) {
        if message.name.is_some() {
            let text = format!("The name of a message was left out: {} has no names.", provider.title());
            self.add("NAME_LEFT_OUT", text);
        }
        if message.role == Role::Developer {
            let text = format!(
                "A developer message became a system message: {} knows no developer.",
                provider.title()
            );
            self.add("ROLE_CHANGED", text);
        }
    }
}

/// Messages parted into what the system says and what is talked, for providers that keep them apart.
fn part_system<'a>(
    provider: Provider,
    messages: &'a [Message],
    warnings: &mut Warnings,
) -> (Vec<&'a Message>, Vec<&'a Message>) {
    let is_system = |message: &&Message| matches!(message.role, Role::System | Role::Developer);
    messages.iter().for_each(|message| warnings.check_message(provider, message));
    let leading = messages.iter().take_while(is_system).count();
    if messages[leading..].iter().any(|message| is_system(&message)) {
        let text = format!(
            "A system message in the middle was moved to the top: {} takes them nowhere else.",
            provider.title()
        );
        warnings.add("SYSTEM_MOVED", text);
    }
    let (system, talk): (Vec<_>, Vec<_>) = messages.iter().partition(is_system);
    if talk.is_empty() {
        warnings.add(
            "NO_MESSAGES",
            format!("{} needs at least one message beside the system's.", provider.title()),
        );
    }
    (system, talk)
}
