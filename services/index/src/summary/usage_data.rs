//! What a summary needs of the roll-ups, read in one consistent view.

use std::collections::BTreeMap;

use groundswell_model::{Day, LatencyBuckets, MilestoneKind};
use groundswell_stats::wilson;
use hashbrown::HashSet;

use super::types::{Move, Moves};
use crate::rollup::{ConsumerSet, Days, LabelId, OperationTotals, Reach, Revenue, RollupError, RollupView, Traffic, VersionId};

/// Calls that an operation needs to be listed by its error rate.
pub const ENOUGH_CALLS: u64 = 30;
/// Operations in a list of the worst.
pub const WORST_OPERATIONS: usize = 10;

/// Counts of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Failed calls with a status of 500 or more.
    pub server_errors: u64,
    /// Failed calls with status 429.
    pub rate_limited: u64,
}

/// One operation in the days asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationUsage {
    /// Its name.
    pub operation: String,
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// 95 % of its calls were at most this slow.
    pub p95_ms: Option<f64>,
    /// Named consumers that called it; only known over all time.
    pub consumers: Option<u64>,
    /// Named consumers whose calls of it failed at least once.
    pub affected: u64,
    /// What these have brought on the version, ever.
    pub revenue_affected: Revenue,
}

/// Usage of one version in the days asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageData {
    /// Calls.
    pub counts: Counts,
    /// Latencies.
    pub latency: LatencyBuckets,
    /// Millionths by currency.
    pub revenue: BTreeMap<String, i128>,
    /// Count and millionths by name.
    pub value: BTreeMap<String, (u64, i128)>,
    /// How many operations were called.
    pub operations: u64,
    /// Most failed calls first.
    pub worst_by_failures: Vec<OperationUsage>,
    /// Highest lower end of the error rate first.
    pub worst_by_error_rate: Vec<OperationUsage>,
    /// Named consumers.
    pub active: u64,
    /// Named consumers of any version of the API.
    pub active_of_api: u64,
    /// Calls of any version of the API.
    pub calls_of_api: u64,
    /// Consumers whose first call lies in these days.
    pub new: u64,
    /// Of them, those whose first call failed.
    pub first_call_failed: u64,
    /// Of them, those that never succeeded.
    pub never_succeeded: u64,
    /// Seconds from first call to first success of the others, sorted.
    pub seconds_to_success: Vec<f64>,
    /// Failed calls before the first success, of those of whom it is told, sorted.
    pub failed_before: Vec<f64>,
    /// Consumers that moved between versions.
    pub moves: Moves,
    /// Calls and consumers by day.
    pub days: BTreeMap<Day, DayUsage>,
}

/// One day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayUsage {
    /// All calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Named consumers.
    pub consumers: u64,
}

impl UsageData {
    /// Reads the usage of a version in `days`. A version that was never called has none.
    ///
    /// # Errors
    /// The store can't be read, or is damaged.
    pub fn read(view: &RollupView, api: &str, version: &str, days: Days) -> Result<Self, RollupError> {
        let of_api: Vec<(String, VersionId)> =
            view.versions()?.into_iter().filter(|v| v.0 == api).map(|(_, name, id, _)| (name, id)).collect();
        let mut usage = Self::default();
        let mut all = ConsumerSet::default();
        for (_, id) in &of_api {
            usage.calls_of_api = usage.calls_of_api.saturating_add(calls(view, *id, days)?);
            consumers(view, *id, days, &mut all)?;
        }
        usage.active_of_api = all.len();
        if let Some(id) = view.version(api, version)? {
            usage.read_version(view, id, days)?;
            usage.moves = moves(view, id, &of_api, days)?;
        }
        Ok(usage)
    }

    fn read_version(&mut self, view: &RollupView, id: VersionId, days: Days) -> Result<(), RollupError> {
        let operations = self.read_traffic(view, id, days)?;
        let mut active = ConsumerSet::default();
        consumers(view, id, days, &mut active)?;
        self.active = active.len();
        for (day, consumers) in view.active(id, days)? {
            self.days.entry(day).or_default().consumers = consumers;
        }
        self.read_first_calls(view, id, days)?;
        self.read_worst(view, id, days, &operations)
    }

    /// Adds up the traffic, and answers it by operation.
    fn read_traffic(&mut self, view: &RollupView, id: VersionId, days: Days) -> Result<BTreeMap<u32, OperationTotals>, RollupError> {
        let mut by_day: BTreeMap<Day, DayUsage> = BTreeMap::new();
        let mut in_days: BTreeMap<u32, OperationTotals> = BTreeMap::new();
        view.days(id, days, |day, operation, traffic| {
            let of_day = by_day.entry(day).or_default();
            of_day.calls = of_day.calls.saturating_add(traffic.calls);
            of_day.failed = of_day.failed.saturating_add(traffic.failed);
            if !days.is_all() {
                in_days.entry(operation).or_default().traffic.add(&traffic);
            }
        })?;
        self.days = by_day;
        let operations = if days.is_all() { view.operations(id)? } else { in_days };
        let mut sum = Traffic::default();
        operations.values().for_each(|o| sum.add(&o.traffic));
        self.counts = Counts { calls: sum.calls, failed: sum.failed, server_errors: sum.server_errors, rate_limited: sum.rate_limited };
        for (label, amount) in &sum.revenue {
            self.revenue.insert(name(view, *label)?, *amount);
        }
        for (label, value) in &sum.value {
            self.value.insert(name(view, *label)?, *value);
        }
        self.latency = sum.latency;
        self.operations = operations.len() as u64;
        Ok(operations)
    }

    fn read_first_calls(&mut self, view: &RollupView, id: VersionId, days: Days) -> Result<(), RollupError> {
        let mut new = ConsumerSet::default();
        view.consumers(id, |consumer, totals| {
            if !days.contains(totals.first.day()) {
                return;
            }
            new.insert(consumer);
            self.first_call_failed += u64::from(totals.first_success != Some(totals.first));
            match totals.first_success {
                Some(success) => self.seconds_to_success.push(seconds(success.0.saturating_sub(totals.first.0))),
                None => self.never_succeeded += 1,
            }
        })?;
        self.new = new.len();
        self.seconds_to_success.sort_by(f64::total_cmp);
        view.milestones(id, MilestoneKind::FirstSuccess, |consumer, note| {
            if new.contains(consumer) {
                self.failed_before.push(super::figure::real(note.failed_before));
            }
        })?;
        self.failed_before.sort_by(f64::total_cmp);
        Ok(())
    }

    fn read_worst(
        &mut self,
        view: &RollupView,
        id: VersionId,
        days: Days,
        operations: &BTreeMap<u32, OperationTotals>,
    ) -> Result<(), RollupError> {
        let lists = [worst(view, operations, failures)?, worst(view, operations, likely_error_rate)?];
        let (mut rows, mut affected) = (Vec::new(), Vec::new());
        for o in lists.iter().flatten() {
            let who = affected_by(view, id, days, *o)?;
            rows.push(operation(view, days, *o, &operations[o], &who)?);
            affected.push(who);
        }
        for (row, revenue) in rows.iter_mut().zip(view.revenue_of(id, &affected)?) {
            row.revenue_affected = revenue;
        }
        self.worst_by_error_rate = rows.split_off(lists[0].len());
        self.worst_by_failures = rows;
        Ok(())
    }
}

fn name(view: &RollupView, label: LabelId) -> Result<String, RollupError> {
    view.label_name(label)
}

#[expect(clippy::cast_precision_loss, reason = "a time between two calls in milliseconds is far below 2^53")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn calls(view: &RollupView, id: VersionId, days: Days) -> Result<u64, RollupError> {
    if days.is_all() {
        return Ok(view.totals(id)?.calls);
    }
    let mut sum = 0u64;
    view.days(id, days, |_, _, traffic| sum = sum.saturating_add(traffic.calls))?;
    Ok(sum)
}

/// Puts in everyone who called the version.
fn consumers(view: &RollupView, id: VersionId, days: Days, into: &mut ConsumerSet) -> Result<(), RollupError> {
    if days.is_all() {
        view.consumers(id, |consumer, _| into.insert(consumer))
    } else {
        view.presence(id, days, |_, consumer, _| into.insert(consumer))
    }
}

fn failures(totals: &OperationTotals) -> Option<f64> {
    (totals.traffic.failed > 0).then(|| super::figure::real(totals.traffic.failed))
}

/// The least error rate that the calls leave likely; none with too few calls, or without failed ones.
fn likely_error_rate(totals: &OperationTotals) -> Option<f64> {
    let traffic = &totals.traffic;
    let enough = traffic.calls >= ENOUGH_CALLS && traffic.failed > 0;
    enough.then(|| wilson(traffic.failed, traffic.calls).and_then(|e| e.interval).map_or(0.0, |i| i.low))
}

/// Operations by `how_bad`, worst first, by name among equals: ids depend on the order of reading, and answers must not.
fn worst(
    view: &RollupView,
    operations: &BTreeMap<u32, OperationTotals>,
    how_bad: fn(&OperationTotals) -> Option<f64>,
) -> Result<Vec<u32>, RollupError> {
    let mut named = Vec::new();
    for (id, totals) in operations {
        if let Some(badness) = how_bad(totals) {
            named.push((badness, view.operation_name(*id)?, *id));
        }
    }
    named.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(named.into_iter().take(WORST_OPERATIONS).map(|(_, _, id)| id).collect())
}

fn operation(
    view: &RollupView,
    days: Days,
    operation: u32,
    totals: &OperationTotals,
    affected: &ConsumerSet,
) -> Result<OperationUsage, RollupError> {
    let traffic = &totals.traffic;
    Ok(OperationUsage {
        operation: view.operation_name(operation)?,
        calls: traffic.calls,
        failed: traffic.failed,
        p95_ms: traffic.latency.quantile(0.95),
        consumers: days.is_all().then_some(totals.consumers),
        affected: affected.len(),
        revenue_affected: Revenue::new(),
    })
}

/// Consumers with a failed call of the operation in these days. Of most the first and the last day of failures tell; only where one failed
/// before and after the days, and on neither end within them, all days are read.
fn affected_by(view: &RollupView, id: VersionId, days: Days, operation: u32) -> Result<ConsumerSet, RollupError> {
    let (mut who, mut unclear) = (ConsumerSet::default(), false);
    view.reach(id, operation, |consumer, reach| match failed_in(&reach, days) {
        Some(true) => who.insert(consumer),
        Some(false) => {}
        None => unclear = true,
    })?;
    if unclear {
        view.operation_days(id, operation, days, |_, consumer, on_it| {
            if on_it.failed > 0 {
                who.insert(consumer);
            }
        })?;
    }
    Ok(who)
}

/// Whether calls failed in these days; none if first and last day don't tell.
fn failed_in(reach: &Reach, days: Days) -> Option<bool> {
    let Some((first, last)) = reach.failed_on else { return Some(false) };
    if days.contains(first) || days.contains(last) {
        return Some(true);
    }
    let before = days.from.is_some_and(|from| first < from);
    let after = days.until.is_some_and(|until| last >= until);
    (!(before && after)).then_some(false)
}

fn moves(view: &RollupView, id: VersionId, of_api: &[(String, VersionId)], days: Days) -> Result<Moves, RollupError> {
    let mut out = Moves {
        upgrades_in: moves_in(view, id, MilestoneKind::Upgrade, days)?,
        downgrades_in: moves_in(view, id, MilestoneKind::Downgrade, days)?,
        ..Moves::default()
    };
    for (version, other) in of_api.iter().filter(|(_, other)| *other != id) {
        let to = |consumers| Move { version: version.clone(), consumers };
        out.upgrades_out.extend(moved(view, id, *other, MilestoneKind::Upgrade, days)?.map(to));
        out.downgrades_out.extend(moved(view, id, *other, MilestoneKind::Downgrade, days)?.map(to));
    }
    Ok(out)
}

/// Who came to the version, by where from.
fn moves_in(view: &RollupView, id: VersionId, kind: MilestoneKind, days: Days) -> Result<Vec<Move>, RollupError> {
    let mut by_version: BTreeMap<Option<VersionId>, u64> = BTreeMap::new();
    view.milestones(id, kind, |_, note| {
        if days.contains(note.time.day()) {
            *by_version.entry(RollupView::came_from(&note)).or_default() += 1;
        }
    })?;
    let mut moves = Vec::with_capacity(by_version.len());
    for (from, consumers) in by_version {
        let version = from.map(|f| view.version_name(f)).transpose()?;
        moves.push(Move { version: version.unwrap_or_else(|| groundswell_model::UNKNOWN_VERSION.to_owned()), consumers });
    }
    moves.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(moves)
}

/// How many went from one version to another; none if nobody did.
fn moved(view: &RollupView, from: VersionId, to: VersionId, kind: MilestoneKind, days: Days) -> Result<Option<u64>, RollupError> {
    let mut who = HashSet::new();
    view.milestones(to, kind, |consumer, note| {
        if days.contains(note.time.day()) && RollupView::came_from(&note) == Some(from) {
            who.insert(consumer);
        }
    })?;
    Ok((!who.is_empty()).then_some(who.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_day_tell_of_most_windows() {
        let days = Days { from: Some(Day(10)), until: Some(Day(20)) };
        let failed_on = |first, last| failed_in(&Reach { failed_on: Some((Day(first), Day(last))), ..Reach::default() }, days);
        assert_eq!(
            [failed_on(1, 10), failed_on(19, 30), failed_on(1, 9), failed_on(20, 20), failed_on(1, 30)],
            [Some(true), Some(true), Some(false), Some(false), None]
        );
        assert_eq!(failed_in(&Reach::default(), days), Some(false));
    }
}
