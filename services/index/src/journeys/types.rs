//! What is answered about journeys: a part of the summary, the list of consumers, and who is in pain.

use std::collections::BTreeMap;

use groundswell_model::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::summary::types::{Checkpoint, Figure, Money, Quote, Window};

/// How consumers come to a version, stay and leave. As of the last day with a call of any version of the API; see `docs/journeys.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JourneyFigures {
    /// The last day with a call of any version of the API, in the window.
    pub as_of: Option<String>,
    /// Consumers that ever called the version, by where they stand.
    pub states: Vec<StateCount>,
    /// Whether a step of `adoption` is a week from Monday, not a day.
    pub weekly: bool,
    /// Consumers and calls by version, step by step.
    pub adoption: Vec<AdoptionStep>,
    /// From older versions to this one; null where there is no older one.
    pub funnel: Option<Funnel>,
    /// Who still calls the older versions; null where there is none.
    pub still_on: Option<StillOn>,
    /// Who went back.
    pub regretted: Regretted,
}

/// Where a consumer stands with a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Calls it, and lately no other version.
    #[default]
    Active,
    /// Calls it, and lately another version, too.
    Parallel,
    /// Calls it no more, but a newer version.
    MovedOn,
    /// After a day on it alone it called an older version again, and it no more.
    WentBack,
    /// Calls it no more, but an older version that it never left for a day.
    Gone,
    /// Calls no version of the API any more.
    LeftApi,
}

impl State {
    /// Every state, as they are told.
    pub const ALL: [Self; 6] = [Self::Active, Self::Parallel, Self::MovedOn, Self::WentBack, Self::Gone, Self::LeftApi];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Parallel => "parallel",
            Self::MovedOn => "moved_on",
            Self::WentBack => "went_back",
            Self::Gone => "gone",
            Self::LeftApi => "left_api",
        }
    }
}

/// How many consumers are in a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StateCount {
    /// The state.
    pub state: State,
    /// How many consumers.
    pub consumers: u64,
    /// Of all that ever called the version.
    pub share: Figure,
    /// What they have brought on the version, ever.
    pub revenue: Vec<Money>,
}

/// A day or week of the adoption curve.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdoptionStep {
    /// Its first day.
    pub start: String,
    /// By version, as far as it was called.
    pub versions: BTreeMap<String, Adopted>,
}

/// One version in a day or week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Adopted {
    /// Named consumers.
    pub consumers: u64,
    /// All calls.
    pub calls: u64,
}

impl AdoptionStep {
    pub(super) fn of(start: Day, versions: BTreeMap<String, (u64, u64)>) -> Self {
        let versions = versions.into_iter().map(|(name, (consumers, calls))| (name, Adopted { consumers, calls }));
        Self { start: start.iso(), versions: versions.collect() }
    }

    pub(super) fn add_calls(&mut self, version: &str, calls: u64) {
        let adopted = self.versions.entry(version.to_owned()).or_default();
        adopted.calls = adopted.calls.saturating_add(calls);
    }
}

/// From older versions to this one. Each step is a part of the one before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Funnel {
    /// The versions that it begins with.
    pub from: Vec<String>,
    /// Consumers that called one of them before this version.
    pub on_baseline: u64,
    /// Of them, those with a call of this version.
    pub tried: Figure,
    /// Of those, with a call of it that did not fail.
    pub succeeded: Figure,
    /// Of those, with more than half of their calls of the last 14 days on it.
    pub mostly_on_it: Figure,
    /// Of those, who call the older versions no more.
    pub left_baseline: Figure,
    /// Of those that tried it, who went back.
    pub went_back: Figure,
    /// Consumers of this version that never called an older one before.
    pub came_new: u64,
}

/// Who still calls older versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StillOn {
    /// The older versions.
    pub versions: Vec<String>,
    /// How many consumers.
    pub consumers: u64,
    /// Of them, those that never called this version.
    pub never_tried: u64,
    /// What they have brought on the older versions, ever.
    pub revenue: Vec<Money>,
    /// What they call there: the operations with the most calls.
    pub operations: Vec<OperationReach>,
    /// Those with the most revenue, then the most calls, there.
    pub top: Vec<StillThere>,
}

/// An operation that consumers still call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationReach {
    /// The version.
    pub version: String,
    /// The operation.
    pub operation: String,
    /// How many of these consumers called it, ever.
    pub consumers: u64,
    /// Their calls of it, ever.
    pub calls: u64,
}

/// A consumer that still calls an older version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StillThere {
    /// The consumer.
    pub consumer: String,
    /// Its last day there.
    pub last: String,
    /// Its calls there in the window.
    pub calls: u64,
    /// What it has brought there, ever.
    pub revenue: Vec<Money>,
    /// Whether it called this version, too.
    pub tried: bool,
}

/// Who went back to an older version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Regretted {
    /// How many of those that came from an older version went back: `value` is the share, `n` those that came.
    pub share: Figure,
    /// How many.
    pub consumers: u64,
    /// What they have brought on this version, ever.
    pub revenue: Vec<Money>,
    /// Those with the most revenue, then the most calls, and what they said.
    pub who: Vec<WentBack>,
}

/// A consumer that went back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WentBack {
    /// The consumer.
    pub consumer: String,
    /// First call of this version, RFC 3339.
    pub came: Option<String>,
    /// The day on which it was back.
    pub back: String,
    /// The version that it is back on.
    pub to: String,
    /// Its calls of this version in the window.
    pub calls: u64,
    /// Of them, those that failed.
    pub failed: u64,
    /// What it has brought on this version, ever.
    pub revenue: Vec<Money>,
    /// What it said about this version, newest first.
    pub said: Vec<Quote>,
}

/// The consumers of a version: one page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumersPage {
    /// The API.
    pub api: String,
    /// The API version.
    pub version: String,
    /// The days that calls, failures and feedback are counted over.
    pub window: Window,
    /// The last day with a call of any version of the API, in the window.
    pub as_of: Option<String>,
    /// What the answer reflects.
    pub checkpoint: Option<Checkpoint>,
    /// Consumers that ever called the version.
    pub of: u64,
    /// Of them, those that the filters leave.
    pub total: u64,
    /// What they have brought on the version, ever.
    pub revenue: Vec<Money>,
    /// This page.
    pub consumers: Vec<ConsumerRow>,
    /// Where the next page begins; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A consumer's journey on one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerRow {
    /// The consumer.
    pub consumer: String,
    /// Where it stands.
    pub state: State,
    /// First call, RFC 3339.
    pub first_call: Option<String>,
    /// First call that did not fail, RFC 3339.
    pub first_success: Option<String>,
    /// Seconds from the one to the other.
    pub seconds_to_success: Option<f64>,
    /// Last call, RFC 3339; a day where the window ends before it.
    pub last_call: String,
    /// Days with a call, ever.
    pub days: u32,
    /// Days without a call after which it counts as gone.
    pub gone_after_days: i32,
    /// Calls in the window.
    pub calls: u64,
    /// Of them, those that failed.
    pub failed: u64,
    /// `failed` of `calls`.
    pub error_rate: Figure,
    /// Calls that hit a rate limit.
    pub rate_limited: u64,
    /// How many operations it called, ever.
    pub operations_called: u64,
    /// The ones it called most, ever.
    pub operations: Vec<OperationUse>,
    /// What it has brought on the version, ever.
    pub revenue: Vec<Money>,
    /// Feedback of its about the version, in the window.
    pub feedback: u64,
    /// Feedback of its about any version of the API, in the window.
    pub feedback_of_api: u64,
    /// Its way between versions.
    pub milestones: Vec<MilestoneRow>,
}

/// An operation that a consumer called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OperationUse {
    /// The operation.
    pub operation: String,
    /// Its calls, ever.
    pub calls: u64,
    /// Of them, those that failed.
    pub failed: u64,
}

/// A step of a consumer's way between versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct MilestoneRow {
    /// When: RFC 3339, or a day.
    pub time: String,
    /// `upgraded_from`, `upgraded_to`, `went_back_to`, `last_call` of somebody who is gone.
    pub what: String,
    /// The other version; empty for none.
    pub version: String,
}

/// Consumers whose failures or rate limits rose on a version, and whether they wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pain {
    /// The last day with a call of any version of the API, in the window.
    pub as_of: Option<String>,
    /// How it is decided, in words.
    pub rule: String,
    /// Consumers with enough calls to compare.
    pub tested: u64,
    /// Of them, those that are hurting.
    pub hurting: u64,
    /// Of those, who wrote about the API in the window.
    pub wrote: u64,
    /// Of those, who wrote nothing.
    pub silent: u64,
    /// What the hurting have brought on the version, ever.
    pub revenue: Vec<Money>,
    /// What the silent ones among them have brought on the version, ever.
    pub silent_revenue: Vec<Money>,
    /// Who they are: most additional failures first.
    pub consumers: Vec<PainRow>,
}

/// The pain on a version, as it is asked for alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PainReport {
    /// The API.
    pub api: String,
    /// The API version.
    pub version: String,
    /// The days looked at.
    pub window: Window,
    /// What the answer reflects.
    pub checkpoint: Option<Checkpoint>,
    /// The pain.
    #[serde(flatten)]
    pub pain: Pain,
}

/// A consumer that is hurting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PainRow {
    /// The consumer.
    pub consumer: String,
    /// What rose.
    pub rose: Vec<Rise>,
    /// Failures and rate limits beyond what its calls had before, over all that rose.
    pub additional: f64,
    /// Where its calls of the version failed most, ever.
    pub operations: Vec<OperationUse>,
    /// What it has brought on the version, ever.
    pub revenue: Vec<Money>,
    /// Feedback of its about the API in the window.
    pub feedback: u64,
    /// Where it stands with the version.
    pub state: State,
}

/// Something that rose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rise {
    /// `errors` (rate limits apart) or `rate_limits`.
    pub what: String,
    /// What it is compared with: a version's name, `older versions`, or `its earlier days`.
    pub against: String,
    /// Share of calls before.
    pub before: Figure,
    /// Share of calls now.
    pub now: Figure,
    /// Chance of a rise like this without any difference, by Fisher's exact test, adjusted for all consumers tested.
    pub p_adjusted: f64,
}
