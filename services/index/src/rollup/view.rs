//! Reading: one consistent view of everything committed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use groundswell_bus::Offset;
use groundswell_model::{Day, Hour, MilestoneKind};
use redb::ReadTransaction;

use super::cells::{Active, ConsumerTotals, MilestoneNote, OperationDay, OperationTotals, Presence, Reach, Traffic, VersionTotals};
use super::days::Days;
use super::error::{Fault, RollupError};
use super::intern::{Kind, split_version, version_name};
use super::opened::Opened;
use super::set::ConsumerSet;
use super::store::kind_key;
use super::tables::{
    ACTIVE, BLOCK, CONSUMERS, Cells, DAYS, HOURS, Key, LATENCY, LATENCY_BLOCK, META, META_CHECKPOINT, MILESTONES, OPERATIONS, PRESENCE,
    REACH, VERSIONS, block_of, consumer_at, day_key, day_of_key, each_latency, each_presence, hour_key, hour_of_key,
};

/// A version of an API, as this store numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub(super) u32);

/// A currency or the name of a value event, as this store numbers it.
pub type LabelId = u32;

/// Millionths by currency.
pub type Revenue = BTreeMap<String, i128>;

/// A consistent view of one store.
pub struct RollupView {
    opened: Opened,
    checkpoint: Option<Offset>,
}

impl RollupView {
    pub(super) fn open(tx: ReadTransaction, path: &Path) -> Result<Self, Fault> {
        let checkpoint = tx.open_table(META)?.get(META_CHECKPOINT)?.map(|o| Offset(o.value()));
        Ok(Self { opened: Opened::new(tx, path), checkpoint })
    }

    /// Everything before this offset is in.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Offset> {
        self.checkpoint
    }

    /// Every API and version that was called, by name.
    ///
    /// # Errors
    /// As of all that read: the store can't be read, or is damaged.
    pub fn versions(&self) -> Result<Vec<(String, String, VersionId, VersionTotals)>, RollupError> {
        let mut all = Vec::new();
        self.opened.rows(VERSIONS, everything(), |key, totals| all.push((VersionId(key.0), totals)))?;
        let mut named = Vec::with_capacity(all.len());
        for (id, totals) in all {
            let (api, version) = split_version(&self.opened.name(Kind::Version, id.0)?);
            named.push((api, version, id, totals));
        }
        named.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        Ok(named)
    }

    /// The id of a version, if anything was ever told about it.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn version(&self, api: &str, version: &str) -> Result<Option<VersionId>, RollupError> {
        let mut name = Vec::new();
        version_name(api, version, &mut name);
        Ok(self.opened.id(Kind::Version, &name)?.map(VersionId))
    }

    /// The name of a version of the API it is read for.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn version_name(&self, version: VersionId) -> Result<String, RollupError> {
        Ok(split_version(&self.opened.name(Kind::Version, version.0)?).1)
    }

    /// The id of a consumer by which [`Self::consumers`] and the others name it, if it ever called or reached a milestone.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumer(&self, name: &str) -> Result<Option<u32>, RollupError> {
        self.opened.id(Kind::Consumer, name.as_bytes())
    }

    /// Tells the ids of those consumers that have one, by place among the names, which are sorted.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumers_named(&self, names: &[String], each: impl FnMut(usize, u32)) -> Result<(), RollupError> {
        self.opened.ids(Kind::Consumer, names, each)
    }

    /// The name of a consumer.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumer_name(&self, consumer: u32) -> Result<String, RollupError> {
        self.opened.name(Kind::Consumer, consumer).map(text)
    }

    /// Tells the names of consumers, whose ids are sorted.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumer_names(&self, consumers: &[u32], mut each: impl FnMut(u32, String)) -> Result<(), RollupError> {
        self.opened.names(Kind::Consumer, consumers, |id, name| each(id, String::from_utf8_lossy(name).into_owned()))
    }

    /// The id of an operation, if any version's was ever called so.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn operation(&self, name: &str) -> Result<Option<u32>, RollupError> {
        self.opened.id(Kind::Operation, name.as_bytes())
    }

    /// The name of an operation.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn operation_name(&self, operation: u32) -> Result<String, RollupError> {
        self.opened.name(Kind::Operation, operation).map(text)
    }

    /// The name of a currency or value event.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn label_name(&self, label: LabelId) -> Result<String, RollupError> {
        self.opened.name(Kind::Label, label).map(text)
    }

    /// A version, ever.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn totals(&self, version: VersionId) -> Result<VersionTotals, RollupError> {
        let mut totals = VersionTotals::default();
        self.opened.rows(VERSIONS, part(version, 0, 0), |_, t| totals = t)?;
        Ok(totals)
    }

    /// The operations of a version, ever, by id.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn operations(&self, version: VersionId) -> Result<BTreeMap<u32, OperationTotals>, RollupError> {
        let mut all = BTreeMap::new();
        self.opened.rows(OPERATIONS, part(version, 0, u32::MAX), |key, totals| {
            all.insert(key.1, totals);
        })?;
        Ok(all)
    }

    /// The traffic of a version by day and operation.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn days(&self, version: VersionId, days: Days, mut each: impl FnMut(Day, u32, Traffic)) -> Result<(), RollupError> {
        self.opened.rows(DAYS, in_days(version, days), |key, traffic| each(day_of_key(key.1), key.2, traffic))
    }

    /// The traffic of a version by hour and operation, from `first` to `last`.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn hours(&self, version: VersionId, first: Hour, last: Hour, mut each: impl FnMut(Hour, u32, Traffic)) -> Result<(), RollupError> {
        self.opened.rows(HOURS, part(version, hour_key(first), hour_key(last)), |key, traffic| each(hour_of_key(key.1), key.2, traffic))
    }

    /// How many consumers were there on each day.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn active(&self, version: VersionId, days: Days) -> Result<BTreeMap<Day, u64>, RollupError> {
        let mut all = BTreeMap::new();
        self.opened.rows(ACTIVE, in_days(version, days), |key, active: Active| {
            all.insert(day_of_key(key.1), active.0);
        })?;
        Ok(all)
    }

    /// Who was there on which day.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn presence(&self, version: VersionId, days: Days, mut each: impl FnMut(Day, u32, Presence)) -> Result<(), RollupError> {
        self.opened.packed(PRESENCE, in_days(version, days), |(_, day, block), bytes| {
            each_presence(bytes, |place, presence| each(day_of_key(day), consumer_at(block, place, BLOCK), presence))
        })
    }

    /// How many calls of a version there were on each day, without reading the rest of their traffic.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn calls_by_day(&self, version: VersionId, days: Days) -> Result<BTreeMap<Day, u64>, RollupError> {
        let mut all: BTreeMap<Day, u64> = BTreeMap::new();
        // The calls come first in what is packed.
        self.opened.rows(DAYS, in_days(version, days), |key, (calls,): (u64,)| {
            let of_day = all.entry(day_of_key(key.1)).or_default();
            *of_day = of_day.saturating_add(calls);
        })?;
        Ok(all)
    }

    /// What each of these sets of consumers has brought on a version, ever: millionths by currency. One pass, however many sets.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn revenue_of(&self, version: VersionId, sets: &[ConsumerSet]) -> Result<Vec<Revenue>, RollupError> {
        let mut sums: Vec<BTreeMap<LabelId, i128>> = vec![BTreeMap::new(); sets.len()];
        if sets.is_empty() {
            return Ok(Vec::new());
        }
        self.consumers(version, |consumer, totals| {
            for (sum, _) in sums.iter_mut().zip(sets).filter(|_| !totals.revenue.is_empty()).filter(|(_, set)| set.contains(consumer)) {
                for (label, amount) in &totals.revenue {
                    let so_far = sum.entry(*label).or_default();
                    *so_far = so_far.saturating_add(*amount);
                }
            }
        })?;
        sums.into_iter().map(|sum| self.named_revenue(sum)).collect()
    }

    /// Amounts by the names of their currencies.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn named_revenue(&self, amounts: impl IntoIterator<Item = (LabelId, i128)>) -> Result<Revenue, RollupError> {
        amounts.into_iter().map(|(label, amount)| Ok((self.label_name(label)?, amount))).collect()
    }

    /// The consumers of these names, as far as they ever called or reached a milestone.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn set_of<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<ConsumerSet, RollupError> {
        let mut set = ConsumerSet::default();
        for name in names {
            if let Some(id) = self.consumer(name)? {
                set.insert(id);
            }
        }
        Ok(set)
    }

    /// One consumer of a version, ever; none if it never called it.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumer_totals(&self, version: VersionId, consumer: u32) -> Result<Option<ConsumerTotals>, RollupError> {
        self.cell((CONSUMERS, (version.0, 0)), consumer)
    }

    /// One consumer of one operation, ever; none if it never called it.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn reach_of(&self, version: VersionId, operation: u32, consumer: u32) -> Result<Option<Reach>, RollupError> {
        self.cell((REACH, (version.0, operation)), consumer)
    }

    /// One cell of a row of [`BLOCK`] consumers.
    fn cell<T: serde::de::DeserializeOwned>(
        &self,
        (table, (version, middle)): (Cells, (u32, u32)),
        consumer: u32,
    ) -> Result<Option<T>, RollupError> {
        let (block, place) = block_of(consumer, BLOCK);
        let row = (version, middle, block);
        let mut found = None;
        self.opened.rows(table, Some(row..=row), |_, cells: Vec<(u8, T)>| {
            found = cells.into_iter().find(|(p, _)| *p == place).map(|(_, cell)| cell);
        })?;
        Ok(found)
    }

    /// Each consumer's latencies by day, where told: buckets of [`groundswell_model::LatencyBuckets`] with their counts.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn latency(&self, version: VersionId, days: Days, mut each: impl FnMut(Day, u32, &[(i16, u64)])) -> Result<(), RollupError> {
        let mut buckets = Vec::new();
        self.opened.packed(LATENCY, in_days(version, days), |(_, day, block), bytes| {
            each_latency(bytes, &mut buckets, |place, buckets| each(day_of_key(day), consumer_at(block, place, LATENCY_BLOCK), buckets))
        })
    }

    /// Every consumer of a version, ever.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn consumers(&self, version: VersionId, mut each: impl FnMut(u32, ConsumerTotals)) -> Result<(), RollupError> {
        self.opened.blocks((CONSUMERS, BLOCK), part(version, 0, 0), |_, consumer, totals| each(consumer, totals))
    }

    /// Every consumer of one operation, ever.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn reach(&self, version: VersionId, operation: u32, mut each: impl FnMut(u32, Reach)) -> Result<(), RollupError> {
        self.opened.blocks((REACH, BLOCK), part(version, operation, operation), |_, consumer, reach| each(consumer, reach))
    }

    /// Each consumer's calls of one operation by day.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn operation_days(
        &self,
        version: VersionId,
        operation: u32,
        days: Days,
        mut each: impl FnMut(Day, u32, OperationDay),
    ) -> Result<(), RollupError> {
        let Some((first, last)) = days.bounds() else { return Ok(()) };
        let range = (version.0, operation, day_key(first), 0)..=(version.0, operation, day_key(last), u32::MAX);
        self.opened.operation_days(range, |day, consumer, on_it| each(day_of_key(day), consumer, on_it))
    }

    /// Calls of each operation of a version that failed in these days, without reading the rest of their traffic.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn failed_by_operation(&self, version: VersionId, days: Days) -> Result<BTreeMap<u32, u64>, RollupError> {
        let mut all: BTreeMap<u32, u64> = BTreeMap::new();
        // Calls and failed calls come first in what is packed.
        self.opened.rows(DAYS, in_days(version, days), |key, (_, failed): (u64, u64)| {
            let of_operation = all.entry(key.2).or_default();
            *of_operation = of_operation.saturating_add(failed);
        })?;
        Ok(all)
    }

    /// Every consumer's milestone of one kind on a version.
    ///
    /// # Errors
    /// See [`Self::versions`].
    pub fn milestones(&self, version: VersionId, kind: MilestoneKind, mut each: impl FnMut(u32, MilestoneNote)) -> Result<(), RollupError> {
        let kind = kind_key(kind);
        self.opened.rows(MILESTONES, part(version, kind, kind), |key, note| each(key.2, note))
    }

    /// The version that a milestone says a consumer came from.
    #[must_use]
    pub fn came_from(note: &MilestoneNote) -> Option<VersionId> {
        note.from.map(VersionId)
    }
}

fn everything() -> Option<RangeInclusive<Key>> {
    Some((0, 0, 0)..=(u32::MAX, u32::MAX, u32::MAX))
}

fn part(version: VersionId, first: u32, last: u32) -> Option<RangeInclusive<Key>> {
    Some((version.0, first, 0)..=(version.0, last, u32::MAX))
}

fn in_days(version: VersionId, days: Days) -> Option<RangeInclusive<Key>> {
    let (first, last) = days.bounds()?;
    part(version, day_key(first), day_key(last))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
