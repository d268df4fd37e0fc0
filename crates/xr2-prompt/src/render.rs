//! From a compiled prompt and values to what is sent to a model.

use serde::Serialize;
use serde_json::Value;

use crate::compile::Compiled;
use crate::jinja;
use crate::jinja::eval::Evaluator;
use crate::messages::message_from_value;
use crate::model::{Content, Entry, Placeholder};
use crate::problem::{RenderError, TemplateProblem, TextPlace, ValueFault, VariableProblem, Warning};
use crate::simple::{Piece, SimpleTemplate};
use crate::text::push_value;
use crate::values::{Values, unknown_values};

/// Largest prompt that rendering may produce, over all its messages.
pub const MAX_RENDERED_BYTES: usize = 8 << 20;

/// How one text is rendered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Plain,
    Simple(SimpleTemplate),
    Jinja(Box<jinja::Template>),
}

/// An included snippet, ready to render.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SnippetBody {
    pub slug: String,
    pub text: String,
    pub body: Body,
}

/// What to do where values do not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RenderOptions {
    /// Render as far as possible and tell the problems, as an editor's preview wants it; a missing value is then
    /// treated as if it were optional.
    pub lenient: bool,
}

/// A rendered prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rendered {
    /// The text, or the messages without placeholders.
    pub content: Content,
    /// Variables without value and default, in order of first use; a path where only a part of a value is missing.
    pub missing: Vec<String>,
    /// Values nobody knows.
    pub warnings: Vec<Warning>,
    /// What was wrong with the values, when rendering leniently.
    #[serde(skip)]
    pub problems: Vec<VariableProblem>,
}

/// Renders a prompt.
pub fn render(compiled: &Compiled, values: &Values, options: RenderOptions) -> Result<Rendered, RenderError> {
    let problems = problems(compiled, values);
    if !problems.is_empty() && !options.lenient {
        return Err(RenderError::Variables(problems));
    }
    let lookup = |name: &str| values.get(name).or_else(|| compiled.default_of(name));
    let mut missing = Missing::default();
    compiled.names_used_by_jinja().filter(|name| lookup(name).is_none()).for_each(|name| missing.add(name));
    let content = texts(compiled, &lookup, &mut missing)?;
    let content = insert_messages(content, &lookup, &mut missing);
    let warnings = unknown_values(values, compiled.known_names());
    Ok(Rendered { content, missing: missing.0, warnings, problems })
}

#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn add(&mut self, name: &str) {
        if !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }
}

/// Problems of the declared variables, then of the placeholders.
fn problems(compiled: &Compiled, values: &Values) -> Vec<VariableProblem> {
    let mut problems = compiled.check(values);
    for placeholder in compiled.form().placeholders() {
        if problems.iter().all(|problem| problem.name != placeholder.name) {
            problems.extend(placeholder_problem(compiled, placeholder, values));
        }
    }
    problems
}

fn placeholder_problem(
    compiled: &Compiled,
    placeholder: &Placeholder,
    values: &Values,
) -> Option<VariableProblem> {
    let value = values.get(&placeholder.name).or_else(|| compiled.default_of(&placeholder.name));
    let problem = match value {
        None | Some(Value::Null) if !placeholder.required => return None,
        None => ValueFault::Missing,
        Some(Value::Array(items)) if items.iter().all(|item| message_from_value(item).is_some()) => {
            return None;
        }
        Some(Value::Array(_)) => ValueFault::ItemWrongType,
        Some(_) => ValueFault::WrongType,
    };
    Some(VariableProblem {
        name: placeholder.name.clone(),
        problem,
        expected: "array of messages".to_owned(),
    })
}

fn texts<'a>(
    compiled: &'a Compiled,
    lookup: &dyn Fn(&str) -> Option<&'a Value>,
    missing: &mut Missing,
) -> Result<Content, RenderError> {
    let mut evaluator = Evaluator::new(lookup, compiled.snippets());
    let mut bodies = compiled.bodies().iter();
    let mut size = 0;
    let content = compiled.form().map_texts(|place, text| {
        let rendered = match bodies.next() {
            None | Some(Body::Plain) => text.to_owned(),
            Some(Body::Simple(template)) => {
                let room = MAX_RENDERED_BYTES.saturating_sub(size);
                simple(template, text, lookup, missing, room).ok_or_else(|| too_large(place))?
            }
            Some(Body::Jinja(template)) => evaluator.render(&template.nodes).map_err(|failure| {
                let source = compiled.source_text(place);
                let at = failure.at.unwrap_or_default() as usize;
                RenderError::Template(TemplateProblem::at(source, at..at, failure.message).within(place))
            })?,
        };
        size += rendered.len();
        Ok(rendered)
    });
    evaluator.missing.iter().for_each(|path| missing.add(path));
    content
}

fn too_large(place: TextPlace) -> RenderError {
    let message = format!("The rendered prompt is larger than {} MiB.", MAX_RENDERED_BYTES >> 20);
    RenderError::Template(TemplateProblem::whole(message).within(place))
}

/// Renders a simple template; nothing when it grows larger than `room`.
fn simple<'a>(
    template: &SimpleTemplate,
    text: &str,
    lookup: &dyn Fn(&str) -> Option<&'a Value>,
    missing: &mut Missing,
    room: usize,
) -> Option<String> {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    template.pieces(text, lookup, |piece| match piece {
        // What is too large already need not grow: one value is the most that is written beyond the room.
        _ if out.len() > room => {}
        Piece::Text(text) => out.push_str(text),
        Piece::Value(value) => push_value(&mut out, value),
        Piece::Missing { source, name } => {
            missing.add(name);
            out.push_str(source);
        }
    });
    (out.len() <= room).then_some(out)
}

/// Puts the messages of the values where the placeholders stand.
fn insert_messages<'a>(
    content: Content,
    lookup: &dyn Fn(&str) -> Option<&'a Value>,
    missing: &mut Missing,
) -> Content {
    let Content::Chat(entries) = content else { return content };
    let mut inserted = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Placeholder(placeholder) = &entry else {
            inserted.push(entry);
            continue;
        };
        match lookup(&placeholder.name) {
            None => missing.add(&placeholder.name),
            Some(value) => {
                let messages = value.as_array().into_iter().flatten().filter_map(message_from_value);
                inserted.extend(messages.map(Entry::Message));
            }
        }
    }
    Content::Chat(inserted)
}
