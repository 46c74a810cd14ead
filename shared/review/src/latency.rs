//! Latency percentiles of consumers compared with their own.
//!
//! For each consumer the percentile over both versions is a threshold; calls slower than it are counted, and counts are
//! compared like errors (so a sample percentile's bias in small samples plays no part, and days are removed). The factor
//! by which the candidate is slower is the one that makes the difference vanish when its latencies are divided by it: a
//! test turned into an estimate (Hodges and Lehmann, *Annals of Mathematical Statistics* 34 (1963) 598–611). It is found by secants.

use crate::boundary::Look;
use crate::compare::{Comparison, paired};
use crate::conditional::Warm;
use crate::input::{LatencyCount, ReviewInput};
use crate::panel::{Cell, Panel};
use crate::prepare::Usage;

/// Logarithm of the ratio of neighbouring buckets: 1.02.
const BUCKET: f64 = 0.019_802_627_296_179_7;
/// How far the logarithm of the rate of slow calls falls for one bucket, as a first guess.
const FIRST_SLOPE: f64 = 0.04;
/// Shifts beyond this (a factor of 50) are not looked for.
const FARTHEST: i32 = 200;
/// Buckets there can be, and the place of bucket 0 among them.
const BUCKETS: usize = 4096;
const ZERO: i32 = 2048;

/// The percentile `q` of the candidate over the baseline's, as a logarithm of the ratio; none where nothing tells.
pub(crate) fn compare(input: &ReviewInput, usage: &Usage, q: f64, look: Look) -> Option<Comparison> {
    let at = |shift: i32, warm: Option<&Warm>| paired(&slow_calls(input, usage, q, shift), look, warm);
    let (here, warm) = at(0, None)?;
    let guess = step(here.estimate / FIRST_SLOPE);
    let first = if guess == 0 { 3 * sign(here.estimate) } else { guess };
    let (there, warm) = at(first, Some(&warm))?;
    let slope = (here.estimate - there.estimate) / f64::from(first);
    if slope.is_nan() || slope <= 1e-4 {
        return None;
    }
    let second = step(f64::from(first) + there.estimate / slope);
    let (nearest, at_nearest) = if second == first { (first, there) } else { (second, at(second, Some(&warm))?.0) };
    let root = f64::from(nearest) + at_nearest.estimate / slope;
    let reach = |bound: f64| (bound - at_nearest.estimate) / slope;
    let (low, high) = (root + reach(at_nearest.low), root + reach(at_nearest.high));
    Some(Comparison { estimate: root, low, high, outliers: here.outliers, ..at_nearest }.times(BUCKET))
}

fn sign(value: f64) -> i32 {
    if value < 0.0 { -1 } else { 1 }
}

fn step(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let step = value.round().clamp(f64::from(-FARTHEST), f64::from(FARTHEST)) as i32;
    step
}

/// Calls, and among them those slower than the consumer's own percentile, the candidate's buckets moved down by `shift`.
pub(crate) fn slow_calls(input: &ReviewInput, usage: &Usage, q: f64, shift: i32) -> Panel {
    let mut panel = Panel::new(input.window.days());
    let mut pooled = Pooled { counts: vec![0; BUCKETS], low: BUCKETS, high: 0 };
    let mut by_day = vec![[(0u64, 0u64); 2]; panel.days];
    for (id, consumer) in (0u32..).zip(&input.consumers) {
        let sides = [(&consumer.baseline.latency, 0), (&consumer.candidate.latency, shift)];
        if sides.iter().any(|(all, _)| all.is_empty()) && consumer.first_seen.is_some() {
            continue;
        }
        sides.iter().for_each(|(all, shift)| all.iter().for_each(|l| pooled.add(bucket(l, *shift), l.count)));
        let threshold = pooled.threshold(q);
        for (side, (all, shift)) in sides.iter().enumerate() {
            for count in all.iter().filter(|l| usize::from(l.day) < input.window.days()) {
                let cell = &mut by_day[usize::from(count.day)][side];
                cell.0 += u64::from(count.count);
                cell.1 += if bucket(count, *shift) > threshold { u64::from(count.count) } else { 0 };
            }
        }
        let cells = (0u16..).zip(by_day.iter_mut()).flat_map(|(day, sides)| {
            let [baseline, candidate] = std::mem::take(sides);
            [(day, false, baseline), (day, true, candidate)]
        });
        let settled = usage.settled(consumer);
        let cells = cells.filter(|(day, _, (all, _))| *all > 0 && usage.keeps(settled, *day));
        panel.push(id, cells.map(|(day, candidate, (all, slow))| Cell { day, candidate, exposure: real(all), count: real(slow) }));
    }
    panel
}

fn bucket(count: &LatencyCount, shift: i32) -> usize {
    usize::try_from(i32::from(count.bucket) - shift + ZERO).unwrap_or(0).min(BUCKETS - 1)
}

/// Counts of one consumer by bucket, used again for the next.
struct Pooled {
    counts: Vec<u64>,
    low: usize,
    high: usize,
}

impl Pooled {
    fn add(&mut self, bucket: usize, count: u32) {
        self.counts[bucket] += u64::from(count);
        self.low = self.low.min(bucket);
        self.high = self.high.max(bucket);
    }

    /// The bucket of the percentile; empties the counts.
    fn threshold(&mut self, q: f64) -> usize {
        if self.low > self.high {
            return 0;
        }
        let used = &mut self.counts[self.low..=self.high];
        let wanted = q * real(used.iter().sum());
        let mut seen = 0;
        let place = used.iter().position(|count| {
            seen += count;
            real(seen) >= wanted
        });
        used.fill(0);
        let threshold = self.low + place.unwrap_or(0);
        (self.low, self.high) = (BUCKETS, 0);
        threshold
    }
}

fn real(count: u64) -> f64 {
    crate::prepare::real(count)
}
