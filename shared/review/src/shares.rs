//! The error of a review, shared by what its guardrails can find.
//!
//! With ξ the effect worth finding over its standard error, a guardrail that may be wrong with the probability α finds that effect with
//! Φ(ξ − z(α)). The parts α that add up to the error of the review and find most in all, each guardrail worth its weight w, are
//! those of Roeder and Wasserman (*Statistical Science* 24 (2009) 398–413): α = Φ̄(ξ/2 + (c − ln w)/ξ), one c for all. Where there
//! is plenty to go by, hardly any error is needed; where there is next to nothing, none helps; most goes to what hangs in between.
//!
//! ξ is reckoned at the end of the horizon, and from a standard error that does not know the estimate: parts then move little
//! from look to look, and no guardrail gets more of the error for having found something.

use statrs::distribution::ContinuousCDF;

use crate::boundary::standard;

/// Every guardrail that can be compared has at least this part …
const LEAST: f64 = 0.004;
/// … and none of several more than this.
const GREATEST: f64 = 0.97;
/// What of the error those that call a regression are given. Two fifths are kept back: on simulated streams a review is wrong as often as it is
/// given leave to be, with everything at once too, but nobody knows how other streams move.
const TO_CALL: f64 = 0.6;
/// What of it each guardrail may pass with: measured, wrong passes are about as many as that.
const TO_PASS: f64 = 0.8;
/// c is looked for up to this.
const FARTHEST: f64 = 1e4;
/// Below this ξ nothing can be found.
const NOTHING: f64 = 1e-3;

/// What a guardrail brings forward.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Claim {
    /// What finding something here is worth, against the others.
    pub(crate) weight: f64,
    /// ξ: the effect worth finding over its standard error at the end of the horizon.
    pub(crate) strength: f64,
}

impl Claim {
    /// Its part for a c, within bounds.
    fn part(&self, error: f64, c: f64, greatest: f64) -> f64 {
        let strength = self.strength.max(NOTHING);
        let part = standard().map_or(0.0, |n| n.sf(0.5 * strength + (c - self.weight.ln()) / strength));
        part.clamp(LEAST * error, greatest * error)
    }
}

/// The error that each guardrail may pass with.
pub(crate) fn to_pass(error: f64) -> f64 {
    TO_PASS * error
}

/// The parts of a review's error, which add up to what is given out of it.
pub(crate) fn parts(error: f64, claims: &[Claim]) -> Vec<f64> {
    let error = TO_CALL * error;
    let greatest = if claims.len() > 1 { GREATEST } else { 1.0 };
    let all = |c: f64| claims.iter().map(|claim| claim.part(error, c, greatest)).collect::<Vec<f64>>();
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if all(middle).iter().sum::<f64>() > error { low = middle } else { high = middle }
    }
    let parts = all(high);
    // Hundreds of guardrails would have more than the error by their least parts alone.
    let sum: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part * (error / sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{Continuous, Normal};

    fn claim(weight: f64, strength: f64) -> Claim {
        Claim { weight, strength }
    }

    #[test]
    fn what_hangs_in_between_gets_most() {
        let parts = parts(0.05, &[claim(1.0, 8.0), claim(1.0, 2.0), claim(1.0, 0.3)]);
        assert!(parts[1] > 0.9 * 0.03 && parts[0] < 0.01 * 0.03 && parts[2] < 0.03 * 0.03, "{parts:?}");
    }

    /// At the best parts the last bit of error finds the same everywhere: w·φ(ξ − z)/φ(z) is one number.
    #[test]
    fn no_error_would_find_more_elsewhere() {
        let claims = [claim(4.0, 2.0), claim(1.0, 1.5), claim(2.0, 2.5)];
        let normal = Normal::new(0.0, 1.0).unwrap();
        let gains: Vec<f64> = parts(0.05, &claims)
            .iter()
            .zip(&claims)
            .map(|(part, claim)| {
                let z = normal.inverse_cdf(1.0 - part);
                claim.weight * normal.pdf(claim.strength - z) / normal.pdf(z)
            })
            .collect();
        assert!(gains.iter().all(|g| (g / gains[0] - 1.0).abs() < 1e-6), "{gains:?}");
    }

    proptest! {
        #[test]
        fn parts_add_up_and_stay_within_bounds(
            claims in proptest::collection::vec((0.01f64..100.0, 0.0f64..50.0), 1..30),
            error in 0.0001f64..0.2,
        ) {
            let claims: Vec<Claim> = claims.into_iter().map(|(weight, strength)| claim(weight, strength)).collect();
            let parts = parts(error, &claims);
            let given_out = TO_CALL * error;
            prop_assert!((parts.iter().sum::<f64>() / given_out - 1.0).abs() < 1e-9);
            let greatest = if claims.len() > 1 { GREATEST } else { 1.0 };
            prop_assert!(parts.iter().all(|p| *p > 0.99 * LEAST * given_out && *p < 1.01 * greatest * given_out), "{:?}", parts);
        }
    }
}
