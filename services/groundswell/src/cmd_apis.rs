//! `apis`: the APIs and versions there are.

use groundswell_index::summary::render;
use groundswell_index::summary::types::ApisOverview;

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print, print_json, sections};

/// Runs it.
pub fn run(global: &Global) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let overview: ApisOverview = client.get(&["v1", "apis"], &[])?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&overview),
        _ if overview.apis.is_empty() => print("nothing yet: publish events with `groundswell send`, or see `groundswell demo`\n"),
        Format::Md => print(&render::overview_markdown(&overview)),
        Format::Table => print(&sections(&render::overview_sections(&overview))),
    }
}
