//! Whatever way a stream is cut into batches, repeated or interrupted, what the index is told adds up to the same.

use std::collections::BTreeMap;

use groundswell_bus::{NewRecord, Offset, StateWrite};
use groundswell_contract::Release;
use groundswell_model::frame::{self, FrameWriter};
use groundswell_model::{ContentHash, EventHead, Fates, FeedbackKind, IdentityHash, Op, Origin, RejectReason, Timestamp};
use groundswell_text::classify::Rules as TextRules;
use proptest::prelude::*;

use super::*;
use groundswell_model::{Event, FeedbackEvent, Known, UsageEvent};

const RULES: Rules = Rules { bounds: Bounds { apis: 2, versions: 2, operations: 3 }, look_back_days: 30, dedupe_minutes: 120 };
const HOUR: i64 = 3_600_000;

/// A usage event, or feedback.
#[derive(Clone, Debug)]
struct Said {
    id: u64,
    content: u64,
    consumer: &'static str,
    api: Option<&'static str>,
    version: Option<&'static str>,
    path: &'static str,
    hour: i64,
    status: u16,
    calls: u64,
    latency: Option<f32>,
    feedback: bool,
}

impl Said {
    fn head(&self) -> EventHead<'_> {
        let time = Timestamp(self.hour * HOUR);
        EventHead {
            identity: IdentityHash::of("test", &self.id.to_string()),
            content: ContentHash(self.content),
            source: "test",
            id: "id",
            time,
            received: Timestamp(0),
            origin: Origin::default(),
            consumer: self.consumer,
        }
    }

    fn event(&self) -> Event<'_> {
        if self.feedback {
            return Event::Feedback(Box::new(feedback(self.head(), self.api, self.version)));
        }
        Event::Usage(UsageEvent {
            head: self.head(),
            api: self.api,
            api_version: self.version,
            operation: None,
            method: "GET",
            path: self.path,
            host: "",
            status: self.status,
            failed: self.status >= 400,
            latency_ms: self.latency,
            calls: self.calls,
            request_id: None,
            traceparent: None,
            sdk: None,
            plan: None,
            revenue: Some((250_000, "EUR")),
            value: Some(("order", 2.0)),
            use_case: None,
            bytes: None,
            attributes: Vec::new(),
        })
    }
}

fn feedback<'a>(head: EventHead<'a>, api: Option<&'a str>, api_version: Option<&'a str>) -> FeedbackEvent<'a> {
    FeedbackEvent {
        head,
        kind: FeedbackKind::Ticket { ticket_id: Some("T-1"), status: None, priority: None, channel: None, tags: Vec::new() },
        title: "Timeouts",
        body: "Calls time out since Monday",
        url: None,
        requester: None,
        org: None,
        domain: None,
        was: None,
        api,
        api_version,
        operation: None,
        request_id: None,
        traceparent: None,
        sdk: None,
        language: None,
        redacted: Vec::new(),
        attributes: Vec::new(),
    }
}

fn catalogue() -> Catalogue {
    let mut c = Catalogue::default();
    for (version, base) in [("v1", "/v1"), ("v2", "/v2")] {
        c.apply(
            &Release { api: "orders".into(), api_version: version.into(), base_paths: vec![base.into()], ..Release::default() },
            Timestamp(0),
        );
    }
    c
}

/// Calls, failed, server errors, rate limited; latencies and the sum of their buckets; revenue; value.
type Sum = (u64, u64, u64, u64, u64, i64, BTreeMap<String, i64>, BTreeMap<String, (u64, i64)>);

/// The index, as it would be after reading what was written; and the state.
#[derive(Debug, Default, PartialEq)]
struct Told {
    usage: BTreeMap<String, Sum>,
    times: BTreeMap<String, (i64, i64, Option<i64>)>,
    milestones: BTreeMap<String, String>,
    /// By identity and API: each API has its own index.
    insights: BTreeMap<(IdentityHash, String), String>,
}

impl Told {
    fn read(&mut self, records: &[NewRecord]) {
        for record in records {
            let ops: Vec<Op<'_>> =
                frame::read(record.value.as_deref().unwrap_or_default()).collect::<Result<_, _>>().expect("a frame of instructions");
            ops.iter().for_each(|op| self.take(op));
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    fn take(&mut self, op: &Op<'_>) {
        match op {
            Op::Upsert(i) => {
                let versions: Vec<_> = i.versions.iter().map(|v| (v.version, v.weight)).collect();
                self.insights.insert((i.identity, i.api.to_owned()), format!("{} {versions:?} {:?} {:?}", i.api, i.rung, i.evidence));
            }
            Op::Remove(gone) => {
                self.insights.remove(&(gone.identity, gone.api.to_owned()));
            }
            Op::Milestone(m) => {
                let key = format!("{} {} {} {:?}", m.consumer, m.api, m.version, m.kind);
                self.milestones.insert(key, format!("{:?} {:?} {} {}", m.time, m.from, m.operation, m.failed_before));
            }
            Op::Usage(u) => {
                let key = format!("{} {} {} {} {}", u.api, u.version, u.operation, u.consumer, u.hour.0);
                let sum = self.usage.entry(key.clone()).or_default();
                (sum.0, sum.1, sum.2, sum.3) = (sum.0 + u.calls, sum.1 + u.failed, sum.2 + u.server_errors, sum.3 + u.rate_limited);
                sum.4 += u.latency.count();
                sum.5 += u.latency.buckets().iter().map(|(b, n)| i64::from(*b) * *n as i64).sum::<i64>();
                for (currency, amount) in &u.revenue {
                    *sum.6.entry((*currency).to_owned()).or_default() += amount;
                }
                for (name, count, amount) in &u.value {
                    let value = sum.7.entry((*name).to_owned()).or_default();
                    *value = (value.0 + count, value.1 + (amount * 1e6) as i64);
                }
                let times = self.times.entry(key).or_insert((i64::MAX, i64::MIN, None));
                let success = [times.2, u.first_success.map(|t| t.0)].into_iter().flatten().min();
                *times = (times.0.min(u.first.0), times.1.max(u.last.0), success);
            }
        }
    }
}

struct Machine {
    catalogue: Catalogue,
    partition: Partition,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    told: Told,
    fates: Fates,
    /// Every frame ever read, for replay.
    log: Vec<Vec<u8>>,
}

impl Machine {
    fn new() -> Self {
        Self {
            catalogue: catalogue(),
            partition: Partition::new(0, &RULES, 1_000_000),
            state: BTreeMap::new(),
            told: Told::default(),
            fates: Fates::default(),
            log: Vec::new(),
        }
    }

    fn batch(&mut self, said: &[Said]) {
        let mut writer = FrameWriter::default();
        said.iter().for_each(|s| writer.push(&s.event()).expect("an event"));
        let Some(bytes) = writer.take() else { return };
        let tables = Tables { catalogue: &self.catalogue, classifier: &TextRules, rules: &RULES };
        let mut work = Work::new(3);
        self.partition.window().frame(Offset(self.log.len() as u64));
        for event in frame::read::<Event<'_>>(&bytes) {
            let outcome = self.partition.event(&event.expect("an event"), &tables, &mut work).expect("a fate");
            self.fates.count(&outcome);
        }
        self.partition.finish(&mut work).expect("written");
        let Work { fold, mut output, state, .. } = work;
        fold.drain(|delta| output.push(&Op::Usage(delta))).expect("written");
        self.told.read(&output.finish());
        for StateWrite { key, value, .. } in state {
            match value {
                Some(value) => drop(self.state.insert(key, value)),
                None => drop(self.state.remove(&key)),
            }
        }
        self.log.push(bytes);
    }

    /// Forgets everything that is not state, and comes back from state and log.
    fn restart(&mut self) {
        let mut partition = Partition::new(0, &RULES, 1_000_000);
        let mut mark = None;
        for (key, value) in &self.state {
            mark = partition.restore(key, Some(value)).expect("our own entry").or(mark);
        }
        if let Some(mark) = mark {
            partition.window().resume(mark);
            for (offset, bytes) in self.log.iter().enumerate().skip(usize::try_from(mark.offset.0).expect("small")) {
                partition.window().frame(Offset(offset as u64));
                for event in frame::read::<Event<'_>>(bytes) {
                    if let Ok(Event::Usage(u)) = event {
                        partition.window().meet(u.head.identity, u.head.content, u.head.received);
                    }
                }
            }
        }
        self.partition = partition;
    }
}

fn said() -> impl Strategy<Value = Said> {
    let api = prop::option::weighted(0.8, prop::sample::select(vec!["orders", "stock", "b", "c"]));
    let version = prop::option::of(prop::sample::select(vec!["v1", "v2", "v3", "v4", "v5"]));
    let path = prop::sample::select(vec!["", "/v1/orders/1", "/v2/orders/2/items", "/v1/a", "/x", "/y", "/z/9"]);
    let rest = (
        0i64..2000,
        prop::sample::select(vec![200u16, 404, 429, 503]),
        1u64..5,
        prop::option::of(0.5f32..900.0),
        prop::bool::weighted(0.15),
    );
    (prop::sample::select(vec!["acme", "globex", ""]), api, version, path, rest).prop_map(
        |(consumer, api, version, path, (hour, status, calls, latency, feedback))| Said {
            id: 0,
            content: 1,
            consumer,
            api,
            version,
            path,
            hour,
            status,
            calls,
            latency,
            feedback,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_batches_any_repetition_and_any_restart_tell_the_same(
        stream in proptest::collection::vec(said(), 1..60),
        again in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..20),
        cuts in proptest::collection::vec(1usize..9, 1..10),
        restarts in proptest::collection::vec(any::<bool>(), 1..10),
    ) {
        let stream: Vec<Said> = stream.into_iter().zip(0..).map(|(s, id)| Said { id, ..s }).collect();
        let mut whole = Machine::new();
        whole.batch(&stream);

        let mut repeated = stream.clone();
        for (which, behind) in &again {
            let one = which.get(&stream).clone();
            let first = repeated.iter().position(|s| s.id == one.id).unwrap_or(0);
            let at = first + 1 + behind.index(repeated.len() - first);
            repeated.insert(at.min(repeated.len()), one);
        }
        let mut pieces = Machine::new();
        let (mut rest, mut turn) = (repeated.as_slice(), 0);
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(cuts[turn % cuts.len()].min(rest.len()));
            pieces.batch(batch);
            if restarts[turn % restarts.len()] {
                pieces.restart();
            }
            (rest, turn) = (after, turn + 1);
        }
        prop_assert_eq!(&whole.told.milestones, &pieces.told.milestones);
        prop_assert_eq!(&whole.told.insights, &pieces.told.insights);
        prop_assert_eq!(&whole.told, &pieces.told);
        prop_assert_eq!(&whole.state.iter().filter(|(k, _)| k[0] != b'W').collect::<Vec<_>>(), &pieces.state.iter().filter(|(k, _)| k[0] != b'W').collect::<Vec<_>>());
        prop_assert_eq!(pieces.fates.total(), repeated.len() as u64);
        prop_assert_eq!(pieces.fates.skipped.values().sum::<u64>(), again.len() as u64);
    }
}

fn call(id: u64, version: &'static str, hour: i64) -> Said {
    Said {
        id,
        content: 1,
        consumer: "acme",
        api: Some("orders"),
        version: Some(version),
        path: "",
        hour,
        status: 200,
        calls: 1,
        latency: None,
        feedback: false,
    }
}

#[test]
fn the_first_content_stands_and_another_is_rejected() {
    let mut m = Machine::new();
    let ticket = Said { feedback: true, ..call(2, "v1", 1) };
    m.batch(&[call(1, "v1", 1), ticket.clone(), Said { content: 2, ..call(1, "v1", 1) }, Said { content: 2, ..ticket.clone() }]);
    m.restart();
    m.batch(&[call(1, "v1", 1), Said { content: 3, ..call(1, "v1", 1) }, ticket]);
    assert_eq!((m.fates.emitted, m.fates.rejected[&RejectReason::ConflictingDuplicate]), (2, 3));
    assert_eq!(m.told.usage.values().map(|u| u.0).sum::<u64>(), 1);
}

#[test]
fn feedback_is_given_to_the_only_version_called_and_says_why() {
    let mut m = Machine::new();
    let calls: Vec<_> = (0..1204).map(|i| call(i, "v2", 24 * 10)).collect();
    m.batch(&calls);
    m.batch(&[Said { feedback: true, version: None, api: None, ..call(9000, "", 24 * 20) }]);
    let insight = m.told.insights.values().next().expect("an insight");
    assert_eq!(
        insight,
        "orders [(\"v2\", 1.0)] OnlyVersion [\"only version called since 1970-01-11: 1,204 calls\", \"only API called since 1970-01-11: 1,204 calls\"]"
    );
}

#[test]
fn undeclared_names_are_bounded() {
    let mut m = Machine::new();
    let versions = ["a", "b", "c", "d"];
    let calls: Vec<_> = (0..).zip(versions).map(|(i, v)| call(i, v, 1)).collect();
    m.batch(&calls);
    let keys: Vec<&str> = m.told.usage.keys().map(String::as_str).collect();
    assert_eq!(keys, ["orders a  acme 1", "orders b  acme 1", "orders unknown  acme 1"]);
    m.batch(&[Said { feedback: true, ..call(77, "z", 1) }]);
    assert!(m.told.insights.values().next().is_some_and(|i| i.starts_with("orders [(\"unknown\", 1.0)] Unknown")));
}

/// A ticket of nobody in particular that says nothing.
fn mute(id: u64, hour: i64) -> Said {
    Said { feedback: true, api: None, version: None, ..call(id, "", hour) }
}

#[test]
fn feedback_without_evidence_is_moved_once_when_usage_comes_late() {
    let mut m = Machine::new();
    m.batch(&[mute(1, 100)]);
    let one = |m: &Machine| m.told.insights.values().next().expect("an insight").clone();
    assert!(one(&m).starts_with("unknown") && m.partition.waiting() == 1);
    m.restart();
    assert_eq!(m.partition.waiting(), 1, "it waits across restarts");
    m.batch(&[call(2, "v1", 200)]);
    assert_eq!(m.partition.waiting(), 1, "a later call is no evidence");
    m.batch(&[call(3, "v2", 90)]);
    assert!(one(&m).starts_with("orders [(\"v2\", 1.0)] OnlyVersion"), "{}", one(&m));
    assert_eq!((m.told.insights.len(), m.partition.waiting()), (1, 0));
    let moved = m.told.insights.clone();
    m.restart();
    m.batch(&[call(4, "v1", 91), mute(1, 100)]);
    assert_eq!((&m.told.insights, m.partition.waiting()), (&moved, 0), "moved once, and repeated for nothing");
}

#[test]
fn feedback_of_a_stranger_goes_to_their_consumer_when_they_are_known() {
    let mut m = Machine::new();
    m.batch(&[call(1, "v2", 90), Said { consumer: "~0123", ..mute(2, 100) }]);
    let notice = Said { consumer: "~0123", ..call(3, "", 110) };
    let known = Known { head: notice.head(), keys: vec!["~0123"], org: None, consumer: "acme" };
    let tables = Tables { catalogue: &m.catalogue, classifier: &TextRules, rules: &RULES };
    let mut work = Work::new(3);
    for _ in 0..2 {
        let outcome = m.partition.event(&Event::Known(Box::new(known.clone())), &tables, &mut work).expect("a fate");
        m.fates.count(&outcome);
    }
    let (consumer, frame) = work.forward.pop().expect("sent on");
    assert!(consumer == "acme" && work.forward.is_empty() && m.partition.waiting() == 0);
    let event = frame::read::<Event<'_>>(&frame).next().expect("one").expect("an event");
    m.partition.event(&event, &tables, &mut work).map(|o| m.fates.count(&o)).expect("a fate");
    m.told.read(&work.output.finish());
    let insight = m.told.insights.values().next().expect("an insight");
    assert!(m.told.insights.len() == 1 && insight.starts_with("orders [(\"v2\", 1.0)] OnlyVersion"), "{insight}");
}
