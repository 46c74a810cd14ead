//! What changed: things that people say, or operations that fail, more or less often on a version than on its baseline.
//!
//! A thing is a label, an aspect, a theme, an operation: whatever feedback can be grouped by. Each consumer counts once, with the
//! share of what it said that is about the candidate. Whoever was on both versions is expected to say so in proportion
//! to what it did on each, the calendar of all feedback removed; of those who were on one version only, as many as have the
//! exposure, give or take a factor of 1.5 for who they are. The sum of such trials has an exact distribution ([`crate::exact`]). Over
//! all things together false discoveries are controlled ([`crate::discovery`]).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditional::{self, Depth, weighed};
use crate::discovery;
use crate::exact::{Bounds, Trials};
use crate::figures::digits;
use crate::input::ReviewInput;
use crate::prepare::{Usage, real};

/// The factor by which consumers of one version may differ from those of the other for reasons that are not the version's.
const ALLOWANCE: f64 = 1.5;
/// Things that fewer consumers mention are counted and not tested: nothing could be told of them.
const LEAST_CONSUMERS: usize = 4;
/// Expected share of false ones among what is called a change.
pub const RATE: f64 = 0.05;

/// A thing, and who said it on which version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thing {
    /// What kind of thing: `type`, `aspect`, `praise`, `operation`, `theme`, `failing operation`.
    pub field: String,
    /// Its name.
    pub value: String,
    /// Whether more of it is good news.
    pub good: bool,
    /// By place in the review's consumers: how much of it on the baseline and on the candidate.
    pub said: BTreeMap<u32, (f64, f64)>,
    /// The same for those who are not named: pieces on the baseline and on the candidate.
    pub unnamed: (f64, f64),
    /// What it could have happened to, for each of those consumers, where that is not its usage: calls of the operation.
    pub exposure: Option<BTreeMap<u32, (f64, f64)>>,
}

/// What became of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// Nobody said it about the baseline, and more say it now than chance explains.
    New,
    /// More than before.
    Growing,
    /// Less than before.
    Shrinking,
    /// Nobody says it any more, and chance does not explain that.
    Vanished,
    /// No difference was told.
    Steady,
}

impl Became {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Growing => "growing",
            Self::Shrinking => "shrinking",
            Self::Vanished => "vanished",
            Self::Steady => "steady",
        }
    }
}

/// One version's side of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heard {
    /// Pieces of feedback by weight, or failed calls.
    pub count: f64,
    /// Named consumers behind it.
    pub consumers: u64,
    /// Pieces for each 10,000 calls, or failed calls for each 10,000 calls of the operation; none without calls.
    pub per_10_000_calls: Option<f64>,
    /// Part of the version's active consumers; none without any.
    pub share_of_consumers: Option<f64>,
}

/// A thing with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// What kind of thing: `type`, `aspect`, `praise`, `operation`, `theme`, `failing operation`.
    pub field: String,
    /// Its name.
    pub value: String,
    /// What became of it.
    pub became: Became,
    /// Whether more of it is good news.
    pub good: bool,
    /// On the candidate.
    pub candidate: Heard,
    /// On the baseline.
    pub baseline: Heard,
    /// How many times as likely a consumer says it on the candidate; none where it was not tested.
    pub ratio: Option<f64>,
    /// Lower end of its 95 % interval; none where there is none.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Two-sided p-value by consumer; none where it was not tested.
    pub p: Option<f64>,
    /// The p-value adjusted for all things tested: the share of false ones among changes up to this one.
    pub adjusted: Option<f64>,
}

/// All things with what became of them: changes first, the widest reach first.
#[must_use]
pub fn changes(input: &ReviewInput, things: &[Thing]) -> Vec<Changed> {
    let ground = Ground::of(input);
    let trials: Vec<Option<Trials>> = things.iter().map(|thing| ground.trials(thing)).collect();
    let p_values: Vec<f64> = trials.iter().map(|t| t.as_ref().map_or(f64::NAN, two_sided)).collect();
    let adjusted = discovery::adjusted(&p_values, false);
    let mut all: Vec<Changed> = things
        .iter()
        .zip(&trials)
        .zip(p_values.iter().zip(&adjusted))
        .map(|((thing, trials), (p, adjusted))| {
            let bounds = trials.as_ref().map(|t| t.bounds(0.025));
            ground.changed(thing, bounds, (*p, *adjusted))
        })
        .collect();
    all.sort_by(|a, b| {
        let reach = |c: &Changed| c.candidate.consumers.max(c.baseline.consumers);
        let steady = |c: &Changed| c.became == Became::Steady;
        steady(a).cmp(&steady(b)).then(reach(b).cmp(&reach(a))).then_with(|| (&a.field, &a.value).cmp(&(&b.field, &b.value)))
    });
    all
}

fn two_sided(trials: &Trials) -> f64 {
    let (more, less) = trials.tails();
    (2.0 * more.min(less)).min(1.0)
}

/// What everybody did, on both versions.
struct Ground {
    /// Exposure of each consumer on the baseline and on the candidate, the calendar of all feedback removed.
    exposure: Vec<(f64, f64)>,
    /// Exposure of those who were on one version only: on the baseline, on the candidate.
    alone: (f64, f64),
    /// Calls of each version, and consumers with calls.
    calls: (f64, f64),
    consumers: (f64, f64),
}

impl Ground {
    fn of(input: &ReviewInput) -> Self {
        let panel = Usage::of(input).feedback(input, |f| f.weight);
        let levels = conditional::fit(&panel, None, Depth::Theta).map_or_else(|| vec![1.0; panel.days], |fit| fit.at.levels());
        let mut ground =
            Self { exposure: vec![(0.0, 0.0); input.consumers.len()], alone: (0.0, 0.0), calls: (0.0, 0.0), consumers: (0.0, 0.0) };
        for consumer in panel.iter() {
            let own = weighed(&consumer, &levels);
            ground.exposure[consumer.id as usize] = own;
            if own.0 <= 0.0 || own.1 <= 0.0 {
                ground.alone = (ground.alone.0 + own.0, ground.alone.1 + own.1);
            }
        }
        for consumer in &input.consumers {
            let calls = |usage: &[crate::input::DayUse]| real(usage.iter().map(|u| u.calls).sum());
            let own = (calls(&consumer.baseline.usage), calls(&consumer.candidate.usage));
            ground.calls = (ground.calls.0 + own.0, ground.calls.1 + own.1);
            ground.consumers =
                (ground.consumers.0 + f64::from(u8::from(own.0 > 0.0)), ground.consumers.1 + f64::from(u8::from(own.1 > 0.0)));
        }
        ground
    }

    /// The trials of a thing; none where too few consumers could tell.
    fn trials(&self, thing: &Thing) -> Option<Trials> {
        let own = |consumer: &u32| match &thing.exposure {
            Some(own) => own.get(consumer).copied().unwrap_or_default(),
            None => self.exposure.get(*consumer as usize).copied().unwrap_or_default(),
        };
        let alone = match &thing.exposure {
            Some(all) => all.values().filter(|e| e.0 <= 0.0 || e.1 <= 0.0).fold((0.0, 0.0), |sum, e| (sum.0 + e.0, sum.1 + e.1)),
            None => self.alone,
        };
        let mut trials = Trials { least: Vec::new(), most: Vec::new(), sum: 0.0 };
        for (consumer, (there, here)) in &thing.said {
            let (baseline, candidate) = own(consumer);
            let odds = if baseline > 0.0 && candidate > 0.0 {
                let odds = candidate / baseline;
                (odds, odds)
            } else if baseline + candidate > 0.0 && alone.0 > 0.0 && alone.1 > 0.0 {
                (alone.1 / alone.0 / ALLOWANCE, alone.1 / alone.0 * ALLOWANCE)
            } else {
                continue;
            };
            if here + there <= 0.0 {
                continue;
            }
            trials.least.push(odds.0 / (1.0 + odds.0));
            trials.most.push(odds.1 / (1.0 + odds.1));
            trials.sum += here / (here + there);
        }
        (trials.most.len() >= LEAST_CONSUMERS).then_some(trials)
    }

    fn changed(&self, thing: &Thing, bounds: Option<Bounds>, (p, adjusted): (f64, f64)) -> Changed {
        let heard = |pick: fn(&(f64, f64)) -> f64| {
            let named: f64 = thing.said.values().map(pick).sum();
            let consumers = thing.said.values().filter(|s| pick(s) > 0.0).count() as u64;
            let calls = thing.exposure.as_ref().map_or(pick(&self.calls), |own| own.values().map(pick).sum());
            let active = pick(&self.consumers);
            let count = named + pick(&thing.unnamed);
            Heard {
                count: digits(count),
                consumers,
                per_10_000_calls: (calls > 0.0).then(|| digits(1e4 * count / calls)),
                share_of_consumers: (active > 0.0).then(|| digits(real(consumers) / active)),
            }
        };
        let (baseline, candidate) = (heard(|s| s.0), heard(|s| s.1));
        let more = bounds.is_some_and(|b| b.estimate > 0.0);
        let became = match adjusted <= RATE {
            true if more && baseline.count <= 0.0 => Became::New,
            true if more => Became::Growing,
            true if candidate.count <= 0.0 => Became::Vanished,
            true => Became::Shrinking,
            false => Became::Steady,
        };
        // Beyond e^11 an end is none.
        let told = |end: f64| (end.abs() < 11.0).then(|| digits(end.exp()));
        Changed {
            field: thing.field.clone(),
            value: thing.value.clone(),
            became,
            good: thing.good,
            candidate,
            baseline,
            ratio: bounds.and_then(|b| told(b.estimate)),
            low: bounds.and_then(|b| told(b.low)),
            high: bounds.and_then(|b| told(b.high)),
            p: (!p.is_nan()).then(|| digits(p)),
            adjusted: (!adjusted.is_nan()).then(|| digits(adjusted)),
        }
    }
}
