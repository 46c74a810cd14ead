//! How long decoding takes. Not a check: run it with `cargo test --release --test speed -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use groundswell_contract::{Incoming, Limits, content_hash, decode, validate};
use groundswell_model::Timestamp;

const USAGE: &str = r#"{"specversion":"1.0","type":"groundswell.usage.v1","source":"/gateways/eu-1","id":"01J8Z5T3X9G2W4Q7R8S6T1V0AB","time":"2026-03-01T10:00:00.123Z","datacontenttype":"application/json","partitionkey":"acme-web","data":{"api":"orders","api_version":"v2","method":"GET","path":"/v2/orders/8812/items","host":"api.example.com","operation":"listOrderItems","status":200,"latency_ms":41.7,"consumer":"acme-web","request_id":"req-5f2b7c1e9d","sdk":"orders-js/2.4.1","bytes":5120,"plan":"business","use_case":"fulfilment"}}"#;

#[test]
#[ignore = "a measurement"]
fn usage() {
    const ROUNDS: u32 = 200_000;
    let limits = Limits::default();
    let mut buffer = Vec::new();
    let now = Timestamp(1_772_361_000_000);
    let incoming = Incoming { content_type: Some("application/cloudevents+json"), headers: &[], body: Some(USAGE.as_bytes()) };
    let best = |work: &mut dyn FnMut()| {
        let rounds = (0..7).map(|_| {
            let began = Instant::now();
            (0..ROUNDS).for_each(|_| work());
            began.elapsed() / ROUNDS
        });
        rounds.min().unwrap()
    };
    let decoded = decode(&incoming, &limits).unwrap();
    println!("{} bytes", USAGE.len());
    println!("decode        {:?}", best(&mut || drop(black_box(decode(black_box(&incoming), &limits)))));
    println!("validate      {:?}", best(&mut || drop(black_box(validate(black_box(&decoded), now, &limits)))));
    println!(
        "content hash  {:?}",
        best(&mut || {
            black_box(content_hash(black_box(&decoded), &mut buffer));
        })
    );
    println!(
        "time          {:?}",
        best(&mut || {
            black_box(Timestamp::parse(black_box("2026-03-01T10:00:00.123Z"))).ok();
        })
    );
}
