//! The errors that every operation of a kind can answer, written into the document in one place.

use serde_json::Value;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

/// The answer to a request that failed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is used, in the document")]
pub struct Failure {
    /// Always false.
    #[schema(example = false)]
    success: bool,
    error: FailureReason,
}

/// What went wrong.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape is used, in the document")]
pub struct FailureReason {
    /// The stable code.
    #[schema(example = "NOT_FOUND")]
    code: String,
    /// What happened and what to do, in plain words.
    message: String,
    /// Particulars, by code.
    details: Option<Value>,
    /// To be quoted in reports.
    request_id: String,
}

/// An error and where it can come from.
struct Common {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    applies: fn(&Route<'_>) -> bool,
}

struct Route<'a> {
    path: &'a str,
    operation: &'a Operation,
}

impl Route<'_> {
    fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// Operations that anybody may call say so with an empty requirement.
    fn needs_credential(&self) -> bool {
        self.is_api() && self.operation.security.is_none()
    }

    fn is_asked_something(&self) -> bool {
        self.has_body() || self.operation.parameters.as_ref().is_some_and(|known| !known.is_empty())
    }

    fn has_body(&self) -> bool {
        self.operation.request_body.is_some()
    }
}

const COMMON: &[Common] = &[
    Common {
        status: "400",
        name: "BadRequest",
        description: "The request cannot be read: a parameter, a header or the body's JSON is malformed",
        applies: |route| route.is_api() && route.is_asked_something(),
    },
    Common {
        status: "401",
        name: "Unauthenticated",
        description: "No credential, or one that is not valid any more",
        applies: |route| route.needs_credential(),
    },
    Common {
        status: "403",
        name: "Forbidden",
        description: "The role, or the key's scopes, do not allow it",
        applies: |route| route.needs_credential(),
    },
    Common {
        status: "404",
        name: "NotFound",
        description: "There is no such thing in this workspace",
        applies: |route| route.path.contains('{'),
    },
    Common {
        status: "413",
        name: "PayloadTooLarge",
        description: "The body is larger than this server takes",
        applies: |route| route.has_body(),
    },
    Common {
        status: "415",
        name: "UnsupportedMediaType",
        description: "The body is not application/json",
        applies: |route| route.has_body(),
    },
    Common {
        status: "422",
        name: "Invalid",
        description: "Fields are not valid; `details.errors` names all of them",
        applies: |route| route.has_body(),
    },
    Common {
        status: "429",
        name: "RateLimited",
        description: "Too many requests; `Retry-After` says how long to wait",
        applies: |route| route.is_api(),
    },
    Common {
        status: "503",
        name: "Unavailable",
        description: "The database cannot be reached, or the server is stopping; nothing was changed",
        applies: |route| route.is_api(),
    },
];

/// Lists on every operation the common errors that it does not describe itself.
pub fn add_common_errors(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(Failure::name().into_owned(), Failure::schema());
    components.schemas.insert(FailureReason::name().into_owned(), FailureReason::schema());
    for common in COMMON {
        components.responses.insert(common.name.to_owned(), response(common).into());
    }
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let route = Route { path, operation };
            let applying: Vec<_> = COMMON.iter().filter(|common| (common.applies)(&route)).collect();
            for common in applying {
                let shared = || RefOr::Ref(Ref::from_response_name(common.name));
                operation.responses.responses.entry(common.status.to_owned()).or_insert_with(shared);
            }
        }
    }
}

fn response(common: &Common) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(Failure::name())));
    ResponseBuilder::new().description(common.description).content("application/json", content).build()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}
