//! The event names the API or the version itself.

use groundswell_model::insight::flag;
use groundswell_model::{Rung, UNKNOWN_VERSION};

use super::{Case, Finding, confidence, request};

/// The API as named.
pub(super) fn api<'a>(case: &Case<'a>) -> Option<(&'a str, String)> {
    case.event.api.map(|api| (api, format!("field api: {api}")))
}

/// The version as named, by its declared name. One that a catalogue of the API does not have is kept, and says so.
pub(super) fn version<'a>(case: &Case<'a>, api: &'a str) -> Option<Finding<'a>> {
    let named = case.event.api_version?;
    let declared_api = case.catalogue.api(api);
    let mut evidence = vec![format!("field api_version: {named}")];
    let one = |version, declared, confidence, evidence| Some(Finding::one(version, Rung::Explicit, declared, confidence, evidence));
    match declared_api.map(|a| a.version(named)) {
        Some(Some(version)) => {
            if version.name() != named {
                evidence.push(format!("{named} is another name of {}", version.name()));
            }
            one(version.name(), true, confidence::NAMED, evidence)
        }
        Some(None) => {
            evidence.push(format!("{named} is not in the catalogue of {api}"));
            one(named, false, confidence::NAMED_UNDECLARED, evidence)
        }
        None => one(named, false, confidence::NAMED, evidence),
    }
}

/// What the field says stands. Where the consumer's calls contradict it, it is less sure, and marked.
pub(super) fn checked<'a>(case: &Case<'a>, api: &'a str, mut finding: Finding<'a>, request: Option<&request::Named<'a>>) -> Finding<'a> {
    let Some(version) = finding.versions.first().map(|v| v.version) else { return finding };
    let contradiction = match request.filter(|named| *named.found.place.api == *api) {
        Some(named) if &*named.found.place.version != version => {
            finding.deciding = vec![named.event_id()];
            Some(named.says())
        }
        Some(named) => {
            finding.deciding = vec![named.event_id()];
            None
        }
        None => never_called(case, api, version),
    };
    if let Some(says) = contradiction {
        finding.flags.push(flag::CONTRADICTED);
        finding.confidence = finding.confidence.min(confidence::CONTRADICTED);
        finding.evidence.insert(1.min(finding.evidence.len()), says);
    }
    finding
}

/// The consumer called other versions of the API in the window, and this one never.
fn never_called(case: &Case<'_>, api: &str, version: &str) -> Option<String> {
    let uses = case.journal?.within(Some(api), case.look_back(), case.event.head.time);
    let known: Vec<&str> = uses.iter().map(|(u, _)| &*u.version).filter(|v| *v != UNKNOWN_VERSION).collect();
    if known.is_empty() || known.contains(&version) {
        return None;
    }
    Some(format!("contradicted: the consumer called {} in the {} days before, never {version}", known.join(", "), case.look_back_days))
}
