//! `apis`: the APIs and versions there are.

use groundswell_index::summary::types::{ApisOverview, Lifecycle, Unit};

use crate::cli::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::figures::maybe;
use crate::output::{Format, clean, lines, print, print_json, table, thousands};

/// Runs it.
pub fn run(global: &Global) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let overview: ApisOverview = client.get(&["v1", "apis"], &[])?;
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&overview),
        format => print(&render(&overview, format)),
    }
}

fn render(overview: &ApisOverview, format: Format) -> String {
    if overview.apis.is_empty() {
        return "nothing yet: publish events with `groundswell send`, or see `groundswell demo`\n".into();
    }
    let mut rows = table(format, &["api", "version", "stage", "calls", "share of calls", "consumers", "feedback", "last seen"]);
    for api in &overview.apis {
        for version in &api.versions {
            rows.add_row([
                clean(&api.api),
                clean(&version.version),
                stage(&version.lifecycle),
                thousands(version.calls),
                maybe(version.share_of_calls, Unit::Share),
                thousands(version.consumers),
                thousands(version.feedback),
                version.last_seen.as_deref().unwrap_or_default().chars().take(10).collect(),
            ]);
        }
    }
    lines(&rows)
}

/// The stage with its day, as the catalogue says.
pub fn stage(lifecycle: &Lifecycle) -> String {
    let day = |time: &Option<String>| time.as_deref().map(|t| format!(" {}", t.chars().take(10).collect::<String>())).unwrap_or_default();
    match lifecycle.stage.as_deref() {
        None => "not declared".into(),
        Some("released") => format!("released{}", day(&lifecycle.released)),
        Some("deprecated") => format!("deprecated{}", day(&lifecycle.deprecated)),
        Some("sunset") => format!("sunset{}", day(&lifecycle.sunset)),
        Some(other) => clean(other),
    }
}

#[cfg(test)]
mod tests {
    use groundswell_index::summary::types::{ApiOverview, Figure, VersionOverview};

    use super::*;

    #[test]
    fn an_empty_index_says_what_to_do() {
        assert!(render(&ApisOverview::default(), Format::Table).contains("groundswell send"));
    }

    #[test]
    fn every_version_is_a_row() {
        let version = |name: &str| VersionOverview {
            version: name.into(),
            lifecycle: Lifecycle { stage: Some("released".into()), released: Some("2026-01-02T00:00:00Z".into()), ..Lifecycle::default() },
            calls: 12_345,
            share_of_calls: Some(0.5),
            consumers: 3,
            feedback: 0,
            first_seen: None,
            last_seen: None,
        };
        let api = ApiOverview {
            api: "pay\u{1b}ments".into(),
            calls: 1,
            consumers: 1,
            feedback: 0,
            unresolved: Figure::default(),
            versions: vec![version("v2"), version("v1")],
        };
        let text = render(&ApisOverview { apis: vec![api] }, Format::Md);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("| pay ments") && text.contains("released 2026-01-02") && text.contains("12,345") && text.contains("50.0 %"), "{text}");
    }
}
