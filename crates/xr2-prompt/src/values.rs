//! Values against a contract: checked, never coerced; only query text is read by the declared type.

use regex::Regex;
use serde_json::{Map, Number, Value};

use crate::contract::{Contract, VariableSpec, VariableType};
use crate::names::nearest;
use crate::problem::{ValueFault, VariableProblem, Warning};
use crate::text::{compare_numbers, push_number, same_value, value_text};

/// Values of a render, by name.
pub type Values = Map<String, Value>;

/// A compiled pattern may take this much memory.
const PATTERN_BYTES: usize = 1 << 20;

/// Compiles a pattern of a contract: matching takes linear time, and memory is bounded.
pub(crate) fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    regex::RegexBuilder::new(pattern)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "The pattern is too large.".to_owned(),
            other => {
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("The pattern cannot be used: {reason}.")
            }
        })
}

/// Problems of `values`, in the contract's order; none when they fit.
pub fn check_values(contract: &Contract, values: &Values) -> Vec<VariableProblem> {
    Checker::new(contract).check(contract, values)
}

/// The patterns of a contract, compiled once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checker {
    patterns: Vec<Option<Regex>>,
}

impl Checker {
    pub(crate) fn new(contract: &Contract) -> Self {
        // A pattern was compiled when its contract was read; one that fails now checks nothing.
        let compile =
            |spec: &VariableSpec| spec.pattern.as_deref().and_then(|text| compile_pattern(text).ok());
        Self { patterns: contract.variables().iter().map(compile).collect() }
    }

    pub(crate) fn check(&self, contract: &Contract, values: &Values) -> Vec<VariableProblem> {
        let specs = contract.variables().iter().zip(&self.patterns);
        let declared = specs.filter(|(spec, _)| !spec.discovered);
        declared
            .filter_map(|(spec, pattern)| check_given(spec, pattern.as_ref(), values.get(&spec.name)))
            .collect()
    }
}

fn check_given(
    spec: &VariableSpec,
    pattern: Option<&Regex>,
    value: Option<&Value>,
) -> Option<VariableProblem> {
    match value {
        None if spec.required && spec.default.is_none() => {
            Some(problem(spec, ValueFault::Missing, spec.r#type.as_str()))
        }
        // Null for an optional variable says: nothing, on purpose.
        None => None,
        Some(Value::Null) if !spec.required => None,
        Some(value) => check_value(spec, pattern, value),
    }
}

fn problem(spec: &VariableSpec, fault: ValueFault, expected: impl Into<String>) -> VariableProblem {
    VariableProblem { name: spec.name.clone(), problem: fault, expected: expected.into() }
}

/// The first thing wrong with a value, if any.
pub(crate) fn check_value(
    spec: &VariableSpec,
    pattern: Option<&Regex>,
    value: &Value,
) -> Option<VariableProblem> {
    if !spec.r#type.accepts(value) {
        return Some(problem(spec, ValueFault::WrongType, spec.r#type.as_str()));
    }
    check_items(spec, value)
        .or_else(|| check_choice(spec, value))
        .or_else(|| check_number(spec, value))
        .or_else(|| check_length(spec, value))
        .or_else(|| check_pattern(spec, pattern, value))
}

fn check_items(spec: &VariableSpec, value: &Value) -> Option<VariableProblem> {
    let (items, values) = (spec.items?, value.as_array()?);
    let fits = values.iter().all(|item| items.accepts(item));
    (!fits).then(|| problem(spec, ValueFault::ItemWrongType, format!("array of {}", items.as_str())))
}

fn check_choice(spec: &VariableSpec, value: &Value) -> Option<VariableProblem> {
    let choices = spec.r#enum.as_ref()?;
    let known = choices.iter().any(|choice| same_value(choice, value));
    (!known).then(|| {
        let listed: Vec<_> = choices.iter().map(value_text).collect();
        problem(spec, ValueFault::NotInEnum, format!("one of: {}", listed.join(", ")))
    })
}

fn check_number(spec: &VariableSpec, value: &Value) -> Option<VariableProblem> {
    let number = value.as_number()?;
    if let Some(min) = spec.min.as_ref().filter(|min| compare_numbers(number, min).is_lt()) {
        return Some(problem(spec, ValueFault::TooSmall, format!("at least {}", number_text(min))));
    }
    let max = spec.max.as_ref().filter(|max| compare_numbers(number, max).is_gt())?;
    Some(problem(spec, ValueFault::TooLarge, format!("at most {}", number_text(max))))
}

fn number_text(number: &Number) -> String {
    let mut text = String::new();
    push_number(&mut text, number);
    text
}

fn check_length(spec: &VariableSpec, value: &Value) -> Option<VariableProblem> {
    if spec.min_length.is_none() && spec.max_length.is_none() {
        return None;
    }
    let (length, unit) = match value {
        Value::String(text) => (text.chars().count(), "character"),
        Value::Array(items) => (items.len(), "item"),
        _ => return None,
    };
    let length = length as u64;
    let counted = |limit: u64| format!("{limit} {unit}{}", if limit == 1 { "" } else { "s" });
    if let Some(least) = spec.min_length.filter(|least| length < *least) {
        return Some(problem(spec, ValueFault::TooShort, format!("at least {}", counted(least))));
    }
    let most = spec.max_length.filter(|most| length > *most)?;
    Some(problem(spec, ValueFault::TooLong, format!("at most {}", counted(most))))
}

fn check_pattern(spec: &VariableSpec, pattern: Option<&Regex>, value: &Value) -> Option<VariableProblem> {
    let matched = pattern?.is_match(value.as_str()?);
    (!matched).then(|| {
        let expected = format!("match {}", spec.pattern.as_deref().unwrap_or_default());
        problem(spec, ValueFault::PatternMismatch, expected)
    })
}

/// Warnings for the values nobody knows, each with the nearest of the names known.
pub(crate) fn unknown_values<'a>(
    values: &Values,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Warning> {
    let unknown = values.keys().filter(|name| !known.clone().any(|one| one == name.as_str()));
    unknown.map(|name| unknown_value(name, nearest(name, known.clone()))).collect()
}

fn unknown_value(name: &str, nearest: Option<&str>) -> Warning {
    let hint = nearest.map(|nearest| format!(" Did you mean `{nearest}`?")).unwrap_or_default();
    Warning {
        code: "UNKNOWN_VARIABLE",
        message: format!("The prompt has no variable `{name}`; the value was ignored.{hint}"),
        variable: Some(name.to_owned()),
        nearest: nearest.map(str::to_owned),
    }
}

/// Reads values from the pairs of a query string, each by its declared type; undeclared ones stay strings, and
/// text that cannot be read stays text, so that [`check_values`] tells what was wrong with it. A name given
/// more than once makes an array where one is declared; elsewhere the last one counts.
pub fn coerce_query<'a>(contract: &Contract, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Values {
    let mut values = Values::new();
    for (name, text) in pairs {
        let spec = contract.get(name).filter(|spec| !spec.discovered);
        let value = match spec {
            Some(VariableSpec { r#type: VariableType::Array, items, .. }) => {
                coerce_array(items.unwrap_or(VariableType::String), text, values.remove(name))
            }
            Some(spec) => coerce_text(spec.r#type, text),
            None => Value::String(text.to_owned()),
        };
        values.insert(name.to_owned(), value);
    }
    values
}

fn coerce_array(items: VariableType, text: &str, before: Option<Value>) -> Value {
    if before.is_none() && text.trim_start().starts_with('[') {
        return coerce_text(VariableType::Array, text);
    }
    let mut list = match before {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    list.push(coerce_text(items, text));
    Value::Array(list)
}

fn coerce_text(r#type: VariableType, text: &str) -> Value {
    let read = match r#type {
        VariableType::String | VariableType::Any => None,
        VariableType::Boolean => match text.trim() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        VariableType::Number | VariableType::Integer | VariableType::Array | VariableType::Object => {
            serde_json::from_str(text.trim()).ok()
        }
    };
    read.filter(|value| r#type.accepts(value)).unwrap_or_else(|| Value::String(text.to_owned()))
}
