//! From the bytes of one record, or of one part of an HTTP request, to a decoded event.

use std::borrow::Cow;

use base64::Engine as _;
use groundswell_model::{IdentityHash, Reject, RejectReason, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::envelope::{self, Attribute, Envelope};
use crate::media::{self, Carried};
use crate::{Data, EventType, Limits, json};

/// What came in: one Kafka record, or one part of an HTTP request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incoming<'a> {
    /// The content type, where the transport tells it apart from the headers.
    pub content_type: Option<&'a str>,
    /// Headers in order: `ce_*` (Kafka) or `ce-*` (HTTP), `content-type`, and others, which are ignored.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: Option<&'a [u8]>,
}

/// CloudEvents extensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extensions {
    /// What the publisher wants the event to be partitioned by.
    pub partitionkey: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When the event was recorded, where that is not when it happened.
    pub recordedtime: Option<Timestamp>,
    /// How many events this one stands for.
    pub sampledrate: Option<u64>,
    /// How confidential the data is.
    pub dataclassification: Option<String>,
    /// Extensions that this contract does not name, as name and JSON text, bounded.
    pub others: Vec<(String, String)>,
    /// How many unnamed extensions were left out.
    pub left_out: usize,
}

/// A decoded event: its envelope is right and its payload has the form of its type. [`crate::validate`] says whether its values are right.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Unique within the source.
    pub id: String,
    /// Who published it.
    pub source: String,
    /// When it happened; where none is told, the transport's time stands in.
    pub time: Option<Timestamp>,
    /// What it is about.
    pub subject: Option<String>,
    /// Extensions.
    pub extensions: Extensions,
    /// The payload.
    pub data: Data,
}

impl Decoded {
    /// The event type.
    #[must_use]
    pub fn ty(&self) -> EventType {
        self.data.ty()
    }

    /// The identity it is counted by.
    #[must_use]
    pub fn identity(&self) -> IdentityHash {
        IdentityHash::of(&self.source, &self.id)
    }

    /// How many calls (or, for feedback, responses) it stands for by its `sampledrate`.
    #[must_use]
    pub fn sampled(&self) -> u64 {
        self.extensions.sampledrate.unwrap_or(1)
    }
}

/// Decodes one event, in structured or binary mode, whichever it says it is in.
///
/// # Errors
/// It is not a CloudEvent of this contract; the reject says what, where, and what to do.
pub fn decode(incoming: &Incoming<'_>, limits: &Limits) -> Result<Decoded, Reject> {
    let body = incoming.body.unwrap_or_default();
    let content_type = content_type_of(incoming)?;
    match content_type.map_or(Carried::Json, media::carried) {
        Carried::Structured => structured(body, limits),
        Carried::Batch => {
            Err(RejectReason::UnsupportedContentType.because("a batch in one record: publish one event per record, or the batch over HTTP"))
        }
        Carried::Lines => {
            Err(RejectReason::UnsupportedContentType
                .because("JSON lines in one record: publish one event per record, or the lines over HTTP"))
        }
        Carried::OtherFormat => {
            Err(RejectReason::UnsupportedContentType
                .because("CloudEvents in another format than JSON: publish application/cloudevents+json"))
        }
        Carried::Json | Carried::Other if is_binary(incoming.headers) => binary(incoming.headers, content_type, body, limits),
        Carried::Json => structured(body, limits),
        Carried::Other => Err(RejectReason::UnsupportedContentType
            .because("neither `ce_` (Kafka) or `ce-` (HTTP) headers nor a JSON content type: publish application/cloudevents+json")),
    }
}

/// Decodes one event in structured mode.
///
/// # Errors
/// See [`decode`].
pub fn decode_structured(body: &[u8], limits: &Limits) -> Result<Decoded, Reject> {
    structured(body, limits)
}

/// Splits a batch (a JSON array of events) into its events, which are not read yet.
///
/// # Errors
/// The body as a whole is not a JSON array, or has too many events.
pub fn split_batch<'a>(body: &'a [u8], limits: &Limits) -> Result<Vec<&'a RawValue>, Reject> {
    let text = std::str::from_utf8(body)
        .map_err(|e| RejectReason::NotJson.because(format!("byte {} is not UTF-8: send JSON in UTF-8", e.valid_up_to())))?;
    let (events, seen) = json::elements(text, limits.batch_events)?;
    if seen > limits.batch_events {
        return Err(too_many(seen, limits));
    }
    Ok(events)
}

/// The reject of a batch with too many events.
#[must_use]
pub fn too_many(events: usize, limits: &Limits) -> Reject {
    RejectReason::TooLarge.because(format!("{events} events, `limits.batch_events` is {}: send smaller batches", limits.batch_events))
}

fn content_type_of<'a>(incoming: &Incoming<'a>) -> Result<Option<&'a str>, Reject> {
    if incoming.content_type.is_some() {
        return Ok(incoming.content_type);
    }
    let header =
        incoming.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("content_type"));
    header.map(|(_, value)| header_text("content-type", value)).transpose()
}

fn header_text<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, Reject> {
    std::str::from_utf8(value).map_err(|_| RejectReason::NotCloudEvent.because(format!("header `{name}` is not UTF-8")))
}

/// Whether headers carry a required attribute of an event: its data is the body then.
#[must_use]
pub fn is_binary(headers: &[(&str, &[u8])]) -> bool {
    let required = |name: &str| ["specversion", "id", "source", "type"].iter().any(|r| name.eq_ignore_ascii_case(r));
    headers.iter().any(|(header, _)| attribute_name(header).is_some_and(|(name, _)| required(name)))
}

/// The attribute that a header carries, and whether its value is percent-encoded (HTTP).
fn attribute_name(header: &str) -> Option<(&str, bool)> {
    let (prefix, name) = (header.get(..3)?, header.get(3..)?);
    if prefix.eq_ignore_ascii_case("ce_") {
        Some((name, false))
    } else if prefix.eq_ignore_ascii_case("ce-") {
        Some((name, true))
    } else {
        None
    }
}

fn structured(body: &[u8], limits: &Limits) -> Result<Decoded, Reject> {
    let text = json::checked(body, limits)?;
    let envelope = envelope::from_json(text, limits.attributes).map_err(|e| json::envelope_reject(text, &e))?;
    let data_at = envelope.data.map_or(0, |d| d.get().as_ptr().addr() - text.as_ptr().addr());
    finish(envelope, data_at, limits)
}

fn binary(headers: &[(&str, &[u8])], content_type: Option<&str>, body: &[u8], limits: &Limits) -> Result<Decoded, Reject> {
    let bytes = body.len() + headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if bytes > limits.event_bytes {
        return Err(json::too_large(bytes, limits));
    }
    let mut envelope = Envelope::new(limits.attributes);
    for (header, value) in headers {
        let Some((name, percent)) = attribute_name(header) else { continue };
        let name = lower(name);
        let value = header_text(&name, value)?;
        let value = if percent { percent_decoded(&name, value)? } else { Cow::Borrowed(value) };
        if !(value.is_empty() && matches!(&*name, "time" | "subject" | "datacontenttype")) {
            envelope.set(&name, Attribute::Text(value));
        }
    }
    if envelope.datacontenttype.is_none() {
        envelope.datacontenttype = content_type.map(Cow::Borrowed);
    }
    envelope.check()?;
    let ty = known_type(&envelope)?;
    if !envelope.datacontenttype.as_deref().is_none_or(media::is_json) {
        return Err(not_json_data());
    }
    if body.is_empty() {
        return Err(missing_data());
    }
    let text = json::checked(body, limits)?;
    let data = payload(ty, text, 0)?;
    decoded(envelope, data)
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

fn percent_decoded<'a>(name: &str, value: &'a str) -> Result<Cow<'a, str>, Reject> {
    if !value.contains('%') {
        return Ok(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| RejectReason::NotCloudEvent.because(format!("header `{name}` is not UTF-8 after percent-decoding")))
}

fn known_type(envelope: &Envelope<'_>) -> Result<EventType, Reject> {
    envelope.ty.as_deref().and_then(EventType::from_name).ok_or_else(|| {
        let known: Vec<_> = EventType::ALL.iter().map(|t| t.name()).collect();
        RejectReason::UnknownType.because(format!("attribute `type` must be one of {}", known.join(", ")))
    })
}

fn not_json_data() -> Reject {
    RejectReason::UnsupportedContentType.because("attribute `datacontenttype` must be JSON in UTF-8, such as application/json")
}

fn missing_data() -> Reject {
    RejectReason::MissingField.because("`data` is required")
}

/// The second half of both structured forms: checks, then the payload.
fn finish(mut envelope: Envelope<'_>, data_at: usize, limits: &Limits) -> Result<Decoded, Reject> {
    envelope.check()?;
    let ty = known_type(&envelope)?;
    if !envelope.datacontenttype.as_deref().is_none_or(media::is_json) {
        return Err(not_json_data());
    }
    let data = match (envelope.data, &envelope.data_base64) {
        (Some(data), _) => payload(ty, data.get(), data_at)?,
        (None, Some(base64)) => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(base64.as_bytes())
                .map_err(|_| RejectReason::InvalidData.because("`data_base64` is not Base64 (RFC 4648, with padding)"))?;
            payload(ty, json::checked(&bytes, limits)?, 0)?
        }
        (None, None) => return Err(missing_data()),
    };
    decoded(envelope, data)
}

fn payload(ty: EventType, text: &str, offset: usize) -> Result<Data, Reject> {
    if !text.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(text).is_ok() {
        return Err(RejectReason::InvalidData.because("`data` must be a JSON object"));
    }
    Ok(match ty {
        EventType::Ticket => Data::Ticket(read(text, offset)?),
        EventType::Survey => Data::Survey(read(text, offset)?),
        EventType::Usage => Data::Usage(read(text, offset)?),
        EventType::Release => Data::Release(read(text, offset)?),
        EventType::Identity => Data::Identity(read(text, offset)?),
        EventType::Correction => Data::Correction(read(text, offset)?),
        EventType::Theme => Data::Theme(read(text, offset)?),
    })
}

fn read<T: DeserializeOwned>(text: &str, offset: usize) -> Result<Box<T>, Reject> {
    serde_json::from_str::<T>(text).map(Box::new).map_err(|e| json::data_reject::<T>(text, offset, &e))
}

fn decoded(envelope: Envelope<'_>, data: Data) -> Result<Decoded, Reject> {
    let extensions = Extensions {
        partitionkey: given(envelope.partitionkey),
        traceparent: given(envelope.traceparent),
        recordedtime: time("recordedtime", envelope.recordedtime)?,
        sampledrate: sampled_rate(envelope.sampledrate.as_deref())?,
        dataclassification: given(envelope.dataclassification),
        left_out: envelope.others_seen - envelope.others.len(),
        others: envelope.others,
    };
    Ok(Decoded {
        id: envelope.id.map(Cow::into_owned).unwrap_or_default(),
        source: envelope.source.map(Cow::into_owned).unwrap_or_default(),
        time: time("time", envelope.time)?,
        subject: given(envelope.subject),
        extensions,
        data,
    })
}

fn given(text: Option<Cow<'_, str>>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty()).map(Cow::into_owned)
}

fn time(name: &str, text: Option<Cow<'_, str>>) -> Result<Option<Timestamp>, Reject> {
    text.map(|t| Timestamp::parse(&t)).transpose().map_err(|_| {
        RejectReason::TimeInvalid.because(format!("attribute `{name}` must be an RFC 3339 time, such as 2026-03-01T12:30:00Z"))
    })
}

fn sampled_rate(text: Option<&str>) -> Result<Option<u64>, Reject> {
    text.map(str::parse).transpose().map_err(|_| RejectReason::OutOfRange.because("attribute `sampledrate` must be a whole number from 1"))
}
