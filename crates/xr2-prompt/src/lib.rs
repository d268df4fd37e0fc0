#![doc = include_str!("../README.md")]

mod compile;
mod contract;
mod contract_reader;
mod detect;
mod diff;
mod include;
mod jinja;
mod messages;
mod model;
mod names;
mod pin;
mod problem;
mod provider;
mod render;
mod secrets;
mod simple;
mod stats;
mod text;
mod values;

pub use compile::{Compiled, MergedVariable, compile};
pub use contract::{Contract, MAX_VARIABLES, VariableSpec, VariableType};
pub use detect::{detect_syntax, discover, list_includes};
pub use diff::{
    Change, Diff, DiffLine, DiffStats, LineKind, Segment, Side, VariableChange, VariableChanges,
    change_summary, diff,
};
pub use include::{
    IncludeError, IncludeRef, IncludeTarget, MAX_INCLUDE_DEPTH, MAX_SNIPPETS, Selector, Snippet,
};
pub use model::{
    Content, Entry, MAX_MESSAGES, Message, MessageContent, Part, Placeholder, PromptType, Role, Syntax,
};
pub use names::{is_name, nearest};
pub use pin::pin_includes;
pub use problem::{
    CompileError, FieldProblem, Position, RenderError, TemplateProblem, TextPlace, ValueFault,
    VariableProblem, Warning,
};
pub use provider::{Provider, ProviderRequest, ProviderWarning, provider_request};
pub use render::{MAX_RENDERED_BYTES, RenderOptions, Rendered, render};
pub use secrets::{SecretFound, find_secrets};
pub use stats::{ContentStats, excerpt, stats};
pub use text::value_text;
pub use values::{Values, check_values, coerce_query};
