//! The sections of the overview of all APIs.

use super::Section;
use super::format::{count, maybe, number};
use super::sections::stage;
use crate::summary::types::{ApiOverview, ApisOverview, Unit};

/// All APIs, then the versions of each.
#[must_use]
pub fn overview_sections(overview: &ApisOverview) -> Vec<Section> {
    let mut apis = Section::new("APIs", &["API", "versions", "calls", "consumers", "feedback", "version not known"]);
    for api in &overview.apis {
        let unknown = match api.unresolved.value {
            Some(share) => number(share, Unit::Share),
            None => String::new(),
        };
        let cells = [api.versions.len() as u64, api.calls, api.consumers, api.feedback].map(count);
        let [versions, calls, consumers, feedback] = cells;
        apis.row([api.api.clone(), versions, calls, consumers, feedback, unknown]);
    }
    if apis.rows.is_empty() {
        apis.note("No API yet: publish usage, feedback or a release.");
    }
    std::iter::once(apis).chain(overview.apis.iter().map(versions)).collect()
}

fn versions(api: &ApiOverview) -> Section {
    let mut section = Section::new(&api.api, &["version", "stage", "calls", "share", "consumers", "feedback", "first seen", "last seen"]);
    let day = |time: &Option<String>| time.as_ref().map_or_else(String::new, |t| t.get(..10).unwrap_or(t).to_owned());
    for v in &api.versions {
        section.row([
            v.version.clone(),
            stage(&v.lifecycle),
            count(v.calls),
            maybe(v.share_of_calls, Unit::Share),
            count(v.consumers),
            count(v.feedback),
            day(&v.first_seen),
            day(&v.last_seen),
        ]);
    }
    section
}
