//! The events of one request, in any of the modes.

use groundswell_contract::media::{self, Carried};
use groundswell_contract::{Decoded, Incoming, Limits, is_binary, split_batch, too_many};
use groundswell_model::Reject;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Bytes of an `id` or `source` that are repeated in an answer.
const NAMED_BYTES: usize = 1024;
const STRUCTURED: &str = groundswell_contract::cloudevent::STRUCTURED;

/// One event of a request.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A whole event as JSON.
    Structured(&'a [u8]),
    /// Attributes in headers, data in the body.
    Binary {
        /// The request's headers.
        headers: &'a [(&'a str, &'a [u8])],
        /// Its content type.
        content_type: Option<&'a str>,
        /// Its body.
        body: &'a [u8],
    },
}

/// Why a request has no events to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The content type is none of ours.
    ContentType,
    /// The body as a whole can't be taken apart.
    Body(Reject),
}

/// Takes a request apart. The flag says whether it is a list, whose items are answered one by one whatever they are.
pub(super) fn items<'a>(
    content_type: Option<&'a str>,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
    limits: &Limits,
) -> Result<(Vec<Item<'a>>, bool), Unreadable> {
    match content_type.map_or(Carried::Json, media::carried) {
        Carried::Structured => Ok((vec![Item::Structured(body)], false)),
        Carried::Batch => batch(body, limits),
        Carried::Lines => lines(body, limits),
        Carried::Json | Carried::Other if is_binary(headers) => Ok((vec![Item::Binary { headers, content_type, body }], false)),
        // Plain JSON without attributes in headers: an event, or a list of events.
        Carried::Json if body.trim_ascii_start().first() == Some(&b'[') => batch(body, limits),
        Carried::Json => Ok((vec![Item::Structured(body)], false)),
        Carried::OtherFormat | Carried::Other => Err(Unreadable::ContentType),
    }
}

fn batch<'a>(body: &'a [u8], limits: &Limits) -> Result<(Vec<Item<'a>>, bool), Unreadable> {
    let events = split_batch(body, limits).map_err(Unreadable::Body)?;
    Ok((events.into_iter().map(|e| Item::Structured(e.get().as_bytes())).collect(), true))
}

fn lines<'a>(body: &'a [u8], limits: &Limits) -> Result<(Vec<Item<'a>>, bool), Unreadable> {
    let lines = || body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let count = lines().count();
    if count > limits.batch_events {
        return Err(Unreadable::Body(too_many(count, limits)));
    }
    Ok((lines().map(Item::Structured).collect(), true))
}

/// An event in structured mode, made from one in binary mode.
#[derive(Serialize)]
struct Whole<'a> {
    specversion: &'static str,
    #[serde(rename = "type")]
    ty: &'static str,
    source: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partitionkey: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recordedtime: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampledrate: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataclassification: Option<&'a str>,
    #[serde(flatten)]
    others: std::collections::BTreeMap<&'a str, serde_json::Value>,
    data: &'a RawValue,
}

impl<'a> Item<'a> {
    /// As the decoder takes it.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'a> {
        match *self {
            Self::Structured(body) => Incoming { content_type: Some(STRUCTURED), headers: &[], body: Some(body) },
            Self::Binary { headers, content_type, body } => {
                Incoming { content_type: content_type.or(Some("application/json")), headers, body: Some(body) }
            }
        }
    }

    /// The whole event as JSON: as it came where it came whole.
    #[must_use]
    pub fn structured(&self, event: &Decoded) -> Vec<u8> {
        match *self {
            Self::Structured(body) => body.to_vec(),
            Self::Binary { body, .. } => whole(event, body).unwrap_or_default(),
        }
    }

    /// `id` and `source`, as far as they can be read of an event that is rejected.
    pub(super) fn names(&self) -> (Option<String>, Option<String>) {
        #[derive(Default, Deserialize)]
        struct Names {
            id: Option<String>,
            source: Option<String>,
        }
        let names = match *self {
            Self::Structured(body) => serde_json::from_slice(body).unwrap_or_default(),
            Self::Binary { headers, .. } => {
                let header = |name: &str| {
                    let (_, value) = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
                    std::str::from_utf8(value).ok().map(str::to_owned)
                };
                Names { id: header("ce-id"), source: header("ce-source") }
            }
        };
        let bounded = |name: Option<String>| name.filter(|n| n.len() <= NAMED_BYTES);
        (bounded(names.id), bounded(names.source))
    }
}

/// The body was decoded as JSON before, so it is JSON.
fn whole(event: &Decoded, body: &[u8]) -> Option<Vec<u8>> {
    let extensions = &event.extensions;
    let others = extensions.others.iter().filter_map(|(name, json)| Some((name.as_str(), serde_json::from_str(json).ok()?)));
    let whole = Whole {
        specversion: "1.0",
        ty: event.ty().name(),
        source: &event.source,
        id: &event.id,
        time: event.time.map(|t| t.rfc3339()),
        subject: event.subject.as_deref(),
        partitionkey: extensions.partitionkey.as_deref(),
        traceparent: extensions.traceparent.as_deref(),
        recordedtime: extensions.recordedtime.map(|t| t.rfc3339()),
        sampledrate: extensions.sampledrate,
        dataclassification: extensions.dataclassification.as_deref(),
        others: others.collect(),
        data: serde_json::from_slice(body).ok()?,
    };
    serde_json::to_vec(&whole).ok()
}
