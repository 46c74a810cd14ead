//! Answers to surveys: means over consumers, candidate less baseline.
//!
//! A consumer's answers on a version are one mean with the weight n/(1 + (n − 1)/2), below 2 however often it answers. The baseline's
//! consumers are weighted so that each third by volume has the candidate's share (post-stratification). The
//! variance is by consumer: one that answered on both versions is one. Student's quantile has the degrees of freedom of the side with fewer consumers.

use crate::boundary::Look;
use crate::compare::{Comparison, Evidence};
use crate::input::{ConsumerInput, ReviewInput, Score, VersionUse};
use crate::prepare::real;
use crate::types::Method;

/// Consumers on a side below which nothing is said.
const LEAST: usize = 8;

/// One side's answers of one consumer.
#[derive(Clone, Copy)]
struct Answered {
    consumer: usize,
    third: usize,
    mean: f64,
    weight: f64,
}

/// The difference of the means of what `value` reads from an answer, candidate less baseline; `half_range` is half the scale.
pub(crate) fn compare<'a>(input: &ReviewInput, value: impl Fn(Score) -> Option<f64>, half_range: f64) -> Option<Evidence<'a>> {
    let ends = volume_thirds(&input.consumers);
    let side = |pick: fn(&ConsumerInput) -> &VersionUse| -> Vec<Answered> {
        let answers = input.consumers.iter().enumerate();
        answers.filter_map(|(consumer, c)| answered(consumer, place(ends, volume(c)), pick(c), &value)).collect()
    };
    let candidate = side(|c| &c.candidate);
    let mut baseline = side(|c| &c.baseline);
    if candidate.len().min(baseline.len()) < LEAST {
        return None;
    }
    standardise(&mut baseline, &candidate);
    let mut influence = vec![0.0; input.consumers.len()];
    let here = mean(&candidate, 1.0, &mut influence);
    let there = mean(&baseline, -1.0, &mut influence);
    let fewest = real(candidate.len().min(baseline.len()) as u64);
    // Answers that are all alike have no spread of their own: two imagined ones at the ends of the scale give a little.
    let imagined = 2.0 * (half_range / (fewest + 2.0)).powi(2) / (fewest + 2.0);
    let variance = influence.iter().map(|i| i * i).sum::<f64>() * fewest / (fewest - 1.0) + imagined;
    let (estimate, error) = (here - there, variance.sqrt());
    let compared = influence.iter().filter(|i| **i != 0.0).count() as u64;
    let finish = move |look: Look| {
        let spread = look.with_freedom(fewest - 1.0)? * error;
        Some(Comparison {
            estimate,
            low: estimate - spread,
            high: estimate + spread,
            method: Method::ByConsumer,
            compared,
            effective: fewest,
            outliers: Vec::new(),
        })
    };
    Some(Evidence::new((estimate, error, 0.0), finish))
}

fn answered(consumer: usize, third: usize, side: &VersionUse, value: &impl Fn(Score) -> Option<f64>) -> Option<Answered> {
    let answers = side.feedback.iter().filter_map(|f| Some((f.weight, value(f.score?)?)));
    let (n, sum) = answers.fold((0.0, 0.0), |(n, sum), (weight, x)| (n + weight, sum + weight * x));
    (n > 0.0).then(|| Answered { consumer, third, mean: sum / n, weight: if n <= 1.0 { n } else { n / (1.0 + 0.5 * (n - 1.0)) } })
}

fn volume(consumer: &ConsumerInput) -> u64 {
    consumer.baseline.usage.iter().chain(&consumer.candidate.usage).map(|u| u.calls).sum()
}

fn volume_thirds(consumers: &[ConsumerInput]) -> (u64, u64) {
    let mut volumes: Vec<u64> = consumers.iter().map(volume).collect();
    volumes.sort_unstable();
    let at = |share: usize| volumes.get(volumes.len() * share / 3).copied().unwrap_or(0);
    (at(1), at(2))
}

fn place((first, second): (u64, u64), volume: u64) -> usize {
    usize::from(volume >= first) + usize::from(volume >= second)
}

/// Gives each third of the baseline the candidate's share, where both have it.
fn standardise(baseline: &mut [Answered], candidate: &[Answered]) {
    let shares = |side: &[Answered]| {
        let mut sums = [0.0; 3];
        side.iter().for_each(|a| sums[a.third] += a.weight);
        let all: f64 = sums.iter().sum();
        sums.map(|s| s / all)
    };
    let (wanted, has) = (shares(candidate), shares(baseline));
    // At most threefold: a few answers of one third must not become the baseline.
    baseline.iter_mut().for_each(|a| a.weight *= (wanted[a.third] / has[a.third]).clamp(1.0 / 3.0, 3.0));
}

/// The weighted mean; adds each consumer's influence on it.
fn mean(side: &[Answered], sign: f64, influence: &mut [f64]) -> f64 {
    let sum: f64 = side.iter().map(|a| a.weight).sum();
    let mean = side.iter().map(|a| a.weight * a.mean).sum::<f64>() / sum;
    side.iter().for_each(|a| influence[a.consumer] += sign * a.weight * (a.mean - mean) / sum);
    mean
}
