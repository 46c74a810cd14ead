//! What to simulate.

use groundswell_model::Timestamp;

/// How long, how many, how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The same plan with the same seed gives the same events.
    pub seed: u64,
    /// Everything happens before this time.
    pub end: Timestamp,
    /// How many days before the end it begins.
    pub days: u32,
    /// How many consumers there are.
    pub consumers: usize,
    /// How many APIs, the story's first.
    pub apis: usize,
    /// About how many tickets, survey responses and usage events; duplicates, releases and identities come on top.
    pub events: u64,
    /// The share of tickets among them.
    pub tickets: f64,
    /// The share of survey responses among them.
    pub surveys: f64,
    /// The share of events that arrive late.
    pub late: f64,
    /// The share of events that are sent twice.
    pub resent: f64,
}

impl Plan {
    /// Six weeks of four APIs: the company of the demo.
    #[must_use]
    pub fn new(end: Timestamp) -> Self {
        Self {
            seed: 1,
            end,
            days: 42,
            consumers: 240,
            apis: crate::company::API_COUNT,
            events: 120_000,
            tickets: 0.02,
            surveys: 0.02,
            late: 0.01,
            resent: 0.004,
        }
    }

    /// When it begins.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.end.plus_ms(-i64::from(self.days) * DAY_MS)
    }

    /// Whether it can be simulated.
    ///
    /// # Errors
    /// A value lies outside of what makes sense; the message names it and its limits.
    pub fn check(&self) -> Result<(), BadPlan> {
        let whole = |name, value, low, high| if (low..=high).contains(&value) { Ok(()) } else { Err(BadPlan { name, low, high }) };
        whole("days", u64::from(self.days), 3, 366)?;
        whole("consumers", self.consumers as u64, 10, 20_000)?;
        whole("apis", self.apis as u64, 1, crate::company::API_COUNT as u64)?;
        whole("events", self.events, 1, 1_000_000_000_000)?;
        let percent = |share: f64| if share >= 0.0 { (share * 100.0).ceil() as u64 } else { u64::MAX };
        whole("percent of tickets", percent(self.tickets), 0, 50)?;
        whole("percent of surveys", percent(self.surveys), 0, 50)?;
        whole("percent of late events", percent(self.late), 0, 20)?;
        whole("percent of resent events", percent(self.resent), 0, 20)
    }
}

/// A plan that can't be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must lie between {low} and {high}")]
pub struct BadPlan {
    /// Which value.
    pub name: &'static str,
    /// Lowest value allowed.
    pub low: u64,
    /// Highest value allowed.
    pub high: u64,
}

pub(crate) const HOUR_MS: i64 = 3_600_000;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_plan_names_what_is_wrong() {
        let good = Plan::new(Timestamp(1_780_000_000_000));
        assert_eq!(good.check(), Ok(()));
        let bad = Plan { days: 2, ..good.clone() };
        assert_eq!(bad.check().map_err(|e| e.to_string()), Err("days must lie between 3 and 366".to_owned()));
        assert!(Plan { tickets: -0.5, ..good.clone() }.check().is_err());
        assert!(Plan { late: f64::NAN, ..good }.check().is_err());
    }
}
