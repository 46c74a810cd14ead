//! Questions to an index, over HTTP and in this process.

use std::path::Path;
use std::time::{Duration, Instant};

use groundswell_index::search::{Interval, SearchRequest, SearchStore};
use groundswell_runtime::settings::IndexSettings;
use serde::Serialize;

use super::process::quantile_ms;
use crate::failure::Failure;

/// Words that occur in the tickets of the workload, rare and frequent.
const WORDS: &[&str] =
    &["timeout", "webhook", "signature", "rate limit", "error", "invoice", "token", "\"rate limit\"", "429", "documentation"];

/// Milliseconds.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Percentiles {
    /// Half of them took at most so long.
    pub p50_ms: f64,
    /// 99 of 100 took at most so long.
    pub p99_ms: f64,
    /// How many were asked.
    pub n: usize,
}

impl Percentiles {
    fn of(mut durations: Vec<Duration>) -> Self {
        Self { p50_ms: quantile_ms(&mut durations, 0.5), p99_ms: quantile_ms(&mut durations, 0.99), n: durations.len() }
    }
}

/// Searches with two facets and a day histogram, and summaries.
#[derive(Debug, Default, Serialize, schemars::JsonSchema)]
pub struct Queries {
    /// Searches of all APIs and versions over HTTP, one after the other on one connection.
    pub search_http: Percentiles,
    /// The same searches in this process.
    pub search_in_process: Percentiles,
    /// The same searches of the versions of one API, the busiest, over HTTP.
    pub search_api_http: Percentiles,
    /// The same in this process.
    pub search_api_in_process: Percentiles,
    /// The API with most calls.
    pub api: String,
    /// Summaries of the version with most calls, over HTTP.
    pub summary_http: Percentiles,
    /// Calls behind that summary.
    pub summary_calls: u64,
}

/// Asks a server.
pub fn over_http(url: &str, searches: usize) -> Result<Queries, Failure> {
    let http = reqwest::blocking::Client::new();
    let get = |path: &str| -> Result<String, Failure> {
        let answer = http.get(format!("{url}{path}")).send().and_then(reqwest::blocking::Response::error_for_status);
        answer.and_then(reqwest::blocking::Response::text).map_err(|e| Failure::unreachable(format!("{path}: {e}")))
    };
    let apis: serde_json::Value = serde_json::from_str(&get("/v1/apis")?).map_err(|e| Failure::failed(e.to_string()))?;
    let versions =
        apis["apis"].as_array().into_iter().flatten().flat_map(|a| a["versions"].as_array().into_iter().flatten().map(move |v| (a, v)));
    let busiest = versions.max_by_key(|(_, v)| v["calls"].as_u64());
    let Some((api, version)) = busiest else { return Err(Failure::failed("the index knows no version")) };
    let api = api["api"].as_str().unwrap_or_default();
    let path = format!("/v1/apis/{api}/versions/{}/summary", version["version"].as_str().unwrap_or_default());
    Ok(Queries {
        search_http: timed(searches, |n| get(&search_path(n, None)))?,
        search_api_http: timed(searches, |n| get(&search_path(n, Some(api))))?,
        summary_http: timed((searches / 20).max(20), |_| get(&path))?,
        summary_calls: version["calls"].as_u64().unwrap_or(0),
        api: api.to_owned(),
        ..Queries::default()
    })
}

fn search_path(n: usize, api: Option<&str>) -> String {
    let words = WORDS[n % WORDS.len()].replace(' ', "%20").replace('"', "%22");
    let api = api.map(|api| format!("&api={api}")).unwrap_or_default();
    format!("/v1/search?q={words}&facet=type&facet=sentiment&histogram=day&limit=10{api}")
}

/// Asks `times` times, one after the other.
fn timed<T>(times: usize, mut ask: impl FnMut(usize) -> Result<T, Failure>) -> Result<Percentiles, Failure> {
    let mut asked = Vec::with_capacity(times);
    for n in 0..times {
        let begun = Instant::now();
        ask(n)?;
        asked.push(begun.elapsed());
    }
    Ok(Percentiles::of(asked))
}

/// Asks the index of a stopped server, in this process: all of it, and one API.
pub fn in_process(data: &Path, searches: usize, queries: &mut Queries) -> Result<(), Failure> {
    let mut stores = Vec::new();
    for partition in 0.. {
        let folder = groundswell_index::partition::folder(data, partition);
        if !folder.exists() {
            break;
        }
        stores.push(SearchStore::open(&folder, partition, &IndexSettings::default()).map_err(|e| Failure::failed(e.to_string()))?);
    }
    let snapshots: Vec<_> = stores.iter().map(|s| s.readers().snapshot()).collect();
    let ask = |n: usize, api: Option<&str>| {
        let request = SearchRequest {
            query: WORDS[n % WORDS.len()].to_owned(),
            api: api.map(str::to_owned),
            facets: vec!["type".into(), "sentiment".into()],
            histogram: Some(Interval::Day),
            limit: 10,
            ..SearchRequest::default()
        };
        groundswell_index::search::search(&snapshots, &request).map_err(|e| Failure::failed(e.to_string()))
    };
    queries.search_in_process = timed(searches, |n| ask(n, None))?;
    queries.search_api_in_process = timed(searches, |n| ask(n, Some(&queries.api)))?;
    Ok(())
}
