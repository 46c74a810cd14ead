//! From a comparison to a verdict, and what would be needed for one.

use crate::compare::Comparison;
use crate::types::{Needed, Verdict};

/// Beyond half a year, "so many days" is no advice.
const FARTHEST_DAYS: f64 = 180.0;

/// The verdict on a comparison whose `minimum` effect is on its own scale. Up is worse; 0 is no difference.
pub(crate) fn verdict(comparison: &Comparison, no_difference: f64, minimum: f64) -> Verdict {
    if comparison.low > no_difference && comparison.estimate >= minimum {
        Verdict::Regression
    } else if comparison.high < minimum {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    }
}

/// What has been seen of the candidate so far.
pub(crate) struct Seen {
    pub(crate) exposure: f64,
    pub(crate) unit: &'static str,
    pub(crate) days: f64,
}

/// How much more of the same would decide, were the estimate right: the interval's half shrinks as one over the root of what is seen.
pub(crate) fn needed(comparison: &Comparison, no_difference: f64, minimum: f64, seen: &Seen) -> Option<Needed> {
    let worse = comparison.estimate >= minimum;
    let (half, distance) = if worse {
        (comparison.estimate - comparison.low, comparison.estimate - no_difference)
    } else {
        (comparison.high - comparison.estimate, minimum - comparison.estimate)
    };
    if !half.is_finite() || half <= 0.0 || distance <= 0.0 || seen.exposure <= 0.0 {
        return None;
    }
    let more = ((half / distance).powi(2) - 1.0).max(0.02);
    let (exposure, days) = (round_up(more * seen.exposure), (more * seen.days).ceil().max(1.0));
    if days > FARTHEST_DAYS {
        let text = format!("more than half a year at this traffic (about {} more {})", grouped(exposure), seen.unit);
        return Some(Needed { exposure: Some(exposure), unit: seen.unit.to_owned(), days: None, text });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 180")]
    let whole_days = days as u32;
    let s = if whole_days == 1 { "" } else { "s" };
    let text = format!("about {} more {} or {whole_days} day{s}", grouped(exposure), seen.unit);
    Some(Needed { exposure: Some(exposure), unit: seen.unit.to_owned(), days: Some(whole_days), text })
}

/// Two digits are as much as such an estimate is worth.
fn round_up(value: f64) -> f64 {
    if value < 10.0 {
        return value.ceil();
    }
    let unit = 10f64.powf(value.log10().floor() - 1.0);
    (value / unit).ceil() * unit
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Method;

    fn comparison(estimate: f64, half: f64) -> Comparison {
        Comparison {
            estimate,
            low: estimate - half,
            high: estimate + half,
            method: Method::Paired,
            compared: 9,
            effective: 9.0,
            outliers: vec![],
        }
    }

    #[test]
    fn a_regression_is_told_from_nothing_and_matters() {
        assert_eq!(verdict(&comparison(0.3, 0.2), 0.0, 0.2), Verdict::Regression);
        assert_eq!(verdict(&comparison(0.1, 0.05), 0.0, 0.2), Verdict::Pass, "told from nothing, and does not matter");
        assert_eq!(verdict(&comparison(0.1, 0.15), 0.0, 0.2), Verdict::Inconclusive);
        assert_eq!(verdict(&comparison(0.3, 0.4), 0.0, 0.2), Verdict::Inconclusive);
    }

    #[test]
    fn what_is_needed_shrinks_the_interval_to_the_distance() {
        let seen = Seen { exposure: 1000.0, unit: "calls", days: 10.0 };
        let needed = needed(&comparison(0.3, 0.4), 0.0, 0.2, &seen).unwrap();
        assert_eq!(needed.text, "about 780 more calls or 8 days", "(0.4 / 0.3)² = 1.78");
        let far = super::needed(&comparison(0.19, 0.4), 0.0, 0.2, &seen).unwrap();
        assert!(far.days.is_none() && far.text.starts_with("more than half a year"), "{far:?}");
    }
}
