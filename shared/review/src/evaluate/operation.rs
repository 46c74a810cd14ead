//! One operation among the calls of a stream, with a guardrail of its own.

use super::dice::{Dice, real};
use super::scenario::Scenario;
use crate::input::{CustomCount, ReviewInput};
use crate::policy::{GuardrailPolicy, Policy};

/// The name of the guardrail.
pub(crate) const NAME: &str = "one operation";

/// The default policy, with a guardrail on the operation where the scenario has one.
pub(crate) fn policy(scenario: &Scenario) -> Policy {
    let mut policy = Policy::default();
    if scenario.operation > 0.0 {
        let own = GuardrailPolicy { operation: Some("createOrder".to_owned()), ..GuardrailPolicy::default() };
        policy.guardrails.insert(NAME.to_owned(), own);
    }
    policy
}

/// Tells the calls of the operation apart: of each day a part by chance. They fail as the day's calls did, and more often on the candidate
/// where that is so in truth; the day's errors are drawn anew from both.
pub(crate) fn told_apart(mut input: ReviewInput, scenario: &Scenario, seed: u64) -> ReviewInput {
    let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0b5e);
    input.custom = vec![NAME.to_owned()];
    input.operations = vec![0];
    for consumer in &mut input.consumers {
        for (candidate, side) in [(false, &mut consumer.baseline), (true, &mut consumer.candidate)] {
            let times = if candidate { 1.0 + scenario.truth.operation_odds } else { 1.0 };
            for day in &mut side.usage {
                let usual = real(day.errors) / real(day.calls);
                let own = usual * times / (1.0 + usual * (times - 1.0));
                let calls = dice.binomial(day.calls, scenario.operation);
                let errors = dice.binomial(calls, own);
                day.errors = errors + dice.binomial(day.calls - calls, usual);
                if calls > 0 {
                    side.custom.push(CustomCount { guardrail: 0, day: day.day, count: real(errors), exposure: Some(real(calls)) });
                }
            }
        }
    }
    input
}
