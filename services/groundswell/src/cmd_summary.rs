//! `summary`: what one version's consumers said and did.

use groundswell_index::summary::render;
use groundswell_index::summary::types::Summary;

use crate::cli::{Global, Summary as Args};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let summary = ask(&client, args)?;
    client.finish()?;
    show(&summary, Format::choose(global.format))
}

/// Asks for a summary.
pub fn ask(client: &Client, args: &Args) -> Result<Summary, Failure> {
    let options = [("baseline", &args.baseline), ("since", &args.since), ("until", &args.until)];
    let mut query: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    query.extend(args.strict.then(|| ("counting", "strict".to_owned())));
    client.get(&["v1", "apis", &args.api, "versions", &args.version, "summary"], &query)
}

/// Shows a summary.
pub fn show(summary: &Summary, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(summary),
        Format::Md => print(&render::markdown(summary)),
        Format::Table => print(&sections(&render::sections(summary))),
    }
}
