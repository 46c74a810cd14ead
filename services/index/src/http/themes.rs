//! Themes over HTTP.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, Uri};

use super::answers::{answer, search_problem, store_problem};
use super::params::Params;
use crate::Handle;
use crate::handle::Stores;
use crate::themes::{Question, ThemesError, themes};

/// Themes listed where nothing else is asked.
const LIMIT: usize = 50;
/// Themes listed at most.
const MOST: usize = 1000;

pub(super) async fn of_api(
    State(handle): State<Handle>,
    Path(api): Path<String>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["version", "since", "until", "limit"])?;
    let version = params.get("version").map(str::to_owned);
    show(handle, &uri, &headers, question(api, version, &params)?).await
}

pub(super) async fn of_version(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["since", "until", "limit"])?;
    show(handle, &uri, &headers, question(api, Some(version), &params)?).await
}

fn question(api: String, version: Option<String>, params: &Params) -> Result<Question, Problem> {
    let (since, until) = params.window()?;
    let limit = params.number("limit", LIMIT)?;
    if limit > MOST {
        return Err(Problem::bad_request(format!("limit: {limit} asked, at most {MOST} allowed")));
    }
    Ok(Question { api, version, since, until, limit })
}

async fn show(handle: Handle, uri: &Uri, headers: &HeaderMap, question: Question) -> Result<Response, Problem> {
    answer(handle, uri, headers, move |handle| {
        let stores = place(handle, &question)?;
        let found = themes(&stores, &question).map_err(themes_problem)?;
        Ok(Json(found).into_response())
    })
    .await
}

/// The stores of the partition that holds the feedback on an API, or on one of its versions.
fn place(handle: &Handle, question: &Question) -> Result<Stores, Problem> {
    let asked = |stores: &Stores| {
        let snapshot = stores.search.snapshot();
        snapshot.versions.iter().any(|v| v.api == question.api && question.version.as_ref().is_none_or(|asked| *asked == v.version))
    };
    let found = handle.stores().into_iter().map(|(_, stores)| stores).find(asked);
    let what = question.version.as_ref().map_or_else(|| question.api.clone(), |version| format!("{} {version}", question.api));
    found.ok_or_else(|| Problem::not_found(format!("there is no feedback on {what}; GET /v1/apis lists what is there")))
}

fn themes_problem(error: ThemesError) -> Problem {
    match error {
        ThemesError::Search(error) => search_problem(error),
        ThemesError::Usage(error) => store_problem(error),
    }
}
