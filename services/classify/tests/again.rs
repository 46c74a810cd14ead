//! A new look at history: told first, swapped on request, harmless to repeat; and what people teach, on the embedded transport.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use groundswell_bus::{Budget, Bus, EmbeddedBus, Group, NewRecord, Stop, Topic, service as bus_service};
use groundswell_classify::ClassifyStage;
use groundswell_classify::again::report::Report;
use groundswell_classify::again::{Again, Question};
use groundswell_contract::decisions::FeedbackRef;
use groundswell_contract::{CloudEvent, Correction, EventType};
use groundswell_model::frame::{self, FrameWriter};
use groundswell_model::insight::Label;
use groundswell_model::{
    ContentHash, Event, EventHead, FeedbackEvent, FeedbackKind, IdentityHash, Labels, Op, Origin, Rung, Timestamp, UsageEvent, partition_of,
};
use groundswell_runtime::Settings;
use groundswell_text::classify::{Classifier, Lesson, Rules, Text, Trained};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600_000;
/// 2026-03-01T10:00:00Z
const NOW: i64 = 1_772_359_200_000;

struct World {
    _dir: tempfile::TempDir,
    settings: Settings,
    bus: Arc<dyn Bus>,
}

/// Classify at work in a thread.
struct Working {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The last word on a piece of feedback: API, version, rung, flags, type.
type Word = (String, String, Rung, Vec<String>, String);

#[derive(Debug, Default, PartialEq)]
struct Told {
    feedback: BTreeMap<String, Word>,
    /// Every instruction about feedback, in order: `put orders 1`, `remove unknown`.
    said: Vec<String>,
    calls: u64,
    milestones: u64,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { data: dir.path().to_owned(), ..Settings::default() };
        let bus = EmbeddedBus::open(&settings.data.join("bus"), &settings.embedded, &settings.topics, Stop::default()).unwrap();
        bus.ensure_topics().unwrap();
        Self { _dir: dir, settings, bus: Arc::new(bus) }
    }

    fn publish(&self, record: NewRecord) {
        self.bus.publisher().unwrap().publish(vec![record], PATIENCE).unwrap();
    }

    fn events(&self, events: &[Event<'_>]) {
        let n = self.bus.partitions(Topic::Events).unwrap();
        for event in events {
            let mut frame = FrameWriter::default();
            frame.push(event).unwrap();
            self.publish(NewRecord::on(Topic::Events, partition_of(event.head().consumer, n), frame.take().unwrap()));
        }
    }

    fn decide(&self, ty: EventType, id: &str, data: &Value) {
        let event = CloudEvent::new(ty, "test", id, Timestamp(NOW), data).unwrap();
        let record = NewRecord::keyed(Topic::Catalogue, id, event.to_structured().unwrap());
        self.publish(record.header("content-type", "application/cloudevents+json"));
    }

    fn release(&self, version: &str, base: &str) {
        self.decide(
            EventType::Release,
            version,
            &json!({"api": "orders", "api_version": version, "stage": "released", "base_paths": [base]}),
        );
    }

    fn work(&self, classifier: Box<dyn Classifier>) -> Working {
        let stop = Stop::default();
        let mut stage = ClassifyStage::with_classifier(self.bus.clone(), &self.settings, classifier).unwrap();
        let (bus, told) = (self.bus.clone(), stop.clone());
        let budget = Budget {
            records: 8,
            bytes: 1 << 20,
            wait: Duration::from_millis(20),
            linger: Duration::from_millis(1),
            linger_behind: Duration::from_millis(1),
        };
        let thread = std::thread::spawn(move || bus_service::run(bus.as_ref(), Group::Classify, &mut stage, budget, &told).unwrap());
        Working { stop, thread: Some(thread) }
    }

    fn settle(&self, classifier: impl Classifier + 'static) {
        let _working = self.work(Box::new(classifier));
        self.wait_settled();
    }

    fn wait_settled(&self) {
        let until = Instant::now() + PATIENCE;
        let settled = || {
            let committed = self.bus.committed(Group::Classify, Topic::Events).unwrap();
            self.bus.bounds(Topic::Events).unwrap().iter().all(|b| b.high.0 == 0 || committed.get(&b.part) == Some(&b.high))
        };
        while !settled() {
            assert!(Instant::now() < until, "classify did not get to the end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn again(&self) -> Again {
        Again::new(self.bus.clone(), self.settings.clone(), Stop::default())
    }

    fn dry_run(&self) -> Report {
        self.again().reattribute(&Question::default()).unwrap().finished()
    }

    fn swap(&self) -> Report {
        let _working = self.work(Box::new(Rules));
        self.again().reattribute(&Question { swap: true, ..Question::default() }).unwrap().finished()
    }

    fn told(&self) -> Told {
        let mut told = Told::default();
        self.bus
            .reader(Topic::Insights)
            .unwrap()
            .catch_up(&mut |record| {
                for op in frame::read::<Op<'_>>(record.value.unwrap()) {
                    match op.unwrap() {
                        Op::Upsert(i) => {
                            told.said.push(format!("put {} {}", i.api, i.id));
                            let flags = i.flags.iter().map(|f| (*f).to_owned()).collect();
                            let kind = i.labels.kind.name.clone();
                            told.feedback.insert(i.id.into(), (i.api.into(), i.versions[0].version.into(), i.rung, flags, kind));
                        }
                        Op::Remove(gone) => told.said.push(format!("remove {}", gone.api)),
                        Op::Usage(usage) => told.calls += usage.calls,
                        Op::Milestone(_) => told.milestones += 1,
                    }
                }
            })
            .unwrap();
        told.said.sort();
        told
    }
}

fn head<'a>(id: &'a str, source: &'a str, consumer: &'a str, time: i64) -> EventHead<'a> {
    EventHead {
        identity: IdentityHash::of(source, id),
        content: ContentHash(1),
        source,
        id,
        time: Timestamp(time),
        received: Timestamp(NOW),
        origin: Origin::default(),
        consumer,
    }
}

fn call<'a>(id: &'a str, consumer: &'a str, path: &'a str) -> Event<'a> {
    Event::Usage(UsageEvent {
        head: head(id, "gateway", consumer, NOW - HOUR),
        api: None,
        api_version: None,
        operation: None,
        method: "GET",
        path,
        host: "",
        status: 200,
        failed: false,
        latency_ms: None,
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
    })
}

fn ticket<'a>(id: &'a str, source: &'a str, consumer: &'a str, body: &'a str) -> Event<'a> {
    Event::Feedback(Box::new(FeedbackEvent {
        head: head(id, source, consumer, NOW),
        kind: FeedbackKind::Ticket { ticket_id: None, status: None, priority: None, channel: None, tags: Vec::new() },
        title: "",
        body,
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
    }))
}

const SLOW: &str = "Everything is slow since Monday.";

/// Two consumers call v2, one v1, before anybody declared either; all three write, and somebody whom nobody knows.
fn undeclared() -> World {
    let world = World::new();
    world.events(&[call("u1", "acme", "/v2/orders/9"), call("u2", "globex", "/v2/orders/9"), call("u3", "initech", "/v1/orders/9")]);
    world.events(&[
        ticket("t1", "desk", "acme", SLOW),
        ticket("t2", "desk", "globex", SLOW),
        ticket("t3", "desk", "initech", SLOW),
        ticket("t4", "desk", "hooli", SLOW),
    ]);
    world.settle(Rules);
    world
}

#[test]
fn a_catalogue_that_comes_late_is_told_by_a_dry_run_and_moves_feedback_by_a_swap_once() {
    let world = undeclared();
    let before = world.told();
    assert!(before.feedback.values().all(|word| word.0 == "unknown"), "{before:?}");
    assert_eq!(world.dry_run().changed, 0, "the same catalogue says the same");
    world.release("v1", "/v1");
    world.release("v2", "/v2");

    let report = world.dry_run();
    assert_eq!((report.looked_at, report.unchanged, report.changed, report.swapped, report.not_kept), (4, 1, 3, 0, 0));
    let moves: Vec<_> = report.moves.iter().map(|m| (m.from.as_str(), m.to.as_str(), m.count)).collect();
    assert_eq!(
        moves,
        [("unknown unknown (unknown)", "orders v2 (only_version)", 2), ("unknown unknown (unknown)", "orders v1 (only_version)", 1),]
    );
    assert_eq!(report.moves[1].examples[0].id, "t3");
    assert_eq!(world.told(), before, "a dry run changes nothing");

    let swapped = world.swap();
    assert_eq!((swapped.changed, swapped.swapped, swapped.moved_meanwhile), (3, 3, 0));
    let after = world.told();
    let word = |id: &str| (after.feedback[id].0.as_str(), after.feedback[id].1.as_str(), after.feedback[id].2);
    assert_eq!([word("t1"), word("t3")], [("orders", "v2", Rung::OnlyVersion), ("orders", "v1", Rung::OnlyVersion)]);
    assert_eq!(word("t4"), ("unknown", "unknown", Rung::Unknown));
    assert_eq!(after.feedback["t1"].3, ["moved"]);
    assert_eq!((after.calls, after.milestones), (before.calls, before.milestones), "usage was counted and is not counted again");
    let new: Vec<_> = after.said.iter().filter(|s| !before.said.contains(s)).map(String::as_str).collect();
    assert_eq!(new, ["put orders t1", "put orders t2", "put orders t3", "remove unknown", "remove unknown", "remove unknown"]);
    assert_eq!(world.dry_run().changed, 0, "what moved stays");
    assert_eq!(world.swap().swapped, 0);
    assert_eq!(world.told(), after);
}

#[test]
fn one_api_can_be_looked_at_alone() {
    let world = undeclared();
    world.release("v2", "/v2");
    let question = |api: &str| Question { api: Some(api.into()), ..Question::default() };
    assert_eq!(world.again().reattribute(&question("orders")).unwrap().changed, 2);
    assert_eq!(world.again().reattribute(&question("unknown")).unwrap().changed, 2, "they leave it");
    assert_eq!(world.again().reattribute(&question("payments")).unwrap().looked_at, 0);
}

#[test]
fn a_swap_that_dies_in_the_middle_is_harmless_and_one_done_twice_is_one() {
    let world = undeclared();
    world.release("v1", "/v1");
    world.release("v2", "/v2");
    let wanted = {
        let other = undeclared();
        other.release("v1", "/v1");
        other.release("v2", "/v2");
        drop(other.swap());
        other.told().feedback
    };
    let high = || world.bus.bounds(Topic::Events).unwrap().iter().map(|b| b.high.0).sum::<u64>();
    for _ in 0..2 {
        // Published, and then the process ends before anybody takes it in.
        let (before, stop) = (high(), Stop::default());
        let again = Again::new(world.bus.clone(), world.settings.clone(), stop.clone());
        let asked = std::thread::spawn(move || again.reattribute(&Question { swap: true, ..Question::default() }));
        let until = Instant::now() + PATIENCE;
        while high() == before {
            assert!(Instant::now() < until, "nothing was published");
            std::thread::sleep(Duration::from_millis(2));
        }
        stop.stop();
        assert!(asked.join().unwrap().is_err(), "it did not wait to the end");
    }
    world.settle(Rules);
    assert_eq!(world.told().feedback, wanted);
    drop(world.swap());
    assert_eq!(world.told().feedback, wanted);
}

#[test]
fn what_waits_for_evidence_goes_on_waiting_from_its_new_place() {
    let world = World::new();
    let Event::Feedback(mut asked) = ticket("t1", "desk", "acme", SLOW) else { panic!("feedback") };
    asked.request_id = Some("req-0007");
    world.events(&[call("u1", "acme", "/v2/orders/9"), Event::Feedback(asked)]);
    world.settle(Rules);
    assert_eq!(world.told().feedback["t1"].0, "unknown");
    world.release("v1", "/v1");
    world.release("v2", "/v2");
    assert_eq!(world.swap().swapped, 1);
    assert_eq!((world.told().feedback["t1"].1.as_str(), world.told().feedback["t1"].2), ("v2", Rung::OnlyVersion));
    let Event::Usage(mut late) = call("u2", "acme", "/v1/orders/9") else { panic!("usage") };
    late.request_id = Some("req-0007");
    world.events(&[Event::Usage(late)]);
    world.settle(Rules);
    let told = world.told();
    assert_eq!((told.feedback["t1"].1.as_str(), told.feedback["t1"].2), ("v1", Rung::Request), "live evidence moves it on");
    assert_eq!(told.said, ["put orders t1", "put orders t1", "put unknown t1", "remove unknown"]);
    assert_eq!(world.dry_run().changed, 0, "and history says the same");
}

#[test]
fn labels_of_another_model_are_told_and_swapped_and_nothing_else_moves() {
    let texts = [
        SLOW,
        "Please add an option to export invoices as CSV, that would help us a lot.",
        "How do I rotate the signing key?",
        "Thanks, the new SDK is wonderful!",
        "The endpoint returns 500 whenever the list is empty. Steps to reproduce: call it.",
        "Documentation of the pagination cursor is misleading and out of date.",
    ];
    let ids: Vec<String> = (0..texts.len()).map(|n| format!("t{n}")).collect();
    let world = World::new();
    let events: Vec<_> = ids.iter().zip(texts).map(|(id, text)| ticket(id, "desk", "acme", text)).collect();
    world.events(&events);
    world.settle(Rules);
    let before = world.told();
    let trained = Trained::shipped().unwrap();
    let names = |labels: &Labels| {
        let mut aspects: Vec<String> = labels.aspects.iter().map(|a| a.name.clone()).collect();
        aspects.sort();
        [
            labels.kind.name.clone(),
            labels.sentiment.name.clone(),
            labels.severity.name.clone(),
            labels.language.name.clone(),
            aspects.join("+"),
        ]
    };
    let text = |body| Text { title: "", body, survey_score: None, language: None, source: Some("desk") };
    let differ: Vec<bool> = texts.iter().map(|t| names(&Rules.classify(&text(t))) != names(&trained.classify(&text(t)))).collect();
    let changed = differ.iter().filter(|d| **d).count() as u64;
    assert!(changed > 0, "the texts tell rules and model apart");

    let report = world.again().reclassify(&Question::default()).unwrap().finished();
    assert_eq!((report.looked_at, report.changed, report.model.as_deref()), (6, changed, Some(trained.name())));
    assert_eq!(world.told(), before, "a dry run changes nothing");
    {
        let _working = world.work(Box::new(Rules));
        let report = world.again().reclassify(&Question { swap: true, ..Question::default() }).unwrap();
        assert_eq!(report.swapped, changed);
    }
    let after = world.told();
    for ((id, body), differs) in ids.iter().zip(texts).zip(differ) {
        let kind = if differs { trained.classify(&text(body)) } else { Rules.classify(&text(body)) }.kind.name;
        assert_eq!(after.feedback[id].4, kind, "{body}");
        assert_eq!((&after.feedback[id].0, after.feedback[id].2), (&before.feedback[id].0, before.feedback[id].2));
    }
    assert_eq!(world.again().reclassify(&Question::default()).unwrap().changed, 0);
}

/// Says what it was taught for a source, else `bug`.
#[derive(Default)]
struct Learner(BTreeMap<String, (u128, String)>);

impl Classifier for Learner {
    fn classify(&self, text: &Text<'_>) -> Labels {
        let kind = self.0.get(text.source.unwrap_or_default()).map_or("bug", |(_, kind)| kind);
        Labels { kind: Label { name: kind.into(), ..Label::default() }, ..Labels::default() }
    }

    fn name(&self) -> &'static str {
        "learner"
    }

    fn learn(&mut self, lesson: &Lesson) {
        self.0.insert(lesson.source.clone(), (lesson.identity, lesson.kind.clone().unwrap()));
    }

    fn forget(&mut self, identity: u128) {
        self.0.retain(|_, (of, _)| *of != identity);
    }
}

#[test]
fn a_correction_changes_the_next_label_of_its_source_until_it_is_withdrawn() {
    let world = World::new();
    let _working = world.work(Box::new(Learner::default()));
    let say = |id: &str, source: &str| {
        world.events(&[ticket(id, source, "acme", SLOW)]);
        world.wait_settled();
        world.told().feedback[id].4.clone()
    };
    assert_eq!(say("1", "desk"), "bug");
    let of = FeedbackRef { source: "desk".into(), id: "1".into() };
    let said = Correction { of: of.clone(), kind: Some("question".into()), body: Some(SLOW.into()), ..Correction::default() };
    world.decide(EventType::Correction, "c1", &serde_json::to_value(&said).unwrap());
    assert_eq!((say("2", "desk").as_str(), say("3", "forum").as_str()), ("question", "bug"));
    let withdrawn = Correction { of, withdrawn: true, ..Correction::default() };
    world.decide(EventType::Correction, "c2", &serde_json::to_value(&withdrawn).unwrap());
    assert_eq!(say("4", "desk"), "bug");
}
