//! What a review is made from: plain counts per consumer, version and day. Whoever has them fills this in.

use groundswell_model::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything a review looks at. The same input gives the same review, byte for byte.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReviewInput {
    /// The API.
    pub api: String,
    /// The version under review: the candidate.
    pub version: String,
    /// The version it is compared with.
    pub baseline: String,
    /// Days looked at. The candidate's days are within it; those before tell what consumers were like.
    pub window: Window,
    /// The day on which the candidate was first called or released, whichever is known.
    pub released: Option<Day>,
    /// Everyone who called either version in the window.
    pub consumers: Vec<ConsumerInput>,
    /// Custom guardrails that the counts of [`VersionUse::custom`] belong to, in their order.
    pub custom: Vec<String>,
    /// Those of them that count what people say: they are held against the square root of calls, as feedback is.
    #[serde(default)]
    pub spoken: Vec<u16>,
    /// Those of them that count an operation's errors over its own calls: they are compared as all errors are.
    #[serde(default)]
    pub operations: Vec<u16>,
    /// What the numbers were made with.
    pub provenance: Provenance,
    /// What names no consumer, and so can't be compared.
    #[serde(default)]
    pub unnamed: Unnamed,
}

/// What happened on both versions in the window and names no consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unnamed {
    /// Calls.
    pub calls: u64,
    /// Pieces of feedback.
    pub feedback: u64,
}

/// Whole days in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first day in it.
    pub from: Day,
    /// The first day no longer in it; nothing later was looked at.
    pub until: Day,
}

impl Default for Window {
    fn default() -> Self {
        Self { from: Day(0), until: Day(0) }
    }
}

impl Window {
    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> usize {
        usize::try_from(self.until.0.saturating_sub(self.from.0)).unwrap_or(0)
    }
}

/// What a verdict rests on, so that it can be made again. Each is empty where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// How far the index had read: every event before it is in.
    pub checkpoint: String,
    /// The model that labelled the feedback.
    pub model: String,
    /// The themes in use.
    pub taxonomy: String,
    /// The catalogue in use.
    pub catalogue: String,
}

/// One consumer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConsumerInput {
    /// Its name, as answers show it.
    pub name: String,
    /// The first day on which it called any version of the API, ever. None: long before the window.
    pub first_seen: Option<Day>,
    /// What it did on the candidate.
    pub candidate: VersionUse,
    /// What it did on the baseline.
    pub baseline: VersionUse,
}

/// What one consumer did and said on one version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct VersionUse {
    /// Its calls by day, in the window.
    pub usage: Vec<DayUse>,
    /// Its latencies by day, in the window.
    pub latency: Vec<LatencyCount>,
    /// Its feedback, in the window.
    pub feedback: Vec<FeedbackItem>,
    /// What happened for each custom guardrail, by day.
    pub custom: Vec<CustomCount>,
    /// Its way to a first success, if its first call of this version lies in the window.
    pub start: Option<Start>,
    /// Its move to this version from the other, if it lies in the window.
    pub upgrade: Option<Upgrade>,
}

/// One consumer's calls of one version on one day. Calls that stand for several count as so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUse {
    /// The day.
    pub day: Day,
    /// All calls.
    pub calls: u64,
    /// Those that failed.
    pub errors: u64,
}

/// So many calls of one day fell into one bucket of `groundswell_model::LatencyBuckets`. Eight bytes: there are millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyCount {
    /// Day of the window, from 0.
    pub day: u16,
    /// The bucket: latencies of 1.02^(bucket − 1) to 1.02^bucket milliseconds.
    pub bucket: i16,
    /// Calls in it.
    pub count: u32,
}

/// One piece of feedback, as far as it is about this version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackItem {
    /// When it was said.
    pub day: Day,
    /// The part of it that is about this version, over 0 to 1.
    pub weight: f64,
    /// Whether it is negative.
    pub negative: bool,
    /// The answer, if it is a survey response.
    pub score: Option<Score>,
}

/// An answer to a survey.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// How likely to recommend, 0 to 10.
    Nps(f64),
    /// How satisfied, 1 to 5.
    Csat(f64),
    /// How much effort, 1 (little) to 7 (much).
    Ces(f64),
}

/// Something counted for a custom guardrail: an operation's errors, a label, hits of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomCount {
    /// Which of [`ReviewInput::custom`].
    pub guardrail: u16,
    /// The day.
    pub day: Day,
    /// How much was counted.
    pub count: f64,
    /// What it could have happened to (calls of the operation); none: the consumer's calls of that day.
    pub exposure: Option<f64>,
}

/// A consumer's way to its first success on a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The day of its first call.
    pub first_call: Day,
    /// Seconds until its first call that did not fail; none: there was none.
    pub seconds_to_success: Option<u64>,
}

/// A consumer's move to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// When it moved.
    pub day: Day,
    /// Whether it went back and stayed there.
    pub regretted: bool,
}
