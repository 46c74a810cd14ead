//! The guardrails: which there are, what each compares, and its verdict.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::boundary::Look;
use crate::compare::{self, Comparison, Evidence};
use crate::decide::{self, Seen};
use crate::figures::{self, Sums};
use crate::input::{ReviewInput, Score, VersionUse};
use crate::latency::{self, Calls};
use crate::policy::{Policy, Settings};
use crate::prepare::Usage;
use crate::scores;
use crate::shares::{self, Claim};
use crate::starts::{self, Times};
use crate::types::{Effect, EffectKind, Figures, Guardrail, Method, Outlier, Verdict};

/// A guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ErrorRate,
    LatencyP50,
    LatencyP95,
    FeedbackRate,
    NegativeFeedback,
    Nps,
    Csat,
    Ces,
    FirstSuccess,
    Regretted,
    /// Errors of one operation.
    Operation(u16),
    /// What is counted of something else.
    Custom(u16),
}

impl Kind {
    /// All of an input, in the order they are shown.
    pub(crate) fn all(input: &ReviewInput) -> impl Iterator<Item = Self> + use<'_> {
        use Kind::{Ces, Csat, ErrorRate, FeedbackRate, FirstSuccess, LatencyP50, LatencyP95, NegativeFeedback, Nps, Regretted};
        let customs = u16::try_from(input.custom.len()).unwrap_or(u16::MAX);
        [ErrorRate, LatencyP50, LatencyP95, FeedbackRate, NegativeFeedback, Nps, Csat, Ces, FirstSuccess, Regretted]
            .into_iter()
            .chain((0..customs).map(|place| if input.operations.contains(&place) { Self::Operation(place) } else { Self::Custom(place) }))
    }

    pub(crate) fn name(self, input: &ReviewInput) -> &str {
        match self {
            Self::ErrorRate => "error_rate",
            Self::LatencyP50 => "latency_p50",
            Self::LatencyP95 => "latency_p95",
            Self::FeedbackRate => "feedback_rate",
            Self::NegativeFeedback => "negative_feedback",
            Self::Nps => "nps",
            Self::Csat => "csat",
            Self::Ces => "ces",
            Self::FirstSuccess => "time_to_first_success",
            Self::Regretted => "regretted_upgrades",
            Self::Operation(place) | Self::Custom(place) => input.custom.get(usize::from(place)).map_or("custom", String::as_str),
        }
    }

    /// Whether anything is known that it could be about. One without data takes no part of the error. Somebody asks for an operation by
    /// its name, so it is shown even if nobody called it.
    pub(crate) fn has_data(self, input: &ReviewInput) -> bool {
        let any = |has: &dyn Fn(&VersionUse) -> bool| input.consumers.iter().any(|c| has(&c.candidate) || has(&c.baseline));
        let scored = |of: fn(Score) -> Option<f64>| any(&|s| s.feedback.iter().any(|f| f.score.and_then(of).is_some()));
        match self {
            Self::ErrorRate | Self::Operation(_) => true,
            Self::LatencyP50 | Self::LatencyP95 => any(&|s| !s.latency.is_empty()),
            Self::FeedbackRate | Self::NegativeFeedback => any(&|s| !s.feedback.is_empty()),
            Self::Nps => scored(nps),
            Self::Csat => scored(csat),
            Self::Ces => scored(ces),
            Self::FirstSuccess => Times::of(input).any(),
            Self::Regretted => input.consumers.iter().any(|c| c.candidate.upgrade.is_some()),
            Self::Custom(place) => any(&|s| s.custom.iter().any(|c| c.guardrail == place)),
        }
    }

    /// What takes longest: fits of all calls, several for a percentile. One percentile begins alone, for what both look at is prepared by the first.
    fn cost(self) -> u8 {
        match self {
            Self::LatencyP50 => 4,
            Self::FeedbackRate => 3,
            Self::LatencyP95 => 2,
            Self::ErrorRate | Self::NegativeFeedback | Self::Operation(_) | Self::Custom(_) => 1,
            _ => 0,
        }
    }

    /// Whether it is about what people say, which trails what they do.
    fn trails(self, input: &ReviewInput) -> bool {
        match self {
            Self::FeedbackRate | Self::NegativeFeedback | Self::Nps | Self::Csat | Self::Ces | Self::Regretted => true,
            Self::Custom(place) => input.spoken.contains(&place),
            _ => false,
        }
    }

    fn effect(self) -> EffectKind {
        match self {
            Self::Nps | Self::Csat | Self::Ces => EffectKind::Difference,
            Self::Regretted => EffectKind::Share,
            _ => EffectKind::Ratio,
        }
    }

    /// Whether more of it is worse; a higher score is better.
    fn up_is_worse(self) -> bool {
        !matches!(self, Self::Nps | Self::Csat | Self::Ces)
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Nps | Self::Csat | Self::Ces => "answers",
            Self::FirstSuccess => "newcomers",
            Self::Regretted => "upgrades",
            _ => "calls",
        }
    }
}

/// An answer to "how likely are you to recommend" as 100, 0 or −100.
pub(crate) fn nps(score: Score) -> Option<f64> {
    let Score::Nps(answer) = score else { return None };
    Some(if answer >= 9.0 {
        100.0
    } else if answer <= 6.0 {
        -100.0
    } else {
        0.0
    })
}

pub(crate) fn csat(score: Score) -> Option<f64> {
    if let Score::Csat(answer) = score { Some(answer) } else { None }
}

pub(crate) fn ces(score: Score) -> Option<f64> {
    if let Score::Ces(answer) = score { Some(answer) } else { None }
}

/// Measures guardrails, two at a time, the costly ones first; then each gets its part of the error and a verdict.
pub(crate) fn measure_all(input: &ReviewInput, policy: &Policy, usage: &Usage, days: u32, kinds: &[Kind]) -> Vec<Guardrail> {
    let review = Review { input, policy, usage, days, latency: OnceLock::new(), sums: OnceLock::new() };
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(kinds[*place].cost()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*place, measure(&review, kinds[*place])));
        }
        done
    };
    let mut measured: Vec<(usize, Measured<'_>)> = std::thread::scope(|scope| {
        let beside = scope.spawn(work);
        let mut all = work();
        match beside.join() {
            Ok(more) => all.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    });
    measured.sort_by_key(|(place, _)| *place);
    let claims: Vec<Claim> = measured.iter().filter_map(|(_, m)| m.claim(&review)).collect();
    let mut parts = shares::parts(policy.error, &claims).into_iter();
    measured
        .iter()
        .map(|(_, m)| {
            let part = m.evidence.as_ref().and_then(|_| parts.next()).unwrap_or(0.0);
            judge(&review, m, part)
        })
        .collect()
}

struct Review<'a> {
    input: &'a ReviewInput,
    policy: &'a Policy,
    usage: &'a Usage,
    days: u32,
    /// Calls that tell a latency: both percentiles look at them.
    latency: OnceLock<Calls>,
    /// What several of them show.
    sums: OnceLock<Sums>,
}

impl<'a> Review<'a> {
    fn latency(&self, q: f64) -> Option<Evidence<'a>> {
        latency::compare(self.input, self.latency.get_or_init(|| Calls::of(self.input, self.usage)), q)
    }

    /// What is shown of the baseline and the candidate.
    fn figures(&self, kind: Kind) -> (Figures, Figures) {
        figures::of(self.input, self.sums.get_or_init(|| Sums::of(self.input)), kind)
    }
}

/// A guardrail before it is known how sure it must be.
struct Measured<'a> {
    kind: Kind,
    settings: Settings,
    baseline: Figures,
    candidate: Figures,
    /// Where there is no difference, and where one begins to matter, on the scale of the comparison.
    scale: (f64, f64),
    evidence: Option<Evidence<'a>>,
    /// What is to be known whatever comes out.
    notes: Vec<String>,
}

impl Measured<'_> {
    /// What it brings forward for a part of the error: twice what begins to matter is worth finding.
    fn claim(&self, review: &Review<'_>) -> Option<Claim> {
        let evidence = self.evidence.as_ref()?;
        let (nothing, minimum) = self.scale;
        let effect = if self.kind.effect() == EffectKind::Share { nothing } else { 2.0 * minimum };
        // What is known grows with the days, so an error at the end of the horizon is smaller by the root of the part that has passed.
        let passed = Look::new(review.days, review.policy.horizon_days, review.policy.error).passed;
        let strength = (effect - evidence.allowance).max(0.0) / (evidence.standard_error * passed.sqrt()).max(f64::MIN_POSITIVE);
        Some(Claim { weight: self.settings.share, strength: if strength.is_finite() { strength } else { 0.0 } })
    }
}

fn measure<'a>(review: &Review<'a>, kind: Kind) -> Measured<'a> {
    let settings = review.policy.settings(kind.name(review.input));
    let mut notes = Vec::new();
    let evidence = evidence(review, kind, &settings, &mut notes);
    // After the fits: what several show is added up by whoever needs it first, and the other thread need not wait for it.
    let (baseline, candidate) = review.figures(kind);
    let scale = scale(kind, &settings, &baseline);
    Measured { kind, settings, baseline, candidate, scale, evidence, notes }
}

/// Its verdict. One guardrail that is wrongly called worse makes the review wrong, so these errors are shared; a review passes wrongly only
/// if a guardrail that is worse passes, whatever the others do, so upper ends share nothing.
fn judge(review: &Review<'_>, measured: &Measured<'_>, part: f64) -> Guardrail {
    let Review { input, policy, days, .. } = *review;
    let Measured { kind, settings, .. } = *measured;
    let to_pass = shares::to_pass(policy.error);
    let found = |error: f64| {
        let comparison = measured.evidence.as_ref()?.at(Look::new(days, policy.horizon_days, error))?;
        Some(if kind.up_is_worse() { comparison } else { comparison.turned() })
    };
    let comparison = found(part).zip(found(to_pass)).map(|(worse, no_worse)| Comparison { high: no_worse.high, ..worse });
    let mut guardrail = Guardrail {
        name: kind.name(input).to_owned(),
        verdict: Verdict::Inconclusive,
        required: settings.required,
        maturing: kind.trails(input) && days < policy.maturing_days,
        candidate: measured.candidate,
        baseline: measured.baseline,
        effect: comparison.as_ref().map(|c| effect(kind, c, 1.0 - part - to_pass)),
        minimum_effect: settings.minimum_effect,
        method: comparison.as_ref().map_or(Method::None, |c| c.method),
        consumers: comparison.as_ref().map_or(0, |c| c.compared),
        effective_consumers: figures::digits(comparison.as_ref().map_or(0.0, |c| c.effective)),
        needed: None,
        outliers: comparison.as_ref().map_or_else(Vec::new, |c| outliers(input, c)),
        notes: measured.notes.clone(),
    };
    match &comparison {
        None => without_comparison(kind, &settings, &mut guardrail),
        Some(c) => conclude(review, kind, c, measured.scale, &mut guardrail),
    }
    guardrail
}

fn conclude(review: &Review<'_>, kind: Kind, comparison: &Comparison, (nothing, minimum): (f64, f64), guardrail: &mut Guardrail) {
    let policy = review.policy;
    guardrail.verdict = decide::verdict(comparison, nothing, minimum);
    if comparison.method == Method::Stratified {
        guardrail.notes.push(
            "too few consumers were seen on both versions: others were compared, with an allowance of 1.5 for what else differs".to_owned(),
        );
    }
    let calls = if kind.unit() == "calls" { guardrail.candidate.exposure } else { f64::INFINITY };
    if comparison.compared < policy.minimum_consumers || calls < crate::prepare::real(policy.minimum_calls) {
        guardrail.verdict = Verdict::Inconclusive;
        guardrail.notes.push(format!("the policy wants {} consumers and {} calls", policy.minimum_consumers, policy.minimum_calls));
    }
    if guardrail.maturing && guardrail.verdict == Verdict::Pass {
        guardrail.verdict = Verdict::Inconclusive;
        guardrail.notes.push(format!("maturing: silence counts from day {} on", policy.maturing_days));
    }
    if guardrail.verdict == Verdict::Inconclusive {
        let seen = Seen { exposure: guardrail.candidate.exposure, unit: kind.unit(), days: f64::from(review.days) };
        guardrail.needed = decide::needed(comparison, nothing, minimum, &seen);
    }
}

/// Nothing that differs: where nothing failed on either version, calls enough say that nothing is wrong.
fn without_comparison(kind: Kind, settings: &Settings, guardrail: &mut Guardrail) {
    let (here, there) = (guardrail.candidate, guardrail.baseline);
    // Of 0 in n the upper end of 95 % is 3/n (Hanley and Lippman-Hand, JAMA 249 (1983) 1743–1745).
    let upper = 3.0 / here.exposure.max(f64::MIN_POSITIVE);
    if matches!(kind, Kind::ErrorRate | Kind::Operation(_))
        && here.count <= 0.0
        && there.count <= 0.0
        && here.exposure > 0.0
        && there.exposure > 0.0
    {
        guardrail.notes.push("nothing failed on either version".to_owned());
        if upper < settings.minimum_difference {
            guardrail.verdict = Verdict::Pass;
        }
        return;
    }
    guardrail.notes.push(match (here.exposure > 0.0, there.exposure > 0.0) {
        (false, _) if matches!(kind, Kind::Operation(_)) => "nobody who is named called the operation on the candidate".to_owned(),
        (true, false) if matches!(kind, Kind::Operation(_)) => "nobody who is named called the operation on the baseline".to_owned(),
        (false, _) => "no data on the candidate".to_owned(),
        (true, false) => "no data on the baseline".to_owned(),
        _ => "too little to compare: too few on both versions at the same time".to_owned(),
    });
}

/// Where there is no difference, and where one begins to matter, on the scale of the comparison.
fn scale(kind: Kind, settings: &Settings, baseline: &Figures) -> (f64, f64) {
    match kind.effect() {
        EffectKind::Ratio => {
            let rate = baseline.value.unwrap_or(0.0).max(f64::MIN_POSITIVE);
            let of_difference = if settings.minimum_difference > 0.0 { (1.0 + settings.minimum_difference / rate).ln() } else { 0.0 };
            (0.0, settings.minimum_effect.ln().max(of_difference))
        }
        EffectKind::Difference => (0.0, settings.minimum_effect),
        EffectKind::Share => (settings.minimum_effect, settings.minimum_effect),
    }
}

fn evidence<'a>(review: &Review<'a>, kind: Kind, settings: &Settings, notes: &mut Vec<String>) -> Option<Evidence<'a>> {
    let (input, usage) = (review.input, review.usage);
    match kind {
        Kind::ErrorRate => compare::rates(&usage.errors),
        Kind::LatencyP50 => review.latency(0.5),
        Kind::LatencyP95 => review.latency(0.95),
        Kind::FeedbackRate => compare::rates(&usage.feedback(input, |f| f.weight)),
        Kind::NegativeFeedback => compare::rates(&usage.feedback(input, |f| if f.negative { f.weight } else { 0.0 })),
        Kind::Nps => scores::compare(input, nps, 100.0),
        Kind::Csat => scores::compare(input, csat, 2.0),
        Kind::Ces => scores::compare(input, ces, 3.0),
        Kind::FirstSuccess => starts::compare(Times::of(input)),
        Kind::Regretted => {
            let candidate = review.figures(kind).1;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers of upgrades")]
            let (regretted, all) = (candidate.count as u64, candidate.exposure as u64);
            starts::regretted(regretted, all, settings.minimum_effect)
        }
        Kind::Operation(place) => {
            let (panel, incidents) = usage.operation(input, place);
            notes.extend(incident_note(&incidents));
            compare::rates(&panel)
        }
        Kind::Custom(place) => compare::rates(&usage.custom(input, place)),
    }
}

/// Tells the days that were left out of an operation's comparison alone.
fn incident_note(incidents: &[groundswell_model::Day]) -> Option<String> {
    let days: Vec<String> = incidents.iter().map(|day| day.iso()).collect();
    (!days.is_empty()).then(|| format!("left out: days on which the operation was in trouble on the baseline itself ({})", days.join(", ")))
}

fn effect(kind: Kind, comparison: &Comparison, level: f64) -> Effect {
    let shown = match kind.effect() {
        EffectKind::Ratio => f64::exp,
        EffectKind::Difference | EffectKind::Share => std::convert::identity,
    };
    let as_is = if kind.up_is_worse() { comparison.clone() } else { comparison.clone().turned() };
    // Beyond e^11 an end is "none".
    let told = |end: f64| (end.abs() < 11.0 || kind.effect() != EffectKind::Ratio).then(|| figures::digits(shown(end)));
    Effect {
        kind: kind.effect(),
        value: figures::digits(shown(as_is.estimate)),
        low: told(as_is.low),
        high: told(as_is.high),
        level: figures::digits(level),
    }
}

fn outliers(input: &ReviewInput, comparison: &Comparison) -> Vec<Outlier> {
    let name = |id: u32| input.consumers.get(id as usize).map_or_else(String::new, |c| c.name.clone());
    comparison.outliers.iter().map(|(id, ratio)| Outlier { consumer: name(*id), ratio: ratio.map(|r| figures::digits(r.exp())) }).collect()
}
