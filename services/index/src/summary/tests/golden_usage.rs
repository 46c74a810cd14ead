//! Usage and consumers, reckoned from the calls one by one.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_model::{MilestoneKind, UNKNOWN_VERSION};

use super::stream::{API, Call, Stream};
use super::{assert_share, check, same};
use crate::rollup::Days;
use crate::summary::types::{Move, OperationFigures, Summary};

fn count(calls: &[&Call], wanted: fn(u16) -> bool) -> u64 {
    calls.iter().filter(|c| wanted(c.status)).count() as u64
}

fn people(calls: &[&Call]) -> BTreeSet<String> {
    calls.iter().filter(|c| !c.consumer.is_empty()).map(|c| c.consumer.clone()).collect()
}

fn assert_plain_share(figure: &crate::summary::types::Figure, part: u64, all: u64) {
    assert_share(figure, part as f64, all as f64, all, all as f64);
}

#[test]
fn usage_is_that_of_the_calls() {
    check(&[
        calls_and_failures,
        latency_revenue_and_value,
        the_worst_operations,
        consumers_and_adoption,
        time_to_first_success,
        moves_between_versions,
        the_trend,
    ]);
}

fn calls_and_failures(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (calls, u) = (stream.calls(version, days), &summary.usage);
    let all = calls.len() as u64;
    assert_eq!(u.calls, all);
    for (got, rate, expected) in [
        (u.failed, &u.error_rate, count(&calls, |s| s >= 400)),
        (u.server_errors, &u.server_error_rate, count(&calls, |s| s >= 500)),
        (u.rate_limited, &u.rate_limited_rate, count(&calls, |s| s == 429)),
    ] {
        assert_eq!(got, expected);
        assert_plain_share(rate, expected, all);
    }
    let operations: BTreeSet<&str> = calls.iter().map(|c| c.operation.as_str()).collect();
    assert_eq!(u.operations, operations.len() as u64);
}

fn latency_revenue_and_value(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (calls, u) = (stream.calls(version, days), &summary.usage);
    let mut ms: Vec<f64> = calls.iter().map(|c| c.ms).collect();
    ms.sort_by(f64::total_cmp);
    let l = &u.latency;
    assert_eq!(l.n, ms.len() as u64);
    for (got, q) in [(l.p50_ms, 0.5), (l.p90_ms, 0.9), (l.p95_ms, 0.95), (l.p99_ms, 0.99)] {
        let exact = ms[(q * (ms.len() - 1) as f64).floor() as usize];
        assert!((got.unwrap() - exact).abs() <= exact * 0.0101, "{got:?} for {exact}");
    }
    let cents: i64 = calls.iter().filter_map(|c| c.cents).sum();
    assert_eq!(u.revenue.len(), 1);
    assert!(u.revenue[0].currency == "EUR" && same(Some(u.revenue[0].amount), Some(cents as f64 / 100.0)));
    let orders: Vec<f64> = calls.iter().filter_map(|c| c.orders).collect();
    assert_eq!((u.value[0].name.as_str(), u.value[0].count), ("order", orders.len() as u64));
    assert!(same(Some(u.value[0].amount), Some(orders.iter().sum())));
}

fn assert_operation(stream: &Stream, version: &str, days: Days, o: &OperationFigures) {
    let calls: Vec<&Call> = stream.calls(version, days).into_iter().filter(|c| c.operation == o.operation).collect();
    let failed = count(&calls, |s| s >= 400);
    assert_eq!((o.calls, o.failed), (calls.len() as u64, failed));
    assert_plain_share(&o.error_rate, failed, o.calls);
    let mut ms: Vec<f64> = calls.iter().map(|c| c.ms).collect();
    ms.sort_by(f64::total_cmp);
    let exact = ms[(0.95 * (ms.len() - 1) as f64).floor() as usize];
    assert!((o.p95_ms.unwrap() - exact).abs() <= exact * 0.0101);
    assert_eq!(o.consumers, days.is_all().then(|| people(&calls).len() as u64));
    let failed = calls.iter().filter(|c| c.status >= 400);
    let who: BTreeSet<&str> = failed.map(|c| c.consumer.as_str()).filter(|c| !c.is_empty()).collect();
    assert_eq!(o.consumers_affected, who.len() as u64, "{} {days:?}", o.operation);
    assert_eq!(o.revenue_affected, super::brought(stream, &who, version));
    let about = |f: &super::stream::Feedback| f.operation.as_deref() == Some(&o.operation);
    assert_eq!(o.feedback, stream.feedback(version, days).iter().filter(|(f, _)| about(f)).count() as u64);
}

fn the_worst_operations(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let u = &summary.usage;
    let mut failed: BTreeMap<&str, u64> = BTreeMap::new();
    stream.calls(version, days).iter().filter(|c| c.status >= 400).for_each(|c| *failed.entry(&c.operation).or_default() += 1);
    let mut most: Vec<u64> = failed.values().copied().collect();
    most.sort_by(|a, b| b.cmp(a));
    most.truncate(10);
    assert_eq!(u.worst_by_failures.iter().map(|o| o.failed).collect::<Vec<_>>(), most);
    u.worst_by_failures.iter().chain(&u.worst_by_error_rate).for_each(|o| assert_operation(stream, version, days, o));
    let low = |o: &OperationFigures| o.error_rate.low.unwrap();
    assert!(u.worst_by_error_rate.is_sorted_by(|a, b| low(a) >= low(b)));
    assert!(u.worst_by_error_rate.iter().all(|o| o.calls >= u.enough_calls));
    // Whoever fails in two of five calls is found, however many others there are.
    assert!(u.worst_by_error_rate.iter().take(2).any(|o| o.operation == "getOp3"));
}

fn consumers_and_adoption(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (calls, c) = (stream.calls(version, days), &summary.consumers);
    let of_api: Vec<&Call> = ["v1", "v2", UNKNOWN_VERSION].iter().flat_map(|v| stream.calls(v, days)).collect();
    let (active, all) = (people(&calls).len() as u64, people(&of_api).len() as u64);
    assert_eq!((c.active, c.active_of_api, c.calls_of_api), (active, all, of_api.len() as u64));
    assert_plain_share(&c.adoption, active, all);
    assert!(same(c.share_of_calls, Some(calls.len() as f64 / of_api.len() as f64)));
}

fn time_to_first_success(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let (mut seconds, mut before, mut never, mut failed_first) = (Vec::new(), Vec::new(), 0, 0);
    let successes = stream.first_successes();
    let ever = stream.calls(version, Days::default());
    let mut new = 0;
    for consumer in people(&ever) {
        let first = ever.iter().filter(|c| c.consumer == consumer).min_by_key(|c| c.time).unwrap();
        if !days.contains(first.time.day()) {
            continue;
        }
        new += 1;
        failed_first += u64::from(first.status >= 400);
        match successes.get(&(first.version, consumer.as_str())) {
            Some((time, failed)) => {
                seconds.push((time.0 - first.time.0) as f64 / 1000.0);
                before.push(*failed as f64);
            }
            None => never += 1,
        }
    }
    seconds.sort_by(f64::total_cmp);
    before.sort_by(f64::total_cmp);
    let at = |of: &[f64], q: f64| of.len().checked_sub(1).map(|last| of[(q * last as f64).floor() as usize]);
    let t = &summary.consumers.time_to_first_success;
    assert_eq!((summary.consumers.new, t.n, t.never_succeeded), (new, seconds.len() as u64, never));
    assert!(same(t.median_seconds, at(&seconds, 0.5)) && same(t.p90_seconds, at(&seconds, 0.9)), "{t:?}");
    assert!(same(t.median_failed_before, at(&before, 0.5)));
    assert_plain_share(&t.first_call_failed, failed_first, new);
}

fn assert_moves(stream: &Stream, got: &[Move], kind: MilestoneKind, from: &str, to: &str, other: &str, days: Days) {
    let moved = |m: &&super::stream::Move| m.kind == kind && m.from == from && m.to == to && days.contains(m.time.day());
    let n = stream.moves.iter().filter(moved).count() as u64;
    let expected: Vec<Move> = (n > 0).then(|| Move { version: other.to_owned(), consumers: n }).into_iter().collect();
    assert_eq!(got, expected, "{kind:?} {from} to {to}");
}

fn moves_between_versions(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let other = if version == "v1" { "v2" } else { "v1" };
    let m = &summary.consumers.moves;
    assert_moves(stream, &m.upgrades_in, MilestoneKind::Upgrade, other, version, other, days);
    assert_moves(stream, &m.upgrades_out, MilestoneKind::Upgrade, version, other, other, days);
    assert_moves(stream, &m.downgrades_in, MilestoneKind::Downgrade, other, version, other, days);
    assert_moves(stream, &m.downgrades_out, MilestoneKind::Downgrade, version, other, other, days);
}

fn expected_trend(stream: &Stream, version: &str, days: Days) -> BTreeMap<String, (u64, u64, u64, u64)> {
    let mut rows: BTreeMap<String, (u64, u64, BTreeSet<&str>, u64)> = BTreeMap::new();
    for call in stream.calls(version, days) {
        let row = rows.entry(call.time.day().iso()).or_default();
        row.0 += 1;
        row.1 += u64::from(call.status >= 400);
        if !call.consumer.is_empty() {
            row.2.insert(&call.consumer);
        }
    }
    for (said, _) in stream.feedback(version, days) {
        rows.entry(said.time.day().iso()).or_default().3 += 1;
    }
    rows.into_iter().map(|(day, (calls, failed, people, said))| (day, (calls, failed, people.len() as u64, said))).collect()
}

fn the_trend(stream: &Stream, summary: &Summary, version: &str, days: Days) {
    let got = summary.trend.iter().map(|d| (d.day.clone(), (d.calls, d.failed, d.consumers, d.feedback)));
    assert_eq!(got.collect::<BTreeMap<_, _>>(), expected_trend(stream, version, days));
    assert!(summary.trend.is_sorted_by(|a, b| a.day < b.day));
}

#[test]
fn a_version_nobody_knows_has_no_data_and_no_zeros() {
    let folder = tempfile::tempdir().unwrap();
    let indexed = Stream::make(1).index(folder.path());
    let view = indexed.rollups.reader().view().unwrap();
    let usage = crate::summary::UsageData::read(&view, API, "v9", Days::default()).unwrap();
    let inputs = crate::summary::SummaryInputs {
        this: crate::summary::VersionData { version: "v9".into(), usage, ..Default::default() },
        ..Default::default()
    };
    let summary = crate::summary::summarise(&inputs);
    assert_eq!((summary.usage.error_rate.value, summary.nps.score.value, summary.feedback.per_10k_calls.value), (None, None, None));
    assert_eq!((summary.usage.latency.p50_ms, summary.consumers.time_to_first_success.median_seconds), (None, None));
    assert!(summary.consumers.adoption.value == Some(0.0) && summary.consumers.active_of_api > 0);
}
