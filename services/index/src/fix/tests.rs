//! Who asked, who moved, who says it still: against a reckoning of its own from a raw stream.

use groundswell_model::{Rung, UNKNOWN_VERSION};
use groundswell_review::fix::FixVerdict;

use super::*;
use crate::summary::tests::stream::{API, Call, FIRST_DAY, Feedback, Stream};

const RELEASE: i32 = FIRST_DAY + 30;
const LAST: i32 = FIRST_DAY + 60;

fn call(consumer: usize, version: &'static str, day: i32) -> Call {
    Call {
        api: API,
        version,
        operation: "list".into(),
        consumer: format!("c{consumer:02}"),
        time: Day(day).start(),
        status: 200,
        ms: 10.0,
        cents: None,
        orders: None,
    }
}

fn said(number: usize, consumer: usize, version: &'static str, day: i32, aspect: &'static str) -> Feedback {
    Feedback {
        id: format!("f{number}"),
        versions: vec![(version, 1.0)],
        rung: Rung::Explicit,
        consumer: format!("c{consumer:02}"),
        requester: None,
        time: Day(day).start().plus_ms(1000),
        survey: None,
        kind: "bug",
        aspects: vec![aspect],
        sentiment: "negative",
        operation: None,
    }
}

/// Forty consumers call every day and ask for paging before the release; the even ones move with it. `again` says it again afterwards.
fn stream(again: impl Fn(usize) -> bool) -> Stream {
    let (mut calls, mut feedback) = (Vec::new(), Vec::new());
    for consumer in 0..40 {
        let version = |day: i32| if day >= RELEASE && consumer % 2 == 0 { "v2" } else { "v1" };
        calls.extend((FIRST_DAY..LAST).map(|day| call(consumer, version(day), day)));
        feedback.push(said(feedback.len(), consumer, "v1", RELEASE - 10, "paging"));
        if again(consumer) {
            // Of unknown version: it is about the one that the consumer had moved to.
            let version = if consumer % 4 == 0 { UNKNOWN_VERSION } else { version(RELEASE + 12) };
            feedback.push(said(feedback.len(), consumer, version, RELEASE + 12, "paging"));
        }
        if consumer % 3 == 0 {
            feedback.push(said(feedback.len(), consumer, version(RELEASE + 5), RELEASE + 5, "auth"));
        }
    }
    // Somebody who had not asked before says it on the new version.
    calls.push(call(90, "v2", RELEASE + 2));
    feedback.push(said(feedback.len(), 90, "v2", RELEASE + 3, "paging"));
    Stream { calls, feedback, moves: vec![] }
}

fn of(stream: &Stream) -> FixReview {
    let folder = tempfile::tempdir().unwrap();
    let indexed = stream.index(folder.path());
    let question = Question {
        api: API.into(),
        version: "v2".into(),
        search: "aspect:paging".into(),
        released: Some(Day(RELEASE).start()),
        ..Question::default()
    };
    fix(&indexed.rollups.reader().view().unwrap(), &indexed.search.readers().snapshot(), &question).unwrap()
}

#[test]
fn both_sides_are_those_of_the_raw_stream() {
    // Of who moved one says it again, of who stayed fourteen.
    let review = of(&stream(|c| c == 4 || (c % 2 == 1 && c < 28)));
    let figures = &review.figures;
    assert_eq!((figures.asked, figures.moved.consumers, figures.stayed.consumers), (40, 20, 20));
    assert_eq!((figures.moved.again, figures.stayed.again), (1, 14));
    assert_eq!((figures.moved.calls, figures.stayed.calls), (20 * 30, 20 * 30));
    assert!((figures.moved.exposure - 600.0).abs() < 1e-9, "a call a day: its root is one");
    let every_third = |parity: usize| (0..40).filter(|c| c % 3 == 0 && c % 2 == parity).count() as u64;
    assert_eq!((figures.moved.wrote_other, figures.stayed.wrote_other), (every_third(0), every_third(1)));
    assert_eq!(figures.stayed.per_10_000_calls, Some(233.33333));
    // One of 600 before over 30 days: twenty pieces in twenty times thirty calls.
    assert_eq!(figures.moved.before_per_10_000_calls, Some(333.33333));
    assert_eq!(figures.verdict, FixVerdict::Verified, "{figures:?}");
    let still: Vec<(&str, bool)> = figures.still.iter().map(|s| (s.consumer.as_str(), s.asked_before)).collect();
    assert_eq!(still, [("c04", true), ("c90", false)]);
    assert_eq!(review.quotes.len(), 1, "what is of no known version is not in the version's index");
    assert_eq!((review.from, review.released), (Day(RELEASE - BEFORE).iso(), Day(RELEASE).iso()));
}

#[test]
fn a_fix_that_did_not_work_is_not_verified() {
    assert_eq!(of(&stream(|_| true)).figures.verdict, FixVerdict::NotVerified);
    assert_eq!(of(&stream(|_| false)).figures.verdict, FixVerdict::TooEarly);
}
