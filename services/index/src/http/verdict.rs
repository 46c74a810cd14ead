//! The verdict on a version: a review by the usual policy, or by one that is sent along.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_model::UNKNOWN_VERSION;
use groundswell_review::policy::Counted;
use groundswell_review::{Policy, Review};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, StatusCode, Uri};

use super::answers::{answer, search_problem, store_problem};
use super::params::Params;
use crate::Handle;
use crate::handle::Stores;
use crate::review::{self, Custom, OperationNames, Question, ReadError};
use crate::rollup::Days;
use crate::verdicts::History;

/// Bytes that a policy may have.
pub(super) const POLICY_BYTES: usize = 64 * 1024;

pub(super) async fn by_default(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let question = question(api, version, query.as_deref())?;
    answer(handle, &uri, &headers, move |handle| Ok(Json(judge(handle, question, &Policy::default())?).into_response())).await
}

/// Verdicts that were given on a version, newest first.
pub(super) async fn history(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Json<History>, Problem> {
    let params = Params::of(query.as_deref()).only(&["baseline", "limit"])?;
    let baseline = params.get("baseline").map(str::to_owned);
    let limit = params.number("limit", 50)?;
    let worked = tokio::task::spawn_blocking(move || {
        let Some(verdicts) = handle.verdicts() else {
            return Err(Problem::unavailable("verdicts are not stored here; the log says why"));
        };
        verdicts.list(&api, &version, baseline.as_deref(), limit).map_err(|error| {
            tracing::error!(%error, "stored verdicts could not be read");
            Problem::internal("the stored verdicts could not be read; the log says why")
        })
    });
    worked.await.map_err(|_| Problem::internal("the verdicts could not be read; the log says why"))?.map(Json)
}

pub(super) async fn by_policy(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Review>, Problem> {
    let question = question(api, version, query.as_deref())?;
    let policy = policy_of(body)?;
    let worked = tokio::task::spawn_blocking(move || judge(&handle, question, &policy)).await;
    worked.map_err(|_| Problem::internal("the verdict could not be worked out; the log says why"))?.map(Json)
}

/// The policy of a request.
pub(super) fn policy_of(body: Result<Bytes, BytesRejection>) -> Result<Policy, Problem> {
    let body = body.map_err(unreadable)?;
    let text = std::str::from_utf8(&body).map_err(|e| Problem::bad_request(format!("the policy is not UTF-8: {e}")))?;
    Policy::parse(text).map_err(|e| Problem::bad_request(e.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "called by map_err")]
fn unreadable(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::too_large(format!("a policy has at most {POLICY_BYTES} bytes"));
    }
    Problem::bad_request(rejection.body_text())
}

pub(super) fn question(api: String, version: String, query: Option<&str>) -> Result<Question, Problem> {
    let params = Params::of(query).only(&["baseline", "since", "until"])?;
    let (since, until) = params.window()?;
    let Some(baseline) = params.get("baseline").map(str::to_owned) else {
        return Err(Problem::bad_request("baseline: name the version to compare with, for example ?baseline=v1"));
    };
    if baseline == version {
        return Err(Problem::bad_request(format!("baseline: {baseline} is the version itself; name another")));
    }
    if [&baseline, &version].into_iter().any(|v| v == UNKNOWN_VERSION) {
        return Err(Problem::bad_request(format!("what has no known version can't be reviewed: name versions, not {UNKNOWN_VERSION:?}")));
    }
    Ok(Question { api, version, baseline, days: Days::covering(since, until), ..Question::default() })
}

fn judge(handle: &Handle, mut question: Question, policy: &Policy) -> Result<Review, Problem> {
    let moment = handle.whole();
    question.custom = custom(handle, &question, policy)?;
    let stores = prepare(handle, &mut question)?;
    // What a review keeps in memory can be large: one after the other.
    let _turn = handle.turn();
    let view = stores.usage.view().map_err(store_problem)?;
    let input = review::read(&view, &stores.search.snapshot(), &question).map_err(read_problem)?;
    drop(view);
    let review = groundswell_review::review(&input, policy);
    // A verdict on part of the data is not given, and must not be kept either.
    if moment.is_some_and(|moment| handle.is_whole_since(moment))
        && let Some(verdicts) = handle.verdicts()
        && let Err(error) = verdicts.keep(&review, groundswell_runtime::clock::now())
    {
        // The answer is right all the same; only the history lacks it.
        tracing::error!(%error, api = review.api, version = review.version, "a verdict could not be stored");
    }
    Ok(review)
}

/// What a policy's custom guardrails count.
fn custom(handle: &Handle, question: &Question, policy: &Policy) -> Result<Vec<(String, Custom)>, Problem> {
    let counted = |(name, counted): (String, Counted)| match counted {
        Counted::Search(query) => {
            crate::search::check_search(&query).map_err(|why| Problem::bad_request(format!("policy: guardrails.{name}: {why}")))?;
            Ok((name, Custom::Search(query)))
        }
        Counted::Operation(operation) => {
            let versions = [question.version.as_str(), &question.baseline];
            let names = handle.with_catalogue(|catalogue| OperationNames::of(catalogue, &question.api, versions, &operation));
            Ok((name, Custom::Operation(names)))
        }
    };
    policy.custom().into_iter().map(counted).collect()
}

/// The stores that answer a question, and what the catalogue says about it.
pub(super) fn prepare(handle: &Handle, question: &mut Question) -> Result<Stores, Problem> {
    let stores = of_api(handle, &question.api, &[("version", &question.version), ("baseline", &question.baseline)])?;
    handle.with_catalogue(|catalogue| {
        question.catalogue = review::catalogue_hash(catalogue, &question.api);
        let declared = catalogue.api(&question.api).and_then(|api| api.version(&question.version));
        question.released = declared.and_then(|version| version.date(groundswell_contract::Stage::Released));
    });
    question.rules = handle.rules();
    Ok(stores)
}

pub(super) fn read_problem(error: ReadError) -> Problem {
    match error {
        why @ (ReadError::Window(_) | ReadError::Operation { .. }) => Problem::bad_request(why.to_string()),
        ReadError::Usage(error) => store_problem(error),
        ReadError::Search(error) => search_problem(error),
    }
}

/// The stores of the partition that holds the API; an API is in one. Refuses versions of which nothing is known.
pub(super) fn of_api(handle: &Handle, api: &str, versions: &[(&str, &str)]) -> Result<Stores, Problem> {
    let mut place = None;
    let mut known: Vec<String> = handle.with_catalogue(|catalogue| catalogue.versions(api).map(|v| v.name().to_owned()).collect());
    for (_, stores) in handle.stores() {
        let called = stores.usage.view().and_then(|view| view.versions()).map_err(store_problem)?;
        let snapshot = stores.search.snapshot();
        let said = snapshot.versions.iter().filter(|v| v.api == api).map(|v| v.version.clone());
        let before = known.len();
        known.extend(called.into_iter().filter(|v| v.0 == api).map(|v| v.1).chain(said));
        if known.len() > before {
            place = Some(stores);
        }
    }
    for (what, version) in versions {
        if !known.iter().any(|known| known == version) {
            return Err(Problem::not_found(format!("{what}: nothing is known of {api} {version}; GET /v1/apis lists what is there")));
        }
    }
    place.ok_or_else(|| Problem::not_found(format!("nobody has called or written about {api} yet")))
}

#[cfg(test)]
mod tests {
    use groundswell_model::Timestamp;

    use super::*;

    fn detail(version: &str, query: &str) -> String {
        question("payments".into(), version.into(), Some(query)).unwrap_err().detail
    }

    #[test]
    fn a_question_says_what_it_lacks() {
        assert!(detail("v2", "").contains("baseline"));
        assert!(detail("v2", "baseline=v2").contains("itself"));
        assert!(detail("v2", "baseline=unknown").contains("known version"));
        assert!(detail("v2", "baseline=v1&window=7d").contains("\"window\""));
        assert!(detail("v2", "baseline=v1&since=2026-02-01&until=2026-01-01").contains("before"));
    }

    #[test]
    fn times_become_the_days_that_hold_them() {
        let question = question("payments".into(), "v2".into(), Some("baseline=v1&since=2026-02-01T10:00:00Z&until=2026-03-01")).unwrap();
        let day = |text| Some(Timestamp::parse(text).unwrap().day());
        assert_eq!((question.days.from, question.days.until), (day("2026-02-01T00:00:00Z"), day("2026-03-01T00:00:00Z")));
    }
}
