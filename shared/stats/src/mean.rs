//! Means of scores.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::{Estimate, Weights};

/// Sums from which a weighted mean and its spread follow. Sums of scores on a small scale: no digits are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Of the weights.
    pub weights: Weights,
    /// Σw·x
    pub sum: f64,
    /// Σw·x²
    pub sum_of_squares: f64,
}

impl Moments {
    /// Counts one answer. A weight that is not over 0 is not counted.
    pub fn add(&mut self, score: f64, weight: f64) {
        if weight > 0.0 && weight.is_finite() && score.is_finite() {
            self.weights.add(weight);
            self.sum += weight * score;
            self.sum_of_squares += weight * score * score;
        }
    }

    /// Counts all answers that gave one score.
    pub fn add_all(&mut self, score: f64, weights: &Weights) {
        if score.is_finite() {
            self.weights.n += weights.n;
            self.weights.sum += weights.sum;
            self.weights.sum_of_squares += weights.sum_of_squares;
            self.sum += weights.sum * score;
            self.sum_of_squares += weights.sum * score * score;
        }
    }
}

/// The weighted mean with Student's interval, mean ± t·s/√n at n − 1 degrees of freedom, kept within the
/// `scale` of the scores; none without answers, without an interval for one answer.
///
/// n is the effective sample size and s² = Σw(x−m)²/(Σw − Σw²/Σw), which is the usual sample variance where all
/// weights are 1 (Student, "The probable error of a mean", Biometrika 6 (1908), 1–25).
#[must_use]
pub fn mean(moments: &Moments, scale: (f64, f64)) -> Option<Estimate> {
    let weights = &moments.weights;
    if weights.sum <= 0.0 {
        return None;
    }
    let value = (moments.sum / weights.sum).clamp(scale.0, scale.1);
    let degrees = weights.effective() - 1.0;
    let divisor = weights.sum - weights.sum_of_squares / weights.sum;
    // A weighted second answer adds little: below one hundredth of a degree of freedom there is no telling.
    if degrees < 0.01 || divisor <= 0.0 {
        return Some(Estimate { value, interval: None });
    }
    let variance = ((moments.sum_of_squares - moments.sum * moments.sum / weights.sum) / divisor).max(0.0);
    let half = t_quantile(degrees) * (variance / weights.effective()).sqrt();
    Some(Estimate::within(value, value - half, value + half, scale))
}

fn t_quantile(degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(scores: &[f64]) -> Moments {
        let mut m = Moments::default();
        scores.iter().for_each(|s| m.add(*s, 1.0));
        m
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_mean_and_stays_on_the_scale(scores in proptest::collection::vec(1u8..=5, 2..100), weight in 0.05f64..=1.0) {
            let mut m = Moments::default();
            scores.iter().enumerate().for_each(|(i, s)| m.add(f64::from(*s), if i % 2 == 0 { 1.0 } else { weight }));
            let e = mean(&m, (1.0, 5.0)).unwrap();
            let i = e.interval.unwrap();
            prop_assert!(1.0 <= i.low && i.low <= e.value && e.value <= i.high && i.high <= 5.0, "{e:?}");
        }

        #[test]
        fn equal_weights_change_nothing(scores in proptest::collection::vec(1u8..=7, 2..50), weight in 0.05f64..=1.0) {
            let plain = of(&scores.iter().map(|s| f64::from(*s)).collect::<Vec<_>>());
            let mut weighted = Moments::default();
            scores.iter().for_each(|s| weighted.add(f64::from(*s), weight));
            let (a, b) = (mean(&plain, (1.0, 7.0)).unwrap(), mean(&weighted, (1.0, 7.0)).unwrap());
            prop_assert!((a.value - b.value).abs() < 1e-9);
            prop_assert!((a.interval.unwrap().low - b.interval.unwrap().low).abs() < 1e-6);
        }
    }

    #[test]
    fn a_known_interval() {
        // Mean 3.6, s = 1.140175, t(4) = 2.776445, so ± 1.415716, cut at 5.
        let e = mean(&of(&[2.0, 3.0, 4.0, 4.0, 5.0]), (1.0, 5.0)).unwrap();
        let i = e.interval.unwrap();
        assert!((e.value - 3.6).abs() < 1e-12 && (i.low - 2.184_284).abs() < 1e-5 && i.high == 5.0, "{e:?}");
    }

    #[test]
    fn one_answer_has_a_mean_and_no_interval() {
        assert_eq!(mean(&of(&[4.0]), (1.0, 5.0)), Some(Estimate { value: 4.0, interval: None }));
        assert_eq!(mean(&of(&[]), (1.0, 5.0)), None);
    }
}
