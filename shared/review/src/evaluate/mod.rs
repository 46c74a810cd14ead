//! What verdicts are worth: streams whose truth is known, reviewed with the default policy, beside other tests.

mod dice;
pub mod held;
mod operation;
mod reference;
pub mod report;
pub mod scenario;
mod scenarios;

use groundswell_model::Day;
use groundswell_stats::wilson;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{ReviewInput, VersionUse, Window};
use crate::latency::Calls;
use crate::panel::Panel;
use crate::prepare::Usage;
use crate::review::review;
use crate::types::Verdict;
pub use scenario::draw;
use scenario::{AFTER, RELEASE, Scenario};
pub use scenarios::scenarios;

/// What came out for one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The scenario.
    pub scenario: String,
    /// What happens in it.
    pub about: String,
    /// Whether the candidate is really worse: then an alarm is right.
    pub worse: bool,
    /// Consumers at the beginning.
    pub consumers: u64,
    /// Looks at each stream.
    pub looks: u32,
    /// Streams.
    pub seeds: u64,
    /// Streams in which a review called a regression, at any look.
    pub alarms: Share,
    /// Streams in which the guardrail that is really worse was called, or the error rate where none is.
    pub guardrail: Share,
    /// Streams whose last review passed.
    pub passed: Share,
    /// Streams whose last review was inconclusive.
    pub inconclusive: Share,
    /// Alarms of a two-proportion test on all calls, at the last look only, one-sided at 5 %.
    pub pooled: Share,
    /// Alarms of a paired test by consumer with bounded weights, at the last look only, one-sided at 5 %.
    pub by_consumer: Share,
    /// Alarms of this crate's comparison of that one guardrail, looked at once, one-sided at 5 %.
    pub looked_at_once: Share,
}

/// A share with its 95 % interval (Wilson).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// The share.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    fn of(count: u64, n: u64) -> Self {
        let estimate = wilson(count, n);
        let interval = estimate.and_then(|e| e.interval);
        Self {
            count,
            value: estimate.map_or(0.0, |e| e.value),
            low: interval.map_or(0.0, |i| i.low),
            high: interval.map_or(1.0, |i| i.high),
        }
    }
}

/// What came out of one stream.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    alarm: bool,
    guardrail: bool,
    passed: bool,
    inconclusive: bool,
    pooled: bool,
    by_consumer: bool,
    looked_at_once: bool,
}

/// The first seed of what is published. Constants were chosen on seeds below it: the published streams were seen by nobody before.
pub const FIRST_SEED: u64 = 4_000_000;

/// Reviews `seeds` streams of a scenario, two at a time, and tells `done` after each.
pub fn evaluate(scenario: &Scenario, seeds: u64, done: &(impl Fn() + Sync)) -> Outcome {
    evaluate_from(scenario, FIRST_SEED, seeds, done)
}

/// The same for streams from another seed on.
pub fn evaluate_from(scenario: &Scenario, first: u64, seeds: u64, done: &(impl Fn() + Sync)) -> Outcome {
    let half = |parity: u64| -> Vec<Trial> {
        let mine = (first..first + seeds).filter(|seed| seed % 2 == parity);
        mine.map(|seed| {
            let trial = trial(scenario, seed);
            done();
            trial
        })
        .collect()
    };
    let trials: Vec<Trial> = std::thread::scope(|scope| {
        let odd = scope.spawn(|| half(1));
        let mut all = half(0);
        match odd.join() {
            Ok(more) => all.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    });
    let share = |which: fn(&Trial) -> bool| Share::of(trials.iter().filter(|t| which(t)).count() as u64, seeds);
    Outcome {
        scenario: scenario.name.to_owned(),
        about: scenario.about.to_owned(),
        worse: !scenario.truth.is_null(),
        consumers: scenario.consumers as u64,
        looks: looks(scenario).len() as u32,
        seeds,
        alarms: share(|t| t.alarm),
        guardrail: share(|t| t.guardrail),
        passed: share(|t| t.passed),
        inconclusive: share(|t| t.inconclusive),
        pooled: share(|t| t.pooled),
        by_consumer: share(|t| t.by_consumer),
        looked_at_once: share(|t| t.looked_at_once),
    }
}

fn looks(scenario: &Scenario) -> Vec<i32> {
    if scenario.daily { (1..=AFTER).collect() } else { vec![AFTER] }
}

fn trial(scenario: &Scenario, seed: u64) -> Trial {
    let input = scenario::draw(scenario, seed);
    let policy = operation::policy(scenario);
    let mut trial = references(scenario, &input);
    for look in looks(scenario) {
        let review = review(&until(&input, Day(RELEASE + look)), &policy);
        trial.alarm |= review.verdict == Verdict::Regression;
        trial.guardrail |= review.guardrails.iter().any(|g| g.name == scenario.guardrail() && g.verdict == Verdict::Regression);
        trial.passed = review.verdict == Verdict::Pass;
        trial.inconclusive = review.verdict == Verdict::Inconclusive;
    }
    trial
}

fn references(scenario: &Scenario, input: &ReviewInput) -> Trial {
    let panel = panel(scenario.guardrail(), input);
    Trial {
        pooled: reference::pooled(&panel),
        by_consumer: reference::by_consumer(&panel) < reference::ERROR,
        looked_at_once: reference::looked_at_once(&panel) < reference::ERROR,
        ..Trial::default()
    }
}

/// What a guardrail compares.
fn panel(guardrail: &str, input: &ReviewInput) -> Panel {
    let usage = Usage::of(input);
    match guardrail {
        "latency_p95" => Calls::of(input, &usage).slow(input, 0.95, 0),
        "feedback_rate" => usage.feedback(input, |f| f.weight),
        operation::NAME => usage.operation(input, 0).0,
        _ => usage.errors,
    }
}

/// What was known on a day.
pub(crate) fn until(input: &ReviewInput, day: Day) -> ReviewInput {
    let mut known = input.clone();
    known.window = Window { until: day.min(input.window.until), ..input.window };
    let days = known.window.days();
    for consumer in &mut known.consumers {
        for side in [&mut consumer.baseline, &mut consumer.candidate] {
            cut(side, day, days);
        }
    }
    known
}

fn cut(side: &mut VersionUse, day: Day, days: usize) {
    side.usage.retain(|u| u.day < day);
    side.latency.retain(|l| usize::from(l.day) < days);
    side.feedback.retain(|f| f.day < day);
    side.custom.retain(|c| c.day < day);
    side.start = side.start.filter(|s| s.first_call < day);
    side.upgrade = side.upgrade.filter(|u| u.day < day);
}
