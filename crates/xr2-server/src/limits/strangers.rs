//! Callers without a key or a session: those of one network share a limit.
//!
//! Who shows nothing is counted before the request is answered; who shows something is counted afterwards, unless it was
//! valid. Who shows a valid key or session never meets this limit, whoever else comes from the same network: behind a
//! proxy that is not trusted, that is everybody. What the network shows beyond the limit is looked up only if such a key
//! exists; see `features/api_keys/lookup.rs`.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Refused, Who, network_of, too_many};
use crate::auth::credential;
use crate::error::ApiError;
use crate::http::RequestContext;
use crate::state::App;

/// What is counted; probes and the dashboard's files are not.
const COUNTED: &str = "/api/";

/// The layer.
pub async fn count_strangers(State(app): State<App>, request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>().cloned();
    let who = context.as_ref().and_then(who).filter(|_| request.uri().path().starts_with(COUNTED));
    let (Some(who), Some(context), Some(limit)) = (who, context, limit(&app)) else {
        return next.run(request).await;
    };
    if matches!(credential(request.headers()), Ok(None)) {
        return match app.limits().pass(who, limit).await {
            Ok(standing) => {
                context.standing.put(standing);
                next.run(request).await
            }
            Err(refused) => exhausted(refused).into_response(),
        };
    }
    let is_read = request.method().is_safe();
    let response = next.run(request).await;
    // What could not be looked up may be valid.
    if context.standing.is_verified() || response.status().is_server_error() {
        return response;
    }
    match app.limits().pass(who, limit).await {
        Ok(standing) => context.standing.put(standing),
        // What was done is answered.
        Err(_) if response.status().is_success() && !is_read => {}
        Err(refused) => return exhausted(refused).into_response(),
    }
    response
}

/// Whether the network of a request has used up its requests without a valid key or session, as far as this node knows.
pub fn is_network_used_up(app: &App, context: &RequestContext) -> bool {
    who(context).zip(limit(app)).is_some_and(|(who, limit)| app.limits().is_used_up(who, limit))
}

fn who(context: &RequestContext) -> Option<Who> {
    context.address.map(|address| Who::Network(network_of(address)))
}

fn limit(app: &App) -> Option<u64> {
    Some(u64::from(app.config().limits.requests_per_network)).filter(|limit| *limit > 0)
}

fn exhausted(refused: Refused) -> ApiError {
    too_many(refused, "Requests without a valid key from your network in a minute")
}
