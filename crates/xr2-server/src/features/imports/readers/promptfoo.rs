//! A configuration of promptfoo, YAML or JSON: what stands under `prompts`.

use serde_json::Value;

use crate::features::imports::item::{Entry, Item, PromptItem};
use crate::features::imports::readers::chat::{named, substance};
use crate::features::prompts::slugify;

/// Most aliases may blow a small YAML up to.
const LARGEST: usize = 64 * 1024 * 1024;

/// Reads a configuration. `file` gives what a `file://` reference names, where there are files.
pub(super) fn read(text: &str, file: &mut dyn FnMut(&str) -> Option<String>) -> Result<Vec<Entry>, String> {
    let config = parse(text)?;
    let prompts = match config.get("prompts") {
        Some(Value::Array(list)) => list.iter().map(|one| (None, one.clone())).collect(),
        Some(Value::String(one)) => vec![(None, Value::String(one.clone()))],
        // `file: label`
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(path, label)| (label.as_str().map(str::to_owned), Value::String(path.clone())))
            .collect::<Vec<_>>(),
        _ => return Err("There is no list of prompts in this file.".to_owned()),
    };
    let entry = |(index, (label, value)): (usize, (Option<String>, Value))| {
        let place = format!("prompt {}", index + 1);
        one(&place, label, &value, file)
    };
    Ok(prompts.into_iter().enumerate().map(entry).collect())
}

/// YAML, of which JSON is a part.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let value: Value = match text.trim_start().starts_with('{') {
        true => {
            serde_json::from_str(text).map_err(|error| format!("The file is not valid JSON: {error}."))?
        }
        false => {
            // A tag "no" or "y" is a word, as YAML 1.2 has it.
            let options = serde_saphyr::options! { strict_booleans: true };
            serde_saphyr::from_str_with_options(text, options)
                .map_err(|error| format!("The file is not valid YAML: {error}."))?
        }
    };
    if weight(&value) > LARGEST {
        return Err("The file unfolds to more than this server takes.".to_owned());
    }
    Ok(value)
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum::<usize>() + 8,
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| name.len() + weight(value)).sum::<usize>() + 8
        }
        _ => 8,
    }
}

fn one(
    place: &str,
    label: Option<String>,
    value: &Value,
    file: &mut dyn FnMut(&str) -> Option<String>,
) -> Entry {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("id");
    let name = label.or_else(|| text("label")).or_else(|| text("display"));
    let content = match value {
        Value::Object(fields) => {
            ["raw", "prompt", "content"].iter().find_map(|key| fields.get(*key)).cloned()
        }
        other => Some(other.clone()),
    };
    let content = content.or_else(|| id.clone().map(Value::String));
    let content = match content {
        Some(Value::String(text)) => match read_file(&text, file) {
            Ok(text) => Value::String(text),
            Err(reason) => return Entry::wrong(place, name.or(id).unwrap_or(text), reason),
        },
        Some(other) => other,
        None => return Entry::wrong(place, name.unwrap_or_default(), "it has no text"),
    };
    // Messages may be written as a text of JSON.
    let content = match &content {
        Value::String(text) if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Value>(text).ok().filter(Value::is_array).unwrap_or(content)
        }
        _ => content,
    };
    let Some(source) = substance(&content, None) else {
        return Entry::wrong(place, name.unwrap_or_default(), "it is neither a text nor a list of messages");
    };
    let name = name.or(id.filter(|id| !id.starts_with("file://"))).unwrap_or_else(|| title_of(&content));
    let title: String = name.trim().chars().take(255).collect();
    let mut prompt = named(slugify(&title), title);
    prompt.versions.push(crate::features::exports::Version { source, ..Default::default() });
    let item = PromptItem { whole: false, derived: true, key: Some(name), publish: None, prompt };
    Entry { place: place.to_owned(), item: Ok(Item::Prompt(Box::new(item))) }
}

fn read_file(text: &str, file: &mut dyn FnMut(&str) -> Option<String>) -> Result<String, String> {
    let is_program = |path: &str| [".py", ".js", ".ts", ".mjs", ".cjs"].iter().any(|end| path.contains(end));
    match text.trim().strip_prefix("file://") {
        None if text.starts_with("exec:") || text.starts_with("python:") => {
            Err("it is a program, which xr2 does not run".to_owned())
        }
        None => Ok(text.to_owned()),
        Some(path) if is_program(path) => Err(format!("{path} is a program, which xr2 does not run")),
        Some(path) => file(path).ok_or_else(|| {
            format!("it stands in the file {path}, which did not come along; import a zip of the folder")
        }),
    }
}

/// The beginning of a text, or of its first message.
fn title_of(content: &Value) -> String {
    let text = match content {
        Value::String(text) => text.as_str(),
        Value::Array(list) => list.iter().find_map(|one| one.get("content")?.as_str()).unwrap_or("Chat"),
        _ => "Prompt",
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Prompt");
    line.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_prompt() {
        let text = r#"
description: Greetings
prompts:
  - 'Say hello to {{name}}'
  - file://prompts/refund.txt
  - file://gone.txt
  - file://make.py:create
  - id: brief
    label: Brief answer
    raw: |
      Be brief, {{name}}.
  - '[{"role": "system", "content": "Be kind"}, {"role": "user", "content": "{{q}}"}]'
  - label: empty
providers: [openai:gpt-4]
"#;
        let mut file = |path: &str| (path == "prompts/refund.txt").then(|| "Refund {{order}}".to_owned());
        let entries = read(text, &mut file).expect("a configuration");
        let told: Vec<String> = entries
            .iter()
            .map(|entry| match &entry.item {
                Ok(Item::Prompt(item)) => {
                    let source = &item.prompt.versions[0].source;
                    let text =
                        source.content.clone().or(source.messages.as_ref().map(|raw| raw.get().to_owned()));
                    format!("{}: {}", item.prompt.slug, text.unwrap_or_default())
                }
                Ok(_) => unreachable!(),
                Err(wrong) => format!("! {}", wrong.reason),
            })
            .collect();
        assert_eq!(told[0], "say-hello-to-name: Say hello to {{name}}");
        assert_eq!(told[1], "refund-order: Refund {{order}}");
        assert!(told[2].contains("gone.txt") && told[3].contains("program"), "{told:?}");
        assert_eq!(told[4], "brief-answer: Be brief, {{name}}.\n");
        assert!(told[5].starts_with("be-kind: [{\"role\":\"system\""), "{told:?}");
        assert!(told[6].contains("no text"), "{told:?}");
    }

    #[test]
    fn what_is_no_configuration() {
        for (text, says) in [("a: b", "no list"), ("prompts: [", "YAML"), ("{\"prompts\":", "JSON")] {
            assert!(read(text, &mut |_| None).unwrap_err().contains(says), "{text}");
        }
        let bomb: String = std::iter::once("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned())
            .chain((1..9).map(|n| {
                let before = format!("*a{},", n - 1).repeat(9);
                format!("a{n}: &a{n} [{}]\n", before.trim_end_matches(','))
            }))
            .chain(["prompts: *a8\n".to_owned()])
            .collect();
        assert!(read(&bomb, &mut |_| None).is_err());
    }
}
