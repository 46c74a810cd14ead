//! Rebuilds beside the loop: what is published stays whole and fresh, and what is not whole is not answered.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use groundswell_bus::{
    Batch, Bounds, Bus, BusError, EmbeddedBus, EmbeddedSettings, Group, Member, NewRecord, Offset, Part, Publisher, Reader, Record, Stop,
    Topic, TopicSettings,
};
use groundswell_index::Handle;
use groundswell_model::frame::FrameWriter;
use groundswell_model::{IdentityHash, Insight, Labels, Op, Rung, Timestamp, VersionWeight, partition_of};
use groundswell_runtime::{Freshness, Settings};
use serde_json::Value;
use tower::ServiceExt;

const WITHIN: Duration = Duration::from_secs(30);

/// Holds back whoever rebuilds, until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set(&self, open: bool) {
        *self.0.0.lock().unwrap() = open;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |open| !*open).unwrap());
    }
}

/// A bus on which reading a partition of insights again waits for a gate.
struct Held {
    bus: EmbeddedBus,
    gate: Gate,
}

struct HeldReader {
    reader: Box<dyn Reader>,
    gate: Gate,
}

impl Reader for HeldReader {
    fn catch_up(&mut self, each: &mut dyn FnMut(Record<'_>)) -> Result<(), BusError> {
        self.reader.catch_up(each)
    }

    fn catch_up_part(&mut self, part: Part, each: &mut dyn FnMut(Record<'_>) -> bool) -> Result<(), BusError> {
        self.gate.pass();
        self.reader.catch_up_part(part, each)
    }

    fn seek(&mut self, part: Part, to: Offset) -> Result<(), BusError> {
        self.reader.seek(part, to)
    }
}

impl Bus for Held {
    fn ensure_topics(&self) -> Result<(), BusError> {
        self.bus.ensure_topics()
    }

    fn partitions(&self, topic: Topic) -> Result<u32, BusError> {
        self.bus.partitions(topic)
    }

    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> {
        self.bus.publisher()
    }

    fn member(&self, group: Group) -> Result<Box<dyn Member>, BusError> {
        self.bus.member(group)
    }

    fn reader(&self, topic: Topic) -> Result<Box<dyn Reader>, BusError> {
        let reader = self.bus.reader(topic)?;
        Ok(if topic == Topic::Insights { Box::new(HeldReader { reader, gate: self.gate.clone() }) } else { reader })
    }

    fn read_at(&self, part: Part, offset: Offset) -> Result<Option<Batch>, BusError> {
        self.bus.read_at(part, offset)
    }

    fn bounds(&self, topic: Topic) -> Result<Vec<Bounds>, BusError> {
        self.bus.bounds(topic)
    }

    fn committed(&self, group: Group, topic: Topic) -> Result<BTreeMap<Part, Offset>, BusError> {
        self.bus.committed(group, topic)
    }
}

struct Service {
    bus: Arc<Held>,
    handle: Handle,
    stop: Stop,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Service {
    /// With the gate open or shut.
    fn start(folder: &Path, open: bool) -> Self {
        let (stop, gate, topics) = (Stop::default(), Gate::default(), TopicSettings::default());
        gate.set(open);
        let bus = EmbeddedBus::open(&folder.join("bus"), &EmbeddedSettings::default(), &topics, Stop::default()).unwrap();
        bus.ensure_topics().unwrap();
        let (bus, handle) = (Arc::new(Held { bus, gate }), Handle::new(Freshness::default()));
        let settings = Settings { data: folder.to_owned(), ..Settings::default() };
        let thread = std::thread::spawn({
            let (bus, handle, stop) = (bus.clone(), handle.clone(), stop.clone());
            move || groundswell_index::run(bus, &settings, handle, stop)
        });
        Self { bus, handle, stop, thread: Some(thread) }
    }

    fn publish(&self, api: &str, ids: std::ops::Range<usize>) {
        let partition = partition_of(api, self.bus.partitions(Topic::Insights).unwrap());
        let records = ids.map(|id| {
            let mut frame = FrameWriter::default();
            frame.push(&insight(api, &id.to_string())).unwrap();
            NewRecord::on(Topic::Insights, partition, frame.take().unwrap())
        });
        self.bus.publisher().unwrap().publish(records.collect(), WITHIN).unwrap();
    }

    /// Status, `Retry-After` and body.
    fn ask(&self, method: &str, path: &str) -> (u16, Option<String>, Value) {
        ask(&self.handle, method, path)
    }

    fn total(&self) -> Option<u64> {
        let (status, _, answer) = self.ask("GET", "/v1/search?limit=0");
        (status == 200).then(|| answer["total"].as_u64().unwrap())
    }

    fn wait(&self, what: &str, mut done: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < WITHIN, "{what}: {:?} of search", self.total());
            std::thread::yield_now();
        }
    }

    fn rebuild(&self) -> JoinHandle<(u16, Option<String>, Value)> {
        let handle = self.handle.clone();
        std::thread::spawn(move || ask(&handle, "POST", "/v1/index/rebuild"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.bus.gate.set(true);
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

fn ask(handle: &Handle, method: &str, path: &str) -> (u16, Option<String>, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let router = groundswell_index::http::read_router(handle.clone()).merge(groundswell_index::http::admin_router(handle.clone()));
        let request = http::Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let retry = answer.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, retry, serde_json::from_slice(&body).unwrap_or_default())
    })
}

fn insight<'a>(api: &'a str, id: &'a str) -> Op<'a> {
    Op::Upsert(Box::new(Insight {
        identity: IdentityHash::of(api, id),
        source: api,
        id,
        time: Timestamp(1_770_000_000_000),
        received: Timestamp(1_770_000_001_000),
        api,
        versions: vec![VersionWeight { version: "v1", weight: 1.0 }],
        rung: Rung::Explicit,
        confidence: 1.0,
        evidence: vec![],
        deciding: vec![],
        flags: vec![],
        operation: None,
        consumer: "acme",
        requester: None,
        org: None,
        title: "Timeouts of the invoice",
        body: "",
        url: None,
        survey: None,
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: vec![],
        sdk: None,
        request_id: None,
        labels: Labels::default(),
        redacted: vec![],
        attributes: vec![],
    }))
}

#[test]
fn through_a_rebuild_searches_see_everything_and_what_comes_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), false);
    for api in ["payments", "orders", "billing"] {
        service.publish(api, 0..100);
    }
    service.wait("what was published", || service.total() == Some(300));
    let rebuilding = service.rebuild();
    service.wait("the rebuild to begin", || service.ask("GET", "/v1/index/rebuild").2["running"] == true);
    // The shadow is held back, and the loop goes on all the same.
    service.publish("payments", 100..150);
    service.wait("what came meanwhile", || service.total() == Some(350));
    let (status, _, problem) = service.ask("POST", "/v1/index/rebuild");
    assert_eq!((status, problem["type"].as_str()), (409, Some("urn:groundswell:problem:busy")), "{problem}");
    assert_eq!(service.ask("DELETE", "/v1/apis/payments/versions/v1").0, 409, "the shadow would bring it back");
    let progress = service.ask("GET", "/v1/index/rebuild").2;
    assert!(progress["of"].as_u64() >= Some(300) && progress["partitions"].as_u64() >= Some(1), "{progress}");

    service.bus.gate.set(true);
    while !rebuilding.is_finished() {
        assert_eq!(service.total(), Some(350), "an answer in the middle of a rebuild");
    }
    let (status, _, rebuilt) = rebuilding.join().unwrap();
    assert_eq!((status, rebuilt["records"].as_u64()), (200, Some(350)), "{rebuilt}");
    assert_eq!(service.ask("GET", "/v1/index/rebuild").2["running"], false);
    assert_eq!(service.total(), Some(350));
    service.publish("payments", 149..160);
    service.wait("what came afterwards, once", || service.total() == Some(360));
}

#[test]
fn the_position_of_the_group_is_behind_what_the_shadow_read() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), true);
    service.publish("payments", 0..20);
    service.wait("what was published", || service.total() == Some(20));
    assert_eq!(service.rebuild().join().unwrap().0, 200);
    let ends = service.bus.bounds(Topic::Insights).unwrap();
    let reached = || {
        let committed = service.bus.committed(Group::Index, Topic::Insights).unwrap();
        ends.iter().all(|end| end.high == end.low || committed.get(&end.part) == Some(&end.high))
    };
    service.wait("no lag", reached);
}

#[test]
fn while_a_partition_has_no_stores_nobody_is_answered_on_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), true);
    for api in ["payments", "orders"] {
        service.publish(api, 0..50);
    }
    service.wait("what was published", || service.total() == Some(100));
    let partition = partition_of("payments", service.bus.partitions(Topic::Insights).unwrap());
    drop(service);
    std::fs::remove_dir_all(groundswell_index::partition::folder(folder.path(), partition).join("search")).unwrap();

    let service = Service::start(folder.path(), false);
    service.wait("the rebuild to begin", || service.ask("GET", "/v1/index/rebuild").2["running"] == true);
    service.wait("the other partitions", || service.handle.missing() == 1);
    for path in [
        "/v1/search?limit=0",
        "/v1/apis",
        "/v1/apis/orders/versions/v1/summary",
        "/v1/apis/payments/versions/v1/verdict?baseline=v0",
        "/v1/apis/payments/versions/v1/export",
    ] {
        let (status, retry, problem) = service.ask("GET", path);
        assert_eq!((status, retry.as_deref()), (503, Some("2")), "{path}: {problem}");
        assert_eq!(problem["missing_partitions"], 1, "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("rebuilt"), "{path}: {problem}");
    }
    assert_eq!(service.ask("GET", "/v1/catalogue").0, 200, "the catalogue needs no partition");
    service.bus.gate.set(true);
    let mut totals = Vec::new();
    service.wait("the rebuild", || {
        totals.extend(service.total());
        totals.last() == Some(&100)
    });
    assert!(totals.iter().all(|total| *total == 100), "{totals:?}");
}

#[test]
fn a_service_that_stops_in_the_middle_of_a_rebuild_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path(), false);
    service.publish("payments", 0..20);
    service.wait("what was published", || service.total() == Some(20));
    let rebuilding = service.rebuild();
    service.wait("the rebuild to begin", || service.ask("GET", "/v1/index/rebuild").2["running"] == true);
    drop(service);
    assert_eq!(rebuilding.join().unwrap().0, 503);
    let service = Service::start(folder.path(), false);
    service.wait("what was there", || service.total() == Some(20));
}
