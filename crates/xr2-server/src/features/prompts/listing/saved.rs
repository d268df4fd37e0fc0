//! What somebody keeps of a list in order to come back to it.

use serde_json::Value;

use crate::auth::Access;
use crate::error::FieldProblem;
use crate::features::prompts::listing::params;
use crate::http::Params;
use crate::state::App;

/// What can be kept: all that a list is narrowed and ordered by.
const NAMES: &[&str] = &[
    "search",
    "tag",
    "category",
    "type",
    "syntax",
    "label",
    "live",
    "has_draft",
    "archived",
    "deleted",
    "created_by",
    "updated_by",
    "updated_after",
    "updated_before",
    "created_after",
    "created_before",
    "unused_days",
    "folder",
    "subfolders",
    "favourite",
    "recent",
    "sort",
];

/// What is wrong with the filters and the order in `query`, an object of what `GET /prompts` takes.
pub fn check_list_query(app: &App, access: &Access, query: &Value) -> Vec<FieldProblem> {
    let Some(fields) = query.as_object() else {
        return vec![FieldProblem::new("query", "wrong_type", "must be an object")];
    };
    let mut problems = Vec::new();
    let mut params = Params::default();
    for (name, value) in fields {
        let field = format!("query.{name}");
        if !NAMES.contains(&name.as_str()) {
            problems.push(FieldProblem::new(
                field,
                "unknown_field",
                "is nothing that a list is narrowed or ordered by",
            ));
            continue;
        }
        match (name.as_str(), value) {
            ("tag", Value::Array(tags)) if tags.iter().all(Value::is_string) => {
                let tags = tags.iter().filter_map(Value::as_str);
                params.0.extend(tags.map(|tag| (name.clone(), tag.to_owned())));
            }
            (_, Value::String(text)) => params.0.push((name.clone(), text.clone())),
            (_, Value::Bool(_) | Value::Number(_)) => params.0.push((name.clone(), value.to_string())),
            _ => problems.push(FieldProblem::new(
                field,
                "wrong_type",
                "must be a text, a number, true or false",
            )),
        }
    }
    problems.extend(
        params::problems(&params, access, app.clock().now())
            .into_iter()
            .map(|problem| FieldProblem { field: format!("query.{}", problem.field), ..problem }),
    );
    problems
}
