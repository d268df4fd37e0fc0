//! Markdown and plain text: a file a prompt.

use serde_json::Value;

use crate::features::exports::Prompt;
use crate::features::imports::item::{Entry, Item};
use crate::features::imports::readers::frontmatter;
use crate::features::imports::{Found, Notation, convert, markdown};

/// A Markdown file, with facts before its text or without. `name` is its path.
pub(super) fn markdown(name: &str, text: &str, notation: Option<Notation>) -> Entry {
    let (facts, text) = frontmatter::split(text);
    let mut entry = plain(name, text, notation);
    if let (Ok(Item::Prompt(item)), Some(facts)) = (&mut entry.item, &facts) {
        if let Some(slug) = word(facts, "slug") {
            item.prompt.slug = slug;
            item.derived = false;
        } else if let Some(title) = word(facts, "title").or_else(|| word(facts, "name")) {
            item.prompt.slug = crate::features::prompts::slugify(&title);
        }
        put(&mut item.prompt, facts);
    }
    entry
}

/// A plain text.
pub(super) fn plain(name: &str, text: &str, notation: Option<Notation>) -> Entry {
    let place = if name.is_empty() { "the text" } else { name };
    let path = std::path::Path::new(if name.is_empty() { "Imported text" } else { name });
    if text.trim().is_empty() {
        return Entry::wrong(place, "", "is empty");
    }
    let (title, category) = markdown::names(path);
    convert::entry(Found {
        place: place.to_owned(),
        key: place.to_owned(),
        title,
        slug: None,
        text: text.to_owned(),
        description: None,
        category,
        tags: Vec::new(),
        facts: Vec::new(),
        notation: notation.unwrap_or(Notation::Braces),
        substance: None,
        publish: None,
        archived: false,
    })
}

fn word(facts: &Value, name: &str) -> Option<String> {
    facts.get(name)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn put(prompt: &mut Prompt, facts: &Value) {
    if let Some(title) = word(facts, "title").or_else(|| word(facts, "name")) {
        prompt.title = Some(title.chars().take(255).collect());
    }
    prompt.description = word(facts, "description").or(prompt.description.take());
    prompt.category = word(facts, "category").or(prompt.category.take());
    match facts.get("tags") {
        Some(Value::Array(tags)) => {
            prompt.tags = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        }
        Some(Value::String(tags)) => {
            prompt.tags =
                tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
        }
        _ => {}
    }
}
