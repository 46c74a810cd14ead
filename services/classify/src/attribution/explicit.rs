//! The event names the API or the version itself.

use super::{Case, Finding, confidence};

/// The API as named.
pub(super) fn api<'a>(case: &Case<'a>) -> Option<(&'a str, String)> {
    case.event.api.map(|api| (api, format!("field api: {api}")))
}

/// The version as named, by its declared name. One that a catalogue of the API does not have is kept, and flagged.
pub(super) fn version<'a>(case: &Case<'a>, api: &'a str) -> Option<Finding<'a>> {
    let named = case.event.api_version?;
    let declared_api = case.catalogue.api(api);
    let mut evidence = vec![format!("field api_version: {named}")];
    match declared_api.map(|a| a.version(named)) {
        Some(Some(version)) => {
            if version.name() != named {
                evidence.push(format!("{named} is another name of {}", version.name()));
            }
            Some(Finding { version: version.name(), declared: true, confidence: confidence::NAMED, evidence })
        }
        Some(None) => {
            evidence.push(format!("{named} is not in the catalogue of {api}"));
            Some(Finding { version: named, declared: false, confidence: confidence::NAMED_UNDECLARED, evidence })
        }
        None => Some(Finding { version: named, declared: false, confidence: confidence::NAMED, evidence }),
    }
}
