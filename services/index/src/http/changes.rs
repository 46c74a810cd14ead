//! What changed from a baseline to a version.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, Uri, header};

use super::answers::{answer, store_problem};
use super::params::Params;
use super::verdict::{prepare, question, read_problem};
use crate::Handle;
use crate::changes::{self, Documents, sections, types::Changes};
use crate::review::Question;
use crate::summary::render::sections_markdown_at;
use crate::themes::Names;

pub(super) async fn changes(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (markdown, rest) = form(query.as_deref())?;
    let question = question(api, version, Some(&rest))?;
    answer(handle, &uri, &headers, move |handle| {
        let changes = told(handle, question)?;
        if markdown {
            let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
            return Ok((kind, sections_markdown_at(&sections(&changes), 2)).into_response());
        }
        Ok(Json(changes).into_response())
    })
    .await
}

/// Takes `format` out of a query string.
pub(super) fn form(query: Option<&str>) -> Result<(bool, String), Problem> {
    let markdown = match Params::of(query).get("format") {
        None | Some("json") => false,
        Some("md") => true,
        Some(other) => return Err(Problem::bad_request(format!("format: {other:?} is none of json, md"))),
    };
    let rest = query.unwrap_or_default().split('&').filter(|pair| !pair.starts_with("format=")).collect::<Vec<_>>().join("&");
    Ok((markdown, rest))
}

fn told(handle: &Handle, mut question: Question) -> Result<Changes, Problem> {
    let stores = prepare(handle, &mut question)?;
    let documents = handle.with_catalogue(|catalogue| Documents::of(catalogue, &question));
    // Like a review: one after the other.
    let _turn = handle.turn();
    let view = stores.usage.view().map_err(store_problem)?;
    let names = Names::read(&stores.usage, &question.api).map_err(store_problem)?;
    let rules = question.rules.get(&question.api).cloned().unwrap_or_default();
    let named = |id: &str| id.parse().ok().map(|id| rules.name(id).map_or_else(|| names.name(id), str::to_owned));
    changes::changes(&view, &stores.search.snapshot(), &question, documents.as_ref(), named).map_err(read_problem)
}
