//! What is asked and what is answered: the JSON of `GET /v1/search` and of `groundswell search --format json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Order of the hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match of the words first (BM25); newest first among equals without words.
    Relevance,
    /// Newest `time` first.
    Newest,
    /// Oldest `time` first.
    Oldest,
    /// Lowest survey score first; what has no score comes last.
    #[serde(alias = "score")]
    LowestScore,
    /// Highest survey score first; what has no score comes last.
    HighestScore,
}

/// Width of the bars of a histogram over `time`, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A calendar month.
    Month,
}

/// A search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// Words, "phrases", `field:value`, `field:[a TO b]`, `field:<7`, `prefix*`, AND, OR, NOT, `-`, `+` and parentheses.
    /// Words side by side must all occur. Empty: everything.
    pub query: String,
    /// Only this API; all APIs where absent.
    pub api: Option<String>,
    /// Only these versions; all versions where empty. `unknown` holds what is not attributed to a version yet.
    pub versions: Vec<String>,
    /// `SOURCE/ID` of a piece of feedback: what resembles it most comes first, within its API where no other is named. There are no further pages.
    pub like: Option<String>,
    /// Conditions that must all hold: `field:value` with the exact value, `field:[a TO b]`, `field:<7`; a leading `-` excludes.
    pub filters: Vec<String>,
    /// Fields whose values are counted over all hits.
    pub facets: Vec<String>,
    /// Values listed for each facet, most frequent first.
    pub facet_limit: usize,
    /// Count all hits over `time`.
    pub histogram: Option<Interval>,
    /// Order; where absent, relevance for a query with words, else newest.
    pub sort: Option<Sort>,
    /// Hits on this page, at most 1000.
    pub limit: usize,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Whether hits carry the whole body instead of a snippet.
    pub full_body: bool,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            query: String::new(),
            api: None,
            versions: Vec::new(),
            like: None,
            filters: Vec::new(),
            facets: Vec::new(),
            facet_limit: 10,
            histogram: None,
            sort: None,
            limit: 20,
            cursor: None,
            full_body: false,
        }
    }
}

/// The answer to a search.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchResponse {
    /// All that match, each insight counted once however many versions it counts for.
    pub total: u64,
    /// This page.
    pub hits: Vec<Hit>,
    /// Field to its most frequent values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Vec<FacetCount>>,
    /// Bars that are not empty, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub histogram: Vec<HistogramBucket>,
    /// Where the next page begins; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What the answer reflects: partition of the insights topic to next offset.
    #[serde(default)]
    pub checkpoint: BTreeMap<u32, u64>,
    /// Milliseconds the server needed.
    #[serde(default)]
    pub took_ms: f64,
}

/// A value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// How many hits have it.
    pub count: u64,
}

/// A bar of the histogram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistogramBucket {
    /// Where it begins, RFC 3339.
    pub start: String,
    /// How many hits fall in it.
    pub count: u64,
}

/// One insight that matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hit {
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `id`.
    pub id: String,
    /// The API, or `unknown`.
    pub api: String,
    /// Where it counts, and how much; the weights add up to 1.
    pub versions: Vec<HitVersion>,
    /// What decided the version: `explicit`, `request`, `path`, `only_version`, `text`, `share` or `unknown`.
    pub rung: String,
    /// How sure the version is, 0 to 1.
    pub confidence: f32,
    /// What decided the version, readable.
    pub evidence: Vec<String>,
    /// CloudEvents ids of the usage events that decided it, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deciding: Vec<String>,
    /// Marks: `contradicted` where a field names a version that the consumer's calls contradict, `moved` where later
    /// evidence brought it here, `corrected` where a person corrected or confirmed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// `ticket` or `survey`.
    pub kind: String,
    /// The survey answer; absent for tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<HitSurvey>,
    /// Title, redacted; empty for surveys.
    pub title: String,
    /// Body or comment, redacted: a snippet around the first match, or all of it with `full_body`.
    pub body: String,
    /// Where the words of the query occur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
    /// What the text was understood to say.
    pub labels: HitLabels,
    /// Who corrected it, and what the machine had said; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<HitCorrection>,
    /// The consumer; absent if nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// Keyed hash of the person who wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// Organisation of the requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// The operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// When it happened, RFC 3339.
    pub time: String,
    /// When it was received, RFC 3339.
    pub received: String,
    /// Link back to the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Number or key in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<String>,
    /// State in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Priority in the support tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// How it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Tags set in the support tool.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// SDK name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<String>,
    /// Request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What was redacted: kind to how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redacted: BTreeMap<String, u32>,
    /// Fields that the contract does not name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Id of the theme it is in, as people merged it; absent for a text without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Whether it says almost the same as the piece of `like`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub near_duplicate: bool,
    /// How well it matches (with `like` 0 to 1, else BM25, comparable over all versions); 0 where the order is another one.
    pub score: f32,
}

/// A version a hit counts for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitVersion {
    /// The API version, or `unknown`.
    pub version: String,
    /// Over 0, up to 1.
    pub weight: f32,
}

/// A survey answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitSurvey {
    /// `nps`, `csat`, `ces` or `rating`.
    pub kind: String,
    /// The answer.
    pub score: f64,
    /// Lowest possible score.
    pub min: f64,
    /// Highest possible score.
    pub max: f64,
}

/// Labels of a hit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitLabels {
    /// Bug, feature request, question, complaint, praise or other.
    #[serde(rename = "type")]
    pub kind: HitLabel,
    /// What it is about.
    pub aspects: Vec<HitLabel>,
    /// Negative, neutral or positive.
    pub sentiment: HitLabel,
    /// −1 (worst) to 1 (best).
    pub sentiment_score: f32,
    /// Blocks production, degrades or annoys.
    pub severity: HitLabel,
    /// ISO 639-1 code, or `unsure`.
    pub language: HitLabel,
    /// Name and version of the model or rules that said so.
    pub model: String,
}

/// A person's correction of a hit, with the machine's own word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitCorrection {
    /// When it was made, RFC 3339.
    pub at: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The machine's labels.
    pub labels: HitLabels,
    /// Where it counted by the machine's word.
    pub versions: Vec<HitVersion>,
    /// How sure the machine was of the version.
    pub confidence: f32,
}

/// One label with its reason.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HitLabel {
    /// The label; `unsure` where the classifier does not dare to tell.
    pub name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// The words that caused it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

/// Where the words of the query occur in one field of a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Highlight {
    /// `title` or `body`.
    pub field: String,
    /// Pieces of the field's text, in order.
    pub fragments: Vec<Fragment>,
}

/// A piece of text with its matches. Plain text: whoever shows it escapes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fragment {
    /// The piece.
    pub text: String,
    /// Matches as `[start, end)`, counted in Unicode characters of `text`, sorted, never overlapping.
    pub ranges: Vec<[u32; 2]>,
}

impl Fragment {
    /// The text cut into pieces, each with whether it is a match.
    #[must_use]
    pub fn pieces(&self) -> Vec<(String, bool)> {
        let mut pieces: Vec<(String, bool)> = Vec::new();
        for (at, c) in (0u32..).zip(self.text.chars()) {
            let matched = self.ranges.iter().any(|[start, end]| (*start..*end).contains(&at));
            match pieces.last_mut() {
                Some((text, same)) if *same == matched => text.push(c),
                _ => pieces.push((c.to_string(), matched)),
            }
        }
        pieces
    }
}
