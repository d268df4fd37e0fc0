//! A prompt, compiled once and rendered often.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::contract::{Contract, VariableSpec, VariableType};
use crate::include::{IncludeError, IncludeRef, IncludeTarget, MAX_INCLUDE_DEPTH, MAX_SNIPPETS, Snippet};
use crate::jinja;
use crate::jinja::tree::{Shape, Use};
use crate::model::{Content, PromptType, Syntax};
use crate::problem::{CompileError, TemplateProblem, TextPlace, VariableProblem};
use crate::render::{Body, SnippetBody};
use crate::simple::SimpleTemplate;
use crate::values::{Checker, Values};

/// How often snippets may be visited while their variables are gathered.
const MAX_VISITS: usize = 10_000;

/// A prompt ready to be rendered, with everything it includes. It can be shared between threads.
#[derive(Debug, Clone)]
pub struct Compiled {
    syntax: Syntax,
    form: Content,
    /// The content before its includes were put in line, when there are any.
    source: Option<Content>,
    bodies: Vec<Body>,
    snippets: Vec<SnippetBody>,
    includes: Vec<IncludeRef>,
    contract: Contract,
    checker: Checker,
    defaults: Map<String, Value>,
    /// Declared variables, then the discovered ones in order of first use.
    variables: Vec<MergedVariable>,
}

/// A variable of a compiled prompt: declared, here or in a snippet, or discovered.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedVariable {
    /// What is known of it; `discovered` when nobody declared it.
    pub spec: VariableSpec,
    /// Whether the template uses it.
    pub used: bool,
    /// Whether a jinja template uses it.
    by_jinja: bool,
}

impl Serialize for MergedVariable {
    /// The spec, with `discovered` and `used` always said.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = match serde_json::to_value(&self.spec).map_err(serde::ser::Error::custom)? {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.insert("discovered".to_owned(), Value::Bool(self.spec.discovered));
        fields.insert("used".to_owned(), Value::Bool(self.used));
        fields.serialize(serializer)
    }
}

/// Compiles a prompt. `slug` is its own, so that a snippet that leads back to it is found out; `resolve` gives
/// the snippets, already loaded (see [`list_includes`](crate::list_includes)).
pub fn compile(
    slug: Option<&str>,
    content: &Content,
    syntax: Syntax,
    contract: &Contract,
    resolve: &mut dyn FnMut(&IncludeTarget) -> Result<Snippet, IncludeError>,
) -> Result<Compiled, CompileError> {
    let mut compiler = Compiler {
        resolve,
        known: HashMap::new(),
        refused: HashMap::new(),
        snippets: Vec::new(),
        heights: Vec::new(),
        contracts: Vec::new(),
        includes: Vec::new(),
        path: slug.into_iter().map(str::to_owned).collect(),
        depth: 0,
    };
    let mut problems = Vec::new();
    let mut bodies = Vec::new();
    for (place, text) in content.texts() {
        match compiler.body(text, syntax) {
            Ok(body) => bodies.push(body),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.within(place))),
        }
    }
    if !problems.is_empty() {
        return Err(CompileError { problems });
    }
    compiler.finish(content, syntax, contract, bodies)
}

struct Compiler<'r> {
    resolve: &'r mut dyn FnMut(&IncludeTarget) -> Result<Snippet, IncludeError>,
    /// Snippets compiled so far, by what names them.
    known: HashMap<IncludeTarget, usize>,
    /// Those that cannot be included, so that naming one a thousand times costs no more than once.
    refused: HashMap<IncludeTarget, String>,
    snippets: Vec<SnippetBody>,
    /// How deep the includes below each snippet go.
    heights: Vec<usize>,
    contracts: Vec<Contract>,
    includes: Vec<IncludeRef>,
    /// Slugs on the way to where we are.
    path: Vec<String>,
    depth: usize,
}

impl Compiler<'_> {
    fn body(&mut self, text: &str, syntax: Syntax) -> Result<Body, Vec<TemplateProblem>> {
        match syntax {
            Syntax::None => Ok(Body::Plain),
            Syntax::Simple => Ok(Body::Simple(SimpleTemplate::parse(text))),
            Syntax::Jinja => {
                let template = jinja::compile(text, &mut |target| self.include(target))?;
                Ok(Body::Jinja(Box::new(template)))
            }
        }
    }

    /// The index of the snippet an include names, compiled now if it was not before.
    fn include(&mut self, target: &IncludeTarget) -> Result<usize, String> {
        if let Some(reason) = self.refused.get(target) {
            return Err(reason.clone());
        }
        let resolved = match self.known.get(target) {
            Some(&index) => self.fits_below(index, target),
            None => self.resolve_new(target),
        };
        match &resolved {
            Ok(index) => {
                self.known.insert(target.clone(), *index);
            }
            Err(reason) => {
                let reason = format!("`{target}` cannot be included: {reason}");
                self.refused.insert(target.clone(), reason.clone());
                return Err(reason);
            }
        }
        resolved
    }

    fn fits_below(&self, index: usize, target: &IncludeTarget) -> Result<usize, String> {
        let depth = self.depth + 1 + self.heights[index];
        if depth > MAX_INCLUDE_DEPTH { Err(too_deep(&self.path, &target.slug)) } else { Ok(index) }
    }

    fn resolve_new(&mut self, target: &IncludeTarget) -> Result<usize, String> {
        if self.known.len() + self.refused.len() >= MAX_SNIPPETS {
            return Err(format!("a prompt includes at most {MAX_SNIPPETS} snippets."));
        }
        let snippet = (self.resolve)(target).map_err(|error| error.0)?;
        if let Some(start) = self.path.iter().position(|slug| *slug == snippet.slug) {
            let mut circle = self.path[start..].to_vec();
            circle.push(snippet.slug);
            return Err(format!("it leads back to itself: {}.", circle.join(" → ")));
        }
        if self.depth == MAX_INCLUDE_DEPTH {
            return Err(too_deep(&self.path, &snippet.slug));
        }
        self.add(target, snippet)
    }

    fn add(&mut self, target: &IncludeTarget, snippet: Snippet) -> Result<usize, String> {
        let Content::Text(text) = snippet.content else {
            return Err("it is a chat prompt, and only text prompts can be included.".to_owned());
        };
        let reference = IncludeRef {
            slug: snippet.slug.clone(),
            selector: target.selector.clone(),
            version: snippet.version,
        };
        if !self
            .includes
            .iter()
            .any(|known| known.slug == reference.slug && known.version == reference.version)
        {
            self.includes.push(reference);
        }
        self.path.push(snippet.slug.clone());
        self.depth += 1;
        let body = self.body(&text, snippet.syntax);
        self.depth -= 1;
        self.path.pop();
        let body = body.map_err(|problems| problems.first().map_or_else(String::new, in_snippet))?;
        let height = self.height(&body);
        let snippet_body = SnippetBody { slug: snippet.slug, text, body };
        if let Some(name) = jinja::splice::unnameable(&snippet_body) {
            return Err(format!("its variable `{name}` is a word of the jinja syntax."));
        }
        self.snippets.push(snippet_body);
        self.heights.push(height);
        self.contracts.push(snippet.contract);
        Ok(self.snippets.len() - 1)
    }

    fn height(&self, body: &Body) -> usize {
        let Body::Jinja(template) = body else { return 0 };
        template.splices.iter().map(|splice| self.heights[splice.snippet] + 1).max().unwrap_or(0)
    }

    fn finish(
        self,
        content: &Content,
        syntax: Syntax,
        declared: &Contract,
        bodies: Vec<Body>,
    ) -> Result<Compiled, CompileError> {
        let mut gathering = Gathering {
            snippets: &self.snippets,
            contracts: &self.contracts,
            contract: Contract::of(
                declared.variables().iter().filter(|spec| !spec.discovered).cloned().collect(),
            ),
            found: Vec::new(),
            visited: HashSet::new(),
        };
        bodies.iter().for_each(|body| gathering.body(body, &[]));
        for placeholder in content.placeholders() {
            gathering.name(&placeholder.name, Shape::Items, false);
        }
        if gathering.visited.len() >= MAX_VISITS {
            return Err(whole_problem("The prompt includes its snippets in too many different loops."));
        }
        let (contract, found) = (gathering.contract, gathering.found);
        let form = put_in_line(content, &bodies, &self.snippets)?;
        let variables = merge(&contract, &found);
        let defaults = contract
            .variables()
            .iter()
            .filter_map(|spec| spec.default.clone().map(|default| (spec.name.clone(), default)))
            .collect();
        Ok(Compiled {
            syntax,
            source: (!self.snippets.is_empty()).then(|| content.clone()),
            form,
            bodies,
            snippets: self.snippets,
            includes: self.includes,
            checker: Checker::new(&contract),
            contract,
            defaults,
            variables,
        })
    }
}

fn too_deep(path: &[String], slug: &str) -> String {
    format!("includes go {MAX_INCLUDE_DEPTH} deep at most ({} → {slug}).", path.join(" → "))
}

fn in_snippet(problem: &TemplateProblem) -> String {
    format!(
        "its template has a fault in line {}, column {}: {}",
        problem.line, problem.column, problem.message
    )
}

fn whole_problem(message: impl Into<String>) -> CompileError {
    CompileError { problems: vec![TemplateProblem::whole(message)] }
}

fn put_in_line(
    content: &Content,
    bodies: &[Body],
    snippets: &[SnippetBody],
) -> Result<Content, CompileError> {
    let mut bodies = bodies.iter();
    content.map_texts(|place, text| match bodies.next() {
        Some(Body::Jinja(template)) if !template.splices.is_empty() => {
            jinja::splice::splice(text, template, snippets).map_err(|message| CompileError {
                problems: vec![TemplateProblem::whole(message).within(place)],
            })
        }
        _ => Ok(text.to_owned()),
    })
}

/// Gathers the names a prompt uses and the contracts of its snippets, in reading order.
struct Gathering<'a> {
    snippets: &'a [SnippetBody],
    contracts: &'a [Contract],
    contract: Contract,
    found: Vec<Found>,
    visited: HashSet<(usize, Vec<&'a str>)>,
}

struct Found {
    name: String,
    shape: Shape,
    by_jinja: bool,
}

impl<'a> Gathering<'a> {
    fn body(&mut self, body: &'a Body, bound: &[&'a str]) {
        match body {
            Body::Plain => {}
            Body::Simple(template) => {
                for slot in template.slots().iter().filter(|slot| !bound.contains(&slot.root())) {
                    let shape = if slot.root() == slot.path() { Shape::Plain } else { Shape::Fields };
                    self.name(slot.root(), shape, false);
                }
            }
            Body::Jinja(template) => template.uses.iter().for_each(|one| self.use_of(one, bound)),
        }
    }

    fn use_of(&mut self, one: &'a Use, bound: &[&'a str]) {
        match one {
            Use::Variable { name, .. } if bound.contains(&&**name) => {}
            Use::Variable { name, shape } => self.name(name, *shape, true),
            Use::Include { snippet, bound: by_loops } => {
                let mut inner: Vec<&str> =
                    bound.iter().copied().chain(by_loops.iter().map(|name| &**name)).collect();
                inner.sort_unstable();
                inner.dedup();
                if self.visited.len() >= MAX_VISITS || !self.visited.insert((*snippet, inner.clone())) {
                    return;
                }
                self.contract.absorb(&self.contracts[*snippet], |name| inner.contains(&name));
                let before = self.found.len();
                self.body(&self.snippets[*snippet].body, &inner);
                // Included into jinja, a name of a simple snippet is missed as one of jinja's is.
                self.found[before..].iter_mut().for_each(|found| found.by_jinja = true);
            }
        }
    }

    fn name(&mut self, name: &str, shape: Shape, by_jinja: bool) {
        match self.found.iter_mut().find(|found| found.name == name) {
            Some(found) => {
                found.shape = found.shape.max(shape);
                found.by_jinja |= by_jinja;
            }
            None => self.found.push(Found { name: name.to_owned(), shape, by_jinja }),
        }
    }
}

fn merge(contract: &Contract, found: &[Found]) -> Vec<MergedVariable> {
    let declared = contract.variables().iter().map(|spec| {
        let usage = found.iter().find(|found| found.name == spec.name);
        MergedVariable {
            spec: spec.clone(),
            used: usage.is_some(),
            by_jinja: usage.is_some_and(|found| found.by_jinja),
        }
    });
    let discovered = found.iter().filter(|found| contract.get(&found.name).is_none()).map(|found| {
        let r#type = match found.shape {
            Shape::Plain => VariableType::String,
            Shape::Fields => VariableType::Object,
            Shape::Items => VariableType::Array,
        };
        let spec = VariableSpec { discovered: true, ..VariableSpec::optional(&found.name, r#type) };
        MergedVariable { spec, used: true, by_jinja: found.by_jinja }
    });
    declared.chain(discovered).collect()
}

impl Compiled {
    /// Whether it is a text or a chat.
    pub fn prompt_type(&self) -> PromptType {
        self.form.prompt_type()
    }

    /// How its texts are read.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The content as a template, with includes in line.
    pub fn template_form(&self) -> &Content {
        &self.form
    }

    /// The snippets it holds, in order of first use, each version once.
    pub fn includes(&self) -> &[IncludeRef] {
        &self.includes
    }

    /// The declared variables, those of the snippets included: what values are checked against.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// All variables: the declared ones in the contract's order, then the discovered in order of first use.
    pub fn variables(&self) -> &[MergedVariable] {
        &self.variables
    }

    /// Whether there is nothing to fill in, so that the prompt is always delivered rendered.
    pub fn has_no_variables(&self) -> bool {
        self.variables.is_empty()
    }

    /// Problems of values, placeholders aside.
    pub fn check(&self, values: &Values) -> Vec<VariableProblem> {
        self.checker.check(&self.contract, values)
    }

    /// About how much memory it holds.
    pub fn approximate_bytes(&self) -> usize {
        let texts = |content: &Content| content.texts().map(|(_, text)| text.len() + 120).sum::<usize>();
        let bodies: usize = self.bodies.iter().map(body_bytes).sum();
        let snippets: usize =
            self.snippets.iter().map(|one| one.text.len() + 200 + body_bytes(&one.body)).sum();
        let variables = self.variables.len() * 3 * (size_of::<VariableSpec>() + 64);
        let patterns = self.contract.variables().iter().filter(|spec| spec.pattern.is_some()).count() * 8_192;
        size_of::<Self>()
            + texts(&self.form)
            + self.source.as_ref().map_or(0, texts)
            + bodies
            + snippets
            + variables
            + patterns
    }

    pub(crate) fn form(&self) -> &Content {
        &self.form
    }

    pub(crate) fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    pub(crate) fn snippets(&self) -> &[SnippetBody] {
        &self.snippets
    }

    pub(crate) fn default_of(&self, name: &str) -> Option<&Value> {
        if self.defaults.is_empty() { None } else { self.defaults.get(name) }
    }

    pub(crate) fn known_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.variables.iter().map(|variable| variable.spec.name.as_str())
    }

    /// Names that are empty, not left standing, where there is no value.
    pub(crate) fn names_used_by_jinja(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().filter(|variable| variable.by_jinja).map(|variable| variable.spec.name.as_str())
    }

    /// The text at a place, as its author wrote it.
    pub(crate) fn source_text(&self, place: TextPlace) -> &str {
        let content = self.source.as_ref().unwrap_or(&self.form);
        content.texts().find(|(other, _)| *other == place).map_or("", |(_, text)| text)
    }
}

fn body_bytes(body: &Body) -> usize {
    size_of::<Body>()
        + match body {
            Body::Plain => 0,
            Body::Simple(template) => template.heap_bytes(),
            Body::Jinja(template) => template.heap_bytes(),
        }
}
