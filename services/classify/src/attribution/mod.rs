//! Which API version a piece of feedback is about: a ladder of evidence. The best rung that has
//! something to say decides, and what it said stays with the insight.
//!
//! [`explicit`], [`request`] and [`path`] decide alone. Below them stand usage and text, which are weighed against each
//! other ([`belief`]): the only version called, the version that the text names among those called, shares of usage.

mod belief;
mod explicit;
mod path;
mod request;
mod text;
mod usage;

use std::borrow::Cow;

use groundswell_catalogue::{Call, Catalogue};
use groundswell_model::{FeedbackEvent, Rung, Timestamp, UNKNOWN_API, UNKNOWN_VERSION, VersionWeight};

use crate::core::Tables;
use crate::core::journal::Journal;
use crate::core::names::Names;

/// Pieces of evidence kept of one insight.
const MOST_EVIDENCE: usize = 5;
const MS_PER_DAY: i64 = 86_400_000;

/// How sure each kind of evidence is. Measured on simulated companies: see `docs/attribution.md`.
mod confidence {
    /// The event names a version that the catalogue declares, and the consumer's calls do not contradict it.
    pub(super) const NAMED: f32 = 0.98;
    /// The event names a version that the catalogue does not declare.
    pub(super) const NAMED_UNDECLARED: f32 = 0.9;
    /// The event names a version that the consumer never called, though it called others.
    pub(super) const CONTRADICTED: f32 = 0.6;
    /// A request of the consumer.
    pub(super) const REQUEST: f32 = 0.99;
    /// Host or base path belong to one version alone.
    pub(super) const PLACE: f32 = 0.95;
    /// Of the versions served at a place, one has the operation.
    pub(super) const OPERATION: f32 = 0.9;
    /// A path begins with something that looks like a version.
    pub(super) const PREFIX: f32 = 0.8;
    /// The consumer called one version alone, and the text names it or none.
    pub(super) const ONLY_VERSION: f32 = 0.97;
    /// The consumer called one version alone, and the text speaks of another.
    pub(super) const ONLY_VERSION_DOUBTED: f32 = 0.7;
    /// Usage and text together are never surer.
    pub(super) const MOST_BELIEVED: f64 = 0.98;
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
    versions: Vec<VersionWeight<'a>>,
    rung: Rung,
    /// Whether the catalogue declares it.
    declared: bool,
    confidence: f32,
    evidence: Vec<String>,
    deciding: Vec<String>,
    flags: Vec<&'static str>,
}

impl<'a> Finding<'a> {
    /// One version, decided by this rung.
    fn one(version: &'a str, rung: Rung, declared: bool, confidence: f32, evidence: Vec<String>) -> Self {
        let versions = vec![VersionWeight { version, weight: 1.0 }];
        Self { versions, rung, declared, confidence, evidence, deciding: Vec::new(), flags: Vec::new() }
    }
}

/// Where an insight counts, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution<'a> {
    /// The API, or [`UNKNOWN_API`].
    pub api: &'a str,
    /// Versions and their weights.
    pub versions: Vec<VersionWeight<'a>>,
    /// What decided.
    pub rung: Rung,
    /// How sure that is: how often such answers are right. Of several versions, for the one with the greatest weight.
    pub confidence: f32,
    /// Readable evidence, the deciding one first.
    pub evidence: Vec<String>,
    /// Ids of the usage events that decided.
    pub deciding: Vec<String>,
    /// Marks that an answer shows: see [`groundswell_model::insight::flag`].
    pub flags: Vec<&'static str>,
    /// The operation, where known.
    pub operation: Option<Cow<'a, str>>,
    /// Whether better evidence may come: it names a request that is not known yet, or nothing told.
    pub may_be_lifted: bool,
    declared: bool,
}

/// What was looked up once for all rungs.
struct Evidence<'a> {
    request: Option<request::Named<'a>>,
    /// API and what tells it, by a field or a request.
    api: Option<(&'a str, String)>,
}

/// Attributes a piece of feedback.
#[must_use]
pub fn attribute<'a>(case: &Case<'a>) -> Attribution<'a> {
    let request = request::find(case);
    let of_request = || request.as_ref().map(|named| (&*named.found.place.api, named.says()));
    let api = explicit::api(case).or_else(of_request).or_else(|| path::api(case));
    let evidence = Evidence { request, api };
    let told = evidence.api.clone().and_then(|(api, says)| Some((api, says, told_version(case, api, &evidence)?)));
    let mut found = match told {
        Some((api, says, finding)) => attribution(case, api, finding, Some(says), &evidence, &[]),
        None => usage::weigh(case, &evidence),
    };
    found.may_be_lifted =
        found.rung == Rung::Unknown || (evidence.request.is_none() && request::names_one(case) && found.rung > Rung::Request);
    found
}

/// The version by a field, a request or a path of the event.
fn told_version<'a>(case: &Case<'a>, api: &'a str, evidence: &Evidence<'a>) -> Option<Finding<'a>> {
    let by_request = || {
        let named = evidence.request.as_ref().filter(|named| *named.found.place.api == *api)?;
        let version = &*named.found.place.version;
        let declared = is_declared(case, api, version);
        let mut finding = Finding::one(version, Rung::Request, declared, confidence::REQUEST, vec![named.says()]);
        finding.deciding = vec![named.event_id()];
        Some(finding)
    };
    explicit::version(case, api)
        .map(|f| explicit::checked(case, api, f, evidence.request.as_ref()))
        .or_else(by_request)
        .or_else(|| path::version(case, api))
}

fn is_declared(case: &Case<'_>, api: &str, version: &str) -> bool {
    case.catalogue.api(api).is_some_and(|a| a.version(version).is_some())
}

fn attribution<'a>(
    case: &Case<'a>,
    api: &'a str,
    finding: Finding<'a>,
    api_says: Option<String>,
    evidence: &Evidence<'a>,
    sayings: &[text::Saying<'a>],
) -> Attribution<'a> {
    let Finding { versions, rung, declared, confidence, evidence: mut says, deciding, flags } = finding;
    says.extend(api_says.filter(|s| !says.contains(s)).into_iter().collect::<Vec<_>>());
    says.truncate(MOST_EVIDENCE);
    let version = if let [only] = versions.as_slice() { only.version } else { "" };
    let operation = operation(case, api, version, evidence, sayings);
    Attribution { api, versions, rung, confidence, evidence: says, deciding, flags, operation, may_be_lifted: false, declared }
}

fn unknown<'a>(api: &'a str, evidence: Vec<String>, operation: Option<Cow<'a, str>>) -> Attribution<'a> {
    Attribution {
        api,
        versions: vec![VersionWeight { version: UNKNOWN_VERSION, weight: 1.0 }],
        rung: Rung::Unknown,
        confidence: 0.0,
        evidence,
        deciding: Vec::new(),
        flags: Vec::new(),
        operation,
        may_be_lifted: true,
        declared: true,
    }
}

/// The operation by its declared name: as the event names it, of its request, of the path that it shows, or named in the text.
fn operation<'a>(
    case: &Case<'a>,
    api: &'a str,
    version: &'a str,
    evidence: &Evidence<'a>,
    sayings: &[text::Saying<'a>],
) -> Option<Cow<'a, str>> {
    let named =
        case.event.operation.map(|operation| case.catalogue.resolve_usage(&Call { api, version, operation, ..Call::default() }).operation);
    let of_request = || {
        let place = evidence.request.as_ref()?.found.place;
        (*place.api == *api && !place.operation.is_empty()).then_some(Cow::Borrowed(&*place.operation))
    };
    let of_text = || {
        let of_api = |s: &&text::Saying<'a>| s.names_api(api);
        let mut named = sayings.iter().filter(of_api).filter_map(|s| s.operation.clone());
        let first = named.next()?;
        named.all(|other| other == first).then_some(first)
    };
    named.or_else(of_request).or_else(|| path::operation(case, api)).or_else(of_text).filter(|name| !name.is_empty())
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
