//! Corrections through the index service: made over HTTP, seen in searches at once, the same after a restart, a rebuild and a crash.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, NewRecord, Stop, Topic, TopicSettings};
use groundswell_contract::{CloudEvent, Correction, EventType, decisions::FeedbackRef};
use groundswell_index::voice::Voice;
use groundswell_index::{Handle, http as routes};
use groundswell_model::frame::FrameWriter;
use groundswell_model::insight::Label;
use groundswell_model::{IdentityHash, Insight, Labels, Op, Removal, Rung, Timestamp, VersionWeight, partition_of};
use groundswell_runtime::{Freshness, Settings};
use serde_json::{Value, json};
use tower::ServiceExt;

const WITHIN: Duration = Duration::from_secs(30);

struct Service {
    bus: Arc<dyn Bus>,
    handle: Handle,
    desk: routes::Desk,
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
        let desk = routes::Desk::new(handle.clone(), Voice::new(bus.clone(), Settings::default().limits.contract()));
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

    /// As somebody does who publishes to the topic, without the desk.
    fn publish_correction(&self, correction: &Correction, at: &str) {
        let event = CloudEvent::new(EventType::Correction, "elsewhere", at, Timestamp::parse(at).unwrap(), correction).unwrap();
        let record = NewRecord::keyed(Topic::Catalogue, "correction", event.to_structured().unwrap());
        self.bus.publisher().unwrap().publish(vec![record.header("content-type", "application/cloudevents+json")], WITHIN).unwrap();
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let router = routes::read_router(self.handle.clone())
                .merge(routes::admin_router(self.handle.clone()))
                .merge(routes::desk_router(self.desk.clone()));
            let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
            let request = http::Request::builder().method(method).uri(path).header("content-type", "application/json").body(body).unwrap();
            let answer = router.oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned())))
        })
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn correct(&self, body: &Value) -> Value {
        let (status, answer) = self.send("POST", "/v1/corrections", body);
        assert_eq!(status, 202, "{answer}");
        answer
    }

    fn wait(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.send("GET", path, &Value::Null).1;
            if done(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < WITHIN, "{path} did not come to what was waited for: {answer}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait_for_total(&self, path: &str, total: u64) -> Value {
        self.wait(path, |answer| answer["total"] == total)
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

fn label(name: &str, confidence: f32) -> Label {
    Label { name: name.into(), confidence, because: vec!["words".into()] }
}

fn insight<'a>(id: &'a str, api: &'a str, versions: &[(&'a str, f32)]) -> Op<'a> {
    Op::Upsert(Box::new(Insight {
        identity: IdentityHash::of("desk", id),
        source: "desk",
        id,
        time: Timestamp(1_770_000_000_000),
        received: Timestamp(1_770_000_001_000),
        api,
        versions: versions.iter().map(|(version, weight)| VersionWeight { version, weight: *weight }).collect(),
        rung: Rung::Text,
        confidence: 0.7,
        evidence: vec!["the text names it".into()],
        deciding: vec![],
        flags: vec![],
        operation: None,
        consumer: "acme",
        requester: None,
        org: None,
        title: "Timeouts",
        body: "The client times out.",
        url: None,
        survey: None,
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: vec![],
        sdk: None,
        request_id: None,
        labels: Labels {
            kind: label("bug", 0.8),
            aspects: vec![label("performance", 0.6)],
            sentiment: label("negative", 0.5),
            sentiment_score: -0.4,
            severity: label("unsure", 0.0),
            language: label("en", 1.0),
            model: "m1".into(),
        },
        redacted: vec![],
        attributes: vec![],
    }))
}

/// What an index says, without what tells one reading from another.
fn picture(service: &Service) -> Value {
    let mut all = service.get("/v1/search?full_body=1&sort=oldest&facet=type,version,flag");
    all.as_object_mut().unwrap().retain(|name, _| !matches!(name.as_str(), "took_ms" | "checkpoint"));
    json!([all, service.get("/v1/corrections")])
}

#[test]
fn a_correction_is_seen_at_once_and_the_machines_word_stays_visible() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[insight("1", "payments", &[("v1", 1.0)]), insight("2", "payments", &[("v1", 1.0)])]);
    service.wait_for_total("/v1/search?q=type:bug", 2);
    let taken = service
        .correct(&json!({"source": "desk", "id": "1", "type": "question", "aspects": ["webhooks", "performance"], "severity": "annoys",
        "by": "ada", "note": "asked how"}));
    assert_eq!(taken["heads"][0], json!({"head": "type", "machine": ["bug"], "person": ["question"], "confirmed": false}));
    let found = service.wait_for_total("/v1/search?q=type:question&filter=flag:corrected", 1);
    let hit = &found["hits"][0];
    assert_eq!(hit["labels"]["type"], json!({"name": "question", "confidence": 1.0, "because": ["corrected"]}));
    assert_eq!(hit["labels"]["aspects"][1]["because"], json!(["confirmed"]));
    assert_eq!(hit["labels"]["sentiment"]["because"], json!(["words"]), "what nobody judged stays the machine's");
    assert_eq!((&hit["corrected"]["by"], &hit["corrected"]["labels"]["type"]["name"]), (&json!("ada"), &json!("bug")));
    assert_eq!(service.get("/v1/search?q=type:bug")["total"], 1);
    assert_eq!(service.get("/v1/apis/payments/versions/v1/summary")["feedback"]["count"], 2);
}

#[test]
fn corrections_survive_restart_and_rebuild_and_can_be_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[insight("1", "payments", &[("v1", 1.0)]), insight("2", "payments", &[("v1", 0.5), ("v2", 0.5)])]);
    service.wait_for_total("/v1/search", 2);
    service.correct(&json!({"source": "desk", "id": "1", "type": "praise", "sentiment": "positive"}));
    service.correct(&json!({"source": "desk", "id": "2", "api_version": "v2"}));
    service.wait_for_total("/v1/search?q=flag:corrected", 2);
    let before = picture(&service);
    drop(service);
    let service = Service::start(folder.path());
    service.wait_for_total("/v1/search", 2);
    assert_eq!(picture(&service), before, "after a restart");
    assert_eq!(service.send("POST", "/v1/index/rebuild", &Value::Null).0, 200);
    assert_eq!(picture(&service), before, "after a rebuild");
    service.correct(&json!({"source": "desk", "id": "2", "withdraw": true}));
    let found = service.wait_for_total("/v1/search?q=id:2&version=v1", 1);
    assert_eq!(found["hits"][0]["versions"], json!([{"version": "v1", "weight": 0.5}, {"version": "v2", "weight": 0.5}]));
    assert!(found["hits"][0].get("corrected").is_none());
    assert_eq!(service.get("/v1/corrections")["withdrawn"], 1);
}

#[test]
fn a_version_moves_and_stays_where_people_put_it() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[insight("1", "payments", &[("v1", 1.0)]), insight("2", "payments", &[("v2", 1.0)])]);
    let theme = service.wait_for_total("/v1/search", 2)["hits"][0]["theme"].clone();
    assert!(theme.is_string(), "both pieces have the same words, and so the same theme: {theme}");
    service.correct(&json!({"source": "desk", "id": "1", "api_version": "v2"}));
    let found = service.wait_for_total("/v1/search?version=v2", 2);
    let hit = found["hits"].as_array().unwrap().iter().find(|h| h["id"] == "1").unwrap();
    assert_eq!(hit["theme"], theme, "a document that is written anew keeps what it is about");
    let like = service.get("/v1/search?like=desk/2");
    assert_eq!((&like["hits"][0]["id"], &like["hits"][0]["near_duplicate"]), (&json!("1"), &json!(true)), "{like}");
    assert_eq!(
        (&hit["versions"], &hit["rung"], &hit["confidence"]),
        (&json!([{"version": "v2", "weight": 1.0}]), &json!("text"), &json!(1.0))
    );
    assert_eq!(hit["evidence"], json!(["corrected: a person says v2", "the text names it"]));
    assert_eq!(hit["corrected"]["versions"], json!([{"version": "v1", "weight": 1.0}]));
    assert_eq!(service.get("/v1/search?version=v1")["total"], 0);
    // Later evidence moves it by the machine's word: people's stands.
    service.publish(&[insight("1", "payments", &[("v1", 1.0)]), insight("3", "payments", &[("v1", 1.0)])]);
    service.wait_for_total("/v1/search?version=v1", 1);
    assert_eq!(service.get("/v1/search?version=v2")["total"], 2);
    // It leaves for another API: labels go along, and so does the version that people named.
    service.publish(&[
        Op::Remove(Removal { api: "payments", identity: IdentityHash::of("desk", "1") }),
        insight("1", "orders", &[("v1", 1.0)]),
    ]);
    service.wait_for_total("/v1/search?api=orders&version=v2", 1);
    service.wait_for_total("/v1/search", 3);
}

#[test]
fn a_correction_may_come_before_its_feedback_and_the_latest_stands() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    let of = FeedbackRef { source: "desk".into(), id: "1".into() };
    let say = |kind: &str| Correction { of: of.clone(), kind: Some(kind.into()), ..Correction::default() };
    service.publish_correction(&say("praise"), "2026-03-02T00:00:00Z");
    service.publish_correction(&say("question"), "2026-03-01T00:00:00Z");
    service.publish(&[insight("1", "payments", &[("v1", 1.0)])]);
    let found = service.wait_for_total("/v1/search", 1);
    let found =
        if found["hits"][0]["flags"] == json!(["corrected"]) { found } else { service.wait_for_total("/v1/search?q=flag:corrected", 1) };
    assert_eq!(found["hits"][0]["labels"]["type"]["name"], "praise");
    service.publish_correction(&Correction { withdrawn: true, kind: None, ..say("") }, "2026-03-03T00:00:00Z");
    service.wait_for_total("/v1/search?q=type:bug", 1);
}

#[test]
fn precision_is_counted_label_by_label_and_texts_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    let ids = ["1", "2", "3", "4"];
    service.publish(&ids.map(|id| insight(id, "payments", &[("v1", 1.0)])));
    service.wait_for_total("/v1/search", 4);
    for (id, kind) in [("1", "bug"), ("2", "bug"), ("3", "bug"), ("4", "question")] {
        service.correct(&json!({"source": "desk", "id": id, "type": kind}));
    }
    service.correct(&json!({"source": "desk", "id": "4", "severity": "blocks_production"}));
    let all = service.wait("/v1/corrections", |a| a["labels"].as_array().is_some_and(|l| l.len() == 3));
    let bug = all["labels"].as_array().unwrap().iter().find(|l| l["label"] == "bug").unwrap();
    assert_eq!(
        (&bug["judged"], &bug["confirmed"], &bug["corrected"], &bug["missed"], &bug["precision"]),
        (&json!(4), &json!(3), &json!(1), &json!(0), &json!(0.75))
    );
    // Wilson's interval of 3 in 4, worked out by hand.
    let interval: Vec<f64> = serde_json::from_value(bug["interval"].clone()).unwrap();
    assert!((interval[0] - 0.3006).abs() < 1e-3 && (interval[1] - 0.9544).abs() < 1e-3, "{interval:?}");
    let question = all["labels"].as_array().unwrap().iter().find(|l| l["label"] == "question").unwrap();
    assert_eq!((&question["judged"], &question["missed"]), (&json!(0), &json!(1)));
    assert!(question.get("precision").is_none(), "nothing judged is no data: {question}");
    assert_eq!(all["total"], 4);
    assert_eq!(all["corrections"][0]["heads"].as_array().unwrap().len(), 2, "the later one builds on the earlier one");
    let lines = service.get("/v1/corrections/export?head=type");
    let rows: Vec<Value> = lines.as_str().unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3], json!({"title": "Timeouts", "body": "The client times out.", "label": "question", "source": "desk", "id": "4"}));
}

#[test]
fn what_can_not_be_corrected_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path());
    service.publish(&[insight("1", "payments", &[("v1", 1.0)]), insight("2", "unknown", &[("unknown", 1.0)])]);
    service.wait_for_total("/v1/search", 2);
    for (body, status, word) in [
        (json!({"source": "desk", "id": "9", "type": "bug"}), 404, "no feedback with source \"desk\" and id \"9\""),
        (json!({"source": "desk", "id": "1"}), 400, "say what is right"),
        (json!({"source": "desk", "id": "1", "type": "bgu"}), 400, "\"bgu\" is none of"),
        (json!({"source": "desk", "id": "1", "aspects": ["speed"]}), 400, "aspects: \"speed\""),
        (json!({"source": "desk", "id": "1", "sentiment": "angry", "new_names": true}), 400, "negative"),
        (json!({"source": "desk", "id": "1", "api_version": "v9"}), 400, "payments has no \"v9\"; it has unknown, v1"),
        (json!({"source": "desk", "id": "2", "api_version": "v1"}), 400, "which API"),
        (json!({"source": "desk", "id": "1", "typ": "bug"}), 400, "typ"),
        (json!({"id": "1", "type": "bug"}), 400, "source and id"),
    ] {
        let (got, problem) = service.send("POST", "/v1/corrections", &body);
        assert_eq!(got, status, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    service.correct(&json!({"source": "desk", "id": "1", "type": "billing_dispute", "api_version": "v9", "new_names": true}));
    service.wait_for_total("/v1/search?q=type:billing_dispute&version=v9", 1);
}
