//! The payloads of the two event types by which people decide: a correction of one piece of feedback, and a decision on a theme.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lenient;

/// The CloudEvents identity of a piece of feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackRef {
    /// Its `source`.
    #[serde(deserialize_with = "lenient::required_text")]
    pub source: String,
    /// Its `id`.
    #[serde(deserialize_with = "lenient::required_id")]
    pub id: String,
}

/// What the machine had said of a piece of feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MachineLabels {
    /// Its type.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// Its aspects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aspects: Vec<String>,
    /// Its sentiment.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub sentiment: Option<String>,
    /// Its severity.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub severity: Option<String>,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub language: Option<String>,
    /// The version that most of it counted for; absent where unknown.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// The model that said so.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub model: Option<String>,
}

/// What a person says of one piece of feedback: `groundswell.correction.v1`. What is absent stays as it was; a later
/// correction of the same feedback replaces this one as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// Which feedback.
    pub of: FeedbackRef,
    /// The right type: `bug`, `feature_request`, `question`, `complaint`, `praise` or `other`; or a label of your own model.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// The right aspects, all of them; an empty list says that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspects: Option<Vec<String>>,
    /// The right sentiment: `negative`, `neutral` or `positive`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub sentiment: Option<String>,
    /// The right severity: `blocks_production`, `degrades` or `annoys`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub severity: Option<String>,
    /// The right language (ISO 639-1).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub language: Option<String>,
    /// The right version of the same API.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// Withdraws what was corrected before: the machine's word stands again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// What the machine had said, so that it can be judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineLabels>,
    /// Title of the feedback, redacted, so that models can learn from the correction.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub title: Option<String>,
    /// Body or comment of the feedback, redacted, so that models can learn from the correction.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub body: Option<String>,
    /// Who says so: a name that may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub note: Option<String>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}

impl Correction {
    /// Whether it says anything.
    #[must_use]
    pub fn says_something(&self) -> bool {
        let texts = [&self.kind, &self.sentiment, &self.severity, &self.language, &self.api_version];
        self.withdrawn || self.aspects.is_some() || texts.iter().any(|t| t.is_some())
    }
}

/// What is decided on a theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThemeAction {
    /// Give it `name`.
    #[default]
    Rename,
    /// It and the theme `into` are one from now on, under `into`.
    Merge,
    /// What `query` finds, or the listed `feedback`, leaves it for a theme of its own, named `name`.
    Split,
    /// It stays, whatever a grouping proposes.
    Pin,
    /// It may change again.
    Unpin,
    /// It is left out of lists, never out of searches.
    Hide,
    /// It is listed again.
    Show,
    /// Its place on the road map is `status`.
    Decide,
}

impl ThemeAction {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rename => "rename",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Hide => "hide",
            Self::Show => "show",
            Self::Decide => "decide",
        }
    }
}

/// Where a theme stands on the road map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThemeStatus {
    /// Nothing is decided.
    #[default]
    Open,
    /// It will be done, in `api_version` where named.
    Planned,
    /// It will not be done, for `note`.
    Declined,
    /// It was done, in `api_version` where named.
    Shipped,
}

/// A person's decision on a theme: `groundswell.theme.v1`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThemeDecision {
    /// The API whose theme it is.
    #[serde(deserialize_with = "lenient::required_text")]
    pub api: String,
    /// Id of the theme.
    #[serde(deserialize_with = "lenient::required_id")]
    pub theme: String,
    /// What is decided.
    pub action: ThemeAction,
    /// The other theme, for `merge`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::id")]
    pub into: Option<String>,
    /// The name, for `rename` and `split`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// Words that what leaves has, for `split`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub query: Option<String>,
    /// The feedback that leaves, for `split`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::list")]
    pub feedback: Vec<FeedbackRef>,
    /// The place on the road map, for `decide`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ThemeStatus>,
    /// The version that brings it, for `decide`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::version")]
    pub api_version: Option<String>,
    /// Who says so: a name that may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::text")]
    pub note: Option<String>,
    /// Fields this contract does not name; kept, bounded.
    #[serde(flatten)]
    pub attributes: Map<String, Value>,
}
