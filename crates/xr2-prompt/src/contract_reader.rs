//! Reading a contract from JSON, and everything that can be wrong with one.

use serde_json::{Map, Number, Value};

use crate::contract::{MAX_VARIABLES, VariableSpec, VariableType};
use crate::names::{MAX_NAME, is_name};
use crate::problem::FieldProblem;
use crate::text::{compare_numbers, same_value};
use crate::values::{check_value, compile_pattern};

const MAX_ENUM: usize = 500;
const MAX_DESCRIPTION: usize = 2_000;
const FIELDS: [&str; 14] = [
    "name",
    "type",
    "required",
    "default",
    "enum",
    "min",
    "max",
    "min_length",
    "max_length",
    "pattern",
    "items",
    "description",
    "sample",
    "discovered",
];

pub(crate) fn read_contract(value: &Value, field: &str) -> Result<Vec<VariableSpec>, Vec<FieldProblem>> {
    let mut reader = Reader { problems: Vec::new(), specs: Vec::new() };
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                reader.variable(item, None, format!("{field}[{index}]"));
            }
        }
        Value::Object(by_name) => {
            for (name, item) in by_name {
                reader.variable(item, Some(name), format!("{field}.{name}"));
            }
        }
        _ => reader.refuse(field, "invalid", "Variables are a list, or a map by name."),
    }
    if reader.specs.len() > MAX_VARIABLES {
        reader.refuse(field, "too_long", format!("A prompt has at most {MAX_VARIABLES} variables."));
    }
    if reader.problems.is_empty() { Ok(reader.specs) } else { Err(reader.problems) }
}

struct Reader {
    problems: Vec<FieldProblem>,
    specs: Vec<VariableSpec>,
}

impl Reader {
    fn refuse(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) {
        self.problems.push(FieldProblem::new(field, code, message));
    }

    fn variable(&mut self, item: &Value, key: Option<&str>, path: String) {
        let from_type_name;
        let fields = match item {
            Value::Object(fields) => fields,
            // {"tone": "string"} says all there is to say.
            Value::String(_) if key.is_some() => {
                from_type_name = Map::from_iter([("type".to_owned(), item.clone())]);
                &from_type_name
            }
            _ => return self.refuse(path, "invalid", "A variable is an object with `name` and `type`."),
        };
        let mut one = One { fields, path, problems: &mut self.problems };
        let problems_before = one.problems.len();
        let spec = one.read(key);
        if one.problems.len() > problems_before || is_bare_discovery(&spec) {
            return;
        }
        if self.specs.iter().any(|other| other.name == spec.name) {
            let path = format!("{}.name", one.path);
            return self.refuse(path, "taken", format!("The variable `{}` stands there twice.", spec.name));
        }
        self.specs.push(VariableSpec { discovered: false, ..spec });
    }
}

/// Whether a spec is one that answers show for an undeclared variable, untouched by the author.
fn is_bare_discovery(spec: &VariableSpec) -> bool {
    let bare = VariableSpec {
        name: spec.name.clone(),
        r#type: spec.r#type,
        discovered: true,
        ..VariableSpec::default()
    };
    *spec == bare
}

/// Reads one variable.
struct One<'a> {
    fields: &'a Map<String, Value>,
    path: String,
    problems: &'a mut Vec<FieldProblem>,
}

impl One<'_> {
    fn refuse(&mut self, name: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(FieldProblem::new(format!("{}.{name}", self.path), code, message));
    }

    fn read(&mut self, key: Option<&str>) -> VariableSpec {
        let unknown: Vec<_> =
            self.fields.keys().filter(|name| !FIELDS.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            self.refuse(&name, "unknown_field", format!("A variable has no field `{name}`."));
        }
        let name = self.name(key);
        let r#type = self.type_of("type").unwrap_or_default();
        let items = self.type_of("items");
        let default = self.value("default");
        let required = self.flag("required") && default.is_none();
        let spec = VariableSpec {
            name,
            r#type,
            required,
            default,
            r#enum: self.choices(),
            min: self.number("min"),
            max: self.number("max"),
            min_length: self.length("min_length"),
            max_length: self.length("max_length"),
            pattern: self.text("pattern", 1_000),
            items,
            description: self.text("description", MAX_DESCRIPTION),
            sample: self.value("sample"),
            discovered: self.flag("discovered"),
        };
        self.check_fit(&spec);
        self.check_values(&spec);
        spec
    }

    fn name(&mut self, key: Option<&str>) -> String {
        let given = self.fields.get("name").and_then(Value::as_str);
        let name = match (key, given) {
            (Some(key), Some(given)) if key != given => {
                self.refuse(
                    "name",
                    "invalid",
                    format!("It is called `{key}` in the map, but `{given}` inside."),
                );
                key
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => {
                self.refuse("name", "required", "Every variable needs a name.");
                return String::new();
            }
        };
        if !is_name(name) || name.len() > MAX_NAME {
            let message = "A name has letters, digits and `_`, does not begin with a digit, and has at most 100 characters.";
            self.refuse("name", "invalid", message);
        }
        name.to_owned()
    }

    fn present(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn value(&self, name: &str) -> Option<Value> {
        self.present(name).cloned()
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.present(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.refuse(name, "invalid", format!("`{name}` must be true or false."));
                false
            }
        }
    }

    fn type_of(&mut self, name: &str) -> Option<VariableType> {
        // `items` may be written as in JSON Schema: {"type": "string"}.
        let word = self.present(name)?;
        let word = if name == "items" { word.get("type").unwrap_or(word) } else { word };
        let found = word.as_str().and_then(VariableType::from_name);
        if found.is_none() {
            let words = VariableType::ALL.map(VariableType::as_str).join(", ");
            self.refuse(name, "invalid", format!("The type must be one of: {words}."));
        }
        found
    }

    fn number(&mut self, name: &str) -> Option<Number> {
        match self.present(name)? {
            Value::Number(number) => Some(number.clone()),
            _ => {
                self.refuse(name, "invalid", format!("`{name}` must be a number."));
                None
            }
        }
    }

    fn length(&mut self, name: &str) -> Option<u64> {
        let length = self.present(name)?.as_u64();
        if length.is_none() {
            self.refuse(name, "invalid", format!("`{name}` must be a whole number, 0 or more."));
        }
        length
    }

    fn text(&mut self, name: &str, longest: usize) -> Option<String> {
        match self.present(name)? {
            Value::String(text) if text.chars().count() <= longest => Some(text.clone()),
            Value::String(_) => {
                self.refuse(name, "too_long", format!("`{name}` may have {longest} characters at most."));
                None
            }
            _ => {
                self.refuse(name, "invalid", format!("`{name}` must be a text."));
                None
            }
        }
    }

    fn choices(&mut self) -> Option<Vec<Value>> {
        let Value::Array(choices) = self.present("enum")? else {
            self.refuse("enum", "invalid", "`enum` must be a list of values.");
            return None;
        };
        let choices = choices.clone();
        if choices.is_empty() || choices.len() > MAX_ENUM {
            self.refuse("enum", "invalid", format!("`enum` must hold 1 to {MAX_ENUM} values."));
        }
        let repeats =
            |(index, choice): (usize, &Value)| choices[..index].iter().any(|one| same_value(one, choice));
        if choices.len() <= MAX_ENUM && choices.iter().enumerate().any(repeats) {
            self.refuse("enum", "invalid", "`enum` holds a value twice.");
        }
        Some(choices)
    }

    /// Limits must belong to the type and leave room.
    fn check_fit(&mut self, spec: &VariableSpec) {
        let r#type = spec.r#type.as_str();
        for (name, present) in [("min", spec.min.is_some()), ("max", spec.max.is_some())] {
            if present && !spec.r#type.is_numeric() {
                self.refuse(name, "invalid", format!("`{name}` is for numbers; the type is {type}."));
            }
        }
        let lengths = [("min_length", spec.min_length.is_some()), ("max_length", spec.max_length.is_some())];
        for (name, present) in lengths {
            if present && !spec.r#type.has_length() {
                self.refuse(
                    name,
                    "invalid",
                    format!("`{name}` is for texts and arrays; the type is {type}."),
                );
            }
        }
        if spec.items.is_some() && spec.r#type != VariableType::Array {
            self.refuse("items", "invalid", format!("`items` is for arrays; the type is {type}."));
        }
        if let (Some(min), Some(max)) = (&spec.min, &spec.max)
            && compare_numbers(min, max).is_gt()
        {
            self.refuse("max", "invalid", "`max` is less than `min`.");
        }
        if let (Some(min), Some(max)) = (spec.min_length, spec.max_length)
            && min > max
        {
            self.refuse("max_length", "invalid", "`max_length` is less than `min_length`.");
        }
        if spec.pattern.is_some() && spec.r#type != VariableType::String {
            self.refuse("pattern", "invalid", format!("`pattern` is for texts; the type is {type}."));
        }
    }

    /// The values a contract holds must obey it.
    fn check_values(&mut self, spec: &VariableSpec) {
        let pattern = match spec.pattern.as_deref().map(compile_pattern).transpose() {
            Ok(pattern) => pattern,
            Err(message) => return self.refuse("pattern", "invalid", message),
        };
        let without_enum = VariableSpec { r#enum: None, ..spec.clone() };
        let misfit = |choice: &&Value| check_value(&without_enum, pattern.as_ref(), choice).is_some();
        if let Some(wrong) = spec.r#enum.iter().flatten().find(misfit) {
            let expected =
                check_value(&without_enum, pattern.as_ref(), wrong).map(|problem| problem.expected);
            let message = format!("`enum` holds {wrong}, which is not {}.", expected.unwrap_or_default());
            return self.refuse("enum", "invalid", message);
        }
        for (name, value) in [("default", &spec.default), ("sample", &spec.sample)] {
            let problem = value.as_ref().and_then(|value| check_value(spec, pattern.as_ref(), value));
            if let Some(problem) = problem {
                let message = format!("The {name} does not fit: it must be {}.", problem.expected);
                self.refuse(name, "invalid", message);
            }
        }
    }
}
