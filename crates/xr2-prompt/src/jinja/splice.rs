//! A template with its includes in line, for readers that cannot resolve them.

use super::budget::MAX_TEXT;
use super::tree::Template;
use crate::names::is_jinja_word;
use crate::render::{Body, SnippetBody};

/// The text of a template with every include replaced by what it stands for: a jinja snippet as it is, another
/// written so that jinja gives its text.
pub(crate) fn splice(text: &str, template: &Template, snippets: &[SnippetBody]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut plain_from = 0;
    for splice in &template.splices {
        push(&mut out, &text[plain_from..splice.range.start])?;
        plain_from = splice.range.end;
        let inner = snippet_text(&snippets[splice.snippet], snippets)?;
        // Empty comments keep what `{%-` and `-%}` trim around the tag, and keep the trimming of one text from
        // reaching into the other.
        out.push_str(match (splice.trim_before, touches(&inner, Edge::Start)) {
            (true, _) => "{#- #}",
            (false, true) => "{# #}",
            (false, false) => "",
        });
        push(&mut out, &inner)?;
        out.push_str(match (splice.trim_after, touches(&inner, Edge::End)) {
            (true, _) => "{# -#}",
            (false, true) => "{# #}",
            (false, false) => "",
        });
    }
    push(&mut out, &text[plain_from..])?;
    Ok(out)
}

#[derive(Clone, Copy)]
enum Edge {
    Start,
    End,
}

/// Whether trimming could pass this edge of a text, from within or from without.
fn touches(text: &str, edge: Edge) -> bool {
    match edge {
        Edge::Start => {
            text.chars().next().is_none_or(char::is_whitespace)
                || ["{{-", "{%-", "{#-"].iter().any(|tag| text.starts_with(tag))
        }
        Edge::End => {
            text.chars().next_back().is_none_or(char::is_whitespace)
                || ["-}}", "-%}", "-#}"].iter().any(|tag| text.ends_with(tag))
        }
    }
}

fn push(out: &mut String, text: &str) -> Result<(), String> {
    if out.len() + text.len() > MAX_TEXT {
        return Err("With its includes in line the prompt is larger than 1 MiB.".to_owned());
    }
    out.push_str(text);
    Ok(())
}

fn snippet_text(snippet: &SnippetBody, snippets: &[SnippetBody]) -> Result<String, String> {
    let mut out = String::new();
    match &snippet.body {
        Body::Plain => push_escaped(&mut out, &snippet.text)?,
        Body::Jinja(template) => {
            out = splice(&snippet.text, template, snippets)?;
            // A brace at the end must not meet what follows the include.
            if out.ends_with('{') {
                out.pop();
                out.push_str("{{ \"{\" }}");
            }
        }
        Body::Simple(template) => {
            let mut plain_from = 0;
            for slot in template.slots() {
                let range = slot.range();
                push_escaped(&mut out, &snippet.text[plain_from..range.start])?;
                plain_from = range.end;
                // Where there is no value a simple template shows the variable itself.
                let source = serde_json::Value::from(&snippet.text[range]);
                push(&mut out, &format!("{{{{ {}|default({source}) }}}}", slot.path()))?;
            }
            push_escaped(&mut out, &snippet.text[plain_from..])?;
        }
    }
    Ok(out)
}

/// Text such that jinja prints exactly it.
fn push_escaped(out: &mut String, text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        push(out, &rest[..at])?;
        let next = rest.as_bytes().get(at + 1);
        let is_special = matches!(next, None | Some(b'{' | b'%' | b'#'));
        push(out, if is_special { "{{ \"{\" }}" } else { "{" })?;
        rest = &rest[at + 1..];
    }
    push(out, rest)
}

/// The first variable of a simple snippet that jinja could not name.
pub(crate) fn unnameable(snippet: &SnippetBody) -> Option<&str> {
    match &snippet.body {
        Body::Simple(template) => {
            template.slots().iter().map(|slot| slot.root()).find(|name| is_jinja_word(name))
        }
        _ => None,
    }
}
