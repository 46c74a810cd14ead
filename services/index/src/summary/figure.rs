//! Estimates as the figures of an answer.

use groundswell_stats::{Estimate, Interval, Weights};

use super::types::{Figure, Money};

/// The figure of an estimate over `n` items that count wholly.
pub(super) fn of_count(estimate: Option<Estimate>, n: u64) -> Figure {
    of_weights(estimate, &Weights::whole(n))
}

/// The figure of an estimate over items that may count in part.
pub(super) fn of_weights(estimate: Option<Estimate>, weights: &Weights) -> Figure {
    let interval = estimate.and_then(|e| e.interval);
    Figure {
        value: estimate.map(|e| tidy(e.value)),
        low: interval.map(|i| tidy(i.low)),
        high: interval.map(|i| tidy(i.high)),
        n: weights.n,
        effective_n: tidy(weights.effective()),
    }
}

/// A number that was counted or picked, so without an interval.
pub(super) fn plain(value: Option<f64>, n: u64) -> Figure {
    of_count(value.map(|value| Estimate { value, interval: None }), n)
}

/// The estimate of a figure.
pub(super) fn estimate(figure: &Figure) -> Option<Estimate> {
    let interval = figure.low.zip(figure.high).map(|(low, high)| Interval { low, high });
    figure.value.map(|value| Estimate { value, interval })
}

/// Rounds to twelve digits. Sums of weights differ in the last ones with the order of adding, and answers
/// from the same records must be the same however these were read.
pub(crate) fn tidy(number: f64) -> f64 {
    const DIGITS: f64 = 12.0;
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a float is small")]
    let shift = (DIGITS - 1.0 - number.abs().log10().floor()) as i32;
    // Powers of ten beyond 10^22 are not exact; numbers that small are left as they are.
    if !(-22..=22).contains(&shift) {
        return number;
    }
    let scale = 10f64.powi(shift.abs());
    if shift >= 0 { (number * scale).round() / scale } else { (number / scale).round() * scale }
}

/// A count as a real number.
#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 lose digits that nobody reads")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// The share of a part of all, with its Wilson interval.
pub(crate) fn share(part: u64, all: u64) -> Figure {
    of_count(groundswell_stats::wilson(part, all), all)
}

/// Amounts as an answer shows them.
pub(crate) fn money(revenue: &crate::rollup::Revenue) -> Vec<Money> {
    revenue.iter().map(|(currency, amount)| Money { currency: currency.clone(), amount: from_millionths(*amount) }).collect()
}

/// Millionths as a number.
#[expect(clippy::cast_precision_loss, reason = "amounts beyond 2^53 millionths lose digits that nobody reads")]
pub(super) fn from_millionths(millionths: i128) -> f64 {
    millionths as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tidying_moves_a_number_by_less_than_its_twelfth_digit(number in -1e9f64..1e9) {
            let tidied = tidy(number);
            prop_assert!((tidied - number).abs() <= number.abs() * 1e-11);
            prop_assert_eq!(tidy(tidied), tidied);
        }
    }

    #[test]
    fn the_order_of_adding_does_not_show() {
        assert_eq!(tidy(0.1 + 0.2 + 0.3), tidy(0.3 + 0.2 + 0.1));
        assert_eq!(tidy(0.0), 0.0);
    }
}
