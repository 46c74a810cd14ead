//! An exact test of whether a share rose.

use statrs::function::gamma::ln_gamma;

use crate::real;

/// A term this much smaller than the sum changes nothing any more.
const NEGLIGIBLE: f64 = 1e-17;

/// The chance that at least so many of `now`'s calls would be hits if a call were as likely to be one before and now: one-sided.
/// Each pair is hits and all. None without calls on either side.
///
/// Given all hits, those that fall to `now` are hypergeometric, whatever the common share is: Fisher, *The Design of
/// Experiments* (1935), and Agresti, "A survey of exact inference for contingency tables", *Statistical Science* 7 (1992)
/// 131–153. More hits than calls count as all calls.
#[must_use]
pub fn share_rose((before_hits, before): (u64, u64), (now_hits, now): (u64, u64)) -> Option<f64> {
    if before == 0 || now == 0 {
        return None;
    }
    let (before_hits, now_hits) = (before_hits.min(before), now_hits.min(now));
    let hits = before_hits.saturating_add(now_hits);
    let misses = before.saturating_add(now) - hits;
    let (hits, misses, now, least) = (real(hits), real(misses), real(now), real(now_hits));
    // A sum from the side with fewer terms that matter: from here up where it rose, else one less the terms below.
    let expected = now * hits / (hits + misses);
    if least <= expected {
        let below = tail(hits, misses, now, least - 1.0, -1.0);
        return Some((1.0 - below).clamp(0.0, 1.0));
    }
    Some(tail(hits, misses, now, least, 1.0).min(1.0))
}

/// The sum of the probabilities from `start` on, upwards or downwards.
fn tail(hits: f64, misses: f64, drawn: f64, start: f64, step: f64) -> f64 {
    let most = hits.min(drawn);
    let least = (drawn - misses).max(0.0);
    if start < least || start > most {
        return if (start < least) == (step > 0.0) { 1.0 } else { 0.0 };
    }
    let mut term = (choose(hits, start) + choose(misses, drawn - start) - choose(hits + misses, drawn)).exp();
    let (mut sum, mut at) = (term, start);
    loop {
        let factor = if step > 0.0 {
            (hits - at) * (drawn - at) / ((at + 1.0) * (misses - drawn + at + 1.0))
        } else {
            at * (misses - drawn + at) / ((hits - at + 1.0) * (drawn - at + 1.0))
        };
        at += step;
        if at < least || at > most {
            return sum;
        }
        term *= factor;
        sum += term;
        if term <= sum * NEGLIGIBLE {
            return sum;
        }
    }
}

/// Logarithm of the number of ways to choose `k` of `n`.
fn choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fisher's lady tasting tea: three of four and more by chance, 17 in 70.
    #[test]
    fn the_lady_tasting_tea() {
        let p = share_rose((1, 4), (3, 4)).unwrap();
        assert!((p - 17.0 / 70.0).abs() < 1e-12, "{p}");
        assert!((share_rose((0, 4), (4, 4)).unwrap() - 1.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn no_calls_is_no_answer_and_no_hits_is_no_rise() {
        assert_eq!((share_rose((0, 0), (1, 2)), share_rose((1, 2), (0, 0))), (None, None));
        assert_eq!(share_rose((0, 10), (0, 10)), Some(1.0));
        assert!(share_rose((1_000, 1_000_000), (1_500, 1_000_000)).unwrap() < 1e-20);
        assert!(share_rose((5_000_000, 10_000_000), (5_000_000, 10_000_000)).unwrap() > 0.5);
    }

    /// Every way to draw, counted one by one.
    fn counted(before: (u64, u64), now: (u64, u64)) -> f64 {
        let ways = |n: u64, k: u64| (0..k).fold(1.0, |w, i| w * (n - i) as f64 / (i + 1) as f64);
        let (hits, all) = (before.0 + now.0, before.1 + now.1);
        let draw = |x: u64| if x > hits || now.1 - x > all - hits { 0.0 } else { ways(hits, x) * ways(all - hits, now.1 - x) };
        (now.0..=now.1).map(draw).sum::<f64>() / ways(all, now.1)
    }

    proptest! {
        #[test]
        fn it_is_what_counting_gives(before in 1u64..40, now in 1u64..40, a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let part = |of: u64, share: f64| (of as f64 * share) as u64;
            let (x, y) = ((part(before, a), before), (part(now, b), now));
            let (got, expected) = (share_rose(x, y).unwrap(), counted(x, y));
            prop_assert!((got - expected).abs() < 1e-9, "{got} for {expected}");
        }
    }
}
