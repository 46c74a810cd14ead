//! Whether a version can be removed: conditions on who still calls it and on what was announced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::grouped;
use crate::prepare::real;
use crate::types::Verdict;

/// What must hold before a version is removed: section `[removal]` of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RemovalPolicy {
    /// Days that it must have been quiet for.
    pub quiet_days: u32,
    /// Consumers that may still call it in them.
    pub maximum_consumers: u64,
    /// Calls that may still come in them, of nobody named too.
    pub maximum_calls: u64,
    /// Whether a sunset date must have been announced and have passed.
    pub require_sunset: bool,
    /// Open feedback about migrating that may be left, in pieces.
    pub maximum_open_feedback: Option<u64>,
}

impl Default for RemovalPolicy {
    fn default() -> Self {
        Self { quiet_days: 14, maximum_consumers: 0, maximum_calls: 0, require_sunset: true, maximum_open_feedback: None }
    }
}

/// What is known of a version that is to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovalFacts {
    /// Days of the API's data up to the last.
    pub days_of_data: u32,
    /// Consumers that called it in the quiet days.
    pub consumers: u64,
    /// Calls in the quiet days, of nobody named too.
    pub calls: u64,
    /// Whether the announced sunset has passed; none: no date was announced.
    pub sunset_passed: Option<bool>,
    /// Open pieces of feedback about migrating.
    pub open_feedback: u64,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// Its stable name.
    pub name: String,
    /// Whether it holds; none where it can't be told.
    pub met: Option<bool>,
    /// What is known, in words.
    pub told: String,
}

/// Pass: it can be removed. Regression: it can't. Inconclusive: nobody can tell.
#[must_use]
pub fn removal(policy: &RemovalPolicy, facts: &RemovalFacts) -> (Verdict, Vec<Condition>) {
    let enough = facts.days_of_data >= policy.quiet_days;
    let quiet = |found: u64, most: u64| if found > most { Some(false) } else { enough.then_some(true) };
    let condition = |name: &str, met, told: String| Condition { name: name.to_owned(), met, told };
    let number = |n: u64| grouped(real(n));
    let days = policy.quiet_days;
    let mut conditions = vec![
        condition(
            "consumers",
            quiet(facts.consumers, policy.maximum_consumers),
            format!(
                "{} consumers called it in the last {days} days, at most {} may",
                number(facts.consumers),
                number(policy.maximum_consumers)
            ),
        ),
        condition(
            "calls",
            quiet(facts.calls, policy.maximum_calls),
            format!("{} calls in the last {days} days, at most {} may be", number(facts.calls), number(policy.maximum_calls)),
        ),
    ];
    if !enough {
        let told = format!("there are {} days of data, {days} are wanted", facts.days_of_data);
        conditions.push(condition("days_of_data", None, told));
    }
    if policy.require_sunset {
        let told = match facts.sunset_passed {
            None => "no sunset date was announced",
            Some(false) => "the announced sunset date has not passed",
            Some(true) => "the announced sunset date has passed",
        };
        conditions.push(condition("sunset", Some(facts.sunset_passed == Some(true)), told.to_owned()));
    }
    if let Some(most) = policy.maximum_open_feedback {
        let told = format!("{} open pieces of feedback about migrating, at most {} may be", number(facts.open_feedback), number(most));
        conditions.push(condition("open_feedback", Some(facts.open_feedback <= most), told));
    }
    let verdict = if conditions.iter().any(|c| c.met == Some(false)) {
        Verdict::Regression
    } else if conditions.iter().any(|c| c.met.is_none()) {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    };
    (verdict, conditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(facts: RemovalFacts) -> Verdict {
        removal(&RemovalPolicy::default(), &facts).0
    }

    #[test]
    fn a_version_is_removed_when_it_is_quiet_and_was_announced() {
        let quiet = RemovalFacts { days_of_data: 40, sunset_passed: Some(true), ..RemovalFacts::default() };
        assert_eq!(of(quiet), Verdict::Pass);
        assert_eq!(of(RemovalFacts { calls: 1, ..quiet }), Verdict::Regression, "a call of nobody named is a call");
        assert_eq!(of(RemovalFacts { consumers: 1, calls: 9, ..quiet }), Verdict::Regression);
        assert_eq!(of(RemovalFacts { sunset_passed: None, ..quiet }), Verdict::Regression);
        assert_eq!(of(RemovalFacts { sunset_passed: Some(false), ..quiet }), Verdict::Regression);
        assert_eq!(of(RemovalFacts { days_of_data: 5, ..quiet }), Verdict::Inconclusive, "silence of five days tells nothing of fourteen");
        assert_eq!(of(RemovalFacts { open_feedback: 9, ..quiet }), Verdict::Pass, "feedback counts where the policy says so");
        let strict = RemovalPolicy { maximum_open_feedback: Some(0), ..RemovalPolicy::default() };
        assert_eq!(removal(&strict, &RemovalFacts { open_feedback: 9, ..quiet }).0, Verdict::Regression);
    }
}
