//! What can be wrong with input, in the words the API answers with.

use serde::Serialize;

/// A field of the input that cannot be accepted (`details.errors` of VALIDATION_ERROR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Path of the field, as `messages[2].role` or `variables[0].pattern`.
    pub field: String,
    /// Stable code: `required`, `invalid`, `too_long`, `unknown_field`, `taken`, `reserved`.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
}

impl FieldProblem {
    /// Builds a problem.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code, message: message.into() }
    }
}

/// Where something starts in a text: 1-based, counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Position {
    /// Position of a byte offset; an offset inside a character counts as its start.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self { line: clamp(line), column: clamp(column) }
    }
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A fault in a template (`details.problems` of TEMPLATE_ERROR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TemplateProblem {
    /// One sentence for people.
    pub message: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Line of the end, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// Column just behind the end, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// Index of the message, for a chat prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_index: Option<usize>,
    /// Index of the content part, where the message has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_index: Option<usize>,
}

impl TemplateProblem {
    /// A problem over a byte range of a text.
    pub fn at(text: &str, range: std::ops::Range<usize>, message: impl Into<String>) -> Self {
        let start = Position::of(text, range.start);
        let end = (range.end > range.start).then(|| Position::of(text, range.end));
        Self {
            message: message.into(),
            line: start.line,
            column: start.column,
            end_line: end.map(|position| position.line),
            end_column: end.map(|position| position.column),
            message_index: None,
            part_index: None,
        }
    }

    /// A problem of the prompt as a whole, laid at its beginning.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::at("", 0..0, message)
    }

    /// The same problem, told where in the prompt its text stands.
    #[must_use]
    pub fn within(mut self, place: TextPlace) -> Self {
        self.message_index = place.message;
        self.part_index = place.part;
        self
    }
}

/// Which text of a prompt is meant: a text prompt has one, a chat prompt many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextPlace {
    /// Index of the message.
    pub message: Option<usize>,
    /// Index of the part within the message.
    pub part: Option<usize>,
}

/// A value that does not fit the contract (`details.variables`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariableProblem {
    /// Name of the variable.
    pub name: String,
    /// What is wrong.
    pub problem: ValueFault,
    /// What would be right, in a few words that are the same in every SDK.
    pub expected: String,
}

/// The closed list of things that can be wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it; the conformance README defines each")]
pub enum ValueFault {
    Missing,
    WrongType,
    NotInEnum,
    TooSmall,
    TooLarge,
    TooShort,
    TooLong,
    PatternMismatch,
    ItemWrongType,
}

/// Something worth knowing that did not stop the request (`meta.warnings`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable code, as `UNKNOWN_VARIABLE`.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// The variable meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The known name that comes nearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

/// Why a prompt could not be compiled: every problem found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", first_message(.problems))]
pub struct CompileError {
    /// At least one problem, in reading order.
    pub problems: Vec<TemplateProblem>,
}

fn first_message(problems: &[TemplateProblem]) -> String {
    match problems {
        [] => "the template cannot be used".to_owned(),
        [first, ..] => format!("{} (line {}, column {})", first.message, first.line, first.column),
    }
}

/// Why a prompt could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Values are missing or do not fit; in the contract's order.
    #[error("{}", variables_message(.0))]
    Variables(Vec<VariableProblem>),
    /// The template failed on these values.
    #[error("{} (line {}, column {})", .0.message, .0.line, .0.column)]
    Template(TemplateProblem),
}

impl RenderError {
    /// The API's code: MISSING_VARIABLES as soon as one is missing, else INVALID_VARIABLES, or TEMPLATE_ERROR.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Variables(problems) if problems.iter().any(is_missing) => "MISSING_VARIABLES",
            Self::Variables(_) => "INVALID_VARIABLES",
            Self::Template(_) => "TEMPLATE_ERROR",
        }
    }
}

fn is_missing(problem: &VariableProblem) -> bool {
    problem.problem == ValueFault::Missing
}

fn variables_message(problems: &[VariableProblem]) -> String {
    let (missing, wrong): (Vec<_>, Vec<_>) = problems.iter().partition(|problem| is_missing(problem));
    let mut sentences = Vec::new();
    if !missing.is_empty() {
        sentences.push(format!("Missing: {}.", names(&missing)));
    }
    if !wrong.is_empty() {
        let parts: Vec<_> =
            wrong.iter().map(|problem| format!("`{}` must be {}", problem.name, problem.expected)).collect();
        sentences.push(format!("Wrong: {}.", parts.join("; ")));
    }
    sentences.join(" ")
}

fn names(problems: &[&VariableProblem]) -> String {
    problems.iter().map(|problem| format!("`{}`", problem.name)).collect::<Vec<_>>().join(", ")
}
