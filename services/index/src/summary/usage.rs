//! What was used, as figures.

use std::collections::BTreeMap;

use groundswell_model::Day;
use groundswell_stats::quantile;

use super::figure::{from_millionths, money, real, share, tidy};
use super::types::{ConsumerFigures, LatencyFigures, OperationFigures, TimeToFirstSuccess, TrendDay, UsageFigures, ValueEvents};
use super::usage_data::{ENOUGH_CALLS, OperationUsage, UsageData};
use crate::search::FeedbackStats;

pub(super) fn usage(data: &UsageData, feedback: &FeedbackStats) -> UsageFigures {
    let counts = data.counts;
    let operations = |worst: &[OperationUsage]| worst.iter().map(|o| operation(o, feedback)).collect();
    UsageFigures {
        calls: counts.calls,
        failed: counts.failed,
        server_errors: counts.server_errors,
        rate_limited: counts.rate_limited,
        error_rate: share(counts.failed, counts.calls),
        server_error_rate: share(counts.server_errors, counts.calls),
        rate_limited_rate: share(counts.rate_limited, counts.calls),
        latency: latency(data),
        revenue: money(&data.revenue),
        value: data
            .value
            .iter()
            .map(|(n, (count, m))| ValueEvents { name: n.clone(), count: *count, amount: from_millionths(*m) })
            .collect(),
        operations: data.operations,
        worst_by_failures: operations(&data.worst_by_failures),
        worst_by_error_rate: operations(&data.worst_by_error_rate),
        enough_calls: ENOUGH_CALLS,
    }
}

fn latency(data: &UsageData) -> LatencyFigures {
    let at = |q| data.latency.quantile(q).map(tidy);
    LatencyFigures { p50_ms: at(0.5), p90_ms: at(0.9), p95_ms: at(0.95), p99_ms: at(0.99), n: data.latency.count() }
}

fn operation(data: &OperationUsage, feedback: &FeedbackStats) -> OperationFigures {
    OperationFigures {
        operation: data.operation.clone(),
        calls: data.calls,
        failed: data.failed,
        error_rate: share(data.failed, data.calls),
        p95_ms: data.p95_ms.map(tidy),
        consumers: data.consumers,
        consumers_affected: data.affected,
        revenue_affected: money(&data.revenue_affected),
        feedback: feedback.by_operation.get(&data.operation).map_or(0, |tally| tally.count),
    }
}

pub(super) fn consumers(data: &UsageData) -> ConsumerFigures {
    ConsumerFigures {
        active: data.active,
        active_of_api: data.active_of_api,
        adoption: share(data.active, data.active_of_api),
        calls_of_api: data.calls_of_api,
        share_of_calls: (data.calls_of_api > 0).then(|| tidy(real(data.counts.calls) / real(data.calls_of_api))),
        new: data.new,
        time_to_first_success: TimeToFirstSuccess {
            n: data.seconds_to_success.len() as u64,
            median_seconds: quantile(&data.seconds_to_success, 0.5),
            p90_seconds: quantile(&data.seconds_to_success, 0.9),
            never_succeeded: data.never_succeeded,
            first_call_failed: share(data.first_call_failed, data.new),
            median_failed_before: quantile(&data.failed_before, 0.5),
        },
        moves: data.moves.clone(),
    }
}

/// Days with calls or feedback, oldest first.
pub(super) fn trend(data: &UsageData, feedback: &BTreeMap<Day, u64>) -> Vec<TrendDay> {
    let mut days: BTreeMap<Day, TrendDay> = BTreeMap::new();
    for (day, usage) in &data.days {
        let row = TrendDay { day: day.iso(), calls: usage.calls, failed: usage.failed, consumers: usage.consumers, feedback: 0 };
        days.insert(*day, row);
    }
    for (day, count) in feedback.iter().filter(|(_, count)| **count > 0) {
        days.entry(*day).or_insert_with(|| TrendDay { day: day.iso(), ..TrendDay::default() }).feedback += count;
    }
    days.into_values().collect()
}
