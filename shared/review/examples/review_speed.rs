//! How long a review takes: 10 million calls, 20,000 consumers, 50,000 pieces of feedback.
//! `cargo run --release -p groundswell-review --example review_speed`

use std::time::Instant;

use groundswell_model::Day;
use groundswell_review::input::{ConsumerInput, DayUse, FeedbackItem, LatencyCount, ReviewInput, VersionUse, Window};
use groundswell_review::{Policy, review};

const CONSUMERS: usize = 20_000;
const DAYS: i32 = 56;
const RELEASE: i32 = 28;

fn main() {
    let input = input();
    let calls: u64 = input.consumers.iter().flat_map(|c| c.candidate.usage.iter().chain(&c.baseline.usage)).map(|u| u.calls).sum();
    let cells: usize = input.consumers.iter().map(|c| c.candidate.usage.len() + c.baseline.usage.len()).sum();
    let latencies: usize = input.consumers.iter().map(|c| c.candidate.latency.len() + c.baseline.latency.len()).sum();
    println!("{latencies} counts of latency; {} before any review", memory("VmRSS"));
    println!("{} consumers, {calls} calls in {cells} consumer-days", input.consumers.len());
    for _ in 0..5 {
        let start = Instant::now();
        let review = review(&input, &Policy::default());
        println!("{:?} in {:.0} ms, {} ticks of processor time so far", review.verdict, start.elapsed().as_secs_f64() * 1e3, ticks());
    }
    println!("{}", memory("VmHWM"));
}

/// A line of what the system knows of this process.
fn memory(line: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|l| l.starts_with(line)).unwrap_or("memory: not known").to_owned()
}

/// Processor time of all threads in hundredths of a second: what a busy machine does not change much.
fn ticks() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.split(' ').nth(13).unwrap_or("?").to_owned()
}

fn input() -> ReviewInput {
    let mut dice = fastrand::Rng::with_seed(1);
    let consumers = (0..CONSUMERS).map(|place| consumer(place, &mut dice)).collect();
    let window = Window { from: Day(0), until: Day(DAYS) };
    ReviewInput {
        api: "a".into(),
        version: "2".into(),
        baseline: "1".into(),
        window,
        released: Some(Day(RELEASE)),
        consumers,
        ..ReviewInput::default()
    }
}

fn consumer(place: usize, dice: &mut fastrand::Rng) -> ConsumerInput {
    let mut consumer = ConsumerInput { name: format!("consumer-{place}"), ..ConsumerInput::default() };
    // Zipf's volumes: the mean over all is some 9 calls a day.
    let volume = (17_000.0 / (place + 1) as f64).clamp(0.8, 4_000.0);
    let moves = RELEASE + dice.i32(0..40);
    for day in 0..DAYS {
        let calls = (volume * dice.f64() * 2.0).round() as u64;
        if calls > 0 {
            let side = if day >= moves { &mut consumer.candidate } else { &mut consumer.baseline };
            one_day(side, day, calls, dice);
        }
    }
    consumer
}

fn one_day(side: &mut VersionUse, day: i32, calls: u64, dice: &mut fastrand::Rng) {
    let errors = (calls as f64 * 0.04 * dice.f64() + dice.f64()).floor().min(calls as f64) as u64 / 2;
    side.usage.push(DayUse { day: Day(day), calls, errors });
    let mut buckets: Vec<(i16, u32)> = Vec::new();
    for _ in 0..calls.min(200) {
        let bucket = 180 + (0..6).map(|_| dice.i16(0..20)).sum::<i16>();
        match buckets.binary_search_by_key(&bucket, |b| b.0) {
            Ok(at) => buckets[at].1 += 1,
            Err(at) => buckets.insert(at, (bucket, 1)),
        }
    }
    side.latency.extend(buckets.into_iter().map(|(bucket, count)| LatencyCount { day: u16::try_from(day).unwrap_or(0), bucket, count }));
    if dice.f64() < 50_000.0 / (CONSUMERS as f64 * 25.0) {
        side.feedback.push(FeedbackItem { day: Day(day), weight: 1.0, negative: dice.bool(), score: None });
    }
}
