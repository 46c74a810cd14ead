//! The recent requests of a consumer, so that a ticket that names one is given to the version that served it.
//!
//! Requests that failed are kept apart from the others: people write about those, and they are few. A request
//! is held as four bytes of its hash: of 200 requests kept, a stranger's id is taken for one of them once in
//! twenty million look-ups.

use std::collections::VecDeque;

use groundswell_model::{Day, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

/// Failed requests kept.
const MOST_FAILED: usize = 96;
/// Other requests kept.
const MOST_OTHERS: usize = 10;
/// Days that a request is kept.
const DAYS_KEPT: i32 = 14;
/// Kinds of call (API, version, operation) told apart: more than there are requests.
const MOST_PLACES: usize = 120;
/// Longer event ids are not kept.
const LONGEST_ID: usize = 64;
/// Shorter texts are no ids.
const SHORTEST: usize = 6;

/// What a request was to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The API.
    pub api: Box<str>,
    /// The version.
    pub version: Box<str>,
    /// The operation; empty where not known.
    pub operation: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) hash: [u8; 4],
    pub(super) place: u8,
    /// The day of the call.
    pub(super) day: Day,
    /// Id of the event; empty where it is the request id itself, or too long.
    pub(super) event: Box<str>,
}

/// A request that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// What it was to.
    pub place: &'a Place,
    /// Id of its event; empty where it is the request id itself.
    pub event: &'a str,
    /// The day of the call.
    pub day: Day,
    /// Whether it failed.
    pub failed: bool,
}

/// The requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub(super) places: Vec<Place>,
    pub(super) failed: VecDeque<Request>,
    pub(super) others: VecDeque<Request>,
}

/// A request to be noted.
#[derive(Clone, Copy, Debug)]
pub struct Noted<'a> {
    /// Request id or trace id.
    pub id: &'a str,
    /// The API.
    pub api: &'a str,
    /// The version.
    pub version: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// Id of its event.
    pub event: &'a str,
    /// When.
    pub time: Timestamp,
    /// Whether it failed.
    pub failed: bool,
}

impl Requests {
    /// Notes a request. What is too old or one too many leaves.
    pub fn note(&mut self, noted: &Noted<'_>) {
        let Some(hash) = hash_of(noted.id) else { return };
        let Some(place) = self.place_of(noted) else { return };
        let id = noted.event;
        let event = if id == noted.id || id.len() > LONGEST_ID { "" } else { id };
        let day = noted.time.day();
        let ring = if noted.failed { &mut self.failed } else { &mut self.others };
        ring.push_back(Request { hash, place, day, event: event.into() });
        let most = if noted.failed { MOST_FAILED } else { MOST_OTHERS };
        while ring.len() > most || ring.front().is_some_and(|r| r.day.0 < day.0.saturating_sub(DAYS_KEPT)) {
            ring.pop_front();
        }
    }

    /// The request of this id or trace, if it is kept.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Found<'_>> {
        if self.places.is_empty() {
            return None;
        }
        let hash = hash_of(id)?;
        let newest = |ring: &'_ VecDeque<Request>| ring.iter().rposition(|r| r.hash == hash);
        let (request, failed) = match (newest(&self.failed), newest(&self.others)) {
            (Some(at), _) => (self.failed.get(at)?, true),
            (None, Some(at)) => (self.others.get(at)?, false),
            (None, None) => return None,
        };
        let place = self.places.get(usize::from(request.place))?;
        Some(Found { place, event: &request.event, day: request.day, failed })
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn place_of(&mut self, noted: &Noted<'_>) -> Option<u8> {
        let same = |p: &Place| *p.version == *noted.version && *p.api == *noted.api && *p.operation == *noted.operation;
        if let Some(at) = self.places.iter().position(same) {
            return u8::try_from(at).ok();
        }
        if self.places.len() >= MOST_PLACES {
            self.forget_unused_places();
        }
        if self.places.len() >= MOST_PLACES {
            return None;
        }
        self.places.push(Place { api: noted.api.into(), version: noted.version.into(), operation: noted.operation.into() });
        u8::try_from(self.places.len() - 1).ok()
    }

    fn forget_unused_places(&mut self) {
        let used = |at: usize| self.failed.iter().chain(&self.others).any(|r| usize::from(r.place) == at);
        let keep: Vec<bool> = (0..self.places.len()).map(used).collect();
        let moved: Vec<u8> = keep
            .iter()
            .scan(0u8, |next, kept| {
                let at = *next;
                *next += u8::from(*kept);
                Some(at)
            })
            .collect();
        let mut at = 0;
        self.places.retain(|_| {
            at += 1;
            keep.get(at - 1).copied().unwrap_or(false)
        });
        for request in self.failed.iter_mut().chain(&mut self.others) {
            request.place = moved.get(usize::from(request.place)).copied().unwrap_or(0);
        }
    }
}

/// Letter case and separators do not matter: a UUID with dashes or without is one id.
fn hash_of(id: &str) -> Option<[u8; 4]> {
    let plain: Vec<u8> = id.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).collect();
    if plain.len() < SHORTEST {
        return None;
    }
    let [a, b, c, d, ..] = xxh3_64(&plain).to_le_bytes();
    Some([a, b, c, d])
}

/// The trace id of a W3C `traceparent`; the text itself where it is none.
#[must_use]
pub fn trace_of(traceparent: &str) -> &str {
    match traceparent.split('-').nth(1) {
        Some(trace) if trace.len() == 32 => trace,
        _ => traceparent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted<'a>(id: &'a str, operation: &'a str, day: i32, failed: bool) -> Noted<'a> {
        Noted { id, api: "orders", version: "v2", operation, event: "event-1", time: Day(day).start(), failed }
    }

    #[test]
    fn a_request_is_found_however_it_is_spelled_and_another_is_not() {
        let mut requests = Requests::default();
        requests.note(&noted("550e8400-e29b-41d4-a716-446655440000", "getOrder", 3, true));
        let found = requests.find("550E8400E29B41D4A716446655440000").map(|f| (&*f.place.operation, f.event, f.day, f.failed));
        assert_eq!(found, Some(("getOrder", "event-1", Day(3), true)));
        assert_eq!(requests.find("550e8400-e29b-41d4-a716-446655440001"), None);
        assert_eq!(requests.find("-"), None);
        assert_eq!(trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn the_oldest_leave_and_many_operations_are_no_harm() {
        let mut requests = Requests::default();
        for n in 0..1000 {
            requests.note(&noted(&format!("req_{n:06}"), &format!("op{n}"), n / 100, n % 2 == 0));
        }
        assert!(requests.failed.len() <= MOST_FAILED && requests.others.len() <= MOST_OTHERS && requests.places.len() <= MOST_PLACES);
        requests.note(&noted("req_late", "last", 40, true));
        assert_eq!((requests.failed.len(), requests.find("req_late").map(|f| f.place.operation.to_string())), (1, Some("last".to_owned())));
    }
}
