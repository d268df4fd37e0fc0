//! Runs every case of `sdks/conformance`.

use serde_json::{Map, Value, json};
use xr2_prompt::{
    Compiled, Content, Contract, IncludeError, IncludeTarget, Provider, RenderError, RenderOptions, Snippet,
    Syntax, Values, compile, detect_syntax, discover, provider_request, render, value_text,
};

fn load(file: &str) -> Vec<Value> {
    let path = format!("{}/../../sdks/conformance/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = document["cases"].as_array().expect("cases").clone();
    let mut names: Vec<_> = cases.iter().map(|case| case["name"].as_str().expect("name")).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{file} names a case twice");
    cases
}

/// Runs all cases and reports every one that fails.
fn run(file: &str, at_least: usize, check: impl Fn(&Value) -> Result<(), String>) {
    let cases = load(file);
    assert!(cases.len() >= at_least, "{file} has only {} cases", cases.len());
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case["name"])))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases of {file} fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn same(what: &str, actual: &Value, expected: &Value) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}\n    is       {actual}\n    expected {expected}"))
    }
}

fn content_of(case: &Value) -> Content {
    match case.get("messages") {
        Some(messages) => Content::from_messages(messages, "messages").expect("messages"),
        None => Content::Text(case["content"].as_str().expect("content").to_owned()),
    }
}

fn contract_of(case: &Value) -> Contract {
    match case.get("variables") {
        Some(variables) => Contract::from_value(variables, "variables").expect("variables"),
        None => Contract::default(),
    }
}

fn values_of(case: &Value) -> Values {
    case.get("values").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn syntax_of(case: &Value, otherwise: Syntax) -> Syntax {
    case["syntax"].as_str().map_or(otherwise, |word| word.parse().expect("syntax"))
}

fn compile_case(case: &Value, syntax: Syntax) -> Result<Compiled, Value> {
    let mut resolve = |target: &IncludeTarget| snippet(case, target);
    compile(Some("root"), &content_of(case), syntax, &contract_of(case), &mut resolve)
        .map_err(|error| json!({"code": "TEMPLATE_ERROR", "problems": error.problems}))
}

/// Snippets stand in the case as text, or as an object that says more.
fn snippet(case: &Value, target: &IncludeTarget) -> Result<Snippet, IncludeError> {
    let name = target.to_string();
    let found =
        case["includes"].get(&name).ok_or_else(|| IncludeError("there is no such prompt.".to_owned()))?;
    Ok(Snippet {
        slug: target.slug.clone(),
        version: found.get("version").and_then(Value::as_i64).unwrap_or(1),
        content: match found {
            Value::String(text) => Content::Text(text.clone()),
            other => content_of(other),
        },
        syntax: syntax_of(found, Syntax::Jinja),
        contract: contract_of(found),
    })
}

fn outcome(case: &Value, syntax: Syntax) -> Result<Value, Value> {
    let compiled = compile_case(case, syntax)?;
    let rendered =
        render(&compiled, &values_of(case), RenderOptions::default()).map_err(|error| match &error {
            RenderError::Variables(problems) => json!({"code": error.code(), "variables": problems}),
            RenderError::Template(problem) => json!({"code": error.code(), "problems": [problem]}),
        })?;
    let mut outcome = Map::new();
    let key = if matches!(rendered.content, Content::Text(_)) { "content" } else { "messages" };
    outcome.insert(key.to_owned(), json!(rendered.content));
    outcome.insert("missing".to_owned(), json!(rendered.missing));
    let mut warnings = json!(rendered.warnings);
    for warning in warnings.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        warning.remove("message");
    }
    outcome.insert("warnings".to_owned(), warnings);
    Ok(Value::Object(outcome))
}

/// Compares what the case names; a case that names no warnings expects none to be checked.
fn compare(case: &Value, syntax: Syntax) -> Result<(), String> {
    match (outcome(case, syntax), case.get("expect"), case.get("error")) {
        (Ok(actual), Some(expected), None) => {
            for (name, value) in expected.as_object().expect("expect") {
                same(name, &actual[name], value)?;
            }
            Ok(())
        }
        (Err(actual), None, Some(expected)) => compare_error(&actual, expected),
        (Ok(actual), _, _) => Err(format!("rendered {actual}, an error was expected")),
        (Err(actual), _, _) => Err(format!("failed: {actual}")),
    }
}

/// A template error is told by code, line and column; the wording is free but for what `message` quotes.
fn compare_error(actual: &Value, expected: &Value) -> Result<(), String> {
    same("code", &actual["code"], &expected["code"])?;
    if let Some(variables) = expected.get("variables") {
        return same("variables", &actual["variables"], variables);
    }
    let problem = &actual["problems"][0];
    for name in ["line", "column", "message_index"] {
        if let Some(place) = expected.get(name) {
            same(&format!("{name} of {problem}"), &problem[name], place)?;
        }
    }
    let message = problem["message"].as_str().unwrap_or_default();
    match expected.get("message").and_then(Value::as_str) {
        Some(part) if !message.contains(part) => Err(format!("`{message}` does not say `{part}`")),
        _ => Ok(()),
    }
}

#[test]
fn simple() {
    run("simple.json", 60, |case| compare(case, syntax_of(case, Syntax::Simple)));
}

#[test]
fn values() {
    run("values.json", 25, |case| {
        let value = match case["json"].as_str() {
            Some(source) => serde_json::from_str(source).map_err(|error| error.to_string())?,
            None => case["value"].clone(),
        };
        same("text", &json!(value_text(&value)), &case["text"])
    });
}

#[test]
fn jinja() {
    run("jinja.json", 60, |case| compare(case, Syntax::Jinja));
}

#[test]
fn discovery() {
    run("discover.json", 25, |case| {
        let content = content_of(case);
        let syntax = syntax_of(case, detect_syntax(&content));
        same("syntax", &json!(syntax), &case["expect"]["syntax"])?;
        let names = discover(&content, syntax).map_err(|error| error.to_string())?;
        same("variables", &json!(names), &case["expect"]["variables"])
    });
}

#[test]
fn providers() {
    run("providers.json", 15, |case| {
        let provider: Provider = case["format"].as_str().expect("format").parse().expect("provider");
        let made = provider_request(provider, &content_of(case), &case["config"], None);
        same("request", &made.request, &case["expect"]["request"])?;
        let codes: Vec<_> = made.warnings.iter().map(|warning| warning.code).collect();
        same("warnings", &json!(codes), &case["expect"]["warnings"])
    });
}
