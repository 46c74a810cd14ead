//! Feedback, scores, labels, coverage and the comparison, reckoned from the feedback one by one.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_model::{Rung, UNKNOWN_VERSION};

use super::stream::{Feedback, Stream};
use super::{assert_share, check, near, same, sums};
use crate::rollup::Days;
use crate::summary::types::{Figure, LabelCount, ScoreCount, Summary};

type Said<'a> = Vec<(&'a Feedback, f32)>;

/// The Poisson mean at which the chance of at most `k` events is `p`, by halving: Garwood's ends, found another way.
fn poisson_mean(k: u64, p: f64) -> f64 {
    let at_most = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for i in 1..=k {
            term *= mean / i as f64;
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 700.0);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if at_most(middle) > p { low = middle } else { high = middle }
    }
    low
}

fn assert_rate(figure: &Figure, said: &Said<'_>, exposure: f64) {
    let (n, sum, squares) = sums(said.iter().map(|(_, w)| *w));
    assert_eq!(figure.n, n);
    assert!(same(figure.value, Some(sum / exposure)), "{figure:?}");
    let (low, high) = (figure.low.unwrap() * exposure, figure.high.unwrap() * exposure);
    assert!(low < sum && sum < high && near(figure.effective_n, sum * sum / squares));
    if said.iter().all(|(_, w)| *w == 1.0) && n > 0 {
        assert!((low - poisson_mean(n - 1, 0.975)).abs() < 1e-4 && (high - poisson_mean(n, 0.025)).abs() < 1e-4, "{figure:?}");
    }
    // Never surer than if every piece of feedback counted wholly.
    assert!(low / sum <= poisson_mean(n - 1, 0.975) / n as f64 + 1e-6);
}

#[test]
fn feedback_is_that_of_the_stream() {
    check(&[feedback_and_its_rates, net_promoter_score, csat_ces_and_ratings, labels_and_coverage, quotes_are_feedback_of_the_version]);
}

fn feedback_and_its_rates(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (said, f) = (stream.feedback(version, days), &summary.feedback);
    let surveys = said.iter().filter(|(s, _)| s.survey.is_some()).count() as u64;
    assert_eq!((f.count, f.surveys, f.tickets), (said.len() as u64, surveys, said.len() as u64 - surveys));
    assert!(near(f.weighted, said.iter().map(|(_, w)| f64::from(*w)).sum()));
    let consumers: BTreeSet<&str> = said.iter().map(|(s, _)| s.consumer.as_str()).filter(|c| !c.is_empty()).collect();
    let requesters: BTreeSet<&String> = said.iter().filter_map(|(s, _)| s.requester.as_ref()).collect();
    assert_eq!((f.consumers, f.requesters), (consumers.len() as u64, requesters.len() as u64));
    let calls = stream.calls(version, days);
    let active: BTreeSet<&str> = calls.iter().map(|c| c.consumer.as_str()).filter(|c| !c.is_empty()).collect();
    assert_rate(&f.per_10k_calls, &said, calls.len() as f64 / 10_000.0);
    assert_rate(&f.per_100_consumers, &said, active.len() as f64 / 100.0);
}

#[test]
fn rates_of_whole_feedback_are_garwoods() {
    let whole: Vec<Feedback> = Stream::make(3).feedback.into_iter().filter(|f| f.versions.len() == 1).take(25).collect();
    let said: Said<'_> = whole.iter().map(|f| (f, 1.0)).collect();
    let estimate = groundswell_stats::poisson_rate(25, 0.75, 1.0).unwrap();
    let interval = estimate.interval.unwrap();
    let figure = Figure { value: Some(estimate.value), low: Some(interval.low), high: Some(interval.high), n: 25, effective_n: 25.0 };
    assert_rate(&figure, &said, 0.75);
}

/// Score and weight of the answers to one kind of survey.
fn answers(said: &Said<'_>, kind: &str) -> Vec<(f64, f32)> {
    said.iter().filter_map(|(f, w)| f.survey.filter(|s| s.0 == kind).map(|s| (s.1, *w))).collect()
}

fn assert_distribution(got: &[ScoreCount], answers: &[(f64, f32)]) {
    let mut expected: BTreeMap<u64, (u64, f64)> = BTreeMap::new();
    for (score, weight) in answers {
        let row = expected.entry(score.to_bits()).or_default();
        *row = (row.0 + 1, row.1 + f64::from(*weight));
    }
    assert_eq!(got.len(), expected.len());
    for (row, (score, (count, weight))) in got.iter().zip(expected) {
        assert!(row.score == f64::from_bits(score) && row.count == count && near(row.weight, weight), "{row:?}");
    }
}

fn net_promoter_score(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let answers = answers(&stream.feedback(version, days), "nps");
    let (n, all, squares) = sums(answers.iter().map(|(_, w)| *w));
    let share = |wanted: fn(f64) -> bool| answers.iter().filter(|(s, _)| wanted(*s)).map(|(_, w)| f64::from(*w)).sum::<f64>() / all;
    let (p, d) = (share(|s| s >= 9.0), share(|s| s <= 6.0));
    let half = 1.96 * ((p + d - (p - d).powi(2)) / (all * all / squares)).sqrt();
    let nps = &summary.nps;
    assert!(n > 3 && nps.score.n == n);
    assert!(same(nps.score.value, Some(100.0 * (p - d))), "{nps:?}");
    assert!(
        same(nps.score.low, Some((100.0 * (p - d - half)).max(-100.0))) && same(nps.score.high, Some((100.0 * (p - d + half)).min(100.0)))
    );
    assert!(same(nps.promoters, Some(p)) && same(nps.detractors, Some(d)) && same(nps.passives, Some(1.0 - p - d)));
    assert_distribution(&nps.distribution, &answers);
}

fn assert_mean(figure: &Figure, answers: &[(f64, f32)]) {
    let (n, all, squares) = sums(answers.iter().map(|(_, w)| *w));
    let mean = answers.iter().map(|(s, w)| s * f64::from(*w)).sum::<f64>() / all;
    assert_eq!(figure.n, n);
    assert!(same(figure.value, Some(mean)), "{figure:?} for {mean}");
    let variance = answers.iter().map(|(s, w)| f64::from(*w) * (s - mean).powi(2)).sum::<f64>() / (all - squares / all);
    let error = (variance / (all * all / squares)).sqrt();
    // Student's t lies above the normal quantile, and below 4.4 from three answers on.
    let t = (figure.high.unwrap() - mean) / error;
    assert!((1.959..4.4).contains(&t) || t < 1.959 && figure.high.unwrap().fract() == 0.0, "{t}");
    assert!(figure.low.unwrap() <= mean);
}

fn csat_ces_and_ratings(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let said = stream.feedback(version, days);
    let csat = answers(&said, "csat");
    assert_mean(&summary.csat.mean, &csat);
    let (n, all, squares) = sums(csat.iter().map(|(_, w)| *w));
    let satisfied: f64 = csat.iter().filter(|(s, _)| *s >= 4.0).map(|(_, w)| f64::from(*w)).sum();
    assert_share(&summary.csat.satisfied, satisfied, all, n, all * all / squares);
    assert_distribution(&summary.csat.distribution, &csat);
    assert_mean(&summary.ces.mean, &answers(&said, "ces"));
    assert_distribution(&summary.ces.distribution, &answers(&said, "ces"));
    let rating = answers(&said, "rating");
    assert_mean(&summary.rating.mean, &rating.iter().map(|(s, w)| (s / 3.0, *w)).collect::<Vec<_>>());
    assert_distribution(&summary.rating.distribution, &rating);
}

fn assert_labels((stream, version): (&Stream, &str), got: &[LabelCount], said: &Said<'_>, of: impl Fn(&Feedback) -> Vec<&'static str>) {
    let (_, all, squares) = sums(said.iter().map(|(_, w)| *w));
    let mut expected: BTreeMap<&str, Said<'_>> = BTreeMap::new();
    for (f, w) in said {
        of(f).into_iter().for_each(|label| expected.entry(label).or_default().push((f, *w)));
    }
    assert_eq!(got.len(), expected.len());
    assert!(got.is_sorted_by(|a, b| a.weight >= b.weight));
    for label in got {
        let with = &expected[label.name.as_str()];
        let (n, weight, _) = sums(with.iter().map(|(_, w)| *w));
        let consumers: BTreeSet<&str> = with.iter().map(|(f, _)| f.consumer.as_str()).filter(|c| !c.is_empty()).collect();
        assert!(label.count == n && near(label.weight, weight) && label.consumers == consumers.len() as u64, "{label:?}");
        assert_eq!(label.revenue, super::brought(stream, &consumers, version));
        assert_share(&label.share, weight, all, said.len() as u64, all * all / squares);
    }
}

fn labels_and_coverage(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (said, l, of) = (stream.feedback(version, days), &summary.labels, (stream, version));
    assert_labels(of, &l.kinds, &said, |f| vec![f.kind]);
    assert_labels(of, &l.aspects, &said, |f| f.aspects.clone());
    assert_labels(of, &l.sentiments, &said, |f| vec![f.sentiment]);
    assert_labels(of, &l.severities, &said, |_| vec!["annoys"]);
    assert_labels(of, &l.languages, &said, |_| vec!["en"]);
    let c = &summary.coverage;
    assert_eq!(c.n, said.len() as u64);
    for rung in Rung::ALL {
        let n = said.iter().filter(|(f, _)| f.rung == rung).count();
        let got = c.rungs.iter().find(|r| r.rung == rung.name());
        assert_eq!(got.map_or(0, |r| r.count), n as u64, "{rung:?}");
        assert!(got.is_none_or(|r| same(r.share, Some(n as f64 / said.len() as f64))));
    }
    let of_api: Vec<&Feedback> = stream.feedback.iter().filter(|f| days.contains(f.time.day())).collect();
    let unknown = of_api.iter().filter(|f| f.versions[0].0 == UNKNOWN_VERSION).count() as f64;
    assert_share(&c.unknown_of_api, unknown, of_api.len() as f64, of_api.len() as u64, of_api.len() as f64);
}

fn quotes_are_feedback_of_the_version(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let said = stream.feedback(version, days);
    assert!(!summary.quotes.is_empty());
    for quote in &summary.quotes {
        let (of, _) = said.iter().find(|(f, _)| f.id == quote.id).unwrap();
        assert_eq!((quote.time.clone(), &quote.consumer), (of.time.rfc3339(), &of.consumer));
        assert_eq!(quote.url.as_deref(), Some("https://desk.example/t/1"));
    }
}

/// The difference by squaring the halves of the intervals (Zou and Donner), the ratio by its value.
#[test]
fn the_comparison_puts_both_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(11);
    let indexed = stream.index(folder.path());
    let this = super::summary(&indexed, &stream, "v2", Some("v1"), Days::default());
    let base = super::summary(&indexed, &stream, "v1", None, Days::default());
    let compared = this.baseline.as_ref().unwrap();
    assert!(compared.version == "v1" && compared.note.contains("not a verdict"));
    let json = (serde_json::to_value(&this).unwrap(), serde_json::to_value(&base).unwrap());
    for f in &compared.figures {
        // The name is the path of the figure in the summary.
        let at = |root: &serde_json::Value| f.name.split('.').fold(root.clone(), |v, key| v[key].clone());
        let value = |v: serde_json::Value| v.as_f64().or(v["value"].as_f64());
        assert_eq!((f.this.value, f.baseline.value), (value(at(&json.0)), value(at(&json.1))), "{}", f.name);
        let (Some(a), Some(b)) = (f.this.value, f.baseline.value) else { panic!("{} has no data", f.name) };
        assert!(same(f.difference.value, Some(a - b)));
        if let (Some(a1), Some(a2), Some(b1), Some(b2)) = (f.this.low, f.this.high, f.baseline.low, f.baseline.high) {
            let (low, high) = (a - b - ((a - a1).powi(2) + (b2 - b).powi(2)).sqrt(), a - b + ((a2 - a).powi(2) + (b - b1).powi(2)).sqrt());
            assert!((f.difference.low.unwrap() - low).abs() < 1e-9 * low.abs().max(1.0), "{}", f.name);
            assert!((f.difference.high.unwrap() - high).abs() < 1e-9 * high.abs().max(1.0), "{}", f.name);
        }
        if let Some(ratio) = &f.ratio {
            assert!(same(ratio.value, (b > 0.0).then_some(a / b)), "{}", f.name);
            assert!(ratio.low.is_none_or(|low| low <= a / b) && ratio.high.is_none_or(|high| a / b <= high));
        }
        assert_eq!(f.difference.n, f.this.n.min(f.baseline.n));
    }
}
