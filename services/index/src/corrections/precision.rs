//! How often people agree with the machine: precision of each label, from corrections.
//!
//! A correction that names what the machine had said confirms it. People look at what looks wrong first, so this is
//! an estimate for what was looked at, not for everything: the number beside it says how much that was.

use std::collections::BTreeMap;

use groundswell_contract::{Correction, MachineLabels};
use groundswell_stats::wilson;
use groundswell_text::classify::UNSURE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One label of one head, judged by people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelPrecision {
    /// `type`, `aspect`, `sentiment`, `severity`, `language` or `version`.
    pub head: String,
    /// The label.
    pub label: String,
    /// How often the machine gave it to feedback that a person judged.
    pub judged: u64,
    /// How often the person said the same.
    pub confirmed: u64,
    /// How often the person said something else.
    pub corrected: u64,
    /// How often a person gave it where the machine had not.
    pub missed: u64,
    /// Share of `confirmed` in `judged`; absent without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
    /// Both ends of its 95 % interval (Wilson).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

/// Counts over judged feedback.
#[derive(Debug, Default)]
pub struct Precision {
    /// Head and label to judged, confirmed and missed.
    counts: BTreeMap<(&'static str, String), [u64; 3]>,
}

impl Precision {
    /// Counts one correction beside what the machine had said.
    pub fn count(&mut self, said: &Correction, machine: &MachineLabels) {
        let single = [
            ("type", &said.kind, &machine.kind),
            ("sentiment", &said.sentiment, &machine.sentiment),
            ("severity", &said.severity, &machine.severity),
            ("language", &said.language, &machine.language),
            ("version", &said.api_version, &machine.api_version),
        ];
        for (head, said, machine) in single {
            if let Some(said) = said {
                let machine: Vec<&str> = machine.as_deref().into_iter().collect();
                self.several(head, &[said.as_str()], &machine);
            }
        }
        if let Some(aspects) = &said.aspects {
            self.several("aspect", &borrowed(aspects), &borrowed(&machine.aspects));
        }
    }

    fn several(&mut self, head: &'static str, said: &[&str], machine: &[&str]) {
        for label in machine.iter().filter(|l| **l != UNSURE) {
            let counts = self.counts.entry((head, (*label).to_owned())).or_default();
            counts[0] += 1;
            counts[1] += u64::from(said.contains(label));
        }
        for label in said.iter().filter(|l| !machine.contains(l)) {
            self.counts.entry((head, (*label).to_owned())).or_default()[2] += 1;
        }
    }

    /// Every label that was judged, by head and name.
    #[must_use]
    pub fn labels(self) -> Vec<LabelPrecision> {
        let label = |((head, label), [judged, confirmed, missed]): ((&'static str, String), [u64; 3])| {
            let share = wilson(confirmed, judged);
            LabelPrecision {
                head: head.to_owned(),
                label,
                judged,
                confirmed,
                corrected: judged - confirmed,
                missed,
                precision: share.map(|s| s.value),
                interval: share.and_then(|s| s.interval).map(|i| [i.low, i.high]),
            }
        };
        self.counts.into_iter().map(label).collect()
    }
}

fn borrowed(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}
