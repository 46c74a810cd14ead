//! What a sender is told.

use std::collections::BTreeMap;

use groundswell_contract::Decoded;
use groundswell_model::Reject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of one event of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ItemOutcome {
    /// It is durable now.
    Accepted,
    /// It had been published before, with the same content.
    Duplicate,
    /// It can't be used: see the reason.
    Rejected,
}

/// What became of one event, by its place in the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemResult {
    /// Place in the request, from 0; blank lines do not count.
    pub index: usize,
    /// The event's `id`, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The event's `source`, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What became of it.
    pub outcome: ItemOutcome,
    /// The stable reason of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What exactly, where, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ItemResult {
    pub(super) fn accepted(index: usize, event: &Decoded) -> Self {
        let (id, source) = (Some(event.id.clone()), Some(event.source.clone()));
        Self { index, id, source, outcome: ItemOutcome::Accepted, reason: None, detail: None }
    }

    pub(super) fn rejected(index: usize, (id, source): (Option<String>, Option<String>), reject: &Reject) -> Self {
        let mut result = Self { index, id, source, outcome: ItemOutcome::Rejected, reason: None, detail: None };
        result.set_rejected(reject);
        result
    }

    pub(super) fn set_rejected(&mut self, reject: &Reject) {
        self.outcome = ItemOutcome::Rejected;
        self.reason = Some(reject.reason.name().to_owned());
        self.detail = Some(reject.detail.clone());
    }

    pub(super) fn set_duplicate(&mut self) {
        self.outcome = ItemOutcome::Duplicate;
    }
}

/// The answer to a request with events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// Events that are durable now.
    pub accepted: usize,
    /// Events that had been published before.
    pub duplicate: usize,
    /// Events that can't be used.
    pub rejected: usize,
    /// One result for each event, in order.
    pub results: Vec<ItemResult>,
}

impl Answer {
    pub(super) fn of(results: Vec<ItemResult>) -> Self {
        let count = |outcome| results.iter().filter(|r| r.outcome == outcome).count();
        Self {
            accepted: count(ItemOutcome::Accepted),
            duplicate: count(ItemOutcome::Duplicate),
            rejected: count(ItemOutcome::Rejected),
            results,
        }
    }

    /// Counts the outcomes in the metrics.
    pub(super) fn count(&self) {
        let mut counts: BTreeMap<(ItemOutcome, &str), u64> = BTreeMap::new();
        for result in &self.results {
            *counts.entry((result.outcome, result.reason.as_deref().unwrap_or_default())).or_default() += 1;
        }
        for ((outcome, reason), n) in counts {
            let outcome = match outcome {
                ItemOutcome::Accepted => "accepted",
                ItemOutcome::Duplicate => "duplicate",
                ItemOutcome::Rejected => "rejected",
            };
            metrics::counter!("groundswell_edge_events_total", "outcome" => outcome, "reason" => reason.to_owned()).increment(n);
        }
    }
}
