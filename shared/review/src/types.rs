//! A review, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::Provenance;

/// What a version is like for its consumers, against a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    /// The API.
    pub api: String,
    /// The version under review.
    pub version: String,
    /// The version it is compared with.
    pub baseline: String,
    /// First day looked at, `YYYY-MM-DD`.
    pub from: String,
    /// First day no longer looked at.
    pub until: String,
    /// Days since the candidate's first, as far as the window goes.
    pub days_on_candidate: u32,
    /// The verdict on the whole.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// Each guardrail.
    pub guardrails: Vec<Guardrail>,
    /// What was left out of the comparisons.
    pub left_out: LeftOut,
    /// Probability that a review without any difference calls a regression, at any of its daily looks.
    pub error: f64,
    /// Days over which looks are allowed for.
    pub horizon_days: u32,
    /// What it was made with.
    pub provenance: Hashes,
}

/// The three things a verdict can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No worse than the baseline, by more than the minimum effect.
    Pass,
    /// Worse.
    Regression,
    /// It can't be told yet.
    Inconclusive,
}

impl Verdict {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regression => "regression",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// One number that must not get worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guardrail {
    /// Its name: `error_rate`, `latency_p95`, … or the name of a custom one.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the review's verdict waits for it.
    pub required: bool,
    /// The window is too young: what people say trails what they do.
    pub maturing: bool,
    /// The candidate's numbers, as counted.
    pub candidate: Figures,
    /// The baseline's.
    pub baseline: Figures,
    /// The candidate against the baseline, as compared.
    pub effect: Option<Effect>,
    /// A difference below this does not matter: a ratio for ratios, points for differences, a share for shares.
    pub minimum_effect: f64,
    /// How it was compared.
    pub method: Method,
    /// Consumers that were compared.
    pub consumers: u64,
    /// How many equally weighing consumers they are worth.
    pub effective_consumers: f64,
    /// What would be needed to tell, where it is inconclusive.
    pub needed: Option<Needed>,
    /// Consumers that behave unlike the others. They count, within bounds.
    pub outliers: Vec<Outlier>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// Counts over an exposure, all consumers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Consumers with any exposure.
    pub consumers: u64,
    /// What was counted: errors, feedback, answers.
    pub count: f64,
    /// What it was counted over: calls, answers, newcomers, upgrades.
    pub exposure: f64,
    /// The rate, mean, percentile in milliseconds, or time in seconds; none without exposure.
    pub value: Option<f64>,
}

/// The candidate against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// Ratio, difference, or the candidate's share alone.
    pub kind: EffectKind,
    /// The estimate. It is not the quotient of the two values shown: consumers are compared with themselves.
    pub value: f64,
    /// Lower end; none where there is none.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Probability that the interval holds at every look up to the horizon.
    pub level: f64,
}

/// What an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Candidate over baseline.
    Ratio,
    /// Candidate less baseline.
    Difference,
    /// The candidate's share, against a limit.
    Share,
}

/// How a guardrail was compared. `docs/statistics.md` has the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Consumers with themselves, calendar removed, bounded weights, variance by consumer.
    Paired,
    /// The same, exact, each consumer once: counts are small.
    PairedExact,
    /// Consumers of like volume with each other, with an allowance for what else differs: nobody was seen on both.
    Stratified,
    /// Means over consumers, thirds by volume weighted alike.
    ByConsumer,
    /// Ranks of newcomers.
    Ranks,
    /// Exact bounds of a share.
    Exact,
    /// Nothing to compare.
    None,
}

impl Method {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::PairedExact => "paired, exact",
            Self::Stratified => "stratified",
            Self::ByConsumer => "by consumer",
            Self::Ranks => "ranks",
            Self::Exact => "exact",
            Self::None => "none",
        }
    }
}

/// What would be needed to tell, were things to go on as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Needed {
    /// More of the exposure on the candidate.
    pub exposure: Option<f64>,
    /// What it is counted in.
    pub unit: String,
    /// Or so many more days.
    pub days: Option<u32>,
    /// In words: `about 320 more calls or 6 days`.
    pub text: String,
}

/// A consumer that behaves unlike the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outlier {
    /// Its name.
    pub consumer: String,
    /// Its own ratio, candidate over baseline; none where it can't be told.
    pub ratio: Option<f64>,
}

/// What was left out of the comparisons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Days on which the baseline itself was in trouble, `YYYY-MM-DD`.
    pub incident_days: Vec<String>,
    /// Newcomers whose first calls were set apart.
    pub newcomers: u64,
    /// Calls of both versions that name no consumer.
    #[serde(default)]
    pub unnamed_calls: u64,
    /// Feedback on both versions that names no consumer.
    #[serde(default)]
    pub unnamed_feedback: u64,
}

/// By which the review can be made again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hashes {
    /// As the input says.
    #[serde(flatten)]
    pub data: Provenance,
    /// BLAKE3 of the input.
    pub input: String,
    /// BLAKE3 of the policy.
    pub policy: String,
}
