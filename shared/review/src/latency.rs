//! Latency percentiles of consumers compared with their own.
//!
//! For each consumer the percentile over both versions is a threshold; calls slower than it are counted, and counts are
//! compared like errors (so a sample percentile's bias in small samples plays no part, and days are removed). The factor
//! by which the candidate is slower is the one that makes the difference vanish when its latencies are divided by it: a
//! test turned into an estimate (Hodges and Lehmann, *Annals of Mathematical Statistics* 34 (1963) 598–611). It is found by secants.

use crate::boundary::Look;
use crate::compare::{Comparison, Evidence, paired};
use crate::conditional::{Depth, Warm};
use crate::input::{ConsumerInput, LatencyCount, ReviewInput};
use crate::panel::{Builder, Cell, Consumer, Ground, Panel, Stored, stored};
use crate::prepare::Usage;

/// Logarithm of the ratio of neighbouring buckets: 1.02.
const BUCKET: f64 = 0.019_802_627_296_179_7;
/// How far the logarithm of the rate of slow calls falls for one bucket, as a first guess.
const FIRST_SLOPE: f64 = 0.04;
/// Less than this is no slope: what is counted hardly moves with the latencies.
const LEAST_SLOPE: f64 = 0.005;
/// Shifts beyond this (a factor of 50) are not looked for.
const FARTHEST: i32 = 200;
/// Buckets there can be, and the place of bucket 0 among them.
const BUCKETS: usize = 4096;
const ZERO: i32 = 2048;

/// The percentile `q` of the candidate over the baseline's, as a logarithm of the ratio; none where nothing tells.
pub(crate) fn compare<'a>(input: &ReviewInput, calls: &Calls, q: f64) -> Option<Evidence<'a>> {
    let at = |shift: i32, warm: &Warm, depth: Depth| paired(&calls.slow(input, q, shift), Some(warm), depth);
    let (here, warm) = paired(calls.unmoved(q), None, Depth::Whole)?;
    let guess = step(here.estimate / FIRST_SLOPE);
    let first = if guess == 0 { 3 * sign(here.estimate) } else { guess };
    let (there, warm) = at(first, &warm, Depth::Theta)?;
    let slope = (here.estimate - there.estimate) / f64::from(first);
    if slope.is_nan() || slope < LEAST_SLOPE {
        return None;
    }
    let nearest = step(f64::from(first) + there.estimate / slope);
    let there = if nearest == 0 { None } else { Some(at(nearest, &warm, Depth::Whole)?.0) };
    let (middle, error, allowance) = there
        .as_ref()
        .map_or((here.estimate, here.standard_error, here.allowance), |found| (found.estimate, found.standard_error, found.allowance));
    let (root, unit) = (f64::from(nearest) + middle / slope, BUCKET / slope);
    let finish = move |look: Look| {
        let unmoved = here.at(look)?;
        let found = there.as_ref().map_or_else(|| Some(unmoved.clone()), |there| there.at(look))?;
        let reach = |bound: f64| root + (bound - middle) / slope;
        // No shift at all is within the bounds just where the calls as they are don't tell the versions apart: far from the nearest
        // shift a straight line is no guide.
        let low = if unmoved.low > 0.0 { reach(found.low) } else { reach(found.low).min(0.0) };
        let high = if unmoved.high < 0.0 { reach(found.high) } else { reach(found.high).max(0.0) };
        Some(Comparison { estimate: root, low, high, outliers: unmoved.outliers, ..found }.times(BUCKET))
    };
    Some(Evidence::new((root * BUCKET, error * unit, allowance * unit), finish))
}

fn sign(value: f64) -> i32 {
    if value < 0.0 { -1 } else { 1 }
}

fn step(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let step = value.round().clamp(f64::from(-FARTHEST), f64::from(FARTHEST)) as i32;
    step
}

/// The percentiles that are compared.
pub(crate) const QUANTILES: [f64; 2] = [0.5, 0.95];

/// The calls that tell a latency.
pub(crate) struct Calls {
    /// Those slower than the consumer's own percentile, for each of [`QUANTILES`].
    unmoved: [Panel; 2],
}

impl Calls {
    pub(crate) fn of(input: &ReviewInput, usage: &Usage) -> Self {
        let (ground, thresholds) = ground(input, usage);
        let (mut by_day, mut thresholds) = (vec![0; ground.days], thresholds.into_iter());
        let unmoved = ground.counting(|consumer, counts| {
            let (Some(own), Some(thresholds)) = (input.consumers.get(consumer.id as usize), thresholds.next()) else { return };
            for (counts, threshold) in counts.iter_mut().zip(thresholds) {
                count_slow(consumer, own, (threshold, 0), &mut by_day, counts);
            }
        });
        Self { unmoved }
    }

    /// The calls slower than the consumer's own percentile, one of [`QUANTILES`].
    pub(crate) fn unmoved(&self, q: f64) -> &Panel {
        &self.unmoved[usize::from(q > QUANTILES[0])]
    }

    /// The same calls, the candidate's buckets moved down by `shift`.
    pub(crate) fn slow(&self, input: &ReviewInput, q: f64, shift: i32) -> Panel {
        let unmoved = self.unmoved(q);
        let (mut pooled, mut by_day) = (Pooled::new(), vec![0; unmoved.days]);
        unmoved.recounted(|consumer, counts| {
            let Some(own) = input.consumers.get(consumer.id as usize) else { return false };
            // Where all calls are on one version the percentile moves with them, or not at all: the same ones are slower.
            let both = !own.baseline.latency.is_empty() && !own.candidate.latency.is_empty();
            if both {
                pooled.add(&own.baseline.latency, 0);
                pooled.add(&own.candidate.latency, shift);
                let [threshold] = pooled.thresholds([q]);
                pooled.clear();
                count_slow(consumer, own, (threshold, shift), &mut by_day, counts);
            }
            both
        })
    }
}

/// The calls that tell a latency by consumer, day and version, and for each consumer the buckets of [`QUANTILES`] over both versions.
fn ground(input: &ReviewInput, usage: &Usage) -> (Ground, Vec<[usize; 2]>) {
    let mut panel = Builder::new(input.window.days());
    let (mut pooled, mut thresholds) = (Pooled::new(), Vec::new());
    let mut by_day = [vec![0u64; input.window.days()], vec![0u64; input.window.days()]];
    for (id, consumer) in (0u32..).zip(&input.consumers) {
        let sides = [&consumer.baseline.latency, &consumer.candidate.latency];
        if sides.iter().any(|all| all.is_empty()) && consumer.first_seen.is_some() {
            continue;
        }
        for (days, all) in by_day.iter_mut().zip(sides) {
            pooled.add(all, 0);
            add_by_day(days, all, |count| u64::from(count.count));
        }
        let settled = usage.settled(consumer);
        let cells = [false, true].into_iter().zip(&by_day).flat_map(|(candidate, days)| {
            let used = (0u16..).zip(days).filter(|(day, all)| **all > 0 && usage.keeps(settled, *day));
            used.map(move |(day, all)| Cell { day, candidate, exposure: real(*all), count: 0.0 })
        });
        let before = panel.len();
        panel.push(id, cells);
        thresholds.extend((panel.len() > before).then(|| pooled.thresholds(QUANTILES)));
        pooled.clear();
        by_day.iter_mut().for_each(|days| days.fill(0));
    }
    (panel.ground(), thresholds)
}

/// Counts a consumer's calls slower than a threshold, the candidate's moved down by a shift. `by_day` is all zeroes before and after.
fn count_slow(consumer: &Consumer<'_>, own: &ConsumerInput, (threshold, shift): (usize, i32), by_day: &mut [u64], counts: &mut [Stored]) {
    for (candidate, all, shift) in [(false, &own.baseline.latency, 0), (true, &own.candidate.latency, shift)] {
        let border = i32::try_from(threshold).unwrap_or(i32::MAX) - ZERO + shift;
        // No branch: half of the calls are slower than the middle one.
        add_by_day(by_day, all, |latency| u64::from(latency.count) * u64::from(i32::from(latency.bucket) > border));
        let mut start = 0;
        for run in consumer.runs() {
            let places = start..start + run.exposure.len();
            start = places.end;
            if run.candidate == candidate {
                let cells = counts[places].iter_mut().zip(run.exposure).zip(&by_day[run.day..]);
                cells.for_each(|((count, exposure), slow)| *count = if *exposure > 0.0 { stored(real(*slow)) } else { 0.0 });
            }
        }
        by_day.fill(0);
    }
}

/// Adds something told by each count to its day.
fn add_by_day(by_day: &mut [u64], counts: &[LatencyCount], told: impl Fn(&LatencyCount) -> u64) {
    for count in counts {
        if let Some(day) = by_day.get_mut(usize::from(count.day)) {
            *day += told(count);
        }
    }
}

fn bucket(count: &LatencyCount, shift: i32) -> usize {
    usize::try_from(i32::from(count.bucket) - shift + ZERO).unwrap_or(0).min(BUCKETS - 1)
}

/// Counts of one consumer by bucket, used again for the next.
struct Pooled {
    counts: Vec<u64>,
    all: u64,
    low: usize,
    high: usize,
}

impl Pooled {
    fn new() -> Self {
        Self { counts: vec![0; BUCKETS], all: 0, low: BUCKETS, high: 0 }
    }

    fn add(&mut self, counts: &[LatencyCount], shift: i32) {
        for latency in counts {
            let (bucket, count) = (bucket(latency, shift), u64::from(latency.count));
            self.counts[bucket] += count;
            self.all += count;
            self.low = self.low.min(bucket);
            self.high = self.high.max(bucket);
        }
    }

    /// The buckets of percentiles, the lowest first.
    fn thresholds<const N: usize>(&self, quantiles: [f64; N]) -> [usize; N] {
        let (mut place, mut seen) = (self.low, self.counts.get(self.low).copied().unwrap_or(0));
        quantiles.map(|q| {
            let wanted = q * real(self.all);
            while real(seen) < wanted && place < self.high {
                place += 1;
                seen += self.counts[place];
            }
            place
        })
    }

    fn clear(&mut self) {
        if self.low <= self.high {
            self.counts[self.low..=self.high].fill(0);
        }
        (self.all, self.low, self.high) = (0, BUCKETS, 0);
    }
}

fn real(count: u64) -> f64 {
    crate::prepare::real(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::scenario::Scenario;
    use crate::evaluate::{draw, until};
    use groundswell_model::Day;

    /// A release of two days: a shift is told apart from none only where the calls as they are tell the versions apart.
    #[test]
    fn a_young_release_is_not_extrapolated() {
        for seed in 0..30 {
            let input = draw(&Scenario { consumers: 60, ..Scenario::default() }, seed);
            let input = until(&input, Day(20_002 + i32::try_from(seed % 4).unwrap()));
            let usage = Usage::of(&input);
            let calls = Calls::of(&input, &usage);
            let look = Look::new(28, 28, 0.05);
            let plain = paired(calls.unmoved(0.95), None, Depth::Whole).and_then(|(plain, _)| plain.at(look));
            let shift = compare(&input, &calls, 0.95).and_then(|evidence| evidence.at(look));
            if let (Some(plain), Some(shift)) = (plain, shift) {
                assert!(plain.low > 0.0 || shift.low <= 0.0, "{seed}: {plain:?} {shift:?}");
                assert!(plain.high < 0.0 || shift.high >= 0.0, "{seed}: {plain:?} {shift:?}");
            }
        }
    }

    /// A consumer's calls of both versions slower than their percentile, one by one: the candidate's moved down by a shift.
    fn slow_one_by_one(own: &ConsumerInput, q: f64, shift: i32, version: bool, day: u16) -> u64 {
        let sides = [(false, &own.baseline.latency, 0), (true, &own.candidate.latency, shift)];
        let calls = |moved: bool| {
            let of = sides.into_iter().filter(move |(candidate, ..)| !moved || *candidate == version);
            of.flat_map(move |(_, all, shift)| {
                let told = all.iter().filter(move |l| !moved || l.day == day);
                told.flat_map(move |l| (0..l.count).map(move |_| i32::from(l.bucket) - shift))
            })
        };
        let mut all: Vec<i32> = calls(false).collect();
        all.sort_unstable();
        let rank = (1..=all.len()).find(|rank| real(*rank as u64) >= q * real(all.len() as u64)).unwrap();
        calls(true).filter(|bucket| *bucket > all[rank - 1]).count() as u64
    }

    #[test]
    fn moved_calls_are_those_counted_one_by_one() {
        let scenario = Scenario { consumers: 60, newcomers: 0.2, leavers: 0.3, ..Scenario::default() };
        let input = draw(&scenario, 3);
        let usage = Usage::of(&input);
        let calls = Calls::of(&input, &usage);
        for (q, shift) in [(0.5, 0), (0.95, 0), (0.5, 7), (0.95, -12), (0.95, 60), (0.5, -150)] {
            let (mut on_one, mut seen) = (0, 0);
            let moved = if shift == 0 { calls.unmoved(q).clone() } else { calls.slow(&input, q, shift) };
            for consumer in moved.iter() {
                let own = &input.consumers[consumer.id as usize];
                on_one += usize::from(own.candidate.latency.is_empty() || own.baseline.latency.is_empty());
                let wanted = |cell: &Cell| real(slow_one_by_one(own, q, shift, cell.candidate, cell.day));
                for cell in consumer.cells() {
                    assert_eq!(cell.count, wanted(&cell), "{}: {q} moved by {shift}, {cell:?}", own.name);
                    seen += 1;
                }
                let (baseline, candidate) = consumer.sides();
                assert_eq!((consumer.total, consumer.on_candidate), (baseline.count + candidate.count, candidate.count));
            }
            assert!(on_one > 5 && seen > 500, "{on_one} on one version, {seen} cells");
        }
    }
}
