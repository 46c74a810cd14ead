//! What one consumer may weigh: the more counts, the more, up to a bound.
//!
//! A consumer's own rate moves for reasons of its own, by a coefficient of variation √φ. Its residual then has the
//! variance m + φ·m², m being its information, and the best weight is 1/(1 + φ·m): a consumer with a million
//! errors tells no more than 1/φ independent ones (Breslow, *Applied Statistics* 33 (1984) 38–44). φ is learned from the consumers.

use crate::conditional::Part;
use crate::panel::Panel;

/// φ before anything is learned.
const START: f64 = 0.1;
/// The least φ: no consumer counts for more than 1/φ = 10 independent errors' worth, however calm it looks.
const LEAST: f64 = 0.1;
/// The greatest φ: beyond, consumers count nearly alike already.
const GREATEST: f64 = 4.0;
/// No consumer has more than this share of all weighted information …
const GREATEST_SHARE: f64 = 0.03;
/// … or, where there are few, than so many times its equal share. Half of either costs few consumers a tenth of what they tell, and no more
/// than this is gained without any bound.
const EQUAL_SHARES: f64 = 4.0;
/// Information of one count that may fall on either side alike: ½·½.
const PER_COUNT: f64 = 0.25;
/// A residual counts up to so many times what is expected of it.
const BOUND: f64 = 2.0;
/// Nobody is loud who is off by one count: where few counts are expected on the candidate, each one there is far beyond its expectation,
/// and bounding those would take from one side only.
pub(crate) const ONE_COUNT: f64 = 1.0;
/// A squared residual beyond so many times its expectation counts as that when φ is learned: one loud consumer does not set it.
const ODD: f64 = 16.0;

/// The weights of all consumers of a panel.
#[derive(Clone, Debug)]
pub(crate) struct Weighting {
    /// φ.
    pub(crate) dispersion: f64,
    weights: Vec<f64>,
}

impl Weighting {
    /// Before anything is known.
    pub(crate) fn start(panel: &Panel) -> Self {
        Self::of_dispersion(panel, START)
    }

    fn of_dispersion(panel: &Panel, dispersion: f64) -> Self {
        // Of counts on both sides alike: which side they are on must not change a weight.
        let information: Vec<f64> = panel.iter().map(|consumer| PER_COUNT * consumer.total).collect();
        let mut weights: Vec<f64> = information.iter().map(|m| 1.0 / (1.0 + dispersion * m)).collect();
        let sum: f64 = information.iter().zip(&weights).map(|(m, w)| m * w).sum();
        #[expect(clippy::cast_precision_loss, reason = "a number of consumers")]
        let counting = information.iter().filter(|m| **m > 0.0).count().max(1) as f64;
        let greatest = sum * GREATEST_SHARE.max(EQUAL_SHARES / counting);
        for (weight, m) in weights.iter_mut().zip(&information) {
            if *weight * m > greatest {
                *weight = greatest / m;
            }
        }
        Self { dispersion, weights }
    }

    /// The weights for the φ that the residuals tell: Σω(r² − m) / Σω·m², ω = 1/(m + φ·m²), over those on both versions.
    pub(crate) fn learn(&self, panel: &Panel, parts: &[Part]) -> Self {
        let mut dispersion = self.dispersion;
        for _ in 0..4 {
            let (mut above, mut below) = (0.0, 0.0);
            for part in parts.iter().filter(|p| p.information > 0.0) {
                let m = part.information;
                let expected = m + dispersion * m * m;
                let square = (part.residual * part.residual).min(ODD * expected);
                above += (square - m) / expected;
                below += m * m / expected;
            }
            if below > 0.0 {
                dispersion = (above / below).clamp(LEAST, GREATEST);
            }
        }
        let mut learned = Self::of_dispersion(panel, dispersion);
        learned.bound(panel, parts);
        learned
    }

    /// A residual further off than [`BOUND`] weighs as if it were just there (Huber, *Annals of Mathematical Statistics* 35 (1964) 73–101).
    fn bound(&mut self, panel: &Panel, parts: &[Part]) {
        let mut parts = parts.iter().peekable();
        for (place, consumer) in panel.counted() {
            let Some(part) = parts.next_if(|p| p.id == consumer.id) else { continue };
            let expected = (part.information + self.dispersion * part.information * part.information).sqrt();
            let greatest = (BOUND * expected).max(ONE_COUNT);
            if part.residual.abs() > greatest {
                self.weights[place] *= greatest / part.residual.abs();
            }
        }
    }

    /// The weight of the consumer at this place of the panel.
    pub(crate) fn of(&self, place: usize) -> f64 {
        self.weights[place]
    }
}

/// The square that a consumer's weighted residual is expected to have.
pub(crate) fn expected_square(part: &Part, dispersion: f64) -> f64 {
    part.weight * part.weight * (part.information + dispersion * part.information * part.information)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Builder, Cell};

    /// The greatest part that one consumer has of all that the bound was reckoned from, the first with a thousand times the others' counts.
    fn greatest(consumers: u32) -> f64 {
        let mut panel = Builder::new(1);
        for id in 0..consumers {
            let count = if id == 0 { 10_000.0 } else { 10.0 };
            panel.push(id, [Cell { day: 0, candidate: true, exposure: 1.0, count }]);
        }
        let panel = panel.build();
        let weights = Weighting::start(&panel);
        let of = |total: f64| PER_COUNT * total / (1.0 + START * PER_COUNT * total);
        let unbound: f64 = panel.iter().map(|c| of(c.total)).sum();
        panel.iter().enumerate().map(|(place, c)| PER_COUNT * c.total * weights.of(place)).fold(0.0, f64::max) / unbound
    }

    #[test]
    fn nobody_weighs_more_than_its_bound() {
        assert!((greatest(100) - 4.0 / 100.0).abs() < 1e-9, "with few, four equal shares: {}", greatest(100));
        assert!((greatest(140) - GREATEST_SHARE).abs() < 1e-9, "with more, a fixed share: {}", greatest(140));
        assert!(greatest(2_000) < 0.01, "with many, what its own dispersion leaves: {}", greatest(2_000));
    }
}
