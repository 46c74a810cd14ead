//! Readiness, on traffic made by hand.

use groundswell_bus::Offset;
use groundswell_model::{LatencyBuckets, UsageDelta};
use groundswell_review::Verdict;

use super::*;
use crate::rollup::RollupStore;

fn add(store: &mut RollupStore, version: &'static str, consumer: &str, operation: &'static str, day: i32, calls: u64) {
    let time = Day(day).start();
    let delta = UsageDelta {
        api: "payments",
        version,
        operation,
        consumer,
        hour: time.hour(),
        calls,
        failed: 0,
        server_errors: 0,
        rate_limited: 0,
        first: time,
        last: time,
        first_success: Some(time),
        latency: LatencyBuckets::default(),
        revenue: vec![("EUR", i64::try_from(calls).unwrap() * 1_000_000)],
        value: vec![],
        received: time,
    };
    store.add(&delta).unwrap();
}

/// Consumers leave v1 one after the other: of 32 half are left each week. v2 goes on to day 100.
fn store(folder: &std::path::Path) -> RollupStore {
    let mut store = RollupStore::open(&folder.join("usage.redb"), 8).unwrap();
    for consumer in 0..32u32 {
        let weeks = 5 - (consumer + 1).ilog2().min(5);
        for week in 0..=i32::try_from(weeks).unwrap() {
            add(&mut store, "v1", &format!("c{consumer}"), if consumer % 2 == 0 { "pay" } else { "refund" }, 58 + 7 * week, 3);
        }
        add(&mut store, "v2", &format!("c{consumer}"), "pay", 99, 1);
    }
    add(&mut store, "v1", "", "pay", 99, 2);
    add(&mut store, "v1", "c0", "refund", 98, 1);
    store.commit(Offset(1)).unwrap();
    store
}

fn of(folder: &std::path::Path, question: &Question, policy: &RemovalPolicy) -> Readiness {
    readiness(&store(folder).reader().view().unwrap(), &Snapshot::default(), question, policy).unwrap()
}

#[test]
fn who_still_calls_is_told_with_what_and_what_it_is_worth() {
    let folder = tempfile::tempdir().unwrap();
    let sunset = Some(Day(90).start());
    let question = Question { api: "payments".into(), version: "v1".into(), sunset, ..Question::default() };
    let ready = of(folder.path(), &question, &RemovalPolicy { quiet_days: 5, ..RemovalPolicy::default() });
    assert_eq!((ready.as_of.as_str(), ready.consumers, ready.calls, ready.unnamed_calls), (Day(100).iso().as_str(), 1, 3, 2));
    let caller = &ready.callers[0];
    assert_eq!((caller.consumer.as_str(), caller.calls, caller.operations.join(" ")), ("c0", 1, "pay refund".to_owned()));
    assert_eq!((caller.other_versions.join(" "), caller.last.get(..10)), ("v2".to_owned(), Some(Day(98).iso().as_str())));
    // Six weeks of three calls and one more, a euro each.
    assert!((ready.revenue[0].amount - 19.0).abs() < 1e-9 && ready.revenue == caller.revenue, "{ready:?}");
    assert_eq!((ready.moved, ready.gone), (31, 0));
    assert_eq!(ready.verdict, Verdict::Regression, "it is called still: {}", ready.reason);
    assert_eq!(ready.last_call, Some(Day(99).start().rfc3339()));
    let weeks: Vec<u64> = ready.weeks.iter().map(|w| w.consumers).collect();
    assert_eq!(weeks, [32, 31, 15, 7, 3, 1], "who is left, by week");
}

#[test]
fn a_decline_has_an_end_and_a_steady_version_has_none() {
    let weeks =
        |consumers: &[u64]| -> Vec<Week> { consumers.iter().map(|n| Week { from: String::new(), calls: *n, consumers: *n }).collect() };
    // Half of them leave each week: half a consumer is left seven weeks after the first, whose middle is three and a half days in.
    let told = projection(&weeks(&[64, 32, 16, 8, 4, 2]), Day(100));
    let day = |text: &Option<String>| Timestamp::parse(&format!("{}T00:00:00Z", text.as_deref().unwrap())).unwrap().day().0;
    let expected = 100 - 42 + 49 + 3;
    assert!((day(&told.end) - expected).abs() <= 5, "{told:?} for {expected}");
    assert!(day(&told.earliest) < day(&told.end) && day(&told.end) < day(&told.latest));
    assert_eq!(projection(&weeks(&[9, 10, 9, 11, 10]), Day(100)).end, None);
    assert!(projection(&weeks(&[3, 9, 20, 31]), Day(100)).told.contains("does not fall"));
    assert!(projection(&weeks(&[5, 4, 3, 0]), Day(100)).told.contains("nobody"));
}

#[test]
fn dates_are_headers_by_their_standards() {
    // The example of RFC 9745, and one like that of RFC 8594.
    let at = |text| Some(Timestamp::parse(text).unwrap());
    let told: Vec<String> =
        headers(at("2023-06-30T23:59:59Z"), at("2025-12-31T23:59:59Z")).into_iter().map(|h| format!("{}: {}", h.name, h.value)).collect();
    assert_eq!(told, ["Deprecation: @1688169599", "Sunset: Wed, 31 Dec 2025 23:59:59 GMT"]);
    assert!(headers(None, None).is_empty());
    let folder = tempfile::tempdir().unwrap();
    let question = Question {
        deprecated: at("2023-06-30T23:59:59Z"),
        ..Question { api: "payments".into(), version: "v1".into(), ..Question::default() }
    };
    let text = markdown(&of(folder.path(), &question, &RemovalPolicy::default()), 2);
    assert!(text.contains("```http\nDeprecation: @1688169599\n```"), "can be copied: {text}");
}

#[test]
fn a_quiet_version_whose_sunset_has_passed_can_go() {
    let folder = tempfile::tempdir().unwrap();
    let question = Question { api: "payments".into(), version: "v0".into(), sunset: Some(Day(90).start()), ..Question::default() };
    let ready = of(folder.path(), &question, &RemovalPolicy::default());
    assert_eq!((ready.verdict, ready.calls, ready.last_call), (Verdict::Pass, 0, None));
    let never = Question { sunset: None, ..question };
    assert_eq!(of(tempfile::tempdir().unwrap().path(), &never, &RemovalPolicy::default()).verdict, Verdict::Regression);
}
