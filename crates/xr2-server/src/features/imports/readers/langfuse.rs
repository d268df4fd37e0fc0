//! Prompts as Langfuse lists them: an array, `{"data": […]}`, or a JSON object a line. Versions of a name become versions of
//! one prompt.

use serde_json::{Value, json};

use crate::features::exports::{Label, Pointer, Version};
use crate::features::imports::item::{Entry, Item, PromptItem};
use crate::features::imports::readers::chat::{named, raw, substance};
use crate::features::prompts::{PRODUCTION, is_label_name, slugify};

pub(super) fn read(text: &str) -> Result<Vec<Entry>, String> {
    let mut rows: Vec<(usize, Value)> = Vec::new();
    let mut read_so_far = 0;
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    while let Some(value) = values.next() {
        let begins = text[read_so_far..].len() - text[read_so_far..].trim_start().len() + read_so_far;
        let line = text[..begins].matches('\n').count() + 1;
        read_so_far = values.byte_offset();
        match value.map_err(|error| format!("The file is not valid JSON: {error}."))? {
            Value::Array(list) => rows.extend(list.into_iter().map(|one| (line, one))),
            Value::Object(mut fields) => match fields.remove("data").or_else(|| fields.remove("prompts")) {
                Some(Value::Array(list)) => rows.extend(list.into_iter().map(|one| (line, one))),
                Some(other) => {
                    fields.insert("data".to_owned(), other);
                    rows.push((line, Value::Object(fields)));
                }
                None => rows.push((line, Value::Object(fields))),
            },
            _ => return Err(format!("Line {line} is no object.")),
        }
    }
    Ok(entries(rows))
}

/// A version of a prompt at its place.
struct Row {
    place: String,
    name: String,
    number: Option<i64>,
    version: Version,
    fields: Value,
}

fn entries(rows: Vec<(usize, Value)>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut prompts: Vec<(String, Vec<Row>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (index, (_, fields)) in rows.into_iter().enumerate() {
        let place = format!("entry {}", index + 1);
        match row(place, fields) {
            Err(entry) => entries.push(entry),
            Ok(row) => {
                let at = *places.entry(row.name.clone()).or_insert_with(|| {
                    prompts.push((row.name.clone(), Vec::new()));
                    prompts.len() - 1
                });
                prompts[at].1.push(row);
            }
        }
    }
    let found: Vec<Entry> = prompts.into_iter().map(|(name, rows)| prompt(name, rows)).collect();
    let mut names: Vec<&str> = found.iter().flat_map(labels_of).filter(|name| *name != PRODUCTION).collect();
    names.sort_unstable();
    names.dedup();
    let label = |name: &str| Entry {
        place: format!("label {name}"),
        item: Ok(Item::Label(Label {
            name: name.to_owned(),
            color: None,
            description: None,
            protected: false,
            created_by: None,
            created_at: None,
        })),
    };
    let labels: Vec<Entry> = names.into_iter().map(label).collect();
    labels.into_iter().chain(found).chain(entries).collect()
}

fn labels_of(entry: &Entry) -> impl Iterator<Item = &str> {
    let labels = match &entry.item {
        Ok(Item::Prompt(item)) => item.prompt.labels.as_slice(),
        _ => &[],
    };
    labels.iter().map(|pointer| pointer.label.as_str())
}

fn row(place: String, fields: Value) -> Result<Row, Entry> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
    let Some(name) = text("name").or_else(|| text("title")) else {
        return Err(Entry::wrong(place, "", "it has no name"));
    };
    let name = name.to_owned();
    let content = ["prompt", "content", "messages", "text"].iter().find_map(|key| fields.get(*key));
    let Some(mut source) = content.and_then(|content| substance(content, Some("simple"))) else {
        return Err(Entry::wrong(place, name, "its prompt is neither a text nor a list of messages"));
    };
    source.config = fields.get("config").filter(|config| config.is_object()).and_then(raw);
    let number = fields.get("version").and_then(Value::as_i64).filter(|number| *number > 0);
    let created_at = text("createdAt").and_then(|at| at.parse::<crate::clock::Time>().ok());
    let change_summary = text("commitMessage").map(|summary| summary.chars().take(1000).collect());
    let version = Version {
        branch: Some("main".to_owned()),
        origin: Some("import".to_owned()),
        change_summary,
        created_at,
        source,
        ..Version::default()
    };
    Ok(Row { place, name, number, version, fields })
}

/// All rows of one name.
fn prompt(name: String, mut rows: Vec<Row>) -> Entry {
    let place = rows[0].place.clone();
    rows.sort_by_key(|row| row.number.unwrap_or(i64::MAX));
    if rows.windows(2).any(|pair| pair[0].number.is_some() && pair[0].number == pair[1].number) {
        return Entry::wrong(place, name, "it has the same version twice");
    }
    // A name may be a path: `support/refund`.
    let title = name.rsplit('/').next().unwrap_or(&name).chars().take(255).collect();
    let mut prompt = named(slugify(&name), title);
    // Where labels are spoken of, only what is called production is live.
    let publish = rows.iter().any(|row| row.fields.get("labels").is_some()).then_some(false);
    let strings = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    for (index, row) in rows.into_iter().enumerate() {
        let number = index as i64 + 1;
        let mut labels = strings(row.fields.get("labels"));
        if labels.is_empty() && row.fields.get("isActive") == Some(&json!(true)) {
            labels.push(PRODUCTION.to_owned());
        }
        for label in labels.into_iter().map(|label| label.to_lowercase()).filter(|label| is_label_name(label))
        {
            prompt.labels.retain(|pointer| pointer.label != label);
            prompt.labels.push(Pointer {
                label,
                version: number,
                comment: None,
                moved_by: None,
                moved_at: None,
            });
        }
        let tags = strings(row.fields.get("tags"));
        if !tags.is_empty() {
            prompt.tags = tags;
        }
        let parent = (number > 1).then_some(number - 1);
        prompt.versions.push(Version { number: Some(number), parent, ..row.version });
    }
    Entry {
        place,
        item: Ok(Item::Prompt(Box::new(PromptItem {
            whole: false,
            derived: true,
            key: Some(name),
            publish,
            prompt,
        }))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(text: &str) -> Vec<PromptItem> {
        let entries = read(text).expect("a file");
        entries
            .into_iter()
            .filter_map(|entry| match entry.item {
                Ok(Item::Prompt(item)) => Some(*item),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn versions_of_a_name_are_one_prompt() {
        let text = r#"{"data":[
            {"name":"support/refund","version":2,"prompt":"Refund {{order}} now","labels":["production","latest"],"tags":["a"],"config":{"model":"m"},"commitMessage":"Faster"},
            {"name":"support/refund","version":1,"prompt":"Refund {{order}}","labels":["Old One","eu"]},
            {"name":"chat","type":"chat","prompt":[{"role":"system","content":"Hi"},{"type":"placeholder","name":"history"}],"labels":[]},
            {"name":"","prompt":"x"},{"name":"n","prompt":7}]}"#;
        let found = prompts(text);
        assert_eq!(found.len(), 2);
        let refund = &found[0].prompt;
        assert_eq!((refund.slug.as_str(), refund.title.as_deref()), ("support-refund", Some("refund")));
        assert_eq!(refund.versions[1].source.content.as_deref(), Some("Refund {{order}} now"));
        assert_eq!(refund.versions[1].change_summary.as_deref(), Some("Faster"));
        let labels: Vec<(&str, i64)> =
            refund.labels.iter().map(|one| (one.label.as_str(), one.version)).collect();
        assert_eq!(labels, [("eu", 1), ("production", 2)]);
        let messages = found[1].prompt.versions[0].source.messages.as_ref().map(|raw| raw.get());
        assert_eq!(
            messages,
            Some(r#"[{"role":"system","content":"Hi"},{"type":"placeholder","name":"history"}]"#)
        );
        let wrong = read(text).unwrap().into_iter().filter_map(|entry| entry.item.err()).count();
        assert_eq!(wrong, 2);
    }

    #[test]
    fn lines_lists_and_single_ones() {
        let one = r#"{"name":"a","prompt":"x"}"#;
        for text in
            [one.to_owned(), format!("[{one}]"), format!("{one}\n{{\"name\":\"b\",\"prompt\":\"y\"}}\n")]
        {
            assert!(!prompts(&text).is_empty(), "{text}");
        }
        assert!(read("[{\"name\"").unwrap_err().contains("not valid JSON"));
        assert!(read("7").unwrap_err().contains("no object"));
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        assert!(read(&deep).unwrap_err().contains("recursion"));
    }
}
