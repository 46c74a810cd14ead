//! Exact bounds for small counts.
//!
//! Each consumer counts once: with the share of its counts that are on the candidate. Without a difference a
//! count falls there with the probability pᵢ, its share of the consumer's exposure (calendar removed), however much the
//! consumer's counts come in bursts. The sum of the shares then varies at most as the number of consumers of whom one count, drawn
//! at will, is on the candidate: a sum of independent trials with the probabilities pᵢ (Hoeffding, *Annals of
//! Mathematical Statistics* 27 (1956) 713–721), whose distribution is added up exactly. A rate ratio r turns
//! pᵢ into r·pᵢ/(1 − pᵢ + r·pᵢ); bounds are the ratios at which the tail is spent (Clopper and Pearson, *Biometrika* 26
//! (1934) 404–413). A sum that is not whole is rounded to the careful side.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::conditional::Part;

/// Logarithms of ratios beyond this are not told apart.
const FARTHEST: f64 = 12.0;
/// With more trials than this the ends of an interval are found by the normal distribution.
const MANY: usize = 400;
/// A probability that is none.
const NOTHING: f64 = 1e-20;
/// Halvings of the searched interval.
const HALVINGS: usize = 48;

/// A logarithm of a ratio with its bounds; none of them beyond what can be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) estimate: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Of consumers seen on both versions the chance of a count on the candidate, and the sum of their shares there; none without one.
fn shares(parts: &[Part]) -> Option<(Vec<f64>, f64)> {
    let both = parts.iter().filter(|p| p.total > 0.0 && p.expected_share > 0.0 && p.expected_share < 1.0);
    let (chances, shares): (Vec<f64>, Vec<f64>) = both.map(|p| (p.expected_share, p.on_candidate / p.total)).unzip();
    (!chances.is_empty()).then(|| (chances, shares.iter().sum()))
}

fn middle(chances: &[f64], sum: f64) -> f64 {
    rising(|theta| chances.iter().map(|p| tilted(*p, theta)).sum::<f64>(), sum)
}

/// The logarithm of the rate ratio; none without a consumer seen on both versions.
pub(crate) fn estimate(parts: &[Part]) -> Option<f64> {
    shares(parts).map(|(chances, sum)| middle(&chances, sum))
}

/// The logarithm of the rate ratio with bounds that each spend `tail`; none without a consumer seen on both versions.
pub(crate) fn bounds(parts: &[Part], tail: f64) -> Option<Bounds> {
    let (chances, sum) = shares(parts)?;
    let most = chances.len();
    let (down, up) = (whole(sum + 1e-9).min(most), whole(sum.ceil()).min(most));
    let at_least = |theta: f64| beyond(&distribution(&chances, theta), down);
    let at_most = |theta: f64| distribution(&chances, theta)[..=up].iter().sum::<f64>();
    Some(Bounds {
        estimate: middle(&chances, sum),
        low: if down == 0 { -FARTHEST } else { rising(at_least, tail) },
        high: if up == most { FARTHEST } else { rising(|t| -at_most(t), -tail) },
    })
}

/// The probability that so many or more happen.
fn beyond(distribution: &[f64], least: usize) -> f64 {
    distribution[least..].iter().sum()
}

/// Where a rising function reaches a value.
fn rising(function: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if function(middle) < value { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn tilted(chance: f64, theta: f64) -> f64 {
    let odds = theta.exp() * chance / (1.0 - chance);
    odds / (1.0 + odds)
}

/// Probabilities of 0, 1, 2 … of independent trials.
fn distribution(chances: &[f64], theta: f64) -> Vec<f64> {
    let mut probabilities = vec![0.0; chances.len() + 1];
    probabilities[0] = 1.0;
    // Only what is likelier than [`NOTHING`] is worked on: of n trials some √n numbers.
    let (mut low, mut high) = (0, 0);
    for chance in chances {
        let p = tilted(*chance, theta);
        high += 1;
        for k in (low + 1..=high).rev() {
            probabilities[k] = probabilities[k] * (1.0 - p) + probabilities[k - 1] * p;
        }
        probabilities[low] *= 1.0 - p;
        while low < high && probabilities[low] < NOTHING {
            probabilities[low] = 0.0;
            low += 1;
        }
        while high > low && probabilities[high] < NOTHING {
            probabilities[high] = 0.0;
            high -= 1;
        }
    }
    probabilities
}

/// The probability of so many or more, and of so many or fewer, as the normal distribution of the same mean and variance has it,
/// with half a count of continuity: near enough for the ends of an interval.
fn normally(chances: &[f64], theta: f64, count: usize) -> (f64, f64) {
    let (mean, variance) = chances.iter().map(|p| tilted(*p, theta)).fold((0.0, 0.0), |(m, v), p| (m + p, v + p * (1.0 - p)));
    let spread = variance.sqrt().max(1e-9);
    let count = crate::prepare::real(count as u64);
    Normal::new(0.0, 1.0).map_or((1.0, 1.0), |n| (n.sf((count - 0.5 - mean) / spread), n.cdf((count + 0.5 - mean) / spread)))
}

/// Trials of a count of consumers: how many of those who said something said it on the candidate.
pub(crate) struct Trials {
    /// Each consumer's chance, were nothing different, as little as it may be …
    pub(crate) least: Vec<f64>,
    /// … and as much as it may be.
    pub(crate) most: Vec<f64>,
    /// The sum of their shares on the candidate.
    pub(crate) sum: f64,
}

impl Trials {
    /// The probability of so much or more where nothing differs, and of so little or less.
    pub(crate) fn tails(&self) -> (f64, f64) {
        let most = self.most.len();
        let (down, up) = (whole(self.sum + 1e-9).min(most), whole((self.sum - 1e-9).ceil()).min(most));
        (beyond(&distribution(&self.most, 0.0), down).min(1.0), distribution(&self.least, 0.0)[..=up].iter().sum::<f64>().min(1.0))
    }

    /// The logarithm of the rate ratio with bounds that each spend `tail`.
    pub(crate) fn bounds(&self, tail: f64) -> Bounds {
        let most = self.most.len();
        let (down, up) = (whole(self.sum + 1e-9).min(most), whole((self.sum - 1e-9).ceil()).min(most));
        let many = most > MANY;
        let at_least = |theta: f64| if many { normally(&self.most, theta, down).0 } else { beyond(&distribution(&self.most, theta), down) };
        let at_most = |theta: f64| {
            if many { normally(&self.least, theta, up).1 } else { distribution(&self.least, theta)[..=up].iter().sum::<f64>() }
        };
        let mean = |theta: f64| self.least.iter().zip(&self.most).map(|(a, b)| 0.5 * (tilted(*a, theta) + tilted(*b, theta))).sum::<f64>();
        Bounds {
            estimate: rising(mean, self.sum),
            low: if down == 0 { -FARTHEST } else { rising(at_least, tail) },
            high: if up == most { FARTHEST } else { rising(|t| -at_most(t), -tail) },
        }
    }
}

fn whole(value: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of shares: between 0 and a number of consumers")]
    let whole = value.max(0.0) as usize;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(on_candidate: f64, total: f64, expected_share: f64) -> Part {
        Part { id: 0, total, on_candidate, expected_share, information: 0.0, residual: 0.0, weight: 1.0 }
    }

    /// Ten consumers, one count each, nine on the candidate though half was expected: Clopper and Pearson's bounds of
    /// 9 in 10 as odds, from tables (0.5550 and 0.9975 at 95 %).
    #[test]
    fn equal_shares_give_the_binomial_bounds() {
        let parts: Vec<Part> = (0..10).map(|i| part(f64::from(u8::from(i > 0)), 1.0, 0.5)).collect();
        let bounds = bounds(&parts, 0.025).unwrap();
        let odds = |p: f64| (p / (1.0 - p)).ln();
        assert!((bounds.low - odds(0.5550)).abs() < 1e-3, "{bounds:?}");
        assert!((bounds.high - odds(0.99747)).abs() < 1e-2, "{bounds:?}");
        assert!((bounds.estimate - odds(0.9)).abs() < 1e-6);
    }

    #[test]
    fn many_trials_are_those_of_the_binomial() {
        use statrs::distribution::{Binomial, DiscreteCDF};
        let trials = Trials { least: vec![0.3; 3_000], most: vec![0.3; 3_000], sum: 1_000.0 };
        let (more, less) = trials.tails();
        let exactly = Binomial::new(0.3, 3_000).unwrap();
        assert!((more / exactly.sf(999) - 1.0).abs() < 1e-6, "{more} {}", exactly.sf(999));
        assert!((less - exactly.cdf(1_000)).abs() < 1e-9);
        let bounds = trials.bounds(0.025);
        assert!(bounds.low > 0.0 && bounds.low < bounds.estimate && bounds.estimate < bounds.high);
    }

    #[test]
    fn a_loud_consumer_counts_once() {
        let one = bounds(&[part(1000.0, 1000.0, 0.5), part(0.0, 1.0, 0.5)], 0.025).unwrap();
        assert!(one.low < 0.0 && one.high > 0.0 && one.estimate.abs() < 1e-6, "{one:?}");
    }

    #[test]
    fn all_on_one_side_has_no_upper_bound() {
        let all = bounds(&[part(2.0, 2.0, 0.4), part(3.0, 3.0, 0.4)], 0.025).unwrap();
        assert!(all.high >= FARTHEST && all.low < 0.0);
        assert_eq!(bounds(&[part(1.0, 1.0, 1.0)], 0.025), None);
    }
}
