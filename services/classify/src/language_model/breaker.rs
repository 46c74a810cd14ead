//! When to leave an endpoint alone that fails. Time is an argument.

use groundswell_model::Timestamp;

/// Failures in a row after which it is left alone.
const FAILURES: u32 = 3;
/// How long at first; twice as long each time it fails again.
const FIRST_MS: i64 = 10_000;
/// And never longer.
const LONGEST_MS: i64 = 15 * 60_000;

/// Closed, it lets requests through. After failures in a row it opens for a time; then one request is let through to try.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Timestamp>,
    opened: u32,
}

impl Breaker {
    /// Whether a request may be made now.
    #[must_use]
    pub fn allows(&self, now: Timestamp) -> bool {
        self.open_until.is_none_or(|until| now >= until)
    }

    /// A request succeeded.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A request failed. `wait_ms` is what the endpoint asked for, if it did.
    pub fn failed(&mut self, now: Timestamp, wait_ms: Option<i64>) {
        self.failures = self.failures.saturating_add(1);
        let trying = self.open_until.is_some();
        if trying || self.failures >= FAILURES {
            let usual = FIRST_MS.saturating_mul(1_i64 << self.opened.min(20)).min(LONGEST_MS);
            self.open_until = Some(now.plus_ms(usual.max(wait_ms.unwrap_or(0).min(LONGEST_MS))));
            self.opened = self.opened.saturating_add(1);
        } else if let Some(wait) = wait_ms {
            self.open_until = Some(now.plus_ms(wait.clamp(0, LONGEST_MS)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp(ms)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_longer_each_time() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), None);
        breaker.failed(at(1), None);
        assert!(breaker.allows(at(2)));
        breaker.failed(at(2), None);
        assert!(!breaker.allows(at(10_001)) && breaker.allows(at(10_002)));
        breaker.failed(at(10_002), None);
        assert!(!breaker.allows(at(30_001)) && breaker.allows(at(30_002)), "one failed try opens it for twice as long");
        breaker.succeeded();
        breaker.failed(at(40_000), None);
        assert!(breaker.allows(at(40_000)), "it counts anew");
    }

    #[test]
    fn what_the_endpoint_asks_for_is_respected_within_bounds() {
        let mut breaker = Breaker::default();
        breaker.failed(at(0), Some(60_000));
        assert!(!breaker.allows(at(59_999)) && breaker.allows(at(60_000)));
        breaker.succeeded();
        breaker.failed(at(0), Some(i64::MAX));
        assert!(breaker.allows(at(LONGEST_MS)));
    }

    proptest! {
        #[test]
        fn it_never_stays_open_for_ever(steps in proptest::collection::vec((any::<bool>(), 0i64..100_000, proptest::option::of(any::<i64>())), 0..60)) {
            let (mut breaker, mut now) = (Breaker::default(), 0);
            for (good, wait, asked) in steps {
                now += wait;
                if breaker.allows(at(now)) {
                    if good { breaker.succeeded() } else { breaker.failed(at(now), asked) }
                }
                prop_assert!(breaker.allows(at(now + LONGEST_MS)));
            }
        }
    }
}
