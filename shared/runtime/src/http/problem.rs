//! RFC 9457 problem details: the one shape of every HTTP error.

use std::borrow::Cow;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Media type of problem details.
pub const CONTENT_TYPE: &str = "application/problem+json";
/// Bytes of another library's plain error text that are taken over as detail.
const DETAIL_MAX: usize = 2_000;

/// An HTTP error as RFC 9457 describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A URI that is stable for this kind of problem: `urn:groundswell:problem:` and its name.
    #[serde(rename = "type")]
    pub ty: Cow<'static, str>,
    /// The kind of problem in a few words.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and what to do.
    pub detail: String,
    /// Further members, named by the kind of problem.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// A problem of the kind `name` (stable, `snake_case`).
    #[must_use]
    pub fn new(status: StatusCode, name: &str, title: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            ty: Cow::Owned(format!("urn:groundswell:problem:{name}")),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            extensions: Map::new(),
        }
    }

    /// 400: the request can't be understood.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "The request can't be understood", detail)
    }

    /// 404: there is no such thing.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing", detail)
    }

    /// 413: the body is too large.
    #[must_use]
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request is too large", detail)
    }

    /// 503: it can't be done now; the same request may be sent again.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "This can't be done now: try again", detail)
    }

    /// 500: a fault of ours. The detail should not repeat internals.
    #[must_use]
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed", detail)
    }

    /// This problem with one member more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
        }
        response
    }
}

/// Turns an error in another shape (an extractor's rejection, an unknown route) into problem details.
pub(super) async fn normalise(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let is_text = content_type.is_empty() || content_type.starts_with("text/plain");
    if !is_error || !is_text {
        return response;
    }
    let (parts, body) = response.into_parts();
    let detail = text_of(body).await.unwrap_or_default();
    let mut mended = plain(status, detail).into_response();
    for name in [header::ALLOW, header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            mended.headers_mut().insert(name, value.clone());
        }
    }
    mended
}

fn plain(status: StatusCode, detail: String) -> Problem {
    let or = |usual: &str| if detail.is_empty() { usual.to_owned() } else { detail.clone() };
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(or("there is nothing at this path; GET /openapi.json lists what there is")),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(or("send less in one request")),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            status,
            "method_not_allowed",
            "This method does not fit this path",
            or("the header Allow names the methods that do"),
        ),
        _ if status.is_server_error() => Problem { status: status.as_u16(), ..Problem::internal(or("see the server's log")) },
        _ => Problem { status: status.as_u16(), ..Problem::bad_request(or("see /openapi.json for what this path takes")) },
    }
}

async fn text_of(body: Body) -> Option<String> {
    let bytes = to_bytes(body, DETAIL_MAX).await.ok()?;
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(response: Response) -> (StatusCode, String, Value) {
        let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, content_type, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_has_the_members_of_rfc_9457_and_its_own() {
        let problem = Problem::bad_request("`limit` is 0: 1 to 100").with("parameter", "limit");
        let (status, content_type, body) = parts(problem.into_response()).await;
        assert_eq!((status, content_type.as_str()), (StatusCode::BAD_REQUEST, CONTENT_TYPE));
        let expected = serde_json::json!({
            "type": "urn:groundswell:problem:bad_request", "title": "The request can't be understood", "status": 400,
            "detail": "`limit` is 0: 1 to 100", "parameter": "limit",
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn plain_errors_become_problems_and_answers_stay() {
        let (status, content_type, body) = parts(normalise((StatusCode::UNPROCESSABLE_ENTITY, "no `id`").into_response()).await).await;
        assert_eq!((status, content_type.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, CONTENT_TYPE));
        assert_eq!((&body["detail"], &body["status"]), (&Value::from("no `id`"), &Value::from(422)));

        let fine = normalise("hello".into_response()).await;
        assert_eq!(to_bytes(fine.into_body(), 100).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn unavailable_says_when_to_come_back() {
        assert_eq!(Problem::unavailable("stopping").into_response().headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn a_problem_reads_back() {
        let problem = Problem::not_found("no API `x`").with("api", "x");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }
}
