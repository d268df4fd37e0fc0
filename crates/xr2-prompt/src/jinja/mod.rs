//! The jinja syntax: a closed subset, checked on the parsed tree.
//!
//! The grammar is minijinja's; its tree is copied into one of our own ([`tree`]) that can hold nothing but what is
//! allowed, and that is evaluated here with every step and every byte paid for ([`budget`]).

pub(crate) mod budget;
pub(crate) mod eval;
mod expression;
mod filters;
mod format;
mod lower;
mod scan;
pub(crate) mod splice;
pub(crate) mod tree;
mod value;

use crate::include::IncludeTarget;
use crate::problem::TemplateProblem;
pub(crate) use tree::Template;

/// Most problems told of one text.
const MAX_PROBLEMS: usize = 50;

/// Gives the snippet of an include its index, or says why there is none.
pub(crate) type ResolveInclude<'a> = dyn FnMut(&IncludeTarget) -> Result<usize, String> + 'a;

/// Parses and checks a template.
pub(crate) fn compile(
    text: &str,
    include: &mut ResolveInclude<'_>,
) -> Result<Template, Vec<TemplateProblem>> {
    compile_faults(text, include).map_err(|mut faults| {
        faults.sort_by_key(|(range, _)| range.start);
        faults.dedup();
        faults
            .into_iter()
            .take(MAX_PROBLEMS)
            .map(|(range, message)| TemplateProblem::at(text, range, message))
            .collect()
    })
}

fn compile_faults(text: &str, include: &mut ResolveInclude<'_>) -> Result<Template, Vec<scan::Fault>> {
    if text.len() > budget::MAX_TEXT {
        // It could never be rendered, so its author hears of it now.
        let message =
            "A jinja template may be 1 MiB at most; longer texts are for the syntaxes simple and none.";
        return Err(vec![(0..0, message.to_owned())]);
    }
    let tags = scan::scan(text)?;
    let tree = minijinja::machinery::parse(text, "prompt", scan::syntax_config())
        .map_err(|error| vec![scan::fault_of(&error, text)])?;
    lower::lower(text, &tree, &tags, include)
}
