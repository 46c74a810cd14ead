//! `status`: where every service stands.

use std::time::Duration;

use groundswell_runtime::status::Status;

use crate::cli::{Global, Status as Args};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, lines, print, print_json, table, thousands};
use crate::progress;

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let client = Client::find(global)?;
    let status: Status = match args.wait {
        Some(seconds) => progress::catch_up(&client, "waiting until everything is searchable", Duration::from_secs(seconds))?,
        None => client.get(&["v1", "status"], &[])?,
    };
    client.finish()?;
    match Format::choose(global.format) {
        Format::Json => print_json(&status),
        format => print(&render(&status, format)),
    }
}

fn render(status: &Status, format: Format) -> String {
    let caught_up = if status.caught_up {
        "everything that was published is searchable"
    } else {
        "not everything that was published is searchable yet"
    };
    let mut text = format!("groundswell {} on {}: {caught_up}\n", status.version, status.transport);
    let fresh = &status.freshness;
    if let (Some(newest), Some(p50), Some(p99)) = (&fresh.newest_received, fresh.p50_ms, fresh.p99_ms) {
        text += &format!(
            "newest searchable feedback received {newest}; searchable after {p50} ms (median), {p99} ms (99 %), of the last {}\n",
            thousands(fresh.samples as u64)
        );
    }
    let mut lag = table(format, &["service", "topic", "partition", "done up to", "end", "waiting"]);
    for one in &status.lag {
        lag.add_row([
            one.group.clone(),
            one.topic.clone(),
            one.partition.to_string(),
            thousands(one.committed),
            thousands(one.high),
            thousands(one.waiting),
        ]);
    }
    text + &lines(&lag)
}

#[cfg(test)]
mod tests {
    use groundswell_runtime::FreshnessReport;
    use groundswell_runtime::status::Lag;

    use super::*;

    #[test]
    fn what_lags_is_shown() {
        let lag =
            Lag { group: "index".into(), topic: "groundswell.insights".into(), partition: 2, committed: 10, high: 1_510, waiting: 1_500 };
        let status = Status {
            caught_up: false,
            lag: vec![lag],
            freshness: FreshnessReport::default(),
            version: "0".into(),
            transport: "kafka".into(),
        };
        let text = render(&status, Format::Md);
        assert!(text.contains("not everything") && text.contains("1,500") && text.contains("groundswell.insights"), "{text}");
    }
}
