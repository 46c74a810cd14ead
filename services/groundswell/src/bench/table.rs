//! The report for people.

use crate::bench::Percentiles;
use crate::cmd_bench::{Report, Round};
use crate::output::{self, Format};

/// A table, or Markdown, of everything that was measured.
pub fn table(report: &Report, format: Format) -> String {
    report.rounds.iter().map(|round| one(report.transport, round, format)).collect::<Vec<_>>().join("\n")
}

fn one(transport: &str, round: &Round, format: Format) -> String {
    let backlog = &round.backlog;
    let peer = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}"));
    let mut table = output::table(format, &[&format!("{} events, {transport}", backlog.events), "Groundswell", "peer"]);
    let p = round.peer.as_ref();
    let mut row = |name: &str, ours: String, theirs: String| {
        table.add_row([name.to_owned(), ours, theirs]);
    };
    row("events/s", format!("{:.0}", backlog.events_per_second), peer(p.map(|p| p.events_per_second)));
    row("CPU s per 100k events, all processes", format!("{:.2}", backlog.cpu_per_100k), peer(p.map(|p| p.cpu_per_100k)));
    row("  of it services", format!("{:.2}", backlog.cpu_services_per_100k), peer(p.map(|p| p.cpu_peer_per_100k)));
    row("  of it broker", format!("{:.2}", backlog.cpu_broker_per_100k), peer(p.map(|p| p.cpu_broker_per_100k)));
    row("  of it OpenSearch", "–".to_owned(), peer(p.map(|p| p.cpu_opensearch_per_100k)));
    row("peak memory, MiB", format!("{:.0}", backlog.peak_mib), peer(p.map(|p| p.peak_mib)));
    if let Some(f) = &round.freshness {
        let ms = |value: Option<u32>| value.map_or_else(|| "–".to_owned(), |v| v.to_string());
        row(&format!("freshness at {} events/s, p50/p99 ms", f.rate), format!("{}/{}", ms(f.p50_ms), ms(f.p99_ms)), "–".to_owned());
    }
    let q = &round.queries;
    let of = |p: &Percentiles| format!("{:.2}/{:.2}", p.p50_ms, p.p99_ms);
    row("search of all, in process, p50/p99 ms", of(&q.search_in_process), "–".to_owned());
    row("search of all, over HTTP, p50/p99 ms", of(&q.search_http), "–".to_owned());
    row("search of one API, in process, p50/p99 ms", of(&q.search_api_in_process), "–".to_owned());
    row("search of one API, over HTTP, p50/p99 ms", of(&q.search_api_http), "–".to_owned());
    row(
        &format!("summary of {} calls, p50/p99 ms", q.summary_calls),
        format!("{:.1}/{:.1}", q.summary_http.p50_ms, q.summary_http.p99_ms),
        "–".to_owned(),
    );
    format!("{}\n", table.trim_fmt())
}
