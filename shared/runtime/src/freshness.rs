//! How long insights take from their receipt until they are searchable.

use std::sync::{Arc, Mutex, PoisonError};

use groundswell_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many of the newest measurements are kept.
const KEPT: usize = 4096;

/// Measured by the index service, read by whoever asks for the status. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Freshness(Arc<Mutex<Recent>>);

#[derive(Debug, Default)]
struct Recent {
    newest: Option<Timestamp>,
    waits_ms: Vec<u32>,
    next: usize,
}

/// How fresh the index is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreshnessReport {
    /// When the newest searchable insight was received, RFC 3339; absent while there is none since the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_received: Option<String>,
    /// Milliseconds from receipt until searchable, half of the recent ones at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<u32>,
    /// Milliseconds from receipt until searchable, 99 of 100 recent ones at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<u32>,
    /// How many recent ones these are.
    pub samples: usize,
}

impl Freshness {
    /// Notes that what was received at `received` is searchable since `now`.
    pub fn searchable(&self, received: Timestamp, now: Timestamp) {
        let wait_ms = u32::try_from(now.0.saturating_sub(received.0).max(0)).unwrap_or(u32::MAX);
        metrics::histogram!("groundswell_freshness_seconds").record(f64::from(wait_ms) / 1000.0);
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.newest = recent.newest.max(Some(received));
        let at = recent.next;
        match recent.waits_ms.get_mut(at) {
            Some(oldest) => *oldest = wait_ms,
            None => recent.waits_ms.push(wait_ms),
        }
        recent.next = (at + 1) % KEPT;
    }

    /// How fresh the index is now.
    #[must_use]
    pub fn report(&self) -> FreshnessReport {
        let (newest, mut waits) = {
            let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (recent.newest, recent.waits_ms.clone())
        };
        waits.sort_unstable();
        FreshnessReport {
            newest_received: newest.map(Timestamp::rfc3339),
            p50_ms: rank(&waits, 50),
            p99_ms: rank(&waits, 99),
            samples: waits.len(),
        }
    }
}

/// The smallest value that `percent` of 100 do not exceed.
fn rank(sorted: &[u32], percent: usize) -> Option<u32> {
    let upto = (sorted.len() * percent).div_ceil(100);
    sorted.get(upto.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_measured_is_not_zero() {
        let report = Freshness::default().report();
        assert_eq!((report.p50_ms, report.p99_ms, report.samples, report.newest_received), (None, None, 0, None));
    }

    #[test]
    fn percentiles_are_of_the_recent_ones_only() {
        let freshness = Freshness::default();
        for _ in 0..KEPT {
            freshness.searchable(Timestamp(0), Timestamp(9_000));
        }
        for wait in 0..i64::try_from(KEPT).unwrap() {
            freshness.searchable(Timestamp(1_000), Timestamp(1_000 + wait));
        }
        let report = freshness.report();
        assert_eq!((report.samples, report.p50_ms, report.p99_ms), (KEPT, Some(2047), Some(4055)));
        assert_eq!(report.newest_received.as_deref(), Some("1970-01-01T00:00:01Z"));
    }

    #[test]
    fn a_clock_that_is_behind_gives_no_negative_wait() {
        let freshness = Freshness::default();
        freshness.searchable(Timestamp(50), Timestamp(20));
        assert_eq!(freshness.report().p99_ms, Some(0));
    }
}
