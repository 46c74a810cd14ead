//! `POST /v1/events`, in every mode.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use groundswell_bus::{Bus, BusError, Topic};
use groundswell_ingest::{Edge, router};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{NOW, World, event, structured, usage};
use tower::ServiceExt;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

fn edge(world: &World) -> Router {
    router(Arc::new(Edge::with_clock(world.bus.as_ref(), &world.settings, || NOW).unwrap()))
}

async fn send(router: &Router, headers: &[(&str, &str)], body: impl Into<Body>) -> (StatusCode, Value) {
    let mut request = Request::post("/v1/events");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn post(router: &Router, content_type: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    send(router, &[("content-type", content_type)], body).await
}

fn counts(answer: &Value) -> [u64; 3] {
    ["accepted", "duplicate", "rejected"].map(|n| answer[n].as_u64().unwrap())
}

#[tokio::test]
async fn one_event_in_structured_and_in_binary_mode() {
    let world = World::new();
    let edge = edge(&world);
    let (status, answer) = post(&edge, STRUCTURED, usage("u1", "acme").to_string()).await;
    assert_eq!((status, counts(&answer)), (StatusCode::ACCEPTED, [1, 0, 0]));
    assert_eq!(answer["results"], json!([{"index": 0, "id": "u1", "source": "/shop", "outcome": "accepted"}]));

    let headers = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-type", "groundswell.usage.v1"),
        ("ce-source", "/a%20b"),
        ("ce-id", "u2"),
        ("ce-sampledrate", "5"),
        ("ce-exta", "kept"),
        ("ce-time", "2026-03-01T10:00:00Z"),
    ];
    let (status, answer) = send(&edge, &headers, r#"{"api":"orders","status":500}"#).await;
    assert_eq!((status, counts(&answer)), (StatusCode::ACCEPTED, [1, 0, 0]), "{answer}");
    world.settle();
    let mut seen = Vec::new();
    world.events(|_, event| {
        let groundswell_model::Event::Usage(usage) = event else { panic!() };
        seen.push((usage.head.source.to_owned(), usage.calls, usage.attributes.len()));
    });
    seen.sort_unstable();
    assert_eq!(seen, [("/a b".to_owned(), 5, 1), ("/shop".to_owned(), 1, 0)]);
}

#[tokio::test]
async fn a_batch_is_answered_item_by_item() {
    let world = World::new();
    let edge = edge(&world);
    let batch = json!([
        usage("u1", "acme"),
        event("ticket", "t1", json!({"title": "It fails"})),
        usage("u1", "acme"),
        usage("u1", "globex"),
        event("survey", "s1", json!({"kind": "nps", "score": 11})),
        event("other", "o1", json!({})),
        7,
        event("release", "r1", json!({"api": "orders", "api_version": "v2", "stage": "released"})),
    ]);
    let (status, answer) = post(&edge, BATCH, batch.to_string()).await;
    assert_eq!((status, counts(&answer)), (StatusCode::ACCEPTED, [3, 1, 4]));
    let told: Vec<_> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["outcome"].as_str().unwrap(), r["reason"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            ("accepted", ""),
            ("accepted", ""),
            ("duplicate", ""),
            ("rejected", "conflicting_duplicate"),
            ("rejected", "out_of_range"),
            ("rejected", "unknown_type"),
            ("rejected", "not_cloudevent"),
            ("accepted", ""),
        ]
    );
    assert_eq!(answer["results"][4]["id"], "s1");
    assert!(answer["results"][4]["detail"].as_str().unwrap().contains("`data.score`"));
    assert_eq!([Topic::Usage, Topic::Tickets, Topic::Surveys, Topic::Catalogue].map(|t| world.count(t)), [1, 1, 0, 1]);
}

#[tokio::test]
async fn json_lines_and_plain_lists_are_batches_too() {
    let world = World::new();
    let edge = edge(&world);
    let lines = format!("{}\r\n\n{}\n{{broken\n", usage("u1", "a"), usage("u2", "a"));
    let (status, answer) = post(&edge, "application/x-ndjson", lines).await;
    assert_eq!((status, counts(&answer)), (StatusCode::ACCEPTED, [2, 0, 1]));
    assert_eq!(answer["results"][2]["reason"], "not_json");
    let (_, answer) = post(&edge, "application/json", json!([usage("u3", "a")]).to_string()).await;
    assert_eq!(counts(&answer), [1, 0, 0]);
    let (_, answer) = send(&edge, &[], usage("u4", "a").to_string()).await;
    assert_eq!(counts(&answer), [1, 0, 0]);
    for (content_type, body) in [(BATCH, "[]"), ("application/x-ndjson", "\n")] {
        let (status, answer) = post(&edge, content_type, body).await;
        assert_eq!((status, counts(&answer)), (StatusCode::ACCEPTED, [0, 0, 0]));
    }
}

#[tokio::test]
async fn what_was_sent_before_is_told_after_a_restart_too() {
    let world = World::new();
    let lines: String = (0..500).map(|n| format!("{}\n", usage(&format!("u{n}"), &format!("c{n}")))).collect();
    let (_, answer) = post(&edge(&world), "application/x-ndjson", lines.clone()).await;
    assert_eq!(counts(&answer), [500, 0, 0]);
    // One that came over the bus itself.
    world.publish(vec![structured(Topic::Usage, &usage("direct", "acme"))]);
    let world = world.restarted();
    let edge = edge(&world);
    let (_, answer) = post(&edge, "application/x-ndjson", lines).await;
    assert_eq!(counts(&answer), [0, 500, 0]);
    assert_eq!(counts(&post(&edge, STRUCTURED, usage("direct", "acme").to_string()).await.1), [0, 1, 0]);
    let (_, answer) = post(&edge, STRUCTURED, usage("direct", "other").to_string()).await;
    assert_eq!(answer["results"][0]["reason"], "conflicting_duplicate");
    assert_eq!(world.count(Topic::Usage), 501);
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_a_problem() {
    let world = World::with(|s| {
        s.limits.body_bytes = 2_000;
        s.limits.event_bytes = 500;
        s.limits.batch_events = 3;
    });
    let edge = edge(&world);
    let large = usage("u", &"x".repeat(600)).to_string();
    for (content_type, body, status, reason) in [
        (STRUCTURED, "{broken".to_owned(), 400, "not_json"),
        (BATCH, "{}".to_owned(), 400, "not_json"),
        (BATCH, "[{}".to_owned(), 400, "not_json"),
        (BATCH, "[1,2,3,4]".to_owned(), 413, "too_large"),
        ("application/x-ndjson", "1\n2\n3\n4\n".to_owned(), 413, "too_large"),
        (STRUCTURED, large.clone(), 413, "too_large"),
        (STRUCTURED, "x".repeat(3_000), 413, ""),
        ("text/csv", "a,b".to_owned(), 415, ""),
        ("application/cloudevents+avro", "x".to_owned(), 415, ""),
    ] {
        let (got, problem) = post(&edge, content_type, body.clone()).await;
        assert_eq!(got.as_u16(), status, "{content_type} {problem}");
        assert_eq!(problem["reason"].as_str().unwrap_or(""), reason, "{content_type} {problem}");
        assert!(
            problem["type"].as_str().unwrap().starts_with("urn:groundswell:problem:") && !problem["detail"].as_str().unwrap().is_empty()
        );
    }
    let compressed = [("content-type", STRUCTURED), ("content-encoding", "gzip")];
    let (got, problem) = send(&edge, &compressed, usage("u1", "acme").to_string()).await;
    assert_eq!((got.as_u16(), &problem["type"]), (415, &json!("urn:groundswell:problem:unsupported_content_encoding")));
    let (status, answer) = post(&edge, BATCH, format!("[{large}]")).await;
    assert_eq!((status, answer["results"][0]["reason"].as_str().unwrap()), (StatusCode::ACCEPTED, "too_large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_at_once_is_counted_once_or_told_as_duplicate() {
    let world = World::new();
    let edge = edge(&world);
    let requests = (0..8).map(|_| {
        let edge = edge.clone();
        tokio::spawn(async move { post(&edge, STRUCTURED, usage("u1", "acme").to_string()).await })
    });
    let mut durable = 0;
    for request in requests.collect::<Vec<_>>() {
        let (status, answer) = request.await.unwrap();
        assert_eq!((status, answer["rejected"].as_u64()), (StatusCode::ACCEPTED, Some(0)));
        durable += answer["accepted"].as_u64().unwrap();
    }
    assert_eq!(world.count(Topic::Usage), durable);
}

/// A transport that is away.
struct Away(Arc<dyn Bus>);

struct NoPublisher;

impl groundswell_bus::Publisher for NoPublisher {
    fn publish(&self, _: Vec<groundswell_bus::NewRecord>, _: std::time::Duration) -> Result<(), BusError> {
        Err(BusError::Aborted { what: "publish".into(), why: "away".into() })
    }
}

impl Bus for Away {
    fn ensure_topics(&self) -> Result<(), BusError> {
        self.0.ensure_topics()
    }
    fn partitions(&self, topic: Topic) -> Result<u32, BusError> {
        self.0.partitions(topic)
    }
    fn publisher(&self) -> Result<Box<dyn groundswell_bus::Publisher>, BusError> {
        Ok(Box::new(NoPublisher))
    }
    fn member(&self, group: groundswell_bus::Group) -> Result<Box<dyn groundswell_bus::Member>, BusError> {
        self.0.member(group)
    }
    fn reader(&self, topic: Topic) -> Result<Box<dyn groundswell_bus::Reader>, BusError> {
        self.0.reader(topic)
    }
    fn read_at(&self, part: groundswell_bus::Part, offset: groundswell_bus::Offset) -> Result<Option<groundswell_bus::Batch>, BusError> {
        self.0.read_at(part, offset)
    }
    fn bounds(&self, topic: Topic) -> Result<Vec<groundswell_bus::Bounds>, BusError> {
        self.0.bounds(topic)
    }
    fn committed(
        &self,
        group: groundswell_bus::Group,
        topic: Topic,
    ) -> Result<std::collections::BTreeMap<groundswell_bus::Part, groundswell_bus::Offset>, BusError> {
        self.0.committed(group, topic)
    }
}

#[tokio::test]
async fn a_bus_that_is_away_is_told_and_a_retry_is_no_duplicate() {
    let world = World::new();
    let away = router(Arc::new(Edge::with_clock(&Away(world.bus.clone()), &world.settings, || NOW).unwrap()));
    for _ in 0..2 {
        let request =
            Request::post("/v1/events").header("content-type", STRUCTURED).body(Body::from(usage("u1", "a").to_string())).unwrap();
        let response = away.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
    }
}
