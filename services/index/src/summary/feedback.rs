//! What was said, as figures.

use std::collections::BTreeMap;

use groundswell_model::Rung;
use groundswell_stats::{Moments, Weights, mean, net_promoter_score, poisson_rate_weighted, wilson, wilson_weighted};
use groundswell_text::classify::UNSURE;

use super::figure::{money, of_count, of_weights, real, tidy};
use super::inputs::ApiFeedback;
use super::reach::RevenueBehind;
use super::types::{
    Coverage, CsatFigures, FeedbackFigures, Figure, LabelCount, LabelFigures, NpsFigures, Quote, RungCount, ScoreCount, ScoreFigures,
};
use super::usage_data::UsageData;
use crate::rollup::Revenue;
use crate::search::FeedbackStats;
use crate::search::feedback::{Answer, Tally};

/// Labels listed of each kind.
const MOST_LABELS: usize = 10;
const PER_CALLS: f64 = 10_000.0;
const PER_CONSUMERS: f64 = 100.0;
const CSAT_SCALE: (f64, f64) = (1.0, 5.0);
const CES_SCALE: (f64, f64) = (1.0, 7.0);
/// Lowest score that counts as satisfied.
const SATISFIED: f64 = 4.0;
/// Lowest score of a promoter.
const PROMOTER: f64 = 9.0;
/// Highest score of a detractor.
const DETRACTOR: f64 = 6.0;

pub(super) fn feedback(stats: &FeedbackStats, usage: &UsageData) -> FeedbackFigures {
    let weights = weights(&stats.all);
    let rate = |exposure, unit| of_weights(poisson_rate_weighted(&weights, exposure, unit), &weights);
    FeedbackFigures {
        count: weights.n,
        weighted: tidy(weights.sum),
        tickets: stats.tickets,
        surveys: stats.surveys,
        consumers: stats.all.consumers,
        requesters: stats.requesters,
        counting: stats.counting.name().to_owned(),
        left_out: stats.left_out,
        per_10k_calls: rate(real(usage.counts.calls), PER_CALLS),
        per_100_consumers: rate(real(usage.active), PER_CONSUMERS),
    }
}

fn weights(tally: &Tally) -> Weights {
    Weights { n: tally.count, sum: tally.weight, sum_of_squares: tally.squares }
}

/// The answers to surveys of one kind.
fn answers<'a>(stats: &'a FeedbackStats, kind: &str) -> &'a [Answer] {
    stats.answers.get(kind).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn nps(stats: &FeedbackStats) -> NpsFigures {
    let answers = answers(stats, "nps");
    let all = sum(answers, |_| true);
    let promoters = sum(answers, |s| s >= PROMOTER);
    let detractors = sum(answers, |s| s <= DETRACTOR);
    let share = |part: f64| (all.sum > 0.0).then(|| tidy(part / all.sum));
    NpsFigures {
        score: of_weights(net_promoter_score(&promoters, &detractors, &all), &all),
        promoters: share(promoters.sum),
        passives: share(sum(answers, |s| s > DETRACTOR && s < PROMOTER).sum),
        detractors: share(detractors.sum),
        distribution: distribution(answers),
    }
}

pub(super) fn csat(stats: &FeedbackStats) -> CsatFigures {
    let answers = answers(stats, "csat");
    let (all, satisfied) = (sum(answers, |_| true), sum(answers, |s| s >= SATISFIED));
    CsatFigures {
        mean: mean_of(answers, |a| a.score, CSAT_SCALE),
        satisfied: of_weights(wilson_weighted(&satisfied, &all), &all),
        distribution: distribution(answers),
    }
}

pub(super) fn ces(stats: &FeedbackStats) -> ScoreFigures {
    let answers = answers(stats, "ces");
    ScoreFigures { mean: mean_of(answers, |a| a.score, CES_SCALE), distribution: distribution(answers) }
}

/// Ratings come on scales of their own, so the mean is over the place on the scale.
pub(super) fn rating(stats: &FeedbackStats) -> ScoreFigures {
    let answers = answers(stats, "rating");
    let on_a_scale: Vec<Answer> = answers.iter().copied().filter(|a| a.max > a.min).collect();
    ScoreFigures {
        mean: mean_of(&on_a_scale, |a| ((a.score - a.min) / (a.max - a.min)).clamp(0.0, 1.0), (0.0, 1.0)),
        distribution: distribution(answers),
    }
}

fn mean_of(answers: &[Answer], score: impl Fn(&Answer) -> f64, scale: (f64, f64)) -> Figure {
    let mut moments = Moments::default();
    answers.iter().for_each(|a| moments.add_all(score(a), &weights(&a.tally)));
    of_weights(mean(&moments, scale), &moments.weights)
}

fn sum(answers: &[Answer], wanted: impl Fn(f64) -> bool) -> Weights {
    let mut sum = Weights::default();
    for answer in answers.iter().filter(|a| wanted(a.score)) {
        sum.n += answer.tally.count;
        sum.sum += answer.tally.weight;
        sum.sum_of_squares += answer.tally.squares;
    }
    sum
}

/// Sorted by score; the same score on different scales is one row.
fn distribution(answers: &[Answer]) -> Vec<ScoreCount> {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    let rows = sorted.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq());
    rows.filter_map(|row| {
        let all = sum(row, |_| true);
        row.first().map(|first| ScoreCount { score: first.score, count: all.n, weight: tidy(all.sum) })
    })
    .collect()
}

pub(super) fn labels(stats: &FeedbackStats, behind: &RevenueBehind) -> LabelFigures {
    let all = weights(&stats.all);
    let counts = |field: &str, labels: &BTreeMap<String, Tally>| label_counts(labels, &all, behind.of(field));
    LabelFigures {
        kinds: counts("type", &stats.by_type),
        aspects: counts("aspect", &stats.by_aspect),
        sentiments: counts("sentiment", &stats.by_sentiment),
        severities: counts("severity", &stats.by_severity),
        languages: counts("language", &stats.by_language),
    }
}

fn label_counts(labels: &BTreeMap<String, Tally>, all: &Weights, behind: Option<&BTreeMap<String, Revenue>>) -> Vec<LabelCount> {
    let revenue = |name: &str| behind.and_then(|of| of.get(name)).map(money).unwrap_or_default();
    let mut counts: Vec<LabelCount> =
        labels.iter().map(|(name, tally)| LabelCount { revenue: revenue(name), ..label_count(name, tally, all) }).collect();
    counts.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.name.cmp(&b.name)));
    // What nothing could be told of comes last, however much it is.
    let unsure = counts.iter().position(|label| label.name == UNSURE).map(|at| counts.remove(at));
    counts.truncate(MOST_LABELS);
    counts.extend(unsure);
    counts
}

fn label_count(name: &str, tally: &Tally, all: &Weights) -> LabelCount {
    LabelCount {
        name: name.to_owned(),
        count: tally.count,
        weight: tidy(tally.weight),
        share: of_weights(wilson_weighted(&weights(tally), all), all),
        consumers: tally.consumers,
        revenue: Vec::new(),
    }
}

pub(super) fn quotes(stats: &FeedbackStats) -> Vec<Quote> {
    stats.quotes.iter().map(quote).collect()
}

/// A quote as it is answered.
pub(crate) fn quote(q: &crate::search::Quote) -> Quote {
    Quote {
        source: q.source.clone(),
        id: q.id.clone(),
        time: q.time.rfc3339(),
        title: q.title.clone(),
        text: q.text.clone(),
        url: q.url.clone(),
        consumer: q.consumer.clone(),
        labels: q.labels.clone(),
        survey: q.survey.as_ref().map(|(kind, score)| format!("{kind} {score}")),
        stands_for: q.label.clone(),
    }
}

pub(super) fn coverage(stats: &FeedbackStats, api: ApiFeedback) -> Coverage {
    let n = stats.all.count;
    let count_of = |rung: Rung| stats.by_rung.get(rung.name()).map_or(0, |tally| tally.count);
    let rows = Rung::ALL.into_iter().map(|rung| (rung, count_of(rung))).filter(|(_, count)| *count > 0);
    let rungs =
        rows.map(|(rung, count)| RungCount { rung: rung.name().to_owned(), count, share: (n > 0).then(|| tidy(real(count) / real(n))) });
    Coverage { n, rungs: rungs.collect(), feedback_of_api: api.count, unknown_of_api: of_count(wilson(api.unknown, api.count), api.count) }
}
