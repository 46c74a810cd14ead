//! `version` and `index`: what is stored of one version, and the index as a whole.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use groundswell_index::http::{Dropped, Rebuilt};
use groundswell_index::rebuild::Rebuilding;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, print, print_json, thousands};
use crate::progress;

/// What to do with a version.
#[derive(clap::Subcommand, Debug)]
pub enum VersionCommand {
    /// Write all feedback of a version, one JSON object a line, each as a search gives it
    #[command(after_help = "Examples:
  groundswell version export payments v2 > v2.jsonl
  groundswell version export payments v2 --out v2.jsonl
  groundswell version export payments unknown | jq .title

Oldest first, with the whole redacted text. Usage is not in it: `groundswell summary` and `groundswell consumers` say what is known of that.")]
    Export(Export),
    /// Make the index forget a version: its feedback and its usage
    #[command(after_help = "Examples:
  groundswell version drop payments 2024-01-01

Only the index forgets. The insights topic keeps everything, so a rebuild (`groundswell index rebuild`, and the one that a new layout of the
index or a damaged store makes necessary) brings the version back, and so does feedback or usage that comes later, from then on.
Needs a key with the scope admin.")]
    Drop(Named),
}

/// What to do with the index.
#[derive(clap::Subcommand, Debug)]
pub enum IndexCommand {
    /// Read all insights again into new stores beside those that answer, then swap
    #[command(after_help = "Examples:
  groundswell index rebuild

Searches stay whole meanwhile, and the disk needs room for one partition twice. Dropped versions come back. Needs a key with the scope admin.")]
    Rebuild,
}

/// A version of an API.
#[derive(clap::Args, Debug)]
pub struct Named {
    /// The API
    pub api: String,
    /// The version, or `unknown`
    pub version: String,
}

/// Where an export goes.
#[derive(clap::Args, Debug)]
pub struct Export {
    #[command(flatten)]
    pub named: Named,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Runs `version`.
pub fn version(global: &Global, command: &VersionCommand) -> Result<(), Failure> {
    let client = Client::find(global)?;
    match command {
        VersionCommand::Export(args) => export(&client, args)?,
        VersionCommand::Drop(named) => {
            let dropped: Dropped = client.delete(&["v1", "apis", &named.api, "versions", &named.version])?;
            match Format::choose(global.format) {
                Format::Json => print_json(&dropped)?,
                _ => print(&format!("{} {} dropped: {}\n", clean(&named.api), clean(&named.version), dropped.note))?,
            }
        }
    }
    client.finish()
}

fn export(client: &Client, args: &Export) -> Result<(), Failure> {
    let Named { api, version } = &args.named;
    let path = ["v1", "apis", api, "versions", version, "export"];
    let Some(file) = &args.out else { return client.copy(&path, &mut std::io::stdout().lock()) };
    let failed = |e: std::io::Error| Failure::failed(format!("can't write {}: {e}", file.display()));
    // Asked before the file is touched: what is not there leaves what was there before.
    let mut answer = client.open(&path)?;
    let mut out = BufWriter::new(File::create(file).map_err(failed)?);
    answer.copy_to(&mut out).map_err(|e| Failure::failed(format!("the export ended early: {e}")))?;
    out.flush().map_err(failed)
}

/// Runs `index`.
pub fn index(global: &Global, command: &IndexCommand) -> Result<(), Failure> {
    let IndexCommand::Rebuild = command;
    let client = Client::find(global)?;
    let path = ["v1", "index", "rebuild"];
    let asking = client.beside();
    let far = move || asking.get::<Rebuilding>(&path, &[]).ok().filter(|now| now.running).map(|now| (now.read, now.of));
    let rebuilt: Rebuilt = progress::beside("rebuilding the index", || client.post_patiently(&path, &[], Vec::new()), far)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&rebuilt),
        _ => print(&format!("rebuilt from {} records\n", thousands(rebuilt.records))),
    }
}
