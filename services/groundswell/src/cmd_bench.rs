//! `bench`: the whole pipeline on the workload of the benchmark page, and a peer beside it in the same run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use groundswell_runtime::settings::Transport;
use serde::Serialize;

use crate::bench::{self, Backlog, Freshness, Peer, Queries};
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{self, Format};

/// What to measure.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell bench                                             embedded log
  groundswell bench --transport kafka                           starts a broker with deploy/kafka/kafka.sh
  groundswell bench --transport kafka --events 200000,2000000 --peer --format json

CPU and memory are read from /proc, so this runs on Linux only.")]
pub struct Args {
    /// Which transport carries the events
    #[arg(long, value_enum, default_value_t = Carrier::Embedded)]
    pub transport: Carrier,
    /// Events of the backlog; several numbers give several rounds
    #[arg(long, value_delimiter = ',', default_value = "200000", value_name = "N")]
    pub events: Vec<u64>,
    /// Events a second while freshness is measured
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub rate: u64,
    /// Seconds for which freshness is measured; 0 leaves it out
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub freshness_seconds: u64,
    /// Searches and summaries asked
    #[arg(long, default_value_t = 2000, value_name = "N")]
    pub queries: usize,
    /// Events that warm the broker's Java up on topics of their own, before anything is measured (Kafka only); 0 leaves it out
    #[arg(long, default_value_t = 200_000, value_name = "N")]
    pub warm: u64,
    /// Measure the Python peer on the same events too (Kafka only; installs it into a virtual environment, starts OpenSearch)
    #[arg(long)]
    pub peer: bool,
    /// Folder of the repository, for the scripts that start broker and peer
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub repository: PathBuf,
}

/// A transport as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// The embedded log.
    Embedded,
    /// A real Kafka.
    Kafka,
}

impl From<Carrier> for Transport {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Embedded => Self::Embedded,
            Carrier::Kafka => Self::Kafka,
        }
    }
}

/// Everything that was measured.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Report {
    /// `embedded` or `kafka`.
    pub transport: &'static str,
    /// One for each size of the backlog.
    pub rounds: Vec<Round>,
}

/// One size of the backlog.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Round {
    /// Backlog until searchable.
    pub backlog: Backlog,
    /// At a steady rate.
    pub freshness: Option<Freshness>,
    /// Questions to the index of this round.
    pub queries: Queries,
    /// The peer on the same topics.
    pub peer: Option<Peer>,
    /// Ours over the peer's: events per second, and CPU seconds.
    pub ratio: Option<BTreeMap<&'static str, f64>>,
}

/// Measures.
///
/// # Errors
/// A process can't be started or does not answer.
pub fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    if args.peer && args.transport == Carrier::Embedded {
        return Err(Failure::wrong_use("--peer reads from Kafka: add --transport kafka"));
    }
    let mut rounds = Vec::new();
    for events in &args.events {
        rounds.push(bench::round(args, *events)?);
    }
    let report = Report { transport: if args.transport == Carrier::Kafka { "kafka" } else { "embedded" }, rounds };
    match Format::choose(global.format) {
        Format::Json => output::print_json(&report),
        format => output::print(&bench::table(&report, format)),
    }
}
