//! The event types, and the payloads of what consumers say and do and of the catalogue, as publishers write them. The doc comments become the JSON Schemas.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decisions::{Correction, ThemeDecision};
use crate::lenient;

/// The event types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// `groundswell.ticket.v1`
    Ticket,
    /// `groundswell.survey.v1`
    Survey,
    /// `groundswell.usage.v1`
    Usage,
    /// `groundswell.release.v1`
    Release,
    /// `groundswell.identity.v1`
    Identity,
    /// `groundswell.correction.v1`
    Correction,
    /// `groundswell.theme.v1`
    Theme,
}

impl EventType {
    /// Every type.
    pub const ALL: [Self; 7] = [Self::Ticket, Self::Survey, Self::Usage, Self::Release, Self::Identity, Self::Correction, Self::Theme];

    /// The CloudEvents `type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ticket => "groundswell.ticket.v1",
            Self::Survey => "groundswell.survey.v1",
            Self::Usage => "groundswell.usage.v1",
            Self::Release => "groundswell.release.v1",
            Self::Identity => "groundswell.identity.v1",
            Self::Correction => "groundswell.correction.v1",
            Self::Theme => "groundswell.theme.v1",
        }
    }

    /// The type of a CloudEvents `type`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }
}

/// A decoded payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// A support ticket.
    Ticket(Box<Ticket>),
    /// A survey response.
    Survey(Box<Survey>),
    /// API calls.
    Usage(Box<Usage>),
    /// A step in the life of an API version.
    Release(Box<Release>),
    /// Who a consumer is.
    Identity(Box<Identity>),
    /// What a person says of one piece of feedback.
    Correction(Box<Correction>),
    /// A person's decision on a theme.
    Theme(Box<ThemeDecision>),
}

impl Data {
    /// The event type it belongs to.
    #[must_use]
    pub fn ty(&self) -> EventType {
        match self {
            Self::Ticket(_) => EventType::Ticket,
            Self::Survey(_) => EventType::Survey,
            Self::Usage(_) => EventType::Usage,
            Self::Release(_) => EventType::Release,
            Self::Identity(_) => EventType::Identity,
            Self::Correction(_) => EventType::Correction,
            Self::Theme(_) => EventType::Theme,
        }
    }
}

/// The person who wrote. Kept only as a keyed hash.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Id in the support or survey tool.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub id: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub email: Option<String>,
    /// Name; redacted from the text wherever it occurs.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Organisation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub org: Option<String>,
}

/// A support ticket: `groundswell.ticket.v1`. A title or a body is required.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("anyOf" = [{"required": ["title"]}, {"required": ["body"]}]))]
pub struct Ticket {
    /// Subject line.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub title: Option<String>,
    /// Text of the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub body: Option<String>,
    /// Number or key in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub ticket_id: Option<String>,
    /// State in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// Priority in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub priority: Option<String>,
    /// How it came in: e-mail, chat, forum.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub channel: Option<String>,
    /// Tags set in the support tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub tags: Vec<String>,
    /// Link to the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub url: Option<String>,
    /// Who wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Person>,
    /// Who calls the API: application, key or organisation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub consumer: Option<String>,
    /// The API it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub api: Option<String>,
    /// The API version it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// The operation: operationId, or method and path template.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub operation: Option<String>,
    /// Id of a request it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub request_id: Option<String>,
    /// SDK and its version.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub sdk: Option<String>,
    /// Language of the text (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub language: Option<String>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// The kinds of survey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SurveyKind {
    /// Net promoter score, 0 to 10.
    #[default]
    Nps,
    /// Customer satisfaction, 1 to 5.
    Csat,
    /// Customer effort score, 1 (hard) to 7 (easy): how far people agree that it was made easy for them. Turn a scale round on which more is harder.
    Ces,
    /// Any other scale, with `min` and `max`.
    Rating,
}

impl SurveyKind {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nps => "nps",
            Self::Csat => "csat",
            Self::Ces => "ces",
            Self::Rating => "rating",
        }
    }

    /// The scale that the contract fixes; none for `rating`.
    #[must_use]
    pub fn scale(self) -> Option<(f64, f64)> {
        match self {
            Self::Nps => Some((0.0, 10.0)),
            Self::Csat => Some((1.0, 5.0)),
            Self::Ces => Some((1.0, 7.0)),
            Self::Rating => None,
        }
    }
}

/// A survey response: `groundswell.survey.v1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("oneOf" = [
    {"properties": {"kind": {"const": "nps"}, "score": {"minimum": 0, "maximum": 10}}},
    {"properties": {"kind": {"const": "csat"}, "score": {"minimum": 1, "maximum": 5}}},
    {"properties": {"kind": {"const": "ces"}, "score": {"minimum": 1, "maximum": 7}}},
    {"properties": {"kind": {"const": "rating"}}, "required": ["min", "max"]},
]))]
pub struct Survey {
    /// Which question was asked.
    pub kind: SurveyKind,
    /// The answer, within the scale of the kind.
    #[serde(deserialize_with = "lenient::required_number")]
    pub score: f64,
    /// Lowest score of a `rating`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::number")]
    pub min: Option<f64>,
    /// Highest score of a `rating`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::number")]
    pub max: Option<f64>,
    /// What was written beside the score.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub comment: Option<String>,
    /// The question as asked.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub question: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respondent: Option<Person>,
    /// Who calls the API: application, key or organisation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub consumer: Option<String>,
    /// The API it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub api: Option<String>,
    /// The API version it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// The operation: operationId, or method and path template.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub operation: Option<String>,
    /// Link to the response.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub url: Option<String>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// Whether calls succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// They did.
    Success,
    /// They did not.
    Failure,
}

/// An amount of money.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// How much.
    #[serde(deserialize_with = "lenient::required_number")]
    pub amount: f64,
    /// ISO 4217 code.
    #[serde(deserialize_with = "lenient::required_text")]
    pub currency: String,
}

/// Something of value that happened to the consumer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueEvent {
    /// What happened: `order_placed`, `document_signed`.
    #[serde(deserialize_with = "lenient::required_text")]
    pub name: String,
    /// How much of it; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::number")]
    pub amount: Option<f64>,
}

/// API calls: `groundswell.usage.v1`. An API or a path is required, and a status or an outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("allOf" = [
    {"anyOf": [{"required": ["api"]}, {"required": ["path"]}]},
    {"anyOf": [{"required": ["status"]}, {"required": ["outcome"]}]},
]))]
pub struct Usage {
    /// The API called.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub api: Option<String>,
    /// The API version called.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub method: Option<String>,
    /// Request path.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub path: Option<String>,
    /// Host name called.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub host: Option<String>,
    /// The operation: operationId, or method and path template.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub operation: Option<String>,
    /// HTTP status, 100 to 599. 400 or more is an error.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::whole")]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
    /// Whether the calls succeeded, where there is no status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<CallOutcome>,
    /// Latency of each call in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::number")]
    #[schemars(range(min = 0))]
    pub latency_ms: Option<f64>,
    /// Who called: application, key or organisation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub consumer: Option<String>,
    /// Id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub request_id: Option<String>,
    /// SDK and its version.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub sdk: Option<String>,
    /// User agent of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub user_agent: Option<String>,
    /// Bytes of each response.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::whole")]
    pub bytes: Option<u64>,
    /// Plan of the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub plan: Option<String>,
    /// Revenue of each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Money>,
    /// Value event of each call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueEvent>,
    /// What the consumer is trying to do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub use_case: Option<String>,
    /// How many calls this event stands for; the other fields hold for each of them.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::whole")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub count: Option<u64>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// A stage in the life of an API version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Open to consumers.
    #[default]
    Released,
    /// Consumers should move on (RFC 9745).
    Deprecated,
    /// It will stop answering (RFC 8594).
    Sunset,
    /// It no longer answers.
    Removed,
    /// It is there; nothing is said of its life.
    Declared,
}

impl Stage {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Deprecated => "deprecated",
            Self::Sunset => "sunset",
            Self::Removed => "removed",
            Self::Declared => "declared",
        }
    }
}

/// A request header that tells the version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionHeader {
    /// Header name.
    #[serde(deserialize_with = "lenient::required_text")]
    pub name: String,
    /// Header value.
    #[serde(deserialize_with = "lenient::required_text")]
    pub value: String,
}

/// An SDK and which of its versions call this API version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sdk {
    /// Name of the SDK.
    #[serde(deserialize_with = "lenient::required_text")]
    pub name: String,
    /// Its versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub versions: Vec<String>,
}

/// A step in the life of an API version: `groundswell.release.v1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The API.
    #[serde(deserialize_with = "lenient::required_text")]
    pub api: String,
    /// The API version as consumers see it.
    #[serde(deserialize_with = "lenient::required_version")]
    pub api_version: String,
    /// What became of it.
    pub stage: Stage,
    /// When the stage begins or began, RFC 3339; the event's `time` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub time: Option<String>,
    /// Release notes.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub notes: Option<String>,
    /// Path prefixes of this version: `/v2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub base_paths: Vec<String>,
    /// Host names of this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub hosts: Vec<String>,
    /// The request header that tells this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<VersionHeader>,
    /// SDKs that call this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub sdks: Vec<Sdk>,
    /// Other names of this version.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub aliases: Vec<String>,
    /// Who answers for it: teams or people.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub owners: Vec<String>,
    /// The OpenAPI document (JSON, or YAML as a string), or its URL (kept as a link, not fetched).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openapi: Option<Value>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

/// Who a consumer is: `groundswell.identity.v1`. A later event of the same consumer replaces this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The consumer as usage names it.
    #[serde(deserialize_with = "lenient::required_id")]
    pub consumer: String,
    /// E-mail addresses of its people.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub emails: Vec<String>,
    /// E-mail domains of its people; public mail providers are ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub email_domains: Vec<String>,
    /// Ids of its people in support tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::ids")]
    pub requester_ids: Vec<String>,
    /// Organisation.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub org: Option<String>,
    /// Plan.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub plan: Option<String>,
    /// Revenue a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Money>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: BTreeMap<String, Value>,
}
