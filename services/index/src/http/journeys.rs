//! Who uses a version, how they came and went, and who is in pain.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_model::{Timestamp, UNKNOWN_VERSION};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, Uri};

use super::answers::{answer, search_problem, store_problem};
use super::params::Params;
use crate::Handle;
use crate::handle::Stores;
use crate::journeys::types::{ConsumersPage, JourneyFigures, Pain, PainReport};
use crate::journeys::{self, Filter, Journeys, Question, ReadError, Versions};
use crate::rollup::{Days, RollupView};
use crate::summary::types::Checkpoint;

/// Consumers in pain that a summary names.
const IN_A_SUMMARY: usize = 10;
/// Consumers in pain that are named where nobody says how many.
const USUAL: usize = 50;

pub(super) async fn consumers(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    const KNOWN: &[&str] = &[
        "still_on",
        "gone",
        "moved_to",
        "went_back",
        "silent",
        "wrote",
        "min_calls",
        "since",
        "until",
        "sort",
        "limit",
        "cursor",
        "baseline",
        "gone_after",
    ];
    let params = Params::of(query.as_deref()).only(KNOWN)?;
    let asked = Asked::of(&params)?;
    let question = question(&params)?;
    answer(handle, &uri, &headers, move |handle| {
        let page = with_journeys(handle, (&api, &version), &asked, |journeys, view, _, checkpoint| {
            let page = journeys::page(journeys, view, &question)?;
            Ok(ConsumersPage { checkpoint: Some(checkpoint), ..page })
        })?;
        Ok(Json(page).into_response())
    })
    .await
}

pub(super) async fn pain(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["baseline", "since", "until", "gone_after", "limit"])?;
    let asked = Asked::of(&params)?;
    let most = params.number("limit", USUAL)?.min(journeys::MOST_ROWS);
    answer(handle, &uri, &headers, move |handle| {
        let report = with_journeys(handle, (&api, &version), &asked, |journeys, view, _, checkpoint| {
            let pain = journeys::pain(journeys, view, most)?;
            let (api, version) = (journeys.api.clone(), journeys.version.clone());
            Ok(PainReport { api, version, window: journeys.window(), checkpoint: Some(checkpoint), pain })
        })?;
        Ok(Json(report).into_response())
    })
    .await
}

/// What a summary says of journeys and pain; nothing of an API that nobody called.
pub(super) fn of_summary(
    handle: &Handle,
    version: (&str, &str),
    baseline: Option<&str>,
    window: (Option<Timestamp>, Option<Timestamp>),
) -> Result<(JourneyFigures, Pain), Problem> {
    let asked = Asked { baseline: baseline.map(str::to_owned), days: Days::covering(window.0, window.1), patience: None };
    if stores_of(handle, version)?.is_none() || version.1 == UNKNOWN_VERSION {
        return Ok(Default::default());
    }
    with_journeys(handle, version, &asked, |journeys, view, snapshot, _| {
        Ok((journeys::figures(journeys, view, snapshot)?, journeys::pain(journeys, view, IN_A_SUMMARY)?))
    })
}

/// What every question about journeys says.
struct Asked {
    baseline: Option<String>,
    days: Days,
    patience: Option<i32>,
}

impl Asked {
    fn of(params: &Params) -> Result<Self, Problem> {
        let (since, until) = params.window()?;
        let patience = match params.get("gone_after") {
            None => None,
            Some(days) => match days.trim_end_matches('d').parse() {
                Ok(days @ 1..=3650) => Some(days),
                _ => return Err(Problem::bad_request(format!("gone_after: {days:?} is no number of days from 1 to 3650"))),
            },
        };
        Ok(Self { baseline: params.get("baseline").map(str::to_owned), days: Days::covering(since, until), patience })
    }
}

fn question(params: &Params) -> Result<Question, Problem> {
    let filter = Filter {
        still_on: params.flag("still_on")?,
        gone: params.flag("gone")?,
        moved_to: params.get("moved_to").map(str::to_owned),
        went_back: params.flag("went_back")?,
        silent: params.flag("silent")?,
        wrote: params.flag("wrote")?,
        min_calls: u64::try_from(params.number("min_calls", 0)?).unwrap_or(u64::MAX),
    };
    for (one, other, names) in [(filter.still_on, filter.gone, "still_on and gone"), (filter.silent, filter.wrote, "silent and wrote")] {
        if one && other {
            return Err(Problem::bad_request(format!("{names}: no consumer is both")));
        }
    }
    Ok(Question {
        filter,
        order: params.choice("sort", "calls, errors, revenue, last, first")?.unwrap_or_default(),
        limit: params.number("limit", USUAL)?,
        cursor: params.get("cursor").map(str::to_owned),
    })
}

/// Reads the journeys of a version and works something out of them. What they keep in memory can be large: one after the other.
fn with_journeys<T>(
    handle: &Handle,
    (api, version): (&str, &str),
    asked: &Asked,
    work: impl FnOnce(&Journeys, &RollupView, &crate::search::Snapshot, Checkpoint) -> Result<T, ReadError>,
) -> Result<T, Problem> {
    let Some((partition, stores)) = stores_of(handle, (api, version))? else {
        return Err(Problem::not_found(format!("nothing is known of {api} {version}; GET /v1/apis lists what is there")));
    };
    let _turn = handle.turn();
    let view = stores.usage.view().map_err(store_problem)?;
    let snapshot = stores.search.snapshot();
    let versions = handle
        .with_catalogue(|catalogue| Versions::read(&view, catalogue, api, version, asked.baseline.as_deref()))
        .map_err(store_problem)?;
    let mut journeys = Journeys::read(&view, &snapshot, versions, (api, version), asked.days).map_err(problem)?;
    journeys.patience = asked.patience;
    let checkpoint = Checkpoint { partition, offset: view.checkpoint().unwrap_or_default().0 };
    work(&journeys, &view, &snapshot, checkpoint).map_err(problem)
}

/// The stores of the partition that holds the API, if anything is known of the version.
fn stores_of(handle: &Handle, (api, version): (&str, &str)) -> Result<Option<(u32, Stores)>, Problem> {
    let declared = handle.with_catalogue(|catalogue| catalogue.api(api).is_some_and(|a| a.version(version).is_some()));
    for (partition, stores) in handle.stores() {
        let called = stores.usage.view().and_then(|view| view.versions()).map_err(store_problem)?;
        let snapshot = stores.search.snapshot();
        let mut known = called.iter().map(|v| (&v.0, &v.1)).chain(snapshot.versions.iter().map(|v| (&v.api, &v.version)));
        if known.any(|(a, v)| a == api && (v == version || declared)) {
            return Ok(Some((partition, stores)));
        }
    }
    Ok(None)
}

fn problem(error: ReadError) -> Problem {
    match error {
        ReadError::Usage(error) => store_problem(error),
        ReadError::Search(error) => search_problem(error),
        ReadError::Asked(why) => Problem::bad_request(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_what_it_can_not_be() {
        let detail = |query: &str| question(&Params::of(Some(query))).unwrap_err().detail;
        assert!(detail("still_on=true&gone=true").contains("no consumer is both"));
        assert!(detail("silent=1&wrote=1").contains("silent and wrote"));
        assert!(detail("silent=maybe").contains("silent"));
        assert!(detail("sort=name").contains("revenue"));
        assert!(detail("min_calls=-1").contains("min_calls"));
        let days = |text: &str| Asked::of(&Params::of(Some(&format!("gone_after={text}")))).map(|asked| asked.patience);
        assert_eq!((days("14").unwrap(), days("14d").unwrap()), (Some(14), Some(14)));
        assert!(days("0").is_err() && days("soon").is_err());
    }
}
