#![doc = include_str!("../README.md")]

mod api;
mod backoff;
mod client;
mod error;
mod fetched;
mod follow;
mod get;
mod inner;
mod item;
mod prompt;
mod settings;
mod shelf;
mod shelves;
mod snapshot;
mod sse;
mod telemetry;
mod values;
mod worker;

pub use client::{Changes, Client};
pub use error::{Error, Refusal};
pub use get::{Fallback, Get};
pub use prompt::{Prompt, Rendered, Source};
pub use settings::Builder;
pub use values::{IntoValues, values_of};
pub use xr2_prompt::{
    Content, Entry, Message, MessageContent, Part, Placeholder, PromptType, ProviderRequest, ProviderWarning,
    Role, TemplateProblem, ValueFault, Values, VariableProblem, VariableSpec, VariableType, Warning,
};
