//! Journeys against a reckoning of their own from the raw stream, in any order of reading.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_catalogue::Catalogue;
use groundswell_model::{Day, Timestamp, UNKNOWN_VERSION};

use super::types::{ConsumersPage, JourneyFigures, Pain, State};
use super::{Filter, Journeys, Order, Question, Versions, figures, page, pain};
use crate::rollup::Days;
use crate::summary::tests::brought;
use crate::summary::tests::stream::{API, Call, Indexed, Stream};

fn read(indexed: &Indexed, version: &str, days: Days) -> Journeys {
    let view = indexed.rollups.reader().view().unwrap();
    let snapshot = indexed.search.readers().snapshot();
    let versions = Versions::read(&view, &Catalogue::default(), API, version, None).unwrap();
    Journeys::read(&view, &snapshot, versions, (API, version), days).unwrap()
}

fn all(indexed: &Indexed, version: &str, days: Days, question: &Question) -> (JourneyFigures, ConsumersPage, Pain) {
    let view = indexed.rollups.reader().view().unwrap();
    let journeys = read(indexed, version, days);
    let said = figures(&journeys, &view, &indexed.search.readers().snapshot()).unwrap();
    (said, page(&journeys, &view, question).unwrap(), pain(&journeys, &view, 10).unwrap())
}

/// One consumer, from the calls alone.
struct Way<'a> {
    name: &'a str,
    calls: Vec<&'a Call>,
    version: &'a str,
    until: Option<Day>,
    end: Day,
}

impl Way<'_> {
    fn of<'s>(stream: &'s Stream, version: &'s str, days: Days) -> Vec<Way<'s>> {
        let before = |c: &&Call| c.api == API && days.until.is_none_or(|until| c.time.day() < until);
        let end = stream.calls.iter().filter(before).map(|c| c.time.day()).max().unwrap();
        let mut by: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        stream.calls.iter().filter(before).filter(|c| !c.consumer.is_empty()).for_each(|c| by.entry(&c.consumer).or_default().push(c));
        by.into_iter().map(|(name, calls)| Way { name, calls, version, until: days.until, end }).collect()
    }

    fn days(&self, version: Option<&str>) -> BTreeSet<i32> {
        self.calls.iter().filter(|c| version.is_none_or(|v| c.version == v)).map(|c| c.time.day().0).collect()
    }

    fn gone(&self, version: Option<&str>) -> bool {
        let days: Vec<i32> = self.days(version).into_iter().collect();
        let pause = days.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0);
        days.last().is_some_and(|last| self.end.0 - last > (2 * pause).clamp(7, 60))
    }

    fn first(&self, version: &str) -> Option<Timestamp> {
        self.calls.iter().filter(|c| c.version == version).map(|c| c.time).min()
    }

    fn uses(&self) -> bool {
        self.first(self.version).is_some()
    }

    fn came(&self) -> bool {
        self.version == "v2" && matches!((self.first("v1"), self.first("v2")), (Some(old), Some(new)) if old < new)
    }

    /// The first day back on v1 after the last day on v2 alone that has one.
    fn back(&self) -> Option<i32> {
        if self.version != "v2" {
            return None;
        }
        let (old, new) = (self.days(Some("v1")), self.days(Some("v2")));
        let alone = new.iter().filter(|e| !old.contains(e) && old.iter().any(|d| d < e));
        let back = alone.filter_map(|e| old.iter().find(|d| *d > e)).max()?;
        new.iter().all(|d| d <= back).then_some(*back)
    }

    fn lately(&self, version: Option<&str>) -> usize {
        let recent = |c: &&&Call| self.end.0 - c.time.day().0 < 14 && c.version != UNKNOWN_VERSION;
        self.calls.iter().filter(recent).filter(|c| version.is_none_or(|v| c.version == v)).count()
    }

    fn state(&self) -> State {
        let gone = self.gone(Some(self.version));
        let both = (1..self.lately(None)).contains(&self.lately(Some(self.version)));
        match () {
            () if self.gone(None) => State::LeftApi,
            () if self.back().is_some() => State::WentBack,
            () if !gone && both => State::Parallel,
            () if !gone => State::Active,
            () if self.version == "v1" && !self.days(Some("v2")).is_empty() && !self.gone(Some("v2")) => State::MovedOn,
            () => State::Gone,
        }
    }

    fn success(&self) -> Option<Timestamp> {
        self.calls.iter().filter(|c| c.version == self.version && c.status < 400).map(|c| c.time).min()
    }

    fn within(&self, days: Days) -> Vec<&&Call> {
        self.calls.iter().filter(|c| c.version == self.version && days.contains(c.time.day())).collect()
    }
}

fn windows() -> [Days; 3] {
    let first = crate::summary::tests::stream::FIRST_DAY;
    [Days::default(), Days { from: Some(Day(first + 6)), until: None }, Days { from: Some(Day(first + 4)), until: Some(Day(first + 11)) }]
}

#[test]
fn figures_are_those_of_the_calls() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(11);
    let indexed = stream.index(folder.path());
    for days in windows() {
        for version in ["v1", "v2"] {
            let (said, ..) = all(&indexed, version, days, &Question::default());
            let ways = Way::of(&stream, version, days);
            assert_eq!(said.as_of.as_deref(), Some(ways[0].end.iso().as_str()));
            for state in &said.states {
                let of: BTreeSet<&str> = ways.iter().filter(|w| w.uses() && w.state() == state.state).map(|w| w.name).collect();
                assert_eq!(state.consumers, of.len() as u64, "{:?} of {version} in {days:?}", state.state);
                assert_eq!(state.revenue, brought(&stream, &of, version));
            }
            assert_eq!(said.funnel.is_some(), version == "v2");
            if let Some(funnel) = &said.funnel {
                check_funnel(funnel, &ways);
                check_still_on(said.still_on.as_ref().unwrap(), &ways, &stream);
            }
            check_adoption(&said, &stream, days);
            let back: BTreeSet<&str> = ways.iter().filter(|w| w.came() && w.back().is_some()).map(|w| w.name).collect();
            assert_eq!(said.regretted.consumers, back.len() as u64);
            assert_eq!(said.regretted.revenue, brought(&stream, &back, version));
            assert!(said.regretted.who.iter().all(|w| back.contains(w.consumer.as_str()) && w.to == "v1"));
        }
    }
}

fn check_funnel(funnel: &super::types::Funnel, ways: &[Way<'_>]) {
    let part = |f: &crate::summary::types::Figure| ((f.value.unwrap_or(0.0) * f.n as f64).round() as u64, f.n);
    let count = |of: &[&Way<'_>]| of.len() as u64;
    let came: Vec<&Way<'_>> = ways.iter().filter(|w| w.came()).collect();
    let old_only = ways.iter().filter(|w| w.first("v1").is_some() && !w.uses()).count() as u64;
    let succeeded: Vec<&Way<'_>> = came.iter().filter(|w| w.success().is_some()).copied().collect();
    let mostly: Vec<&Way<'_>> = succeeded.iter().filter(|w| 2 * w.lately(Some("v2")) > w.lately(None)).copied().collect();
    let left: Vec<&Way<'_>> = mostly.iter().filter(|w| w.gone(Some("v1"))).copied().collect();
    assert_eq!(funnel.from, ["v1"]);
    assert_eq!(part(&funnel.tried), (count(&came), count(&came) + old_only));
    assert_eq!(part(&funnel.succeeded), (count(&succeeded), count(&came)));
    assert_eq!(part(&funnel.mostly_on_it), (count(&mostly), count(&succeeded)));
    assert_eq!(part(&funnel.left_baseline), (count(&left), count(&mostly)));
    assert_eq!(part(&funnel.went_back), (came.iter().filter(|w| w.back().is_some()).count() as u64, count(&came)));
    assert_eq!(funnel.came_new, ways.iter().filter(|w| w.uses() && !w.came()).count() as u64);
}

fn check_still_on(still: &super::types::StillOn, ways: &[Way<'_>], stream: &Stream) {
    let there: Vec<&Way<'_>> = ways.iter().filter(|w| w.first("v1").is_some() && !w.gone(Some("v1"))).collect();
    let names: BTreeSet<&str> = there.iter().map(|w| w.name).collect();
    assert_eq!(still.consumers, there.len() as u64);
    assert_eq!(still.never_tried, there.iter().filter(|w| !w.uses()).count() as u64);
    assert_eq!(still.revenue, brought(stream, &names, "v1"));
    let of = |c: &&Call| c.api == API && c.version == "v1" && names.contains(c.consumer.as_str());
    let mut called: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for call in stream.calls.iter().filter(of) {
        let row = called.entry(&call.operation).or_default();
        row.0 += 1;
        row.1.insert(&call.consumer);
    }
    for row in &still.operations {
        let (calls, who) = &called[row.operation.as_str()];
        assert_eq!((row.calls, row.consumers), (*calls, who.len() as u64));
    }
    let most = called.values().map(|(calls, _)| *calls).max();
    assert_eq!(still.operations.first().map(|row| row.calls), most);
}

fn check_adoption(said: &JourneyFigures, stream: &Stream, days: Days) {
    let mut expected: BTreeMap<String, BTreeMap<&str, (u64, BTreeSet<&str>)>> = BTreeMap::new();
    for call in stream.calls.iter().filter(|c| c.api == API && days.contains(c.time.day())) {
        let row = expected.entry(call.time.day().iso()).or_default().entry(call.version).or_default();
        row.0 += 1;
        row.1.extend((!call.consumer.is_empty()).then_some(call.consumer.as_str()));
    }
    assert_eq!(said.adoption.len(), expected.len());
    for step in &said.adoption {
        let of_day = &expected[&step.start];
        assert_eq!(step.versions.len(), of_day.len());
        for (version, adopted) in &step.versions {
            let (calls, who) = &of_day[version.as_str()];
            assert_eq!((adopted.calls, adopted.consumers), (*calls, who.len() as u64));
        }
    }
}

#[test]
fn the_list_is_that_of_the_calls_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let stream = Stream::make(12);
    let indexed = stream.index(folder.path());
    let wrote: BTreeSet<&str> = stream.feedback.iter().map(|f| f.consumer.as_str()).collect();
    for days in windows() {
        for (version, order) in
            [("v1", Order::Calls), ("v2", Order::Revenue), ("v2", Order::First), ("v2", Order::Last), ("v1", Order::Errors)]
        {
            let filter = Filter { silent: days.is_all(), ..Filter::default() };
            let mut question = Question { filter, order, limit: 7, cursor: None };
            let mut rows = Vec::new();
            loop {
                let (_, page, _) = all(&indexed, version, days, &question);
                rows.extend(page.consumers);
                question.cursor = page.next_cursor;
                if question.cursor.is_none() {
                    assert_eq!(rows.len() as u64, page.total);
                    break;
                }
            }
            let ways = Way::of(&stream, version, days);
            let left_out = |w: &Way<'_>| w.within(days).is_empty() || (days.is_all() && wrote.contains(w.name));
            let listed = ways.iter().filter(|w| !left_out(w));
            assert_eq!(rows.iter().map(|r| r.consumer.as_str()).collect::<BTreeSet<_>>(), listed.map(|w| w.name).collect());
            assert_eq!(rows.iter().map(|r| &r.consumer).collect::<BTreeSet<_>>().len(), rows.len(), "nobody is listed twice");
            rows.iter().for_each(|row| check_row(row, ways.iter().find(|w| w.name == row.consumer).unwrap(), days, &stream));
            assert!(rows.is_sorted_by_key(|r| match order {
                Order::Calls => -(r.calls as i64),
                Order::Errors => -(r.failed as i64),
                Order::Revenue => -r.revenue.first().map_or(0, |m| (m.amount * 100.0).round() as i64),
                Order::First => Timestamp::parse(r.first_call.as_ref().unwrap()).unwrap().0,
                Order::Last =>
                    -stream.calls(version, Days::default()).iter().filter(|c| c.consumer == r.consumer).map(|c| c.time.0).max().unwrap(),
            }));
        }
    }
}

fn check_row(row: &super::types::ConsumerRow, way: &Way<'_>, days: Days, stream: &Stream) {
    let (calls, version) = (way.within(days), way.version);
    assert_eq!((row.calls, row.failed), (calls.len() as u64, calls.iter().filter(|c| c.status >= 400).count() as u64));
    assert_eq!(row.rate_limited, calls.iter().filter(|c| c.status == 429).count() as u64);
    assert_eq!(row.state, way.state());
    assert_eq!(row.first_call, way.first(version).map(Timestamp::rfc3339));
    assert_eq!(row.first_success, way.success().map(Timestamp::rfc3339));
    let last = way.calls.iter().filter(|c| c.version == version).map(|c| c.time).max().unwrap();
    // Where the window ends before the last call, only its day is known.
    let exact = stream.calls(version, Days::default()).iter().filter(|c| c.consumer == way.name).all(|c| c.time <= last);
    if exact || way.until.is_none() {
        assert_eq!(row.last_call, last.rfc3339());
    } else {
        assert!(row.last_call.starts_with(&last.day().iso()));
    }
    assert_eq!(row.days as usize, way.days(Some(version)).len());
    let ever: Vec<&Call> = stream.calls(version, Days::default()).into_iter().filter(|c| c.consumer == way.name).collect();
    assert_eq!(row.operations_called as usize, ever.iter().map(|c| &c.operation).collect::<BTreeSet<_>>().len());
    assert_eq!(row.revenue, brought(stream, &BTreeSet::from([way.name]), version));
    let said = |f: &&crate::summary::tests::stream::Feedback| f.consumer == way.name && days.contains(f.time.day());
    assert_eq!(row.feedback_of_api as usize, stream.feedback.iter().filter(said).count());
    let about = |f: &&crate::summary::tests::stream::Feedback| f.versions.iter().any(|(v, _)| *v == version);
    assert_eq!(row.feedback as usize, stream.feedback.iter().filter(said).filter(about).count());
}

#[test]
fn the_order_in_which_calls_are_read_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let mut stream = Stream::make(13);
    let question = Question { limit: 1000, ..Question::default() };
    let answers = |stream: &Stream, name: &str| {
        let indexed = stream.index(&folder.path().join(name));
        windows().map(|days| ["v1", "v2"].map(|version| all(&indexed, version, days, &question)))
    };
    let in_order = answers(&stream, "a");
    stream.calls.reverse();
    let half = stream.calls.len() / 2;
    stream.calls.rotate_left(half);
    assert_eq!(answers(&stream, "b"), in_order);
}

/// So many calls of a consumer on a day, so many of them failing.
fn calls(name: &str, version: &'static str, day: i32, (all, failed): (u32, u32), status: u16) -> Vec<Call> {
    let at = |n: u32| Day(crate::summary::tests::stream::FIRST_DAY + day).start().plus_ms(i64::from(n) * 1000);
    let one = |n| Call {
        api: API,
        version,
        operation: if n < failed { "createOrder".into() } else { "getOrder".into() },
        consumer: name.into(),
        time: at(n),
        status: if n < failed { status } else { 200 },
        ms: 10.0,
        cents: (n == 0).then_some(500),
        orders: None,
    };
    (0..all).map(one).collect()
}

#[test]
fn pain_is_what_rose_for_a_consumer_itself_and_the_silent_are_told_apart() {
    let mut stream = Stream { calls: Vec::new(), feedback: Stream::make(1).feedback.into_iter().take(1).collect(), moves: Vec::new() };
    stream.feedback[0].consumer = "loud".to_owned();
    let mut add = |name, version, days: std::ops::Range<i32>, share, status| {
        days.for_each(|day| stream.calls.extend(calls(name, version, day, share, status)));
    };
    for name in ["loud", "silent"] {
        add(name, "v1", 0..10, (20, 1), 500);
        add(name, "v2", 10..20, (20, 6), 500);
    }
    // Always bad, on both: nothing rose.
    add("used to it", "v1", 0..10, (20, 6), 500);
    add("used to it", "v2", 10..20, (20, 6), 500);
    // New on v2, limited since the last days.
    add("limited", "v2", 5..13, (20, 0), 429);
    add("limited", "v2", 13..20, (20, 8), 429);
    // One bad day.
    add("unlucky", "v1", 0..10, (20, 0), 500);
    add("unlucky", "v2", 10..19, (20, 0), 500);
    add("unlucky", "v2", 19..20, (20, 20), 500);
    // Too few calls to tell.
    add("small", "v1", 0..10, (2, 0), 500);
    add("small", "v2", 10..20, (2, 2), 500);
    let folder = tempfile::tempdir().unwrap();
    let indexed = stream.index(folder.path());
    let (_, _, pain) = all(&indexed, "v2", Days::default(), &Question::default());
    let told: Vec<_> = pain.consumers.iter().map(|c| (c.consumer.as_str(), c.rose[0].what.as_str(), c.rose[0].against.as_str())).collect();
    assert_eq!(told, [("limited", "rate_limits", "its earlier days"), ("loud", "errors", "v1"), ("silent", "errors", "v1")]);
    assert_eq!((pain.tested, pain.hurting, pain.wrote, pain.silent), (5, 3, 1, 2));
    let loud = &pain.consumers[1];
    assert_eq!((loud.additional, loud.feedback, loud.rose.len()), (50.0, 1, 1));
    assert_eq!((loud.rose[0].before.value, loud.rose[0].now.value), (Some(0.05), Some(0.3)));
    assert_eq!((loud.operations[0].operation.as_str(), loud.operations[0].failed), ("createOrder", 60));
    assert_eq!(pain.silent_revenue[0].amount, 5.0 * (10.0 + 15.0));
    assert!(pain.consumers.iter().all(|c| c.rose[0].p_adjusted < 1e-6));
}
