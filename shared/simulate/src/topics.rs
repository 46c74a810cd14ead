//! What people write about, and how often, depending on what they use.

use serde::Serialize;

use crate::{
    company::{Api, REGRESSED},
    consumer::{Consumer, LOUD_API, Use},
};

/// What sort of feedback it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something does not work as it should.
    Bug,
    /// Something is wished for.
    FeatureRequest,
    /// Something is asked.
    Question,
    /// Something is found bad.
    Complaint,
    /// Something is found good.
    Praise,
    /// None of these.
    Other,
}

/// A part of the planted story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An operation that a version made worse.
    Regression,
    /// A problem that a version mended.
    Fixed,
    /// A wish that comes back in every version.
    Ignored,
    /// One consumer who writes more than all others.
    Loud,
}

/// A subject of feedback.
#[derive(Debug)]
pub(crate) struct Topic {
    /// The name of its templates.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) story: Option<Part>,
    /// The operation it is about, if always the same.
    pub(crate) operation: Option<&'static str>,
    /// The statuses it comes with.
    pub(crate) statuses: &'static [u16],
    /// Whether code and traces are pasted.
    pub(crate) technical: bool,
    /// How often, beside the others.
    pub(crate) weight: f64,
}

const fn topic(name: &'static str, kind: Kind, weight: f64, statuses: &'static [u16]) -> Topic {
    Topic { name, kind, story: None, operation: None, statuses, technical: !statuses.is_empty(), weight }
}

const fn story(name: &'static str, kind: Kind, part: Part, operation: &'static str, statuses: &'static [u16]) -> Topic {
    Topic { name, kind, story: Some(part), operation: Some(operation), statuses, technical: !statuses.is_empty(), weight: 0.0 }
}

/// Every subject. The weight of those of the story depends on who writes.
pub(crate) const TOPICS: &[Topic] = &[
    story("refund_failing", Kind::Bug, Part::Regression, REGRESSED, REFUND_STATUSES),
    story("refund_slow", Kind::Complaint, Part::Regression, REGRESSED, &[]),
    story("page_skips", Kind::Bug, Part::Fixed, "listProducts", &[400]),
    story("bulk_invite", Kind::FeatureRequest, Part::Ignored, "createInvite", &[]),
    story("label_rotated", Kind::Bug, Part::Loud, "getLabel", &[]),
    topic("auth_401", Kind::Bug, 1.1, &[401, 403]),
    topic("rate_limit", Kind::Complaint, 0.9, &[429]),
    topic("docs_gap", Kind::Question, 1.2, &[]),
    topic("sdk_types", Kind::Bug, 0.7, &[400, 500]),
    topic("webhook_missing", Kind::Bug, 0.6, &[]),
    topic("migration_how", Kind::Question, 0.7, &[]),
    topic("timeout_general", Kind::Bug, 0.8, &[504, 503]),
    topic("error_message", Kind::Complaint, 0.7, &[400, 422]),
    topic("idempotency", Kind::Question, 0.4, &[]),
    topic("sandbox_data", Kind::FeatureRequest, 0.5, &[]),
    topic("csv_export", Kind::FeatureRequest, 0.6, &[]),
    topic("billing", Kind::Question, 0.5, &[]),
    topic("outage_5xx", Kind::Bug, 0.35, &[503, 500, 502]),
    topic("went_back", Kind::Complaint, 0.0, &[]),
    topic("praise", Kind::Praise, 0.5, &[]),
    topic("other", Kind::Other, 0.35, &[]),
];

/// What a broken refund answers.
pub(crate) const REFUND_STATUSES: &[u16] = &[500, 500, 500, 504, 409];

/// How often a consumer writes about each subject while on this version of an API.
/// `loud` is how often the loud consumer writes about its one subject; 0 for all others.
pub(crate) fn weights(consumer: &Consumer, usage: &Use, api: &Api, version: usize, loud: f64) -> [f64; TOPICS.len()] {
    let mut weights = [0.0; TOPICS.len()];
    for (weight, topic) in weights.iter_mut().zip(TOPICS) {
        *weight = consumer.talkative * topic.weight;
    }
    let mut set = |name: &str, value: f64| weights[number_of(name)] = consumer.talkative * value;
    let involved = |operation: &str| involvement(usage, api, operation);
    match (api.spec.name, version) {
        ("payments", 1) => {
            set("refund_failing", 7.0 * involved(REGRESSED));
            set("refund_slow", 2.2 * involved(REGRESSED));
            set("error_message", 0.3);
        }
        ("catalog", 0) => set("page_skips", 4.5 * involved("listProducts")),
        ("identity", _) => set("bulk_invite", 3.2 * involved("createInvite")),
        (LOUD_API, 1) if loud > 0.0 => set("label_rotated", loud / consumer.talkative),
        _ => {}
    }
    if consumer.plan == "enterprise" {
        set("rate_limit", 0.2);
    }
    weights
}

/// The number of a subject in [`TOPICS`]; the last where there is none of this name.
pub(crate) fn number_of(name: &str) -> usize {
    TOPICS.iter().position(|t| t.name == name).unwrap_or(TOPICS.len() - 1)
}

/// How much a consumer uses an operation: 1 for the usual share.
pub(crate) fn involvement(usage: &Use, api: &Api, operation: &str) -> f64 {
    let Some(at) = api.spec.operations.iter().position(|o| o.id == operation) else { return 0.0 };
    let own = usage.operations[at] / usage.operations.iter().sum::<f64>();
    let usual = api.spec.operations[at].weight / api.spec.operations.iter().map(|o| o.weight).sum::<f64>();
    (own / usual).clamp(0.1, 3.0)
}

/// How much worse a version feels than its figures: what surveys show.
pub(crate) fn pain(usage: &Use, api: &Api, version: usize) -> f64 {
    match (api.spec.name, version) {
        ("payments", 1) => 2.2 * involvement(usage, api, REGRESSED).min(1.5),
        ("catalog", 0) => 1.0 * involvement(usage, api, "listProducts").min(1.5),
        ("catalog", 1) => -0.6,
        ("identity", 2) => -0.2,
        (LOUD_API, 1) => 0.2,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::{Language, has};

    #[test]
    fn every_subject_has_texts() {
        for topic in TOPICS {
            assert!(["title", "symptom"].iter().all(|part| has(Language::En, &format!("{}.{part}", topic.name))), "{}", topic.name);
        }
    }
}
