//! What a review publishes against a reckoning of its own from the raw stream.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_bus::Offset;
use groundswell_model::{Day, Hour, LatencyBuckets, Milestone, MilestoneKind, Timestamp, UsageDelta};
use groundswell_review::policy::Counted;
use groundswell_review::types::{Figures, Guardrail};
use groundswell_review::{Policy, Review, review};

use super::*;
use crate::rollup::RollupStore;
use crate::summary::tests::stream::{API, Call, FIRST_DAY, Feedback, Indexed, Stream};

fn days(from: i32, until: i32) -> Days {
    Days { from: Some(Day(from)), until: Some(Day(until)) }
}

fn question(days: Days) -> Question {
    Question { api: API.into(), version: "v2".into(), baseline: "v1".into(), days, ..Question::default() }
}

fn input(indexed: &Indexed, days: Days) -> ReviewInput {
    let (view, snapshot) = (indexed.rollups.reader().view().unwrap(), indexed.search.readers().snapshot());
    read(&view, &snapshot, &question(days)).unwrap()
}

fn named<'a>(stream: &'a Stream, version: &str, days: Days) -> Vec<&'a Call> {
    stream.calls(version, days).into_iter().filter(|c| !c.consumer.is_empty()).collect()
}

fn said<'a>(stream: &'a Stream, version: &str, days: Days) -> Vec<(&'a Feedback, f64)> {
    let all = stream.feedback(version, days).into_iter().filter(|(f, _)| !f.consumer.is_empty());
    all.map(|(f, weight)| (f, f64::from(weight))).collect()
}

#[track_caller]
fn assert_figures(got: &Figures, consumers: usize, count: f64, exposure: f64, value: Option<f64>) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-7 * b.abs().max(1.0);
    assert_eq!(got.consumers, consumers as u64);
    assert!(near(got.count, count) && near(got.exposure, exposure), "{got:?} for {count} of {exposure}");
    assert!(got.value.zip(value).is_some_and(|(a, b)| near(a, b)) || got.value == value, "{got:?} for {value:?}");
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.collect::<BTreeSet<_>>().len()
}

fn assert_usage(stream: &Stream, version: &str, days: Days, of: &dyn Fn(&str) -> Figures) {
    let calls = named(stream, version, days);
    let (n, who) = (calls.len() as f64, distinct(calls.iter().map(|c| c.consumer.as_str())));
    let failed = calls.iter().filter(|c| c.status >= 400).count() as f64;
    assert_figures(&of("error_rate"), who, failed, n, Some(failed / n));
    let mut ms: Vec<f64> = calls.iter().map(|c| c.ms).collect();
    ms.sort_by(f64::total_cmp);
    for (name, q) in [("latency_p50", 0.5), ("latency_p95", 0.95)] {
        let got = of(name);
        let exact = ms[(q * n).ceil() as usize - 1];
        assert!((got.value.unwrap() - exact).abs() <= 0.0101 * exact, "{name}: {got:?} for {exact}");
        assert_eq!((got.consumers, got.exposure), (who as u64, n));
    }
}

fn assert_feedback(stream: &Stream, version: &str, days: Days, of: &dyn Fn(&str) -> Figures) {
    let calls = named(stream, version, days);
    let (n, who) = (calls.len() as f64, distinct(calls.iter().map(|c| c.consumer.as_str())));
    let feedback = said(stream, version, days);
    let weight = |which: &dyn Fn(&Feedback) -> bool| feedback.iter().filter(|(f, _)| which(f)).map(|(_, w)| w).sum::<f64>();
    for (name, count) in [("feedback_rate", weight(&|_| true)), ("negative_feedback", weight(&|f| f.sentiment == "negative"))] {
        assert_figures(&of(name), who, count, n, Some(count / n));
    }
    let worth = |kind: &str, score: f64| match kind {
        "nps" if score >= 9.0 => 100.0,
        "nps" if score <= 6.0 => -100.0,
        "nps" => 0.0,
        _ => score,
    };
    for kind in ["nps", "csat", "ces"] {
        let answers = feedback.iter().filter_map(|(f, w)| f.survey.filter(|s| s.0 == kind).map(|s| (*f, w, worth(kind, s.1))));
        let (mut weights, mut sum, mut who) = (0.0, 0.0, BTreeSet::new());
        for (f, w, score) in answers {
            (weights, sum) = (weights + w, sum + w * score);
            who.insert(f.consumer.as_str());
        }
        assert_figures(&of(kind), who.len(), weights, weights, (weights > 0.0).then(|| sum / weights));
    }
}

/// Seconds to the first success of those who began with this version a week or more after the first call that is recorded.
fn first_successes(stream: &Stream, version: &str, window: Days) -> Vec<Option<i64>> {
    let all = || stream.calls.iter().filter(|c| c.api == API);
    let recorded = all().map(|c| c.time.day().0).min().unwrap();
    let mut first: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for call in all().filter(|c| !c.consumer.is_empty()) {
        let time = first.entry(&call.consumer).or_insert(call.time);
        *time = call.time.min(*time);
    }
    let mut seconds = Vec::new();
    for (consumer, ever) in first.into_iter().filter(|(_, t)| t.day().0 >= recorded + 7 && window.contains(t.day())) {
        let own: Vec<&Call> = all().filter(|c| c.version == version && c.consumer == consumer).collect();
        let Some(began) = own.iter().map(|c| c.time).min().filter(|t| t.day() == ever.day()) else { continue };
        let success = own.iter().filter(|c| c.status < 400 && window.contains(c.time.day())).map(|c| c.time).min();
        seconds.push(success.map(|t| (t.0 - began.0) / 1000));
    }
    seconds.sort_by_key(|s| s.unwrap_or(i64::MAX));
    seconds
}

fn assert_journeys(stream: &Stream, version: &str, window: Days, of: &dyn Fn(&str) -> Figures) {
    let seconds = first_successes(stream, version, window);
    let got = of("time_to_first_success");
    assert_eq!((got.consumers, got.count), (seconds.len() as u64, seconds.iter().flatten().count() as f64));
    if seconds.len() % 2 == 1 {
        let middle = seconds[seconds.len() / 2].map(|s| s as f64);
        assert!(got.value.zip(middle).is_some_and(|(a, b)| (a - b).abs() < 1e-5 * b.max(1.0)) || got.value == middle, "{got:?}");
    }
    if version == "v2" {
        let here: BTreeSet<&str> = ["v1", "v2"].into_iter().flat_map(|v| named(stream, v, window)).map(|c| c.consumer.as_str()).collect();
        let moved = stream.moves.iter().filter(|m| m.kind == MilestoneKind::Upgrade && window.contains(m.time.day()));
        let moved = moved.filter(|m| here.contains(m.consumer.as_str())).count();
        // Each consumer of the stream moves once, so nobody goes back.
        assert_figures(&of("regretted_upgrades"), moved, 0.0, moved as f64, (moved > 0).then_some(0.0));
    }
}

#[test]
fn counts_and_rates_are_those_of_the_raw_stream() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(7);
    let indexed = stream.index(folder.path());
    for window in [days(FIRST_DAY, FIRST_DAY + 15), days(FIRST_DAY + 4, FIRST_DAY + 11)] {
        let input = input(&indexed, window);
        let review = review(&input, &Policy::default());
        let find = |name: &str| -> Guardrail { review.guardrails.iter().find(|g| g.name == name).unwrap().clone() };
        for version in ["v1", "v2"] {
            let of = |name: &str| if version == "v2" { find(name).candidate } else { find(name).baseline };
            assert_usage(&stream, version, window, &of);
            assert_feedback(&stream, version, window, &of);
            assert_journeys(&stream, version, window, &of);
        }
        let unnamed = |version: &str| stream.calls(version, window).iter().filter(|c| c.consumer.is_empty()).count() as u64;
        assert_eq!(review.left_out.unnamed_calls, unnamed("v1") + unnamed("v2"));
        let unnamed = |version: &str| stream.feedback(version, window).iter().filter(|(f, _)| f.consumer.is_empty()).count() as u64;
        assert_eq!(review.left_out.unnamed_feedback, unnamed("v1") + unnamed("v2"));
        assert_eq!((review.provenance.data.model.as_str(), review.provenance.data.checkpoint.as_str()), ("rules 1", "0/10, feedback 220"));
    }
}

/// Each consumer's own days too: that is what the statistics see.
#[test]
fn every_consumers_days_are_those_of_the_raw_stream() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(3);
    let window = days(FIRST_DAY + 2, FIRST_DAY + 13);
    let input = input(&stream.index(folder.path()), window);
    let names: Vec<&str> = input.consumers.iter().map(|c| c.name.as_str()).collect();
    assert!(names.is_sorted() && names.len() > 80, "{names:?}");
    for consumer in &input.consumers {
        for (version, side) in [("v1", &consumer.baseline), ("v2", &consumer.candidate)] {
            let mut by_day: BTreeMap<Day, (u64, u64)> = BTreeMap::new();
            for call in named(&stream, version, window).into_iter().filter(|c| c.consumer == consumer.name) {
                let day = by_day.entry(call.time.day()).or_default();
                *day = (day.0 + 1, day.1 + u64::from(call.status >= 400));
            }
            let got: BTreeMap<Day, (u64, u64)> = side.usage.iter().map(|u| (u.day, (u.calls, u.errors))).collect();
            assert_eq!(got, by_day, "{} {version}", consumer.name);
            for (day, (calls, _)) in by_day {
                let place = u16::try_from(day.0 - input.window.from.0).unwrap();
                let latencies: u64 = side.latency.iter().filter(|l| l.day == place).map(|l| u64::from(l.count)).sum();
                assert_eq!(latencies, calls, "{} {version} {day:?}", consumer.name);
            }
        }
    }
}

/// What a policy's own guardrails count where no catalogue knows anything.
fn custom(policy: &Policy) -> Vec<(String, Custom)> {
    let of = |counted| match counted {
        Counted::Search(query) => Custom::Search(query),
        Counted::Operation(name) => Custom::Operation(OperationNames::of(&Catalogue::default(), API, ["v2", "v1"], &name)),
    };
    policy.custom().into_iter().map(|(name, counted)| (name, of(counted))).collect()
}

fn judged(indexed: &Indexed, policy: &Policy, window: Days) -> Result<(ReviewInput, Review), ReadError> {
    let asked = Question { custom: custom(policy), ..question(window) };
    let input = read(&indexed.rollups.reader().view().unwrap(), &indexed.search.readers().snapshot(), &asked)?;
    let review = review(&input, policy);
    Ok((input, review))
}

/// Which feedback a guardrail counts.
type Which = fn(&Feedback) -> bool;

/// A guardrail of one's own counts the hits of a search, by weight, on both versions.
#[test]
fn a_guardrail_of_ones_own_counts_what_its_search_finds() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(7);
    let indexed = stream.index(folder.path());
    let policy =
        Policy::parse("[guardrails.bugs]\nlabel = \"type:bug\"\n[guardrails.auth_or_praise]\nsearch = \"aspect:auth OR type:praise\"\n")
            .unwrap();
    let window = days(FIRST_DAY + 1, FIRST_DAY + 14);
    let (_, review) = judged(&indexed, &policy, window).unwrap();
    let wanted: [(&str, Which); 2] =
        [("bugs", |f| f.kind == "bug"), ("auth_or_praise", |f| f.kind == "praise" || f.aspects.contains(&"auth"))];
    for (name, which) in wanted {
        let guardrail = review.guardrails.iter().find(|g| g.name == name).unwrap();
        for (version, got) in [("v1", guardrail.baseline), ("v2", guardrail.candidate)] {
            let calls = named(&stream, version, window);
            let count: f64 = said(&stream, version, window).iter().filter(|(f, _)| which(f)).map(|(_, w)| w).sum();
            let n = calls.len() as f64;
            assert_figures(&got, distinct(calls.iter().map(|c| c.consumer.as_str())), count, n, Some(count / n));
        }
        assert!(guardrail.effect.is_some(), "{guardrail:?}");
    }
}

/// A guardrail on an operation counts its errors over its calls, by consumer and day.
#[test]
fn a_guardrail_on_an_operation_counts_its_own_calls() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(7);
    let indexed = stream.index(folder.path());
    let policy = Policy::parse("[guardrails.five]\noperation = \"getOp5\"\n[guardrails.bugs]\nlabel = \"type:bug\"\n").unwrap();
    let window = days(FIRST_DAY + 1, FIRST_DAY + 14);
    let (input, review) = judged(&indexed, &policy, window).unwrap();
    assert_eq!((&input.custom, &input.spoken, &input.operations), (&vec!["bugs".to_owned(), "five".to_owned()], &vec![0], &vec![1]));
    let guardrail = review.guardrails.iter().find(|g| g.name == "five").unwrap();
    for (version, got) in [("v1", guardrail.baseline), ("v2", guardrail.candidate)] {
        let calls: Vec<_> = named(&stream, version, window).into_iter().filter(|c| c.operation == "getOp5").collect();
        let (n, failed) = (calls.len() as f64, calls.iter().filter(|c| c.status >= 400).count() as f64);
        assert_figures(&got, distinct(calls.iter().map(|c| c.consumer.as_str())), failed, n, Some(failed / n));
        for consumer in &input.consumers {
            let side = if version == "v2" { &consumer.candidate } else { &consumer.baseline };
            let mut by_day: BTreeMap<Day, (f64, f64)> = BTreeMap::new();
            for call in calls.iter().filter(|c| c.consumer == consumer.name) {
                let day = by_day.entry(call.time.day()).or_default();
                *day = (day.0 + 1.0, day.1 + if call.status >= 400 { 1.0 } else { 0.0 });
            }
            let told = side.custom.iter().filter(|c| c.guardrail == 1).map(|c| (c.day, (c.exposure.unwrap(), c.count)));
            assert_eq!(told.collect::<BTreeMap<_, _>>(), by_day, "{} {version}", consumer.name);
        }
    }
    let effect = guardrail.effect.unwrap();
    assert!(effect.value > 3.0 && effect.low.unwrap() > 1.0, "it fails on v2 alone: {guardrail:?}");
    assert_eq!((guardrail.verdict, review.reason.as_str()), (groundswell_review::Verdict::Regression, "worse: five"));
}

#[test]
fn an_operation_that_nobody_knows_is_refused_and_one_that_nobody_called_lately_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(7);
    let indexed = stream.index(folder.path());
    let policy = |operation: &str| Policy::parse(&format!("[guardrails.own]\noperation = \"{operation}\"\nrequired = true\n")).unwrap();
    let refused = judged(&indexed, &policy("getOp55"), days(FIRST_DAY, FIRST_DAY + 15)).unwrap_err().to_string();
    let start = "policy: guardrails.own.operation = \"getOp55\": neither v2 nor v1 has an operation of this name; called there are: getOp";
    assert!(refused.starts_with(start), "{refused}");

    let later = days(FIRST_DAY + 100, FIRST_DAY + 110);
    let (_, review) = judged(&indexed, &policy("getOp5"), later).unwrap();
    let guardrail = review.guardrails.iter().find(|g| g.name == "own").unwrap();
    assert_eq!((guardrail.verdict, guardrail.candidate.value), (groundswell_review::Verdict::Inconclusive, None));
    assert_eq!(guardrail.notes, ["nobody who is named called the operation on the candidate"]);
    assert!(review.reason.contains("own"), "the verdict waits for what is required: {}", review.reason);
}

#[test]
fn the_order_of_reading_leaves_no_trace() {
    let policy = Policy::parse("[guardrails.five]\noperation = \"getOp5\"\n").unwrap();
    let judge = |stream: &Stream| -> String {
        let folder = tempfile::tempdir().unwrap();
        let (_, review) = judged(&stream.index(folder.path()), &policy, Days::default()).unwrap();
        serde_json::to_string(&review).unwrap()
    };
    let mut stream = Stream::make(5);
    let there = judge(&stream);
    stream.calls.reverse();
    stream.feedback.reverse();
    assert_eq!(judge(&stream), there);
}

fn delta(version: &'static str, consumer: &'static str, day: i32) -> UsageDelta<'static> {
    let time = Day(day).start();
    UsageDelta {
        api: API,
        version,
        operation: "pay",
        consumer,
        hour: Hour(time.hour().0),
        calls: 10,
        failed: 1,
        server_errors: 0,
        rate_limited: 0,
        first: time,
        last: time,
        first_success: Some(time.plus_ms(90_000)),
        latency: LatencyBuckets::default(),
        revenue: vec![],
        value: vec![],
        received: time,
    }
}

#[test]
fn a_move_is_regretted_by_who_goes_back_and_stays_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = RollupStore::open(&folder.path().join("usage.redb"), 8).unwrap();
    store.add(&delta("v1", "long-there", 60)).unwrap();
    // Stays; goes back for good; goes back and comes again; came from another version.
    for (consumer, from, back, last) in
        [("stays", "v1", None, 110), ("leaves", "v1", Some(104), 103), ("both", "v1", Some(104), 110), ("other", "v0", None, 110)]
    {
        store.add(&delta("v1", consumer, 95)).unwrap();
        store.add(&delta("v2", consumer, 100)).unwrap();
        store.add(&delta("v2", consumer, last)).unwrap();
        let told = |version, kind, day: i32, from| Milestone {
            api: API,
            version,
            consumer,
            kind,
            time: Day(day).start(),
            from: Some(from),
            operation: "",
            failed_before: 0,
        };
        store.milestone(&told("v2", MilestoneKind::Upgrade, 100, from)).unwrap();
        if let Some(day) = back {
            store.milestone(&told("v1", MilestoneKind::Downgrade, day, "v2")).unwrap();
        }
    }
    store.commit(Offset(1)).unwrap();
    let input = read(&store.reader().view().unwrap(), &Snapshot::default(), &question(Days::default())).unwrap();
    let moves = input.consumers.iter().filter_map(|c| Some((c.name.as_str(), c.candidate.upgrade?.regretted)));
    assert_eq!(moves.collect::<Vec<_>>(), [("both", false), ("leaves", true), ("stays", false)]);
    let newcomer = input.consumers.iter().find(|c| c.name == "stays").unwrap();
    assert_eq!(newcomer.first_seen, Some(Day(95)));
    assert_eq!(newcomer.baseline.start.unwrap().seconds_to_success, Some(90));
    assert_eq!(input.consumers.iter().find(|c| c.name == "long-there").and_then(|c| c.first_seen), None);
    assert_eq!((input.window.from, input.window.until, input.released), (Day(72), Day(111), Some(Day(100))));
}

#[test]
fn versions_without_anything_are_inconclusive() {
    let folder = tempfile::tempdir().unwrap();
    let store = RollupStore::open(&folder.path().join("usage.redb"), 8).unwrap();
    let input = read(&store.reader().view().unwrap(), &Snapshot::default(), &question(days(10, 20))).unwrap();
    assert_eq!(review(&input, &Policy::default()).verdict, groundswell_review::Verdict::Inconclusive);
}
