//! What is shown beside a comparison: everything of the window, as counted, all consumers together.

use crate::guardrails::{Kind, ces, csat, nps};
use crate::input::{ConsumerInput, FeedbackItem, ReviewInput, Score, VersionUse};
use crate::prepare::{day_of, real};
use crate::starts::{Times, upgrades};
use crate::types::Figures;

/// Digits of a published number: more would only tell the processor's rounding.
const DIGITS: i32 = 8;
/// Ratio of neighbouring latency buckets.
const GAMMA: f64 = 1.02;
/// With this bit turned, buckets from the least to the greatest count from 0 up.
const LOWEST: u16 = 1 << 15;

/// One of a consumer's two sides.
type Pick = dyn Fn(&ConsumerInput) -> &VersionUse;

/// What several guardrails show: sums over all consumers, for the baseline and the candidate.
pub(crate) struct Sums {
    /// Consumers with calls, and their calls.
    calls: [(u64, u64); 2],
    /// Consumers that tell latencies, and how many fell into each bucket.
    latency: [(u64, Vec<u64>); 2],
}

impl Sums {
    pub(crate) fn of(input: &ReviewInput) -> Self {
        let mut sums = Self { calls: [(0, 0); 2], latency: std::array::from_fn(|_| (0, vec![0; 1 << 16])) };
        for consumer in &input.consumers {
            for (place, side) in [&consumer.baseline, &consumer.candidate].into_iter().enumerate() {
                let calls: u64 = side.usage.iter().map(|u| u.calls).sum();
                sums.calls[place].0 += u64::from(calls > 0);
                sums.calls[place].1 += calls;
                sums.latency[place].0 += u64::from(!side.latency.is_empty());
                let counts = &mut sums.latency[place].1;
                side.latency.iter().for_each(|l| counts[usize::from(l.bucket.cast_unsigned() ^ LOWEST)] += u64::from(l.count));
            }
        }
        sums
    }
}

/// Baseline and candidate.
pub(crate) fn of(input: &ReviewInput, sums: &Sums, kind: Kind) -> (Figures, Figures) {
    let both = |of: &dyn Fn(&Pick) -> Figures| (of(&|c| &c.baseline), of(&|c| &c.candidate));
    match kind {
        Kind::ErrorRate => rate(input, sums, |s| s.usage.iter().map(|u| real(u.errors.min(u.calls))).sum()),
        Kind::LatencyP50 => percentile(sums, 0.5),
        Kind::LatencyP95 => percentile(sums, 0.95),
        Kind::FeedbackRate => rate(input, sums, |s| said(input, s, |_| true)),
        Kind::NegativeFeedback => rate(input, sums, |s| said(input, s, |f| f.negative)),
        Kind::Nps => both(&|side| answers(input, side, nps)),
        Kind::Csat => both(&|side| answers(input, side, csat)),
        Kind::Ces => both(&|side| answers(input, side, ces)),
        Kind::FirstSuccess => {
            let times = Times::of(input);
            (first_success(&times.baseline), first_success(&times.candidate))
        }
        Kind::Regretted => both(&|side| {
            let (regretted, all) = upgrades(input, |c| side(c).upgrade);
            Figures { consumers: all, count: real(regretted), exposure: real(all), value: share(real(regretted), real(all)) }
        }),
        Kind::Operation(place) => both(&|side| operation(input, side, place)),
        Kind::Custom(place) => both(&|side| custom(input, side, place)),
    }
}

fn share(count: f64, exposure: f64) -> Option<f64> {
    (exposure > 0.0).then(|| digits(count / exposure))
}

fn rate(input: &ReviewInput, sums: &Sums, counted: impl Fn(&VersionUse) -> f64) -> (Figures, Figures) {
    let side = |(consumers, calls): (u64, u64), pick: &Pick| {
        let count: f64 = input.consumers.iter().map(|c| counted(pick(c))).sum();
        Figures { consumers, count: digits(count), exposure: real(calls), value: share(count, real(calls)) }
    };
    (side(sums.calls[0], &|c| &c.baseline), side(sums.calls[1], &|c| &c.candidate))
}

fn said(input: &ReviewInput, side: &VersionUse, which: impl Fn(&FeedbackItem) -> bool) -> f64 {
    side.feedback.iter().filter(|f| which(f) && day_of(input.window, f.day).is_some()).map(|f| f.weight).sum()
}

fn custom(input: &ReviewInput, side: &Pick, place: u16) -> Figures {
    let mut figures = Figures::default();
    for own in input.consumers.iter().map(side) {
        let mine = || own.custom.iter().filter(|c| c.guardrail == place);
        let told: Option<f64> = mine().any(|c| c.exposure.is_some()).then(|| mine().filter_map(|c| c.exposure).sum());
        let exposure = told.unwrap_or_else(|| own.usage.iter().map(|u| real(u.calls)).sum());
        figures.consumers += u64::from(exposure > 0.0);
        figures.exposure += exposure;
        figures.count += mine().map(|c| c.count).sum::<f64>();
    }
    Figures { value: share(figures.count, figures.exposure), count: digits(figures.count), exposure: digits(figures.exposure), ..figures }
}

/// Errors of an operation over its calls; who did not call it has no part in it.
fn operation(input: &ReviewInput, side: &Pick, place: u16) -> Figures {
    let mut figures = Figures::default();
    for own in input.consumers.iter().map(side) {
        let before = figures.exposure;
        for of_day in own.custom.iter().filter(|c| c.guardrail == place && day_of(input.window, c.day).is_some()) {
            let calls = of_day.exposure.unwrap_or(0.0);
            figures.exposure += calls;
            figures.count += of_day.count.min(calls);
        }
        figures.consumers += u64::from(figures.exposure > before);
    }
    Figures { value: share(figures.count, figures.exposure), count: digits(figures.count), exposure: digits(figures.exposure), ..figures }
}

fn answers(input: &ReviewInput, side: &Pick, value: fn(Score) -> Option<f64>) -> Figures {
    let (mut consumers, mut weights, mut sum) = (0, 0.0, 0.0);
    for own in input.consumers.iter().map(side) {
        let before = weights;
        for (weight, answer) in own.feedback.iter().filter_map(|f| Some((f.weight, value(f.score?)?))) {
            weights += weight;
            sum += weight * answer;
        }
        consumers += u64::from(weights > before);
    }
    Figures { consumers, count: digits(weights), exposure: digits(weights), value: share(sum, weights) }
}

fn percentile(sums: &Sums, q: f64) -> (Figures, Figures) {
    let side = |(consumers, counts): &(u64, Vec<u64>)| {
        let all: u64 = counts.iter().sum();
        let (wanted, mut seen) = (q * real(all), 0);
        let at = counts.iter().position(|count| {
            seen += count;
            *count > 0 && real(seen) >= wanted
        });
        let middle = |place: usize| 2.0 * GAMMA.powi(i32::try_from(place).unwrap_or(0) - i32::from(LOWEST)) / (GAMMA + 1.0);
        let value = at.map(|place| digits(middle(place)));
        Figures { consumers: *consumers, count: real(all), exposure: real(all), value }
    };
    (side(&sums.latency[0]), side(&sums.latency[1]))
}

fn first_success(logarithms: &[f64]) -> Figures {
    let succeeded = logarithms.iter().filter(|t| t.is_finite()).count() as u64;
    let middle = groundswell_stats::quantile(logarithms, 0.5).filter(|t| t.is_finite());
    let n = logarithms.len() as u64;
    Figures { consumers: n, count: real(succeeded), exposure: real(n), value: middle.map(|t| digits(t.exp() - 1.0)) }
}

/// A number with the digits that are published.
pub(crate) fn digits(value: f64) -> f64 {
    if value == 0.0 {
        // The sum of nothing is −0, which nobody wants to read.
        return 0.0;
    }
    if !value.is_finite() {
        return value;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a float is below 310")]
    let places = DIGITS - 1 - value.abs().log10().floor() as i32;
    if (-300..300).contains(&places) {
        format!("{:.*}", usize::try_from(places).unwrap_or(0), value).parse().unwrap_or(value)
    } else {
        value
    }
}
