//! How ready a version is to be switched off.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_review::Policy;
use groundswell_review::removal::RemovalPolicy;
use groundswell_runtime::http::Problem;
use http::{HeaderMap, Uri, header};

use super::answers::{answer, store_problem};
use super::params::Params;
use super::verdict::{of_api, policy_of, read_problem};
use crate::Handle;
use crate::deprecation::{self, Question, markdown as markdown_of, types::Readiness};

pub(super) async fn by_default(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (markdown, rest) = super::changes::form(query.as_deref())?;
    Params::of(Some(&rest)).only(&[])?;
    answer(handle, &uri, &headers, move |handle| {
        let readiness = told(handle, &api, &version, &RemovalPolicy::default())?;
        if markdown {
            let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
            return Ok((kind, markdown_of(&readiness, 2)).into_response());
        }
        Ok(Json(readiness).into_response())
    })
    .await
}

pub(super) async fn by_policy(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Readiness>, Problem> {
    let policy: Policy = policy_of(body)?;
    let worked = tokio::task::spawn_blocking(move || told(&handle, &api, &version, &policy.removal)).await;
    worked.map_err(|_| Problem::internal("the answer could not be worked out; the log says why"))?.map(Json)
}

fn told(handle: &Handle, api: &str, version: &str, policy: &RemovalPolicy) -> Result<Readiness, Problem> {
    let stores = of_api(handle, api, &[("version", version)])?;
    let question = handle.with_catalogue(|catalogue| Question::of(catalogue, api, version));
    let _turn = handle.turn();
    let view = stores.usage.view().map_err(store_problem)?;
    deprecation::readiness(&view, &stores.search.snapshot(), &question, policy).map_err(read_problem)
}
