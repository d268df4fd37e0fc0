//! Contents, contracts and query values from JSON: what is accepted, and all that is wrong at once.

use serde_json::{Value, json};
use xr2_prompt::{
    Content, Contract, FieldProblem, IncludeError, RenderOptions, Snippet, Syntax, Values, coerce_query,
    compile, excerpt, render, stats,
};

fn fields(problems: &[FieldProblem]) -> Vec<(&str, &str)> {
    problems.iter().map(|problem| (problem.field.as_str(), problem.code)).collect()
}

fn contract(value: Value) -> Contract {
    Contract::from_value(&value, "variables").expect("contract")
}

#[test]
fn a_contract_is_a_list_or_a_map_and_leaves_as_a_list() {
    let map =
        contract(json!({"tone": {"type": "string", "default": "kind", "required": true}, "n": "integer"}));
    let expected = json!([
        {"name": "tone", "type": "string", "required": false, "default": "kind"},
        {"name": "n", "type": "integer", "required": false},
    ]);
    assert_eq!(json!(map), expected);
    assert_eq!(contract(json!(map)), map);
    assert!(contract(Value::Null).is_empty());
}

#[test]
fn what_was_discovered_declares_nothing() {
    let read = contract(json!([
        {"name": "a", "type": "string", "required": false, "discovered": true},
        {"name": "b", "type": "string", "required": true, "discovered": true},
    ]));
    assert_eq!(json!(read), json!([{"name": "b", "type": "string", "required": true}]));
}

#[test]
fn all_that_is_wrong_with_a_contract_is_told() {
    let broken = json!([
        {"name": "1a"}, {"type": "string"}, {"name": "t", "type": "text"}, {"name": "n", "type": "number", "min": 2, "max": 1},
        {"name": "d", "type": "integer", "default": "x"}, {"name": "e", "enum": ["a", 5]}, {"name": "p", "pattern": "("},
        {"name": "s", "max": 3}, {"name": "l", "min_length": 3, "max_length": 2}, {"name": "u", "colour": 1},
        {"name": "same"}, {"name": "same"}, 5, {"name": "v", "enum": ["a"], "sample": "b"}, {"name": "r", "required": "yes"},
        {"name": "x", "items": "string"}, {"name": "w", "enum": []}, {"name": "y", "type": "array", "items": "thing"},
    ]);
    let problems = Contract::from_value(&broken, "variables").expect_err("broken");
    let expected = [
        ("variables[0].name", "invalid"),
        ("variables[1].name", "required"),
        ("variables[2].type", "invalid"),
        ("variables[3].max", "invalid"),
        ("variables[4].default", "invalid"),
        ("variables[5].enum", "invalid"),
        ("variables[6].pattern", "invalid"),
        ("variables[7].max", "invalid"),
        ("variables[8].max_length", "invalid"),
        ("variables[9].colour", "unknown_field"),
        ("variables[11].name", "taken"),
        ("variables[12]", "invalid"),
        ("variables[13].sample", "invalid"),
        ("variables[14].required", "invalid"),
        ("variables[15].items", "invalid"),
        ("variables[16].enum", "invalid"),
        ("variables[17].items", "invalid"),
    ];
    assert_eq!(fields(&problems), expected);
    let many: Vec<_> = (0..201).map(|number| json!({"name": format!("v{number}")})).collect();
    let problems = Contract::from_value(&json!(many), "variables").expect_err("too many");
    assert_eq!(fields(&problems), [("variables", "too_long")]);
}

#[test]
fn all_that_is_wrong_with_messages_is_told() {
    let broken = json!([
        {"role": "robot", "content": "x"}, {"content": "x"}, {"role": "user"}, {"role": "user", "content": 5},
        {"role": "user", "content": "x", "colour": 1}, {"role": "user", "content": [{"type": "video"}]},
        {"role": "user", "content": [{"type": "image"}]}, {"role": "user", "content": [{"type": "image", "data": "aGk="}]},
        {"role": "user", "content": "x", "tool_calls": []}, {"type": "placeholder"}, {"type": "thing"}, "x",
        {"role": "assistant", "tool_calls": [1], "content": "x"},
    ]);
    let problems = Content::from_messages(&broken, "messages").expect_err("broken");
    let expected = [
        ("messages[0].role", "invalid"),
        ("messages[1].role", "required"),
        ("messages[2].content", "required"),
        ("messages[3].content", "invalid"),
        ("messages[4].colour", "unknown_field"),
        ("messages[5].content[0]", "invalid"),
        ("messages[6].content[0]", "invalid"),
        ("messages[7].content[0].media_type", "required"),
        ("messages[8].tool_calls", "invalid"),
        ("messages[9].name", "invalid"),
        ("messages[10].type", "invalid"),
        ("messages[11]", "invalid"),
        ("messages[12].tool_calls", "invalid"),
    ];
    assert_eq!(fields(&problems), expected);
    assert_eq!(
        fields(&Content::from_messages(&json!({}), "messages").expect_err("no list")),
        [("messages", "invalid")]
    );
}

#[test]
fn an_unfinished_content_says_what_it_lacks() {
    assert_eq!(fields(&Content::Text("  \n".to_owned()).problems()), [("content", "required")]);
    assert_eq!(fields(&Content::Chat(Vec::new()).problems()), [("messages", "required")]);
    assert!(Content::Text("x".to_owned()).problems().is_empty());
}

#[test]
fn query_text_is_read_by_declared_type() {
    let declared = contract(json!([
        {"name": "n", "type": "integer"}, {"name": "f", "type": "number"}, {"name": "b", "type": "boolean"},
        {"name": "l", "type": "array", "items": "integer"}, {"name": "t", "type": "array"}, {"name": "o", "type": "object"},
        {"name": "s", "type": "string"}, {"name": "bad", "type": "integer"},
    ]));
    let pairs = [
        ("n", "5"),
        ("f", "1e3"),
        ("b", "true"),
        ("l", "1"),
        ("l", "2"),
        ("t", "[\"a\",1]"),
        ("o", "{\"a\":1}"),
        ("s", "5"),
        ("bad", "five"),
        ("free", "7"),
        ("free", "8"),
    ];
    let expected = json!({
        "n": 5, "f": 1000.0, "b": true, "l": [1, 2], "t": ["a", 1], "o": {"a": 1}, "s": "5", "bad": "five", "free": "8",
    });
    assert_eq!(Value::Object(coerce_query(&declared, pairs)), expected);
}

#[test]
fn a_lenient_render_goes_as_far_as_it_can() {
    let content = Content::Text("{{ a }} {{ b }}".to_owned());
    let declared = contract(json!([{"name": "a", "required": true}, {"name": "b", "required": true}]));
    let mut nothing = |_: &_| Err(IncludeError(String::new()));
    let compiled = compile(None, &content, Syntax::Simple, &declared, &mut nothing).expect("compiles");
    let values: Values = json!({"b": 5}).as_object().cloned().expect("values");
    let rendered = render(&compiled, &values, RenderOptions { lenient: true }).expect("renders");
    assert_eq!(rendered.content, Content::Text("{{ a }} 5".to_owned()));
    assert_eq!(rendered.missing, ["a"]);
    assert_eq!(
        json!(rendered.problems)[1],
        json!({"name": "b", "problem": "wrong_type", "expected": "string"})
    );
    assert!(render(&compiled, &values, RenderOptions::default()).is_err());
}

#[test]
fn variables_are_merged_and_marked() {
    let content =
        Content::Text("{{ used }}{% include 's' %}{% for x in list %}{{ user.name }}{% endfor %}".to_owned());
    let declared = contract(json!([{"name": "unused"}, {"name": "used", "type": "integer"}]));
    let mut resolve = |target: &xr2_prompt::IncludeTarget| {
        Ok(Snippet {
            slug: "renamed".to_owned(),
            version: if target.slug == "s" { 4 } else { 0 },
            content: Content::Text("{{ tone }}{{ extra }}".to_owned()),
            syntax: Syntax::Simple,
            contract: contract(json!([{"name": "tone", "required": true}])),
        })
    };
    let compiled = compile(Some("me"), &content, Syntax::Jinja, &declared, &mut resolve).expect("compiles");
    let seen: Vec<_> = compiled
        .variables()
        .iter()
        .map(|one| (one.spec.name.as_str(), one.spec.r#type.as_str(), one.spec.discovered, one.used))
        .collect();
    let expected = [
        ("unused", "string", false, false),
        ("used", "integer", false, true),
        ("tone", "string", false, true),
        ("extra", "string", true, true),
        ("list", "array", true, true),
        ("user", "object", true, true),
    ];
    assert_eq!(seen, expected);
    assert_eq!(json!(compiled.variables()[0])["used"], json!(false));
    assert_eq!(json!(compiled.includes()), json!([{"slug": "renamed", "version": 4}]));
    assert!(compiled.approximate_bytes() > 500);
    let Content::Text(form) = compiled.template_form() else { panic!("a text") };
    let line = "{{ used }}{{ tone|default(\"{{ tone }}\") }}{{ extra|default(\"{{ extra }}\") }}{% for x in list %}{{ user.name }}{% endfor %}";
    assert_eq!(form, line);
}

#[test]
fn a_prompt_at_a_glance() {
    let content = Content::Text("  Hello,\n\n  wörld 😀!  ".to_owned());
    assert_eq!(json!(stats(&content)), json!({"characters": 22, "words": 3, "lines": 3}));
    assert_eq!(excerpt(&content, 100), "Hello, wörld 😀!");
    assert_eq!(excerpt(&content, 12), "Hello, wörld…");
    assert_eq!(excerpt(&content, 11), "Hello,…");
    assert_eq!(excerpt(&Content::Text("Hello".to_owned()), 3), "Hel…");
    assert_eq!(excerpt(&Content::Text(String::new()), 3), "");
}
