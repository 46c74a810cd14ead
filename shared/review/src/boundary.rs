//! Bounds that hold though a review is looked at every day.
//!
//! Let τ be the part of the horizon that has passed (28 days unless the policy says otherwise). A look at τ may only
//! conclude beyond C·τ^(−0.6) standard errors, a boundary of Wang and Tsiatis' form (*Biometrics* 43 (1987) 193–199) a little steeper than
//! O'Brien and Fleming's (*Biometrics* 35 (1979) 549–556): early looks need much more than late ones. Consumers move bit by
//! bit, so what is known grows as τ^1.25 rather than τ. C is such that a standard Brownian motion seen at those times crosses the bound at
//! any of 28 daily looks with the wanted probability (Armitage, McPherson, Rowe, *JRSS A* 132 (1969) 235–244); the test does
//! that reckoning again. Estimates from growing data behave like that motion (Scharfstein, Tsiatis, Robins, *JASA*
//! 92 (1997) 1342–1350). With few consumers the bound is Student's quantile of the same probability.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Error probability and C.
const TABLE: [(f64, f64); 14] = [
    (0.2, 1.177),
    (0.1, 1.540),
    (0.05, 1.856),
    (0.035, 2.004),
    (0.025, 2.138),
    (0.015, 2.329),
    (0.01, 2.473),
    (0.005, 2.705),
    (0.0025, 2.923),
    (0.001, 3.191),
    (0.0005, 3.382),
    (0.0001, 3.794),
    (0.00001, 4.323),
    (0.000_001, 4.799),
];

/// The exponent of the boundary.
const BEND: f64 = -0.6;

/// One look of a sequence of daily looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    /// Part of the horizon that has passed, over 0 to 1.
    pub(crate) passed: f64,
    /// Probability that any look of the sequence concludes wrongly, on one side.
    pub(crate) error: f64,
}

impl Look {
    pub(crate) fn new(days: u32, horizon: u32, error: f64) -> Self {
        let passed = (f64::from(days.max(1)) / f64::from(horizon.max(1))).min(1.0);
        Self { passed, error }
    }

    /// How many standard errors this look needs, with ever so many consumers.
    pub(crate) fn standard_errors(self) -> f64 {
        constant(self.error) * self.passed.powf(BEND)
    }

    /// The probability beyond that, on one side: what an exact method may spend at this look.
    pub(crate) fn tail(self) -> f64 {
        standard().map_or(0.0, |n| n.sf(self.standard_errors()))
    }

    /// How many standard errors it needs with so many degrees of freedom; none below one.
    pub(crate) fn with_freedom(self, freedom: f64) -> Option<f64> {
        if freedom.is_nan() || freedom < 1.0 {
            return None;
        }
        let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
        // The quantile is searched on the far side, where a tail of 1e-6 is still told from 0.
        let (tail, mut low, mut high) = (self.tail(), 0.0, 1e4);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if student.sf(middle) > tail { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// Between the rows of the table C is nearly straight in the logarithm of the probability.
fn constant(error: f64) -> f64 {
    let error = error.clamp(TABLE[TABLE.len() - 1].0, TABLE[0].0);
    let above = TABLE.windows(2).find(|pair| pair[1].0 <= error);
    above.map_or(TABLE[0].1, |pair| {
        let ((more, lower), (less, higher)) = (pair[0], pair[1]);
        lower + (higher - lower) * (more / error).ln() / (more / less).ln()
    })
}

pub(crate) fn standard() -> Option<Normal> {
    Normal::new(0.0, 1.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probability that a Brownian motion seen at the times τ^1.25 crosses C·τ^(−0.6) deviations at one of 28 looks: its density
    /// between looks, kept on a grid.
    fn crossing(c: f64) -> f64 {
        let normal = Normal::new(0.0, 1.0).unwrap();
        let time = |look: i32| (f64::from(look) / 28.0).powf(1.25);
        let bound = |look: i32| c * (f64::from(look) / 28.0).powf(BEND) * time(look).sqrt();
        let density = |x: f64, step: f64| (-(x / step).powi(2) / 2.0).exp() / step / (2.0 * std::f64::consts::PI).sqrt();
        let mut at = vec![(0.0, 1.0)];
        let mut crossed = 0.0;
        for look in 1..=28 {
            let step = (time(look) - if look == 1 { 0.0 } else { time(look - 1) }).sqrt();
            crossed += at.iter().map(|(x, mass)| mass * normal.sf((bound(look) - x) / step)).sum::<f64>();
            let (low, high) = (-5.0 * time(look).sqrt(), bound(look));
            let width = (high - low) / 200.0;
            let grid = (0..=200).map(|i| (low + width * f64::from(i), if i % 200 == 0 { width / 2.0 } else { width }));
            at = grid.map(|(y, w)| (y, w * at.iter().map(|(x, m)| m * density(y - x, step)).sum::<f64>())).collect();
        }
        crossed
    }

    #[test]
    fn the_table_holds_over_28_looks() {
        for (error, c) in TABLE {
            assert!((crossing(c) / error - 1.0).abs() < 0.02, "{error}: {}", crossing(c));
        }
    }

    #[test]
    fn early_looks_and_few_consumers_need_more() {
        let late = Look::new(28, 28, 0.05);
        assert!((late.standard_errors() - 1.856).abs() < 1e-9);
        assert!(Look::new(7, 28, 0.05).standard_errors() > 4.2);
        assert!(late.with_freedom(1e6).unwrap() - 1.856 < 1e-3);
        assert!(late.with_freedom(5.0).unwrap() > 2.3);
        assert_eq!(late.with_freedom(0.5), None);
        assert!(Look::new(90, 28, 0.03).standard_errors() > 2.0, "between the rows");
    }
}
