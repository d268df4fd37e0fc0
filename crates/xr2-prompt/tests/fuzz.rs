//! Whatever comes in: no panic, no surprise.

mod common;

use std::convert::Infallible;

use proptest::prelude::*;
use serde_json::Value;
use xr2_prompt::{
    Content, Contract, Entry, IncludeError, LineKind, Message, RenderError, RenderOptions, Role, Side,
    Snippet, Syntax, coerce_query, compile, detect_syntax, diff, discover, list_includes, render, value_text,
};

fn snippets(target: &xr2_prompt::IncludeTarget) -> Result<Snippet, IncludeError> {
    match target.slug.as_str() {
        "s" => Ok(Snippet {
            slug: "s".to_owned(),
            version: 1,
            content: Content::Text("[{{ a }}{% if %}{".to_owned()),
            syntax: Syntax::Simple,
            contract: Contract::default(),
        }),
        _ => Err(IncludeError("there is no such prompt.".to_owned())),
    }
}

fn render_text(
    text: &str,
    syntax: Syntax,
    values: &serde_json::Map<String, Value>,
) -> Option<Result<String, RenderError>> {
    let content = Content::Text(text.to_owned());
    let compiled = compile(Some("root"), &content, syntax, &Contract::default(), &mut snippets).ok()?;
    let rendered = render(&compiled, values, RenderOptions::default());
    Some(rendered.map(|rendered| match rendered.content {
        Content::Text(text) => text,
        Content::Chat(_) => unreachable!("a text stays a text"),
    }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in common::template_like(), values in common::values()) {
        let content = Content::Text(text.clone());
        let syntax = detect_syntax(&content);
        prop_assert!(discover(&content, syntax).is_ok() || !list_includes(&content, syntax).is_empty());
        for syntax in [Syntax::Simple, Syntax::Jinja, Syntax::None] {
            let _ = render_text(&text, syntax, &values);
        }
    }

    #[test]
    fn problems_lie_within_the_text(text in common::template_like()) {
        let content = Content::Text(text.clone());
        let Err(error) = compile(Some("root"), &content, Syntax::Jinja, &Contract::default(), &mut snippets) else {
            return Ok(());
        };
        prop_assert!(!error.problems.is_empty());
        for problem in error.problems {
            let line = text.split('\n').nth(problem.line as usize - 1);
            let length = line.map(|line| line.chars().count());
            prop_assert!(length.is_some_and(|length| (problem.column as usize) <= length + 1), "{problem:?}");
            prop_assert!(!problem.message.is_empty());
        }
    }

    #[test]
    fn none_is_identity(text in any::<String>(), values in common::values()) {
        prop_assert_eq!(render_text(&text, Syntax::None, &values), Some(Ok(text)));
    }

    #[test]
    fn simple_puts_in_what_it_discovers(text in common::template_like()) {
        let names = discover(&Content::Text(text.clone()), Syntax::Simple).expect("simple always compiles");
        // With nothing given all stays as it is.
        prop_assert_eq!(render_text(&text, Syntax::Simple, &serde_json::Map::new()), Some(Ok(text.clone())));
        // With everything given, nothing of what was discovered is left, and no other name matters.
        let marked = |prefix: &str| names.iter().map(|name| (name.clone(), Value::from(format!("{prefix}{name}")))).collect();
        let content = Content::Text(text.clone());
        let compiled = compile(None, &content, Syntax::Simple, &Contract::default(), &mut snippets).expect("compiles");
        let rendered = render(&compiled, &marked("<"), RenderOptions::default()).expect("renders");
        let paths_only = rendered.missing.iter().all(|path| path.contains('.'));
        prop_assert!(paths_only, "{:?}", rendered.missing);
        prop_assert!(rendered.warnings.is_empty());
        prop_assert_eq!(names.is_empty(), rendered.content == content && rendered.missing.is_empty());
    }

    #[test]
    fn simple_values_are_never_read(text in "[a-z{} \n]{0,30}", value in common::template_like()) {
        // Rendering with a neutral value and exchanging it afterwards is the same as rendering with the value.
        let neutral = "\u{1}";
        let one = |value: &str| serde_json::Map::from_iter([("a".to_owned(), Value::from(value))]);
        let template = format!("{text}{{{{ a }}}}{text}");
        let expected = render_text(&template, Syntax::Simple, &one(neutral)).expect("compiles").expect("renders");
        let actual = render_text(&template, Syntax::Simple, &one(&value)).expect("compiles").expect("renders");
        prop_assert_eq!(actual, expected.replace(neutral, &value));
    }

    #[test]
    fn valid_jinja_compiles_and_values_are_never_read(text in common::jinja(), values in common::all_values()) {
        let rendered = render_text(&text, Syntax::Jinja, &values);
        prop_assert!(rendered.is_some(), "{}", text);
    }

    #[test]
    fn includes_in_line_render_the_same(
        before in common::jinja(), after in common::jinja(), snippet in common::template_like(),
        kind in 0..3_usize, trim in 0..4_usize, values in common::values(),
    ) {
        let syntax = [Syntax::Simple, Syntax::None, Syntax::Jinja][kind];
        let tag = ["{% include 'x' %}", "{%- include 'x' %}", "{% include 'x' -%}", "{%- include 'x' -%}"][trim];
        let content = Content::Text(format!("{before}{tag}{after}"));
        let mut resolve = |_: &xr2_prompt::IncludeTarget| Ok(Snippet {
            slug: "x".to_owned(), version: 1, content: Content::Text(snippet.clone()), syntax, contract: Contract::default(),
        });
        let Ok(compiled) = compile(None, &content, Syntax::Jinja, &Contract::default(), &mut resolve) else { return Ok(()) };
        let Content::Text(form) = compiled.template_form() else { return Ok(()) };
        let whole = render(&compiled, &values, RenderOptions::default());
        let inline = render_text(form, Syntax::Jinja, &values);
        match (whole, inline) {
            (Ok(whole), Some(Ok(inline))) => prop_assert_eq!(whole.content, Content::Text(inline)),
            (Err(_), Some(Err(_))) => {}
            other => prop_assert!(false, "{:?} of {}", other, form),
        }
    }

    #[test]
    fn a_difference_leads_back_to_both_sides(old in lines(), new in lines()) {
        let (before, after) = (Content::Text(old.clone()), Content::Text(new.clone()));
        let (contract, config) = (Contract::default(), Value::Null);
        let side = |content| Side { content, syntax: Syntax::None, contract: &contract, config: &config };
        let difference = diff(&side(&before), &side(&after), None);
        let text = |not: LineKind| {
            let kept = difference.lines.iter().filter(|line| line.kind != not);
            kept.map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
        };
        prop_assert_eq!(text(LineKind::Insert), old.clone());
        prop_assert_eq!(text(LineKind::Delete), new.clone());
        prop_assert_eq!(difference.summary == "No changes", old == new);
        for line in &difference.lines {
            prop_assert_eq!(line.old.is_some(), line.kind != LineKind::Insert);
            prop_assert_eq!(line.new.is_some(), line.kind != LineKind::Delete);
            if let Some(segments) = &line.segments {
                prop_assert_eq!(segments.iter().map(|segment| segment.text.as_str()).collect::<String>(), line.text.clone());
            }
        }
    }

    #[test]
    fn contents_survive_json(texts in prop::collection::vec(any::<String>(), 0..5)) {
        let entries = texts.iter().map(|text| Entry::Message(Message::text(Role::User, text.clone())));
        let content = Content::Chat(entries.collect());
        let json = serde_json::to_value(&content).expect("serialises");
        prop_assert_eq!(serde_json::from_value::<Content>(json).expect("reads"), content.clone());
        prop_assert_eq!(content.map_texts(|_, text| Ok::<_, Infallible>(text.to_owned())), Ok(content));
    }

    #[test]
    fn contracts_are_read_without_panic(contract in common::value(), value in common::value(), text in any::<String>()) {
        let _ = Contract::from_value(&contract, "variables");
        let spec = serde_json::json!([{"name": "a", "type": "integer", "default": value, "min": 1, "pattern": text}]);
        let _ = Contract::from_value(&spec, "variables");
        let _ = Content::from_messages(&contract, "messages");
    }

    #[test]
    fn query_text_is_read_by_type(value in common::value()) {
        let kind = match &value {
            Value::Null => return Ok(()),
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let contract = Contract::from_value(&serde_json::json!([{"name": "a", "type": kind}]), "variables").expect("contract");
        let read = coerce_query(&contract, [("a", value_text(&value).as_str())]);
        prop_assert_eq!(value_text(&read["a"]), value_text(&value));
    }
}

fn lines() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-c ]{0,6}\r?", 0..12).prop_map(|lines| lines.join("\n"))
}
