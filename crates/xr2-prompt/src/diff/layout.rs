//! A prompt as lines of text.

use crate::model::{Content, Entry, Message, MessageContent, Part};
use crate::text::push_json;

/// A text as it is; a chat as `[role]` headings, each followed by what the message says, blank lines between.
pub(super) fn lay_out(content: &Content) -> String {
    let entries = match content {
        Content::Text(text) => return text.clone(),
        Content::Chat(entries) => entries,
    };
    let blocks: Vec<String> = entries.iter().map(entry).collect();
    blocks.join("\n\n")
}

fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Message(one) => message(one),
        Entry::Placeholder(placeholder) => {
            let required = if placeholder.required { ", required" } else { "" };
            format!("[placeholder: {}{required}]", placeholder.name)
        }
    }
}

fn message(message: &Message) -> String {
    let name = message.name.as_deref().map(|name| format!(": {name}")).unwrap_or_default();
    let call = message.tool_call_id.as_deref().map(|id| format!(" for {id}")).unwrap_or_default();
    let mut lines = vec![format!("[{}{name}{call}]", message.role)];
    match &message.content {
        MessageContent::Text(text) => lines.push(text.clone()),
        MessageContent::Parts(parts) => lines.extend(parts.iter().map(part)),
        MessageContent::Empty => {}
    }
    for call in message.tool_calls.iter().flatten() {
        let mut line = String::from("[calls] ");
        push_json(&mut line, call);
        lines.push(line);
    }
    lines.join("\n")
}

fn part(part: &Part) -> String {
    match part {
        Part::Text { text } => text.clone(),
        Part::Image { url: Some(url), .. } => format!("[image: {url}]"),
        Part::Image { data, media_type, .. } => {
            let kind = media_type.as_deref().unwrap_or("image");
            // Enough of the data to tell two images apart by eye, and all of it counted.
            let data = data.as_deref().unwrap_or_default();
            let start: String = data.chars().take(24).collect();
            format!("[image: {kind}, {} characters of base64, {start}…]", data.len())
        }
    }
}
