//! `consumers`: who uses a version, how they came and went, and who is in pain.

use groundswell_index::journeys::types::{ConsumersPage, PainReport};
use groundswell_index::summary::render::{Section, consumers_sections, pain_sections, sections_markdown};
use serde::Serialize;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};

/// Which consumers.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell consumers payments v1 --still-on --sort revenue      who has not moved yet, and what they bring
  groundswell consumers payments v1 --moved-to v2
  groundswell consumers payments v2 --went-back --wrote
  groundswell consumers payments v2 --pain --baseline v1           whose errors rose, and who never wrote
  groundswell consumers payments v2 --silent --min-calls 1000 --format json | jq -r '.consumers[].consumer'

docs/journeys.md says what the words mean.")]
pub struct Args {
    /// The API
    pub api: String,
    /// The API version
    pub version: String,
    /// Those who still call it
    #[arg(long, conflicts_with = "gone")]
    pub still_on: bool,
    /// Those who call it no more
    #[arg(long)]
    pub gone: bool,
    /// Those who came to this version after it
    #[arg(long, value_name = "VERSION")]
    pub moved_to: Option<String>,
    /// Those who went back to an older version
    #[arg(long)]
    pub went_back: bool,
    /// Those who wrote nothing about the API
    #[arg(long, conflicts_with = "wrote")]
    pub silent: bool,
    /// Those who wrote about the API
    #[arg(long)]
    pub wrote: bool,
    /// Those with so many calls
    #[arg(long, value_name = "N")]
    pub min_calls: Option<u64>,
    /// Count from this day or RFC 3339 time on
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Look at what was before this day or RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Order [default: calls]
    #[arg(long, value_parser = ["calls", "errors", "revenue", "last", "first"])]
    pub sort: Option<String>,
    /// Rows on a page [default: 50]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The `next_cursor` of the page before
    #[arg(long)]
    pub cursor: Option<String>,
    /// The older version that consumers come from [default: every older one]
    #[arg(long, value_name = "VERSION")]
    pub baseline: Option<String>,
    /// Days without a call after which a consumer counts as gone [default: by its own rhythm]
    #[arg(long, value_name = "DAYS")]
    pub gone_after: Option<u32>,
    /// Instead: those whose errors or rate limits rose on it, and whether they wrote
    #[arg(long, conflicts_with_all = ["still_on", "gone", "moved_to", "went_back", "silent", "wrote", "min_calls", "sort", "cursor"])]
    pub pain: bool,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let path = |what| ["v1", "apis", args.api.as_str(), "versions", args.version.as_str(), what];
    let format = Format::choose(global.format);
    if args.pain {
        let report: PainReport = client.get(&path("pain"), &options(args))?;
        client.finish()?;
        return show(&report, &pain_sections(&report), format);
    }
    let page: ConsumersPage = client.get(&path("consumers"), &options(args))?;
    client.finish()?;
    show(&page, &consumers_sections(&page), format)
}

fn options(args: &Args) -> Vec<(&'static str, String)> {
    let text = |n: Option<u64>| n.map(|n| n.to_string());
    let flags =
        [("still_on", args.still_on), ("gone", args.gone), ("went_back", args.went_back), ("silent", args.silent), ("wrote", args.wrote)];
    let values = [
        ("moved_to", args.moved_to.clone()),
        ("min_calls", text(args.min_calls)),
        ("since", args.since.clone()),
        ("until", args.until.clone()),
        ("sort", args.sort.clone()),
        ("limit", args.limit.map(|n| n.to_string())),
        ("cursor", args.cursor.clone()),
        ("baseline", args.baseline.clone()),
        ("gone_after", text(args.gone_after.map(u64::from))),
    ];
    let flags = flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| (name, "true".to_owned()));
    flags.chain(values.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
}

fn show(answer: &impl Serialize, rows: &[Section], format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(answer),
        Format::Md => print(&sections_markdown(rows)),
        Format::Table => print(&sections(rows)),
    }
}
