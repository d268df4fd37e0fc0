//! Every route of xr2: the API's table of contents.

use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{ApiError, Code};
use crate::features::{
    accounts, activity, api_keys, delivery, edge, exports, folders, imports, invitations, prompts, stream,
    system, telemetry, usage, views, workspaces,
};
use crate::http::{compress, guard_host, guard_path, observe};
use crate::idempotency::answer_once;
use crate::limits::count_strangers;
use crate::openapi;
use crate::state::App;

/// The routes under `/api/v1`, with their documentation.
fn api() -> OpenApiRouter<App> {
    use prompts::{drafts, labels, mine, preview_links, versions, words};
    OpenApiRouter::new()
        .routes(routes!(accounts::status))
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::me, accounts::update_me))
        .routes(routes!(accounts::change_password))
        .routes(routes!(accounts::list_sessions, accounts::revoke_other_sessions))
        .routes(routes!(accounts::revoke_session))
        .routes(routes!(invitations::routes::show_invitation))
        .routes(routes!(invitations::routes::accept_invitation))
        .nest("/workspaces", of_workspaces())
        .nest("/organizations", as_organizations(of_workspaces()))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::rotate_api_key))
        .routes(routes!(api_keys::revoke_api_key))
        .routes(routes!(exports::routes::export))
        .routes(routes!(imports::import))
        .routes(routes!(imports::list_imports))
        .routes(routes!(imports::get_import))
        .routes(routes!(imports::list_import_rows))
        .routes(routes!(imports::cancel_import))
        .routes(routes!(imports::apply_import))
        .routes(routes!(prompts::routes::list_prompts, prompts::routes::create_prompt))
        .routes(routes!(prompts::routes::update_prompt, prompts::routes::delete_prompt))
        .routes(routes!(prompts::routes::prompt_details))
        .routes(routes!(prompts::routes::undelete_prompt))
        .routes(routes!(prompts::routes::duplicate_prompt))
        .routes(routes!(prompts::routes::archive_prompt))
        .routes(routes!(prompts::routes::unarchive_prompt))
        .routes(routes!(prompts::routes::publish_prompt))
        .routes(routes!(prompts::routes::bulk_prompts))
        .routes(routes!(prompts::routes::empty_bin))
        .routes(routes!(words::routes::facets))
        .routes(routes!(words::routes::list_tags))
        .routes(routes!(words::routes::rename_tag, words::routes::delete_tag))
        .routes(routes!(words::routes::list_categories))
        .routes(routes!(words::routes::rename_category, words::routes::delete_category))
        .routes(routes!(mine::routes::add_favourite, mine::routes::remove_favourite))
        .routes(routes!(views::list_views, views::create_view))
        .routes(routes!(views::update_view, views::delete_view))
        .routes(routes!(versions::routes::list_versions, versions::routes::create_version))
        .routes(routes!(versions::routes::restore_version))
        .routes(routes!(versions::routes::version_diff))
        .routes(routes!(drafts::routes::get_draft, drafts::routes::put_draft, drafts::routes::delete_draft))
        .routes(routes!(
            preview_links::routes::list_preview_links,
            preview_links::routes::create_preview_link
        ))
        .routes(routes!(preview_links::routes::revoke_preview_link))
        .routes(routes!(preview_links::routes::open_preview_link))
        .routes(routes!(activity::activity))
        .routes(routes!(activity::home))
        .routes(routes!(labels::routes::prompt_labels))
        .routes(routes!(labels::routes::set_prompt_label, labels::routes::remove_prompt_label))
        .routes(routes!(labels::routes::label_history))
        .routes(routes!(labels::routes::prompt_history))
        .routes(routes!(labels::routes::list_labels, labels::routes::create_label))
        .routes(routes!(labels::routes::update_label, labels::routes::delete_label))
        .routes(routes!(folders::list_folders, folders::create_folder))
        .routes(routes!(folders::get_folder, folders::update_folder, folders::delete_folder))
        .routes(routes!(delivery::routes::fetch))
        .routes(routes!(delivery::routes::fetch_version))
        .routes(routes!(delivery::routes::render))
        .routes(routes!(delivery::several::batch))
        .routes(routes!(delivery::bundle::routes::bundle))
        .routes(routes!(delivery::preview::preview))
        .routes(routes!(stream::routes::stream))
        .routes(routes!(telemetry::routes::telemetry))
        .routes(routes!(telemetry::routes::list_clients))
        .routes(routes!(usage::routes::usage_analytics))
        .routes(routes!(usage::routes::prompt_analytics))
}

/// The routes under `/workspaces`.
fn of_workspaces() -> OpenApiRouter<App> {
    use workspaces::{members, routes};
    OpenApiRouter::new()
        .routes(routes!(routes::list_workspaces, routes::create_workspace))
        .routes(routes!(routes::get_workspace, routes::update_workspace))
        .routes(routes!(members::routes::list_members, invitations::routes::invite_member))
        .routes(routes!(members::routes::update_member, members::routes::remove_member))
        .routes(routes!(members::routes::transfer_workspace))
        .routes(routes!(invitations::routes::list_invitations))
        .routes(routes!(invitations::routes::revoke_invitation))
        .routes(routes!(invitations::routes::resend_invitation))
        .routes(routes!(edge::get_edge, edge::put_edge))
}

/// Routes of workspaces under their other name: the same, documented as internal, with operation ids of their own.
fn as_organizations(routes: OpenApiRouter<App>) -> OpenApiRouter<App> {
    let (routes, mut document) = routes.split_for_parts();
    for item in document.paths.paths.values_mut() {
        for operation in
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
        {
            operation.operation_id = operation.operation_id.take().map(|id| format!("organization_{id}"));
            operation.extensions = Some([("x-internal", true)].into_iter().collect());
        }
    }
    OpenApiRouter::with_openapi(document).merge(OpenApiRouter::from(routes))
}

/// Routes beside the API.
fn outside() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(system::health))
        .routes(routes!(system::ready))
        .routes(routes!(system::metrics))
}

/// The OpenAPI document of all routes.
pub fn document() -> OpenApi {
    split().1
}

fn split() -> (Router<App>, OpenApi) {
    let all = OpenApiRouter::with_openapi(openapi::base()).merge(outside()).nest("/api/v1", api());
    let (routes, mut document) = all.split_for_parts();
    openapi::add_common_headers(&mut document);
    openapi::add_common_errors(&mut document);
    (routes, document)
}

/// What this node answers as one service.
pub fn router(app: App) -> Router {
    let routes = if app.config().is_api() {
        let (routes, document) = split();
        routes.merge(openapi::pages(document)).fallback(get(system::dashboard))
    } else {
        outside().split_for_parts().0.fallback(works_only)
    };
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), answer_once))
        .layer(from_fn(compress))
        .layer(from_fn(guard_path))
        .layer(from_fn_with_state(app.clone(), count_strangers))
        .layer(from_fn_with_state(app.clone(), api_keys::cors))
        .layer(from_fn_with_state(app.clone(), guard_host))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app)
}

/// What a node says that is only a worker.
async fn works_only() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "Page not found: this node works in the background and answers no requests.",
    )
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "This path does not support that method.")
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> axum::response::Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    ApiError::internal(format!("panic: {}", message.as_deref().unwrap_or("unknown"))).into_response()
}
