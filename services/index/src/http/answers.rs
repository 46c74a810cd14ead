//! Reading: search, overview, summary, export.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_model::{Timestamp, UNKNOWN_VERSION};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use xxhash_rust::xxh3::xxh3_64;

use super::params::{Params, SEARCH};
use crate::Handle;
use crate::rollup::{Days, RollupError, RollupView};
use crate::search::{self, Counting, SearchError, SearchRequest, Snapshot, feedback_stats};
use crate::summary::types::{Checkpoint, Summary};
use crate::summary::{self, ApiFeedback, ApiUsage, RevenueBehind, SummaryInputs, UsageData, VersionData, VersionFeedback, render};

pub(super) async fn search(
    State(handle): State<Handle>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = Params::of(query.as_deref()).only(SEARCH)?.search()?;
    answer(handle, &uri, &headers, move |handle| {
        let begun = Instant::now();
        let snapshots = snapshots(handle);
        let mut found = search::search_under(&snapshots, &request, &handle.rules()).map_err(search_problem)?;
        found.checkpoint = snapshots.iter().map(|s| (s.partition, s.checkpoint.0)).collect();
        // Whole microseconds: what is behind them is noise.
        found.took_ms = (begun.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0;
        Ok(Json(found).into_response())
    })
    .await
}

pub(super) async fn apis(
    State(handle): State<Handle>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Params::of(query.as_deref()).only(&[])?;
    answer(handle, &uri, &headers, |handle| {
        let mut usage = BTreeMap::new();
        for view in views(handle)? {
            usage.extend(ApiUsage::read(&view).map_err(store_problem)?);
        }
        let mut feedback: BTreeMap<String, (ApiFeedback, BTreeMap<String, VersionFeedback>)> = BTreeMap::new();
        for view in snapshots(handle).iter().flat_map(|s| &s.versions) {
            let stats = feedback_stats(view, None, Counting::Weighted).map_err(search_problem)?;
            let said = VersionFeedback { count: stats.all.count, first: stats.earliest, last: stats.latest };
            feedback.entry(view.api.clone()).or_default().1.insert(view.version.clone(), said);
        }
        for (api, (all, _)) in &mut feedback {
            *all = api_feedback(handle, api, None, None)?;
        }
        let now = groundswell_runtime::clock::now();
        Ok(Json(handle.with_catalogue(|catalogue| summary::overview(&usage, &feedback, catalogue, now))).into_response())
    })
    .await
}

pub(super) async fn catalogue(
    State(handle): State<Handle>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["api"])?;
    let api = params.get("api").map(str::to_owned);
    answer(handle, &uri, &headers, move |handle| {
        Ok(Json(handle.with_catalogue(|catalogue| catalogue.describe(api.as_deref()))).into_response())
    })
    .await
}

pub(super) async fn summary(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["baseline", "since", "until", "counting", "format"])?;
    let window = params.window()?;
    let baseline = params.get("baseline").map(str::to_owned);
    if baseline.as_ref() == Some(&version) {
        return Err(Problem::bad_request(format!("baseline: {version} is the version itself; name another one")));
    }
    let counting = match params.get("counting") {
        None | Some("weighted") => Counting::Weighted,
        Some("strict") => Counting::Strict,
        Some(other) => return Err(Problem::bad_request(format!("counting: {other:?} is none of weighted, strict"))),
    };
    let markdown = match params.get("format") {
        None | Some("json") => false,
        Some("md") => true,
        Some(other) => return Err(Problem::bad_request(format!("format: {other:?} is none of json, md"))),
    };
    answer(handle, &uri, &headers, move |handle| {
        let summary = summarise(handle, &api, &version, baseline.as_deref(), window, counting)?;
        if markdown {
            let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
            return Ok((kind, render::markdown(&summary)).into_response());
        }
        Ok(Json(summary).into_response())
    })
    .await
}

pub(super) async fn export(State(handle): State<Handle>, Path((api, version)): Path<(String, String)>) -> Result<Response, Problem> {
    let exported = tokio::task::spawn_blocking(move || {
        let snapshot = snapshots(&handle).into_iter().find(|s| s.version(&api, &version).is_some());
        let snapshot = snapshot.ok_or_else(|| Problem::not_found(format!("there is no feedback on {api} {version}")))?;
        // Into a file that nothing names: a version can be larger than memory.
        let file = tempfile::tempfile().map_err(|e| Problem::internal(e.to_string()))?;
        let mut out = std::io::BufWriter::new(file);
        snapshot.export(&api, &version, &handle.rules(), &mut out).map_err(search_problem)?;
        let mut file = out.into_inner().map_err(|e| Problem::internal(e.to_string()))?;
        std::io::Seek::rewind(&mut file).map_err(|e| Problem::internal(e.to_string()))?;
        Ok(file)
    });
    let file = exported.await.map_err(|e| Problem::internal(e.to_string()))??;
    let stream = tokio_util::io::ReaderStream::new(tokio::fs::File::from_std(file));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(stream)).into_response())
}

/// Works an answer out beside the threads that serve connections. Says 304 where the asker has it already.
pub(super) async fn answer(
    handle: Handle,
    uri: &Uri,
    headers: &HeaderMap,
    work: impl FnOnce(&Handle) -> Result<Response, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let tag = etag(&handle, uri);
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let worked = tokio::task::spawn_blocking(move || work(&handle)).await;
    let mut response = worked.map_err(|_| Problem::internal("the answer could not be worked out; the log says why"))??;
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Changes whenever the answer can: with the checkpoints, the catalogue and the question. Weak, for the time taken is told too.
fn etag(handle: &Handle, uri: &Uri) -> String {
    let generation = handle.with_catalogue(groundswell_catalogue::Catalogue::generation);
    let mut basis = format!("{uri} {generation} {} {}", handle.changed(), handle.rule_changes());
    for snapshot in snapshots(handle) {
        basis.push_str(&format!(" {}:{}", snapshot.partition, snapshot.checkpoint.0));
    }
    for (partition, stores) in handle.stores() {
        let checkpoint = stores.usage.view().ok().and_then(|v| v.checkpoint());
        basis.push_str(&format!(" {partition}:{checkpoint:?}"));
    }
    format!("W/\"{:016x}\"", xxh3_64(basis.as_bytes()))
}

pub(super) fn snapshots(handle: &Handle) -> Vec<Arc<Snapshot>> {
    handle.stores().into_iter().map(|(_, stores)| stores.search.snapshot()).collect()
}

fn views(handle: &Handle) -> Result<Vec<RollupView>, Problem> {
    handle.stores().into_iter().map(|(_, stores)| stores.usage.view().map_err(store_problem)).collect()
}

fn summarise(
    handle: &Handle,
    api: &str,
    version: &str,
    baseline: Option<&str>,
    window: (Option<Timestamp>, Option<Timestamp>),
    counting: Counting,
) -> Result<Summary, Problem> {
    let days = Days::covering(window.0, window.1);
    let checkpoint = checkpoint_of(handle, api)?;
    // Half of a summary is journeys, which need nothing of the rest: the two halves are read side by side.
    let (this, journeys) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| super::journeys::of_summary(handle, (api, version), baseline, window));
        let this = version_data(handle, api, version, days, counting);
        (this, beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (this, (journeys, pain)) = (this?, journeys?);
    let inputs = SummaryInputs {
        api: api.to_owned(),
        days,
        checkpoint,
        api_feedback: api_feedback(handle, api, window.0, window.1)?,
        this,
        baseline: baseline.map(|b| version_data(handle, api, b, days, counting)).transpose()?,
        journeys,
        pain,
    };
    Ok(summary::summarise(&inputs))
}

/// The partition that holds an API, and how far it is.
fn checkpoint_of(handle: &Handle, api: &str) -> Result<Option<Checkpoint>, Problem> {
    for (partition, stores) in handle.stores() {
        let view = stores.usage.view().map_err(store_problem)?;
        let used = view.versions().map_err(store_problem)?.iter().any(|v| v.0 == api);
        if used || stores.search.snapshot().versions.iter().any(|v| v.api == api) {
            return Ok(view.checkpoint().map(|offset| Checkpoint { partition, offset: offset.0 }));
        }
    }
    Ok(None)
}

fn version_data(handle: &Handle, api: &str, version: &str, days: Days, counting: Counting) -> Result<VersionData, Problem> {
    let mut data = VersionData { version: version.to_owned(), ..VersionData::default() };
    let mut known = version == UNKNOWN_VERSION;
    for view in views(handle)? {
        let used = view.versions().map_err(store_problem)?.iter().any(|v| v.0 == api && v.1 == version);
        if used {
            data.usage = UsageData::read(&view, api, version, days).map_err(store_problem)?;
            known = true;
        }
    }
    for (_, stores) in handle.stores() {
        if let Some(index) = stores.search.snapshot().version(api, version) {
            data.feedback = feedback_stats(index, days.times(), counting).map_err(search_problem)?;
            let usage = stores.usage.view().map_err(store_problem)?;
            data.revenue_behind = RevenueBehind::read(&usage, api, version, &data.feedback).map_err(store_problem)?;
            known = true;
        }
    }
    let now = groundswell_runtime::clock::now();
    data.lifecycle = handle.with_catalogue(|catalogue| summary::lifecycle(catalogue, api, version, now));
    if known || data.lifecycle.declared {
        return Ok(data);
    }
    Err(Problem::not_found(format!("nothing is known of {api} {version}; GET /v1/apis lists what is there")))
}

fn api_feedback(handle: &Handle, api: &str, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<ApiFeedback, Problem> {
    let snapshots = snapshots(handle);
    let days = Days::covering(since, until);
    let text = |day: Option<groundswell_model::Day>| day.map_or_else(|| "*".to_owned(), |d| d.start().rfc3339());
    let filters = if days.is_all() { Vec::new() } else { vec![format!("time:[{} TO {}}}", text(days.from), text(days.until))] };
    let count = |versions: Vec<String>| -> Result<u64, Problem> {
        let request = SearchRequest { api: Some(api.to_owned()), versions, filters: filters.clone(), limit: 0, ..SearchRequest::default() };
        Ok(search::search(&snapshots, &request).map_err(search_problem)?.total)
    };
    Ok(ApiFeedback { count: count(Vec::new())?, unknown: count(vec![UNKNOWN_VERSION.to_owned()])? })
}

#[expect(clippy::needless_pass_by_value, reason = "called by map_err")]
pub(super) fn search_problem(error: SearchError) -> Problem {
    if error.is_askers() {
        return Problem::bad_request(error.to_string());
    }
    tracing::error!(%error, "a search failed");
    Problem::internal("the index could not be read; the log says why")
}

#[expect(clippy::needless_pass_by_value, reason = "called by map_err")]
pub(super) fn store_problem(error: RollupError) -> Problem {
    tracing::error!(%error, "the usage store could not be read");
    Problem::internal("the usage store could not be read; the log says why")
}
