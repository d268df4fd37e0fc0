//! Pinning includes: `{% include "slug" %}` becomes `{% include "slug@7" %}`.

use crate::include::{IncludeError, IncludeTarget};
use crate::jinja;
use crate::model::{Content, Syntax};
use crate::problem::{CompileError, TemplateProblem};

/// Every direct include pinned to the version that `version_of` gives for it.
pub fn pin_includes(
    content: &Content,
    syntax: Syntax,
    version_of: &mut dyn FnMut(&IncludeTarget) -> Result<i64, IncludeError>,
) -> Result<Content, CompileError> {
    if syntax != Syntax::Jinja {
        return Ok(content.clone());
    }
    content.map_texts(|place, text| {
        pin_text(text, version_of).map_err(|problems| CompileError {
            problems: problems.into_iter().map(|problem| problem.within(place)).collect(),
        })
    })
}

fn pin_text(
    text: &str,
    version_of: &mut dyn FnMut(&IncludeTarget) -> Result<i64, IncludeError>,
) -> Result<String, Vec<TemplateProblem>> {
    let mut pinned: Vec<String> = Vec::new();
    let template = jinja::compile(text, &mut |target| {
        let version = version_of(target).map_err(|error| error.0)?;
        pinned.push(format!("{}@{version}", target.slug));
        Ok(pinned.len() - 1)
    })?;
    let mut out = String::with_capacity(text.len());
    let mut plain_from = 0;
    for splice in &template.splices {
        out.push_str(&text[plain_from..splice.range.start]);
        plain_from = splice.range.end;
        let (open, close) =
            (if splice.trim_before { "{%-" } else { "{%" }, if splice.trim_after { "-%}" } else { "%}" });
        out.push_str(&format!("{open} include \"{}\" {close}", pinned[splice.snippet]));
    }
    out.push_str(&text[plain_from..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_include_names_the_version_it_has_now() {
        let content = Content::Text("A {%- include 'tone' %} {% include \"tone@beta\" -%} z\n".into());
        let pinned = pin_includes(&content, Syntax::Jinja, &mut |target| {
            Ok(if target.label() == Some("beta") { 9 } else { 4 })
        });
        let text = "A {%- include \"tone@4\" %} {% include \"tone@9\" -%} z\n";
        assert_eq!(pinned.unwrap(), Content::Text(text.into()));
        assert_eq!(pin_includes(&content, Syntax::None, &mut |_| Ok(1)).unwrap(), content);
    }
}
