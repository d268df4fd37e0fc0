//! Which changes a listener wants, and may have.

use std::collections::HashSet;

use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, FieldProblem, Result};
use crate::features::delivery::require_label;
use crate::http::Params;

/// Prompts one stream may be narrowed to.
const MAX_SLUGS: usize = 500;

/// Tags one stream may be narrowed to.
const MAX_TAGS: usize = 50;

/// See the module.
#[derive(Debug, Default)]
pub struct Filter {
    /// This label only.
    pub label: Option<String>,
    /// These prompts only, by the names they were asked by and the ids behind them.
    pub prompts: Option<(HashSet<String>, HashSet<Uuid>)>,
    /// Prompts with one of these tags only.
    pub tags: Option<HashSet<String>>,
    /// What the key may see; none: all.
    pub allowed: Option<Vec<String>>,
}

impl Filter {
    /// What the query asks for; 403 when the caller may not see the label.
    pub fn of(access: &Access, params: &Params) -> Result<Filter> {
        let label = params.get("label").filter(|label| !label.is_empty());
        if let Some(label) = label {
            require_label(access, label)?;
        }
        let mut problems = Vec::new();
        let prompts = list(params, "slugs", MAX_SLUGS, &mut problems).map(|slugs| {
            let ids = slugs.iter().filter_map(|slug| Uuid::try_parse(slug).ok()).collect();
            (slugs, ids)
        });
        let tags = list(params, "tags", MAX_TAGS, &mut problems);
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        let allowed = access.labels().map(<[String]>::to_vec);
        Ok(Filter { label: label.map(str::to_owned), prompts, tags, allowed })
    }

    /// Whether nothing but labels is looked at.
    pub fn is_by_label(&self) -> bool {
        self.prompts.is_none() && self.tags.is_none()
    }

    /// Whether the listener wants the label, and may have it.
    pub fn has_label(&self, label: &str) -> bool {
        self.label.as_deref().is_none_or(|wanted| wanted == label)
            && self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == label))
    }

    /// Whether the listener asked for this prompt.
    pub fn has_prompt<'a>(&self, id: Uuid, mut names: impl Iterator<Item = &'a str>) -> bool {
        self.prompts
            .as_ref()
            .is_none_or(|(slugs, ids)| ids.contains(&id) || names.any(|name| slugs.contains(name)))
    }

    /// Whether the listener asked for prompts with one of these tags.
    pub fn has_tag<'a>(&self, mut tags: impl Iterator<Item = &'a str>) -> bool {
        self.tags.as_ref().is_none_or(|wanted| tags.any(|tag| wanted.contains(tag)))
    }
}

/// The words of a list separated by commas; none when it is absent or empty.
fn list(
    params: &Params,
    name: &str,
    most: usize,
    problems: &mut Vec<FieldProblem>,
) -> Option<HashSet<String>> {
    let text = params.get(name)?;
    let words: HashSet<String> =
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if words.len() > most {
        let message = format!("must name at most {most}; leave it out to hear of all");
        problems.push(FieldProblem::new(name, "too_long", message));
    }
    (!words.is_empty()).then_some(words)
}
