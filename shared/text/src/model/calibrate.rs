//! From scores to confidences: how likely an answer is right, by what was right in cross-validation.

use serde::{Deserialize, Serialize};

/// The logistic function.
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Rounds of Newton's method; it is close after five.
const ROUNDS: usize = 25;
/// Pull towards 0, so that what is told apart perfectly has an end.
const RIDGE: f64 = 1e-2;

/// Logistic regression on a best score, its lead over the second, and a constant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Curve {
    pub(super) weights: [f64; 3],
}

impl Curve {
    /// How likely an answer with this score and lead is right.
    pub(super) fn confidence(self, score: f32, lead: f32) -> f32 {
        let [s, l, c] = self.weights;
        #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
        let p = logistic(s * f64::from(score) + l * f64::from(lead) + c) as f32;
        p
    }

    /// The curve that fits what was right, by Newton's method on the regularised likelihood.
    pub(super) fn fit(points: &[(f32, f32, bool)]) -> Self {
        let mut curve = Self::default();
        for _ in 0..ROUNDS {
            let mut slope = [0.0; 3];
            let mut bend = [[0.0; 3]; 3];
            for i in 0..3 {
                slope[i] = -RIDGE * curve.weights[i];
                bend[i][i] = RIDGE;
            }
            for (score, lead, right) in points {
                let x = [f64::from(*score), f64::from(*lead), 1.0];
                let p = logistic(curve.weights.iter().zip(x).map(|(w, x)| w * x).sum());
                for i in 0..3 {
                    slope[i] += (f64::from(u8::from(*right)) - p) * x[i];
                    for j in 0..3 {
                        bend[i][j] += p * (1.0 - p) * x[i] * x[j];
                    }
                }
            }
            let step = solve(bend, slope);
            curve.weights.iter_mut().zip(step).for_each(|(w, s)| *w += s.clamp(-5.0, 5.0));
        }
        curve
    }
}

/// Three equations with a positive matrix, by elimination.
fn solve(mut m: [[f64; 3]; 3], mut v: [f64; 3]) -> [f64; 3] {
    for i in 0..3 {
        for j in i + 1..3 {
            let factor = m[j][i] / m[i][i];
            let above = m[i];
            m[j].iter_mut().zip(above).skip(i).for_each(|(below, above)| *below -= factor * above);
            v[j] -= factor * v[i];
        }
    }
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|k| m[i][k] * v[k]).sum();
        v[i] = (v[i] - known) / m[i][i];
    }
    v
}

/// Expected calibration error: the mean distance of confidence and share of right answers over ten bins of equal
/// width, weighted by their answers (Guo et al., 2017). 0 is perfect; none without answers.
pub(super) fn expected_error(answers: &[(f32, bool)]) -> Option<f64> {
    let mut bins = [(0.0_f64, 0.0_f64); 10];
    for (confidence, right) in answers {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin of ten")]
        let bin = ((confidence * 10.0) as usize).min(9);
        bins[bin].0 += f64::from(*confidence);
        bins[bin].1 += f64::from(u8::from(*right));
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of texts")]
    let count = answers.len() as f64;
    (count > 0.0).then(|| bins.iter().map(|(sure, right)| (sure - right).abs()).sum::<f64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_becomes_the_share_of_right_answers() {
        let points: Vec<(f32, f32, bool)> =
            (0..1000).map(|i| if i % 2 == 0 { (1.0, 0.5, i % 10 != 0) } else { (-1.0, 0.1, i % 4 == 1) }).collect();
        let curve = Curve::fit(&points);
        assert!((curve.confidence(1.0, 0.5) - 0.8).abs() < 0.01 && (curve.confidence(-1.0, 0.1) - 0.5).abs() < 0.01, "{curve:?}");
        let answers: Vec<(f32, bool)> = points.iter().map(|(s, l, right)| (curve.confidence(*s, *l), *right)).collect();
        assert!(expected_error(&answers).is_some_and(|e| e < 0.01));
    }

    #[test]
    fn what_is_always_right_ends_below_one() {
        let curve = Curve::fit(&[(1.0, 1.0, true), (2.0, 1.0, true)]);
        let p = curve.confidence(1.5, 1.0);
        assert!(p > 0.8 && p < 1.0);
        assert_eq!(expected_error(&[]), None);
    }
}
