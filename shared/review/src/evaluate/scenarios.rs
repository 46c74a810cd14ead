//! The scenarios that are evaluated.

use super::scenario::{Scenario, Truth};

/// All of them: first those without any difference, then those with one.
#[must_use]
pub fn scenarios() -> Vec<Scenario> {
    let mut all = without_difference();
    all.extend(with_difference());
    all
}

fn without_difference() -> Vec<Scenario> {
    let usual = Scenario::default;
    vec![
        usual(),
        Scenario { name: "few consumers", about: "120 consumers", consumers: 120, ..usual() },
        Scenario {
            name: "heavy early adopters",
            about: "those with much traffic fail twice as often and move five times as fast",
            early_heavy: 5.0,
            ..usual()
        },
        Scenario {
            name: "one loud consumer",
            about: "a consumer with most of the calls fails by itself on the candidate: 30 % of its calls",
            loud: Some(0.3),
            ..usual()
        },
        Scenario { name: "falling usage", about: "4 % fewer calls every day", falling: 0.04, ..usual() },
        Scenario { name: "drift", about: "error odds of everybody grow threefold", drift: 2.0, ..usual() },
        Scenario {
            name: "outages of both",
            about: "three days on which both versions fail, heavy early adopters",
            outages: &[(-10, 0.3), (5, 0.3), (15, 0.5)],
            early_heavy: 5.0,
            ..usual()
        },
        Scenario {
            name: "coming and going",
            about: "30 % newcomers whose first calls fail, 30 % disappear",
            newcomers: 0.3,
            leavers: 0.3,
            ..usual()
        },
        Scenario {
            name: "restless",
            about: "every consumer's rate changes by itself, day by day and for good",
            restless: (0.9, 0.5),
            ..usual()
        },
        Scenario { name: "daily looks", about: "looked at on each of 28 days", daily: true, ..usual() },
        Scenario {
            name: "daily looks, all at once",
            about: "heavy early adopters, one loud consumer, falling usage, an outage, newcomers and leavers",
            daily: true,
            early_heavy: 5.0,
            loud: Some(0.3),
            falling: 0.03,
            outages: &[(6, 0.3)],
            newcomers: 0.2,
            leavers: 0.2,
            ..usual()
        },
        Scenario {
            name: "one operation, daily looks",
            about: "a guardrail on an operation with a fifth of the calls, looked at on each of 28 days",
            daily: true,
            operation: 0.2,
            ..usual()
        },
        Scenario {
            name: "daily looks, few consumers",
            about: "120 consumers with a loud one, looked at on each of 28 days",
            daily: true,
            consumers: 120,
            loud: Some(0.3),
            ..usual()
        },
    ]
}

fn with_difference() -> Vec<Scenario> {
    let usual = Scenario::default;
    let errors = Truth { error_odds: 0.5, ..Truth::default() };
    vec![
        Scenario { name: "errors up by half", about: "error odds times 1.5", truth: errors, ..usual() },
        Scenario { name: "errors up, little traffic", about: "the same with half the calls", truth: errors, traffic: 1.0, ..usual() },
        Scenario { name: "errors up, few consumers", about: "the same with 120 consumers", truth: errors, consumers: 120, ..usual() },
        Scenario {
            name: "errors up, heavy early",
            about: "the same with heavy early adopters",
            truth: errors,
            early_heavy: 5.0,
            ..usual()
        },
        Scenario {
            name: "errors up, hidden",
            about: "the same; a loud consumer stops failing on the candidate",
            truth: errors,
            loud: Some(0.001),
            ..usual()
        },
        Scenario { name: "errors up, daily looks", about: "the same, looked at on each of 28 days", truth: errors, daily: true, ..usual() },
        Scenario {
            name: "one operation fails more",
            about: "error odds of an operation with a fifth of the calls times 2",
            truth: Truth { operation_odds: 1.0, ..Truth::default() },
            operation: 0.2,
            ..usual()
        },
        Scenario { name: "slower", about: "latencies times 1.25", truth: Truth { latency: 0.25, ..Truth::default() }, ..usual() },
        Scenario { name: "more feedback", about: "feedback times 1.6", truth: Truth { feedback: 0.6, ..Truth::default() }, ..usual() },
    ]
}
