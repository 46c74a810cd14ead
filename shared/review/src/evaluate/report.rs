//! The outcomes as a table.

use super::{Outcome, Share};

/// Headings of [`rows`].
pub const COLUMNS: [&str; 10] =
    ["scenario", "consumers", "looks", "truth", "alarms", "its guardrail", "passed", "pooled test", "by consumer", "looked at once"];

/// A row for each outcome: shares of the streams in percent, alarms with their 95 % interval.
#[must_use]
pub fn rows(outcomes: &[Outcome]) -> Vec<[String; 10]> {
    outcomes.iter().map(row).collect()
}

fn row(outcome: &Outcome) -> [String; 10] {
    [
        outcome.scenario.clone(),
        outcome.consumers.to_string(),
        outcome.looks.to_string(),
        if outcome.worse { "worse" } else { "no difference" }.to_owned(),
        with_interval(outcome.alarms),
        percent(outcome.guardrail.value),
        percent(outcome.passed.value),
        percent(outcome.pooled.value),
        percent(outcome.by_consumer.value),
        percent(outcome.looked_at_once.value),
    ]
}

fn with_interval(share: Share) -> String {
    format!("{} ({} to {})", percent(share.value), percent(share.low), percent(share.high))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// What the columns mean.
pub const NOTES: [&str; 4] = [
    "alarms: streams of which a review called a regression at any look, with the 95 % interval (Wilson); false where the truth is no difference",
    "its guardrail: the one that is worse in truth called it (error rate where none is)",
    "pooled test: two shares of all calls; by consumer: a paired test with bounded weights and days corrected by those who stayed",
    "looked at once: this comparison, that guardrail alone; these three look at the last day only, one-sided at 5 %",
];
