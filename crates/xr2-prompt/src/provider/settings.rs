//! Settings of a config, taken one by one under the names of a provider.

use serde_json::{Map, Value};

use super::{Provider, Warnings};

/// Keys that are for xr2, not for a provider.
const OWN: [&str; 3] = ["model", "provider", "integration"];

/// What is left of a config while a request is built from it.
pub(super) struct Settings<'a> {
    provider: Provider,
    left: Vec<(&'a str, &'a Value)>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(provider: Provider, config: &'a Map<String, Value>) -> Self {
        let left = config
            .iter()
            .filter(|(name, value)| !OWN.contains(&name.as_str()) && !value.is_null())
            .map(|(name, value)| (name.as_str(), value));
        Self { provider, left: left.collect() }
    }

    /// The first of several names of a setting that is there; all of them are used up.
    pub(super) fn take(&mut self, names: &[&str]) -> Option<&'a Value> {
        let found = names
            .iter()
            .find_map(|name| self.left.iter().find(|(other, _)| other == name))
            .map(|(_, value)| *value);
        self.left.retain(|(name, _)| !names.contains(name));
        found
    }

    /// Puts a setting under the provider's name for it.
    pub(super) fn carry(&mut self, body: &mut Map<String, Value>, names: &[&str], to: &str) {
        if let Some(value) = self.take(names) {
            body.insert(to.to_owned(), value.clone());
        }
    }

    /// The stop sequences as a list, however they were written.
    pub(super) fn take_stop(&mut self) -> Option<Value> {
        let value = self.take(&["stop", "stop_sequences", "stopSequences"])?;
        Some(if value.is_array() { value.clone() } else { Value::Array(vec![value.clone()]) })
    }

    /// Tells which of these settings the provider has nothing like.
    pub(super) fn leave_out(&mut self, names: &[&str], warnings: &mut Warnings) {
        for name in names {
            if self.take(&[name]).is_some() {
                warnings.left_out(self.provider, name);
            }
        }
    }

    /// What nobody named: passed on as it is, for the author knows the provider.
    pub(super) fn rest(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.left.into_iter()
    }
}
