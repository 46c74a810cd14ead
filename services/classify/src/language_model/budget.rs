//! How much may be asked in a day. Time is an argument.

use groundswell_model::{Day, Timestamp};

/// Texts that may be asked about, day by day in UTC.
#[derive(Clone, Debug)]
pub struct Budget {
    per_day: u64,
    day: Option<Day>,
    used: u64,
}

impl Budget {
    /// So many a day.
    #[must_use]
    pub fn new(per_day: u64) -> Self {
        Self { per_day, day: None, used: 0 }
    }

    /// Takes up to `wanted` from what is left of the day; the answer is how many. A clock that goes back brings nothing back.
    pub fn take(&mut self, wanted: u64, now: Timestamp) -> u64 {
        let today = now.day();
        if self.day.is_none_or(|day| today > day) {
            (self.day, self.used) = (Some(today), 0);
        }
        let taken = wanted.min(self.per_day.saturating_sub(self.used));
        self.used += taken;
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_new_day_brings_a_new_budget() {
        let mut budget = Budget::new(10);
        let taken = [(8, 0), (8, 1), (1, DAY - 1), (3, DAY), (20, DAY + 5)].map(|(n, at)| budget.take(n, Timestamp(at)));
        assert_eq!(taken, [8, 2, 0, 3, 7]);
        assert_eq!(budget.take(5, Timestamp(0)), 0, "a clock that goes back brings nothing back");
    }

    proptest! {
        #[test]
        fn no_day_takes_more_than_it_has(steps in proptest::collection::vec((0u64..50, 0i64..3 * DAY), 0..100), per_day in 0u64..100) {
            let mut budget = Budget::new(per_day);
            let mut steps = steps;
            steps.sort_by_key(|(_, at)| *at);
            let mut days = std::collections::BTreeMap::<i32, u64>::new();
            for (wanted, at) in steps {
                *days.entry(Timestamp(at).day().0).or_default() += budget.take(wanted, Timestamp(at));
            }
            prop_assert!(days.values().all(|used| *used <= per_day));
        }
    }
}
