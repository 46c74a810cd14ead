//! `review`: a tested verdict on a version, for a person to read.

use std::path::PathBuf;

use groundswell_review::gate::Overrides;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Format;
use crate::verdict::{Question, ask, policy, show};

/// What is reviewed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell review payments v2 --baseline v1
  groundswell review payments v2 --baseline v1 --format md > review.md
  groundswell review payments v2 --baseline v1 --until 2026-03-01      as it stood then

`groundswell gate` asks the same and gives an exit code. docs/statistics.md says how a verdict is reached.")]
pub struct Args {
    /// The API
    pub api: String,
    /// The version under review
    pub version: String,
    /// The version it is compared with
    #[arg(long, value_name = "VERSION")]
    pub baseline: String,
    /// From this day or RFC 3339 time on [default: 28 days before the version's first]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time [default: the end of the data]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Policy [default: groundswell.gate.toml in this folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let policy = policy(args.policy.as_deref(), Overrides::default())?;
    let question = Question {
        api: args.api.clone(),
        version: args.version.clone(),
        baseline: args.baseline.clone(),
        since: args.since.clone(),
        until: args.until.clone(),
    };
    let client = Client::find(global)?;
    let review = ask(&client, &question, &policy)?;
    client.finish()?;
    show(&review, Format::choose(global.format))
}
