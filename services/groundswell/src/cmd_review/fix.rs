//! `review fix`: whether a version mended what consumers asked for.

use groundswell_index::fix::{FixReview, sections as sections_of};
use groundswell_index::summary::render::sections_markdown_at;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};

/// What was to be mended, and where.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell review fix catalog 2026-03-01 --search 'page AND (skip* OR missing)'
  groundswell review fix catalog 2026-03-01 --theme th_4f2a --format md

Those who asked before the version was there are held against each other: who has moved, and who has not.
docs/statistics.md says how.")]
pub struct Args {
    /// The API
    pub api: String,
    /// The version that should have mended it
    pub version: String,
    /// A theme that people asked for
    #[arg(long, value_name = "ID", conflicts_with = "search", required_unless_present = "search")]
    pub theme: Option<String>,
    /// A search that finds what people asked for
    #[arg(long, value_name = "SEARCH")]
    pub search: Option<String>,
    /// From this day or RFC 3339 time on [default: 90 days before the release]
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time [default: the end of the data]
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let options = [("q", &args.search), ("theme", &args.theme), ("since", &args.since), ("until", &args.until)];
    let query: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let client = Client::find(global)?;
    let fix: FixReview = client.get(&["v1", "apis", &args.api, "versions", &args.version, "fix"], &query)?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&fix),
        Format::Md => print(&sections_markdown_at(&sections_of(&fix), 2)),
        Format::Table => print(&sections(&sections_of(&fix))),
    }
}
