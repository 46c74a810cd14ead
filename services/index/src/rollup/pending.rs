//! What was added since the last commit, folded: many deltas become few cells.

use std::hash::Hash;

use groundswell_model::{LatencyBuckets, UsageDelta};
use hashbrown::HashMap;

use super::cells::{Cell, ConsumerTotals, MilestoneNote, OperationDay, Presence, Traffic, VersionTotals, add_money, add_value, millionths};
use super::tables::{DayKey, Key, day_key, hour_key};

/// The names of a delta as ids.
#[derive(Clone, Debug, Default)]
pub(super) struct DeltaIds {
    pub(super) version: u32,
    pub(super) operation: u32,
    /// None if nobody is named.
    pub(super) consumer: Option<u32>,
    /// Currencies, as the delta lists them.
    pub(super) revenue: Vec<u32>,
    /// Value events, as the delta lists them.
    pub(super) value: Vec<u32>,
}

/// Cells that wait for the next commit.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// (version, hour, operation)
    pub(super) traffic: HashMap<Key, Traffic>,
    /// (version, 0, consumer)
    pub(super) consumers: HashMap<Key, ConsumerTotals>,
    /// (version, day, consumer)
    pub(super) presence: HashMap<Key, Presence>,
    /// (version, day, consumer)
    pub(super) latency: HashMap<Key, LatencyBuckets>,
    /// (version, operation, day, consumer)
    pub(super) operation_days: HashMap<DayKey, OperationDay>,
    /// (version, kind, consumer)
    pub(super) milestones: HashMap<Key, MilestoneNote>,
    /// version: counts and dates, without consumers.
    pub(super) versions: HashMap<u32, VersionTotals>,
}

impl Pending {
    /// Folds one delta in.
    pub(super) fn add(&mut self, delta: &UsageDelta<'_>, ids: &DeltaIds) {
        let version = ids.version;
        let totals = VersionTotals {
            calls: delta.calls,
            failed: delta.failed,
            server_errors: delta.server_errors,
            rate_limited: delta.rate_limited,
            consumers: 0,
            first: Some(delta.first),
            last: Some(delta.last),
            received: Some(delta.received),
        };
        self.versions.entry(version).or_default().merge(&totals);
        let traffic = self.traffic.entry((version, hour_key(delta.hour), ids.operation)).or_default();
        traffic.count(delta);
        for (id, (_, amount)) in ids.revenue.iter().zip(&delta.revenue) {
            add_money(&mut traffic.revenue, *id, i128::from(*amount));
        }
        for (id, (_, count, amount)) in ids.value.iter().zip(&delta.value) {
            add_value(&mut traffic.value, *id, (*count, millionths(*amount)));
        }
        if let Some(consumer) = ids.consumer {
            self.add_consumer(delta, ids, consumer);
        }
    }

    fn add_consumer(&mut self, delta: &UsageDelta<'_>, ids: &DeltaIds, consumer: u32) {
        let version = ids.version;
        let mut totals = ConsumerTotals::of(delta);
        for (id, (_, amount)) in ids.revenue.iter().zip(&delta.revenue) {
            add_money(&mut totals.revenue, *id, i128::from(*amount));
        }
        merge_in(&mut self.consumers, (version, 0, consumer), totals);
        let presence = Presence { calls: delta.calls, failed: delta.failed, rate_limited: delta.rate_limited };
        let day = day_key(delta.hour.day());
        let on_day = (version, day, consumer);
        merge_in(&mut self.presence, on_day, presence);
        if !delta.latency.buckets().is_empty() {
            self.latency.entry(on_day).or_default().merge(&delta.latency);
        }
        let of_operation = OperationDay { calls: delta.calls, failed: delta.failed };
        merge_in(&mut self.operation_days, (version, ids.operation, day, consumer), of_operation);
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.traffic.len()
            + self.consumers.len()
            + self.presence.len()
            + self.latency.len()
            + self.operation_days.len()
            + self.milestones.len()
    }

    /// Forgets everything, keeping the memory for what comes next.
    pub(super) fn clear(&mut self) {
        self.traffic.clear();
        self.consumers.clear();
        self.presence.clear();
        self.latency.clear();
        self.operation_days.clear();
        self.milestones.clear();
        self.versions.clear();
    }

    /// Forgets everything about one version.
    pub(super) fn forget(&mut self, version: u32) {
        self.traffic.retain(|key, _| key.0 != version);
        self.consumers.retain(|key, _| key.0 != version);
        self.presence.retain(|key, _| key.0 != version);
        self.latency.retain(|key, _| key.0 != version);
        self.operation_days.retain(|key, _| key.0 != version);
        self.milestones.retain(|key, _| key.0 != version);
        self.versions.remove(&version);
    }
}

/// Adds `cell` to the one with this key.
pub(super) fn merge_in<K: Eq + Hash, C: Cell>(cells: &mut HashMap<K, C>, key: K, cell: C) {
    match cells.entry(key) {
        hashbrown::hash_map::Entry::Occupied(mut there) => there.get_mut().merge(&cell),
        hashbrown::hash_map::Entry::Vacant(free) => {
            free.insert(cell);
        }
    }
}
