//! How ready a version is to be switched off, as it is answered.

use groundswell_review::Verdict;
use groundswell_review::input::Provenance;
use groundswell_review::removal::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::summary::types::{Money, Quote};

/// How ready a version is to be switched off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readiness {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// When it was or will be deprecated, RFC 3339; none was announced.
    pub deprecated: Option<String>,
    /// When it will be or was switched off, RFC 3339; none was announced.
    pub sunset: Option<String>,
    /// What its responses should carry, by RFC 9745 and RFC 8594.
    pub headers: Vec<Header>,
    /// The first day after the data: everything here is as of then.
    pub as_of: String,
    /// Days before that in which it must be quiet.
    pub quiet_days: u32,
    /// Pass: it can be removed. Regression: it can't. Inconclusive: nobody can tell.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// One by one.
    pub conditions: Vec<Condition>,
    /// Its last call ever, RFC 3339.
    pub last_call: Option<String>,
    /// Named consumers that called it in the quiet days.
    pub consumers: u64,
    /// Calls in the quiet days, of nobody named too.
    pub calls: u64,
    /// Of these, of nobody named.
    pub unnamed_calls: u64,
    /// Consumers that called it once and call other versions now.
    pub moved: u64,
    /// Consumers that called it once and call no version of the API now.
    pub gone: u64,
    /// Revenue of those who still call it, on it, over all time.
    pub revenue: Vec<Money>,
    /// Who still calls it, most calls first.
    pub callers: Vec<StillCalling>,
    /// Of those, how many are not listed.
    pub callers_left_out: u64,
    /// When traffic will end.
    pub projection: Projection,
    /// The weeks that the projection rests on, oldest first.
    pub weeks: Vec<Week>,
    /// What people say about migrating.
    pub feedback: Migrating,
    /// What it was made with.
    pub provenance: Provenance,
}

/// A response header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Who still calls a version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StillCalling {
    /// The consumer.
    pub consumer: String,
    /// Its calls in the quiet days.
    pub calls: u64,
    /// Its last call, RFC 3339.
    pub last: String,
    /// What it calls, most calls first, over all time.
    pub operations: Vec<String>,
    /// Other versions that it calls, too.
    pub other_versions: Vec<String>,
    /// Its revenue on this version, over all time.
    pub revenue: Vec<Money>,
}

/// A week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Week {
    /// Its first day.
    pub from: String,
    /// Calls.
    pub calls: u64,
    /// Named consumers.
    pub consumers: u64,
}

/// When traffic will end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Projection {
    /// The day; none where it can't be told.
    pub end: Option<String>,
    /// Earliest day of the 95 % interval.
    pub earliest: Option<String>,
    /// Latest; none where it is more than five years away.
    pub latest: Option<String>,
    /// In words.
    pub told: String,
}

/// Open feedback about migrating.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migrating {
    /// The search that finds it.
    pub search: String,
    /// Open pieces of those who still call the version, of the last 180 days.
    pub open: u64,
    /// Consumers behind them.
    pub consumers: u64,
    /// Open pieces about the API of anybody.
    pub open_of_api: u64,
    /// Some of them, the newest first.
    pub quotes: Vec<Quote>,
}
