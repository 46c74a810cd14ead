//! An accepted event, on its way from ingest to classify: checked, redacted, its consumer resolved.

use serde::{Deserialize, Serialize};

use crate::{ContentHash, IdentityHash, Insight, Timestamp};

/// Where a record was read: enough to find its original bytes again while the topic keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Number of the source topic (the bus knows its name).
    pub topic: u8,
    /// Partition of the source topic.
    pub partition: u32,
    /// Offset in that partition.
    pub offset: u64,
}

/// What every event has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventHead<'a> {
    /// Hash of `source` and `id`.
    pub identity: IdentityHash,
    /// Hash of the decoded content, before redaction and resolution.
    pub content: ContentHash,
    /// CloudEvents `source`.
    #[serde(borrow)]
    pub source: &'a str,
    /// CloudEvents `id`.
    pub id: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// When the source topic received it; drives freshness and lateness, never counting.
    pub received: Timestamp,
    /// Where its original bytes are.
    pub origin: Origin,
    /// The consumer it was keyed by: as published, through the identity map, or a pseudonym starting with `~`; empty if nobody is named.
    pub consumer: &'a str,
}

/// One accepted event.
#[expect(clippy::large_enum_variant, reason = "nine of ten events are usage: boxing it would allocate for each")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event<'a> {
    /// One or many API calls of one consumer.
    Usage(#[serde(borrow)] UsageEvent<'a>),
    /// A ticket or a survey response.
    Feedback(#[serde(borrow)] Box<FeedbackEvent<'a>>),
    /// The identity map learned who somebody is.
    Known(#[serde(borrow)] Box<Known<'a>>),
    /// History was looked at again, and says this of a piece of feedback. The newest kind: frames without it are read as before.
    Again(#[serde(borrow)] Box<Again<'a>>),
}

/// What a new look at history says of a piece of feedback: with another catalogue, ladder or model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Again<'a> {
    /// Identity and time of the feedback; its consumer is what this is keyed by.
    #[serde(borrow)]
    pub head: EventHead<'a>,
    /// The API that it counted for.
    pub was: &'a str,
    /// What stands from now on.
    #[serde(borrow)]
    pub insight: Insight<'a>,
}

/// People who are known now: feedback of theirs that waits belongs to this consumer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known<'a> {
    /// Identity and time of the identity event; its consumer is what the notice is keyed by.
    #[serde(borrow)]
    pub head: EventHead<'a>,
    /// Pseudonyms of people, keyed hashes of e-mail domains.
    #[serde(borrow)]
    pub keys: Vec<&'a str>,
    /// Organisation, in lower case, where the notice is about it.
    pub org: Option<&'a str>,
    /// The consumer they write for.
    pub consumer: &'a str,
}

impl<'a> Event<'a> {
    /// What every event has.
    #[must_use]
    pub fn head(&self) -> &EventHead<'a> {
        match self {
            Self::Usage(u) => &u.head,
            Self::Feedback(f) => &f.head,
            Self::Known(k) => &k.head,
            Self::Again(a) => &a.head,
        }
    }
}

/// One API call, or `count` calls that share every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageEvent<'a> {
    /// Identity, time and consumer.
    #[serde(borrow)]
    pub head: EventHead<'a>,
    /// The API, where the publisher named it.
    pub api: Option<&'a str>,
    /// The API version, where the publisher named it.
    pub api_version: Option<&'a str>,
    /// operationId, or method and path template, where the publisher named it.
    pub operation: Option<&'a str>,
    /// HTTP method in capitals; empty where not told.
    pub method: &'a str,
    /// Request path without query and fragment; empty where not told.
    pub path: &'a str,
    /// Host name in lower case; empty where not told.
    pub host: &'a str,
    /// HTTP status; 0 where only the outcome was told.
    pub status: u16,
    /// Whether the calls failed: status of 400 or more, or the outcome `failure`.
    pub failed: bool,
    /// Latency of each call in milliseconds.
    pub latency_ms: Option<f32>,
    /// How many calls it stands for: `count` times `sampledrate`.
    pub calls: u64,
    /// Request id, for evidence.
    pub request_id: Option<&'a str>,
    /// W3C `traceparent`, for evidence.
    pub traceparent: Option<&'a str>,
    /// SDK name and version, or the user agent that told it.
    pub sdk: Option<&'a str>,
    /// Plan of the consumer.
    pub plan: Option<&'a str>,
    /// Revenue of each call: amount in millionths, and the currency code.
    pub revenue: Option<(i64, &'a str)>,
    /// Value event of each call: name and amount.
    pub value: Option<(&'a str, f64)>,
    /// What the consumer is trying to do.
    pub use_case: Option<&'a str>,
    /// Bytes of each response.
    pub bytes: Option<u64>,
    /// Unknown fields as name and JSON text, bounded.
    #[serde(borrow)]
    pub attributes: Vec<(&'a str, &'a str)>,
}

/// What kind of feedback it is, with what only that kind has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FeedbackKind<'a> {
    /// A support ticket.
    Ticket {
        /// Number or key in the support tool.
        #[serde(borrow)]
        ticket_id: Option<&'a str>,
        /// State in the support tool.
        status: Option<&'a str>,
        /// Priority in the support tool.
        priority: Option<&'a str>,
        /// How it came in: e-mail, chat, forum.
        channel: Option<&'a str>,
        /// Tags set in the support tool.
        tags: Vec<&'a str>,
    },
    /// A survey response.
    Survey {
        /// `nps`, `csat`, `ces` or `rating`.
        #[serde(borrow)]
        kind: &'a str,
        /// The answer.
        score: f64,
        /// Lowest possible score.
        min: f64,
        /// Highest possible score.
        max: f64,
        /// The question asked.
        question: Option<&'a str>,
    },
}

/// A ticket or a survey response, redacted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackEvent<'a> {
    /// Identity, time and consumer.
    #[serde(borrow)]
    pub head: EventHead<'a>,
    /// What only tickets or only surveys have.
    #[serde(borrow)]
    pub kind: FeedbackKind<'a>,
    /// Title, redacted; empty for surveys.
    pub title: &'a str,
    /// Body or comment, redacted.
    pub body: &'a str,
    /// Link back to the source, without credentials.
    pub url: Option<&'a str>,
    /// Keyed hash of the requester; none where nobody is named.
    pub requester: Option<&'a str>,
    /// Organisation of the requester, as published.
    pub org: Option<&'a str>,
    /// Keyed hash of the company's e-mail domain of the requester; none for public mail providers.
    pub domain: Option<&'a str>,
    /// The API that it was counted for until its requester was known; none for feedback as it was accepted.
    pub was: Option<&'a str>,
    /// The API, where named.
    pub api: Option<&'a str>,
    /// The API version, where named.
    pub api_version: Option<&'a str>,
    /// The operation, where named.
    pub operation: Option<&'a str>,
    /// Request id, where named.
    pub request_id: Option<&'a str>,
    /// W3C `traceparent`, where given.
    pub traceparent: Option<&'a str>,
    /// SDK name and version, where named.
    pub sdk: Option<&'a str>,
    /// Language as published (BCP 47).
    pub language: Option<&'a str>,
    /// What was redacted, by kind, in title and body.
    #[serde(borrow)]
    pub redacted: Vec<(&'a str, u32)>,
    /// Unknown fields as name and JSON text, bounded, redacted.
    #[serde(borrow)]
    pub attributes: Vec<(&'a str, &'a str)>,
}
