//! The variable contract of a version: what values a prompt takes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

use crate::contract_reader::read_contract;
use crate::problem::FieldProblem;

/// Most variables of one contract.
pub const MAX_VARIABLES: usize = 200;

/// Type of a variable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the types of JSON")]
pub enum VariableType {
    #[default]
    String,
    Number,
    Integer,
    Boolean,
    Array,
    Object,
    Any,
}

impl VariableType {
    /// Every type, in the order they are told to people.
    pub const ALL: [Self; 7] =
        [Self::String, Self::Number, Self::Integer, Self::Boolean, Self::Array, Self::Object, Self::Any];

    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Any => "any",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Whether a value is of this type; values are never coerced, and 3.0 is an integer.
    pub fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.as_number().is_some_and(is_integral),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Any => true,
        }
    }

    /// Whether `min` and `max` mean something.
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Number | Self::Integer)
    }

    /// Whether `min_length` and `max_length` mean something.
    pub fn has_length(self) -> bool {
        matches!(self, Self::String | Self::Array)
    }
}

fn is_integral(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// One variable of a contract.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VariableSpec {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: VariableType,
    /// Whether a value must be given; a default makes it optional.
    pub required: bool,
    /// Value when none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The only values allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#enum: Option<Vec<Value>>,
    /// Least number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// Greatest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Fewest characters, or items of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Most characters, or items of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Regular expression that must be found in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Type of the items of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<VariableType>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A value to try the prompt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<Value>,
    /// Nobody declared it, it was found in the template: its values are not checked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub discovered: bool,
}

impl VariableSpec {
    /// A required variable of a type.
    pub fn required(name: impl Into<String>, r#type: VariableType) -> Self {
        Self { name: name.into(), r#type, required: true, ..Self::default() }
    }

    /// An optional variable of a type.
    pub fn optional(name: impl Into<String>, r#type: VariableType) -> Self {
        Self { name: name.into(), r#type, ..Self::default() }
    }
}

/// The variables of a version, in the author's order. In JSON a list; a map by name is accepted too.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Contract {
    variables: Vec<VariableSpec>,
}

impl Contract {
    /// Reads a contract as an author wrote it and checks it; all problems at once, their paths beginning with
    /// `field`. Entries that only repeat what was discovered (as they stand in answers) declare nothing.
    pub fn from_value(value: &Value, field: &str) -> Result<Self, Vec<FieldProblem>> {
        read_contract(value, field).map(|variables| Self { variables })
    }

    /// A contract of specs known to be right.
    pub fn of(variables: Vec<VariableSpec>) -> Self {
        Self { variables }
    }

    /// The variables, in order.
    pub fn variables(&self) -> &[VariableSpec] {
        &self.variables
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<&VariableSpec> {
        self.variables.iter().find(|spec| spec.name == name)
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Adds the variables of an included snippet that are not declared here; the outer declaration wins.
    pub(crate) fn absorb(&mut self, included: &Self, shadowed: impl Fn(&str) -> bool) {
        for spec in &included.variables {
            if self.get(&spec.name).is_none() && !shadowed(&spec.name) {
                self.variables.push(spec.clone());
            }
        }
    }
}

impl<'de> Deserialize<'de> for Contract {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value, "variables").map_err(|problems| {
            let sentences: Vec<_> = problems
                .into_iter()
                .map(|problem| format!("{}: {}", problem.field, problem.message))
                .collect();
            serde::de::Error::custom(sentences.join(" "))
        })
    }
}
