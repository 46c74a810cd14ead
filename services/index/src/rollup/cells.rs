//! What is kept, and how two of a kind become one. Every merge is a sum, a least or a greatest, so order never matters.

use groundswell_model::{Day, LatencyBuckets, Timestamp, UsageDelta};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Two of a kind become one.
pub(super) trait Cell: Serialize + DeserializeOwned + Clone {
    /// Adds `other` to this.
    fn merge(&mut self, other: &Self);
}

/// Calls of one operation in one hour, one day or ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Failed calls with a status of 500 or more.
    pub server_errors: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
    /// Latencies, where told.
    pub latency: LatencyBuckets,
    /// Millionths by id of the currency, sorted.
    pub revenue: Vec<(u32, i128)>,
    /// Count and millionths by id of the value event, sorted.
    pub value: Vec<(u32, (u64, i128))>,
}

impl Traffic {
    /// Adds the counts and latencies of a delta; money and value need ids first.
    pub(super) fn count(&mut self, delta: &UsageDelta<'_>) {
        self.calls = self.calls.saturating_add(delta.calls);
        self.failed = self.failed.saturating_add(delta.failed);
        self.server_errors = self.server_errors.saturating_add(delta.server_errors);
        self.rate_limited = self.rate_limited.saturating_add(delta.rate_limited);
        self.latency.merge(&delta.latency);
    }
}

impl Traffic {
    /// Adds other traffic.
    pub fn add(&mut self, other: &Self) {
        self.merge(other);
    }
}

impl Cell for Traffic {
    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.server_errors = self.server_errors.saturating_add(other.server_errors);
        self.rate_limited = self.rate_limited.saturating_add(other.rate_limited);
        self.latency.merge(&other.latency);
        other.revenue.iter().for_each(|(id, amount)| add_money(&mut self.revenue, *id, *amount));
        other.value.iter().for_each(|(id, value)| add_value(&mut self.value, *id, *value));
    }
}

/// Adds an amount to the one with this id.
pub(super) fn add_money(sums: &mut Vec<(u32, i128)>, id: u32, amount: i128) {
    match sums.binary_search_by_key(&id, |(i, _)| *i) {
        Ok(at) => sums[at].1 = sums[at].1.saturating_add(amount),
        Err(at) => sums.insert(at, (id, amount)),
    }
}

/// Adds value events to those with this id.
pub(super) fn add_value(sums: &mut Vec<(u32, (u64, i128))>, id: u32, (count, amount): (u64, i128)) {
    match sums.binary_search_by_key(&id, |(i, _)| *i) {
        Ok(at) => sums[at].1 = (sums[at].1.0.saturating_add(count), sums[at].1.1.saturating_add(amount)),
        Err(at) => sums.insert(at, (id, (count, amount))),
    }
}

/// An amount in millionths: whole numbers add up to the same in any order, which floating-point numbers do not.
pub(super) fn millionths(amount: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates, and what is not a number is 0")]
    let whole = (amount * 1e6).round() as i128;
    whole
}

/// One operation of one version, ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationTotals {
    /// Its calls.
    pub traffic: Traffic,
    /// Named consumers that called it.
    pub consumers: u64,
    /// Named consumers whose calls of it failed at least once.
    pub affected: u64,
}

impl Cell for OperationTotals {
    fn merge(&mut self, other: &Self) {
        self.traffic.merge(&other.traffic);
        self.consumers += other.consumers;
        self.affected += other.affected;
    }
}

/// One version, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionTotals {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Failed calls with a status of 500 or more.
    pub server_errors: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
    /// Named consumers with a call.
    pub consumers: u64,
    /// First call.
    pub first: Option<Timestamp>,
    /// Last call.
    pub last: Option<Timestamp>,
    /// When the newest call was received.
    pub received: Option<Timestamp>,
}

impl Cell for VersionTotals {
    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.server_errors = self.server_errors.saturating_add(other.server_errors);
        self.rate_limited = self.rate_limited.saturating_add(other.rate_limited);
        self.consumers += other.consumers;
        self.first = least(self.first, other.first);
        self.last = self.last.max(other.last);
        self.received = self.received.max(other.received);
    }
}

/// The earlier of both, where there is one.
fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// How many consumers were there on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Active(pub(super) u64);

impl Cell for Active {
    fn merge(&mut self, other: &Self) {
        self.0 += other.0;
    }
}

/// One consumer of one version on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
}

impl Cell for Presence {
    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.rate_limited = self.rate_limited.saturating_add(other.rate_limited);
    }
}

/// One consumer's latencies on one version and day.
impl Cell for LatencyBuckets {
    fn merge(&mut self, other: &Self) {
        Self::merge(self, other);
    }
}

/// One consumer of one version, ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerTotals {
    /// First call.
    pub first: Timestamp,
    /// Last call.
    pub last: Timestamp,
    /// First call that did not fail.
    pub first_success: Option<Timestamp>,
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Millionths by id of the currency, sorted.
    pub revenue: Vec<(u32, i128)>,
}

impl ConsumerTotals {
    /// What a delta says, without its revenue, which needs ids.
    pub(super) fn of(delta: &UsageDelta<'_>) -> Self {
        Self {
            first: delta.first,
            last: delta.last,
            first_success: delta.first_success,
            calls: delta.calls,
            failed: delta.failed,
            revenue: Vec::new(),
        }
    }
}

impl Cell for ConsumerTotals {
    fn merge(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.first_success = least(self.first_success, other.first_success);
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        other.revenue.iter().for_each(|(id, amount)| add_money(&mut self.revenue, *id, *amount));
    }
}

/// One consumer of one operation, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// First and last day with a failed call.
    pub failed_on: Option<(Day, Day)>,
}

impl Reach {
    /// What one day adds.
    pub(super) fn of(day: Day, on_it: OperationDay) -> Self {
        Self { calls: on_it.calls, failed: on_it.failed, failed_on: (on_it.failed > 0).then_some((day, day)) }
    }
}

impl Cell for Reach {
    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
        self.failed_on = match (self.failed_on, other.failed_on) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (a, b) => a.or(b),
        };
    }
}

/// One consumer of one operation on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationDay {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
}

impl Cell for OperationDay {
    fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

/// A consumer's milestone as it is kept. The one told last stands, so it is not added but put in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MilestoneNote {
    /// When.
    pub time: Timestamp,
    /// Id of the version come from, for an upgrade or downgrade.
    pub from: Option<u32>,
    /// Id of the operation called.
    pub operation: u32,
    /// Failed calls on the version before it, for a first success.
    pub failed_before: u64,
}
