//! What roll-ups cost: CPU time per delta, memory, size on disk, and the time of a summary and of an operation's days.
//!
//! `cargo run --release -p groundswell-index --example summary_speed`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use groundswell_bus::Offset;
use groundswell_index::rollup::{Days, RollupStore};
use groundswell_index::summary::{SummaryInputs, UsageData, VersionData, summarise};
use groundswell_model::{Day, Hour, LatencyBuckets, UsageDelta};

type Outcome<T> = Result<T, Box<dyn Error>>;

const FIRST_DAY: i32 = 20_000;
const DELTAS_PER_COMMIT: u64 = 80_000;
/// Summaries timed, of which the middle one is told.
const REPEATS: usize = 5;

/// A made-up load.
struct Load {
    name: &'static str,
    deltas: u64,
    calls_per_delta: u64,
    consumers: u64,
    operations: u64,
    days: i32,
}

const LOADS: [Load; 3] = [
    Load {
        name: "1,000 consumers x 20 operations, 4 hours a commit",
        deltas: 800_000,
        calls_per_delta: 1,
        consumers: 1_000,
        operations: 20,
        days: 2,
    },
    Load {
        name: "10M calls: 30 days, 20,000 consumers, 50 operations",
        deltas: 5_000_000,
        calls_per_delta: 2,
        consumers: 20_000,
        operations: 50,
        days: 30,
    },
    Load {
        name: "1,000,000 consumers, each seldom",
        deltas: 2_000_000,
        calls_per_delta: 1,
        consumers: 1_000_000,
        operations: 50,
        days: 30,
    },
];

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    for (i, load) in LOADS.iter().enumerate() {
        println!("{}", load.name);
        let path = folder.path().join(format!("{i}.redb"));
        let store = fill(load, &path)?;
        time_summaries(load, &store)?;
        time_operations(load, &store)?;
        println!();
    }
    Ok(())
}

fn fill(load: &Load, path: &Path) -> Outcome<RollupStore> {
    let mut store = RollupStore::open(path, 32)?;
    let consumers: Vec<String> = (0..load.consumers).map(|c| format!("consumer-{c}")).collect();
    let operations: Vec<String> = (0..load.operations).map(|o| format!("GET /v2/things/{o}/parts")).collect();
    let (mut adding, mut committing, mut most_pending, mut slowest) = (0, 0, 0, 0.0f64);
    let mut random = 1u64;
    let mut batch = Vec::new();
    for commit in 0..load.deltas / DELTAS_PER_COMMIT {
        batch.clear();
        for i in 0..DELTAS_PER_COMMIT {
            batch.push(delta(load, commit * DELTAS_PER_COMMIT + i, &mut random, &consumers, &operations));
        }
        let begun = cpu_ns()?;
        for delta in &batch {
            store.add(delta)?;
        }
        let added = cpu_ns()?;
        most_pending = most_pending.max(store.pending());
        let wall = Instant::now();
        store.commit(Offset(commit + 1))?;
        slowest = slowest.max(wall.elapsed().as_secs_f64());
        adding += added - begun;
        committing += cpu_ns()? - added;
    }
    let deltas = (load.deltas / DELTAS_PER_COMMIT * DELTAS_PER_COMMIT) as f64;
    println!("  CPU per delta: {:.2} us to add, {:.2} us to commit", adding as f64 / deltas / 1e3, committing as f64 / deltas / 1e3);
    println!("  slowest commit {:.0} ms, {most_pending} cells waiting at most", slowest * 1e3);
    println!("  {} MiB on disk, {} MiB of memory at most", std::fs::metadata(path)?.len() >> 20, most_memory_kib()? >> 10);
    Ok(store)
}

/// Deltas in the order of time; who calls what is by chance.
fn delta<'a>(load: &Load, number: u64, random: &mut u64, consumers: &'a [String], operations: &'a [String]) -> UsageDelta<'a> {
    let mut below = |n: u64| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % n
    };
    let hours = load.days as u64 * 24;
    let hour = Hour(FIRST_DAY * 24 + (number * hours / load.deltas) as i32);
    let failed = u64::from(below(25) == 0);
    let mut latency = LatencyBuckets::default();
    latency.add(20.0 + below(3000) as f64 / 10.0, load.calls_per_delta);
    let first = hour.start().plus_ms(below(3_000_000) as i64);
    UsageDelta {
        api: "payments",
        version: if below(10) < 8 { "v2" } else { "v1" },
        operation: &operations[below(load.operations) as usize],
        consumer: &consumers[below(load.consumers) as usize],
        hour,
        calls: load.calls_per_delta,
        failed,
        server_errors: failed,
        rate_limited: 0,
        first,
        last: first.plus_ms(1000),
        first_success: (failed < load.calls_per_delta).then_some(first),
        latency,
        revenue: if below(10) == 0 { vec![("EUR", 1_500_000)] } else { vec![] },
        value: vec![],
        received: first.plus_ms(2000),
    }
}

fn time_summaries(load: &Load, store: &RollupStore) -> Outcome<()> {
    let last = Day(FIRST_DAY + load.days);
    let windows = [
        ("all time", Days::default()),
        ("the last 7 days", Days { from: Some(Day(last.0 - 7)), until: None }),
        ("a window over all days", Days { from: Some(Day(FIRST_DAY)), until: Some(last) }),
    ];
    for (name, days) in windows {
        let mut times = Vec::new();
        let mut calls = 0;
        for _ in 0..REPEATS {
            let begun = Instant::now();
            let usage = UsageData::read(&store.reader().view()?, "payments", "v2", days)?;
            let this = VersionData { version: "v2".to_owned(), usage, ..VersionData::default() };
            let summary = summarise(&SummaryInputs { api: "payments".to_owned(), days, this, ..SummaryInputs::default() });
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            calls = summary.usage.calls;
        }
        times.sort_by(f64::total_cmp);
        println!("  summary, {name}: {:.1} ms ({:.1} to {:.1}), {calls} calls", times[REPEATS / 2], times[0], times[REPEATS - 1]);
    }
    Ok(())
}

/// What a guardrail on one operation reads, and what failing operations of "what changed" read.
fn time_operations(load: &Load, store: &RollupStore) -> Outcome<()> {
    let view = store.reader().view()?;
    let id = view.version("payments", "v2")?.ok_or("nobody called v2")?;
    let operations: Vec<u32> = view.operations(id)?.into_keys().collect();
    let days = Days { from: Some(Day(FIRST_DAY)), until: Some(Day(FIRST_DAY + load.days)) };
    for (name, some) in [("one operation", &operations[..1]), ("all operations", &operations[..])] {
        let mut times = Vec::new();
        let (mut cells, mut calls) = (0u64, 0u64);
        for _ in 0..REPEATS {
            let begun = Instant::now();
            (cells, calls) = (0, 0);
            for operation in some {
                view.operation_days(id, *operation, days, |_, _, on_it| (cells, calls) = (cells + 1, calls + on_it.calls))?;
            }
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("  {name} by consumer and day: {:.1} ms, {cells} cells, {calls} calls", times[REPEATS / 2]);
    }
    Ok(())
}

/// Nanoseconds this thread has run.
fn cpu_ns() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(stat.split(' ').next().ok_or("schedstat is empty")?.parse()?)
}

/// The most memory this process had in use, in KiB.
fn most_memory_kib() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.split_whitespace().nth(1).ok_or("VmHWM is empty")?.parse()?)
}
