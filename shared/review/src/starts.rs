//! Time to first success of newcomers, and upgrades that were regretted.

use statrs::distribution::{Beta, ContinuousCDF};

use crate::boundary::Look;
use crate::compare::{Comparison, Evidence};
use crate::input::{ReviewInput, Upgrade, VersionUse};
use crate::prepare::real;
use crate::types::Method;

/// Newcomers on each version below which nothing is said.
const LEAST: usize = 8;
/// Logarithms of ratios of times beyond this are not told apart.
const FARTHEST: f64 = 16.0;

/// Logarithms of the seconds to a first success of those who began on a version; infinite where there was none.
pub(crate) struct Times {
    pub(crate) candidate: Vec<f64>,
    pub(crate) baseline: Vec<f64>,
}

impl Times {
    /// Whether there is a newcomer at all.
    pub(crate) fn any(&self) -> bool {
        !self.candidate.is_empty() || !self.baseline.is_empty()
    }

    /// Only newcomers to the API: who moves over knows it already.
    pub(crate) fn of(input: &ReviewInput) -> Self {
        let mut times = Self { candidate: Vec::new(), baseline: Vec::new() };
        for consumer in input.consumers.iter().filter(|c| c.first_seen.is_some()) {
            let starts = [(&consumer.candidate, &mut times.candidate), (&consumer.baseline, &mut times.baseline)];
            for (side, into) in starts {
                if let Some(seconds) = first_seconds(side).filter(|(day, _)| Some(*day) == consumer.first_seen) {
                    into.push(seconds.1);
                }
            }
        }
        times.candidate.sort_by(f64::total_cmp);
        times.baseline.sort_by(f64::total_cmp);
        times
    }
}

fn first_seconds(side: &VersionUse) -> Option<(groundswell_model::Day, f64)> {
    let start = side.start?;
    Some((start.first_call, start.seconds_to_success.map_or(f64::INFINITY, |s| real(s + 1).ln())))
}

/// The factor by which newcomers of the candidate take longer: Hodges and Lehmann's shift, with the bounds at which
/// Mann and Whitney's count is as far off as the look allows (*Annals of Mathematical Statistics* 18 (1947) 50–60).
/// Those who never succeeded are slower than all others.
pub(crate) fn compare<'a>(times: Times) -> Option<Evidence<'a>> {
    let (n, m) = (times.candidate.len(), times.baseline.len());
    if n.min(m) < LEAST {
        return None;
    }
    let (here, there) = (real(n as u64), real(m as u64));
    let fewest = here.min(there);
    let deviation = (here * there * (here + there + 1.0) / 12.0).sqrt();
    let half = 0.5 * here * there;
    let estimate = shift_with(&times, half);
    // Half of the shifts one deviation either way.
    let error = 0.5 * (shift_with(&times, half - deviation) - shift_with(&times, half + deviation));
    let finish = move |look: Look| {
        let spread = look.with_freedom(fewest - 1.0)? * deviation + 0.5;
        Some(Comparison {
            estimate,
            low: shift_with(&times, half + spread),
            high: shift_with(&times, half - spread),
            method: Method::Ranks,
            compared: (n + m) as u64,
            effective: fewest,
            outliers: Vec::new(),
        })
    };
    Some(Evidence::new((estimate, error, 0.0), finish))
}

/// The shift at which so many pairs have a slower candidate.
fn shift_with(times: &Times, wins: f64) -> f64 {
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if slower(times, middle) > wins { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Pairs of which the candidate's time is longer than the baseline's by more than `shift`, ties as a half.
fn slower(times: &Times, shift: f64) -> f64 {
    let (mut below, mut upto, mut wins) = (0, 0, 0.0);
    for time in &times.candidate {
        let moved = time - shift;
        while below < times.baseline.len() && times.baseline[below] < moved {
            below += 1;
        }
        upto = upto.max(below);
        while upto < times.baseline.len() && times.baseline[upto] <= moved {
            upto += 1;
        }
        wins += 0.5 * real((below + upto) as u64);
    }
    wins
}

/// Upgrades to a version, and how many of them were regretted.
pub(crate) fn upgrades(input: &ReviewInput, of: impl Fn(&crate::input::ConsumerInput) -> Option<Upgrade>) -> (u64, u64) {
    input.consumers.iter().filter_map(of).fold((0, 0), |(regretted, all), u| (regretted + u64::from(u.regretted), all + 1))
}

/// The share of upgrades that were regretted, exact (Clopper and Pearson, *Biometrika* 26 (1934) 404–413), to be held against a limit.
pub(crate) fn regretted<'a>(regretted: u64, all: u64, limit: f64) -> Option<Evidence<'a>> {
    if all == 0 {
        return None;
    }
    let (hits, n) = (real(regretted), real(all));
    let finish = move |look: Look| {
        let tail = look.tail();
        Some(Comparison {
            estimate: hits / n,
            low: if regretted == 0 { 0.0 } else { end(hits, n - hits + 1.0, |beta, share| beta.cdf(share) < tail)? },
            high: if regretted == all { 1.0 } else { end(hits + 1.0, n - hits, |beta, share| beta.sf(share) > tail)? },
            method: Method::Exact,
            compared: all,
            effective: n,
            outliers: Vec::new(),
        })
    };
    Some(Evidence::new((hits / n, (limit * (1.0 - limit).max(0.0) / n).sqrt(), 0.0), finish))
}

/// The share up to which `below` holds. It is searched: early looks have tails of 1e-100, for which the library's quantile fails.
fn end(a: f64, b: f64, below: impl Fn(&Beta, f64) -> bool) -> Option<f64> {
    let beta = Beta::new(a, b).ok()?;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(&beta, middle) { low = middle } else { high = middle }
    }
    Some(0.5 * (low + high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clopper and Pearson's bounds of 3 in 20 from tables: 0.0321 and 0.3789 at 95 %.
    #[test]
    fn few_upgrades_have_the_bounds_of_the_tables_and_first_looks_have_some() {
        let evidence = regretted(3, 20, 0.1).unwrap();
        // A look whose tail is 0.025.
        let look = (1..200_000).map(|i| Look { passed: 1.0, error: f64::from(i) * 1e-6 }).find(|l| l.tail() >= 0.025).unwrap();
        let bounds = evidence.at(look).unwrap();
        assert!((bounds.low - 0.0321).abs() < 2e-4 && (bounds.high - 0.3789).abs() < 2e-4, "{bounds:?}");
        let first = evidence.at(Look::new(1, 366, 1e-6)).unwrap();
        assert!(first.low < 1e-6 && first.high > 0.99, "{first:?}");
    }
}
