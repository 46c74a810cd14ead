//! What classify tells index: insights, folded usage and milestones.

use serde::{Deserialize, Serialize};

use crate::{Hour, IdentityHash, LatencyBuckets, Timestamp};

/// One instruction to the index, keyed by API. All are safe to read again from any checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op<'a> {
    /// Put this insight in place of whatever has its identity.
    Upsert(#[serde(borrow)] Box<Insight<'a>>),
    /// Add this usage.
    Usage(#[serde(borrow)] UsageDelta<'a>),
    /// Note this milestone in place of the one of the same consumer, version and kind.
    Milestone(#[serde(borrow)] Milestone<'a>),
    /// Remove the insight of this identity from an API that it left.
    Remove(#[serde(borrow)] Removal<'a>),
}

impl Op<'_> {
    /// The API whose index partition this belongs to.
    #[must_use]
    pub fn api(&self) -> &str {
        match self {
            Self::Upsert(i) => i.api,
            Self::Usage(u) => u.api,
            Self::Milestone(m) => m.api,
            Self::Remove(r) => r.api,
        }
    }
}

/// Which evidence decided the API version, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The event names the version itself.
    Explicit,
    /// A request id or trace of the event was found in the consumer's usage.
    Request,
    /// A path, host or URL of the event belongs to one version in the catalogue.
    Path,
    /// The consumer used only this version in the look-back window.
    OnlyVersion,
    /// The text names the version.
    Text,
    /// The consumer's share of usage: fractional weights.
    Share,
    /// Nothing tells.
    Unknown,
}

impl Rung {
    /// Every rung, best first.
    pub const ALL: [Self; 7] = [Self::Explicit, Self::Request, Self::Path, Self::OnlyVersion, Self::Text, Self::Share, Self::Unknown];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Explicit => "explicit",
            Self::Request => "request",
            Self::Path => "path",
            Self::OnlyVersion => "only_version",
            Self::Text => "text",
            Self::Share => "share",
            Self::Unknown => "unknown",
        }
    }

    /// The rung of a stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name() == name)
    }
}

/// A version and how much of the insight counts for it; the weights of an insight add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionWeight<'a> {
    /// The API version, or [`crate::UNKNOWN_VERSION`].
    pub version: &'a str,
    /// Over 0, up to 1.
    pub weight: f32,
}

/// One label with its confidence and what caused it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// The label's name; `unsure` where the classifier does not dare to tell.
    pub name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// The words that caused it, most telling first, at most five.
    pub because: Vec<String>,
}

/// What the text was understood to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// Bug, feature request, question, complaint, praise or other.
    pub kind: Label,
    /// What it is about; several are possible.
    pub aspects: Vec<Label>,
    /// Negative, neutral or positive.
    pub sentiment: Label,
    /// −1 (worst) to 1 (best).
    pub sentiment_score: f32,
    /// Blocks production, degrades or annoys.
    pub severity: Label,
    /// ISO 639-1 code, or `unsure`.
    pub language: Label,
    /// Name and version of the model or rules that said so.
    pub model: String,
}

/// What only surveys have, in the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurveyAnswer<'a> {
    /// `nps`, `csat`, `ces` or `rating`.
    pub kind: &'a str,
    /// The answer.
    pub score: f64,
    /// Lowest possible score.
    pub min: f64,
    /// Highest possible score.
    pub max: f64,
}

/// Feedback, redacted, attributed and labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Insight<'a> {
    /// Hash of `source` and `id`.
    pub identity: IdentityHash,
    /// CloudEvents `source`.
    pub source: &'a str,
    /// CloudEvents `id`.
    pub id: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// When the source topic received it.
    pub received: Timestamp,
    /// The API, or [`crate::UNKNOWN_API`].
    pub api: &'a str,
    /// Where it counts, and how much.
    #[serde(borrow)]
    pub versions: Vec<VersionWeight<'a>>,
    /// What decided the version.
    pub rung: Rung,
    /// 0 to 1.
    pub confidence: f32,
    /// The deciding events or fields, at most five, readable.
    pub evidence: Vec<String>,
    /// CloudEvents ids of the usage events that decided, as far as they are known, at most five.
    pub deciding: Vec<String>,
    /// Marks that an answer shows: see [`flag`].
    #[serde(borrow)]
    pub flags: Vec<&'a str>,
    /// The operation, where known.
    pub operation: Option<&'a str>,
    /// The consumer; empty if nobody is named.
    pub consumer: &'a str,
    /// Keyed hash of the requester.
    pub requester: Option<&'a str>,
    /// Organisation of the requester.
    pub org: Option<&'a str>,
    /// Title, redacted.
    pub title: &'a str,
    /// Body or comment, redacted.
    pub body: &'a str,
    /// Link back to the source.
    pub url: Option<&'a str>,
    /// The survey answer; none for tickets.
    #[serde(borrow)]
    pub survey: Option<SurveyAnswer<'a>>,
    /// Number or key in the support tool.
    pub ticket_id: Option<&'a str>,
    /// State in the support tool.
    pub status: Option<&'a str>,
    /// Priority in the support tool.
    pub priority: Option<&'a str>,
    /// How it came in.
    pub channel: Option<&'a str>,
    /// Tags set in the support tool.
    #[serde(borrow)]
    pub tags: Vec<&'a str>,
    /// SDK name and version.
    pub sdk: Option<&'a str>,
    /// Request id.
    pub request_id: Option<&'a str>,
    /// What it was understood to say.
    pub labels: Labels,
    /// What was redacted, by kind.
    #[serde(borrow)]
    pub redacted: Vec<(&'a str, u32)>,
    /// Unknown fields as name and JSON text.
    #[serde(borrow)]
    pub attributes: Vec<(&'a str, &'a str)>,
}

/// Marks of an insight.
pub mod flag {
    /// A field names a version that the consumer's own calls contradict. The field stands.
    pub const CONTRADICTED: &str = "contradicted";
    /// Evidence that came later moved it here.
    pub const MOVED: &str = "moved";
    /// A person corrected or confirmed labels or version.
    pub const CORRECTED: &str = "corrected";
}

/// An insight that counts elsewhere now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Removal<'a> {
    /// The API that it left, or [`crate::UNKNOWN_API`].
    pub api: &'a str,
    /// Hash of `source` and `id`.
    pub identity: IdentityHash,
}

/// Usage of one operation by one consumer in one hour, to be added to what is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageDelta<'a> {
    /// The API, or [`crate::UNKNOWN_API`].
    pub api: &'a str,
    /// The API version, or [`crate::UNKNOWN_VERSION`].
    pub version: &'a str,
    /// The operation; empty where not known.
    pub operation: &'a str,
    /// The consumer; empty if nobody is named.
    pub consumer: &'a str,
    /// The hour the calls happened in.
    pub hour: Hour,
    /// All calls.
    pub calls: u64,
    /// Calls that failed (status of 400 or more, or outcome `failure`).
    pub failed: u64,
    /// Failed calls with a status of 500 or more.
    pub server_errors: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
    /// First call.
    pub first: Timestamp,
    /// Last call.
    pub last: Timestamp,
    /// First call that did not fail.
    pub first_success: Option<Timestamp>,
    /// Latencies, where told.
    pub latency: LatencyBuckets,
    /// Revenue in millionths, by currency.
    #[serde(borrow)]
    pub revenue: Vec<(&'a str, i64)>,
    /// Value events: name, how many, and the sum of their amounts.
    #[serde(borrow)]
    pub value: Vec<(&'a str, u64, f64)>,
    /// The newest `received` of the calls folded in.
    pub received: Timestamp,
}

/// A step in a consumer's journey on one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MilestoneKind {
    /// First call on this version.
    FirstCall,
    /// First call on this version that did not fail.
    FirstSuccess,
    /// First call on this version after calls on an older one.
    Upgrade,
    /// First call on this version after calls on a newer one.
    Downgrade,
}

impl MilestoneKind {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstCall => "first_call",
            Self::FirstSuccess => "first_success",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
        }
    }
}

/// A consumer's milestone. Late usage can move its time: the last one told stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Milestone<'a> {
    /// The API.
    pub api: &'a str,
    /// The version it is about.
    pub version: &'a str,
    /// The consumer.
    pub consumer: &'a str,
    /// What happened.
    pub kind: MilestoneKind,
    /// When.
    pub time: Timestamp,
    /// The version come from, for an upgrade or downgrade.
    pub from: Option<&'a str>,
    /// The operation called.
    pub operation: &'a str,
    /// Failed calls on this version before it (for `FirstSuccess`).
    pub failed_before: u64,
}
