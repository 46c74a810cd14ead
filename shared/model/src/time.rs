//! Points in time as the pipeline counts them. Reading the clock is the caller's business.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const MS_PER_HOUR: i64 = 3_600_000;
const HOURS_PER_DAY: i32 = 24;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time: {0:?}; write it like 2026-03-01T12:30:00Z")]
pub struct BadTime(pub String);

impl Timestamp {
    /// Reads an RFC 3339 time with any offset.
    ///
    /// # Errors
    /// The text is not an RFC 3339 time, or lies outside the years −9999 to 9999.
    pub fn parse(text: &str) -> Result<Self, BadTime> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|_| BadTime(text.chars().take(64).collect()))
    }

    /// The time as RFC 3339 in UTC, with milliseconds only where there are any.
    #[must_use]
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map_or_else(|_| self.0.to_string(), |t| t.to_string())
    }

    /// The UTC hour this time falls in.
    #[must_use]
    pub fn hour(self) -> Hour {
        Hour(i32::try_from(self.0.div_euclid(MS_PER_HOUR)).unwrap_or(if self.0 < 0 { i32::MIN } else { i32::MAX }))
    }

    /// The UTC day this time falls in.
    #[must_use]
    pub fn day(self) -> Day {
        self.hour().day()
    }

    /// This time moved by `ms` milliseconds, stopping at the ends of the range.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Whole UTC hours since 1970-01-01T00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hour(pub i32);

impl Hour {
    /// The first millisecond of the hour.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * MS_PER_HOUR)
    }

    /// The UTC day this hour belongs to.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(HOURS_PER_DAY))
    }
}

/// Whole UTC days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// The first millisecond of the day.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * MS_PER_HOUR * i64::from(HOURS_PER_DAY))
    }

    /// The day as `YYYY-MM-DD`.
    #[must_use]
    pub fn iso(self) -> String {
        self.start().rfc3339().chars().take(10).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_round_down_before_the_epoch_too() {
        assert_eq!(Timestamp(-1).hour(), Hour(-1));
        assert_eq!(Timestamp(-1).day(), Day(-1));
        assert_eq!(Timestamp(0).day(), Day(0));
    }

    #[test]
    fn a_time_reads_with_an_offset_and_prints_in_utc() {
        let t = Timestamp::parse("2026-03-01T12:30:00+02:00");
        assert_eq!(t.map(Timestamp::rfc3339), Ok("2026-03-01T10:30:00Z".to_owned()));
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn a_day_prints_as_a_date() {
        assert_eq!(Timestamp(1_772_361_000_000).day().iso(), "2026-03-01");
    }
}
