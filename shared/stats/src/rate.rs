//! Counts of events against an exposure.

use statrs::distribution::{ContinuousCDF, Gamma};

use crate::{Estimate, Interval, Weights};

/// Half of the 5 % that an interval of 95 % leaves out.
const TAIL: f64 = 0.025;
/// The greatest weight one item can have.
const WHOLE: f64 = 1.0;

/// Events per `unit` of `exposure` with the exact Poisson interval; none without exposure.
///
/// Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936), 437–442:
/// χ²(0.025; 2k)/2 to χ²(0.975; 2k + 2)/2, over the exposure. Half a χ² of 2a degrees is a Gamma of shape a.
#[must_use]
pub fn poisson_rate(events: u64, exposure: f64, unit: f64) -> Option<Estimate> {
    poisson_rate_weighted(&Weights::whole(events), exposure, unit)
}

/// The same for events that count in part; exactly [`poisson_rate`] where all weights are 1.
///
/// Fay and Feuer, "Confidence intervals for directly standardized rates: a method based on the gamma
/// distribution", Statistics in Medicine 16 (1997), 791–801, with y = Σw, v = Σw² and the greatest weight M = 1:
/// (v/y)·Γ(0.025; y²/v) to ((v + M²)/(y + M))·Γ(0.975; (y + M)²/(v + M²)).
#[must_use]
pub fn poisson_rate_weighted(events: &Weights, exposure: f64, unit: f64) -> Option<Estimate> {
    if exposure.is_nan() || exposure <= 0.0 {
        return None;
    }
    let (y, v) = (events.sum, events.sum_of_squares);
    let low = if y > 0.0 { v / y * gamma_quantile(y * y / v, TAIL) } else { 0.0 };
    let (above_y, above_v) = (y + WHOLE, v + WHOLE * WHOLE);
    let high = above_v / above_y * gamma_quantile(above_y * above_y / above_v, 1.0 - TAIL);
    let interval = Interval { low: low.min(y), high: high.max(y) };
    Some(Estimate { value: y, interval: Some(interval) }.times(unit / exposure))
}

/// Above this shape the Gamma is told by Wilson and Hilferty's cube root, which is then right to eight digits
/// and does not slow down as the shape grows.
const LARGE_SHAPE: f64 = 1e6;

/// The quantile of a Gamma distribution with scale 1.
fn gamma_quantile(shape: f64, p: f64) -> f64 {
    if shape > LARGE_SHAPE {
        let z = if p < 0.5 { -crate::Z } else { crate::Z };
        return shape * (1.0 - 1.0 / (9.0 * shape) + z / (3.0 * shape.sqrt())).powi(3);
    }
    Gamma::new(shape, 1.0).map_or(f64::NAN, |g| g.inverse_cdf(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// P(X ≤ k) for a Poisson mean, summed term by term: an independent way to the same ends.
    fn poisson_cdf(k: u64, mean: f64) -> f64 {
        let mut term = (-mean).exp();
        let mut sum = term;
        for i in 1..=k {
            term *= mean / i as f64;
            sum += term;
        }
        sum
    }

    proptest! {
        /// Garwood's ends are the means at which the count, or one less, lies exactly in the tail.
        #[test]
        fn the_ends_leave_two_and_a_half_percent_each(k in 0u64..300) {
            let i = poisson_rate(k, 1.0, 1.0).unwrap().interval.unwrap();
            prop_assert!((poisson_cdf(k, i.high) - 0.025).abs() < 1e-7);
            if k > 0 {
                prop_assert!((1.0 - poisson_cdf(k - 1, i.low) - 0.025).abs() < 1e-7);
            }
        }

        #[test]
        fn partial_counts_are_surer_than_their_sum_but_not_than_their_number(n in 1u64..200, weight in 0.05f64..1.0) {
            let mut parts = Weights::default();
            (0..n).for_each(|_| parts.add(weight));
            let e = poisson_rate_weighted(&parts, 100.0, 10_000.0).unwrap();
            let i = e.interval.unwrap();
            prop_assert!(0.0 <= i.low && i.low <= e.value && e.value <= i.high);
            prop_assert!((e.value - 100.0 * weight * n as f64).abs() < 1e-6);
            // Scaled down, n whole events have the same lower end.
            let whole = poisson_rate(n, 100.0, 10_000.0 * weight).unwrap().interval.unwrap();
            prop_assert!((i.low - whole.low).abs() < 1e-6 * whole.low.max(1.0));
        }
    }

    #[test]
    fn known_intervals() {
        for (k, low, high) in [(0, 0.0, 3.688_879), (1, 0.025_318, 5.571_643), (10, 4.795_389, 18.390_356), (100, 81.363_99, 121.626_8)] {
            let i = poisson_rate(k, 1.0, 1.0).unwrap().interval.unwrap();
            assert!((i.low - low).abs() < 1e-4 && (i.high - high).abs() < 1e-4, "{k}: {i:?}");
        }
    }

    #[test]
    fn large_counts_meet_the_approximation_without_a_step() {
        let exact = Gamma::new(LARGE_SHAPE, 1.0).unwrap();
        for p in [TAIL, 1.0 - TAIL] {
            let near = gamma_quantile(LARGE_SHAPE + 1e-3, p);
            assert!((near / exact.inverse_cdf(p) - 1.0).abs() < 1e-7, "{near}");
        }
    }

    #[test]
    fn no_exposure_is_no_data() {
        assert_eq!(poisson_rate(3, 0.0, 10_000.0), None);
        assert_eq!(poisson_rate(3, f64::NAN, 10_000.0), None);
        assert_eq!(poisson_rate(0, 5.0, 1.0).map(|e| e.value), Some(0.0));
    }
}
