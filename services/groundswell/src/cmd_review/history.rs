//! `review history`: verdicts that were given on a version.

use groundswell_index::verdicts::History;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, print, print_json, table};

/// Which verdicts.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell review history payments v2
  groundswell review history payments v2 --baseline v1 --limit 5 --format json

Every verdict that `review`, `gate` or the server gives is kept once; the same question on the same data is the same verdict.")]
pub struct Args {
    /// The API
    pub api: String,
    /// The version
    pub version: String,
    /// Only against this version
    #[arg(long, value_name = "VERSION")]
    pub baseline: Option<String>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
}

const COLUMNS: [&str; 8] = ["asked", "baseline", "until", "day", "verdict", "why", "guardrails", "checkpoint"];

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let mut query = vec![("limit", args.limit.to_string())];
    query.extend(args.baseline.clone().map(|baseline| ("baseline", baseline)));
    let client = Client::find(global)?;
    let history: History = client.get(&["v1", "apis", &args.api, "versions", &args.version, "verdicts"], &query)?;
    client.finish()?;
    let format = Format::choose(global.format);
    if format == Format::Json {
        return print_json(&history);
    }
    let mut rows = table(format, &COLUMNS);
    for given in &history.verdicts {
        let review = &given.review;
        let cells = [
            given.asked.clone(),
            review.baseline.clone(),
            review.until.clone(),
            review.days_on_candidate.to_string(),
            review.verdict.name().to_owned(),
            review.reason.clone(),
            given.told(),
            review.provenance.data.checkpoint.clone(),
        ];
        rows.add_row(cells.map(|cell| clean(&cell)));
    }
    print(&format!("{}{} kept\n", lines(&rows), history.kept))
}
