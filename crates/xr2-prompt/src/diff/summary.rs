//! A change in a sentence: "Changed 2 lines, added variable `tone`".

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::{DiffStats, Side, compare_configs, compare_contracts, layout, lines};
use crate::model::{Content, Entry, PromptType};

/// Says what changed, in plain words; "Created" when there was nothing before.
pub fn change_summary(before: Option<&Side<'_>>, after: &Side<'_>, deadline: Option<Instant>) -> String {
    let Some(before) = before else { return "Created".to_owned() };
    let (_, stats) =
        lines::diff_lines(&layout::lay_out(before.content), &layout::lay_out(after.content), deadline);
    summarize(before, after, stats, deadline)
}

pub(super) fn summarize(
    before: &Side<'_>,
    after: &Side<'_>,
    stats: DiffStats,
    deadline: Option<Instant>,
) -> String {
    let mut phrases = match (before.content, after.content) {
        (Content::Text(_), Content::Text(_)) => line_phrases(stats),
        (Content::Chat(old), Content::Chat(new)) => message_phrases(old, new, deadline),
        (_, new) => vec![format!("made it a {} prompt", type_name(new.prompt_type()))],
    };
    let variables = compare_contracts(before.contract, after.contract);
    let changed: Vec<String> = variables.changed.into_iter().map(|change| change.name).collect();
    for (verb, names) in [("added", &variables.added), ("removed", &variables.removed), ("changed", &changed)]
    {
        phrases.extend(variable_phrase(verb, names));
    }
    if compare_configs(before.config, after.config).is_some() {
        phrases.push("changed model settings".to_owned());
    }
    if before.syntax != after.syntax {
        phrases.push(format!("switched the syntax to {}", after.syntax));
    }
    if phrases.is_empty() { "No changes".to_owned() } else { capitalized(&phrases.join(", ")) }
}

fn type_name(prompt_type: PromptType) -> &'static str {
    prompt_type.as_str()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn line_phrases(stats: DiffStats) -> Vec<String> {
    [("changed", stats.changed), ("added", stats.added), ("removed", stats.removed)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(verb, count)| format!("{verb} {}", counted(count, "line")))
        .collect()
}

fn variable_phrase(verb: &str, names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(format!("{verb} variable `{one}`")),
        [first, second] => Some(format!("{verb} variables `{first}` and `{second}`")),
        [first, second, third] => Some(format!("{verb} variables `{first}`, `{second}` and `{third}`")),
        many => Some(format!("{verb} {} variables", many.len())),
    }
}

#[derive(Default)]
struct MessageChanges<'a> {
    added: Vec<&'a Entry>,
    removed: Vec<&'a Entry>,
    changed: Vec<&'a Entry>,
}

/// Messages are the unit of a chat: what was added, removed and changed.
fn message_phrases(old: &[Entry], new: &[Entry], deadline: Option<Instant>) -> Vec<String> {
    let keys = |entries: &[Entry]| -> Vec<String> {
        entries.iter().map(|entry| serde_json::to_string(entry).unwrap_or_default()).collect()
    };
    let mut changes = MessageChanges::default();
    for op in capture_diff_slices_deadline(Algorithm::Myers, &keys(old), &keys(new), deadline) {
        if !matches!(op, DiffOp::Equal { .. }) {
            pair(&old[op.old_range()], &new[op.new_range()], &mut changes);
        }
    }
    let changed_entries = changes.changed;
    let only_one_of_kind = |entry: &Entry| new.iter().filter(|other| noun(other) == noun(entry)).count() == 1;
    let changed = match changed_entries.as_slice() {
        [one] if only_one_of_kind(one) => Some(format!("changed the {}", noun(one))),
        many => messages_phrase("changed", many),
    };
    [changed, messages_phrase("added", &changes.added), messages_phrase("removed", &changes.removed)]
        .into_iter()
        .flatten()
        .collect()
}

/// Within a replaced stretch, a message follows the next one of its kind.
fn pair<'a>(old: &'a [Entry], new: &'a [Entry], changes: &mut MessageChanges<'a>) {
    let mut rest = old;
    for entry in new {
        match rest.iter().position(|former| noun(former) == noun(entry)) {
            Some(at) => {
                changes.removed.extend(&rest[..at]);
                changes.changed.push(entry);
                rest = &rest[at + 1..];
            }
            None => changes.added.push(entry),
        }
    }
    changes.removed.extend(rest);
}

fn messages_phrase(verb: &str, entries: &[&Entry]) -> Option<String> {
    match entries {
        [] => None,
        [one] => {
            let noun = noun(one);
            let article = if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            Some(format!("{verb} {article} {noun}"))
        }
        many => {
            let first = noun(many[0]);
            let same = many.iter().all(|entry| noun(entry) == first);
            Some(format!("{verb} {}", counted(many.len(), if same { &first } else { "message" })))
        }
    }
}

fn noun(entry: &Entry) -> String {
    match entry {
        Entry::Message(message) => format!("{} message", message.role),
        Entry::Placeholder(_) => "placeholder".to_owned(),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}
