//! One round of the benchmark: backlog until searchable, freshness, queries, the peer.

mod broker;
mod load;
mod peer;
mod process;
mod queries;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, KafkaBus, KafkaSettings, Stop, TopicNames, TopicSettings};
use groundswell_runtime::settings::ENV_PREFIX;
use groundswell_runtime::status::Status;
use serde::Serialize;

pub use peer::Peer;
pub use queries::{Percentiles, Queries};
pub use table::table;

use crate::cmd_bench::{Args, Carrier, Round};
use crate::failure::Failure;
use crate::output::note;
use broker::Broker;

/// Looking at the lag is work for the broker, too: not too often.
const LOOK: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(3600);
/// How often memory is looked at while the load is steady.
const MEMORY_SAMPLES: u64 = 20;
const LISTEN: &str = "127.0.0.1:29780";

/// From the start of the program with everything waiting in the source topics, until everything is searchable.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Backlog {
    /// Events that waited.
    pub events: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Seconds from the start of the process.
    pub seconds: f64,
    /// Events a second.
    pub events_per_second: f64,
    /// CPU seconds of the three services, per 100,000 events.
    pub cpu_services_per_100k: f64,
    /// CPU seconds of the broker, per 100,000 events; 0 on the embedded log.
    pub cpu_broker_per_100k: f64,
    /// All processes.
    pub cpu_per_100k: f64,
    /// Most memory of the three services in one process, MiB.
    pub peak_mib: f64,
}

/// Memory of the three services at some moment of the steady load.
#[derive(Clone, Copy, Debug, Serialize, schemars::JsonSchema)]
pub struct Memory {
    /// Seconds since the load began.
    pub after_s: u64,
    /// Resident, MiB.
    pub resident_mib: f64,
}

/// From the receipt of an event until it is searchable, at a steady rate.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Freshness {
    /// Events a second.
    pub rate: u64,
    /// Half of them were searchable within.
    pub p50_ms: Option<u32>,
    /// 99 of 100 were.
    pub p99_ms: Option<u32>,
    /// Measurements.
    pub n: usize,
    /// CPU seconds of the three services for each second of it.
    pub cpu_per_second: f64,
    /// Memory at the end, MiB.
    pub resident_mib: f64,
    /// Memory meanwhile: flat, if nothing leaks.
    pub memory: Vec<Memory>,
}

/// Begins the names of topics and groups that are there to warm a broker up.
const WARM: &str = "warm";

/// What carries the events of one round.
struct Transport {
    broker: Option<Broker>,
    names: TopicNames,
    prefix: String,
}

impl Transport {
    fn start(args: &Args, folder: &Path) -> Result<Self, Failure> {
        let broker = match args.transport {
            Carrier::Kafka => Some(Broker::start(&args.repository, folder)?),
            Carrier::Embedded => None,
        };
        Ok(Self { broker, names: TopicNames::default(), prefix: KafkaSettings::default().prefix })
    }

    /// The same with other topics and groups while `work` lasts.
    fn elsewhere(&mut self, work: impl FnOnce(&Self) -> Result<(), Failure>) -> Result<(), Failure> {
        let names = named(&self.names).into_iter().map(|(topic, name)| (topic, format!("{WARM}.{name}"))).collect::<BTreeMap<_, _>>();
        let names = serde_json::to_value(names).and_then(serde_json::from_value).map_err(|e| Failure::failed(e.to_string()))?;
        let ours = (std::mem::replace(&mut self.names, names), std::mem::replace(&mut self.prefix, WARM.to_owned()));
        let done = work(self);
        (self.names, self.prefix) = ours;
        done
    }

    /// What a program has to know to read the same topics.
    fn environment(&self) -> Vec<(String, String)> {
        let Some(broker) = &self.broker else { return Vec::new() };
        let kafka = [("TRANSPORT", "kafka"), ("KAFKA__BOOTSTRAP", &broker.bootstrap), ("KAFKA__PREFIX", &self.prefix)];
        let kafka = kafka.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let topics = named(&self.names).into_iter().map(|(topic, name)| (format!("TOPICS__NAMES__{}", topic.to_uppercase()), name));
        kafka.chain(topics).map(|(key, value)| (format!("{ENV_PREFIX}{key}"), value)).collect()
    }

    fn bus(&self, data: &Path) -> Result<Arc<dyn Bus>, Failure> {
        let topics = TopicSettings { names: self.names.clone(), ..TopicSettings::default() };
        let bus: Arc<dyn Bus> = match &self.broker {
            Some(broker) => {
                let settings = KafkaSettings { bootstrap: broker.bootstrap.clone(), ..KafkaSettings::default() };
                Arc::new(KafkaBus::new(settings, topics, "bench", Stop::default())?)
            }
            None => Arc::new(EmbeddedBus::open(&data.join("bus"), &EmbeddedSettings::default(), &topics, Stop::default())?),
        };
        bus.ensure_topics()?;
        Ok(bus)
    }

    fn broker_cpu(&self) -> f64 {
        self.broker.as_ref().map_or(0.0, |b| process::cpu_seconds(b.pid))
    }
}

/// Setting and name of every topic.
fn named(names: &TopicNames) -> BTreeMap<String, String> {
    serde_json::to_value(names).and_then(serde_json::from_value).unwrap_or_default()
}

/// The program under measurement, as a process of its own.
struct Program(Child);

impl Program {
    fn start(transport: &Transport, data: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(|e| Failure::failed(e.to_string()))?);
        command.args(["up", "--listen", LISTEN, "--data"]).arg(data).env("GROUNDSWELL__LOG__LEVEL", "warn");
        command.envs(transport.environment());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        child.map(Self).map_err(|e| Failure::failed(format!("groundswell up: {e}")))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn url() -> String {
        format!("http://{LISTEN}")
    }

    fn caught_up(&mut self) -> Result<Status, Failure> {
        let http = reqwest::blocking::Client::new();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Err(Failure::failed(format!("groundswell up ended with {status}")));
            }
            let status = http.get(format!("{}/v1/status", Self::url())).send().and_then(reqwest::blocking::Response::error_for_status);
            if let Ok(status) = status.and_then(reqwest::blocking::Response::json::<Status>)
                && status.caught_up
            {
                return Ok(status);
            }
            std::thread::sleep(LOOK);
        }
        Err(Failure::failed("the backlog was not worked off within an hour"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SIGTERM would do, but a benchmark that failed must leave nothing behind either way.
        if self.0.kill().is_ok() {
            drop(self.0.wait());
        }
    }
}

/// Measures one size of the backlog.
///
/// # Errors
/// A process can't be started or does not answer.
pub fn round(args: &Args, events: u64) -> Result<Round, Failure> {
    let folder = tempfile::tempdir().map_err(|e| Failure::failed(format!("no temporary folder: {e}")))?;
    let data = folder.path().join("data");
    note("starting the transport");
    let mut transport = Transport::start(args, folder.path())?;
    if transport.broker.is_some() && args.warm > 0 {
        note(&format!("warming the broker up with {} events", args.warm));
        transport.elsewhere(|transport| warm(transport, &folder.path().join(WARM), args.warm))?;
    }
    let bus = transport.bus(&data)?;
    let mut workload = load::workload(1, events)?;
    note(&format!("publishing {events} events"));
    load::catalogue(bus.as_ref(), &workload)?;
    let (events, bytes) = load::backlog(bus.as_ref(), &mut workload)?;
    // An embedded log belongs to one process.
    drop(bus);

    note("working the backlog off");
    let (mut program, backlog) = backlog(&transport, &data, events, bytes)?;
    let freshness = if args.freshness_seconds > 0 {
        note("measuring freshness");
        Some(freshness(args, &transport, &mut program)?)
    } else {
        None
    };
    note("asking");
    let mut queries = queries::over_http(&Program::url(), args.queries)?;
    drop(program);
    queries::in_process(&data, args.queries, &mut queries)?;
    let peer = match (&transport.broker, args.peer) {
        (Some(broker), true) => Some(peer::measure(&args.repository, folder.path(), broker, events)?),
        _ => None,
    };
    let ratio = peer.as_ref().map(|peer| {
        BTreeMap::from([
            ("events_per_second", backlog.events_per_second / peer.events_per_second),
            ("cpu_per_100k", backlog.cpu_per_100k / peer.cpu_per_100k),
        ])
    });
    Ok(Round { backlog, freshness, queries, peer, ratio })
}

/// A broker that was just started compiles its code: most of what it does in its first minute is not our work. So it
/// carries a backlog of other topics first, as a broker at a company has for weeks.
fn warm(transport: &Transport, data: &Path, events: u64) -> Result<(), Failure> {
    let bus = transport.bus(data)?;
    let mut workload = load::workload(3, events)?;
    load::catalogue(bus.as_ref(), &workload)?;
    let (events, bytes) = load::backlog(bus.as_ref(), &mut workload)?;
    drop(bus);
    backlog(transport, data, events, bytes).map(drop)
}

#[expect(clippy::cast_precision_loss, reason = "counts of events")]
fn backlog(transport: &Transport, data: &Path, events: u64, bytes: u64) -> Result<(Program, Backlog), Failure> {
    let broker_before = transport.broker_cpu();
    let begun = Instant::now();
    let mut program = Program::start(transport, data)?;
    program.caught_up()?;
    let seconds = begun.elapsed().as_secs_f64();
    let per_100k = |cpu: f64| cpu / events as f64 * 100_000.0;
    let services = per_100k(process::cpu_seconds(program.pid()));
    let broker = per_100k(transport.broker_cpu() - broker_before);
    let backlog = Backlog {
        events,
        bytes,
        seconds,
        events_per_second: events as f64 / seconds,
        cpu_services_per_100k: services,
        cpu_broker_per_100k: broker,
        cpu_per_100k: services + broker,
        peak_mib: process::peak_mib(program.pid()),
    };
    Ok((program, backlog))
}

fn freshness(args: &Args, transport: &Transport, program: &mut Program) -> Result<Freshness, Failure> {
    let mut workload = load::workload(2, args.rate * args.freshness_seconds * 2)?;
    let (pid, every) = (program.pid(), (args.freshness_seconds / MEMORY_SAMPLES).max(1));
    let (before, mut memory) = (process::cpu_seconds(pid), Vec::new());
    let mut look = |elapsed: Duration| {
        if elapsed.as_secs() >= memory.len() as u64 * every {
            memory.push(Memory { after_s: elapsed.as_secs(), resident_mib: process::resident_mib(pid) });
        }
    };
    match &transport.broker {
        Some(_) => {
            let bus = transport.bus(Path::new(""))?;
            load::steady(bus.publisher()?.as_ref(), &mut workload, args.rate, args.freshness_seconds, &mut look)?;
        }
        // Only its own process may open an embedded log: publish as everybody does, over HTTP.
        None => load::steady(&load::OverHttp::new(Program::url()), &mut workload, args.rate, args.freshness_seconds, &mut look)?,
    }
    let spent = process::cpu_seconds(pid) - before;
    let status = program.caught_up()?;
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    let seconds = args.freshness_seconds as f64;
    Ok(Freshness {
        rate: args.rate,
        p50_ms: status.freshness.p50_ms,
        p99_ms: status.freshness.p99_ms,
        n: status.freshness.samples,
        cpu_per_second: spent / seconds,
        resident_mib: process::resident_mib(pid),
        memory,
    })
}
