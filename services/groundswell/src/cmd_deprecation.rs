//! `deprecation`: how ready a version is to be switched off.

use std::path::PathBuf;

use groundswell_index::deprecation::{markdown, sections as sections_of, types::Readiness};
use groundswell_review::Policy;
use groundswell_review::gate::Overrides;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};
use crate::verdict::policy;

/// What is asked.
#[derive(Debug, clap::Subcommand)]
pub enum Deprecation {
    /// Who still calls a version, with what, what they say about moving, and when that will end
    #[command(after_help = "Examples:
  groundswell deprecation status payments v1
  groundswell deprecation status payments v1 --format json | jq '.callers[].consumer'

`groundswell gate payments v1 --safe-to-remove` gives an exit code. The section [removal] of a policy says what must hold.")]
    Status(Status),
}

/// Of which version.
#[derive(clap::Args, Debug)]
pub struct Status {
    /// The API
    pub api: String,
    /// The version
    pub version: String,
    /// Policy [default: groundswell.gate.toml in this folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, command: &Deprecation) -> Result<(), Failure> {
    let Deprecation::Status(args) = command;
    let policy = policy(args.policy.as_deref(), Overrides::default())?;
    let client = Client::find(global)?;
    let readiness = ask(&client, &args.api, &args.version, &policy)?;
    client.finish()?;
    show(&readiness, Format::choose(global.format))
}

/// Asks a server.
pub fn ask(client: &Client, api: &str, version: &str, policy: &Policy) -> Result<Readiness, Failure> {
    let text = policy.to_toml().map_err(|e| Failure::failed(e.to_string()))?;
    client.post_text(&["v1", "apis", api, "versions", version, "deprecation"], &[], "application/toml", text)
}

/// Shows the answer.
pub fn show(readiness: &Readiness, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(readiness),
        Format::Md => print(&markdown(readiness, 2)),
        Format::Table => print(&sections(&sections_of(readiness))),
    }
}
