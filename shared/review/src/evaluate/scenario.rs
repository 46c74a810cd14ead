//! Streams whose truth is known: what happens in them, and how they are drawn.

use groundswell_model::{Day, LatencyBuckets};

use super::dice::{Dice, real};
use super::operation;
use crate::input::{ConsumerInput, DayUse, FeedbackItem, LatencyCount, ReviewInput, Start, Upgrade, VersionUse, Window};

/// Days before the release.
pub(crate) const BEFORE: i32 = 28;
/// Days after it.
pub const AFTER: i32 = 28;
/// The day of the release.
pub(crate) const RELEASE: i32 = 20_000;

/// A kind of stream. Where nothing else is said: 400 consumers with heavy-tailed volumes, error rates of their own
/// that vary from day to day and week to week, weekends, adoption over four weeks by most.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What is special about it.
    pub about: &'static str,
    /// Whether the candidate is really worse, and in what.
    pub truth: Truth,
    /// How many consumers there are when it begins.
    pub consumers: usize,
    /// Calls a day of the quietest consumer.
    pub traffic: f64,
    /// How much likelier than others those with much traffic, who also fail more, move each day.
    pub early_heavy: f64,
    /// One consumer has a third of all calls and its own trouble on the candidate: this probability to fail.
    pub loud: Option<f64>,
    /// Usage falls by this share each day.
    pub falling: f64,
    /// Days on which both versions fail, each call with this probability.
    pub outages: &'static [(i32, f64)],
    /// Error rates of everybody grow by this share over the window.
    pub drift: f64,
    /// Newcomers after the release, as a share of the consumers; their first calls mostly fail.
    pub newcomers: f64,
    /// The share of consumers that disappear within the window.
    pub leavers: f64,
    /// How much a consumer's rate varies: from day to day, and for good between its two versions.
    pub restless: (f64, f64),
    /// Looked at every day after the release; otherwise once, at the end.
    pub daily: bool,
    /// The part of all calls that one operation has, which a guardrail of its own is on.
    pub operation: f64,
}

impl Scenario {
    /// The guardrail that is worse in truth; that of errors where none is.
    pub(crate) fn guardrail(&self) -> &'static str {
        if self.operation > 0.0 {
            super::operation::NAME
        } else if self.truth.latency > 0.0 {
            "latency_p95"
        } else if self.truth.feedback > 0.0 {
            "feedback_rate"
        } else {
            "error_rate"
        }
    }
}

/// What the candidate does to its consumers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Truth {
    /// The odds that a call fails are multiplied by this plus one.
    pub error_odds: f64,
    /// Latencies are multiplied by this plus one.
    pub latency: f64,
    /// Feedback is multiplied by this plus one.
    pub feedback: f64,
    /// The odds that a call of the one operation fails are multiplied by this plus one.
    pub operation_odds: f64,
}

impl Truth {
    /// Whether the candidate is no different.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "no difference",
            about: "weekends, own error rates, adoption over four weeks",
            truth: Truth::default(),
            consumers: 400,
            traffic: 2.0,
            early_heavy: 1.0,
            loud: None,
            falling: 0.0,
            outages: &[],
            drift: 0.0,
            newcomers: 0.0,
            leavers: 0.0,
            restless: (0.4, 0.2),
            daily: false,
            operation: 0.0,
        }
    }
}

/// One consumer's nature.
struct Nature {
    calls_a_day: f64,
    error_odds: f64,
    latency_ms: f64,
    feedback_a_day: f64,
    rests_on_weekends: bool,
    from: i32,
    until: i32,
    moves: Option<i32>,
    both_for: i32,
    regrets: bool,
    newcomer: bool,
    loud: bool,
    /// Its own change on the candidate.
    change: f64,
}

/// Draws the stream of a scenario.
pub fn draw(scenario: &Scenario, seed: u64) -> ReviewInput {
    let mut dice = Dice::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
    let newcomers = scenario.newcomers * real(scenario.consumers as u64);
    let newcomers = dice.poisson(newcomers);
    let mut consumers: Vec<ConsumerInput> = Vec::new();
    for place in 0..scenario.consumers as u64 + newcomers {
        let nature = nature(scenario, &mut dice, place == 0, place >= scenario.consumers as u64);
        consumers.push(live(scenario, &nature, &format!("consumer-{place:04}"), &mut dice));
    }
    let input = ReviewInput {
        api: "payments".to_owned(),
        version: "v2".to_owned(),
        baseline: "v1".to_owned(),
        window: Window { from: Day(RELEASE - BEFORE), until: Day(RELEASE + AFTER) },
        released: Some(Day(RELEASE)),
        consumers,
        ..ReviewInput::default()
    };
    if scenario.operation > 0.0 { operation::named(input) } else { input }
}

fn nature(scenario: &Scenario, dice: &mut Dice, first: bool, newcomer: bool) -> Nature {
    let loud = first && scenario.loud.is_some();
    // Pareto's tail with index 1.2: the greatest of 400 has some tenth of all calls.
    let calls_a_day = if loud { 20_000.0 } else { (scenario.traffic * (1.0 - dice.share()).powf(-1.0 / 1.2)).min(12_000.0) };
    let heavy = calls_a_day > 3.0 * scenario.traffic;
    let error_odds = 0.02 * dice.around_one(0.8) * if heavy && scenario.early_heavy > 1.0 { 2.0 } else { 1.0 };
    let from = if newcomer { RELEASE + i32::try_from(dice.below(24)).unwrap_or(0) } else { RELEASE - BEFORE };
    let leaves = dice.chance(scenario.leavers);
    let until = if leaves { from + 7 + i32::try_from(dice.below(49)).unwrap_or(0) } else { RELEASE + AFTER };
    Nature {
        calls_a_day,
        error_odds,
        latency_ms: 80.0 * dice.around_one(0.7),
        feedback_a_day: 0.04 * (calls_a_day / 30.0).powf(0.5) * dice.around_one(0.8),
        rests_on_weekends: dice.chance(0.4),
        from,
        until,
        moves: moves(scenario, dice, heavy, newcomer.then_some(from)),
        both_for: if dice.chance(0.5) { 1 + i32::try_from(dice.below(10)).unwrap_or(0) } else { 0 },
        regrets: dice.chance(0.03),
        newcomer,
        loud,
        change: dice.around_one(scenario.restless.1),
    }
}

/// The day on which a consumer begins to call the candidate.
fn moves(scenario: &Scenario, dice: &mut Dice, heavy: bool, newcomer_on: Option<i32>) -> Option<i32> {
    if let Some(day) = newcomer_on {
        return Some(if dice.chance(0.7) { day } else { i32::MAX });
    }
    let hazard = if heavy { 0.05 * scenario.early_heavy } else { 0.05 };
    let stays = dice.chance(0.15);
    (RELEASE..RELEASE + AFTER).find(|_| dice.chance(hazard.min(0.5))).filter(|_| !stays)
}

fn live(scenario: &Scenario, nature: &Nature, name: &str, dice: &mut Dice) -> ConsumerInput {
    let mut consumer =
        ConsumerInput { name: name.to_owned(), first_seen: nature.newcomer.then_some(Day(nature.from)), ..Default::default() };
    let mut life = Life { week: 1.0, calls_so_far: 0 };
    for day in nature.from..nature.until.min(RELEASE + AFTER) {
        if (day - nature.from) % 7 == 0 {
            life.week = dice.around_one(0.25);
        }
        let (on_candidate, on_baseline) = shares(nature, day);
        for (candidate, share) in [(false, on_baseline), (true, on_candidate)] {
            if share > 0.0 {
                let side = if candidate { &mut consumer.candidate } else { &mut consumer.baseline };
                one_day(scenario, nature, &mut life, (day, candidate, share), side, dice);
            }
        }
    }
    milestones(nature, &mut consumer, dice);
    consumer
}

struct Life {
    week: f64,
    calls_so_far: u64,
}

/// How a day's calls are shared between candidate and baseline.
fn shares(nature: &Nature, day: i32) -> (f64, f64) {
    match nature.moves {
        Some(moved) if nature.regrets && day >= moved.saturating_add(6) => (0.0, 1.0),
        Some(moved) if day >= moved.saturating_add(nature.both_for) => (1.0, 0.0),
        Some(moved) if day >= moved => (0.5, 0.5),
        _ => (0.0, 1.0),
    }
}

fn one_day(
    scenario: &Scenario,
    nature: &Nature,
    life: &mut Life,
    (day, candidate, share): (i32, bool, f64),
    side: &mut VersionUse,
    dice: &mut Dice,
) {
    let weekend = day.rem_euclid(7) >= 5;
    let season = if weekend && nature.rests_on_weekends {
        0.0
    } else if weekend {
        0.5
    } else {
        1.0
    };
    let gone = f64::from(day - (RELEASE - BEFORE));
    let busy = dice.around_one(0.5);
    let calls = dice.poisson(nature.calls_a_day * share * season * (1.0 - scenario.falling).powf(gone) * busy);
    if calls == 0 {
        return;
    }
    let seen = if candidate { scenario.truth } else { Truth::default() };
    let own = if candidate { nature.change } else { 1.0 };
    let odds = nature.error_odds
        * life.week
        * own
        * dice.around_one(scenario.restless.0)
        * (1.0 + seen.error_odds)
        * (1.0 + scenario.drift * gone / 56.0)
        * if weekend { 1.3 } else { 1.0 };
    let mut fails = odds / (1.0 + odds);
    if nature.newcomer && life.calls_so_far < 40 {
        fails = fails.max(0.5);
    }
    if let Some((_, outage)) = scenario.outages.iter().find(|(d, _)| RELEASE + d == day) {
        fails = fails.max(*outage);
    }
    if nature.loud && candidate {
        fails = scenario.loud.unwrap_or(fails);
    }
    life.calls_so_far += calls;
    let errors = if scenario.operation > 0.0 {
        operation::errors(scenario, (Day(day), calls, fails), candidate, side, dice)
    } else {
        dice.binomial(calls, fails)
    };
    side.usage.push(DayUse { day: Day(day), calls, errors });
    latencies(nature, (day, calls), (1.0 + seen.latency) * life.week.sqrt(), side, dice);
    let feedback = nature.feedback_a_day * share * season * (1.0 + seen.feedback) * dice.around_one(0.3);
    for _ in 0..dice.poisson(feedback) {
        side.feedback.push(FeedbackItem { day: Day(day), weight: 1.0, negative: dice.chance(0.5), score: None });
    }
}

/// Latencies of up to 24 calls of a day stand for all of them, as sampled events do.
fn latencies(nature: &Nature, (day, calls): (i32, u64), factor: f64, side: &mut VersionUse, dice: &mut Dice) {
    let mut buckets = LatencyBuckets::default();
    let of_day = dice.around_one(0.1);
    for _ in 0..calls.min(24) {
        buckets.add(nature.latency_ms * factor * of_day * dice.around_one(0.6), 1);
    }
    let day = u16::try_from(day - (RELEASE - BEFORE)).unwrap_or(0);
    side.latency.extend(buckets.buckets().iter().map(|(bucket, count)| LatencyCount {
        day,
        bucket: *bucket,
        count: u32::try_from(*count).unwrap_or(u32::MAX),
    }));
}

fn milestones(nature: &Nature, consumer: &mut ConsumerInput, dice: &mut Dice) {
    let first = |side: &VersionUse| side.usage.first().map(|u| u.day);
    for side in [&mut consumer.baseline, &mut consumer.candidate] {
        let starts = first(side).filter(|day| day.0 >= nature.from.max(RELEASE - BEFORE + 1));
        side.start = starts.map(|first_call| {
            let seconds = 600.0 * dice.around_one(1.2);
            Start { first_call, seconds_to_success: (!dice.chance(0.03)).then(|| dice.poisson(seconds)) }
        });
    }
    let moved = nature.moves.is_some() && !nature.newcomer;
    consumer.candidate.upgrade = first(&consumer.candidate).filter(|_| moved).map(|day| Upgrade { day, regretted: nature.regrets });
}
