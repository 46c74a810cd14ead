//! What a review costs from the stores on: reading its input, and the statistics on it. 10 million calls on two versions,
//! 20,000 consumers, 50,000 pieces of feedback.
//!
//! `cargo run --release -p groundswell-index --example review_speed`

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use groundswell_bus::Offset;
use groundswell_index::review::{Question, read};
use groundswell_index::rollup::RollupStore;
use groundswell_index::search::SearchStore;
use groundswell_model::insight::{Label, SurveyAnswer};
use groundswell_model::{Day, Hour, IdentityHash, Insight, Labels, LatencyBuckets, Rung, UsageDelta, VersionWeight};
use groundswell_review::{Policy, review};
use groundswell_runtime::settings::IndexSettings;

type Outcome<T> = Result<T, Box<dyn Error>>;

const FIRST_DAY: i32 = 20_000;
const DAYS: i32 = 56;
/// The day from which on consumers move, one after the other over forty days.
const RELEASE: i32 = 28;
const CONSUMERS: u64 = 20_000;
const FEEDBACK: u64 = 50_000;
const REPEATS: usize = 5;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (usage, search) = fill(folder.path())?;
    println!("{} MiB of roll-ups; {} KiB of memory at most while filling", file_mib(folder.path())?, status("VmHWM:")?);
    drop((usage, search));
    let usage = RollupStore::open(&folder.path().join("usage.redb"), 32)?;
    let search = SearchStore::open(folder.path(), 0, &IndexSettings::default())?;
    let question = Question { api: "payments".into(), version: "v2".into(), baseline: "v1".into(), ..Question::default() };
    // Only what comes now counts: the mark of the most memory begins again.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let before = status("VmRSS:")?;
    for _ in 0..REPEATS {
        let begun = Instant::now();
        let input = read(&usage.reader().view()?, &search.readers().snapshot(), &question)?;
        let read = begun.elapsed();
        let result = review(&input, &Policy::default());
        let errors = result.guardrails.first().ok_or("no guardrail")?;
        let calls = errors.candidate.exposure + errors.baseline.exposure;
        let [read, all] = [read, begun.elapsed()].map(|t| t.as_secs_f64() * 1e3);
        println!("{:?}, {calls} calls, {} consumers: read in {read:.0} ms, {all:.0} ms in all", result.verdict, input.consumers.len());
    }
    println!("{} KiB of memory before, {} KiB at most", before, status("VmHWM:")?);
    Ok(())
}

fn fill(folder: &Path) -> Outcome<(RollupStore, SearchStore)> {
    let mut usage = RollupStore::open(&folder.join("usage.redb"), 32)?;
    let mut search = SearchStore::open(folder, 0, &IndexSettings::default())?;
    let mut random = Random(1);
    let names: Vec<String> = (0..CONSUMERS).map(|c| format!("consumer-{c}")).collect();
    for day in 0..DAYS {
        for (place, name) in (0..).zip(&names) {
            // Zipf's volumes: the mean over all is some 9 calls a day.
            let volume = (17_000 / (place + 1)).clamp(1, 4_000);
            let moves = RELEASE + i32::try_from(place * 7 % 40)?;
            let version = if day >= moves { "v2" } else { "v1" };
            let calls = random.below(2 * volume + 1) * 9 / 5;
            if calls > 0 {
                usage.add(&delta(&mut random, version, name, day, calls))?;
            }
        }
        for number in 0..FEEDBACK / DAYS as u64 {
            put(&mut search, &mut random, &names, day, number)?;
        }
        usage.commit(Offset(day as u64 + 1))?;
        search.commit(Offset(day as u64 + 1))?;
    }
    Ok((usage, search))
}

fn delta<'a>(random: &mut Random, version: &'a str, consumer: &'a str, day: i32, calls: u64) -> UsageDelta<'a> {
    let hour = Hour((FIRST_DAY + day) * 24 + 12);
    let mut latency = LatencyBuckets::default();
    for _ in 0..calls.min(300) {
        let middle: u64 = (0..6).map(|_| random.below(60)).sum();
        latency.add(20.0 + middle as f64, 1);
    }
    let failed = (0..calls.min(50)).filter(|_| random.below(25) == 0).count() as u64;
    let first = hour.start();
    UsageDelta {
        api: "payments",
        version,
        operation: "GET /things",
        consumer,
        hour,
        calls,
        failed,
        server_errors: 0,
        rate_limited: 0,
        first,
        last: first.plus_ms(1000),
        first_success: Some(first),
        latency,
        revenue: vec![],
        value: vec![],
        received: first,
    }
}

fn put(search: &mut SearchStore, random: &mut Random, names: &[String], day: i32, number: u64) -> Outcome<()> {
    let id = format!("{day}-{number}");
    let time = Day(FIRST_DAY + day).start().plus_ms(i64::try_from(random.below(86_400_000))?);
    let label = |name: &str| Label { name: name.into(), confidence: 0.8, because: vec![] };
    let version = if day >= RELEASE + 20 { "v2" } else { "v1" };
    let consumer = &names[usize::try_from(random.below(CONSUMERS))?];
    let insight = Insight {
        identity: IdentityHash::of("/bench", &id),
        source: "/bench",
        id: &id,
        time,
        received: time,
        api: "payments",
        versions: vec![VersionWeight { version, weight: 1.0 }],
        rung: Rung::Explicit,
        confidence: 0.9,
        evidence: vec![],
        deciding: vec![],
        flags: vec![],
        operation: None,
        consumer,
        requester: None,
        org: None,
        title: "Calls fail",
        body: "Since yesterday some of our calls fail with an error that we do not understand.",
        url: None,
        survey: number.is_multiple_of(4).then_some(SurveyAnswer { kind: "nps", score: 7.0, min: 0.0, max: 10.0 }),
        ticket_id: None,
        status: None,
        priority: None,
        channel: None,
        tags: vec![],
        sdk: None,
        request_id: None,
        labels: Labels {
            kind: label("bug"),
            aspects: vec![],
            sentiment: label(if random.below(2) == 0 { "negative" } else { "neutral" }),
            sentiment_score: 0.0,
            severity: label("annoys"),
            language: label("en"),
            model: "labels-1".into(),
        },
        redacted: vec![],
        attributes: vec![],
    };
    Ok(search.put(&insight, Offset(day as u64))?)
}

fn file_mib(folder: &Path) -> Outcome<u64> {
    Ok(std::fs::metadata(folder.join("usage.redb"))?.len() >> 20)
}

/// A line of what the system tells about this process, in KiB.
fn status(name: &str) -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with(name)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("the line is empty")?.parse()?)
}
