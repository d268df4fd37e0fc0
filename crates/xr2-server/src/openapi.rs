//! The OpenAPI document and the page that shows it. Nothing is loaded from outside.

mod errors;
mod headers;

use axum::Json;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::SwaggerUi;

pub use errors::add_common_errors;
pub use headers::add_common_headers;

use crate::state::App;

/// What the page that shows the document may load: its own files, and answers of this server. The hash is that of the
/// one style element it makes, which colours its logo.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' \
     'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The document before routes are added.
pub fn base() -> OpenApi {
    let bearer = SecurityScheme::Http(
        HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key (`xr2_…`) or a session token (`xr2s_…`)."))
            .build(),
    );
    let header =
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An API key.")));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
        crate::auth::SESSION_COOKIE,
        "The dashboard's session; writes need the same origin.",
    )));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("xr2")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("openapi.md")))
                .license(Some(
                    LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build(),
                ))
                .build(),
        )
        .security(Some([
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("api_key", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ]))
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme("bearer", bearer)
                .security_scheme("api_key", header)
                .security_scheme("session", cookie)
                .build(),
        ))
        .build()
}

/// The whole document as indented JSON.
pub fn text() -> String {
    serde_json::to_string_pretty(&crate::router::document()).unwrap_or_default()
}

/// `/openapi.json` and `/docs`.
pub fn pages(document: OpenApi) -> Router<App> {
    let served = document.clone();
    // The validator's badge would be loaded from outside.
    let config =
        utoipa_swagger_ui::Config::new(["/openapi.json"]).try_it_out_enabled(true).validator_url("none");
    let docs = Router::from(SwaggerUi::new("/docs").config(config)).layer(map_response(confine));
    Router::new().route("/openapi.json", get(move || async move { Json(served) })).merge(docs)
}

async fn confine(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}
