//! Which API version a piece of feedback is about: a ladder of evidence. The best rung that has
//! something to say decides, and what it said stays with the insight.

mod explicit;
mod only_version;
mod path;

use std::borrow::Cow;

use groundswell_catalogue::{Call, Catalogue};
use groundswell_model::{FeedbackEvent, Rung, Timestamp, UNKNOWN_API, UNKNOWN_VERSION, VersionWeight};

use crate::core::Tables;
use crate::core::journal::Journal;
use crate::core::names::Names;

/// Pieces of evidence kept of one insight.
const MOST_EVIDENCE: usize = 5;
const MS_PER_DAY: i64 = 86_400_000;

/// How sure each kind of evidence is. Set by judgement; a later issue measures and calibrates them.
mod confidence {
    /// The event names a version that the catalogue declares.
    pub(super) const NAMED: f32 = 1.0;
    /// The event names a version that the catalogue does not declare.
    pub(super) const NAMED_UNDECLARED: f32 = 0.9;
    /// Host or base path belong to one version alone.
    pub(super) const PLACE: f32 = 0.95;
    /// Of the versions served at a place, one has the operation.
    pub(super) const OPERATION: f32 = 0.9;
    /// A path begins with something that looks like a version.
    pub(super) const PREFIX: f32 = 0.8;
    /// The consumer called one version alone.
    pub(super) const ONLY_VERSION: f32 = 0.85;
}

/// What attribution looks at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The feedback.
    pub event: &'a FeedbackEvent<'a>,
    /// The declared APIs.
    pub catalogue: &'a Catalogue,
    /// The journal of its consumer, if they ever called.
    pub journal: Option<&'a Journal>,
    /// Days of usage looked back on.
    pub look_back_days: u32,
}

impl Case<'_> {
    /// The first moment of usage that counts.
    fn look_back(&self) -> Timestamp {
        self.event.head.time.plus_ms(-MS_PER_DAY * i64::from(self.look_back_days))
    }
}

/// What one rung found.
#[derive(Clone, Debug, PartialEq)]
struct Finding<'a> {
    version: &'a str,
    /// Whether the catalogue declares it.
    declared: bool,
    confidence: f32,
    evidence: Vec<String>,
}

/// A rung: from the case and its API to a version, or nothing.
type Decide = for<'a> fn(&Case<'a>, &'a str) -> Option<Finding<'a>>;

/// The rungs, best first.
const LADDER: &[(Rung, Decide)] = &[
    (Rung::Explicit, explicit::version),
    // Rung::Request has its place here: a request id or trace found in the consumer's usage.
    (Rung::Path, path::version),
    (Rung::OnlyVersion, only_version::version),
    // Rung::Text and Rung::Share have their places here: the version named in the text, and shares of usage.
];

/// The same for the API.
type DecideApi = for<'a> fn(&Case<'a>) -> Option<(&'a str, String)>;

const API_LADDER: &[DecideApi] = &[explicit::api, path::api, only_version::api];

/// Where an insight counts, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution<'a> {
    /// The API, or [`UNKNOWN_API`].
    pub api: &'a str,
    /// Versions and their weights.
    pub versions: Vec<VersionWeight<'a>>,
    /// What decided.
    pub rung: Rung,
    /// How sure that is.
    pub confidence: f32,
    /// Readable evidence, the deciding one first.
    pub evidence: Vec<String>,
    /// The operation, where known.
    pub operation: Option<Cow<'a, str>>,
    declared: bool,
}

/// Attributes a piece of feedback.
#[must_use]
pub fn attribute<'a>(case: &Case<'a>) -> Attribution<'a> {
    let Some((api, api_evidence)) = API_LADDER.iter().find_map(|decide| decide(case)) else {
        let mut evidence = Vec::new();
        if let Some(version) = case.event.api_version {
            evidence.push(format!("field api_version: {version}, but nothing tells the API"));
        }
        return unknown(UNKNOWN_API, evidence, case.event.operation.map(Cow::Borrowed));
    };
    let found = LADDER.iter().find_map(|(rung, decide)| decide(case, api).map(|finding| (*rung, finding)));
    let Some((rung, finding)) = found else {
        return unknown(api, vec![api_evidence], operation(case, api, ""));
    };
    let mut evidence = finding.evidence;
    if !evidence.contains(&api_evidence) {
        evidence.push(api_evidence);
    }
    evidence.truncate(MOST_EVIDENCE);
    Attribution {
        api,
        versions: vec![VersionWeight { version: finding.version, weight: 1.0 }],
        rung,
        confidence: finding.confidence,
        evidence,
        operation: operation(case, api, finding.version),
        declared: finding.declared,
    }
}

fn unknown<'a>(api: &'a str, evidence: Vec<String>, operation: Option<Cow<'a, str>>) -> Attribution<'a> {
    Attribution {
        api,
        versions: vec![VersionWeight { version: UNKNOWN_VERSION, weight: 1.0 }],
        rung: Rung::Unknown,
        confidence: 0.0,
        evidence,
        operation,
        declared: true,
    }
}

/// The operation by its declared name: as the event names it, or of the path that it shows.
fn operation<'a>(case: &Case<'a>, api: &'a str, version: &'a str) -> Option<Cow<'a, str>> {
    let named =
        case.event.operation.map(|operation| case.catalogue.resolve_usage(&Call { api, version, operation, ..Call::default() }).operation);
    named.or_else(|| path::operation(case, api)).filter(|name| !name.is_empty())
}

impl Attribution<'_> {
    /// Within the bounds of undeclared names: what is one too many is unknown, and says so.
    #[must_use]
    pub(crate) fn bounded(self, names: &mut Names, tables: &Tables<'_>) -> Self {
        let bounds = &tables.rules.bounds;
        if names.api(self.api, tables.catalogue.api(self.api).is_some(), bounds) != self.api {
            let evidence = vec![format!("{}: more than {} APIs are not in the catalogue", self.api, bounds.apis)];
            return unknown(UNKNOWN_API, evidence, self.operation);
        }
        let declared = self.declared;
        let one_too_many = self.versions.iter().any(|v| names.version(self.api, v.version, declared, bounds) != v.version);
        if one_too_many {
            let evidence = vec![format!("more than {} versions of {} are not in the catalogue", bounds.versions, self.api)];
            return unknown(self.api, evidence, self.operation);
        }
        self
    }
}

#[cfg(test)]
mod tests;
