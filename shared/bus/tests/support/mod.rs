//! The worlds in which the cases run: one with the embedded log, one with a real Kafka.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use groundswell_bus::{
    Batch, Budget, Bus, BusError, EmbeddedBus, EmbeddedSettings, Group, KafkaBus, KafkaSettings, Member, NewRecord, Offset, Part, Polled,
    Step, Stop, Topic, TopicNames, TopicSettings,
};
use tempfile::TempDir;

/// No case may wait longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Set where a case runs again as a child process, to the folder or prefix of its parent.
pub(crate) const CHILD: &str = "GROUNDSWELL_TEST_CHILD";
const KAFKA: &str = "GROUNDSWELL_TEST_KAFKA";
const HOUR_MS: u64 = 3_600_000;

/// Where a case runs.
pub(crate) struct World {
    kind: Kind,
    topics: TopicSettings,
    pub(crate) stop: Stop,
    /// Milliseconds by which the embedded log's clock is ahead.
    ahead: Arc<AtomicU64>,
}

enum Kind {
    Embedded { dir: Place, open: Mutex<Option<Arc<EmbeddedBus>>> },
    Kafka { bootstrap: String, prefix: String },
}

/// A folder of one's own, or the one that a parent process gave us.
enum Place {
    Own(TempDir),
    Given(std::path::PathBuf),
}

impl Place {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Own(dir) => dir.path(),
            Self::Given(path) => path,
        }
    }
}

/// Runs a case in the world of the embedded log.
pub(crate) fn embedded(case: fn(&World)) {
    let dir = match std::env::var(CHILD) {
        Ok(path) => Place::Given(path.into()),
        Err(_) => Place::Own(TempDir::new().unwrap()),
    };
    case(&World::new(Kind::Embedded { dir, open: Mutex::default() }, "case"));
}

/// Runs a case in the world of Kafka, if a broker is named.
pub(crate) fn kafka(name: &str, case: fn(&World)) {
    let Ok(bootstrap) = std::env::var(KAFKA) else {
        crate::skip::skipped(&format!("{name} on Kafka (set {KAFKA} to the bootstrap address of a broker: deploy/kafka/kafka.sh start)"));
        return;
    };
    let prefix = std::env::var(CHILD).unwrap_or_else(|_| format!("t{}-{}-{name}", std::process::id(), nanos()));
    case(&World::new(Kind::Kafka { bootstrap, prefix: prefix.clone() }, &prefix));
}

/// Shows the transports' log where `RUST_LOG` asks for it.
fn log_if_asked() {
    if std::env::var_os("RUST_LOG").is_some() {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        // Another case may have been first.
        drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init());
    }
}

/// Something that differs from run to run, for names of topics.
fn nanos() -> u128 {
    let dir = TempDir::new().unwrap();
    let made = std::fs::metadata(dir.path()).unwrap().modified().unwrap();
    made.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}

impl World {
    fn new(kind: Kind, prefix: &str) -> Self {
        log_if_asked();
        let topics = Self::topics_of(prefix);
        Self { kind, topics, stop: Stop::default(), ahead: Arc::default() }
    }

    /// The topics of a prefix.
    pub(crate) fn topics_of(prefix: &str) -> TopicSettings {
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
        TopicSettings { names, partitions: 4, retention_hours: 1 }
    }

    /// The broker's address.
    pub(crate) fn bootstrap(&self) -> String {
        match &self.kind {
            Kind::Embedded { .. } => panic!("the embedded log has no address"),
            Kind::Kafka { bootstrap, .. } => bootstrap.clone(),
        }
    }

    /// A world on a broker of the case's own.
    pub(crate) fn on_kafka(bootstrap: &str, prefix: &str) -> Self {
        Self::new(Kind::Kafka { bootstrap: bootstrap.into(), prefix: prefix.into() }, prefix)
    }

    /// What a child process needs to find this world, for [`CHILD`].
    pub(crate) fn address(&self) -> String {
        match &self.kind {
            Kind::Embedded { dir, .. } => dir.path().display().to_string(),
            Kind::Kafka { prefix, .. } => prefix.clone(),
        }
    }

    pub(crate) fn is_kafka(&self) -> bool {
        matches!(self.kind, Kind::Kafka { .. })
    }

    /// The transport of one process, by the name of its instance. In the embedded world all instances share one.
    pub(crate) fn bus(&self, instance: &str) -> Arc<dyn Bus> {
        let bus: Arc<dyn Bus> = match &self.kind {
            Kind::Embedded { dir, open } => {
                let mut open = open.lock().unwrap();
                open.get_or_insert_with(|| Arc::new(self.open(dir.path()).unwrap())).clone()
            }
            Kind::Kafka { bootstrap, prefix } => {
                let settings = KafkaSettings {
                    bootstrap: bootstrap.clone(),
                    prefix: prefix.clone(),
                    properties: BTreeMap::from([("session.timeout.ms".into(), "6000".into())]),
                    ..KafkaSettings::default()
                };
                Arc::new(KafkaBus::new(settings, self.topics.clone(), instance, self.stop.clone()).unwrap())
            }
        };
        bus.ensure_topics().unwrap();
        bus
    }

    /// Opens the embedded log in a folder.
    pub(crate) fn open(&self, dir: &std::path::Path) -> Result<EmbeddedBus, BusError> {
        let ahead = self.ahead.clone();
        let clock =
            Arc::new(move || groundswell_model::Timestamp(1_700_000_000_000 + i64::try_from(ahead.load(Ordering::Relaxed)).unwrap()));
        EmbeddedBus::open_with_clock(dir, &EmbeddedSettings::default(), &self.topics, self.stop.clone(), clock)
    }

    /// Forgets the open embedded log, so that the next [`World::bus`] opens it again as a new process would.
    pub(crate) fn restart(&self) {
        if let Kind::Embedded { open, .. } = &self.kind {
            open.lock().unwrap().take();
        }
    }

    /// Lets the retention remove what is in a source topic now.
    pub(crate) fn age(&self, bus: &dyn Bus, topic: Topic) {
        match &self.kind {
            Kind::Embedded { .. } => {
                self.ahead.fetch_add(2 * HOUR_MS, Ordering::Relaxed);
                // The pass comes with a write.
                publish(bus, vec![NewRecord::keyed(Topic::DeadLetters, "tick", vec![])]);
                publish(bus, vec![NewRecord::keyed(Topic::DeadLetters, "tick", vec![])]);
            }
            Kind::Kafka { bootstrap, .. } => delete_records(bootstrap, self.topics.names.of(topic), bus.bounds(topic).unwrap()),
        }
    }
}

/// Does what the broker's retention does, without waiting for it.
fn delete_records(bootstrap: &str, topic: &str, bounds: Vec<groundswell_bus::Bounds>) {
    use rdkafka::admin::{AdminClient, AdminOptions};
    let admin: AdminClient<rdkafka::client::DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
    let mut before = rdkafka::TopicPartitionList::new();
    for b in bounds {
        let to = rdkafka::Offset::Offset(i64::try_from(b.high.0).unwrap());
        before.add_partition_offset(topic, i32::try_from(b.part.partition).unwrap(), to).unwrap();
    }
    let done = futures_executor::block_on(admin.delete_records(&before, &AdminOptions::new())).unwrap();
    assert!(done.elements().iter().all(|e| e.error().is_ok()), "{done:?}");
}

/// Publishes and waits for the acknowledgement.
pub(crate) fn publish(bus: &dyn Bus, records: Vec<NewRecord>) {
    bus.publisher().unwrap().publish(records, PATIENCE).unwrap();
}

/// `n` records of a topic, with keys `k0`, `k1`, … `k(keys-1)` in turn and their number as the value.
pub(crate) fn numbered(topic: Topic, n: usize, keys: usize) -> Vec<NewRecord> {
    (0..n).map(|i| NewRecord::keyed(topic, format!("k{}", i % keys), i.to_string().into_bytes())).collect()
}

/// Bytes that don't compress.
pub(crate) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

/// A budget for polls in tests.
pub(crate) fn budget(records: usize) -> Budget {
    Budget {
        records,
        bytes: 1 << 20,
        wait: Duration::from_millis(200),
        linger: Duration::from_millis(5),
        linger_behind: Duration::from_millis(5),
    }
}

/// Calls until it gives something.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, attempt: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, attempt)
}

/// Calls until it gives something, for so long.
#[track_caller]
pub(crate) fn eventually_within<T>(patience: Duration, what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(began.elapsed() < patience, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Polls, starting what is assigned, until a batch comes.
#[track_caller]
pub(crate) fn next_batch(member: &mut dyn Member, budget: &Budget) -> Batch {
    eventually("a batch", || match member.poll(budget).unwrap() {
        Polled::Assigned(parts) => {
            parts.into_iter().for_each(|part| member.start(part, None).unwrap());
            None
        }
        Polled::Batch(batch) => Some(batch),
        Polled::Revoked(_) | Polled::Idle => None,
    })
}

/// Polls, starting what is assigned, until this many partitions are held.
#[track_caller]
pub(crate) fn hold(member: &mut dyn Member, parts: usize) -> Vec<Part> {
    let mut held = Vec::new();
    eventually("partitions", || {
        match member.poll(&budget(1)).unwrap() {
            Polled::Assigned(parts) => held.extend(parts),
            Polled::Revoked(lost) => held.retain(|p| !lost.contains(p)),
            Polled::Batch(_) | Polled::Idle => {}
        }
        (held.len() == parts).then(|| held.clone())
    })
}

/// The step that copies a batch to insights, on the partition it came from.
pub(crate) fn copy(batch: &Batch) -> Step {
    let records = batch.iter().map(|r| NewRecord::on(Topic::Insights, r.part.partition, r.value.unwrap_or_default().to_vec())).collect();
    Step { positions: batch.positions(), records, state: Vec::new() }
}

/// Every value of a topic, by partition, in order, as a new reader sees it.
pub(crate) fn values(bus: &dyn Bus, topic: Topic) -> BTreeMap<u32, Vec<String>> {
    let mut values: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut each = |r: groundswell_bus::Record<'_>| {
        values.entry(r.part.partition).or_default().push(String::from_utf8_lossy(r.value.unwrap_or_default()).into_owned());
    };
    bus.reader(topic).unwrap().catch_up(&mut each).unwrap();
    values
}

/// Every value of a topic as a number, sorted.
pub(crate) fn numbers(bus: &dyn Bus, topic: Topic) -> Vec<usize> {
    let mut numbers: Vec<usize> = values(bus, topic).into_values().flatten().map(|v| v.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

/// Copies until everything published on the group's topics is committed.
pub(crate) fn copy_all(bus: &dyn Bus, group: Group) {
    let mut member = bus.member(group).unwrap();
    eventually("everything copied", || {
        match member.poll(&budget(100)).unwrap() {
            Polled::Assigned(parts) => parts.into_iter().for_each(|part| member.start(part, None).unwrap()),
            Polled::Batch(batch) => member.commit(copy(&batch)).unwrap(),
            Polled::Revoked(_) | Polled::Idle => {}
        }
        caught_up(bus, group).then_some(())
    });
}

/// Whether the group has committed the end of all its topics.
pub(crate) fn caught_up(bus: &dyn Bus, group: Group) -> bool {
    group.topics().iter().all(|topic| {
        let committed = bus.committed(group, *topic).unwrap();
        let reached = |b: &groundswell_bus::Bounds| b.high == b.low || committed.get(&b.part) == Some(&b.high);
        bus.bounds(*topic).unwrap().iter().all(reached)
    })
}

/// The offset as the contract has it.
pub(crate) fn at(offset: u64) -> Offset {
    Offset(offset)
}
