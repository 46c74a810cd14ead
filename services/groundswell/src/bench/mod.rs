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

use groundswell_bus::{Bus, EmbeddedBus, EmbeddedSettings, KafkaBus, KafkaSettings, Stop, TopicSettings};
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
const LISTEN: &str = "127.0.0.1:29780";

/// From the start of the program with everything waiting in the source topics, until everything is searchable.
#[derive(Debug, Serialize)]
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

/// From the receipt of an event until it is searchable, at a steady rate.
#[derive(Debug, Serialize)]
pub struct Freshness {
    /// Events a second.
    pub rate: u64,
    /// Half of them were searchable within.
    pub p50_ms: Option<u32>,
    /// 99 of 100 were.
    pub p99_ms: Option<u32>,
    /// Measurements.
    pub n: usize,
    /// Memory at the end, MiB.
    pub resident_mib: f64,
}

/// What carries the events of one round.
struct Transport {
    broker: Option<Broker>,
}

impl Transport {
    fn start(args: &Args, folder: &Path) -> Result<Self, Failure> {
        let broker = match args.transport {
            Carrier::Kafka => Some(Broker::start(&args.repository, folder)?),
            Carrier::Embedded => None,
        };
        Ok(Self { broker })
    }

    fn bus(&self, data: &Path) -> Result<Arc<dyn Bus>, Failure> {
        let topics = TopicSettings::default();
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

/// The program under measurement, as a process of its own.
struct Program(Child);

impl Program {
    fn start(transport: &Transport, data: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe().map_err(|e| Failure::failed(e.to_string()))?);
        command.args(["up", "--listen", LISTEN, "--data"]).arg(data).env("GROUNDSWELL__LOG__LEVEL", "warn");
        if let Some(broker) = &transport.broker {
            command.env("GROUNDSWELL__TRANSPORT", "kafka").env("GROUNDSWELL__KAFKA__BOOTSTRAP", &broker.bootstrap);
        }
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
    let transport = Transport::start(args, folder.path())?;
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
    match &transport.broker {
        Some(_) => {
            let bus = transport.bus(Path::new(""))?;
            load::steady(bus.publisher()?.as_ref(), &mut workload, args.rate, args.freshness_seconds)?;
        }
        // Only its own process may open an embedded log: publish as everybody does, over HTTP.
        None => load::steady(&load::OverHttp::new(Program::url()), &mut workload, args.rate, args.freshness_seconds)?,
    }
    let status = program.caught_up()?;
    Ok(Freshness {
        rate: args.rate,
        p50_ms: status.freshness.p50_ms,
        p99_ms: status.freshness.p99_ms,
        n: status.freshness.samples,
        resident_mib: process::resident_mib(program.pid()),
    })
}
