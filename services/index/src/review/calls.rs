//! Who called either version: calls, errors and latencies by day, first successes, upgrades, calls of operations.

use groundswell_review::input::{ConsumerInput, DayUse, LatencyCount, Window};

use super::rows::{Places, Rows};
use super::{Custom, Question, ReadError, SIDES, journeys};
use crate::rollup::{ConsumerSet, Days, RollupError, RollupView, VersionId};

/// The versions in the order of [`SIDES`], as far as they were ever called.
type Sides = [Option<VersionId>; 2];

fn days(window: Window) -> Days {
    Days { from: Some(window.from), until: Some(window.until) }
}

/// Calls and errors of both versions.
pub(super) struct Calls {
    pub(super) rows: [Rows<DayUse>; 2],
    /// Calls that name nobody.
    pub(super) unnamed: u64,
}

impl Calls {
    pub(super) fn read(view: &RollupView, sides: Sides, window: Window) -> Result<Self, RollupError> {
        let mut calls = Self { rows: [Rows::default(), Rows::default()], unnamed: 0 };
        for (version, rows) in sides.into_iter().zip(&mut calls.rows) {
            let Some(version) = version else { continue };
            let mut named = 0_u64;
            view.presence(version, days(window), |day, consumer, presence| {
                named = named.saturating_add(presence.calls);
                rows.push(consumer, std::iter::once(DayUse { day, calls: presence.calls, errors: presence.failed }));
            })?;
            let all = view.calls_by_day(version, days(window))?.into_values().fold(0, u64::saturating_add);
            calls.unnamed = calls.unnamed.saturating_add(all.saturating_sub(named));
        }
        Ok(calls)
    }

    /// The places of everyone who called.
    pub(super) fn places(&self, view: &RollupView) -> Result<Places, RollupError> {
        let mut consumers = ConsumerSet::default();
        self.rows.iter().for_each(|rows| rows.consumers(&mut consumers));
        Places::of(view, &consumers)
    }
}

/// Latencies of both versions.
pub(super) fn latencies(view: &RollupView, sides: Sides, window: Window) -> Result<[Rows<LatencyCount>; 2], RollupError> {
    let mut latencies = [Rows::default(), Rows::default()];
    for (version, rows) in sides.into_iter().zip(&mut latencies) {
        let Some(version) = version else { continue };
        view.latency(version, days(window), |day, consumer, latency| {
            let Ok(day) = u16::try_from(day.0.saturating_sub(window.from.0)) else { return };
            let count =
                |(bucket, count): &(i16, u64)| LatencyCount { day, bucket: *bucket, count: u32::try_from(*count).unwrap_or(u32::MAX) };
            rows.push(consumer, latency.iter().map(count));
        })?;
    }
    Ok(latencies)
}

/// Those who called, by place.
pub(super) struct Callers<'a> {
    pub(super) consumers: Vec<ConsumerInput>,
    places: &'a Places,
}

impl<'a> Callers<'a> {
    pub(super) fn of(calls: [Rows<DayUse>; 2], places: &'a Places) -> Self {
        let named = |name: &String| ConsumerInput { name: name.clone(), ..ConsumerInput::default() };
        let mut consumers: Vec<ConsumerInput> = places.names.iter().map(named).collect();
        for (side, rows) in SIDES.into_iter().zip(calls) {
            consumers.iter_mut().zip(rows.by_place(places)).for_each(|(consumer, usage)| side.of(consumer).usage = usage);
        }
        Self { consumers, places }
    }

    fn get(&mut self, consumer: u32) -> Option<&mut ConsumerInput> {
        self.places.get(consumer).and_then(|place| self.consumers.get_mut(place))
    }

    /// Newcomers, first successes and upgrades.
    pub(super) fn journeys(&mut self, view: &RollupView, sides: Sides, question: &Question, window: Window) -> Result<(), RollupError> {
        let versions: Vec<VersionId> = view.versions()?.into_iter().filter(|v| v.0 == question.api).map(|v| v.2).collect();
        let side_of = |version| SIDES.into_iter().zip(sides).find(|(_, known)| *known == Some(version)).map(|(side, _)| side);
        let newcomers = journeys::newcomers(view, &versions, window, |version, consumer, totals| {
            if let Some((side, own)) = side_of(version).zip(self.get(consumer)) {
                side.of(own).start = journeys::start(totals, window);
            }
        })?;
        for (consumer, day) in newcomers {
            if let Some(own) = self.get(consumer) {
                own.first_seen = Some(day);
            }
        }
        let [Some(candidate), Some(baseline)] = sides else { return Ok(()) };
        let last = |consumer: u32| self.consumers[self.places.get(consumer)?].candidate.usage.last().map(|u| u.day);
        for (consumer, upgrade) in journeys::upgrades(view, (candidate, baseline), &versions, window, last)? {
            if let Some(own) = self.get(consumer) {
                own.candidate.upgrade = Some(upgrade);
            }
        }
        Ok(())
    }

    /// Calls and errors of the operations that custom guardrails are on.
    pub(super) fn operations(&mut self, view: &RollupView, sides: Sides, question: &Question, window: Window) -> Result<(), ReadError> {
        for (guardrail, (name, custom)) in (0u16..).zip(&question.custom) {
            let Custom::Operation(operation) = custom else { continue };
            operation.check(view, (name, question), sides)?;
            for (place, (side, version)) in SIDES.into_iter().zip(sides).enumerate() {
                let Some(version) = version else { continue };
                operation.counts(view, (place, version), (guardrail, days(window)), |consumer, count| {
                    if let Some(own) = self.get(consumer) {
                        side.of(own).custom.push(count);
                    }
                })?;
            }
        }
        Ok(())
    }
}
