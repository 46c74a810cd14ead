//! How long classify takes to have a million consumers again after a restart: their journals are written through the bus, which
//! is then left, joined again, and read.
//!
//! `cargo run --release -p groundswell-classify --example restore_speed -- FOLDER` measures the embedded log,
//! `-- kafka:HOST:PORT` a broker; a number behind it is how many consumers.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::{
    Budget, Bus, EmbeddedBus, EmbeddedSettings, Group, KafkaBus, KafkaSettings, Member, Part, Polled, StateWrite, Step, Stop, TopicNames,
    TopicSettings,
};
use groundswell_classify::core::journal::{Call, Journal};
use groundswell_classify::core::{Bounds, Partition, Rules, state};
use groundswell_model::Timestamp;

type Failed = Box<dyn Error>;

const STEP: usize = 20_000;
const HOUR: i64 = 3_600_000;

fn main() -> Result<(), Failed> {
    let place = std::env::args().nth(1).ok_or("name a folder, or kafka:HOST:PORT")?;
    let consumers: usize = std::env::args().nth(2).map_or(Ok(1_000_000), |n| n.parse())?;
    let journal = typical();
    let bytes = {
        let bus = open(&place)?;
        bus.ensure_topics()?;
        write(bus.as_ref(), &journal, consumers)?
    };
    println!("{consumers} journals of {} bytes", bytes / consumers.max(1));
    let bus = open(&place)?;
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let mut member = bus.member(Group::Classify)?;
    let parts = assigned(member.as_mut())?;
    let joined = began.elapsed();
    let mut found = 0;
    for part in &parts {
        found += restore(member.as_mut(), part)?;
    }
    println!(
        "{found} consumers restored in {:.1} s ({:.1} s of it joining), {:.1} CPU s here, peak memory {} MiB",
        began.elapsed().as_secs_f64(),
        joined.as_secs_f64(),
        cpu_seconds() - cpu,
        peak_mib()
    );
    assert_eq!(found, consumers, "all of them");
    Ok(())
}

/// A consumer of sixty days who moved to another version, with a call each hour that tells a request id.
fn typical() -> Journal {
    let (mut journal, mut told) = (Journal::default(), Vec::new());
    for hour in 0..24 * 60 {
        let (version, request) = (if hour < 24 * 40 { "v1" } else { "v2" }, format!("req_{hour:016}"));
        let call = Call {
            api: "orders",
            version,
            operation: "getOrder",
            time: Timestamp(hour * HOUR),
            failed: hour % 50 == 0,
            calls: 1,
            event: &request,
            traces: [Some(&request), None],
        };
        journal.note(&call, 31, groundswell_catalogue::order::natural, &mut told);
    }
    journal
}

fn write(bus: &dyn Bus, journal: &Journal, consumers: usize) -> Result<usize, Failed> {
    let mut member = bus.member(Group::Classify)?;
    let parts = assigned(member.as_mut())?;
    parts.iter().try_for_each(|part| member.start(*part, None))?;
    let mut bytes = 0;
    for first in (0..consumers).step_by(STEP) {
        let mut step = Step::default();
        for consumer in first..(first + STEP).min(consumers) {
            let (key, value) = state::write_journal(&format!("consumer-{consumer:07}"), journal)?;
            bytes += value.len();
            let part = parts.get(consumer % parts.len()).ok_or("no partition was assigned")?;
            step.state.push(StateWrite { partition: part.partition, key, value: Some(value) });
        }
        member.commit(step)?;
    }
    Ok(bytes)
}

fn restore(member: &mut dyn Member, part: &Part) -> Result<usize, Failed> {
    let bounds = Bounds { apis: 100, versions: 50, operations: 5_000 };
    let mut partition = Partition::new(part.partition, &Rules { bounds, look_back_days: 30, dedupe_minutes: 120 }, 1_000);
    let mut failed = None;
    member.restore(part.partition, &mut |key, value| failed = partition.restore(key, value).err().or(failed.take()))?;
    failed.map_or(Ok(partition.consumers()), |why| Err(why.into()))
}

/// All partitions of the group: nobody else is in it.
fn assigned(member: &mut dyn Member) -> Result<Vec<Part>, Failed> {
    let wait = Duration::from_millis(100);
    let budget = Budget { records: 1, bytes: 1 << 20, wait, linger: Duration::ZERO, linger_behind: Duration::ZERO };
    loop {
        if let Polled::Assigned(parts) = member.poll(&budget)? {
            return Ok(parts);
        }
    }
}

fn open(place: &str) -> Result<Arc<dyn Bus>, Failed> {
    let Some(bootstrap) = place.strip_prefix("kafka:") else {
        return Ok(Arc::new(EmbeddedBus::open(place.as_ref(), &EmbeddedSettings::default(), &TopicSettings::default(), Stop::default())?));
    };
    let prefix = format!("restore-{}", std::process::id());
    let name = |topic: &str| format!("{prefix}.{topic}");
    let names = TopicNames {
        tickets: name("tickets"),
        surveys: name("surveys"),
        usage: name("usage"),
        catalogue: name("catalogue"),
        events: name("events"),
        insights: name("insights"),
        journal: name("journal"),
        dead_letters: name("dead"),
    };
    let settings = KafkaSettings { bootstrap: bootstrap.into(), prefix, ..KafkaSettings::default() };
    Ok(Arc::new(KafkaBus::new(settings, TopicSettings { names, ..TopicSettings::default() }, "0", Stop::default())?))
}

/// CPU time of this process (100 clock ticks a second on every Linux in use).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|p| p.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
