//! Themes on the embedded bus: found as feedback arrives, the same after a restart and after reading again, and as people decide.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, NewRecord, Stop, Topic, TopicSettings};
use groundswell_contract::Limits;
use groundswell_index::Handle;
use groundswell_index::themes::Desk;
use groundswell_index::voice::Voice;
use groundswell_model::frame::FrameWriter;
use groundswell_model::{
    Hour, IdentityHash, Insight, Labels, LatencyBuckets, Op, Removal, Rung, Timestamp, UsageDelta, VersionWeight, partition_of,
};
use groundswell_runtime::{Freshness, Settings};
use serde_json::{Value, json};
use tower::ServiceExt;

const WITHIN: Duration = Duration::from_secs(30);

struct Service {
    bus: Arc<dyn Bus>,
    handle: Handle,
    desk: Arc<Desk>,
    stop: Stop,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Service {
    fn start(folder: &Path) -> Self {
        let stop = Stop::default();
        let bus = EmbeddedBus::open(&folder.join("bus"), &EmbeddedSettings::default(), &TopicSettings::default(), stop.clone()).unwrap();
        let bus: Arc<dyn Bus> = Arc::new(bus);
        bus.ensure_topics().unwrap();
        let handle = Handle::new(Freshness::default());
        let settings = Settings { data: folder.to_owned(), ..Settings::default() };
        let thread = std::thread::spawn({
            let (bus, handle, stop) = (bus.clone(), handle.clone(), stop.clone());
            move || groundswell_index::run(bus, &settings, handle, stop)
        });
        let desk = Arc::new(Desk::new(handle.clone(), Voice::new(bus.clone(), Limits::default())));
        Self { bus, handle, desk, stop, thread: Some(thread) }
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

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let router = groundswell_index::http::read_router(self.handle.clone())
                .merge(groundswell_index::http::admin_router(self.handle.clone()))
                .merge(groundswell_index::http::decisions_router(self.handle.clone(), self.desk.clone()));
            let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json");
            let answer = router.oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())))
        })
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Searches see a commit a moment before the words of its themes are there: both are waited for.
    fn themes(&self) -> Value {
        let begun = Instant::now();
        loop {
            let themes = self.get("/v1/apis/payments/themes")["themes"].clone();
            let made_by_people = |t: &Value| t["named"] == true;
            if themes.as_array().unwrap().iter().all(|t| made_by_people(t) || !t["terms"].as_array().unwrap().is_empty()) {
                return themes;
            }
            assert!(begun.elapsed() < WITHIN, "themes without words: {themes}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn decide(&self, theme: &str, decision: &Value) -> Value {
        let (status, body) = self.ask("POST", &format!("/v1/apis/payments/themes/{theme}"), decision);
        assert_eq!(status, 200, "{decision}: {body}");
        body
    }

    fn wait_for(&self, path: &str, field: &str, wanted: u64) {
        let begun = Instant::now();
        loop {
            let answer = self.ask("GET", path, &Value::Null).1;
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

const DAY: i64 = 86_400_000;
const START: i64 = 1_770_000_000_000;

/// The ids, versions, days and texts of some feedback: three about refunds, two about exports, one about something else.
const SAID: [(&str, &str, i64, &str); 6] = [
    ("1", "v1", 0, "Refund fails with 409 conflict"),
    ("2", "v2", 3, "createRefund answers conflict 409, the refund fails"),
    ("3", "v1", 5, "CSV export of invoices is missing"),
    ("4", "v2", 20, "Refund conflict 409 for partial refund"),
    ("5", "v2", 21, "We need a CSV export of invoices"),
    ("6", "v2", 22, "Webhook signature header documented wrongly"),
];

fn insight<'a>(id: &'a str, versions: &[(&'a str, f32)], day: i64, title: &'a str) -> Op<'a> {
    Op::Upsert(Box::new(Insight {
        identity: IdentityHash::of("desk", id),
        source: "desk",
        id,
        time: Timestamp(START + day * DAY),
        received: Timestamp(START + day * DAY),
        api: "payments",
        versions: versions.iter().map(|(version, weight)| VersionWeight { version, weight: *weight }).collect(),
        rung: Rung::Explicit,
        confidence: 1.0,
        evidence: vec![],
        deciding: vec![],
        flags: vec![],
        operation: Some("createRefund"),
        consumer: id,
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

fn all() -> Vec<Op<'static>> {
    SAID.iter().map(|(id, version, day, title)| insight(id, &[(version, 1.0)], *day, title)).collect()
}

fn revenue(consumer: &'static str, millionths: i64) -> Op<'static> {
    let time = Timestamp(START);
    Op::Usage(UsageDelta {
        api: "payments",
        version: "v2",
        operation: "createRefund",
        consumer,
        hour: Hour(time.hour().0),
        calls: 1,
        failed: 0,
        server_errors: 0,
        rate_limited: 0,
        first: time,
        last: time,
        first_success: Some(time),
        latency: LatencyBuckets::default(),
        revenue: vec![("EUR", millionths)],
        value: vec![],
        received: time,
    })
}

fn ids(themes: &Value) -> Vec<(String, u64)> {
    let theme = |t: &Value| (t["id"].as_str().unwrap().to_owned(), t["pieces"].as_u64().unwrap());
    themes.as_array().unwrap().iter().map(theme).collect()
}

#[test]
fn themes_are_found_with_their_figures() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[revenue("2", 5_000_000), revenue("4", 2_500_000), revenue("6", 9_000_000)]);
    service.publish(&all());
    service.wait_for("/v1/search", "/total", 6);
    service.wait_for("/v1/apis/payments/versions/v2/summary", "/usage/calls", 3);
    service.themes();

    let found = service.get("/v1/apis/payments/themes");
    assert_eq!((found["total"].as_u64(), found["feedback"].as_u64(), found["in_themes"].as_u64()), (Some(2), Some(6), Some(5)));
    let refund = &found["themes"][0];
    assert!(refund["name"].as_str().unwrap().contains("refund"), "{refund}");
    assert_eq!((refund["pieces"].as_u64(), refund["consumers"].as_u64(), refund["requesters"].as_u64()), (Some(3), Some(3), Some(3)));
    assert_eq!(refund["size"], 3.0);
    assert_eq!(refund["versions"], json!([{"value": "v2", "pieces": 2, "size": 2.0}, {"value": "v1", "pieces": 1, "size": 1.0}]));
    assert_eq!(refund["operations"][0]["value"], "createRefund");
    assert_eq!(refund["revenue"], json!([{"currency": "EUR", "amount": 7.5}]));
    assert!(refund["quote"]["title"].as_str().unwrap().to_lowercase().contains("refund"));
    assert_eq!((refund["trend"]["recent"].as_u64(), refund["trend"]["before"].as_u64()), (Some(1), Some(1)), "{refund}");

    let on_v2 = service.get("/v1/apis/payments/versions/v2/themes");
    assert_eq!((on_v2["total"].as_u64(), on_v2["themes"][0]["pieces"].as_u64()), (Some(1), Some(2)), "{on_v2}");
    let id = refund["id"].as_str().unwrap();
    assert_eq!(service.get(&format!("/v1/search?q=theme:{id}"))["total"], 3);
    assert_eq!(service.get("/v1/search?facet=theme&limit=0")["facets"]["theme"][0], json!({"value": id, "count": 3}));
}

#[test]
fn the_same_themes_after_a_restart_and_after_reading_again() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&all()[..4]);
    service.wait_for("/v1/search", "/total", 4);
    drop(service);
    let service = Service::start(folder.path());
    service.publish(&all()[4..]);
    service.wait_for("/v1/search", "/total", 6);
    let before = service.themes();
    assert_eq!(ids(&before).iter().map(|(_, n)| *n).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(service.ask("POST", "/v1/index/rebuild", &Value::Null).0, 200);
    service.wait_for("/v1/search", "/total", 6);
    assert_eq!(service.themes(), before);
    drop(service);
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let service = Service::start(folder.path());
    service.wait_for("/v1/search", "/total", 6);
    assert_eq!(service.themes(), before);
}

#[test]
fn what_moves_keeps_its_theme_and_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&all());
    service.wait_for("/v1/search", "/total", 6);
    let before = ids(&service.themes());
    // Another version, then shares of two, in a round of its own each.
    service.publish(&[insight("1", &[("v2", 1.0)], 0, SAID[0].3)]);
    service.wait_for("/v1/search?version=v2", "/total", 5);
    service.publish(&[insight("1", &[("v1", 0.25), ("v2", 0.75)], 0, SAID[0].3)]);
    service.wait_for("/v1/search?version=v1", "/total", 2);
    assert_eq!(ids(&service.themes()), before);
    assert_eq!(service.get("/v1/apis/payments/themes?version=v2")["themes"][0]["size"], 2.75);
    service.publish(&[Op::Remove(Removal { api: "payments", identity: IdentityHash::of("desk", "1") })]);
    service.wait_for("/v1/search", "/total", 5);
    assert_eq!(service.themes()[0]["pieces"], 2);
}

#[test]
fn decisions_hold_for_what_is_stored_and_for_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&all());
    service.wait_for("/v1/search", "/total", 6);
    let found = ids(&service.themes());
    let (refund, export) = (found[0].0.as_str(), found[1].0.as_str());

    service.decide(refund, &json!({"action": "rename", "name": "Refunds fail", "by": "Ada"}));
    service.decide(export, &json!({"action": "pin"}));
    service.decide(export, &json!({"action": "decide", "status": "planned", "api_version": "v3"}));
    let themes = service.themes();
    assert_eq!((themes[0]["id"].as_str(), themes[0]["pinned"].as_bool()), (Some(export), Some(true)));
    assert_eq!(themes[0]["status"], json!({"status": "planned", "version": "v3"}));
    assert_eq!((themes[1]["name"].as_str(), themes[1]["named"].as_bool()), (Some("Refunds fail"), Some(true)));

    let split = service.decide(refund, &json!({"action": "split", "query": "partial", "name": "Partial refunds"}));
    let part = split["gives"].as_str().unwrap().to_owned();
    service.publish(&[insight("7", &[("v2", 1.0)], 23, "Refund conflict 409, again a partial refund fails")]);
    service.wait_for(&format!("/v1/search?q=theme:{part}"), "/total", 2);
    service.wait_for(&format!("/v1/search?q=theme:{refund}"), "/total", 2);
    let pieces = |id: &str| ids(&service.themes()).into_iter().find(|(i, _)| i == id).map(|(_, n)| n);
    assert_eq!((pieces(&part), pieces(refund)), (Some(2), Some(2)));

    service.decide(refund, &json!({"action": "merge", "into": export}));
    assert_eq!((pieces(refund), pieces(export), pieces(&part)), (None, Some(4), Some(2)));
    assert_eq!(service.get(&format!("/v1/search?filter=theme:{export}"))["total"], 4);
    service.decide(&part, &json!({"action": "hide"}));
    assert_eq!(pieces(&part), None);
    assert_eq!(service.get(&format!("/v1/search?filter=theme:{part}"))["total"], 2);

    let before = service.themes();
    drop(service);
    let service = Service::start(folder.path());
    service.wait_for("/v1/search", "/total", 7);
    assert_eq!(service.themes(), before);
}

#[test]
fn a_decision_that_can_not_be_taken_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&all());
    service.wait_for("/v1/search", "/total", 6);
    let refund = ids(&service.themes())[0].0.clone();
    let at = |theme: &str| format!("/v1/apis/payments/themes/{theme}");
    for (path, decision, status, word) in [
        (at("refunds"), json!({"action": "pin"}), 400, "not the id of a theme"),
        (at("t0000000000"), json!({"action": "pin"}), 404, "has no theme"),
        (at(&refund), json!({"action": "rename"}), 400, "name"),
        (at(&refund), json!({"action": "merge", "into": refund}), 400, "itself"),
        (at(&refund), json!({"action": "merge", "into": "t0000000000"}), 404, "has no theme"),
        (at(&refund), json!({"action": "split", "query": "\"open"}), 400, "query"),
        (at(&refund), json!({"action": "explode"}), 400, "action"),
    ] {
        let (got, problem) = service.ask("POST", &path, &decision);
        assert_eq!(got, status, "{decision}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{decision}: {problem}");
    }
    let (status, problem) = service.ask("GET", "/v1/apis/nobody/themes", &Value::Null);
    assert!(status == 404 && problem["detail"].as_str().unwrap().contains("nobody"), "{problem}");
}

#[test]
fn more_like_this_and_proposals() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&all());
    service.publish(&[insight("1b", &[("v1", 1.0)], 6, SAID[0].3)]);
    service.wait_for("/v1/search", "/total", 7);
    let alike = service.get("/v1/search?like=desk/1&limit=3");
    let hits: Vec<&str> = alike["hits"].as_array().unwrap().iter().map(|h| h["id"].as_str().unwrap()).collect();
    assert_eq!(hits[0], "1b");
    assert!(hits.contains(&"2") && hits.contains(&"4") && !hits.contains(&"1"), "{hits:?}");
    assert_eq!(alike["hits"][0]["near_duplicate"], true);
    assert!(alike["hits"][0]["theme"].is_string());
    assert_eq!(service.themes()[0]["duplicates"], 1);
    assert_eq!(service.get("/v1/search?like=desk/1&version=v2")["hits"].as_array().unwrap().len(), 2);
    let (status, problem) = service.ask("GET", "/v1/search?like=desk/none", &Value::Null);
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("SOURCE/ID"), "{problem}");

    let proposals = service.get("/v1/apis/payments/themes/proposals");
    assert_eq!((proposals["api"].as_str(), proposals["pieces"].as_u64()), (Some("payments"), Some(7)));
    assert_eq!(proposals["proposals"], json!([]));
}
