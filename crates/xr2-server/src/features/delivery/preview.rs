//! The editor's live check: a template that is not saved, compiled and rendered as far as possible.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use xr2_prompt::{
    Compiled, Content, MergedVariable, RenderError, RenderOptions, TemplateProblem, ValueFault,
    VariableProblem, Warning, compile, list_includes, render, stats,
};

use crate::auth::{Allow, Read};
use crate::error::{ApiError, Result};
use crate::features::delivery::dto::IncludedSnippet;
use crate::features::prompts::{Snippets, Source, SourceInput, SyntaxInput, TypeInput, resolve_snippets};
use crate::heavy::heavy;
use crate::http::{Body, Reply, Warning as MetaWarning};
use crate::state::App;

/// Texts shorter than this are checked at once; others beside the threads that serve requests.
const SHORT: usize = 4 * 1024;

/// A template to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// Text or chat; follows from `content` or `messages` when absent.
    #[serde(rename = "type")]
    pub kind: Option<TypeInput>,
    /// How the text is read; found when absent.
    pub syntax: Option<SyntaxInput>,
    /// The text of a text prompt.
    pub content: Option<String>,
    /// The messages of a chat prompt.
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Value>,
    /// The variable contract: a list, or a map by name.
    #[schema(value_type = Option<Value>)]
    pub variables: Option<Value>,
    /// Values to try it with.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Whether to render; true unless said.
    pub render: Option<bool>,
    /// The prompt it belongs to, so that a snippet that leads back to it is found out.
    #[schema(max_length = 100)]
    pub slug: Option<String>,
}

/// How it looks.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// How the text was read.
    #[schema(example = "simple")]
    pub syntax: String,
    /// The text, rendered as far as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The messages, rendered as far as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Content>,
    /// Whether values have been put in.
    pub rendered: bool,
    /// Declared variables, those of snippets included, then the discovered ones; each says whether it is `used`.
    #[schema(value_type = Vec<Object>)]
    pub variables: Vec<Value>,
    /// Variables that have neither value nor default.
    pub missing: Vec<String>,
    /// Everything that stands in the way of publishing it, or of rendering it with these values.
    pub problems: Vec<PreviewProblem>,
    /// Snippets it includes.
    pub includes: Vec<IncludedSnippet>,
    /// How much text that is.
    pub stats: Stats,
}

/// Something to mend.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewProblem {
    /// `TEMPLATE_ERROR`, `MISSING_VARIABLES` or `INVALID_VARIABLES`.
    pub code: &'static str,
    /// In plain words.
    pub message: String,
    /// Line, from 1; 0 when it is not about a place.
    pub line: u32,
    /// Column in characters, from 1; 0 when it is not about a place.
    pub column: u32,
    /// Line of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    /// Column just behind the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// Which message, of a chat prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_index: Option<usize>,
    /// Which part of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_index: Option<usize>,
    /// Which variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

/// How much text a prompt has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Characters.
    pub characters: usize,
    /// Words.
    pub words: usize,
    /// Lines.
    pub lines: usize,
}

/// Check a template
///
/// Compiles and renders a template that is not saved, as far as it goes, and tells everything that is wrong with it.
/// Always 200 when the request itself is well-formed.
#[utoipa::path(post, path = "/templates/preview", tag = "Prompts", request_body = PreviewRequest,
    responses(
        (status = 200, description = "How it looks, and what is wrong with it", body = Preview),
        (status = 413, description = "The text is larger than this server takes"),
        (status = 422, description = "Messages or variables are not well-formed"),
    ))]
pub async fn preview(
    State(app): State<App>,
    access: Allow<Read>,
    Body(request): Body<PreviewRequest>,
) -> Result<Reply<Preview>> {
    let PreviewRequest { kind, syntax, content, messages, variables, values, render, slug } = request;
    let input = SourceInput {
        kind: kind.map(Into::into),
        syntax: syntax.map(Into::into),
        content,
        messages,
        variables,
        config: None,
    };
    let mut problems = Vec::new();
    let source = input.read(None, false, &mut problems);
    if !problems.is_empty() {
        return Err(ApiError::validation(problems));
    }
    source.check_size(app.config().limits.content_bytes)?;
    let size = source.content.texts().map(|(_, text)| text.len()).sum::<usize>();
    let includes_any = !list_includes(&source.content, source.syntax).is_empty();
    let snippets = if includes_any {
        let mut tx = app.db().tenant(access.workspace).read().await?;
        let snippets = resolve_snippets(&mut tx, &source).await?;
        tx.commit().await?;
        snippets
    } else {
        Snippets::default()
    };
    // Tags may loop: a short template can take long as well.
    let has_tags = source.syntax == xr2_prompt::Syntax::Jinja
        && source.content.texts().any(|(_, text)| text.contains("{%"));
    let work = move || look_at(slug.as_deref(), &source, &snippets, &values, render.unwrap_or(true));
    let (preview, warnings) =
        if size <= SHORT && !includes_any && !has_tags { work() } else { heavy(work).await? };
    Ok(Reply::ok(preview).warnings(warnings.into_iter().map(meta_warning).collect()))
}

fn look_at(
    slug: Option<&str>,
    source: &Source,
    snippets: &Snippets,
    values: &Map<String, Value>,
    wants_render: bool,
) -> (Preview, Vec<Warning>) {
    let resolved = compile(slug, &source.content, source.syntax, &source.contract, &mut |target| {
        snippets.resolve(target)
    });
    let compiled = match resolved {
        Ok(compiled) => compiled,
        Err(error) => {
            let declared =
                source.contract.variables().iter().map(|spec| described(spec, false, false)).collect();
            let mut preview = preview_of(source, &source.content, declared);
            preview.problems = error.problems.into_iter().map(of_template).collect();
            return (preview, Vec::new());
        }
    };
    let variables = compiled.variables().iter().map(variable).collect();
    let mut preview = preview_of(source, compiled.template_form(), variables);
    preview.includes = includes_of(&compiled);
    if !wants_render {
        return (preview, Vec::new());
    }
    match render(&compiled, values, RenderOptions { lenient: true }) {
        Ok(rendered) => {
            preview.stats = stats_of(&rendered.content);
            (preview.content, preview.messages) = fields_of(rendered.content);
            preview.rendered = true;
            preview.missing = rendered.missing;
            preview.problems = rendered.problems.into_iter().map(of_variable).collect();
            (preview, rendered.warnings)
        }
        Err(RenderError::Template(problem)) => {
            preview.problems = vec![of_template(problem)];
            (preview, Vec::new())
        }
        Err(RenderError::Variables(problems)) => {
            preview.problems = problems.into_iter().map(of_variable).collect();
            (preview, Vec::new())
        }
    }
}

fn preview_of(source: &Source, content: &Content, variables: Vec<Value>) -> Preview {
    let stats = stats_of(content);
    let (text, messages) = fields_of(content.clone());
    Preview {
        syntax: source.syntax.as_str().to_owned(),
        content: text,
        messages,
        rendered: false,
        variables,
        missing: Vec::new(),
        problems: Vec::new(),
        includes: Vec::new(),
        stats,
    }
}

fn fields_of(content: Content) -> (Option<String>, Option<Content>) {
    match content {
        Content::Text(text) => (Some(text), None),
        chat @ Content::Chat(_) => (None, Some(chat)),
    }
}

fn stats_of(content: &Content) -> Stats {
    let counted = stats(content);
    Stats { characters: counted.characters, words: counted.words, lines: counted.lines }
}

fn variable(variable: &MergedVariable) -> Value {
    described(&variable.spec, variable.spec.discovered, variable.used)
}

fn described(spec: &xr2_prompt::VariableSpec, discovered: bool, used: bool) -> Value {
    let mut value = serde_json::to_value(spec).unwrap_or_default();
    value["discovered"] = discovered.into();
    value["used"] = used.into();
    value
}

fn includes_of(compiled: &Compiled) -> Vec<IncludedSnippet> {
    let snippet = |include: &xr2_prompt::IncludeRef| IncludedSnippet {
        slug: include.slug.clone(),
        version: include.version,
    };
    compiled.includes().iter().map(snippet).collect()
}

fn of_template(problem: TemplateProblem) -> PreviewProblem {
    PreviewProblem {
        code: "TEMPLATE_ERROR",
        message: problem.message,
        line: problem.line,
        column: problem.column,
        end_line: problem.end_line,
        end_column: problem.end_column,
        message_index: problem.message_index,
        part_index: problem.part_index,
        variable: None,
    }
}

fn of_variable(problem: VariableProblem) -> PreviewProblem {
    let is_missing = problem.problem == ValueFault::Missing;
    let VariableProblem { name, expected, .. } = problem;
    PreviewProblem {
        code: if is_missing { "MISSING_VARIABLES" } else { "INVALID_VARIABLES" },
        message: match is_missing {
            true => format!("`{name}` is required and has no value."),
            false => format!("`{name}` must be {expected}."),
        },
        line: 0,
        column: 0,
        end_line: None,
        end_column: None,
        message_index: None,
        part_index: None,
        variable: Some(name),
    }
}

fn meta_warning(warning: Warning) -> MetaWarning {
    MetaWarning {
        code: warning.code.to_owned(),
        message: warning.message,
        variable: warning.variable,
        nearest: warning.nearest,
    }
}
