//! Every metric there is, and what it says.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, histogram};

enum Kind {
    /// Without labels: there from the start, as 0.
    Bare,
    Counter,
    Gauge,
    /// There from the start, without a measurement.
    Begun,
    Histogram,
}

use Kind::{Bare, Begun, Counter, Gauge, Histogram};

/// `tests/deploy_check.py` holds this list to the metrics that the code counts.
const METRICS: &[(Kind, &str, &str)] = &[
    (Counter, "groundswell_attribution_total", "Insights by the rung that decided their version"),
    (Gauge, "groundswell_classifier_lessons", "Lessons that the classifier has from people"),
    (Gauge, "groundswell_dedupe_entries", "Identities of usage events that are remembered"),
    (
        Bare,
        "groundswell_dedupe_evicted_early_total",
        "Identities of usage events forgotten before their time, because there were too many: a later repetition counts again",
    ),
    (Counter, "groundswell_edge_events_total", "Events received over HTTP, by what became of them"),
    (Counter, "groundswell_events_total", "Events inside frames, by what became of them"),
    (Gauge, "groundswell_feedback_waiting", "Feedback that waits for evidence of its version"),
    (Begun, "groundswell_freshness_seconds", "Seconds from receipt until searchable"),
    (Histogram, "groundswell_http_seconds", "Seconds that requests took"),
    (Bare, "groundswell_index_corrected_total", "Documents written anew for corrections"),
    (Bare, "groundswell_index_failures_total", "The index could not be written: a full disk, most often; it is tried again"),
    (Bare, "groundswell_index_ops_total", "Insights, usage deltas and milestones worked into the index"),
    (Bare, "groundswell_insights_moved_total", "Insights that later evidence moved to another version"),
    (Histogram, "groundswell_journal_bytes", "Bytes of a consumer's journal as it is written"),
    (Gauge, "groundswell_journal_consumers", "Consumers with a journal"),
    (Gauge, "groundswell_lag_records", "Records not worked off, by service, topic and partition"),
    (Bare, "groundswell_language_model_insights_total", "Insights whose labels a language model changed"),
    (Gauge, "groundswell_language_model_open", "Texts on their way to the language model"),
    (Counter, "groundswell_language_model_texts_total", "Texts for the language model, by what became of them"),
    (Counter, "groundswell_records_total", "Records read, by what became of them: fate=\"rejected\" are dead letters"),
    (Histogram, "groundswell_step_seconds", "Seconds of one atomic step; of the index one round"),
    (Counter, "groundswell_steps_aborted_total", "Steps that were done again"),
    (Bare, "groundswell_usage_deltas_total", "Folded usage sent to the index"),
];

/// Tells the recorder of all of them, so that an alert finds a counter before its first event.
pub(super) fn register() {
    for (kind, name, says) in METRICS {
        match kind {
            Bare => {
                describe_counter!(*name, *says);
                counter!(*name).increment(0);
            }
            Counter => describe_counter!(*name, *says),
            Gauge => describe_gauge!(*name, *says),
            Begun => {
                describe_histogram!(*name, *says);
                drop(histogram!(*name));
            }
            Histogram => describe_histogram!(*name, *says),
        }
    }
}
