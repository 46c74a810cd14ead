//! Themes over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_runtime::http::Problem;
use groundswell_themes::{NotAnId, ThemeId};
use http::{HeaderMap, Uri};
use serde_json::{Map, Value};

use super::answers::{answer, search_problem, store_problem};
use super::params::Params;
use crate::Handle;
use crate::handle::Stores;
use crate::themes::{Decided, Desk, Names, NotDecided, Question, ThemesError, proposals, themes};

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

pub(super) async fn propose(
    State(handle): State<Handle>,
    Path(api): Path<String>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["limit"])?;
    let question = question(api, None, &params)?;
    answer(handle, &uri, &headers, move |handle| {
        let stores = place(handle, &question)?;
        let rules = handle.rules().get(&question.api).cloned().unwrap_or_default();
        // It holds the words of thousands of pieces: one at a time.
        let _turn = handle.turn();
        let found = proposals(&stores, &rules, &question.api, question.limit).map_err(themes_problem)?;
        Ok(Json(found).into_response())
    })
    .await
}

pub(super) async fn decide(
    State((handle, desk)): State<(Handle, Arc<Desk>)>,
    Path((api, theme)): Path<(String, String)>,
    Json(said): Json<Map<String, Value>>,
) -> Result<Json<Decided>, Problem> {
    let work = move || {
        let id: ThemeId = theme.parse().map_err(|e: NotAnId| Problem::bad_request(e.to_string()))?;
        let others = said.get("into").and_then(Value::as_str).and_then(|into| into.parse().ok());
        std::iter::once(id).chain(others).try_for_each(|theme| known(&handle, &api, theme))?;
        desk.take(&api, id, said, groundswell_runtime::clock::now()).map_err(|error| match error {
            NotDecided::Asker(why) => Problem::bad_request(why),
            NotDecided::Bus(error) => Problem::unavailable(format!("the decision could not be published: {error}; ask again")),
        })
    };
    let worked = tokio::task::spawn_blocking(work).await;
    worked.map_err(|_| Problem::internal("the decision failed; the log says why"))?.map(Json)
}

/// Refuses a theme that neither the grouping nor people made.
fn known(handle: &Handle, api: &str, theme: ThemeId) -> Result<(), Problem> {
    let made = handle.rules().get(api).is_some_and(|rules| rules.splits().any(|s| s.id == theme));
    for (_, stores) in handle.stores() {
        if made || Names::read(&stores.usage, api).map_err(store_problem)?.0.contains_key(&theme) {
            return Ok(());
        }
    }
    Err(Problem::not_found(format!("{api} has no theme {theme}; GET /v1/apis/{api}/themes lists what is there")))
}

async fn show(handle: Handle, uri: &Uri, headers: &HeaderMap, question: Question) -> Result<Response, Problem> {
    answer(handle, uri, headers, move |handle| {
        let stores = place(handle, &question)?;
        let rules = handle.rules().get(&question.api).cloned().unwrap_or_default();
        let found = themes(&stores, &rules, &question).map_err(themes_problem)?;
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
