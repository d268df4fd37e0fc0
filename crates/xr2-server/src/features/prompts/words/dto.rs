//! What is sent about tags and categories.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A word and how many prompts have it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Facet {
    /// The word.
    #[schema(example = "support")]
    pub name: String,
    /// How many.
    pub prompts: i64,
}

/// Words that prompts are sorted by.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    /// Tags in use.
    pub tags: Vec<Facet>,
    /// Categories in use.
    pub categories: Vec<Facet>,
}

/// Another name for a tag.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameTag {
    /// Its new name. Where there is a tag of that name, the two become one.
    #[schema(min_length = 1, max_length = 50, example = "customer-support")]
    pub name: String,
}

/// Another name for a category.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameCategory {
    /// Its new name. Where there is a category of that name, the two become one.
    #[schema(min_length = 1, max_length = 100, example = "Support")]
    pub name: String,
}

/// What a change in all prompts came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Replaced {
    /// The word that prompts have now; null when it was taken off them.
    pub name: Option<String>,
    /// How many prompts were changed, those in the archive and in the bin among them.
    pub changed: i64,
}
