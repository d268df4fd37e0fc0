//! Headers that kinds of operations have in common, written into the document in one place.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Type};

use crate::idempotency::takes_key;

/// Operations that deliver prompts.
const DELIVERING: [(&str, Method); 5] = [
    ("/api/v1/prompts/{p}", Method::Get),
    ("/api/v1/prompts/{p}/versions/{v}", Method::Get),
    ("/api/v1/bundle", Method::Get),
    ("/api/v1/prompts/{p}/render", Method::Post),
    ("/api/v1/prompts/batch", Method::Post),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

/// What an answer may carry: its name, what it says, and whether it is a number.
type Line = (&'static str, &'static str, bool);

const OF_DELIVERY: [Line; 6] = [
    ("X-XR2-Revision", "The workspace's revision that the answer is of", true),
    ("X-XR2-Stale", "Seconds since this node last knew what is current; absent while it knows", true),
    ("X-XR2-Warning", "That the workspace's calls of the month are nearly or wholly used up", false),
    ("RateLimit-Limit", "Requests a minute of the key; absent without a limit, like the two below", true),
    ("RateLimit-Remaining", "How many of them are left", true),
    ("RateLimit-Reset", "Seconds until there are more", true),
];
const OF_ONE_PROMPT: Line = ("X-XR2-Version", "The number of the version that was delivered", true);
const OF_WHAT_CAN_BE_KEPT: Line = ("ETag", "Names these very bytes; for `If-None-Match`", false);
const OF_CHANGES: Line =
    ("X-XR2-Revision", "The workspace's revision with this change; for `X-XR2-Min-Revision`", true);

const MIN_REVISION: Line =
    ("X-XR2-Min-Revision", "No older than this revision: any node waits up to two seconds for it", true);
const IDEMPOTENCY_KEY: Line = (
    "Idempotency-Key",
    "Anything of up to 255 characters: the same request sent again with it within 24 hours is done once",
    false,
);
const OF_A_REPLAY: Line =
    ("Idempotency-Replayed", "`true` when this answer was given before to the same Idempotency-Key", false);
const IF_NONE_MATCH: Line =
    ("If-None-Match", "The ETag of what the client has: 304 when it is still that", false);

/// Lists on every operation the headers it may be asked with, and those it answers with.
pub fn add_common_headers(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = &mut item.get {
            describe(path, Method::Get, operation);
        }
        if let Some(operation) = item.post.as_mut().filter(|_| takes_key(path)) {
            ask(operation, &[IDEMPOTENCY_KEY]);
            answer(operation, &[OF_A_REPLAY]);
        }
        for operation in [&mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            describe(path, Method::Post, operation);
        }
    }
}

fn describe(path: &str, method: Method, operation: &mut Operation) {
    if DELIVERING.contains(&(path, method)) {
        let mut answers = OF_DELIVERY.to_vec();
        let mut asks = vec![MIN_REVISION];
        if path.contains("{p}") {
            answers.push(OF_ONE_PROMPT);
        }
        if method == Method::Get {
            answers.push(OF_WHAT_CAN_BE_KEPT);
            asks.push(IF_NONE_MATCH);
        }
        ask(operation, &asks);
        answer(operation, &answers);
    } else if method == Method::Post && path.starts_with("/api/") && !path.starts_with("/api/v1/auth/") {
        answer(operation, &[OF_CHANGES]);
    }
}

fn ask(operation: &mut Operation, lines: &[Line]) {
    let parameters = operation.parameters.get_or_insert_default();
    for line in lines {
        let is_listed =
            parameters.iter().any(|known| matches!(known, RefOr::T(known) if known.name == line.0));
        if !is_listed {
            parameters.push(parameter(*line).into());
        }
    }
}

fn answer(operation: &mut Operation, lines: &[Line]) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if !(status.starts_with('2') || status == "304") {
            continue;
        }
        for (name, text, is_number) in lines {
            response.headers.entry((*name).to_owned()).or_insert_with(|| header(text, *is_number).into());
        }
    }
}

fn kind(is_number: bool) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(if is_number { Type::Integer } else { Type::String })
}

fn header(text: &str, is_number: bool) -> Header {
    HeaderBuilder::new().schema(Some(kind(is_number))).description(Some(text)).build()
}

fn parameter((name, text, is_number): Line) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(text))
        .schema(Some(kind(is_number)))
        .build()
}
