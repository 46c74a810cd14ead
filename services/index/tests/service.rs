//! The index service on the embedded bus: frames in, answers out, whatever happens to its folder.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, NewRecord, Stop, Topic, TopicSettings};
use groundswell_index::Handle;
use groundswell_model::frame::FrameWriter;
use groundswell_model::{
    Hour, IdentityHash, Insight, Labels, LatencyBuckets, Op, Rung, Timestamp, UsageDelta, VersionWeight, partition_of,
};
use groundswell_runtime::{Freshness, Settings};
use serde_json::Value;
use tower::ServiceExt;

const WITHIN: Duration = Duration::from_secs(30);

fn bus(folder: &Path, topics: &TopicSettings) -> Arc<dyn Bus> {
    let bus = EmbeddedBus::open(&folder.join("bus"), &EmbeddedSettings::default(), topics, Stop::default()).unwrap();
    bus.ensure_topics().unwrap();
    Arc::new(bus)
}

struct Service {
    bus: Arc<dyn Bus>,
    handle: Handle,
    stop: Stop,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Service {
    fn start(folder: &Path) -> Self {
        Self::member(bus(folder, &TopicSettings::default()), folder)
    }

    /// One of several services on a bus.
    fn member(bus: Arc<dyn Bus>, folder: &Path) -> Self {
        let (stop, handle) = (Stop::default(), Handle::new(Freshness::default()));
        let settings = Settings { data: folder.to_owned(), ..Settings::default() };
        let thread = std::thread::spawn({
            let (bus, handle, stop) = (bus.clone(), handle.clone(), stop.clone());
            move || groundswell_index::run(bus, &settings, handle, stop)
        });
        Self { bus, handle, stop, thread: Some(thread) }
    }

    /// Like [`Service::start`], when all partitions are open.
    fn ready(folder: &Path) -> Self {
        let service = Self::start(folder);
        let begun = Instant::now();
        while service.handle.whole().is_none() {
            assert!(begun.elapsed() < WITHIN, "{} partitions are not open", service.handle.missing());
            std::thread::yield_now();
        }
        service
    }

    fn publish(&self, ops: &[Op<'_>]) {
        let partitions = self.bus.partitions(Topic::Insights).unwrap();
        for op in ops {
            let mut frame = FrameWriter::default();
            frame.push(op).unwrap();
            let record = NewRecord::on(Topic::Insights, partition_of(op.api(), partitions), frame.take().unwrap());
            self.bus.publisher().unwrap().publish(vec![record], WITHIN).unwrap();
        }
    }

    fn ask(&self, method: &str, path: &str) -> (u16, Value) {
        self.send(method, path, "")
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let router =
                groundswell_index::http::read_router(self.handle.clone()).merge(groundswell_index::http::admin_router(self.handle.clone()));
            let request = http::Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
            let answer = router.oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())))
        })
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn wait_for_total(&self, path: &str, total: u64) {
        self.wait_for(path, "/total", total);
    }

    /// Search and usage become visible one after the other: each is waited for by itself.
    fn wait_for(&self, path: &str, field: &str, wanted: u64) {
        let begun = Instant::now();
        loop {
            let answer = self.ask("GET", path).1;
            if answer.pointer(field).and_then(Value::as_u64) == Some(wanted) {
                return;
            }
            assert!(begun.elapsed() < WITHIN, "{path}: {field} did not come to {wanted}: {answer}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

fn insight(id: &'static str, version: &'static str, title: &'static str) -> Op<'static> {
    Op::Upsert(Box::new(Insight {
        identity: IdentityHash::of("desk", id),
        source: "desk",
        id,
        time: Timestamp(1_770_000_000_000),
        received: Timestamp(1_770_000_001_000),
        api: "payments",
        versions: vec![VersionWeight { version, weight: 1.0 }],
        rung: Rung::Explicit,
        confidence: 1.0,
        evidence: vec![],
        deciding: vec![],
        flags: vec![],
        operation: None,
        consumer: "acme",
        requester: None,
        org: None,
        title,
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

fn of_api(api: &'static str, id: &'static str) -> Op<'static> {
    match insight(id, "v1", "Invoice of another API") {
        Op::Upsert(insight) => Op::Upsert(Box::new(Insight { api, ..*insight })),
        other => other,
    }
}

fn usage(version: &'static str, calls: u64, failed: u64) -> Op<'static> {
    let time = Timestamp(1_770_000_000_000);
    Op::Usage(UsageDelta {
        api: "payments",
        version,
        operation: "pay",
        consumer: "acme",
        hour: Hour(time.hour().0),
        calls,
        failed,
        server_errors: 0,
        rate_limited: 0,
        first: time,
        last: time,
        first_success: Some(time),
        latency: LatencyBuckets::default(),
        revenue: vec![],
        value: vec![],
        received: time,
    })
}

#[test]
fn what_is_published_is_answered_also_after_a_restart_and_once_only() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[
        usage("v2", 100, 7),
        insight("1", "v2", "Timeouts"),
        insight("2", "v2", "More timeouts"),
        insight("2", "v2", "More timeouts"),
    ]);
    service.wait_for_total("/v1/search?q=timeouts", 2);
    drop(service);
    let service = Service::start(folder.path());
    service.publish(&[usage("v2", 50, 3)]);
    service.publish(&[insight("3", "v1", "Still slow")]);
    service.wait_for_total("/v1/search?api=payments", 3);
    service.wait_for("/v1/apis/payments/versions/v2/summary", "/usage/calls", 150);
    let summary = service.get("/v1/apis/payments/versions/v2/summary?baseline=v1");
    assert_eq!((summary["usage"]["calls"].as_u64(), summary["usage"]["failed"].as_u64()), (Some(150), Some(10)));
    assert_eq!(summary["feedback"]["count"], 2);
    assert_eq!(service.get("/v1/apis")["apis"][0]["feedback"], 3);
    let (status, export) = service.ask("GET", "/v1/apis/payments/versions/v2/export");
    assert_eq!((status, export.as_str().unwrap().lines().count()), (200, 2));
}

/// What all members together answer for, as the partitions go to and fro.
fn total(members: &[&Service], path: &str) -> u64 {
    members.iter().filter_map(|member| member.ask("GET", path).1.pointer("/total").and_then(Value::as_u64)).sum()
}

#[test]
fn a_member_that_comes_or_goes_in_an_open_round_loses_and_doubles_nothing() {
    for partitions in [1, 3] {
        let folder = tempfile::tempdir().unwrap();
        let bus = bus(folder.path(), &TopicSettings { partitions, ..TopicSettings::default() });
        let first = Service::member(bus.clone(), &folder.path().join("first"));
        let path = "/v1/search?q=invoice";
        first.publish(&[insight("1", "v1", "Invoice lost"), of_api("orders", "2"), of_api("billing", "3")]);
        first.wait_for_total(path, 3);
        // Events that have waited long: the round stays open for a second after the last of them, and the other member comes in it.
        first.publish(&[insight("4", "v2", "Invoice late"), of_api("orders", "5"), of_api("billing", "6")]);
        let second = Service::member(bus.clone(), &folder.path().join("second"));
        let begun = Instant::now();
        while total(&[&first, &second], path) != 6 {
            assert!(begun.elapsed() < WITHIN, "{partitions}: {} of 6", total(&[&first, &second], path));
            std::thread::sleep(Duration::from_millis(20));
        }
        first.publish(&[insight("7", "v2", "Invoice gone"), of_api("orders", "8"), of_api("billing", "9")]);
        drop(second);
        first.wait_for_total(path, 9);
    }
}

#[test]
fn a_version_can_be_dropped_and_comes_back_by_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[usage("v2", 100, 7), insight("1", "v2", "Timeouts"), insight("2", "v1", "Slow")]);
    service.wait_for_total("/v1/search", 2);
    service.wait_for("/v1/apis/payments/versions/v2/summary", "/usage/calls", 100);
    assert_eq!(service.ask("DELETE", "/v1/apis/payments/versions/v2").0, 200);
    assert_eq!(service.get("/v1/search")["total"], 1);
    assert_eq!(service.ask("GET", "/v1/apis/payments/versions/v2/summary").0, 404);
    for gone in ["/v1/apis/payments/versions/v2", "/v1/apis/nope/versions/v1"] {
        let (status, problem) = service.ask("DELETE", gone);
        assert_eq!(status, 404, "{gone}: {problem}");
    }
    let (status, rebuilt) = service.ask("POST", "/v1/index/rebuild");
    assert_eq!((status, rebuilt["records"].as_u64()), (200, Some(3)));
    assert_eq!(service.get("/v1/search")["total"], 2);
    assert_eq!(service.get("/v1/apis/payments/versions/v2/summary")["usage"]["calls"], 100);
}

#[test]
fn a_damaged_or_deleted_index_is_rebuilt_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[usage("v2", 100, 7), insight("1", "v2", "Timeouts")]);
    service.wait_for_total("/v1/search", 1);
    let partition = partition_of("payments", service.bus.partitions(Topic::Insights).unwrap());
    drop(service);
    let root = groundswell_index::partition::folder(folder.path(), partition);
    for lose in [root.join("search"), root.join("usage.redb")] {
        if lose.is_dir() {
            std::fs::remove_dir_all(&lose).unwrap()
        } else {
            std::fs::remove_file(&lose).unwrap()
        }
        let service = Service::start(folder.path());
        service.wait_for_total("/v1/search", 1);
        service.wait_for("/v1/apis/payments/versions/v2/summary", "/usage/calls", 100);
    }
}

#[test]
fn a_question_that_is_wrong_is_told_what_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::ready(folder.path());
    for (path, word) in [
        ("/v1/search?limt=3", "limt"),
        ("/v1/search?q=%22open", "column"),
        ("/v1/search?sort=best", "relevance"),
        ("/v1/apis/nope/versions/v1/summary", "nope"),
    ] {
        let (status, problem) = service.ask("GET", path);
        assert!(status == 400 || status == 404, "{path}: {status}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
}

#[test]
fn a_verdict_is_asked_for_with_the_usual_policy_or_with_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[usage("v1", 100, 7), usage("v2", 100, 7), insight("1", "v2", "Timeouts")]);
    service.wait_for_total("/v1/search", 1);
    service.wait_for("/v1/apis/payments/versions/v2/summary", "/usage/calls", 100);
    let path = "/v1/apis/payments/versions/v2/verdict";
    let verdict = service.get(&format!("{path}?baseline=v1"));
    assert_eq!((verdict["verdict"].as_str(), verdict["version"].as_str()), (Some("inconclusive"), Some("v2")));
    assert_eq!(verdict["guardrails"][0]["candidate"]["exposure"], 100.0);
    assert_eq!(service.get(&format!("{path}?baseline=v1")), verdict, "the same data give the same verdict");
    assert!(!verdict["provenance"]["checkpoint"].as_str().unwrap().is_empty());

    let (status, own) =
        service.send("POST", &format!("{path}?baseline=v1"), "horizon_days = 14\n[guardrails.latency_p95]\nenabled = false\n");
    assert_eq!((status, own["horizon_days"].as_u64()), (200, Some(14)));
    assert_eq!(own["provenance"]["input"], verdict["provenance"]["input"]);
    assert_ne!(own["provenance"]["policy"], verdict["provenance"]["policy"]);
}

#[test]
fn a_verdict_on_what_is_not_there_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[usage("v1", 100, 7), usage("v2", 100, 7), insight("1", "v2", "Timeouts")]);
    service.wait_for_total("/v1/search", 1);
    let long = "# a comment\n".repeat(10_000);
    for (method, path, body, status, word) in [
        ("GET", "/v1/apis/nope/versions/v2/verdict?baseline=v1", "", 404, "nope v2"),
        ("GET", "/v1/apis/payments/versions/v7/verdict?baseline=v1", "", 404, "version: nothing is known of payments v7"),
        ("GET", "/v1/apis/payments/versions/v2/verdict?baseline=v0", "", 404, "baseline: nothing is known of payments v0"),
        ("GET", "/v1/apis/payments/versions/v2/verdict", "", 400, "baseline"),
        ("GET", "/v1/apis/payments/versions/v2/verdict?baseline=v1&since=2020-01-01", "", 400, "1 to 184 days"),
        ("POST", "/v1/apis/payments/versions/v2/verdict?baseline=v1", "error = 2.0", 400, "error = 2: from 0.0001 to 0.2"),
        ("POST", "/v1/apis/payments/versions/v2/verdict?baseline=v1", long.as_str(), 413, "65536 bytes"),
    ] {
        let (got, problem) = service.send(method, path, body);
        assert_eq!(got, status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
}
