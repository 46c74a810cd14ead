//! Two estimates side by side.
//!
//! Both functions take independent estimates with their own intervals and recover the variance from them
//! ("method of variance estimates recovery"), so they hold for shares, means, scores and rates alike.

use crate::{Estimate, Interval};

/// `a` less `b`, with an interval where both have one.
///
/// Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in
/// Medicine 27 (2008), 1693–1702: a − b − √((a − a₁)² + (b₂ − b)²) to a − b + √((a₂ − a)² + (b − b₁)²). For two
/// shares with Wilson intervals it is Newcombe's method 10 (Statistics in Medicine 17 (1998), 873–890).
#[must_use]
pub fn difference(a: Estimate, b: Estimate) -> Estimate {
    let value = a.value - b.value;
    let interval = a.interval.zip(b.interval).map(|(ia, ib)| Interval {
        low: value - (a.value - ia.low).hypot(ib.high - b.value),
        high: value + (ia.high - a.value).hypot(b.value - ib.low),
    });
    Estimate { value, interval }
}

/// `a` over `b`, both at least 0, with an interval where both have one and it is bounded; none if `b` is 0.
///
/// Donner and Zou, "Closed-form confidence intervals for functions of the normal mean and standard deviation",
/// Statistical Methods in Medical Research 21 (2012), 347–359: the limits for a ratio.
#[must_use]
pub fn ratio(a: Estimate, b: Estimate) -> Option<Estimate> {
    if b.value <= 0.0 || a.value < 0.0 {
        return None;
    }
    let interval = a.interval.zip(b.interval).and_then(|(ia, ib)| ratio_interval(a.value, ia, b.value, ib));
    Some(Estimate { value: a.value / b.value, interval })
}

fn ratio_interval(a: f64, ia: Interval, b: f64, ib: Interval) -> Option<Interval> {
    let product = a * b;
    let end = |of_a: f64, of_b: f64, sign: f64| {
        let under = product * product - of_a * of_b * (2.0 * a - of_a) * (2.0 * b - of_b);
        (product + sign * under.max(0.0).sqrt()) / (of_b * (2.0 * b - of_b))
    };
    // An upper end of b beyond 2b turns the sign of the divisor: b can't be told from 0 on the scale of a ratio.
    let bounded = ib.low > 0.0 && ib.high < 2.0 * b;
    let interval = bounded.then(|| Interval { low: end(ia.low, ib.high, -1.0).max(0.0), high: end(ia.high, ib.low, 1.0) })?;
    (interval.low.is_finite() && interval.high.is_finite()).then_some(interval)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{poisson_rate, wilson};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_difference_turns_its_sign_with_its_sides(a in 0u64..100, b in 0u64..100) {
            let (pa, pb) = (wilson(a, 100).unwrap(), wilson(b, 100).unwrap());
            let (there, back) = (difference(pa, pb).interval.unwrap(), difference(pb, pa).interval.unwrap());
            prop_assert!((there.low + back.high).abs() < 1e-12 && (there.high + back.low).abs() < 1e-12);
            prop_assert!(there.low <= pa.value - pb.value && pa.value - pb.value <= there.high);
        }

        #[test]
        fn a_ratio_holds_its_value(a in 1u64..500, b in 20u64..500, exposure in 1.0f64..1e6) {
            let (ra, rb) = (poisson_rate(a, exposure, 1.0).unwrap(), poisson_rate(b, exposure * 2.0, 1.0).unwrap());
            let r = ratio(ra, rb).unwrap();
            if let Some(i) = r.interval {
                prop_assert!(0.0 <= i.low && i.low <= r.value * (1.0 + 1e-9) && r.value <= i.high * (1.0 + 1e-9), "{r:?}");
            }
        }
    }

    #[test]
    fn newcombes_own_example() {
        // 56/70 against 48/80, from his paper's Table II: 0.0524 to 0.3339.
        let i = difference(wilson(56, 70).unwrap(), wilson(48, 80).unwrap()).interval.unwrap();
        assert!((i.low - 0.0524).abs() < 5e-5 && (i.high - 0.3339).abs() < 5e-5, "{i:?}");
    }

    #[test]
    fn what_can_not_be_told_has_no_interval() {
        let one = Estimate { value: 4.0, interval: None };
        assert_eq!(difference(one, wilson(1, 2).unwrap()).interval, None);
        assert_eq!(ratio(one, Estimate { value: 0.0, interval: None }), None);
        assert_eq!(ratio(poisson_rate(3, 1.0, 1.0).unwrap(), poisson_rate(1, 1.0, 1.0).unwrap()).and_then(|r| r.interval), None);
    }
}
