//! Templates of the shared subset render as minijinja renders them, its printing exchanged for ours.

#[expect(dead_code, reason = "each test uses some of it")]
mod common;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use proptest::prelude::*;
use serde_json::{Map, Value};
use xr2_prompt::{Content, Contract, IncludeError, RenderOptions, Syntax, compile, render, value_text};

/// The text of a value as we print it.
fn printed(value: &minijinja::Value) -> String {
    value_text(&serde_json::to_value(value).unwrap_or_default())
}

/// What minijinja's own filter makes of a text.
fn builtin(filter: &str, text: String) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let expression = environment.compile_expression(filter).expect("filter");
    let value = expression.eval(minijinja::context! { text }).expect("evaluates");
    value.as_str().expect("text").to_owned()
}

/// Filters over texts see our text of what is no string.
fn over_texts(environment: &mut Environment<'static>) {
    for name in ["upper", "lower", "title", "capitalize", "trim", "string"] {
        let filter = format!("text|{name}");
        environment.add_filter(name, move |value: &minijinja::Value| builtin(&filter, printed(value)));
    }
    environment.add_filter("indent", |value: &minijinja::Value, width: usize| {
        builtin(&format!("text|indent({width})"), printed(value))
    });
    environment.add_filter("replace", |value: &minijinja::Value, from: &str, to: &str| {
        builtin(&format!("text|replace('{from}', '{to}')"), printed(value))
    });
    environment.add_filter("join", |value: &minijinja::Value, separator: &str| {
        let items = value.try_iter()?.map(|item| printed(&item));
        Ok::<_, minijinja::Error>(items.collect::<Vec<_>>().join(separator))
    });
}

/// Pairs are a list with us; minijinja's iterate without being one, and stand elsewhere among values of unlike kinds.
fn as_list(environment: &mut Environment<'static>) {
    environment.add_filter("items", |value: &minijinja::Value| {
        minijinja::filters::items(value)?.try_iter().map(Iterator::collect::<minijinja::Value>)
    });
}

fn theirs(text: &str, values: &Map<String, Value>) -> Option<String> {
    let mut environment = Environment::new();
    let syntax = minijinja::syntax::SyntaxConfig::builder().keep_trailing_newline(true).build().ok()?;
    environment.set_syntax(syntax);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    over_texts(&mut environment);
    as_list(&mut environment);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(|out, _, value| out.write_str(&printed(value)).map_err(minijinja::Error::from));
    environment.render_str(text, minijinja::Value::from(Serde(values))).ok()
}

fn ours(text: &str, values: &Map<String, Value>) -> Option<String> {
    let content = Content::Text(text.to_owned());
    let mut nothing = |_: &_| Err(IncludeError(String::new()));
    let compiled = compile(None, &content, Syntax::Jinja, &Contract::default(), &mut nothing).ok()?;
    match render(&compiled, values, RenderOptions::default()).ok()?.content {
        Content::Text(text) => Some(text),
        Content::Chat(_) => None,
    }
}

#[test]
fn pairs_are_ordered_as_a_list() {
    let values = Map::from_iter([("a".to_owned(), Value::Object(Map::new()))]);
    for (text, expected) in [("{{ a < a|items }}", "false"), ("{{ a|items < a }}", "true")] {
        assert_eq!(ours(text, &values).as_deref(), Some(expected), "{text}");
        assert_eq!(theirs(text, &values).as_deref(), Some(expected), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn renders_as_minijinja_does(text in common::jinja(), values in common::all_values()) {
        // Where minijinja fails we may be lenient; where it renders, we render the same.
        if let Some(expected) = theirs(&text, &values) {
            prop_assert_eq!(ours(&text, &values), Some(expected), "{}", text);
        }
    }
}
