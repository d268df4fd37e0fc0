//! Laying file, environment and flags over the defaults.

use std::path::Path;

use toml::{Table, Value};

/// A setting that is not right; the message names the key.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ConfigError(message.into())
    }
}

/// A flag of the command line: the setting's path and its value as text.
#[derive(Debug, Clone)]
pub struct Override {
    /// Such as `listen` or `auth.registration`.
    pub key: String,
    /// As typed.
    pub value: String,
}

pub(super) fn merge(
    defaults: &str,
    file: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
    flags: &[Override],
) -> Result<Table, ConfigError> {
    let mut table: Table =
        defaults.parse().map_err(|e| ConfigError::new(format!("built-in defaults: {e}")))?;
    let keys = paths(&table);
    if let Some(path) = file {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError::new(format!("cannot read {name}: {e}")))?;
        let given: Table = text.parse().map_err(|e: toml::de::Error| {
            ConfigError::new(format!("{name} is not valid TOML: {}", e.message()))
        })?;
        overlay(&mut table, given, "", &keys).map_err(|e| ConfigError::new(format!("{name}: {e}")))?;
    }
    for (key, variable) in [("database", "DATABASE_URL"), ("redis", "REDIS_URL")] {
        if let Some(value) = env(variable) {
            set(&mut table, key, &value).map_err(|e| ConfigError::new(format!("{variable}: {e}")))?;
        }
    }
    for key in &keys {
        let variable = format!("XR2_{}", key.replace('.', "_").to_uppercase());
        if let Some(value) = env(&variable) {
            set(&mut table, key, &value).map_err(|e| ConfigError::new(format!("{variable}: {e}")))?;
        }
    }
    for flag in flags {
        // The database is an address and no section; this is what people write all the same.
        let key = if flag.key == "database.replicas" { "database_replicas" } else { &flag.key };
        set(&mut table, key, &flag.value)
            .map_err(|e| ConfigError::new(format!("--{}: {e}", flag.key.replace(['_', '.'], "-"))))?;
    }
    Ok(table)
}

/// All leaf keys, `section.key`.
fn paths(table: &Table) -> Vec<String> {
    let mut out = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => out.extend(paths(inner).into_iter().map(|path| format!("{key}.{path}"))),
            _ => out.push(key.clone()),
        }
    }
    out
}

fn overlay(target: &mut Table, given: Table, prefix: &str, keys: &[String]) -> Result<(), String> {
    for (key, value) in given {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (target.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value, &path, keys)?,
            (Some(Value::Table(_)), _) => return Err(format!("{path}: is a section, written [{path}]")),
            (Some(slot), value) if std::mem::discriminant(slot) == std::mem::discriminant(&value) => {
                *slot = value
            }
            (Some(slot), value) => {
                return Err(format!("{path}: expected {}, found {}", slot.type_str(), value.type_str()));
            }
            (None, _) => return Err(unknown(&path, keys)),
        }
    }
    Ok(())
}

fn unknown(path: &str, keys: &[String]) -> String {
    let nearest = keys
        .iter()
        .map(|key| (strsim(path, key), key))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, key)) => format!("{path}: there is no such setting; did you mean {key}?"),
        None => format!("{path}: there is no such setting"),
    }
}

/// Levenshtein distance; the texts are short.
fn strsim(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut previous = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = previous + usize::from(ca != *cb);
            previous = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// Sets the leaf at `key` from text, in the type its default has.
fn set(table: &mut Table, key: &str, text: &str) -> Result<(), String> {
    let mut parts = key.split('.').peekable();
    let mut current = table;
    while let Some(part) = parts.next() {
        let slot = current.get_mut(part).ok_or("there is no such setting")?;
        if parts.peek().is_none() {
            *slot = typed(slot, text)?;
            return Ok(());
        }
        current = slot.as_table_mut().ok_or("there is no such setting")?;
    }
    Ok(())
}

fn typed(default: &Value, text: &str) -> Result<Value, String> {
    Ok(match default {
        Value::Integer(_) => Value::Integer(text.trim().parse().map_err(|_| "expected a whole number")?),
        Value::Float(_) => {
            let number: f64 = text.trim().parse().map_err(|_| "expected a number")?;
            Value::Float(number)
        }
        Value::Boolean(_) => match text.trim() {
            "true" | "1" => Value::Boolean(true),
            "false" | "0" => Value::Boolean(false),
            _ => return Err("expected true or false".into()),
        },
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::String(item.into()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    })
}
