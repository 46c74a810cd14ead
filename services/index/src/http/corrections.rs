//! Corrections over HTTP: made by an analyst, listed with how right the machine was, exported to learn from.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::JsonRejection;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use groundswell_contract::decisions::FeedbackRef;
use groundswell_contract::{CloudEvent, Correction, EventType};
use groundswell_model::{IdentityHash, Insight, Timestamp, UNKNOWN_API, UNKNOWN_VERSION};
use groundswell_runtime::http::{Caller, Problem};
use groundswell_text::classify::known_labels;
use http::{HeaderMap, StatusCode, Uri, header};

use super::answers::{answer, search_problem, snapshots};
use super::params::Params;
use crate::Handle;
use crate::corrections::list::{CorrectionRequest, CorrectionTaken, Wanted, find, heads, list, machine_labels, taught};
use crate::corrections::{Corrections, Standing};
use crate::voice::Voice;

/// Bytes of a body that go along for classifiers to learn from: they read no further.
const LEARNT_BYTES: usize = 16 * 1024;
/// Corrections in a list where nothing else is asked.
const USUAL: usize = 50;
/// Corrections in a list at most.
const MOST: usize = 1000;
/// The CloudEvents `source` of corrections made here.
const SOURCE: &str = "/groundswell/corrections";

/// Where corrections are written down.
#[derive(Clone)]
pub struct Desk {
    handle: Handle,
    voice: Voice,
    /// What was written down here and not yet read from the topic: the next correction builds on it.
    recent: Arc<Mutex<Corrections>>,
}

impl Desk {
    /// A desk over what the index knows; it publishes to the catalogue topic.
    #[must_use]
    pub fn new(handle: Handle, voice: Voice) -> Self {
        Self { handle, voice, recent: Arc::default() }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

pub(super) async fn correct(
    State(desk): State<Desk>,
    caller: Option<Extension<Caller>>,
    request: Result<Json<CorrectionRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<CorrectionTaken>), Problem> {
    let Json(mut request) = request.map_err(|e| Problem::bad_request(e.body_text()))?;
    if request.by.is_none() {
        request.by = caller.map(|Extension(caller)| caller.0.to_string());
    }
    let now = groundswell_runtime::clock::now();
    let worked = tokio::task::spawn_blocking(move || take(&desk, &request, now)).await;
    let taken = worked.map_err(|_| Problem::internal("the correction could not be taken; the log says why"))??;
    Ok((StatusCode::ACCEPTED, Json(taken)))
}

fn take(desk: &Desk, request: &CorrectionRequest, now: Timestamp) -> Result<CorrectionTaken, Problem> {
    if request.source.is_empty() || request.id.is_empty() {
        return Err(Problem::bad_request("source and id: name the feedback as a search shows it"));
    }
    let identity = IdentityHash::of(&request.source, &request.id);
    let stored = find(&snapshots(&desk.handle), identity).map_err(search_problem)?;
    let original = stored.as_ref().and_then(crate::search::Stored::original).ok_or_else(|| {
        let (source, id) = (shown(&request.source), shown(&request.id));
        Problem::not_found(format!("there is no feedback with source {source:?} and id {id:?}; search for it to see both"))
    })?;
    // One after the other: of two about the same feedback the second builds on the first.
    let mut recent = desk.recent.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = desk.handle.corrections().with(|table| {
        recent.forget_known(table);
        recent.of(identity).or_else(|| table.of(identity))
    });
    let before = newest.clone().filter(|s| s.stands());
    check_names(desk, request, &original)?;
    let correction = correction(request, before.as_deref(), &original);
    if !correction.says_something() {
        return Err(Problem::bad_request(
            "say what is right: one of type, aspects, sentiment, severity, language, api_version; or withdraw",
        ));
    }
    // Of one millisecond the later one must stand, and a correction never lies before the one it builds on.
    let at = newest.map_or(now, |b| now.max(b.at.plus_ms(1)));
    let event = event(&correction, at)?;
    let key = format!("correction/{}/{}", request.source, request.id);
    desk.voice.say(key, checked(desk, &event, at)?).map_err(|error| {
        tracing::error!(%error, "a correction could not be published");
        Problem::unavailable("the correction could not be made durable: send it again")
    })?;
    recent.take(correction.clone(), at);
    let machine = correction.machine.clone().unwrap_or_default();
    Ok(CorrectionTaken {
        event: FeedbackRef { source: event.source, id: event.id },
        of: correction.of.clone(),
        heads: heads(&correction, &machine),
        withdrawn: correction.withdrawn,
    })
}

/// What is said now, over what was said before; with the text, so that classifiers can learn, and with the machine's word, so that
/// it can be judged.
fn correction(request: &CorrectionRequest, before: Option<&Standing>, original: &Insight<'_>) -> Correction {
    let of = FeedbackRef { source: request.source.clone(), id: request.id.clone() };
    let (by, note) = (request.by.clone(), request.note.clone());
    if request.withdraw {
        return Correction { of, by, note, withdrawn: true, ..Correction::default() };
    }
    let before = before.map(|b| b.correction.clone()).unwrap_or_default();
    let text = |text: &str| (!text.is_empty()).then(|| text[..text.floor_char_boundary(LEARNT_BYTES)].to_owned());
    Correction {
        of,
        kind: request.kind.clone().or(before.kind),
        aspects: request.aspects.clone().or(before.aspects),
        sentiment: request.sentiment.clone().or(before.sentiment),
        severity: request.severity.clone().or(before.severity),
        language: request.language.clone().or(before.language),
        api_version: request.api_version.clone().or(before.api_version),
        machine: before.machine.or_else(|| Some(machine_labels(original))),
        title: text(original.title),
        body: text(original.body),
        by,
        note,
        ..Correction::default()
    }
}

/// A typing error would make a label or a version of its own: names that are not known must be meant.
fn check_names(desk: &Desk, request: &CorrectionRequest, original: &Insight<'_>) -> Result<(), Problem> {
    let one = |name: &Option<String>| name.iter().cloned().collect::<Vec<_>>();
    let labels = [
        ("type", one(&request.kind), request.new_names),
        ("aspects", request.aspects.clone().unwrap_or_default(), request.new_names),
        ("sentiment", one(&request.sentiment), false),
        ("severity", one(&request.severity), false),
    ];
    for (field, names, new_names) in labels {
        let known = known_labels(field.trim_end_matches('s'));
        if let Some(name) = names.iter().find(|name| !new_names && !known.contains(&name.as_str())) {
            let also = if matches!(field, "type" | "aspects") { "; with new_names a label of your own" } else { "" };
            return Err(Problem::bad_request(format!("{field}: {:?} is none of {}{also}", shown(name), known.join(", "))));
        }
    }
    match &request.api_version {
        Some(version) => check_version(desk, version, original, request.new_names),
        None => Ok(()),
    }
}

fn check_version(desk: &Desk, version: &str, original: &Insight<'_>, new_names: bool) -> Result<(), Problem> {
    let api = original.api;
    if api == UNKNOWN_API {
        return Err(Problem::bad_request("api_version: it is not known which API this feedback is about, and a correction can't tell"));
    }
    let mut known: Vec<String> = desk.handle.with_catalogue(|c| c.versions(api).map(|v| v.name().to_owned()).collect());
    let indexed = snapshots(&desk.handle);
    known.extend(indexed.iter().flat_map(|s| &s.versions).filter(|v| v.api == api).map(|v| v.version.clone()));
    known.push(UNKNOWN_VERSION.to_owned());
    if new_names || known.iter().any(|k| k == version) {
        return Ok(());
    }
    known.sort();
    known.dedup();
    let version = shown(version);
    Err(Problem::bad_request(format!("api_version: {api} has no {version:?}; it has {}; with new_names a new one", known.join(", "))))
}

fn event(correction: &Correction, at: Timestamp) -> Result<CloudEvent, Problem> {
    let internal = |e: serde_json::Error| Problem::internal(e.to_string());
    let content = serde_json::to_vec(correction).map_err(internal)?;
    let identity = IdentityHash::of(&correction.of.source, &correction.of.id).hex();
    let id = format!("{identity}-{}-{:016x}", at.0, xxhash_rust::xxh3::xxh3_64(&content));
    CloudEvent::new(EventType::Correction, SOURCE, &id, at, correction).map_err(internal)
}

/// The event in bytes, held to the contract as every reader will.
fn checked(desk: &Desk, event: &CloudEvent, at: Timestamp) -> Result<Vec<u8>, Problem> {
    let bytes = event.to_structured().map_err(|e| Problem::internal(e.to_string()))?;
    desk.voice.checked(&bytes, at).map_err(|reject| Problem::bad_request(reject.detail))?;
    Ok(bytes)
}

/// The beginning of what somebody sent, to be shown.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

pub(super) async fn listed(
    State(handle): State<Handle>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["source", "api", "limit"])?;
    let limit = params.number("limit", USUAL)?;
    if limit > MOST {
        return Err(Problem::bad_request(format!("limit: {limit} asked, at most {MOST} allowed")));
    }
    let text = |name: &str| params.get(name).map(str::to_owned);
    let wanted = Wanted { source: text("source"), api: text("api"), limit };
    answer(handle, &uri, &headers, move |handle| {
        let all = list(&snapshots(handle), handle.corrections(), &wanted).map_err(search_problem)?;
        Ok(Json(all).into_response())
    })
    .await
}

pub(super) async fn export(
    State(handle): State<Handle>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::of(query.as_deref()).only(&["head"])?;
    let head = params.choice("head", "type, aspect, sentiment, severity, language")?.unwrap_or_default();
    answer(handle, &uri, &headers, move |handle| {
        let mut lines = Vec::new();
        for text in taught(&snapshots(handle), handle.corrections(), head).map_err(search_problem)? {
            serde_json::to_writer(&mut lines, &text).map_err(|e| Problem::internal(e.to_string()))?;
            lines.push(b'\n');
        }
        Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
    })
    .await
}
