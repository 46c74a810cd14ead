//! What the other tests find once they hold their error. A test that gives more false alarms than it says finds more, too.

use super::scenario::{Scenario, Truth};
use super::{draw, panel, reference};

/// One of the other tests on the guardrail that is worse, looked at once on the last day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// `by consumer` or `looked at once`.
    pub test: &'static str,
    /// Share of the streams without a difference in which it alarms at 5 %.
    pub alarms: f64,
    /// Share of the scenario's streams in which it does.
    pub finds: f64,
    /// The same at the bound that 5 % of the streams without a difference are beyond.
    pub finds_held: f64,
}

/// Both tests on as many streams of a scenario, and as many of the same without any difference, from the seed `first` on.
#[must_use]
pub fn held(scenario: &Scenario, first: u64, seeds: u64) -> [Held; 2] {
    let same = Scenario { truth: Truth::default(), ..scenario.clone() };
    let of = |scenario_drawn: &Scenario| -> Vec<[f64; 2]> {
        let panels = (first..first + seeds).map(|seed| panel(scenario.guardrail(), &draw(scenario_drawn, seed)));
        panels.map(|panel| [reference::by_consumer(&panel), reference::looked_at_once(&panel)]).collect()
    };
    let (without, with) = (of(&same), of(scenario));
    [(0, "by consumer"), (1, "looked at once")].map(|(place, test)| {
        let mut chance: Vec<f64> = without.iter().map(|p| p[place]).collect();
        chance.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
        let bound = chance.get((chance.len() as f64 * reference::ERROR) as usize).copied().unwrap_or(0.0);
        Held {
            test,
            alarms: below(&without, place, reference::ERROR),
            finds: below(&with, place, reference::ERROR),
            finds_held: below(&with, place, bound),
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of streams")]
fn below(of: &[[f64; 2]], place: usize, bound: f64) -> f64 {
    of.iter().filter(|p| p[place] < bound).count() as f64 / of.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::scenarios;
    use super::*;

    #[test]
    fn a_test_that_alarms_too_often_finds_less_once_it_is_held() {
        let scenario = scenarios().into_iter().find(|s| s.name == "errors up, few consumers").unwrap();
        for held in held(&scenario, 700_000, 60) {
            let ordered = if held.alarms > reference::ERROR { held.finds_held <= held.finds } else { held.finds_held >= held.finds };
            assert!(held.finds > 0.5 && ordered, "{held:?}");
        }
    }
}
