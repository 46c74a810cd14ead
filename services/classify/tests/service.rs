//! The service on the embedded transport: what goes in as frames of events comes out as instructions to the index.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::dead_letter::{OFFSET, REASON, SERVICE, TOPIC};
use groundswell_bus::{Bus, EmbeddedBus, Group, NewRecord, Stop, Topic};
use groundswell_model::frame::{self, FrameWriter};
use groundswell_model::{
    ContentHash, Event, EventHead, FeedbackEvent, FeedbackKind, IdentityHash, MilestoneKind, Op, Origin, Rung, Timestamp, UsageEvent,
    partition_of,
};
use groundswell_runtime::Settings;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600_000;
/// 2026-03-01T10:00:00Z
const NOW: i64 = 1_772_359_200_000;

struct World {
    dir: tempfile::TempDir,
    settings: Settings,
    bus: Arc<dyn Bus>,
}

fn open(settings: &Settings) -> Arc<dyn Bus> {
    let bus = EmbeddedBus::open(&settings.data.join("bus"), &settings.embedded, &settings.topics, Stop::default()).unwrap();
    bus.ensure_topics().unwrap();
    Arc::new(bus)
}

/// What the index was told, added up.
#[derive(Debug, Default, PartialEq)]
struct Told {
    calls: BTreeMap<(String, String, String), (u64, u64)>,
    insights: BTreeMap<String, (String, String, Rung, Vec<String>)>,
    milestones: BTreeMap<(String, String, MilestoneKind), i64>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { data: dir.path().to_owned(), ..Settings::default() };
        let bus = open(&settings);
        Self { dir, settings, bus }
    }

    /// The same after its process was stopped and started again.
    fn restarted(self) -> Self {
        let Self { dir, settings, bus } = self;
        drop(bus);
        let bus = open(&settings);
        Self { dir, settings, bus }
    }

    fn publish(&self, records: Vec<NewRecord>) {
        self.bus.publisher().unwrap().publish(records, PATIENCE).unwrap();
    }

    /// Writes events as ingest does: frames by the partition of their consumer.
    fn events(&self, events: &[Event<'_>]) {
        let n = self.bus.partitions(Topic::Events).unwrap();
        let mut frames: BTreeMap<u32, FrameWriter> = BTreeMap::new();
        events.iter().for_each(|e| frames.entry(partition_of(e.head().consumer, n)).or_default().push(e).unwrap());
        self.publish(frames.iter_mut().map(|(p, w)| NewRecord::on(Topic::Events, *p, w.take().unwrap())).collect());
    }

    fn release(&self, version: &str, base: &str) {
        let event = json!({"specversion": "1.0", "type": "groundswell.release.v1", "source": "/catalogue", "id": version, "time": "2026-01-01T00:00:00Z",
            "data": {"api": "orders", "api_version": version, "stage": "released", "base_paths": [base]}});
        self.publish(vec![
            NewRecord::keyed(Topic::Catalogue, "orders", event.to_string().into_bytes())
                .header("content-type", "application/cloudevents+json"),
        ]);
    }

    /// Lets classify work until it has committed every event.
    fn settle(&self) {
        let stop = Stop::default();
        let (bus, settings, told) = (Arc::clone(&self.bus), self.settings.clone(), stop.clone());
        let worker = std::thread::spawn(move || groundswell_classify::run(&bus, &settings, &told));
        let until = Instant::now() + PATIENCE;
        while !self.is_settled() {
            assert!(
                Instant::now() < until && !worker.is_finished(),
                "classify did not get to the end: {:?}",
                worker.is_finished().then(|| worker.join())
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.stop();
        worker.join().unwrap().unwrap();
    }

    fn is_settled(&self) -> bool {
        let committed = self.bus.committed(Group::Classify, Topic::Events).unwrap();
        self.bus.bounds(Topic::Events).unwrap().iter().all(|b| b.high.0 == 0 || committed.get(&b.part) == Some(&b.high))
    }

    fn told(&self) -> Told {
        let mut told = Told::default();
        let n = self.bus.partitions(Topic::Insights).unwrap();
        let read = &mut |record: groundswell_bus::Record<'_>| {
            for op in frame::read::<Op<'_>>(record.value.unwrap()) {
                let op = op.unwrap();
                assert_eq!(partition_of(op.api(), n), record.part.partition, "an instruction is with its API");
                match op {
                    Op::Usage(u) => {
                        let sum = told.calls.entry((u.version.into(), u.operation.into(), u.consumer.into())).or_default();
                        *sum = (sum.0 + u.calls, sum.1 + u.failed);
                    }
                    Op::Upsert(i) => {
                        told.insights.insert(i.id.into(), (i.api.into(), i.versions[0].version.into(), i.rung, i.evidence.clone()));
                    }
                    Op::Remove(_) => {}
                    Op::Milestone(m) => {
                        told.milestones.insert((m.consumer.into(), m.version.into(), m.kind), m.time.0);
                    }
                }
            }
        };
        self.bus.reader(Topic::Insights).unwrap().catch_up(read).unwrap();
        told
    }
}

fn head<'a>(id: &'a str, consumer: &'a str, time: i64) -> EventHead<'a> {
    let origin = Origin { topic: Topic::Usage.number(), partition: 0, offset: 0 };
    EventHead {
        identity: IdentityHash::of("test", id),
        content: ContentHash(1),
        source: "test",
        id,
        time: Timestamp(time),
        received: Timestamp(NOW),
        origin,
        consumer,
    }
}

fn call<'a>(id: &'a str, consumer: &'a str, path: &'a str, time: i64) -> UsageEvent<'a> {
    UsageEvent {
        head: head(id, consumer, time),
        api: Some("orders"),
        api_version: None,
        operation: None,
        method: "GET",
        path,
        host: "",
        status: 200,
        failed: false,
        latency_ms: Some(20.0),
        calls: 1,
        request_id: None,
        traceparent: None,
        sdk: None,
        plan: None,
        revenue: None,
        value: None,
        use_case: None,
        bytes: None,
        attributes: Vec::new(),
    }
}

fn ticket<'a>(id: &'a str, consumer: &'a str, time: i64) -> FeedbackEvent<'a> {
    FeedbackEvent {
        head: head(id, consumer, time),
        kind: FeedbackKind::Ticket { ticket_id: Some(id), status: None, priority: None, channel: None, tags: Vec::new() },
        title: "Orders time out",
        body: "Since Monday every call times out.",
        url: None,
        requester: None,
        org: None,
        domain: None,
        was: None,
        api: None,
        api_version: None,
        operation: None,
        request_id: None,
        traceparent: None,
        sdk: None,
        language: None,
        redacted: Vec::new(),
        attributes: Vec::new(),
    }
}

/// Two weeks of three consumers: one on v1, one that moves to v2, one that writes.
fn stream(ids: &[String]) -> Vec<Event<'_>> {
    let consumers = ["acme", "globex", "initech"];
    let one =
        |(n, id): (usize, &'_ String)| -> (usize, i64) { (n % 3, NOW - HOUR * 24 * 14 + i64::try_from(n + id.len()).unwrap() * HOUR / 2) };
    ids.iter()
        .enumerate()
        .map(|(n, id)| {
            let (who, time) = one((n, id));
            let path = if who == 1 && n > ids.len() / 2 { "/v2/orders/7" } else { "/v1/orders/7" };
            match n % 17 {
                16 => Event::Feedback(Box::new(ticket(id, consumers[who], time))),
                m => Event::Usage(UsageEvent {
                    status: if m == 3 { 503 } else { 200 },
                    failed: m == 3,
                    ..call(id, consumers[who], path, time)
                }),
            }
        })
        .collect()
}

#[test]
fn a_restart_in_the_middle_and_everything_sent_twice_give_the_same() {
    let ids: Vec<String> = (0..400).map(|n| format!("e{n}")).collect();
    let events = stream(&ids);
    let begin = || {
        let world = World::new();
        world.release("v1", "/v1");
        world.release("v2", "/v2");
        world
    };

    let once = begin();
    once.events(&events);
    once.settle();

    let mut often = begin();
    let mut before: &[Event<'_>] = &[];
    for piece in events.chunks(90) {
        often.events(piece);
        often.settle();
        // A client that got no answer sends again, before and after the restart.
        often.events(&piece[..40]);
        often = often.restarted();
        often.events(before);
        often.events(piece);
        often.settle();
        before = piece;
    }
    let (expected, got) = (once.told(), often.told());
    assert_eq!(expected, got);
    assert_eq!(got.calls.values().map(|(calls, _)| calls).sum::<u64>() + got.insights.len() as u64, 400);
    let moved = got
        .milestones
        .keys()
        .filter(|(_, _, kind)| *kind == MilestoneKind::Upgrade)
        .map(|(c, v, _)| (c.as_str(), v.as_str()))
        .collect::<Vec<_>>();
    assert_eq!(moved, [("globex", "v2")]);
    assert_eq!(often.bus.bounds(Topic::DeadLetters).unwrap().iter().map(|b| b.high.0).sum::<u64>(), 0);
}

#[test]
fn a_conflict_becomes_a_dead_letter_with_its_original_bytes() {
    let world = World::new();
    let original = b"{\"the\": \"second\"}".to_vec();
    let on = |value: &[u8]| NewRecord::on(Topic::Usage, 0, value.to_vec()).header("ce_id", "1");
    world.publish(vec![on(b"{\"the\": \"first\"}")]);
    world.publish(vec![on(&original)]);
    let first = call("1", "acme", "/v1/orders", NOW);
    let mut second = call("1", "acme", "/v1/orders", NOW);
    (second.head.content, second.head.origin.offset) = (ContentHash(2), 1);
    let mut lost = second.clone();
    (lost.head.content, lost.head.origin.offset) = (ContentHash(3), 77);
    world.events(&[Event::Usage(first), Event::Usage(second), Event::Usage(lost)]);
    world.settle();

    let mut letters = Vec::new();
    let read = &mut |r: groundswell_bus::Record<'_>| {
        let text = |name: &str| r.headers.get(name).map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default();
        letters.push((
            r.value.unwrap_or_default().to_vec(),
            [REASON, SERVICE, TOPIC, OFFSET, "orig-ce_id"].map(text),
            text(groundswell_classify::stage::REBUILT),
        ));
    };
    world.bus.reader(Topic::DeadLetters).unwrap().catch_up(read).unwrap();
    letters.sort_by_key(|(_, headers, _)| headers[3].clone());
    let [(bytes, headers, rebuilt), (json, lost, told)] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(
        (bytes, headers.each_ref().map(String::as_str), rebuilt.as_str()),
        (&original, ["conflicting_duplicate", "classify", "feedback.usage", "1", "1"], "")
    );
    assert_eq!((lost[3].as_str(), told.is_empty()), ("77", false));
    assert!(serde_json::from_slice::<serde_json::Value>(json).is_ok_and(|v| v["Usage"]["head"]["id"] == "1"));
    assert_eq!(world.told().calls.values().map(|(calls, _)| calls).sum::<u64>(), 1);
}

#[test]
fn feedback_goes_to_the_version_its_consumer_calls_and_the_catalogue_knows_by_path() {
    let world = World::new();
    world.release("v1", "/v1");
    world.release("v2", "/v2");
    world.events(&[
        Event::Usage(call("1", "acme", "/v2/orders/9", NOW - HOUR)),
        Event::Usage(call("2", "globex", "/v1/orders/9", NOW - HOUR)),
        Event::Usage(call("3", "globex", "/v2/orders/9", NOW)),
    ]);
    let shown = FeedbackEvent { operation: Some("GET /v1/orders/{id}"), ..ticket("t2", "globex", NOW) };
    world.events(&[
        Event::Feedback(Box::new(ticket("t1", "acme", NOW))),
        Event::Feedback(Box::new(shown)),
        Event::Feedback(Box::new(ticket("t3", "globex", NOW))),
        Event::Feedback(Box::new(ticket("t4", "", NOW))),
    ]);
    world.settle();
    let told = world.told();
    let of = |id: &str| told.insights.get(id).map(|(api, version, rung, _)| (api.as_str(), version.as_str(), *rung)).unwrap();
    assert_eq!(of("t1"), ("orders", "v2", Rung::OnlyVersion));
    assert_eq!(told.insights["t1"].3[0], "only version called since 2026-03-01: 1 call");
    assert_eq!(of("t2"), ("orders", "v1", Rung::Path));
    assert_eq!(of("t3"), ("orders", "v1", Rung::Share), "the first of its shares");
    assert_eq!(of("t4"), ("unknown", "unknown", Rung::Unknown));
    let operations: BTreeSet<&str> = told.calls.keys().map(|(_, operation, _)| operation.as_str()).collect();
    assert_eq!(operations.into_iter().collect::<Vec<_>>(), ["GET /orders/{id}"]);
}
