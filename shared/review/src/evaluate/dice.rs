//! Random numbers of the distributions that streams are made of.

use std::f64::consts::PI;

/// A source of random numbers: the same seed gives the same stream.
pub(crate) struct Dice(fastrand::Rng);

/// Above this mean a count is drawn from a rounded normal distribution.
const MANY: f64 = 60.0;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(0..end.max(1))
    }

    /// A standard normal number (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.share()).ln()).sqrt() * (2.0 * PI * self.share()).cos()
    }

    /// e to a normal number of mean 0 and this deviation, scaled to a mean of 1.
    pub(crate) fn around_one(&mut self, deviation: f64) -> f64 {
        (deviation * self.normal() - 0.5 * deviation * deviation).exp()
    }

    /// A count with this mean (Knuth's products).
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > MANY {
            return whole(mean + mean.sqrt() * self.normal());
        }
        let (end, mut product, mut count) = ((-mean).exp(), self.share(), 0);
        while product > end {
            product *= self.share();
            count += 1;
        }
        count
    }

    /// How many of `n` happen, each with this probability.
    pub(crate) fn binomial(&mut self, n: u64, probability: f64) -> u64 {
        let (trials, p) = (real(n), probability.clamp(0.0, 1.0));
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        if trials * p > MANY {
            return whole(trials * p + (trials * p * (1.0 - p)).sqrt() * self.normal()).min(n);
        }
        // Waiting times between what happens are geometric.
        let (mut hits, mut place) = (0, 0.0);
        if p <= 0.0 {
            return 0;
        }
        loop {
            place += ((1.0 - self.share()).ln() / (1.0 - p).ln()).floor() + 1.0;
            if place > trials {
                return hits;
            }
            hits += 1;
        }
    }
}

/// The nearest whole number, not below 0.
fn whole(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and not negative; a cast saturates")]
    let whole = value.round().max(0.0) as u64;
    whole
}

/// A count as a real number.
pub(crate) fn real(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
    let real = count as f64;
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..40_000).map(|_| draw()).collect();
        let mean = values.iter().sum::<f64>() / 40_000.0;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 40_000.0)
    }

    #[test]
    fn numbers_have_the_mean_and_variance_of_their_distribution() {
        let mut dice = Dice::new(1);
        for mean in [0.3, 7.0, 200.0] {
            let (m, v) = moments(|| real(dice.poisson(mean)));
            assert!((m / mean - 1.0).abs() < 0.03 && (v / mean - 1.0).abs() < 0.05, "{mean}: {m}, {v}");
        }
        for (n, p) in [(20, 0.1), (30, 0.8), (5_000, 0.3)] {
            let (mean, variance) = (real(n) * p, real(n) * p * (1.0 - p));
            let (m, v) = moments(|| real(dice.binomial(n, p)));
            assert!((m / mean - 1.0).abs() < 0.03 && (v / variance - 1.0).abs() < 0.05, "{n}, {p}: {m}, {v}");
        }
        let (m, v) = moments(|| dice.normal());
        assert!(m.abs() < 0.02 && (v - 1.0).abs() < 0.03);
    }
}
