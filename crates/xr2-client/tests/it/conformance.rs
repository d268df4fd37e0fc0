//! Every case of `sdks/conformance` that is about rendering, through a bundle and the client's own `render`.

use serde_json::{Value, json};
use xr2_client::Client;
use xr2_prompt::{Content, Contract, IncludeError, IncludeTarget, Snippet, Syntax, compile};

use crate::server::Server;

/// A simple snippet stands in a jinja text as `{{ u.name|default(…) }}`; that `u.name` was missing cannot be told from it
/// any more. The text is the same.
const MISSING_IS_LOST: &[&str] = &["include of a simple snippet in a loop"];

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/../../sdks/conformance/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let document: Value = serde_json::from_str(&text).unwrap();
    document["cases"].as_array().unwrap().clone()
}

fn content_of(case: &Value) -> Content {
    match case.get("messages") {
        Some(messages) => Content::from_messages(messages, "messages").unwrap(),
        None => Content::Text(case["content"].as_str().unwrap().to_owned()),
    }
}

fn contract_of(case: &Value) -> Contract {
    case.get("variables")
        .map_or_else(Contract::default, |all| Contract::from_value(all, "variables").unwrap())
}

fn syntax_of(case: &Value) -> Syntax {
    case["syntax"].as_str().map_or(Syntax::Jinja, |word| word.parse().unwrap())
}

fn snippet(case: &Value, target: &IncludeTarget) -> Result<Snippet, IncludeError> {
    let found = case["includes"]
        .get(target.to_string())
        .ok_or_else(|| IncludeError("it is not there.".to_owned()))?;
    let is_text = found.is_string();
    Ok(Snippet {
        slug: target.slug.clone(),
        version: 1,
        content: if is_text { Content::Text(found.as_str().unwrap().to_owned()) } else { content_of(found) },
        syntax: syntax_of(found),
        contract: contract_of(found),
    })
}

/// The case as a server would put it: includes in line, variables merged. Nothing when it refuses to save it.
fn put(case: &Value, slug: &str) -> Option<Value> {
    let mut resolve = |target: &IncludeTarget| snippet(case, target);
    let compiled =
        compile(Some("root"), &content_of(case), syntax_of(case), &contract_of(case), &mut resolve).ok()?;
    let mut prompt = json!({
        "id": format!("id-{slug}"), "slug": slug, "type": compiled.prompt_type(), "syntax": compiled.syntax(),
        "version": 1, "label": "production", "config": {}, "tags": [], "variables": compiled.variables(),
    });
    let field = if matches!(compiled.template_form(), Content::Text(_)) { "content" } else { "messages" };
    prompt[field] = json!(compiled.template_form());
    Some(prompt)
}

fn check(client: &Client, case: &Value, slug: &str) -> Result<(), String> {
    let prompt = client.get_now(slug).map_err(|error| error.to_string())?;
    let values = case.get("values").cloned().unwrap_or(json!({}));
    let is = match prompt.render(values) {
        Ok(rendered) => {
            let field = if rendered.text().is_some() { "content" } else { "messages" };
            let mut warnings = json!(rendered.warnings());
            for warning in warnings.as_array_mut().unwrap() {
                warning.as_object_mut().unwrap().remove("message");
            }
            json!({"missing": rendered.missing(), "warnings": warnings, field: rendered.content()})
        }
        Err(error) => {
            let variables = match &error {
                xr2_client::Error::MissingVariables { variables, .. }
                | xr2_client::Error::InvalidVariables { variables, .. } => json!(variables),
                _ => Value::Null,
            };
            json!({"code": error.code(), "variables": variables})
        }
    };
    let should = case.get("expect").or_else(|| case.get("error")).and_then(Value::as_object).unwrap();
    // Where an error stands is told in the author's text, which the server alone has.
    let told = should
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "line" | "column" | "message" | "message_index"));
    let is_lost = case["name"].as_str().is_some_and(|name| MISSING_IS_LOST.contains(&name));
    for (name, value) in told {
        if is_lost && name == "missing" {
            assert_ne!(is[name], *value, "{} is no exception any more", case["name"]);
        } else if is[name] != *value {
            return Err(format!("{name}\n    is       {}\n    expected {value}", is[name]));
        }
    }
    Ok(())
}

async fn run(file: &str, at_least: usize) {
    let cases: Vec<_> = cases(file).into_iter().enumerate().collect();
    let slug = |number: usize| format!("case-{number}");
    let put: Vec<_> =
        cases.iter().filter_map(|(number, case)| Some((*number, put(case, &slug(*number))?))).collect();
    assert!(put.len() >= at_least, "only {} of {} cases can be put", put.len(), cases.len());
    let server = Server::start(1, put.iter().map(|(_, prompt)| prompt.clone()).collect()).await;
    let client = server.client();
    client.ready().await.unwrap();
    let failures: Vec<_> = put
        .iter()
        .filter_map(|(number, _)| {
            let case = &cases[*number].1;
            check(&client, case, &slug(*number)).err().map(|why| format!("{}: {why}", case["name"]))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), put.len(), failures.join("\n"));
}

#[tokio::test]
async fn simple() {
    run("simple.json", 60).await;
}

#[tokio::test]
async fn jinja() {
    run("jinja.json", 60).await;
}
