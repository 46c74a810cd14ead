//! How long the stage takes per event. Not a check: run it with `cargo test --release --test speed -- --ignored --nocapture`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::time::Instant;

use groundswell_bus::{Batch, Offset, Part, Stage, Step, Topic};
use groundswell_ingest::IngestStage;
use serde_json::json;
use support::{NOW, SECRET, World, event};

const EVENTS: u64 = 20_000;

fn batch(topic: Topic, make: impl Fn(u64) -> serde_json::Value) -> Batch {
    let mut batch = Batch::default();
    for n in 0..EVENTS {
        let value = make(n).to_string();
        let headers = [("content-type", &b"application/cloudevents+json"[..])];
        batch.push(Part { topic, partition: 0 }, Offset(n), NOW, b"k", Some(value.as_bytes()), headers);
    }
    batch
}

#[test]
#[ignore = "a measurement"]
fn stage() {
    let world = World::new();
    let mut stage = IngestStage::with_key(world.bus.as_ref(), &world.settings, SECRET, || NOW).unwrap();
    let usage = batch(Topic::Usage, |n| {
        event(
            "usage",
            &format!("01J8Z5T3X9G2W4Q7R8S6T1{n:06}"),
            json!({
                "api": "orders", "api_version": "v2", "method": "GET", "path": format!("/v2/orders/{n}/items"), "host": "api.example.com",
                "operation": "listOrderItems", "status": 200, "latency_ms": 41.7, "consumer": format!("consumer-{}", n % 300),
                "request_id": format!("req-{n:x}"), "sdk": "orders-js/2.4.1", "bytes": 5120, "plan": "business"
            }),
        )
    });
    let body =
        "After upgrading to v2 the endpoint /v2/orders answers 500 for every order with more than ten items. We use orders-js 2.4.1. "
            .repeat(5);
    let tickets = batch(Topic::Tickets, |n| {
        event(
            "ticket",
            &format!("t{n}"),
            json!({
                "title": "Orders fail since the upgrade", "body": body, "requester": {"email": format!("p{n}@acme.example"), "name": "Ann Example"},
                "api": "orders", "tags": ["bug", "v2"]
            }),
        )
    });
    for (name, batch) in [("usage", &usage), ("tickets", &tickets)] {
        let best = (0..7).map(|_| {
            let mut step = Step::default();
            let began = Instant::now();
            let fates = stage.process(batch, &mut step).unwrap();
            assert_eq!(fates.emitted, EVENTS);
            began.elapsed() / u32::try_from(EVENTS).unwrap()
        });
        println!("{name}: {:?} an event, {} bytes each", best.min().unwrap(), batch.bytes() as u64 / EVENTS);
    }
}
