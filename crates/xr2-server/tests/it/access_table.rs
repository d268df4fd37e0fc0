//! Who may do what: every route, every kind of caller. This file is the answer to "who can …?"; the walk in
//! `access.rs` proves it. A route without a row fails, and so does a row without a route.

use serde_json::{Value, json};

use self::Needs::*;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: open to everybody.
    Nothing,
    /// Nothing, but only people leave: an API key cannot sign out.
    Leaving,
    /// Any valid credential.
    Credential,
    /// A signed-in person.
    Person,
    /// The right to fetch.
    Deliver,
    /// The right to read.
    Read,
    /// The right to read, as a signed-in person.
    Reader,
    /// The right to write.
    Write,
    /// The right to move labels.
    Publish,
    /// The right to write and the right to move labels.
    WriteAndPublish,
    /// The right to delete prompts.
    Remove,
    /// An admin.
    Admin,
    /// An admin who is a person.
    AdminPerson,
    /// The owner, in person.
    OwnerPerson,
    /// Whoever was invited, or nobody yet.
    Invited,
}

/// The kinds of callers, in the order of the columns below.
pub const CALLERS: [&str; 16] = [
    "nobody",
    "viewer",
    "editor",
    "admin",
    "owner",
    "key: deliver",
    "key: read",
    "key: write",
    "key: publish",
    "key: admin",
    "publishable key",
    "member of another workspace",
    "key of another workspace",
    "operator who is no member",
    "expired key",
    "revoked key",
];

/// Let through.
pub const OK: u16 = 0;

/// What each kind of caller gets from a route of `acme`: let through, or the status of the refusal. Those of another
/// workspace name `acme`, which is not there for a person (404) and not the key's (400); the operator has no workspace
/// to choose (404 when `acme` is named).
#[rustfmt::skip]
pub fn expected(needs: Needs) -> [u16; 16] {
    match needs {
        //                  nobody view edit admin own | deliver read write publ admin | pub | other o.key oper | exp  rev
        Nothing         => [OK,    OK,  OK,  OK,  OK,    OK,     OK,  OK,   OK,  OK,    OK,   OK,   OK,   OK,    OK,  OK],
        Leaving         => [OK,    OK,  OK,  OK,  OK,    403,    403, 403,  403, 403,   403,  OK,   403,  OK,    OK,  OK],
        Credential      => [401,   OK,  OK,  OK,  OK,    OK,     OK,  OK,   OK,  OK,    OK,   OK,   OK,   OK,    401, 401],
        Person          => [401,   OK,  OK,  OK,  OK,    403,    403, 403,  403, 403,   403,  OK,   403,  OK,    401, 401],
        Deliver         => [401,   OK,  OK,  OK,  OK,    OK,     OK,  OK,   OK,  OK,    OK,   404,  400,  404,   401, 401],
        Read            => [401,   OK,  OK,  OK,  OK,    403,    OK,  OK,   403, OK,    403,  404,  400,  404,   401, 401],
        Reader          => [401,   OK,  OK,  OK,  OK,    403,    403, 403,  403, 403,   403,  404,  400,  404,   401, 401],
        Write           => [401,   403, OK,  OK,  OK,    403,    403, OK,   403, OK,    403,  404,  400,  404,   401, 401],
        Publish         => [401,   403, OK,  OK,  OK,    403,    403, 403,  OK,  OK,    403,  404,  400,  404,   401, 401],
        WriteAndPublish => [401,   403, OK,  OK,  OK,    403,    403, 403,  403, OK,    403,  404,  400,  404,   401, 401],
        Remove          => [401,   403, 403, OK,  OK,    403,    403, 403,  403, OK,    403,  404,  400,  404,   401, 401],
        Admin           => [401,   403, 403, OK,  OK,    403,    403, 403,  403, OK,    403,  404,  400,  404,   401, 401],
        AdminPerson     => [401,   403, 403, OK,  OK,    403,    403, 403,  403, 403,   403,  404,  400,  404,   401, 401],
        OwnerPerson     => [401,   403, 403, 403, OK,    403,    403, 403,  403, 403,   403,  404,  400,  404,   401, 401],
        Invited         => [OK,    403, 403, 403, 403,   403,    403, 403,  403, 403,   403,  403,  403,  403,   OK,  OK],
    }
}

/// A route, what it asks for, and a body that it takes.
pub struct Row {
    /// As in the OpenAPI document.
    pub method: &'static str,
    /// As in the OpenAPI document.
    pub path: &'static str,
    /// What it asks for.
    pub needs: Needs,
    /// A body that would do something.
    pub body: Value,
}

fn row(method: &'static str, path: &'static str, needs: Needs, body: Value) -> Row {
    Row { method, path, needs, body }
}

/// The routes of the OpenAPI document.
#[rustfmt::skip]
pub fn rows() -> Vec<Row> {
    let none = || Value::Null;
    let text = || json!({ "content": "Hello" });
    vec![
        row("GET",    "/health",                                       Nothing,         none()),
        row("GET",    "/ready",                                        Nothing,         none()),
        row("GET",    "/metrics",                                      Nothing,         none()),

        row("GET",    "/api/v1/auth/status",                           Nothing,         none()),
        row("POST",   "/api/v1/auth/register",                         Nothing,         json!({})),
        row("POST",   "/api/v1/auth/login",                            Nothing,         json!({})),
        row("POST",   "/api/v1/auth/logout",                           Leaving,         json!({})),
        row("GET",    "/api/v1/auth/me",                               Credential,      none()),
        row("PUT",    "/api/v1/auth/me",                               Person,          json!({ "name": "Test Person" })),
        row("POST",   "/api/v1/auth/password",                         Person,          json!({ "current_password": "x", "new_password": "short" })),
        row("GET",    "/api/v1/auth/sessions",                         Person,          none()),
        row("DELETE", "/api/v1/auth/sessions",                         Person,          none()),
        row("DELETE", "/api/v1/auth/sessions/{id}",                    Person,          none()),

        row("GET",    "/api/v1/invitations/{token}",                   Nothing,         none()),
        row("POST",   "/api/v1/invitations/{token}/accept",            Invited,         json!({ "name": "New Person", "password": xr2_testkit::PASSWORD })),

        row("GET",    "/api/v1/workspaces",                            Credential,      none()),
        row("POST",   "/api/v1/workspaces",                            Person,          json!({ "name": "New" })),
        row("PUT",    "/api/v1/workspaces/{ws}",                       Admin,           json!({ "name": "Acme" })),
        row("POST",   "/api/v1/workspaces/{ws}/members",               AdminPerson,     json!({ "email": "new@example.com" })),
        row("PUT",    "/api/v1/workspaces/{ws}/members/{user}",        AdminPerson,     json!({ "role": "editor" })),
        row("DELETE", "/api/v1/workspaces/{ws}/members/{user}",        AdminPerson,     none()),
        row("POST",   "/api/v1/workspaces/{ws}/transfer",              OwnerPerson,     json!({ "user": uuid::Uuid::nil() })),
        row("GET",    "/api/v1/workspaces/{ws}/invitations",           AdminPerson,     none()),
        row("DELETE", "/api/v1/workspaces/{ws}/invitations/{id}",      AdminPerson,     none()),
        row("POST",   "/api/v1/workspaces/{ws}/invitations/{id}/resend", AdminPerson,   none()),
        row("GET",    "/api/v1/workspaces/{ws}",                       Read,            none()),
        row("GET",    "/api/v1/workspaces/{ws}/members",               Read,            none()),
        row("GET",    "/api/v1/workspaces/{ws}/edge",                  Admin,           none()),
        row("PUT",    "/api/v1/workspaces/{ws}/edge",                  Admin,           json!({ "enabled": false })),
        row("GET",    "/api/v1/organizations",                         Credential,      none()),
        row("GET",    "/api/v1/organizations/{ws}",                    Read,            none()),
        row("GET",    "/api/v1/organizations/{ws}/members",            Read,            none()),
        row("POST",   "/api/v1/organizations",                         Person,          json!({ "name": "New" })),
        row("PUT",    "/api/v1/organizations/{ws}",                    Admin,           json!({ "name": "Acme" })),
        row("POST",   "/api/v1/organizations/{ws}/members",            AdminPerson,     json!({ "email": "new@example.com" })),
        row("PUT",    "/api/v1/organizations/{ws}/members/{user}",        AdminPerson,     json!({ "role": "editor" })),
        row("DELETE", "/api/v1/organizations/{ws}/members/{user}",        AdminPerson,     none()),
        row("POST",   "/api/v1/organizations/{ws}/transfer",              OwnerPerson,     json!({ "user": uuid::Uuid::nil() })),
        row("GET",    "/api/v1/organizations/{ws}/invitations",        AdminPerson,     none()),
        row("DELETE", "/api/v1/organizations/{ws}/invitations/{id}",   AdminPerson,     none()),
        row("POST",   "/api/v1/organizations/{ws}/invitations/{id}/resend", AdminPerson, none()),
        row("GET",    "/api/v1/organizations/{ws}/edge",               Admin,           none()),
        row("PUT",    "/api/v1/organizations/{ws}/edge",               Admin,           json!({ "enabled": false })),

        row("GET",    "/api/v1/api-keys",                              Admin,           none()),
        row("POST",   "/api/v1/api-keys",                              Admin,           json!({ "name": "new" })),
        row("POST",   "/api/v1/api-keys/{id}/rotate",                  Admin,           json!({})),
        row("DELETE", "/api/v1/api-keys/{id}",                         Admin,           none()),

        row("GET",    "/api/v1/export",                                Read,            none()),
        row("POST",   "/api/v1/import",                                Write,           json!([{ "name": "imported", "prompt": "Hello" }])),
        row("GET",    "/api/v1/imports",                               Read,            none()),
        row("GET",    "/api/v1/imports/{id}",                          Read,            none()),
        row("GET",    "/api/v1/imports/{id}/rows",                     Read,            none()),
        row("POST",   "/api/v1/imports/{id}/cancel",                   Admin,           none()),
        row("POST",   "/api/v1/imports/{id}/apply",                    Admin,           none()),

        row("GET",    "/api/v1/prompts",                               Read,            none()),
        row("POST",   "/api/v1/prompts",                               Write,           json!({ "title": "New", "content": "Hello", "publish": false })),
        row("PUT",    "/api/v1/prompts/{p}",                           Write,           json!({ "title": "Another" })),
        row("DELETE", "/api/v1/prompts/{p}",                           Remove,          none()),
        row("GET",    "/api/v1/prompts/{p}/details",                   Read,            none()),
        row("POST",   "/api/v1/prompts/{p}/undelete",                  Remove,          none()),
        row("POST",   "/api/v1/prompts/{p}/duplicate",                 Write,           json!({})),
        row("POST",   "/api/v1/prompts/{p}/archive",                   Write,           none()),
        row("POST",   "/api/v1/prompts/{p}/unarchive",                 Write,           none()),
        row("POST",   "/api/v1/prompts/{p}/publish",                   Publish,         json!({ "from": 1 })),
        row("POST",   "/api/v1/prompts/bulk",                          Write,           json!({ "action": "tag", "prompts": ["welcome"], "tags": ["t"] })),
        row("DELETE", "/api/v1/bin",                                   Admin,           none()),
        row("GET",    "/api/v1/facets",                                Read,            none()),

        row("GET",    "/api/v1/prompts/{p}/versions",                  Read,            none()),
        row("POST",   "/api/v1/prompts/{p}/versions",                  Write,           text()),
        row("POST",   "/api/v1/prompts/{p}/versions/{v}/restore",      WriteAndPublish, json!({})),
        row("GET",    "/api/v1/prompts/{p}/versions/{v}/diff",         Read,            none()),
        row("GET",    "/api/v1/prompts/{p}/draft",                     Read,            none()),
        row("PUT",    "/api/v1/prompts/{p}/draft",                     Write,           json!({ "content": "Hello", "revision": 1 })),
        row("DELETE", "/api/v1/prompts/{p}/draft",                     Write,           none()),
        row("GET",    "/api/v1/prompts/{p}/history",                   Read,            none()),

        row("GET",    "/api/v1/prompts/{p}/preview-links",             Read,            none()),
        row("POST",   "/api/v1/prompts/{p}/preview-links",             Write,           json!({})),
        row("DELETE", "/api/v1/prompts/{p}/preview-links/{id}",        Write,           none()),
        row("GET",    "/api/v1/preview-links/{token}",                 Nothing,         none()),

        row("GET",    "/api/v1/activity",                              Read,            none()),
        row("GET",    "/api/v1/home",                                  Read,            none()),

        row("GET",    "/api/v1/labels",                                Read,            none()),
        row("POST",   "/api/v1/labels",                                Admin,           json!({ "name": "fresh" })),
        row("PUT",    "/api/v1/labels/{name}",                         Admin,           json!({ "description": "Changed" })),
        row("DELETE", "/api/v1/labels/{name}",                         Admin,           none()),
        row("GET",    "/api/v1/prompts/{p}/labels",                    Read,            none()),
        row("PUT",    "/api/v1/prompts/{p}/labels/{label}",            Publish,         json!({ "version": 1 })),
        row("DELETE", "/api/v1/prompts/{p}/labels/{label}",            Publish,         none()),
        row("GET",    "/api/v1/prompts/{p}/labels/{label}/history",    Read,            none()),

        row("PUT",    "/api/v1/prompts/{p}/favourite",                 Reader,          none()),
        row("DELETE", "/api/v1/prompts/{p}/favourite",                 Reader,          none()),
        row("GET",    "/api/v1/tags",                                  Read,            none()),
        row("PUT",    "/api/v1/tags/{name}",                           Write,           json!({ "name": "another" })),
        row("DELETE", "/api/v1/tags/{name}",                           Write,           none()),
        row("GET",    "/api/v1/categories",                            Read,            none()),
        row("PUT",    "/api/v1/categories/{name}",                     Write,           json!({ "name": "another" })),
        row("DELETE", "/api/v1/categories/{name}",                     Write,           none()),
        row("GET",    "/api/v1/views",                                 Read,            none()),
        row("POST",   "/api/v1/views",                                 Reader,          json!({ "name": "Mine", "query": {} })),
        row("PUT",    "/api/v1/views/{id}",                            Admin,           json!({ "name": "Ours" })),
        row("DELETE", "/api/v1/views/{id}",                            Admin,           none()),

        row("GET",    "/api/v1/folders",                               Read,            none()),
        row("POST",   "/api/v1/folders",                               Write,           json!({ "name": "" })),
        row("GET",    "/api/v1/folders/{id}",                          Read,            none()),
        row("PUT",    "/api/v1/folders/{id}",                          Write,           json!({ "name": "Changed" })),
        row("DELETE", "/api/v1/folders/{id}",                          Write,           none()),

        row("GET",    "/api/v1/prompts/{p}",                           Deliver,         none()),
        row("GET",    "/api/v1/prompts/{p}/versions/{v}",              Deliver,         none()),
        row("POST",   "/api/v1/prompts/{p}/render",                    Deliver,         json!({ "variables": {} })),
        row("POST",   "/api/v1/prompts/batch",                         Deliver,         json!({ "slugs": ["welcome"] })),
        row("GET",    "/api/v1/bundle",                                Deliver,         none()),
        row("POST",   "/api/v1/templates/preview",                     Read,            text()),
        row("GET",    "/api/v1/stream",                                Deliver,         none()),
        row("POST",   "/api/v1/telemetry",                             Deliver,         json!({ "instance": "i" })),
        row("GET",    "/api/v1/clients",                               Read,            none()),

        row("GET",    "/api/v1/analytics/usage",                       Read,            none()),
        row("GET",    "/api/v1/analytics/prompts/{p}",                 Read,            none()),
    ]
}

/// Paths that the document does not list. All are open: the dashboard asks for a sign-in itself.
pub const PAGES: [&str; 5] = ["/", "/prompts", "/login", "/docs/", "/openapi.json"];
