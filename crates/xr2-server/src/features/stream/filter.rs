//! Which changes a listener wants, and may have.

use std::collections::HashSet;

use uuid::Uuid;

use crate::auth::Access;
use crate::error::{ApiError, Result};
use crate::features::delivery::{narrowed_slugs, narrowed_tags, require_label};
use crate::http::Params;

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
        let prompts = narrowed_slugs(params, &mut problems).map(|slugs| {
            let ids = slugs.iter().filter_map(|slug| Uuid::try_parse(slug).ok()).collect();
            (slugs, ids)
        });
        let tags = narrowed_tags(params, &mut problems);
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
