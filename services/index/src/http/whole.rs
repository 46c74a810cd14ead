//! No answer on part of the data: while a partition of ours is not open, whoever asks is told to come back.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use groundswell_runtime::http::Problem;
use http::{HeaderValue, header};

use crate::Handle;

/// Seconds after which to ask again.
const RETRY_AFTER: &str = "2";

/// Routes that answer only from all partitions.
pub(super) fn whole(routes: Router<Handle>, handle: &Handle) -> Router<Handle> {
    routes.layer(from_fn_with_state(handle.clone(), reading))
}

/// Routes that publish something, for which they look into all partitions.
pub(super) fn whole_before<S: Clone + Send + Sync + 'static>(routes: Router<S>, handle: &Handle) -> Router<S> {
    routes.layer(from_fn_with_state(handle.clone(), writing))
}

async fn reading(State(handle): State<Handle>, request: Request, next: Next) -> Response {
    let Some(moment) = handle.whole() else { return missing(&handle).into_response() };
    let answer = next.run(request).await;
    // A partition may have gone while the answer was worked out, and "not found" may be its doing, too.
    if handle.is_whole_since(moment) { answer } else { missing(&handle).into_response() }
}

async fn writing(State(handle): State<Handle>, request: Request, next: Next) -> Response {
    let Some(moment) = handle.whole() else { return missing(&handle).into_response() };
    let answer = next.run(request).await;
    // What was published is published.
    if answer.status().is_success() || handle.is_whole_since(moment) { answer } else { missing(&handle).into_response() }
}

/// 503, with how much is missing and what to do.
pub(super) fn missing(handle: &Handle) -> impl IntoResponse + use<> {
    let rebuilding = handle.progress().now();
    let why = if rebuilding.running {
        let (read, of) = (rebuilding.read, rebuilding.of);
        format!("stores that can't be used are rebuilt from the insights topic, {read} of {of} records so far")
    } else {
        "it is being opened, or was just assigned anew".to_owned()
    };
    let detail =
        format!("part of the index is not open yet, and an answer without it would be wrong: {why}; /readyz says when it is whole");
    let problem = Problem::unavailable(detail).with("missing_partitions", handle.missing() as u64);
    ([(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER))], problem)
}
