//! Which syntax a content is written in, and what it uses, before anything is compiled.

use crate::compile::{Compiled, compile};
use crate::contract::Contract;
use crate::include::{IncludeTarget, Snippet};
use crate::jinja;
use crate::model::{Content, Syntax};
use crate::problem::CompileError;

/// The syntax of a content whose author named none: jinja if a text holds `{%`, or a `{{ … }}` that is no plain
/// name, and every text is a valid template of it; else simple.
pub fn detect_syntax(content: &Content) -> Syntax {
    let looks_like_jinja = content.texts().any(|(_, text)| hints_at_jinja(text));
    let compiles = || content.texts().all(|(_, text)| jinja::compile(text, &mut |_| Ok(0)).is_ok());
    if looks_like_jinja && compiles() { Syntax::Jinja } else { Syntax::Simple }
}

fn hints_at_jinja(text: &str) -> bool {
    if text.contains("{%") {
        return true;
    }
    let mut plain_from = 0;
    let template = crate::simple::SimpleTemplate::parse(text);
    let between =
        template.slots().iter().map(|slot| slot.range()).chain(std::iter::once(text.len()..text.len()));
    let mut rests = between.map(|range| {
        let rest = &text[plain_from..range.start];
        plain_from = range.end;
        rest
    });
    rests.any(|rest| rest.find("{{").is_some_and(|at| rest[at..].contains("}}")))
}

/// The includes of a content, each once, in order; none where it does not compile.
pub fn list_includes(content: &Content, syntax: Syntax) -> Vec<IncludeTarget> {
    let mut targets: Vec<IncludeTarget> = Vec::new();
    if syntax != Syntax::Jinja {
        return targets;
    }
    for (_, text) in content.texts().filter(|(_, text)| text.contains("{%")) {
        // What is wrong with the template is for the compiler to tell.
        let _ = jinja::compile(text, &mut |target| {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
            Ok(0)
        });
    }
    targets
}

/// Names of the variables a content uses, in order of first use; what its snippets use is not looked at.
pub fn discover(content: &Content, syntax: Syntax) -> Result<Vec<String>, CompileError> {
    let compiled = compile_alone(content, syntax)?;
    Ok(compiled.variables().iter().map(|variable| variable.spec.name.clone()).collect())
}

/// Compiles with empty texts for includes.
fn compile_alone(content: &Content, syntax: Syntax) -> Result<Compiled, CompileError> {
    compile(None, content, syntax, &Contract::default(), &mut |target| {
        Ok(Snippet {
            slug: target.slug.clone(),
            version: 0,
            content: Content::Text(String::new()),
            syntax: Syntax::None,
            contract: Contract::default(),
        })
    })
}
