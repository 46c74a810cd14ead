//! Journeys and pain over HTTP, from usage and feedback on the embedded bus.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, NewRecord, Stop, Topic, TopicSettings};
use groundswell_index::Handle;
use groundswell_model::frame::FrameWriter;
use groundswell_model::{Day, LatencyBuckets, Op, UsageDelta, partition_of};
use groundswell_runtime::{Freshness, Settings};
use serde_json::Value;
use tower::ServiceExt;

const WITHIN: Duration = Duration::from_secs(60);
const FIRST: i32 = 20_400;

fn day(consumer: &'static str, version: &'static str, day: i32, (calls, failed): (u64, u64)) -> Op<'static> {
    let start = Day(FIRST + day).start();
    Op::Usage(UsageDelta {
        api: "payments",
        version,
        operation: "pay",
        consumer,
        hour: start.hour(),
        calls,
        failed,
        server_errors: failed,
        rate_limited: 0,
        first: start,
        last: start.plus_ms(1000),
        first_success: Some(start.plus_ms(500)),
        latency: LatencyBuckets::default(),
        revenue: vec![("EUR", 2_500_000)],
        value: vec![],
        received: start,
    })
}

/// `mover` moved for good, `regret` went back, `stayed` never tried; on v2 `mover` fails more than it did.
fn stream() -> Vec<Op<'static>> {
    let mut ops = Vec::new();
    for at in 0..30 {
        ops.push(day("stayed", "v1", at, (10, 0)));
        ops.push(if at < 15 { day("mover", "v1", at, (20, 1)) } else { day("mover", "v2", at, (20, 8)) });
        ops.push(if (10..14).contains(&at) { day("regret", "v2", at, (5, 0)) } else { day("regret", "v1", at, (5, 0)) });
    }
    ops
}

fn ask(handle: &Handle, path: &str) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let request = http::Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = groundswell_index::http::read_router(handle.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    })
}

#[test]
fn journeys_and_pain_are_answered_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::default();
    let bus = EmbeddedBus::open(&folder.path().join("bus"), &EmbeddedSettings::default(), &TopicSettings::default(), stop.clone()).unwrap();
    let bus: Arc<dyn Bus> = Arc::new(bus);
    bus.ensure_topics().unwrap();
    let handle = Handle::new(Freshness::default());
    let settings = Settings { data: folder.path().to_owned(), ..Settings::default() };
    let running = std::thread::spawn({
        let (bus, handle, stop) = (bus.clone(), handle.clone(), stop.clone());
        move || groundswell_index::run(bus, &settings, handle, stop)
    });
    let mut frame = FrameWriter::default();
    stream().iter().for_each(|op| frame.push(op).unwrap());
    let partition = partition_of("payments", bus.partitions(Topic::Insights).unwrap());
    bus.publisher().unwrap().publish(vec![NewRecord::on(Topic::Insights, partition, frame.take().unwrap())], WITHIN).unwrap();
    let begun = Instant::now();
    while ask(&handle, "/v1/apis/payments/versions/v2/summary").1["usage"]["calls"] != 320 {
        assert!(begun.elapsed() < WITHIN);
        std::thread::sleep(Duration::from_millis(20));
    }
    check(&handle);
    stop.stop();
    running.join().unwrap().unwrap();
}

fn check(handle: &Handle) {
    let get = |path: &str| {
        let (status, answer) = ask(handle, path);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    let names = |answer: &Value| -> Vec<String> {
        answer["consumers"].as_array().unwrap().iter().map(|c| c["consumer"].as_str().unwrap().to_owned()).collect()
    };
    let v1 = "/v1/apis/payments/versions/v1/consumers";
    let v2 = "/v1/apis/payments/versions/v2/consumers";
    assert_eq!(names(&get(&format!("{v1}?still_on=true"))), ["stayed", "regret"]);
    assert_eq!(names(&get(&format!("{v1}?gone=true"))), ["mover"]);
    assert_eq!(names(&get(&format!("{v1}?moved_to=v2&sort=first"))), ["mover", "regret"]);
    assert_eq!(names(&get(&format!("{v2}?went_back=true"))), ["regret"]);
    assert_eq!(names(&get(&format!("{v2}?min_calls=100"))), ["mover"]);
    assert_eq!(names(&get(&format!("{v2}?wrote=true"))), Vec::<String>::new());
    let first = get(&format!("{v2}?limit=1"));
    let second = get(&format!("{v2}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap()));
    assert_eq!((names(&first), names(&second), second.get("next_cursor")), (vec!["mover".into()], vec!["regret".into()], None));
    let mover = &first["consumers"][0];
    assert_eq!(
        (mover["state"].as_str(), mover["calls"].as_u64(), mover["operations_called"].as_u64()),
        (Some("active"), Some(300), Some(1))
    );
    assert_eq!((&mover["revenue"][0]["amount"], &mover["seconds_to_success"]), (&Value::from(37.5), &Value::from(0.5)));
    assert_eq!(mover["milestones"][0]["what"], "upgraded_from");
    let pain = get("/v1/apis/payments/versions/v2/pain?baseline=v1");
    assert_eq!(
        (names(&pain), pain["silent"].as_u64(), &pain["silent_revenue"][0]["amount"]),
        (vec!["mover".into()], Some(1), &Value::from(37.5))
    );
    let summary = get("/v1/apis/payments/versions/v2/summary?baseline=v1");
    assert_eq!((summary["journeys"]["regretted"]["consumers"].as_u64(), summary["pain"]["hurting"].as_u64()), (Some(1), Some(1)));
    assert_eq!(summary["journeys"]["funnel"]["on_baseline"], 3);
    assert_eq!(get("/v1/catalogue")["apis"], Value::Array(vec![]));
    for (path, status, word) in [
        (format!("{v2}?moved_to=v9"), 400, "v9"),
        (format!("{v2}?cursor=abc"), 400, "cursor"),
        (format!("{v1}?limit=1&cursor={}", first["next_cursor"].as_str().unwrap()), 400, "another question"),
        ("/v1/apis/nope/versions/v1/pain".to_owned(), 404, "nope v1"),
    ] {
        let (got, problem) = ask(handle, &path);
        assert_eq!(got, status, "{path}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
}
