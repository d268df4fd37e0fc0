//! How two versions of a prompt differ: line by line with the words that changed, and in a sentence.

mod layout;
mod lines;
mod summary;

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::contract::{Contract, VariableSpec};
use crate::model::{Content, Syntax};
pub use lines::{DiffLine, LineKind, Segment};
pub use summary::change_summary;

/// One side of a comparison: what makes a version.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The content.
    pub content: &'a Content,
    /// How it is read.
    pub syntax: Syntax,
    /// Its variables.
    pub contract: &'a Contract,
    /// Its model settings; null and `{}` are the same.
    pub config: &'a Value,
}

/// A comparison of two versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The change in a sentence.
    pub summary: String,
    /// Lines counted.
    pub stats: DiffStats,
    /// All lines of both sides in reading order; a chat is laid out as `[role]` headings and texts.
    pub lines: Vec<DiffLine>,
    /// Changes of the contract.
    pub variables: VariableChanges,
    /// Both model settings, when they differ.
    pub config: Option<Change<Value>>,
    /// Whether one is a text and the other a chat.
    pub type_changed: bool,
    /// Both syntaxes, when they differ.
    pub syntax: Option<Change<Syntax>>,
}

/// Lines counted: a changed line is one that was replaced by another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DiffStats {
    /// Lines only the new side has.
    pub added: usize,
    /// Lines only the old side has.
    pub removed: usize,
    /// Lines that were replaced, one for one.
    pub changed: usize,
}

/// Two values that differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change<T> {
    /// On the old side.
    pub before: T,
    /// On the new side.
    pub after: T,
}

/// How two contracts differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VariableChanges {
    /// Names only the new one declares.
    pub added: Vec<String>,
    /// Names only the old one declares.
    pub removed: Vec<String>,
    /// Variables declared otherwise.
    pub changed: Vec<VariableChange>,
}

/// A variable that is declared otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableChange {
    /// Its name.
    pub name: String,
    /// On the old side.
    pub before: VariableSpec,
    /// On the new side.
    pub after: VariableSpec,
}

/// Compares two versions. Past the deadline the lines are still right, but coarser than they could be.
pub fn diff(before: &Side<'_>, after: &Side<'_>, deadline: Option<Instant>) -> Diff {
    let (lines, stats) =
        lines::diff_lines(&layout::lay_out(before.content), &layout::lay_out(after.content), deadline);
    Diff {
        summary: summary::summarize(before, after, stats, deadline),
        stats,
        lines,
        variables: compare_contracts(before.contract, after.contract),
        config: compare_configs(before.config, after.config),
        type_changed: before.content.prompt_type() != after.content.prompt_type(),
        syntax: (before.syntax != after.syntax)
            .then_some(Change { before: before.syntax, after: after.syntax }),
    }
}

fn compare_contracts(before: &Contract, after: &Contract) -> VariableChanges {
    let declared = |contract: &Contract| -> Vec<VariableSpec> {
        contract.variables().iter().filter(|spec| !spec.discovered).cloned().collect()
    };
    let (old, new) = (declared(before), declared(after));
    let only = |these: &[VariableSpec], those: &[VariableSpec]| -> Vec<String> {
        let unknown = these.iter().filter(|spec| those.iter().all(|other| other.name != spec.name));
        unknown.map(|spec| spec.name.clone()).collect()
    };
    let changed = new.iter().filter_map(|spec| {
        let former = old.iter().find(|other| other.name == spec.name)?;
        let change = VariableChange { name: spec.name.clone(), before: former.clone(), after: spec.clone() };
        (former != spec).then_some(change)
    });
    VariableChanges { added: only(&new, &old), removed: only(&old, &new), changed: changed.collect() }
}

fn compare_configs(before: &Value, after: &Value) -> Option<Change<Value>> {
    let is_empty =
        |config: &Value| config.is_null() || config.as_object().is_some_and(serde_json::Map::is_empty);
    let same = before == after || (is_empty(before) && is_empty(after));
    (!same).then(|| Change { before: before.clone(), after: after.clone() })
}
