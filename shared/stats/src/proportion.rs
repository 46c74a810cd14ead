//! Shares, and the difference of two shares that is the Net Promoter Score.

use crate::{Estimate, Weights, Z, real};

/// The factor by which the published definition of the score multiplies its standard error.
const NPS_Z: f64 = 1.96;

/// The share `hits` of `n` with the Wilson score interval; none if `n` is 0.
///
/// Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209–212:
/// (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). More hits than `n` count as `n`.
#[must_use]
pub fn wilson(hits: u64, n: u64) -> Option<Estimate> {
    (n > 0).then(|| score_interval(real(hits.min(n)) / real(n), real(n)))
}

/// The weighted share of `hits` in `all` with the Wilson interval for the effective sample size of `all`;
/// none if `all` is empty.
#[must_use]
pub fn wilson_weighted(hits: &Weights, all: &Weights) -> Option<Estimate> {
    (all.sum > 0.0).then(|| score_interval((hits.sum / all.sum).clamp(0.0, 1.0), all.effective()))
}

fn score_interval(p: f64, n: f64) -> Estimate {
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Estimate::within(p, (centre - half) / scale, (centre + half) / scale, (0.0, 1.0))
}

/// The Net Promoter Score, −100 to 100, of the answers `promoters` (9, 10) and `detractors` (0 to 6) among
/// `all`: 100·(p − d) ± 100·1.96·√((p + d − (p − d)²)/n) with n the effective sample size; none without answers.
///
/// The variance is that of the mean of answers worth −1, 0 and 1. (Rocks, "Interval estimation for the Net
/// Promoter Score", The American Statistician 70 (2016), 365–372, calls it the Wald interval.) It has no width
/// where all answers are of one group: look at `n`.
#[must_use]
pub fn net_promoter_score(promoters: &Weights, detractors: &Weights, all: &Weights) -> Option<Estimate> {
    (all.sum > 0.0).then(|| {
        let (p, d) = (promoters.sum / all.sum, detractors.sum / all.sum);
        let score = p - d;
        let half = NPS_Z * ((p + d - score * score).max(0.0) / all.effective()).sqrt();
        Estimate::within(score, score - half, score + half, (-1.0, 1.0)).times(100.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interval;
    use proptest::prelude::*;

    fn ends(e: Option<Estimate>) -> Option<(f64, Interval)> {
        e.and_then(|e| Some((e.value, e.interval?)))
    }

    proptest! {
        /// The Wilson ends are where |p − π| = z·√(π(1−π)/n): the definition, checked by its equation.
        #[test]
        fn the_ends_solve_the_score_equation(n in 1u64..100_000, share in 0.0f64..=1.0) {
            let hits = (share * n as f64).round() as u64;
            let (p, i) = ends(wilson(hits, n)).unwrap();
            for end in [i.low, i.high] {
                let distance = (p - end).powi(2) - Z * Z * end * (1.0 - end) / n as f64;
                prop_assert!(distance.abs() < 1e-9, "{end}: {distance}");
            }
            prop_assert!(0.0 <= i.low && i.low <= p && p <= i.high && i.high <= 1.0);
        }

        #[test]
        fn whole_weights_change_nothing(n in 1u64..1000, share in 0.0f64..=1.0) {
            let hits = (share * n as f64) as u64;
            prop_assert_eq!(wilson(hits, n), wilson_weighted(&Weights::whole(hits), &Weights::whole(n)));
        }

        /// The score is the mean of −1, 0 and 1, and its variance is theirs.
        #[test]
        fn the_score_is_a_mean_of_signs(answers in proptest::collection::vec(-1i8..=1, 1..200)) {
            let n = answers.len() as f64;
            let count = |sign| Weights::whole(answers.iter().filter(|a| **a == sign).count() as u64);
            let (score, i) = ends(net_promoter_score(&count(1), &count(-1), &Weights::whole(answers.len() as u64))).unwrap();
            let mean = answers.iter().map(|a| f64::from(*a)).sum::<f64>() / n;
            let variance = answers.iter().map(|a| (f64::from(*a) - mean).powi(2)).sum::<f64>() / n;
            prop_assert!((score - 100.0 * mean).abs() < 1e-9);
            let high = (100.0 * (mean + 1.96 * (variance / n).sqrt())).min(100.0);
            prop_assert!((i.high - high).abs() < 1e-6, "{} {high}", i.high);
        }
    }

    #[test]
    fn known_intervals() {
        let (p, i) = ends(wilson(10, 100)).unwrap();
        assert_eq!(p, 0.1);
        assert!((i.low - 0.055_229_14).abs() < 1e-7 && (i.high - 0.174_365_66).abs() < 1e-7, "{i:?}");
        let (p, i) = ends(wilson(0, 20)).unwrap();
        assert!(p == 0.0 && i.low == 0.0 && (i.high - 0.161_125_16).abs() < 1e-7, "{i:?}");
    }

    #[test]
    fn no_data_is_not_zero() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson_weighted(&Weights::default(), &Weights::default()), None);
        assert_eq!(net_promoter_score(&Weights::default(), &Weights::default(), &Weights::default()), None);
        let zero = net_promoter_score(&Weights::whole(3), &Weights::whole(3), &Weights::whole(9)).unwrap();
        assert_eq!(zero.value, 0.0);
    }
}
