//! Whether a version mended what consumers asked for.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use groundswell_runtime::http::Problem;
use http::{HeaderMap, Uri, header};

use super::answers::{answer, search_problem, store_problem};
use super::params::Params;
use super::verdict::{of_api, read_problem};
use crate::Handle;
use crate::fix::{self, FixReview, Question, sections};
use crate::review::catalogue_hash;
use crate::rollup::Days;
use crate::summary::render::sections_markdown_at;

/// Bytes of a search.
const LONGEST: usize = 1000;

pub(super) async fn fix(
    State(handle): State<Handle>,
    Path((api, version)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (markdown, rest) = super::changes::form(query.as_deref())?;
    let question = question(api, version, &rest)?;
    answer(handle, &uri, &headers, move |handle| {
        let fix = told(handle, question)?;
        if markdown {
            let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
            return Ok((kind, sections_markdown_at(&sections(&fix), 2)).into_response());
        }
        Ok(Json(fix).into_response())
    })
    .await
}

fn question(api: String, version: String, query: &str) -> Result<Question, Problem> {
    let params = Params::of(Some(query)).only(&["q", "theme", "since", "until"])?;
    let (since, until) = params.window()?;
    let search = match (params.get("q"), params.get("theme")) {
        (Some(search), None) => search.to_owned(),
        (None, Some(theme)) => format!("theme:\"{}\"", theme.replace(['"', '\\'], " ")),
        _ => return Err(Problem::bad_request("q or theme: say what was to be mended, for example ?q=\"page skips\"")),
    };
    if search.len() > LONGEST {
        return Err(Problem::bad_request(format!("q: at most {LONGEST} bytes")));
    }
    crate::search::check_search(&search).map_err(search_problem)?;
    Ok(Question { api, version, search, days: Days::covering(since, until), ..Question::default() })
}

fn told(handle: &Handle, mut question: Question) -> Result<FixReview, Problem> {
    let stores = of_api(handle, &question.api, &[("version", &question.version)])?;
    handle.with_catalogue(|catalogue| {
        question.catalogue = catalogue_hash(catalogue, &question.api);
        let declared = catalogue.api(&question.api).and_then(|api| api.version(&question.version));
        question.released = declared.and_then(|version| version.released());
    });
    question.rules = handle.rules();
    let _turn = handle.turn();
    let view = stores.usage.view().map_err(store_problem)?;
    fix::fix(&view, &stores.search.snapshot(), &question).map_err(read_problem)
}
