//! What changed, against a reckoning of its own from the raw stream.

use std::collections::BTreeSet;

use groundswell_model::{Day, Timestamp};
use groundswell_review::changes::Heard;

use super::*;
use crate::rollup::Days;
use crate::summary::tests::stream::{API, Call, FIRST_DAY, Feedback, Indexed, Stream};

fn question() -> Question {
    Question { api: API.into(), version: "v2".into(), baseline: "v1".into(), days: Days::default(), ..Question::default() }
}

fn told(indexed: &Indexed) -> Changes {
    told_in(indexed, Days::default())
}

fn told_in(indexed: &Indexed, days: Days) -> Changes {
    let asked = Question { days, ..question() };
    changes(&indexed.rollups.reader().view().unwrap(), &indexed.search.readers().snapshot(), &asked, None, |_| None).unwrap()
}

fn find<'a>(changes: &'a Changes, field: &str, value: &str) -> &'a Change {
    let all = changes.changes.iter().chain(&changes.steady);
    all.into_iter()
        .find(|c| c.change.field == field && c.change.value == value)
        .unwrap_or_else(|| panic!("no {field} {value}: {changes:?}"))
}

fn window(changes: &Changes) -> Days {
    let day = |text: &str| Timestamp::parse(&format!("{text}T00:00:00Z")).unwrap().day();
    Days { from: Some(day(&changes.from)), until: Some(day(&changes.until)) }
}

#[track_caller]
fn assert_heard(stream: &Stream, changes: &Changes, version: &str, got: &Heard, which: impl Fn(&Feedback) -> bool) {
    let days = window(changes);
    let said: Vec<(&Feedback, f32)> = stream.feedback(version, days).into_iter().filter(|(f, _)| which(f)).collect();
    let count: f64 = said.iter().map(|(_, w)| f64::from(*w)).sum();
    let consumers: BTreeSet<&str> = said.iter().map(|(f, _)| f.consumer.as_str()).filter(|c| !c.is_empty()).collect();
    let calls: Vec<_> = stream.calls(version, days).into_iter().filter(|c| !c.consumer.is_empty()).collect();
    let active: BTreeSet<&str> = calls.iter().map(|c| c.consumer.as_str()).collect();
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1e-3);
    assert!(near(got.count, count), "{got:?} for {count}");
    assert_eq!(got.consumers, consumers.len() as u64);
    assert!(near(got.per_10_000_calls.unwrap(), 1e4 * count / calls.len() as f64), "{got:?}");
    assert!(near(got.share_of_consumers.unwrap(), consumers.len() as f64 / active.len() as f64), "{got:?}");
}

#[test]
fn what_is_said_is_that_of_the_raw_stream() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(11);
    let changes = told(&stream.index(folder.path()));
    let positive = |f: &Feedback| f.sentiment == "positive";
    for (version, side) in [("v1", (|c: &Change| c.change.baseline) as fn(&Change) -> Heard), ("v2", |c: &Change| c.change.candidate)] {
        assert_heard(&stream, &changes, version, &side(find(&changes, "type", "bug")), |f| f.kind == "bug");
        assert_heard(&stream, &changes, version, &side(find(&changes, "aspect", "auth")), |f| f.aspects.contains(&"auth") && !positive(f));
        assert_heard(&stream, &changes, version, &side(find(&changes, "praise", "auth")), |f| f.aspects.contains(&"auth") && positive(f));
    }
    let bugs = find(&changes, "type", "bug");
    let behind: BTreeSet<&str> = ["v1", "v2"]
        .iter()
        .flat_map(|v| stream.feedback(v, window(&changes)))
        .filter(|(f, _)| f.kind == "bug")
        .map(|(f, _)| f.consumer.as_str())
        .collect();
    let cents: i64 = stream
        .calls
        .iter()
        .filter(|c| c.api == API && ["v1", "v2"].contains(&c.version) && !c.consumer.is_empty() && behind.contains(c.consumer.as_str()))
        .filter_map(|c| c.cents)
        .sum();
    assert!((bugs.revenue[0].amount - cents as f64 / 100.0).abs() < 1e-6, "{:?} for {cents}", bugs.revenue);
    assert!(find(&changes, "type", "praise").change.good && find(&changes, "praise", "auth").change.good && !bugs.change.good);
}

/// Failed calls of an operation in these days, against the raw stream.
#[track_caller]
fn assert_fails(stream: &Stream, changes: &Changes, operation: &str, days: Days) {
    let change = find(changes, "failing operation", operation).change.clone();
    for (version, got) in [("v1", change.baseline), ("v2", change.candidate)] {
        let calls = stream.calls(version, days).into_iter().filter(|c| c.operation == operation && !c.consumer.is_empty());
        let calls: Vec<_> = calls.collect();
        let failed: Vec<_> = calls.iter().filter(|c| c.status >= 400).collect();
        let who: BTreeSet<&str> = failed.iter().map(|c| c.consumer.as_str()).collect();
        assert_eq!((got.count, got.consumers), (failed.len() as f64, who.len() as u64), "{operation} {version}");
        assert!((got.per_10_000_calls.unwrap() - 1e4 * failed.len() as f64 / calls.len() as f64).abs() < 1e-3);
    }
}

#[test]
fn failing_operations_are_counted_by_consumer() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(11);
    let changes = told(&stream.index(folder.path()));
    // The stream makes this one fail on v2 alone.
    let broken = find(&changes, "failing operation", "getOp5");
    assert_fails(&stream, &changes, "getOp5", Days::default());
    assert_eq!(broken.change.became, Became::Growing, "{broken:?}");
    assert!(broken.change.low.unwrap() > 1.0 && broken.change.adjusted.unwrap() < 0.05);
    assert_eq!(find(&changes, "failing operation", "getOp3").change.became, Became::Steady, "it fails on both");
}

#[test]
fn what_failed_outside_of_the_days_asked_for_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = Stream::make(11);
    // An outage of one operation on the first two days of the baseline, long before the window.
    let outage = |c: &&mut Call| c.version == "v1" && c.operation == "getOp7" && c.time.day().0 < FIRST_DAY + 2;
    stream.calls.iter_mut().filter(outage).for_each(|c| c.status = 503);
    let indexed = stream.index(folder.path());
    let days = Days { from: Some(Day(FIRST_DAY + 4)), until: Some(Day(FIRST_DAY + 12)) };
    let changes = told_in(&indexed, days);
    for operation in ["getOp3", "getOp5", "getOp7"] {
        assert_fails(&stream, &changes, operation, days);
    }
    assert_eq!(find(&changes, "failing operation", "getOp7").change.became, Became::Steady);
    assert_fails(&stream, &told(&indexed), "getOp7", Days::default());
}

#[test]
fn a_new_subject_is_told_with_quotes_and_the_order_of_reading_leaves_no_trace() {
    let with_new = |reversed: bool| -> Changes {
        let folder = tempfile::tempdir().unwrap();
        let mut stream = Stream::make(11);
        let mut number = 0;
        for feedback in stream.feedback.iter_mut().filter(|f| f.versions == [("v2", 1.0)]) {
            number += 1;
            feedback.consumer = format!("c{}", 1 + number % 60);
            feedback.aspects = vec!["webhooks"];
            feedback.sentiment = "negative";
        }
        if reversed {
            stream.feedback.reverse();
            stream.calls.reverse();
        }
        told(&stream.index(folder.path()))
    };
    let changes = with_new(false);
    let new = find(&changes, "aspect", "webhooks");
    assert_eq!((new.change.became, new.change.baseline.count), (Became::New, 0.0), "{new:?}");
    assert_eq!(new.quotes.len(), 2, "{new:?}");
    assert!(new.quotes[0].url.is_some() && new.severity.contains_key("annoys"));
    assert_eq!(
        serde_json::to_string(&with_new(true)).unwrap().replace("220", ""),
        serde_json::to_string(&changes).unwrap().replace("220", "")
    );
    let text = crate::summary::render::sections_markdown_at(&sections(&changes), 2);
    assert!(text.contains("aspect: webhooks") && text.contains("It \\| fails"), "{text}");
}
