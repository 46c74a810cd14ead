//! What a summary says about usage and consumers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Figure;

/// Calls, failures, latency, revenue, value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageFigures {
    /// All calls.
    pub calls: u64,
    /// Calls with a status of 400 or more, or the outcome `failure`.
    pub failed: u64,
    /// Failed calls with a status of 500 or more.
    pub server_errors: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
    /// `failed` of `calls`.
    pub error_rate: Figure,
    /// `server_errors` of `calls`.
    pub server_error_rate: Figure,
    /// `rate_limited` of `calls`.
    pub rate_limited_rate: Figure,
    /// Latency of the calls that told it.
    pub latency: LatencyFigures,
    /// Revenue, by currency.
    pub revenue: Vec<Money>,
    /// Value events, by name.
    pub value: Vec<ValueEvents>,
    /// How many operations were called.
    pub operations: u64,
    /// The operations with the most failed calls, most first; only such as failed.
    pub worst_by_failures: Vec<OperationFigures>,
    /// The operations with the highest error rate (by the lower end of its interval) among those with enough calls.
    pub worst_by_error_rate: Vec<OperationFigures>,
    /// Calls that an operation needs to be listed by error rate.
    pub enough_calls: u64,
}

/// Latency percentiles in milliseconds, at most 1 % off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyFigures {
    /// Half the calls were at most this slow.
    pub p50_ms: Option<f64>,
    /// 90 %.
    pub p90_ms: Option<f64>,
    /// 95 %.
    pub p95_ms: Option<f64>,
    /// 99 %.
    pub p99_ms: Option<f64>,
    /// Calls that told their latency.
    pub n: u64,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// The currency code.
    pub currency: String,
    /// The amount, exact to a millionth up to some 9 billion, to 15 digits beyond.
    pub amount: f64,
}

/// Value events of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueEvents {
    /// The name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// The sum of their amounts.
    pub amount: f64,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OperationFigures {
    /// operationId, or method and path template; empty where not known.
    pub operation: String,
    /// All calls.
    pub calls: u64,
    /// Failed calls.
    pub failed: u64,
    /// `failed` of `calls`.
    pub error_rate: Figure,
    /// 95 % of the calls were at most this slow.
    pub p95_ms: Option<f64>,
    /// Named consumers that called it over all time; null in a window, where they are not counted.
    pub consumers: Option<u64>,
    /// Named consumers whose calls of it failed at least once.
    pub consumers_affected: u64,
    /// What these have brought on this version, ever.
    #[serde(default)]
    pub revenue_affected: Vec<Money>,
    /// Feedback of this version that is known to be about it.
    pub feedback: u64,
}

/// Who uses the version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsumerFigures {
    /// Named consumers with a call.
    pub active: u64,
    /// Named consumers with a call of any version of the API.
    pub active_of_api: u64,
    /// `active` of `active_of_api`.
    pub adoption: Figure,
    /// Calls of any version of the API.
    pub calls_of_api: u64,
    /// This version's share of them.
    pub share_of_calls: Option<f64>,
    /// Consumers whose first call of this version lies in the window (all, without a window).
    pub new: u64,
    /// From the first call to the first that did not fail, of `new` consumers.
    pub time_to_first_success: TimeToFirstSuccess,
    /// Consumers that moved between versions.
    pub moves: Moves,
}

/// From a consumer's first call of the version to its first call that did not fail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeToFirstSuccess {
    /// Consumers that succeeded.
    pub n: u64,
    /// Half of them took at most so many seconds.
    pub median_seconds: Option<f64>,
    /// 90 % of them took at most so many seconds.
    pub p90_seconds: Option<f64>,
    /// Consumers that never succeeded yet.
    pub never_succeeded: u64,
    /// Consumers whose first call failed, of all new ones.
    pub first_call_failed: Figure,
    /// Failed calls before the first success: the median over the consumers that succeeded.
    pub median_failed_before: Option<f64>,
}

/// Consumers that moved between versions of the API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moves {
    /// Came from an older version.
    pub upgrades_in: Vec<Move>,
    /// Left for a newer version.
    pub upgrades_out: Vec<Move>,
    /// Came back from a newer version.
    pub downgrades_in: Vec<Move>,
    /// Went back to an older version: regretted upgrades.
    pub downgrades_out: Vec<Move>,
}

/// Consumers that moved from or to one other version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// The other version; `unknown` where it is not told.
    pub version: String,
    /// How many consumers.
    pub consumers: u64,
}

/// One day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendDay {
    /// `YYYY-MM-DD`, UTC.
    pub day: String,
    /// All calls.
    pub calls: u64,
    /// Failed calls.
    pub failed: u64,
    /// Named consumers with a call.
    pub consumers: u64,
    /// Feedback, unweighted.
    pub feedback: u64,
}
