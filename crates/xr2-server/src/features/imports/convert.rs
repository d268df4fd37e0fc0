//! What tables and folders of texts hold, as things to bring in.

use serde_json::{Map, Value};

use crate::features::exports::{Prompt, Substance, Version};
use crate::features::imports::item::{Entry, Item, PromptItem};
use crate::features::imports::{Batch, Found, Skipped, variables};
use crate::features::prompts::slugify;

/// Everything of a batch.
pub(super) fn entries(batch: Batch) -> Vec<Entry> {
    let wrong = |Skipped { place, reason }: Skipped| Entry::wrong(place, "", reason);
    batch.found.into_iter().map(entry).chain(batch.skipped.into_iter().map(wrong)).collect()
}

/// A prompt that was found in a file.
pub(super) fn entry(found: Found) -> Entry {
    let source = found.substance.unwrap_or_else(|| {
        let converted = variables::convert(&found.text, found.notation);
        let contract = xr2_prompt::Contract::of(converted.variables);
        Substance {
            kind: Some("text".to_owned()),
            syntax: Some(converted.syntax.as_str().to_owned()),
            content: Some(converted.text),
            variables: serde_json::value::to_raw_value(&contract).ok(),
            ..Substance::default()
        }
    });
    let facts: Map<String, Value> = found.facts.into_iter().collect();
    let derived = found.slug.is_none();
    let prompt = Prompt {
        slug: found.slug.unwrap_or_else(|| slugify(&found.title)),
        title: Some(found.title),
        description: found.description,
        category: found.category,
        tags: found.tags,
        metadata: if facts.is_empty() { None } else { serde_json::value::to_raw_value(&facts).ok() },
        archived: found.archived,
        versions: vec![Version { source, ..Version::default() }],
        ..Prompt::default()
    };
    let key = (!found.key.is_empty()).then_some(found.key);
    let item = PromptItem { whole: false, derived, key, publish: found.publish, prompt };
    Entry { place: found.place, item: Ok(Item::Prompt(Box::new(item))) }
}
