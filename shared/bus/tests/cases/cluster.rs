//! Three brokers of which one, and then all, are killed while records are published and steps committed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use groundswell_bus::{Bus, BusError, Group, NewRecord, Polled, Stop, Topic};
use tempfile::TempDir;

use crate::support::{World, budget, caught_up, copy, eventually_within, numbers};

const PHASE: usize = 2_000;
const CHUNK: usize = 50;
const PUBLISH: Duration = Duration::from_secs(240);
/// Brokers take their time to come back: some tens of seconds.
const RECOVERY: Duration = Duration::from_secs(180);

/// A cluster of our own, stopped and removed when the test ends, however it ends.
pub(super) struct Cluster {
    run: TempDir,
    script: PathBuf,
    port: u16,
    guarded: bool,
}

impl Cluster {
    /// Starts brokers; guarded ones ask for a password on a second listener, and permissions hold there.
    pub(super) fn start(brokers: &str, guarded: bool) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kafka/kafka.sh");
        let cluster = Self { run: TempDir::new().unwrap(), script, port: free_port(), guarded };
        cluster.does("start", Some(brokers));
        cluster
    }

    /// Address of the listener of the first broker that asks for a password.
    pub(super) fn guarded_address(&self) -> String {
        format!("127.0.0.1:{}", self.port + 50)
    }

    pub(super) fn does(&self, what: &str, argument: Option<&str>) -> String {
        let mut command = Command::new(&self.script);
        command.arg(what).args(argument);
        self.run(command, what)
    }

    /// Runs a command that may call the script, by the name `kafka` in its environment.
    pub(super) fn run(&self, mut command: Command, what: &str) -> String {
        command.env("KAFKA_RUN", self.run.path()).env("KAFKA_PORT", self.port.to_string()).env("kafka", &self.script);
        if self.guarded {
            command.env("KAFKA_AUTH", "1");
        }
        if std::env::var_os("KAFKA_LIBS").is_none() {
            command.env("KAFKA_LIBS", Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.run/kafka/libs"));
        }
        // Not a pipe: the brokers live on and would hold it open.
        let said = self.run.path().join("said");
        let done = command.stdout(std::fs::File::create(&said).unwrap()).status().unwrap();
        assert!(done.success(), "kafka.sh {what} failed");
        std::fs::read_to_string(said).unwrap().trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.does("wipe", None);
    }
}

/// A port with some room above it, as far as can be told.
fn free_port() -> u16 {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    (taken.local_addr().unwrap().port() % 20_000) + 20_000
}

struct Progress {
    published: AtomicUsize,
    allowed: AtomicUsize,
    copied: AtomicUsize,
    stop: Stop,
}

pub(crate) fn killed_brokers_lose_and_double_nothing() {
    let cluster = Cluster::start("3", false);
    let world = World::on_kafka(&cluster.does("bootstrap", None), "cluster");
    let bus = world.bus("0");
    let progress = Arc::new(Progress { published: 0.into(), allowed: PHASE.into(), copied: 0.into(), stop: Stop::default() });
    let publishing = spawn(&bus, &progress, publish_all);
    let copying = spawn(&bus, &progress, copy_until_stopped);

    let reach = |phase: usize| {
        let done =
            || progress.published.load(Ordering::Relaxed) >= phase * PHASE && progress.copied.load(Ordering::Relaxed) >= phase * PHASE;
        eventually_within(RECOVERY, &format!("the end of phase {phase}"), || done().then_some(()));
    };
    reach(1);
    // In the middle of the second phase one broker dies, in the third all of them do.
    progress.allowed.store(2 * PHASE, Ordering::Relaxed);
    cluster.does("kill9", Some("2"));
    reach(2);
    cluster.does("one", Some("2"));
    progress.allowed.store(3 * PHASE, Ordering::Relaxed);
    for id in ["1", "2", "3"] {
        cluster.does("kill9", Some(id));
    }
    cluster.does("start", Some("3"));
    reach(3);
    eventually_within(RECOVERY, "no lag", || caught_up(bus.as_ref(), Group::Ingest).then_some(()));
    progress.stop.stop();
    publishing.join().unwrap();
    copying.join().unwrap();
    assert_eq!(numbers(bus.as_ref(), Topic::Usage), (0..3 * PHASE).collect::<Vec<_>>());
    assert_eq!(numbers(bus.as_ref(), Topic::Insights), (0..3 * PHASE).collect::<Vec<_>>());
}

fn spawn(bus: &Arc<dyn Bus>, progress: &Arc<Progress>, work: fn(&dyn Bus, &Progress)) -> std::thread::JoinHandle<()> {
    let (bus, progress) = (bus.clone(), progress.clone());
    std::thread::spawn(move || work(bus.as_ref(), &progress))
}

fn publish_all(bus: &dyn Bus, progress: &Progress) {
    let publisher = bus.publisher().unwrap();
    let mut next = 0;
    while !progress.stop.is_set() {
        if next >= progress.allowed.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        }
        let records = (next..next + CHUNK).map(|i| NewRecord::keyed(Topic::Usage, format!("k{}", i % 13), i.to_string().into_bytes()));
        publisher.publish(records.collect(), PUBLISH).unwrap();
        next += CHUNK;
        progress.published.store(next, Ordering::Relaxed);
    }
}

fn copy_until_stopped(bus: &dyn Bus, progress: &Progress) {
    let mut member = bus.member(Group::Ingest).unwrap();
    while !progress.stop.is_set() {
        match member.poll(&budget(100)).unwrap() {
            Polled::Assigned(parts) => parts.into_iter().for_each(|part| member.start(part, None).unwrap()),
            Polled::Batch(batch) => match member.commit(copy(&batch)) {
                Ok(()) => drop(progress.copied.fetch_add(batch.len(), Ordering::Relaxed)),
                Err(BusError::Aborted { why, .. }) => eprintln!("a step was aborted: {why}"),
                Err(error) => panic!("{error}"),
            },
            Polled::Revoked(_) | Polled::Idle => {}
        }
    }
}
