//! Checks a JSON value against the schema that stands in the OpenAPI document, so that the document cannot say one
//! thing and the server do another, and so that a client hears of all its mistakes at once.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::FieldProblem;

/// More problems than this are not reported; nobody reads them.
const MAX_PROBLEMS: usize = 50;

/// Everything about `value` that the schema of `T` forbids. NUL characters are refused everywhere: PostgreSQL cannot
/// store them.
pub fn check_against_schema<T: ToSchema + 'static>(value: &Value) -> Vec<FieldProblem> {
    let schema = schema_of::<T>();
    let mut check = Check { schemas: &schema.parts, problems: Vec::new() };
    check.value(&schema.root, value, "");
    check.nul(value, "");
    check.problems
}

struct Compiled {
    root: Value,
    parts: HashMap<String, Value>,
}

fn schema_of<T: ToSchema + 'static>() -> Arc<Compiled> {
    static CACHE: OnceLock<RwLock<HashMap<TypeId, Arc<Compiled>>>> = OnceLock::new();
    let cache = CACHE.get_or_init(Default::default);
    let id = TypeId::of::<T>();
    if let Some(found) = cache.read().unwrap_or_else(|e| e.into_inner()).get(&id) {
        return found.clone();
    }
    let mut parts = Vec::new();
    T::schemas(&mut parts);
    let compiled = Arc::new(Compiled {
        root: serde_json::to_value(T::schema()).unwrap_or_default(),
        parts: parts
            .into_iter()
            .map(|(name, s)| (name, serde_json::to_value(s).unwrap_or_default()))
            .collect(),
    });
    cache.write().unwrap_or_else(|e| e.into_inner()).insert(id, compiled.clone());
    compiled
}

struct Check<'a> {
    schemas: &'a HashMap<String, Value>,
    problems: Vec<FieldProblem>,
}

impl Check<'_> {
    fn problem(&mut self, path: &str, code: &str, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            let field = if path.is_empty() { "(body)" } else { path };
            self.problems.push(FieldProblem::new(field, code, message));
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(schema) = schema.as_object() else { return };
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or(name);
            let schemas = self.schemas;
            if let Some(target) = schemas.get(name) {
                self.value(target, value, path);
            }
            return;
        }
        if let Some(options) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            return self.one_of(options, value, path);
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            all.iter().for_each(|part| self.value(part, value, path));
            return;
        }
        if !self.kind(schema, value, path) {
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            let names: Vec<String> = allowed.iter().map(plain).collect();
            return self.problem(path, "invalid", format!("must be one of: {}", names.join(", ")));
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.array(schema, items, path),
            Value::String(text) => self.string(schema, text, path),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or(f64::NAN), path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Nullable references are written as `oneOf: [null, $ref]`; the problems of the branch that fits best are told.
    fn one_of(&mut self, options: &[Value], value: &Value, path: &str) {
        let mut best: Option<Vec<FieldProblem>> = None;
        for option in options {
            let mut attempt = Check { schemas: self.schemas, problems: Vec::new() };
            attempt.value(option, value, path);
            if attempt.problems.is_empty() {
                return;
            }
            let is_null = option.get("type").and_then(Value::as_str) == Some("null");
            if !is_null && best.as_ref().is_none_or(|b| attempt.problems.len() < b.len()) {
                best = Some(attempt.problems);
            }
        }
        for problem in best.unwrap_or_default() {
            self.problem(&problem.field.clone(), &problem.code.clone(), problem.message);
        }
    }

    /// Whether the JSON type fits; says so when not.
    fn kind(&mut self, schema: &Map<String, Value>, value: &Value, path: &str) -> bool {
        let allowed: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let fits = allowed.iter().any(|kind| match *kind {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            _ => true,
        });
        if !fits {
            let names: Vec<&str> = allowed.into_iter().filter(|kind| *kind != "null").collect();
            self.problem(
                path,
                "wrong_type",
                format!("must be {}, not {}", with_article(&names.join(" or ")), name_of(value)),
            );
        }
        fits
    }

    fn object(&mut self, schema: &Map<String, Value>, fields: &Map<String, Value>, path: &str) {
        let empty = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        for required in
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !fields.contains_key(required) {
                self.problem(&join(path, required), "required", "is required");
            }
        }
        for (name, value) in fields {
            match known.get(name) {
                Some(schema) => self.value(schema, value, &join(path, name)),
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    self.problem(&join(path, name), "unknown_field", "there is no such field");
                }
                None => {
                    if let Some(other) = schema.get("additionalProperties").filter(|other| other.is_object())
                    {
                        self.value(other, value, &join(path, name));
                    }
                }
            }
        }
    }

    fn array(&mut self, schema: &Map<String, Value>, items: &[Value], path: &str) {
        if let Some(max) = schema.get("maxItems").and_then(Value::as_u64)
            && items.len() as u64 > max
        {
            self.problem(path, "too_long", format!("must have at most {max} items"));
            return;
        }
        if let Some(item) = schema.get("items") {
            for (index, value) in items.iter().enumerate() {
                self.value(item, value, &format!("{path}[{index}]"));
            }
        }
    }

    fn string(&mut self, schema: &Map<String, Value>, text: &str, path: &str) {
        let length = |name: &str| schema.get(name).and_then(Value::as_u64);
        let count = text.chars().count() as u64;
        if let Some(min) = length("minLength")
            && (count < min || (min > 0 && text.trim().is_empty()))
        {
            let message = if min <= 1 {
                "must not be empty".to_owned()
            } else {
                format!("must have at least {min} characters")
            };
            self.problem(path, if count == 0 { "required" } else { "too_short" }, message);
        }
        if let Some(max) = length("maxLength")
            && count > max
        {
            self.problem(path, "too_long", format!("must have at most {max} characters"));
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("uuid") if uuid::Uuid::parse_str(text).is_err() => {
                self.problem(path, "invalid", "must be a UUID")
            }
            Some("date-time") if chrono::DateTime::parse_from_rfc3339(text).is_err() => {
                self.problem(path, "invalid", "must be a time such as 2026-01-31T12:00:00Z");
            }
            _ => {}
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: f64, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        if let Some(min) = bound("minimum")
            && number < min
        {
            self.problem(path, "too_small", format!("must be at least {min}"));
        }
        if let Some(max) = bound("maximum")
            && number > max
        {
            self.problem(path, "too_large", format!("must be at most {max}"));
        }
    }

    fn nul(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(text) if text.contains('\0') => {
                self.problem(path, "invalid", "must not contain the NUL character");
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.nul(item, &format!("{path}[{index}]"));
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name.contains('\0') {
                        self.problem(path, "invalid", "field names must not contain the NUL character");
                    }
                    self.nul(value, &join(path, name));
                }
            }
            _ => {}
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn with_article(name: &str) -> String {
    let article = if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {name}")
}
