//! Chance, repeatable: the same seed throws the same dice.

use fastrand::Rng;

/// A seeded source of chance with the distributions that the simulation needs.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Rng);

const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// From 0 up to, not with, 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number below `n`; 0 for `n` = 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { self.0.usize(..n) }
    }

    pub(crate) fn ms_below(&mut self, ms: i64) -> i64 {
        if ms <= 0 { 0 } else { self.0.i64(0..ms) }
    }

    /// One of `items`, which must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// One of `words`, which must not be empty.
    pub(crate) fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub(crate) fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A Poisson count: exact for small means, its normal approximation for large ones.
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as usize;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// An index drawn by weight; 0 if no weight is above zero.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let total: f64 = weights.clone().sum();
        let mut left = self.unit() * total;
        for (at, weight) in weights.enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        0
    }

    /// Appends `n` letters and digits that can't be mistaken for each other.
    pub(crate) fn token(&mut self, n: usize, out: &mut String) {
        let mut bits = 0u64;
        for i in 0..n {
            if i % 12 == 0 {
                bits = self.0.u64(..);
            }
            out.push(char::from(ALPHABET[(bits & 31) as usize]));
            bits >>= 5;
        }
    }

    /// A text with every `#` replaced by a digit and every `?` by a capital letter.
    pub(crate) fn digits(&mut self, pattern: &str) -> String {
        pattern
            .chars()
            .map(|c| match c {
                '#' => self.0.digit(10),
                '?' => self.0.uppercase(),
                other => other,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_has_its_mean_on_both_sides_of_the_approximation() {
        for mean in [0.3, 8.0, 29.0, 31.0, 400.0] {
            let mut dice = Dice::new(7);
            let sum: usize = (0..4000).map(|_| dice.poisson(mean)).sum();
            let got = sum as f64 / 4000.0;
            assert!((got - mean).abs() < 4.0 * (mean / 4000.0).sqrt() + 0.05, "{got} for {mean}");
        }
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(1);
        let hits = (0..10_000).filter(|_| dice.weighted([1.0, 0.0, 3.0].into_iter()) == 2).count();
        assert!((7_300..7_700).contains(&hits), "{hits}");
    }
}
