//! What authors send.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::FieldProblem;
use crate::features::prompts::source::SourceInput;

/// Longest tag.
const MAX_TAG: usize = 50;
/// Most tags of a prompt.
pub(super) const MAX_TAGS: usize = 50;
/// Longest description.
const MAX_DESCRIPTION: usize = 4000;
/// Longest category.
const MAX_CATEGORY: usize = 100;
/// Largest `metadata`, as JSON.
const MAX_METADATA_BYTES: usize = 16 * 1024;

/// `text` or `chat`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TypeInput {
    /// One text.
    Text,
    /// Messages.
    Chat,
}

/// `simple`, `jinja` or `none`.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SyntaxInput {
    /// `{{ name }}` only.
    Simple,
    /// A closed subset of Jinja.
    Jinja,
    /// Nothing is special.
    None,
}

impl From<TypeInput> for xr2_prompt::PromptType {
    fn from(input: TypeInput) -> Self {
        match input {
            TypeInput::Text => xr2_prompt::PromptType::Text,
            TypeInput::Chat => xr2_prompt::PromptType::Chat,
        }
    }
}

impl From<SyntaxInput> for xr2_prompt::Syntax {
    fn from(input: SyntaxInput) -> Self {
        match input {
            SyntaxInput::Simple => xr2_prompt::Syntax::Simple,
            SyntaxInput::Jinja => xr2_prompt::Syntax::Jinja,
            SyntaxInput::None => xr2_prompt::Syntax::None,
        }
    }
}

/// Distinguishes an absent field from `null`, which empties it.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A new prompt.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePrompt {
    /// What people call it. (`name` is accepted too.)
    #[schema(min_length = 1, max_length = 255, example = "Welcome message")]
    pub title: Option<String>,
    /// The same as `title`.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// How programs call it; made from the title when absent.
    #[schema(max_length = 200, example = "welcome-message")]
    pub slug: Option<String>,
    /// Text or chat; follows from `content` or `messages` when absent.
    #[serde(rename = "type")]
    pub kind: Option<TypeInput>,
    /// How the text is read; found when absent.
    pub syntax: Option<SyntaxInput>,
    /// The text of a text prompt.
    #[schema(example = "Hello {{ name }}, welcome to {{ company }}.")]
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// The variable contract: a list, or a map by name.
    #[schema(value_type = Option<Value>)]
    pub variables: Option<Value>,
    /// Model settings: model, temperature, tools, …
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// What it is for.
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// One word to sort by.
    #[schema(max_length = 100)]
    pub category: Option<String>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// Free JSON object of yours.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// Folders it stands in, at most 50.
    pub folder_ids: Option<Vec<Uuid>>,
    /// What changed, in a sentence; made from the difference when absent.
    #[schema(max_length = 1000)]
    pub change_summary: Option<String>,
    /// Whether it goes live at once; true when absent and allowed.
    pub publish: Option<bool>,
    /// The workspace, instead of the header `X-Workspace`; must be the one of the request.
    pub workspace: Option<String>,
}

/// Changes to a prompt. Absent fields stay as they are.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdatePrompt {
    /// What people call it. (`name` is accepted too.)
    #[schema(min_length = 1, max_length = 255)]
    pub title: Option<String>,
    /// The same as `title`.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// A new slug; the old one keeps delivering.
    #[schema(max_length = 200)]
    pub slug: Option<String>,
    /// Text or chat.
    #[serde(rename = "type")]
    pub kind: Option<TypeInput>,
    /// How the text is read.
    pub syntax: Option<SyntaxInput>,
    /// The text of a text prompt.
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// The variable contract: a list, or a map by name.
    #[schema(value_type = Option<Value>)]
    pub variables: Option<Value>,
    /// Model settings.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// What it is for; null empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Option<Option<String>>,
    /// One word to sort by; null empties it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub category: Option<Option<String>>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// Free JSON object of yours.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// Folders it stands in from now on, at most 50.
    pub folder_ids: Option<Vec<Uuid>>,
    /// What changed, in a sentence.
    #[schema(max_length = 1000)]
    pub change_summary: Option<String>,
    /// The version these changes were made on; an older one than the newest is refused.
    pub base_version: Option<i64>,
    /// Whether the new version goes live at once; true when absent and allowed.
    pub publish: Option<bool>,
    /// `false` archives, `true` takes out of the archive.
    pub is_active: Option<bool>,
}

/// A new version of a prompt.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateVersion {
    /// Text or chat.
    #[serde(rename = "type")]
    pub kind: Option<TypeInput>,
    /// How the text is read.
    pub syntax: Option<SyntaxInput>,
    /// The text of a text prompt.
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// The variable contract.
    #[schema(value_type = Option<Value>)]
    pub variables: Option<Value>,
    /// Model settings.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The line of versions it belongs to; `main` when absent.
    #[schema(max_length = 100)]
    pub branch: Option<String>,
    /// The newest version of that branch as you know it.
    pub base_version: Option<i64>,
    /// What changed, in a sentence.
    #[schema(max_length = 1000)]
    pub change_summary: Option<String>,
    /// Whether it goes live at once; false when absent.
    pub publish: Option<bool>,
}

/// A draft.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveDraft {
    /// Text or chat.
    #[serde(rename = "type")]
    pub kind: Option<TypeInput>,
    /// How the text is read.
    pub syntax: Option<SyntaxInput>,
    /// The text of a text prompt.
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// The variable contract.
    #[schema(value_type = Option<Value>)]
    pub variables: Option<Value>,
    /// Model settings.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The draft's revision as you know it; absent: there is none yet.
    pub revision: Option<i64>,
    /// The version the draft was begun from; the newest when absent.
    pub base_version: Option<i64>,
}

macro_rules! source_input {
    ($($ty:ty),*) => {$(
        impl $ty {
            pub(super) fn source(&self) -> SourceInput {
                SourceInput {
                    kind: self.kind.map(Into::into),
                    syntax: self.syntax.map(Into::into),
                    content: self.content.clone(),
                    messages: self.messages.clone(),
                    variables: self.variables.clone(),
                    config: self.config.clone(),
                }
            }
        }
    )*};
}
source_input!(CreatePrompt, UpdatePrompt, CreateVersion, SaveDraft);

/// Tags trimmed, without doubles, in the order given.
pub(super) fn read_tags(tags: Option<Vec<String>>, problems: &mut Vec<FieldProblem>) -> Option<Vec<String>> {
    let mut clean: Vec<String> = Vec::new();
    for (index, tag) in tags?.into_iter().enumerate() {
        let tag = tag.trim().to_owned();
        if tag.is_empty() || tag.chars().count() > MAX_TAG {
            problems.push(FieldProblem::new(
                format!("tags[{index}]"),
                "invalid",
                "must have 1 to 50 characters",
            ));
        } else if !clean.contains(&tag) {
            clean.push(tag);
        }
    }
    if clean.len() > MAX_TAGS {
        problems.push(FieldProblem::new("tags", "too_long", "a prompt has at most 50 tags"));
    }
    Some(clean)
}

/// Description and category of limited length; for what did not come through the API, whose schema says the same.
pub(super) fn check_lengths(
    description: Option<&str>,
    category: Option<&str>,
    problems: &mut Vec<FieldProblem>,
) {
    for (field, text, max) in
        [("description", description, MAX_DESCRIPTION), ("category", category, MAX_CATEGORY)]
    {
        if text.is_some_and(|text| text.chars().count() > max) {
            let message = format!("must have at most {max} characters");
            problems.push(FieldProblem::new(field, "too_long", message));
        }
    }
}

/// `metadata` is an object of limited size.
pub(super) fn read_metadata(metadata: Option<Value>, problems: &mut Vec<FieldProblem>) -> Option<Value> {
    let metadata = match metadata? {
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value,
    };
    if !metadata.is_object() {
        problems.push(FieldProblem::new("metadata", "wrong_type", "must be an object"));
    } else if metadata.to_string().len() > MAX_METADATA_BYTES {
        problems.push(FieldProblem::new("metadata", "too_long", "must be at most 16 KiB of JSON"));
    }
    Some(metadata)
}

/// Empty text is no text.
pub(super) fn blank_to_none(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
