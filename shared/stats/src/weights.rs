//! Counts of what counts in part.

use crate::real;

/// How many there are, and the sums of their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// How many.
    pub n: u64,
    /// Σw
    pub sum: f64,
    /// Σw²
    pub sum_of_squares: f64,
}

impl Weights {
    /// `n` items that count wholly.
    #[must_use]
    pub fn whole(n: u64) -> Self {
        Self { n, sum: real(n), sum_of_squares: real(n) }
    }

    /// Counts one item. A weight that is not over 0 is not counted.
    pub fn add(&mut self, weight: f64) {
        if weight > 0.0 && weight.is_finite() {
            self.n += 1;
            self.sum += weight;
            self.sum_of_squares += weight * weight;
        }
    }

    /// The effective sample size (Σw)²/Σw² (Kish, *Survey Sampling*, 1965): as many items of equal weight
    /// would tell as much. It is `n` where all weights are equal.
    #[must_use]
    pub fn effective(&self) -> f64 {
        if self.sum_of_squares > 0.0 { self.sum * self.sum / self.sum_of_squares } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_effective_size_lies_between_one_and_n(weights in proptest::collection::vec(0.01f64..1.0, 1..100)) {
            let mut all = Weights::default();
            weights.iter().for_each(|w| all.add(*w));
            prop_assert!(all.effective() >= 1.0 - 1e-9 && all.effective() <= real(all.n) + 1e-9);
        }
    }

    #[test]
    fn nothing_weighs_nothing() {
        let mut none = Weights::default();
        none.add(0.0);
        none.add(f64::NAN);
        assert_eq!((none, none.effective()), (Weights::default(), 0.0));
        assert_eq!(Weights::whole(7).effective(), 7.0);
    }
}
