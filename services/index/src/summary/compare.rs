//! Two versions side by side: described, not judged.

use groundswell_stats::{difference, ratio};

use super::figure::{estimate, of_count, plain};
use super::types::{ComparedFigure, Comparison, Figure, Summary, Unit};

const NOTE: &str = "A description, not a verdict: intervals are of 95 % each and of each figure alone, and the two versions often share \
                    consumers. Looking at many figures shows some that differ by chance.";

/// A figure of both versions before they are compared.
struct Row {
    name: &'static str,
    title: &'static str,
    unit: Unit,
    /// Whether one over the other means something.
    ratio: bool,
    of: fn(&Summary) -> Figure,
}

const ROWS: [Row; 15] = [
    row("feedback.per_10k_calls", "Feedback per 10,000 calls", Unit::Rate, true, |s| s.feedback.per_10k_calls.clone()),
    row("feedback.per_100_consumers", "Feedback per 100 active consumers", Unit::Rate, true, |s| s.feedback.per_100_consumers.clone()),
    row("nps", "NPS", Unit::Score, false, |s| s.nps.score.clone()),
    row("csat", "CSAT (1 to 5)", Unit::Score, false, |s| s.csat.mean.clone()),
    row("csat.satisfied", "Satisfied (4 or 5)", Unit::Share, true, |s| s.csat.satisfied.clone()),
    row("ces", "CES (1 to 7)", Unit::Score, false, |s| s.ces.mean.clone()),
    row("rating", "Rating (share of its scale)", Unit::Share, false, |s| s.rating.mean.clone()),
    row("usage.error_rate", "Error rate", Unit::Share, true, |s| s.usage.error_rate.clone()),
    row("usage.server_error_rate", "Server error rate", Unit::Share, true, |s| s.usage.server_error_rate.clone()),
    row("usage.latency.p50_ms", "Latency p50", Unit::Milliseconds, true, |s| plain(s.usage.latency.p50_ms, s.usage.latency.n)),
    row("usage.latency.p95_ms", "Latency p95", Unit::Milliseconds, true, |s| plain(s.usage.latency.p95_ms, s.usage.latency.n)),
    row("usage.latency.p99_ms", "Latency p99", Unit::Milliseconds, true, |s| plain(s.usage.latency.p99_ms, s.usage.latency.n)),
    row("consumers.time_to_first_success.median_seconds", "Time to first success, median", Unit::Seconds, true, |s| {
        plain(s.consumers.time_to_first_success.median_seconds, s.consumers.time_to_first_success.n)
    }),
    row("consumers.time_to_first_success.first_call_failed", "First call failed", Unit::Share, true, |s| {
        s.consumers.time_to_first_success.first_call_failed.clone()
    }),
    row("consumers.adoption", "Adoption (share of the API's consumers)", Unit::Share, false, |s| s.consumers.adoption.clone()),
];

const fn row(name: &'static str, title: &'static str, unit: Unit, ratio: bool, of: fn(&Summary) -> Figure) -> Row {
    Row { name, title, unit, ratio, of }
}

pub(super) fn compare(this: &Summary, baseline: &Summary) -> Comparison {
    Comparison {
        version: baseline.version.clone(),
        lifecycle: baseline.lifecycle.clone(),
        figures: ROWS.iter().map(|row| compared(row, (row.of)(this), (row.of)(baseline))).collect(),
        note: NOTE.to_owned(),
    }
}

fn compared(row: &Row, this: Figure, baseline: Figure) -> ComparedFigure {
    let both = estimate(&this).zip(estimate(&baseline));
    let n = this.n.min(baseline.n);
    ComparedFigure {
        name: row.name.to_owned(),
        title: row.title.to_owned(),
        unit: row.unit,
        difference: of_count(both.map(|(a, b)| difference(a, b)), n),
        ratio: row.ratio.then(|| of_count(both.and_then(|(a, b)| ratio(a, b)), n)),
        this,
        baseline,
    }
}
