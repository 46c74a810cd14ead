//! Every published number against a reckoning of its own from the raw stream.

use std::collections::BTreeSet;

mod golden_feedback;
mod golden_usage;
mod rendering;
pub(crate) mod stream;

use groundswell_catalogue::Catalogue;
use groundswell_model::{Day, UNKNOWN_VERSION};

use super::types::{Figure, Money, Summary};
use super::{ApiFeedback, RevenueBehind, SummaryInputs, UsageData, VersionData, summarise};
use crate::journeys::{self, Journeys, Versions};
use crate::rollup::Days;
use crate::search::{Counting, feedback_stats};
use stream::{API, Indexed, Stream};

/// The three windows that every number is checked in: all time, an open one and a closed one.
fn windows() -> [Days; 3] {
    let first = stream::FIRST_DAY;
    [Days::default(), Days { from: Some(Day(first + 6)), until: None }, Days { from: Some(Day(first + 4)), until: Some(Day(first + 11)) }]
}

/// The summary of one version beside the other, by way of both stores.
fn summary(indexed: &Indexed, stream: &Stream, version: &str, baseline: Option<&str>, days: Days) -> Summary {
    let view = indexed.rollups.reader().view().unwrap();
    let snapshot = indexed.search.readers().snapshot();
    let data = |version: &str| {
        let feedback = feedback_stats(snapshot.version(API, version).unwrap(), days.times(), Counting::Weighted).unwrap();
        VersionData {
            version: version.to_owned(),
            usage: UsageData::read(&view, API, version, days).unwrap(),
            revenue_behind: RevenueBehind::read(&view, API, version, &feedback).unwrap(),
            feedback,
            ..VersionData::default()
        }
    };
    let versions = Versions::read(&view, &Catalogue::default(), API, version, baseline).unwrap();
    let journeys = Journeys::read(&view, &snapshot, versions, (API, version), days).unwrap();
    let said: Vec<_> = stream.feedback.iter().filter(|f| days.contains(f.time.day())).collect();
    summarise(&SummaryInputs {
        api: API.to_owned(),
        days,
        api_feedback: ApiFeedback {
            count: said.len() as u64,
            unknown: said.iter().filter(|f| f.versions[0].0 == UNKNOWN_VERSION).count() as u64,
        },
        this: data(version),
        baseline: baseline.map(data),
        journeys: journeys::figures(&journeys, &view, &snapshot).unwrap(),
        pain: journeys::pain(&journeys, &view, 10).unwrap(),
        ..SummaryInputs::default()
    })
}

/// Holds a summary of a version in some days against the stream it was made from.
type Check = fn(&Stream, &Summary, &str, Days);

/// Runs checks on both versions in every window.
fn check(checks: &[Check]) {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(7);
    let indexed = stream.index(folder.path());
    for days in windows() {
        for (version, other) in [("v1", "v2"), ("v2", "v1")] {
            let summary = summary(&indexed, &stream, version, Some(other), days);
            checks.iter().for_each(|check| check(&stream, &summary, version, days));
        }
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn same(got: Option<f64>, expected: Option<f64>) -> bool {
    match (got, expected) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    }
}

/// A share with the ends of its Wilson interval as the roots of n·(p − π)² = z²·π·(1 − π).
#[track_caller]
fn assert_share(figure: &Figure, part: f64, all: f64, n: u64, effective: f64) {
    assert_eq!(figure.n, n);
    if all == 0.0 {
        assert_eq!((figure.value, figure.low, figure.high), (None, None, None));
        return;
    }
    let p = part / all;
    let z2 = 1.959_963_984_540_054f64.powi(2);
    let (a, b, c) = (effective + z2, -(2.0 * effective * p + z2), effective * p * p);
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    let expected = [p, (-b - root) / (2.0 * a), (-b + root) / (2.0 * a)];
    let got = [figure.value, figure.low, figure.high].map(Option::unwrap);
    assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-7), "{got:?} for {expected:?}");
    assert!(near(figure.effective_n, effective));
}

/// Σw and Σw² of some weights.
fn sums(weights: impl Iterator<Item = f32>) -> (u64, f64, f64) {
    weights.fold((0, 0.0, 0.0), |(n, sum, squares), w| (n + 1, sum + f64::from(w), squares + f64::from(w) * f64::from(w)))
}

/// What these consumers have brought on a version, ever.
pub(crate) fn brought(stream: &Stream, who: &BTreeSet<&str>, version: &str) -> Vec<Money> {
    let calls = stream.calls(version, Days::default());
    let paid: Vec<i64> = calls.iter().filter(|c| who.contains(c.consumer.as_str())).filter_map(|c| c.cents).collect();
    let amount = paid.iter().sum::<i64>() as f64 / 100.0;
    (!paid.is_empty()).then(|| Money { currency: "EUR".to_owned(), amount }).into_iter().collect()
}
