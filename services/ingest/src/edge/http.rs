//! `POST /v1/events`.

use std::sync::Arc;

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use groundswell_bus::BusError;
use groundswell_model::{Reject, RejectReason};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, StatusCode, header};

use super::request::{self, Unreadable};
use super::{Answer, Edge, ItemOutcome};

/// The routes of the edge. Who may use them is for the caller to say.
pub fn router(edge: Arc<Edge>) -> Router {
    let body_bytes = edge.body_bytes;
    Router::new().route("/v1/events", post(events)).layer(DefaultBodyLimit::max(body_bytes)).with_state(edge)
}

async fn events(State(edge): State<Arc<Edge>>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return unread(&edge, &rejection).into_response(),
    };
    // Checking a large batch takes a while, and publishing waits for the disk or the broker.
    match tokio::task::spawn_blocking(move || respond(&edge, &headers, &body)).await {
        Ok(Ok(answer)) => (StatusCode::ACCEPTED, Json(answer)).into_response(),
        Ok(Err(problem)) => problem.into_response(),
        Err(error) => {
            tracing::error!(%error, "a request with events failed");
            Problem::internal("the request failed; send it again, events are counted once").into_response()
        }
    }
}

fn respond(edge: &Edge, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(encoded());
    }
    let content_type = match headers.get(header::CONTENT_TYPE).map(|v| v.to_str()) {
        Some(Err(_)) => return Err(unsupported()),
        Some(Ok(text)) => Some(text),
        None => None,
    };
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let (items, is_list) = request::items(content_type, &headers, body, &edge.limits).map_err(|unreadable| match unreadable {
        Unreadable::ContentType => unsupported(),
        Unreadable::Body(reject) => refused(&reject),
    })?;
    let answer = edge.take(&items).map_err(|e| unavailable(&e))?;
    match answer.results.first() {
        Some(only) if !is_list && only.outcome == ItemOutcome::Rejected => as_a_whole(answer),
        _ => Ok(answer),
    }
}

/// A single event that is no JSON at all, or too large, is an error of the request.
fn as_a_whole(answer: Answer) -> Result<Answer, Problem> {
    let reason = answer.results.first().and_then(|r| RejectReason::from_name(r.reason.as_deref()?));
    match (reason, answer.results.first().and_then(|r| r.detail.clone())) {
        (Some(reason @ (RejectReason::NotJson | RejectReason::TooLarge | RejectReason::TooDeep)), Some(detail)) => {
            Err(refused(&Reject { reason, detail }))
        }
        _ => Ok(answer),
    }
}

fn refused(reject: &Reject) -> Problem {
    let problem = match reject.reason {
        RejectReason::TooLarge => Problem::too_large(reject.detail.as_str()),
        _ => Problem::bad_request(reject.detail.as_str()),
    };
    problem.with("reason", reject.reason.name())
}

fn unread(edge: &Edge, rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::too_large(format!("the body is larger than `limits.body_bytes`, {} bytes: send smaller batches", edge.body_bytes));
    }
    Problem::bad_request("the body could not be read to its end")
}

fn unsupported() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "This content type is not read here",
        "send application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, or application/json with ce- headers",
    )
}

fn encoded() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_content_encoding",
        "Compressed bodies are not read here",
        "send the body as it is, without Content-Encoding",
    )
}

fn unavailable(error: &BusError) -> Problem {
    tracing::warn!(%error, "events could not be published");
    Problem::unavailable("the events could not be made durable; send the same request again, what was published is counted once")
}
