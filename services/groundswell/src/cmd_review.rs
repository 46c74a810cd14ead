//! `review`: a tested verdict on a version for a person to read, with what changed; whether a fix worked; how verdicts changed over time.

mod fix;
mod history;

use std::path::PathBuf;

use groundswell_index::changes::{sections as sections_of, types::Changes};
use groundswell_index::summary::render::sections_markdown_at;
use groundswell_review::gate::Overrides;
use groundswell_review::{Review, render};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};
use crate::verdict::{Question, ask, policy, show};

/// What is reviewed.
#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  groundswell review payments v2 --baseline v1
  groundswell review payments v2 --baseline v1 --format md > review.md
  groundswell review payments v2 --baseline v1 --until 2026-03-01      as it stood then
  groundswell review fix payments v2 --search '\"page skips\"'           did v2 mend it for those who asked?
  groundswell review history payments v2                               how the verdict changed over time

`groundswell gate` asks the same and gives an exit code. docs/statistics.md says how a verdict is reached."
)]
pub struct Args {
    #[command(subcommand)]
    pub other: Option<Other>,
    /// The API
    #[arg(required = true)]
    pub api: Option<String>,
    /// The version under review
    #[arg(required = true)]
    pub version: Option<String>,
    /// The version it is compared with
    #[arg(long, value_name = "VERSION", required = true)]
    pub baseline: Option<String>,
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

/// Other questions about a version.
#[derive(Debug, clap::Subcommand)]
pub enum Other {
    /// Whether a version mended what consumers asked for: those who asked and moved against those who have not moved
    Fix(fix::Args),
    /// Verdicts that were given, newest first
    History(history::Args),
}

/// The verdict, and what changed: the JSON of `review`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reviewed {
    /// The verdict.
    #[serde(flatten)]
    pub review: Review,
    /// What changed from the baseline.
    pub changes: Changes,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    match &args.other {
        Some(Other::Fix(args)) => return fix::run(global, args),
        Some(Other::History(args)) => return history::run(global, args),
        None => {}
    }
    let policy = policy(args.policy.as_deref(), Overrides::default())?;
    // The command line has all three where nothing else is asked.
    let question = Question {
        api: args.api.clone().unwrap_or_default(),
        version: args.version.clone().unwrap_or_default(),
        baseline: args.baseline.clone().unwrap_or_default(),
        since: args.since.clone(),
        until: args.until.clone(),
    };
    let client = Client::find(global)?;
    let review = ask(&client, &question, &policy)?;
    let path = ["v1", "apis", &question.api, "versions", &question.version, "changes"];
    let changes: Changes = client.get(&path, &question.query())?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&Reviewed { review, changes }),
        Format::Md => print(&format!("{}\n{}", render::markdown(&review), sections_markdown_at(&sections_of(&changes), 3))),
        Format::Table => {
            show(&review, Format::Table)?;
            print(&sections(&sections_of(&changes)))
        }
    }
}
