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
#[derive(Debug, Default, Serialize)]
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
#[derive(Debug, Default, Serialize)]
pub struct Queries {
    /// Searches over HTTP, one after the other on one connection.
    pub search_http: Percentiles,
    /// The same searches in this process.
    pub search_in_process: Percentiles,
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
    let encoded = |n: usize| WORDS[n % WORDS.len()].replace(' ', "%20").replace('"', "%22");
    let search = |n: usize| format!("/v1/search?q={}&facet=type&facet=sentiment&histogram=day&limit=10", encoded(n));
    let mut asked = Vec::with_capacity(searches);
    for n in 0..searches {
        let begun = Instant::now();
        get(&search(n))?;
        asked.push(begun.elapsed());
    }
    let apis: serde_json::Value = serde_json::from_str(&get("/v1/apis")?).map_err(|e| Failure::failed(e.to_string()))?;
    let versions =
        apis["apis"].as_array().into_iter().flatten().flat_map(|a| a["versions"].as_array().into_iter().flatten().map(move |v| (a, v)));
    let busiest = versions.max_by_key(|(_, v)| v["calls"].as_u64());
    let Some((api, version)) = busiest else { return Err(Failure::failed("the index knows no version")) };
    let path = format!(
        "/v1/apis/{}/versions/{}/summary",
        api["api"].as_str().unwrap_or_default(),
        version["version"].as_str().unwrap_or_default()
    );
    let mut summaries = Vec::new();
    for _ in 0..(searches / 20).max(20) {
        let begun = Instant::now();
        get(&path)?;
        summaries.push(begun.elapsed());
    }
    Ok(Queries {
        search_http: Percentiles::of(asked),
        summary_http: Percentiles::of(summaries),
        summary_calls: version["calls"].as_u64().unwrap_or(0),
        search_in_process: Percentiles::default(),
    })
}

/// Asks the index of a stopped server, in this process.
pub fn in_process(data: &Path, searches: usize) -> Result<Percentiles, Failure> {
    let mut stores = Vec::new();
    for partition in 0.. {
        let folder = groundswell_index::partition::folder(data, partition);
        if !folder.exists() {
            break;
        }
        stores.push(SearchStore::open(&folder, partition, &IndexSettings::default()).map_err(|e| Failure::failed(e.to_string()))?);
    }
    let snapshots: Vec<_> = stores.iter().map(|s| s.readers().snapshot()).collect();
    let mut asked = Vec::with_capacity(searches);
    for n in 0..searches {
        let request = SearchRequest {
            query: WORDS[n % WORDS.len()].to_owned(),
            facets: vec!["type".into(), "sentiment".into()],
            histogram: Some(Interval::Day),
            limit: 10,
            ..SearchRequest::default()
        };
        let begun = Instant::now();
        groundswell_index::search::search(&snapshots, &request).map_err(|e| Failure::failed(e.to_string()))?;
        asked.push(begun.elapsed());
    }
    Ok(Percentiles::of(asked))
}
