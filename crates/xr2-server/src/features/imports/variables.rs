//! Variables as other collections write them, turned into xr2's. What is no variable stays, letter for letter, what it
//! was: `{{Hostname}}` in a code sample, JSON, LaTeX.

use std::ops::Range;

use serde_json::Value;
use xr2_prompt::{Syntax, VariableSpec, VariableType};

use crate::features::imports::Converted;

/// How variables are written in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notation {
    /// `${Name}` and `${Name: default}`; double braces mean nothing.
    Dollar,
    /// `{{ name }}` outside code samples.
    Braces,
    /// There are none.
    None,
}

impl Notation {
    /// A collection that writes `${Name}` anywhere writes all its variables so.
    pub fn detect<'a>(texts: impl Iterator<Item = &'a str>) -> Notation {
        if texts.into_iter().any(|text| !dollars(text).is_empty()) {
            Notation::Dollar
        } else {
            Notation::Braces
        }
    }
}

impl std::str::FromStr for Notation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "dollar" => Ok(Notation::Dollar),
            "braces" => Ok(Notation::Braces),
            "none" => Ok(Notation::None),
            _ => Err("expected dollar, braces or none".into()),
        }
    }
}

/// A piece of a text that stands for a variable.
struct Hole {
    range: Range<usize>,
    name: String,
    default: Option<String>,
}

/// Turns `text` into a template whose rendering with defaults is what an author of that collection expects.
pub fn convert(text: &str, notation: Notation) -> Converted {
    let (holes, variables) = match notation {
        Notation::Dollar => named(text, dollars(text)),
        Notation::Braces => named(text, braces(text)),
        Notation::None => (Vec::new(), Vec::new()),
    };
    if holes.is_empty() {
        // Nothing is special, so nothing can be taken for a variable, now or after an edit elsewhere.
        let looks_special = text.contains("{{") || text.contains("{%");
        let syntax = if looks_special { Syntax::None } else { Syntax::Simple };
        return Converted { text: text.to_owned(), syntax, variables };
    }
    let simple = fill(text, &holes, |literal| literal.to_owned());
    // The simple syntax knows plain names only. It is right unless a literal piece would be read as a variable too.
    let reads_as_meant = {
        let found = xr2_prompt::discover(&xr2_prompt::Content::Text(simple.clone()), Syntax::Simple)
            .unwrap_or_default();
        let literal_is_plain = literals(text, &holes).all(|literal| !has_plain_braces(literal));
        literal_is_plain && found.iter().all(|name| variables.iter().any(|spec| spec.name == *name))
    };
    if reads_as_meant {
        return Converted { text: simple, syntax: Syntax::Simple, variables };
    }
    Converted { text: fill(text, &holes, raw), syntax: Syntax::Jinja, variables }
}

fn literals<'a>(text: &'a str, holes: &'a [Hole]) -> impl Iterator<Item = &'a str> {
    let mut from = 0;
    holes.iter().map(|hole| Some(&hole.range)).chain([None]).map(move |range| {
        let piece = &text[from..range.map_or(text.len(), |range| range.start)];
        from = range.map_or(text.len(), |range| range.end);
        piece
    })
}

fn fill(text: &str, holes: &[Hole], literal: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, piece) in literals(text, holes).enumerate() {
        out.push_str(&literal(piece));
        if let Some(hole) = holes.get(index) {
            out.push_str("{{ ");
            out.push_str(&hole.name);
            out.push_str(" }}");
        }
    }
    out
}

/// A literal piece for a jinja template: what jinja would read is fenced off.
fn raw(literal: &str) -> String {
    let special = ["{{", "{%", "{#"].iter().any(|mark| literal.contains(mark)) || literal.ends_with('{');
    if !special {
        return literal.to_owned();
    }
    // A literal `endraw` tag would end the fence: its brace is written by itself.
    let mut out = String::new();
    for (index, piece) in literal.split("{%").enumerate() {
        if index > 0 {
            out.push_str("{{ \"{%\" }}");
        }
        if !piece.is_empty() {
            out.push_str(&format!("{{% raw %}}{piece}{{% endraw %}}"));
        }
    }
    out
}

fn has_plain_braces(literal: &str) -> bool {
    !xr2_prompt::discover(&xr2_prompt::Content::Text(literal.to_owned()), Syntax::Simple)
        .unwrap_or_default()
        .is_empty()
}

/// A variable as the collection writes it: where, its name, its default.
type Written = (Range<usize>, String, Option<String>);

/// `${Name}` and `${Name: default}`, on one line.
fn dollars(text: &str) -> Vec<Written> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at) {
        from = start + 2;
        let Some(length) = text[from..].find(['}', '\n', '{']) else { break };
        let end = from + length;
        if !text[end..].starts_with('}') {
            continue;
        }
        let inner = &text[from..end];
        let (name, default) = match inner.split_once(':') {
            Some((name, default)) => (name.trim(), Some(default.trim())),
            None => (inner.trim(), None),
        };
        from = end + 1;
        let named = name.chars().any(char::is_alphanumeric) && name.chars().count() <= 80;
        if named && !name.contains(['(', ')', '"', '`', '$', '=', '.']) {
            let default = default.filter(|default| !default.is_empty()).map(str::to_owned);
            found.push((start..end + 1, name.to_owned(), default));
        }
    }
    found
}

/// `{{ name }}` outside code samples.
fn braces(text: &str) -> Vec<Written> {
    let code = code_samples(text);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        from = start + 2;
        let Some(end) = text[from..].find("}}").map(|at| from + at) else { break };
        let name = text[from..end].trim_matches([' ', '\t', '\r', '\n']);
        if xr2_prompt::is_name(name) && !code.iter().any(|sample| sample.contains(&start)) {
            found.push((start..end + 2, name.to_owned(), None));
            from = end + 2;
        }
    }
    found
}

/// Fenced blocks and `inline code` of Markdown.
fn code_samples(text: &str) -> Vec<Range<usize>> {
    let mut samples = Vec::new();
    let mut fence: Option<(usize, char)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let mark = ['`', '~'].into_iter().find(|mark| trimmed.starts_with(&mark.to_string().repeat(3)));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some((offset, mark)),
            (Some((start, open)), Some(mark)) if open == mark => {
                samples.push(start..offset + line.len());
                fence = None;
            }
            (None, None) => {
                samples.extend(inline_code(line).map(|range| range.start + offset..range.end + offset))
            }
            _ => {}
        }
        offset += line.len();
    }
    if let Some((start, _)) = fence {
        samples.push(start..text.len());
    }
    samples
}

fn inline_code(line: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let marks: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    (0..marks.len() / 2).map(move |pair| marks[pair * 2]..marks[pair * 2 + 1] + 1)
}

/// Gives each written name one of ours: `Company Type` becomes `company_type`. The first default counts.
fn named(text: &str, written: Vec<Written>) -> (Vec<Hole>, Vec<VariableSpec>) {
    let mut holes = Vec::new();
    let mut specs: Vec<VariableSpec> = Vec::new();
    for (range, original, default) in written {
        let is_plain = text[range.clone()].starts_with("{{");
        let name = if is_plain { original.clone() } else { variable_name(&original) };
        match specs.iter_mut().find(|spec| spec.name == name) {
            Some(spec) => {
                if let (None, Some(default)) = (&spec.default, &default) {
                    spec.default = Some(Value::String(default.clone()));
                    spec.required = false;
                }
            }
            None => specs.push(VariableSpec {
                name: name.clone(),
                r#type: VariableType::String,
                required: default.is_none() && !is_plain,
                default: default.clone().map(Value::String),
                description: (original != name).then(|| original.clone()),
                ..VariableSpec::default()
            }),
        }
        holes.push(Hole { range, name, default });
    }
    debug_assert!(holes.iter().all(|hole| hole.default.is_none() || !specs.is_empty()));
    (holes, specs)
}

/// Lower-case letters, digits and underscores, beginning with a letter.
pub fn variable_name(original: &str) -> String {
    let plain = crate::features::prompts::slugify(original).replace('-', "_");
    let plain = if original.chars().any(|c| c.is_ascii_alphanumeric()) { plain } else { "value".to_owned() };
    let name = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("value_{plain}") } else { plain };
    if xr2_prompt::is_name(&name) { name } else { format!("{name}_value") }
}

#[cfg(test)]
mod tests {
    use xr2_prompt::{Content, Contract, RenderOptions, Values, compile, render};

    use super::*;

    fn rendered(converted: &Converted) -> String {
        let content = Content::Text(converted.text.clone());
        let contract = Contract::of(converted.variables.clone());
        let compiled =
            compile(None, &content, converted.syntax, &contract, &mut |_| unreachable!()).expect("compiles");
        let mut values = Values::new();
        for spec in contract.variables().iter().filter(|spec| spec.default.is_none()) {
            values.insert(spec.name.clone(), Value::String(format!("<{}>", spec.name)));
        }
        match render(&compiled, &values, RenderOptions::default()).expect("renders").content {
            Content::Text(text) => text,
            Content::Chat(_) => unreachable!(),
        }
    }

    #[test]
    fn dollar_names_become_variables_with_defaults() {
        let converted = convert(
            "For the ${Position:Software Developer} at ${Company Type: Big Company}, ${Mood}.",
            Notation::Dollar,
        );
        assert_eq!(converted.text, "For the {{ position }} at {{ company_type }}, {{ mood }}.");
        assert_eq!(converted.syntax, Syntax::Simple);
        let [position, company, mood] = converted.variables.as_slice() else { panic!("three variables") };
        assert_eq!(position.default, Some("Software Developer".into()));
        assert_eq!(
            (company.name.as_str(), company.description.as_deref()),
            ("company_type", Some("Company Type"))
        );
        assert!(mood.required && mood.default.is_none() && !position.required);
        assert_eq!(rendered(&converted), "For the Software Developer at Big Company, <mood>.");
    }

    #[test]
    fn braces_that_are_no_variables_stay() {
        for text in
            ["ssh {{Hostname}}", "{\"a\": {\"b\": 1}}", "\\frac{{a}}{{b}}", "{% if x %}", "{{code here}}"]
        {
            let converted = convert(text, Notation::Dollar);
            assert_eq!((converted.text.as_str(), rendered(&converted).as_str()), (text, text));
            assert!(converted.variables.is_empty());
        }
    }

    #[test]
    fn braces_beside_variables_stay_as_well() {
        for (text, expected) in [
            ("${Name} runs `ssh {{Hostname}}`", "<name> runs `ssh {{Hostname}}`"),
            ("{% raw %} ${Name} {% endraw %} {# c #} {{x}}", "{% raw %} <name> {% endraw %} {# c #} {{x}}"),
            ("{${Name}} {{x}}", "{<name>} {{x}}"),
        ] {
            let converted = convert(text, Notation::Dollar);
            assert_eq!(rendered(&converted), expected, "{}", converted.text);
        }
    }

    #[test]
    fn markdown_variables_stand_outside_code() {
        let text =
            "Write like {{author_name}}.\n```sh\nssh {{Hostname}}\n```\nand `{{inline}}` {{ not a name }}\n";
        let converted = convert(text, Notation::Braces);
        assert_eq!(converted.variables.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["author_name"]);
        assert_eq!(
            rendered(&converted),
            text.replace("{{author_name}}", "<author_name>")
                .replace("<author_name>", "{{author_name}}")
                .replacen("{{author_name}}", &given(&converted), 1)
        );
    }

    /// An optional variable without a value stays as it is in the simple syntax and is empty in jinja; here it is given.
    fn given(converted: &Converted) -> String {
        format!("<{}>", converted.variables[0].name)
    }

    #[test]
    fn names_are_usable() {
        for (original, name) in [
            ("Company Type", "company_type"),
            ("İl", "il"),
            ("日本", "value"),
            ("3 words", "value_3_words"),
            ("Brand's core", "brands_core"),
        ] {
            assert_eq!(variable_name(original), name);
        }
    }
}
