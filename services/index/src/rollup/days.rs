//! Which days an answer is about.

use groundswell_model::{Day, Timestamp};

/// Whole UTC days, from the first to before the last; an open end where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// First day in it.
    pub from: Option<Day>,
    /// First day no longer in it.
    pub until: Option<Day>,
}

impl Days {
    /// The days that hold everything from `since` to before `until`.
    #[must_use]
    pub fn covering(since: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        let behind = |t: Timestamp| Day(t.plus_ms(-1).day().0.saturating_add(1));
        Self { from: since.map(Timestamp::day), until: until.map(behind) }
    }

    /// Whether all days are in it.
    #[must_use]
    pub fn is_all(self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// Whether a day is in it.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// From its first moment to before its end; none if all time is in it.
    #[must_use]
    pub fn times(self) -> Option<(Timestamp, Timestamp)> {
        let from = self.from.map_or(Timestamp(i64::MIN), Day::start);
        let until = self.until.map_or(Timestamp(i64::MAX), Day::start);
        (!self.is_all()).then_some((from, until))
    }

    /// Its first and last day; none if it is empty.
    pub(super) fn bounds(self) -> Option<(Day, Day)> {
        let first = self.from.unwrap_or(Day(i32::MIN));
        let last = self.until.map_or(Some(i32::MAX), |until| until.0.checked_sub(1)).map(Day)?;
        (first <= last).then_some((first, last))
    }
}
