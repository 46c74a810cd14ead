//! How fast steps go: publishes records, then carries them over one hop in steps of 20,000, packed into frames.
//!
//! `throughput FOLDER` measures the embedded log, `throughput kafka:HOST:PORT` a broker.
#![expect(clippy::unwrap_used, reason = "a measurement ends where something fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::{
    Budget, Bus, EmbeddedBus, EmbeddedSettings, Group, KafkaBus, KafkaSettings, NewRecord, Polled, Step, Stop, Topic, TopicNames,
    TopicSettings,
};

const RECORDS: usize = 400_000;
const STEP: usize = 20_000;
const FRAME: usize = 256 * 1024;

fn main() {
    let place = std::env::args().nth(1).unwrap_or_else(|| "kafka:127.0.0.1:19092".into());
    let bus = open(&place);
    bus.ensure_topics().unwrap();
    measure("publish in batches of 1,000", || publish(bus.as_ref()));
    measure("steps of 20,000 into frames", || carry(bus.as_ref()));
    measure("catch up with the frames", || {
        let mut bytes = 0;
        bus.reader(Topic::Events).unwrap().catch_up(&mut |r| bytes += r.value.map_or(0, <[u8]>::len)).unwrap();
        assert!(bytes >= RECORDS * 400);
    });
}

fn open(place: &str) -> Arc<dyn Bus> {
    let Some(bootstrap) = place.strip_prefix("kafka:") else {
        return Arc::new(
            EmbeddedBus::open(place.as_ref(), &EmbeddedSettings::default(), &TopicSettings::default(), Stop::default()).unwrap(),
        );
    };
    let prefix = format!("bench-{}", std::process::id());
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
    Arc::new(KafkaBus::new(settings, TopicSettings { names, ..TopicSettings::default() }, "0", Stop::default()).unwrap())
}

fn record(i: usize) -> NewRecord {
    let h = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let value = format!(
        r#"{{"specversion":"1.0","type":"groundswell.usage.v1","source":"/gateway/{}","id":"{h:016x}","time":"2026-03-01T12:{:02}:{:02}Z","data":{{"api":"payments","api_version":"v{}","method":"GET","path":"/v2/accounts/{}/transfers/{:x}","host":"api.example.org","status":{},"latency_ms":{}.5,"consumer":"app-{}","request_id":"{:032x}","sdk":"payments-java/2.14.{}","user_agent":"payments-java/2.14 (Linux)","bytes":{},"plan":"gold","use_case":"payouts"}}}}"#,
        i % 8,
        h % 60,
        (h >> 8) % 60,
        h % 3 + 1,
        h % 5000,
        h >> 20,
        [200, 201, 404, 500][(h % 4) as usize],
        h % 900,
        h % 400,
        u128::from(h),
        h % 30,
        h % 4000
    );
    NewRecord::keyed(Topic::Usage, format!("app-{}", h % 400), value.into_bytes())
}

fn publish(bus: &dyn Bus) {
    let publisher = bus.publisher().unwrap();
    for first in (0..RECORDS).step_by(1000) {
        publisher.publish((first..first + 1000).map(record).collect(), Duration::from_secs(60)).unwrap();
    }
}

fn carry(bus: &dyn Bus) {
    let mut member = bus.member(Group::Ingest).unwrap();
    let budget = Budget {
        records: STEP,
        bytes: 32 << 20,
        wait: Duration::from_millis(100),
        linger: Duration::from_millis(50),
        linger_behind: Duration::from_millis(50),
    };
    let (mut done, mut steps, mut slowest) = (0, 0, Duration::ZERO);
    while done < RECORDS {
        match member.poll(&budget).unwrap() {
            Polled::Assigned(parts) => parts.into_iter().for_each(|part| member.start(part, None).unwrap()),
            Polled::Batch(batch) => {
                let mut step = Step { positions: batch.positions(), ..Step::default() };
                let mut open: Vec<Vec<u8>> = vec![Vec::new(); 4];
                for r in batch.iter() {
                    let frame = &mut open[r.part.partition as usize % 4];
                    frame.extend_from_slice(r.value.unwrap());
                    if frame.len() >= FRAME {
                        step.records.push(NewRecord::on(Topic::Events, r.part.partition, std::mem::take(frame)));
                    }
                }
                let rest = open.into_iter().zip(0..).filter(|(frame, _)| !frame.is_empty());
                step.records.extend(rest.map(|(frame, partition)| NewRecord::on(Topic::Events, partition, frame)));
                let began = Instant::now();
                member.commit(step).unwrap();
                slowest = slowest.max(began.elapsed());
                done += batch.len();
                steps += 1;
            }
            Polled::Revoked(_) | Polled::Idle => {}
        }
    }
    eprintln!("  {steps} steps, slowest commit {slowest:?}");
}

fn measure(what: &str, work: impl FnOnce()) {
    let (cpu, began) = (cpu_seconds(), Instant::now());
    work();
    let (cpu, wall) = (cpu_seconds() - cpu, began.elapsed().as_secs_f64());
    let per_100k = cpu * 100_000.0 / RECORDS as f64;
    println!("{what}: {:.0} records/s, {per_100k:.2} CPU s per 100k here, peak memory {} MiB", RECORDS as f64 / wall, peak_mib());
}

/// CPU time of this process (100 clock ticks a second on every Linux in use).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
