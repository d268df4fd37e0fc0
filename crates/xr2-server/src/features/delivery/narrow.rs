//! `slugs=a,b` and `tags=x,y`: what bundles and streams may be narrowed to.

use std::collections::HashSet;

use crate::error::FieldProblem;
use crate::http::Params;

/// Prompts that may be named.
const MAX_SLUGS: usize = 500;

/// Tags that may be named.
const MAX_TAGS: usize = 50;

/// Slugs, former slugs or ids; none: all.
pub fn slugs(params: &Params, problems: &mut Vec<FieldProblem>) -> Option<HashSet<String>> {
    words(params, "slugs", MAX_SLUGS, problems)
}

/// Tags; none: prompts with any or without.
pub fn tags(params: &Params, problems: &mut Vec<FieldProblem>) -> Option<HashSet<String>> {
    words(params, "tags", MAX_TAGS, problems)
}

/// The words of a list separated by commas; none when it is absent or empty.
fn words(
    params: &Params,
    name: &str,
    most: usize,
    problems: &mut Vec<FieldProblem>,
) -> Option<HashSet<String>> {
    let text = params.get(name)?;
    let words: HashSet<String> =
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if words.len() > most {
        let message = format!("must name at most {most}; leave it out for all");
        problems.push(FieldProblem::new(name, "too_long", message));
    }
    (!words.is_empty()).then_some(words)
}
