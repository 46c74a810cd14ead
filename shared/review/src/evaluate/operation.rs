//! One operation among the calls of a stream, with a guardrail of its own.

use groundswell_model::Day;

use super::dice::{Dice, real};
use super::scenario::Scenario;
use crate::input::{CustomCount, ReviewInput, VersionUse};
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

/// Says that an input has the operation.
pub(crate) fn named(input: ReviewInput) -> ReviewInput {
    ReviewInput { custom: vec![NAME.to_owned()], operations: vec![0], ..input }
}

/// How many of a day's calls fail, each with the probability `fails`: those of the operation, a part by chance, with odds of their own on the
/// candidate where that is so in truth. They are kept apart as well.
pub(crate) fn errors(
    scenario: &Scenario,
    (day, calls, fails): (Day, u64, f64),
    candidate: bool,
    side: &mut VersionUse,
    dice: &mut Dice,
) -> u64 {
    let times = if candidate { 1.0 + scenario.truth.operation_odds } else { 1.0 };
    let own = fails * times / (1.0 + fails * (times - 1.0));
    let of_it = dice.binomial(calls, scenario.operation);
    let errors = dice.binomial(of_it, own);
    if of_it > 0 {
        side.custom.push(CustomCount { guardrail: 0, day, count: real(errors), exposure: Some(real(of_it)) });
    }
    errors + dice.binomial(calls - of_it, fails)
}
