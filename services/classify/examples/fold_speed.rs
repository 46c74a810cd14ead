//! How long classify takes for a usage event: read from its frame, met, resolved, noted and folded, and written.
//!
//! `cargo run --release -p groundswell-classify --example fold_speed`

use std::error::Error;
use std::sync::OnceLock;
use std::time::Instant;

use groundswell_bus::Offset;
use groundswell_catalogue::{Call, Catalogue};
use groundswell_classify::core::{Bounds, Partition, Rules, Tables, Work};
use groundswell_contract::Release;
use groundswell_model::frame::{self, FrameWriter};
use groundswell_model::{ContentHash, Event, EventHead, IdentityHash, Op, Origin, Timestamp, UsageEvent};
use groundswell_text::classify::Rules as TextRules;

const EVENTS: usize = 1_000_000;
const BATCH: usize = 20_000;
const CONSUMERS: usize = 500;
const OPERATIONS: usize = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let catalogue = catalogue();
    let frames = frames()?;
    let rules = Rules { bounds: Bounds { apis: 100, versions: 50, operations: 5_000 }, look_back_days: 30, dedupe_minutes: 120 };
    let tables = Tables { catalogue: &catalogue, classifier: &TextRules, rules: &rules };
    let mut partition = Partition::new(0, &rules, 1_000_000);
    let (mut deltas, mut bytes, mut state) = (0, 0, 0);
    let began = cpu_ns();
    for (offset, batch) in frames.iter().enumerate() {
        let mut work = Work::new(4);
        for frame in batch {
            partition.window().frame(Offset(offset as u64));
            for event in frame::read::<Event<'_>>(frame) {
                drop(partition.event(&event?, &tables, &mut work)?);
            }
        }
        partition.finish(&mut work)?;
        let Work { fold, mut output, state: written, .. } = work;
        deltas += fold.len();
        state += written.iter().map(|w| w.value.as_ref().map_or(0, Vec::len)).sum::<usize>();
        fold.drain(|delta| output.push(&Op::Usage(delta)))?;
        bytes += output.finish().iter().filter_map(|r| r.value.as_ref()).map(Vec::len).sum::<usize>();
    }
    let micros = (cpu_ns() - began) as f64 / 1e3;
    println!("{EVENTS} usage events in batches of {BATCH}, {CONSUMERS} consumers: {:.3} us each", micros / EVENTS as f64);
    println!(
        "{deltas} deltas, {} MB to the index, {} MB of state, {} identities held",
        bytes / 1_000_000,
        state / 1_000_000,
        partition.window().len()
    );

    let paths: Vec<String> = (0..OPERATIONS).map(|n| format!("/v2/r{n}/{}", n * 7)).collect();
    let began = cpu_ns();
    let mut found = 0;
    for turn in 0..200 {
        for path in &paths {
            let call = Call { api: if turn % 2 == 0 { "orders" } else { "" }, method: "GET", path, ..Call::default() };
            found += usize::from(catalogue.resolve_usage(&call).listed);
        }
    }
    let each = (cpu_ns() - began) as f64 / (200 * OPERATIONS) as f64;
    println!("{found} paths resolved among {OPERATIONS} operations: {each:.0} ns each");
    Ok(())
}

/// Nanoseconds this thread was on a core, where the system tells; else nanoseconds since the first call.
fn cpu_ns() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = BEGAN.get_or_init(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    on_core.unwrap_or_else(|| u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX))
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for version in ["v1", "v2"] {
        let paths: serde_json::Map<_, _> =
            (0..OPERATIONS).map(|n| (format!("/r{n}/{{id}}"), serde_json::json!({"get": {"operationId": format!("get{n}")}}))).collect();
        let openapi =
            serde_json::json!({"openapi": "3.1.0", "servers": [{"url": format!("https://api.example.com/{version}")}], "paths": paths});
        let release = Release { api: "orders".into(), api_version: version.into(), openapi: Some(openapi), ..Release::default() };
        catalogue.apply(&release, Timestamp(0));
    }
    catalogue
}

/// Batches of frames as ingest writes them: 40 operations in use, spread over a day.
fn frames() -> Result<Vec<Vec<Vec<u8>>>, Box<dyn Error>> {
    let mut batches = vec![Vec::new()];
    let mut writer = FrameWriter::default();
    for n in 0..EVENTS {
        let (id, consumer) = (format!("usage-{n:012}"), format!("consumer-{}", n * 7919 % CONSUMERS));
        let path = format!("/v{}/r{}/{}", 1 + n % 2, n % 40, n * 31);
        let time = Timestamp(1_772_359_200_000 + i64::try_from(n)? * 86);
        writer.push(&Event::Usage(UsageEvent {
            head: EventHead {
                identity: IdentityHash::of("gateway", &id),
                content: ContentHash(u64::try_from(n)?),
                source: "gateway",
                id: &id,
                time,
                received: time,
                origin: Origin::default(),
                consumer: &consumer,
            },
            api: Some("orders"),
            api_version: None,
            operation: None,
            method: "GET",
            path: &path,
            host: "api.example.com",
            status: if n % 50 == 0 { 503 } else { 200 },
            failed: n % 50 == 0,
            latency_ms: Some(20.0 + f32::from(u16::try_from(n % 400)?)),
            calls: 1,
            request_id: None,
            traceparent: None,
            sdk: Some("shop-sdk/2.1"),
            plan: Some("pro"),
            revenue: None,
            value: None,
            use_case: None,
            bytes: Some(812),
            attributes: Vec::new(),
        }))?;
        let full = (n + 1) % BATCH == 0;
        if (writer.is_full() || full)
            && let (Some(frame), Some(batch)) = (writer.take(), batches.last_mut())
        {
            batch.push(frame);
        }
        if full {
            batches.push(Vec::new());
        }
    }
    Ok(batches)
}
