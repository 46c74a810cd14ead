//! What a summary says: the JSON answer of `summary` and `apis`, and what tables and Markdown are made from.
//!
//! Zero is not the same as no data: a [`Figure`] has a `value` of 0 where nothing happened among `n`, and a
//! `value` of null where `n` is 0. Every interval is one of 95 %; `docs/statistics.md` has the formulas.

mod usage;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::journeys::types::{JourneyFigures, Pain};

pub use usage::{
    ConsumerFigures, LatencyFigures, Money, Move, Moves, OperationFigures, TimeToFirstSuccess, TrendDay, UsageFigures, ValueEvents,
};

/// A number with its 95 % interval and what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The number; null without data.
    pub value: Option<f64>,
    /// Lower end of the 95 % interval; null where one can't be given (no data, or one answer only).
    pub low: Option<f64>,
    /// Upper end of the 95 % interval.
    pub high: Option<f64>,
    /// How many answers, calls, consumers or feedback items it rests on.
    pub n: u64,
    /// The sample size that the interval was computed with, where weights make it smaller than `n`.
    pub effective_n: f64,
}

/// What one API version's consumers said and did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The API.
    pub api: String,
    /// The API version.
    pub version: String,
    /// Declared stage and dates.
    pub lifecycle: Lifecycle,
    /// The days counted.
    pub window: Window,
    /// What the answer reflects.
    pub checkpoint: Option<Checkpoint>,
    /// How much was said, against how much was used.
    pub feedback: FeedbackFigures,
    /// Net Promoter Score, −100 to 100.
    pub nps: NpsFigures,
    /// Customer satisfaction, 1 to 5.
    pub csat: CsatFigures,
    /// Customer effort score, 1 (hard) to 7 (easy), as published.
    pub ces: ScoreFigures,
    /// Ratings, each as its share (0 to 1) of the way from its lowest to its highest possible score.
    pub rating: ScoreFigures,
    /// Calls, failures, latency, revenue, value.
    pub usage: UsageFigures,
    /// Who uses it.
    pub consumers: ConsumerFigures,
    /// How consumers come to it, stay and leave.
    #[serde(default)]
    pub journeys: JourneyFigures,
    /// Consumers whose failures or rate limits rose on it, and which of them never wrote.
    #[serde(default)]
    pub pain: Pain,
    /// Day by day; days without anything are left out.
    pub trend: Vec<TrendDay>,
    /// What was said, by label.
    pub labels: LabelFigures,
    /// Representative feedback, with links back.
    pub quotes: Vec<Quote>,
    /// How the version of this feedback is known.
    pub coverage: Coverage,
    /// The version compared with, where asked for.
    pub baseline: Option<Comparison>,
}

/// What the catalogue says about a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lifecycle {
    /// Whether the catalogue declares it.
    pub declared: bool,
    /// `released`, `deprecated`, `sunset` or `removed`.
    pub stage: Option<String>,
    /// When it was released, RFC 3339.
    pub released: Option<String>,
    /// When it was or will be deprecated, RFC 3339.
    pub deprecated: Option<String>,
    /// When it will be or was switched off, RFC 3339.
    pub sunset: Option<String>,
}

/// The days counted, in UTC. Usage is kept by consumer and day, so a window is widened to whole days.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// First moment counted, RFC 3339; null from the beginning.
    pub since: Option<String>,
    /// First moment no longer counted, RFC 3339; null to the end.
    pub until: Option<String>,
}

/// The state of the index that an answer reflects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// Partition of the insights topic.
    pub partition: u32,
    /// Everything before this offset is in.
    pub offset: u64,
}

/// How much was said, against how much was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackFigures {
    /// Feedback that counts here, wholly or in part.
    pub count: u64,
    /// The sum of its weights: feedback attributed by share of usage counts in part.
    pub weighted: f64,
    /// Tickets among `count`.
    pub tickets: u64,
    /// Survey responses among `count`.
    pub surveys: u64,
    /// Consumers behind it.
    pub consumers: u64,
    /// People behind it, where the publisher names them.
    pub requesters: u64,
    /// How the two rates count: always `weighted`, the sum of weights.
    pub counting: String,
    /// Feedback left out of a strict count because it counts for other versions too.
    #[serde(default)]
    pub left_out: u64,
    /// Weighted feedback per 10,000 calls; `n` is the feedback count.
    pub per_10k_calls: Figure,
    /// Weighted feedback per 100 active consumers; `n` is the feedback count.
    pub per_100_consumers: Figure,
}

/// How often one score was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreCount {
    /// The score, as published.
    pub score: f64,
    /// How often.
    pub count: u64,
    /// The sum of the weights.
    pub weight: f64,
}

/// Net Promoter Score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NpsFigures {
    /// Share of promoters less share of detractors, times 100: `value`, `low`, `high`, `n`.
    #[serde(flatten)]
    pub score: Figure,
    /// Weighted share of 9 and 10.
    pub promoters: Option<f64>,
    /// Weighted share of 7 and 8.
    pub passives: Option<f64>,
    /// Weighted share of 0 to 6.
    pub detractors: Option<f64>,
    /// By score.
    pub distribution: Vec<ScoreCount>,
}

/// Customer satisfaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CsatFigures {
    /// The mean: `value`, `low`, `high`, `n`.
    #[serde(flatten)]
    pub mean: Figure,
    /// Share of 4 and 5.
    pub satisfied: Figure,
    /// By score.
    pub distribution: Vec<ScoreCount>,
}

/// A score that is a mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreFigures {
    /// The mean: `value`, `low`, `high`, `n`.
    #[serde(flatten)]
    pub mean: Figure,
    /// By score.
    pub distribution: Vec<ScoreCount>,
}

/// What was said, by label, most frequent first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelFigures {
    /// Bug, feature request, question, ...
    pub kinds: Vec<LabelCount>,
    /// What it is about; one feedback can have several.
    pub aspects: Vec<LabelCount>,
    /// Negative, neutral, positive.
    pub sentiments: Vec<LabelCount>,
    /// Blocks, degrades, annoys.
    pub severities: Vec<LabelCount>,
    /// ISO 639-1 codes.
    pub languages: Vec<LabelCount>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelCount {
    /// The label.
    pub name: String,
    /// Feedback with it.
    pub count: u64,
    /// The sum of its weights.
    pub weight: f64,
    /// `weight` of all weighted feedback, with the interval.
    pub share: Figure,
    /// Consumers behind it.
    pub consumers: u64,
    /// What these consumers have brought on this version, ever.
    #[serde(default)]
    pub revenue: Vec<Money>,
}

/// One representative piece of feedback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quote {
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `id`.
    pub id: String,
    /// When, RFC 3339.
    pub time: String,
    /// Title; empty for surveys.
    pub title: String,
    /// What was said, redacted, shortened.
    pub text: String,
    /// Link back to the source.
    pub url: Option<String>,
    /// The consumer; empty where nobody is named.
    pub consumer: String,
    /// Its labels, as far as they are told: type, aspects, severity, sentiment.
    pub labels: Vec<String>,
    /// Kind and score of the survey, like `nps 3`.
    pub survey: Option<String>,
    /// The label that it stands for.
    pub stands_for: String,
}

/// How the version of feedback is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Feedback that counts for this version.
    pub n: u64,
    /// By deciding evidence, best first.
    pub rungs: Vec<RungCount>,
    /// Feedback of the whole API in the window.
    pub feedback_of_api: u64,
    /// Of it, how much has no known version.
    pub unknown_of_api: Figure,
}

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RungCount {
    /// Its stable name.
    pub rung: String,
    /// Feedback decided by it.
    pub count: u64,
    /// Of all that counts for this version.
    pub share: Option<f64>,
}

/// The same figures of another version, side by side. A description, not a verdict: nothing here is
/// tested, and looking at many figures will show some that differ by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The version compared with.
    pub version: String,
    /// Its stage and dates.
    pub lifecycle: Lifecycle,
    /// Figure by figure.
    pub figures: Vec<ComparedFigure>,
    /// Says that this is a description.
    pub note: String,
}

/// One figure of both versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedFigure {
    /// Stable name, as the path of the figure in the summary: `usage.error_rate`.
    pub name: String,
    /// Words for people.
    pub title: String,
    /// How to read and print its numbers.
    pub unit: Unit,
    /// Of this version.
    pub this: Figure,
    /// Of the baseline.
    pub baseline: Figure,
    /// This less baseline, with its interval where both have one; `n` is the smaller of both.
    pub difference: Figure,
    /// This over baseline, for rates and shares, with its interval where both have one.
    pub ratio: Option<Figure>,
}

/// How to read and print a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share from 0 to 1.
    Share,
    /// A score on its own scale.
    Score,
    /// So many per something.
    Rate,
    /// How many.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// All APIs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApisOverview {
    /// By name.
    pub apis: Vec<ApiOverview>,
}

/// One API with its versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiOverview {
    /// The API.
    pub api: String,
    /// All calls of all versions.
    pub calls: u64,
    /// Named consumers with a call of any version.
    pub consumers: u64,
    /// Feedback about any version.
    pub feedback: u64,
    /// Share of the feedback that has no known version.
    pub unresolved: Figure,
    /// Newest first, `unknown` last.
    pub versions: Vec<VersionOverview>,
}

/// One version in the overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionOverview {
    /// The API version.
    pub version: String,
    /// Declared stage and dates.
    pub lifecycle: Lifecycle,
    /// All calls.
    pub calls: u64,
    /// Share of the API's calls.
    pub share_of_calls: Option<f64>,
    /// Named consumers with a call.
    pub consumers: u64,
    /// Feedback that counts for it, wholly or in part.
    pub feedback: u64,
    /// First call or feedback, RFC 3339.
    pub first_seen: Option<String>,
    /// Last call or feedback, RFC 3339.
    pub last_seen: Option<String>,
}
