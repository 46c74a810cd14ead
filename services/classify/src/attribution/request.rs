//! A request id or trace of the event is one of the consumer's recent requests.

use std::borrow::Cow;

use groundswell_model::UNKNOWN_VERSION;

use super::Case;
use crate::core::requests::{Found, trace_of};

/// Unknown fields whose value may be a request id or trace id.
const FIELDS: &[&str] = &[
    "request_id",
    "requestid",
    "x_request_id",
    "x-request-id",
    "correlation_id",
    "x-correlation-id",
    "trace_id",
    "traceid",
    "trace",
    "traceparent",
];
/// Words of a text looked at.
const MOST_WORDS: usize = 4_000;
/// A shorter word of a text is no id.
const SHORTEST_WORD: usize = 8;

/// A request of the consumer that the event names.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    pub(super) found: Found<'a>,
    /// The id as the event has it.
    pub(super) id: Cow<'a, str>,
    /// Where the event has it.
    pub(super) field: &'static str,
}

/// The first id that is found: of fields, then of the text.
pub(super) fn find<'a>(case: &Case<'a>) -> Option<Named<'a>> {
    let journal = case.journal.filter(|j| j.has_requests())?;
    let look = |field: &'static str, id: &'a str| {
        let found = journal.request(trace_of(id)).or_else(|| journal.request(id))?;
        (&*found.place.version != UNKNOWN_VERSION).then_some(Named { found, id: Cow::Borrowed(id), field })
    };
    let event = case.event;
    let told = [("request_id", event.request_id), ("traceparent", event.traceparent)];
    let of_fields = || {
        let plain = |json: &'a str| json.strip_prefix('"')?.strip_suffix('"');
        let named = event.attributes.iter().filter(|(name, _)| FIELDS.iter().any(|f| f.eq_ignore_ascii_case(name)));
        named.filter_map(|(_, json)| plain(json)).find_map(|id| look("field", id))
    };
    let of_text = || words(event.title).chain(words(event.body)).take(MOST_WORDS).find_map(|word| look("text", word));
    told.into_iter().filter_map(|(field, id)| look(field, id?)).next().or_else(of_fields).or_else(of_text)
}

/// Words that look like ids: long, with a digit.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let part_of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    text.split(move |c: char| !part_of_id(c))
        .map(|word| word.trim_matches(['.', ':', '-']))
        .flat_map(|word| [Some(word), word.rsplit_once([':', '.']).map(|(_, behind)| behind)].into_iter().flatten())
        .filter(|word| word.len() >= SHORTEST_WORD && word.bytes().any(|b| b.is_ascii_digit()))
}

/// Whether the event names a request that was not found: its usage may come later.
pub(super) fn names_one(case: &Case<'_>) -> bool {
    case.event.request_id.is_some() || case.event.traceparent.is_some()
}

impl Named<'_> {
    /// Id of the usage event that decided.
    pub(super) fn event_id(&self) -> String {
        if self.found.event.is_empty() { self.id.to_string() } else { self.found.event.to_owned() }
    }

    pub(super) fn says(&self) -> String {
        let place = self.found.place;
        let failed = if self.found.failed { "failed call" } else { "call" };
        let operation = if place.operation.is_empty() { String::new() } else { format!(" of {}", place.operation) };
        format!("{} {}: {failed}{operation} to {} {} on {}", self.field, self.id, place.api, place.version, self.found.day.iso())
    }
}
