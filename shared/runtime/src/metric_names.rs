//! What each metric says, for `/metrics`.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, histogram};

const COUNTERS: [(&str, &str); 14] = [
    ("groundswell_attribution_total", "Feedback by the rung that decided its version"),
    ("groundswell_dedupe_evicted_early_total", "Usage events forgotten before their window was over, for lack of room"),
    ("groundswell_edge_events_total", "Events over HTTP by their outcome and reason"),
    ("groundswell_events_total", "What became of every event in classify"),
    ("groundswell_index_corrected_total", "Pieces of feedback written anew after a correction"),
    (FAILURES, "Times that the index could not be read or written, as on a full disk"),
    ("groundswell_index_ops_total", "Changes taken into the index"),
    ("groundswell_insights_moved_total", "Insights that late evidence moved to another version"),
    ("groundswell_journal_bytes", "Bytes of journals written"),
    ("groundswell_language_model_insights_total", "Insights labelled again by the language model"),
    ("groundswell_language_model_texts_total", "Texts for the language model by outcome"),
    ("groundswell_records_total", "What became of every record: emitted, skipped, or rejected into dead letters, and why"),
    ("groundswell_steps_aborted_total", "Atomic steps that were done again"),
    ("groundswell_usage_deltas_total", "Hourly sums of calls written"),
];
const GAUGES: [(&str, &str); 6] = [
    ("groundswell_classifier_lessons", "Sources with lessons from corrections"),
    ("groundswell_dedupe_entries", "Identities held to know duplicates of usage events"),
    ("groundswell_feedback_waiting", "Pieces of feedback that wait for evidence of their version"),
    ("groundswell_journal_consumers", "Consumers with a journal"),
    ("groundswell_lag_records", "Records not worked off"),
    ("groundswell_language_model_open", "Texts on their way to the language model"),
];
const HISTOGRAMS: [(&str, &str); 3] = [
    (FRESHNESS, "Seconds from the receipt of feedback until it was searchable"),
    ("groundswell_http_seconds", "Seconds of HTTP requests"),
    ("groundswell_step_seconds", "Seconds of one atomic step; in the index of a round"),
];
const FAILURES: &str = "groundswell_index_failures_total";
const FRESHNESS: &str = "groundswell_freshness_seconds";

/// Tells the recorder what each metric says, and begins those that an alert looks at before anything has happened.
pub(crate) fn describe() {
    COUNTERS.iter().for_each(|(name, says)| describe_counter!(*name, *says));
    GAUGES.iter().for_each(|(name, says)| describe_gauge!(*name, *says));
    HISTOGRAMS.iter().for_each(|(name, says)| describe_histogram!(*name, *says));
    counter!(FAILURES).increment(0);
    drop(histogram!(FRESHNESS));
}
