//! What is true about the events, told beside them.

use std::{collections::BTreeMap, sync::Arc};

use groundswell_contract::{Data, SurveyKind};
use serde::Serialize;

use crate::{
    event::SimEvent,
    topics::{Kind, Part},
};

/// What is true about one event, whether it says so or not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Truth {
    /// The API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<&'static str>,
    /// The API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Arc<str>>,
    /// The operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    /// The consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<Arc<str>>,
    /// How many calls it stands for.
    #[serde(skip_serializing_if = "is_zero")]
    pub calls: u64,
    /// How many of them failed.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// What feedback is about: the name of a subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<&'static str>,
    /// What sort of feedback it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The part of the planted story that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<Part>,
    /// Language of the text (ISO 639-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'static str>,
    /// Whether the text names another version than the one it is about.
    #[serde(skip_serializing_if = "is_false")]
    pub misleading: bool,
    /// Whether this very event was published before: it must count once.
    #[serde(skip_serializing_if = "is_false")]
    pub resent: bool,
    /// The id of the ticket that this one says again in nearly the same words; it counts of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// What tells the version of feedback, in the world of [`crate::riddles`]; none where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<&'static str>,
    /// Whether the version field of feedback names another version than the true one.
    #[serde(skip_serializing_if = "is_false")]
    pub wrong_field: bool,
    /// Personal data and secrets in the text, by kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub planted: Vec<Planted>,
}

/// Something in a text that must not be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// `name`, `email`, `phone`, `card`, `iban`, `ip`, `api_key`, `jwt`.
    pub kind: &'static str,
    /// As it stands in the text.
    pub text: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}

/// One event with what is true about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// What is published.
    pub event: SimEvent,
    /// What is true.
    pub truth: Truth,
}

/// Figures of one operation of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Calls {
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls refused for their number (429), among the failed.
    pub rate_limited: u64,
    /// Sum of the latencies in milliseconds.
    pub latency_ms: f64,
}

/// Figures of one kind of survey on one version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Answers.
    pub n: u64,
    /// Sum of the scores.
    pub sum: f64,
    /// Answers of 9 and 10 (net promoter score).
    pub promoters: u64,
    /// Answers of 0 to 6 (net promoter score).
    pub detractors: u64,
}

/// Everything that can be counted, for tests to compare with. Every identity is counted once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Events of any type, those sent twice counted once.
    pub events: u64,
    /// Events that repeat one sent before.
    pub resent: u64,
    /// Calls by API, version and operation, written `api/version/operation`.
    pub calls: BTreeMap<String, Calls>,
    /// Tickets by `api/version/topic`.
    pub tickets: BTreeMap<String, u64>,
    /// Survey answers by `api/version/kind`.
    pub surveys: BTreeMap<String, Scores>,
}

impl Figures {
    /// Counts one event.
    pub fn add(&mut self, simulated: &Simulated) {
        let Simulated { event, truth } = simulated;
        if truth.resent {
            self.resent += 1;
            return;
        }
        self.events += 1;
        let key = |last: &str| format!("{}/{}/{last}", truth.api.unwrap_or("unknown"), truth.version.as_deref().unwrap_or("unknown"));
        match &event.data {
            Data::Usage(usage) => {
                let calls = self.calls.entry(key(truth.operation.unwrap_or_default())).or_default();
                calls.calls += truth.calls;
                calls.failed += truth.failed;
                calls.rate_limited += if usage.status == Some(429) { truth.calls } else { 0 };
                calls.latency_ms += usage.latency_ms.unwrap_or_default() * truth.calls as f64;
            }
            Data::Ticket(_) => *self.tickets.entry(key(truth.topic.unwrap_or_default())).or_default() += 1,
            Data::Survey(survey) => self.surveys.entry(key(survey.kind.name())).or_default().add(survey.kind, survey.score),
            Data::Release(_) | Data::Identity(_) | Data::Correction(_) | Data::Theme(_) => {}
        }
    }

    /// The figures of one operation; zero where it was never called.
    #[must_use]
    pub fn operation(&self, api: &str, version: &str, operation: &str) -> Calls {
        self.calls.get(&format!("{api}/{version}/{operation}")).copied().unwrap_or_default()
    }

    /// The figures of all operations of a version.
    #[must_use]
    pub fn version(&self, api: &str, version: &str) -> Calls {
        let prefix = format!("{api}/{version}/");
        self.calls.iter().filter(|(key, _)| key.starts_with(&prefix)).fold(Calls::default(), |sum, (_, c)| Calls {
            calls: sum.calls + c.calls,
            failed: sum.failed + c.failed,
            rate_limited: sum.rate_limited + c.rate_limited,
            latency_ms: sum.latency_ms + c.latency_ms,
        })
    }

    /// Tickets about a subject on a version.
    #[must_use]
    pub fn tickets(&self, api: &str, version: &str, topic: &str) -> u64 {
        self.tickets.get(&format!("{api}/{version}/{topic}")).copied().unwrap_or_default()
    }

    /// Survey answers on a version.
    #[must_use]
    pub fn scores(&self, api: &str, version: &str, kind: SurveyKind) -> Scores {
        self.surveys.get(&format!("{api}/{version}/{}", kind.name())).copied().unwrap_or_default()
    }
}

impl Calls {
    /// Share of calls that failed; none without calls.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.calls > 0).then(|| self.failed as f64 / self.calls as f64)
    }

    /// Mean latency in milliseconds; none without calls.
    #[must_use]
    pub fn mean_latency_ms(&self) -> Option<f64> {
        (self.calls > 0).then(|| self.latency_ms / self.calls as f64)
    }
}

impl Scores {
    fn add(&mut self, kind: SurveyKind, score: f64) {
        self.n += 1;
        self.sum += score;
        if kind == SurveyKind::Nps {
            self.promoters += u64::from(score >= 9.0);
            self.detractors += u64::from(score <= 6.0);
        }
    }

    /// Net promoter score, −100 to 100; none without answers.
    #[must_use]
    pub fn nps(&self) -> Option<f64> {
        (self.n > 0).then(|| 100.0 * (self.promoters as f64 - self.detractors as f64) / self.n as f64)
    }
}
