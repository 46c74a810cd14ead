//! All APIs with their versions.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_catalogue::Catalogue;
use groundswell_model::{Timestamp, UNKNOWN_VERSION};
use groundswell_stats::wilson;

use super::figure::{of_count, real, tidy};
use super::inputs::ApiFeedback;
use super::types::{ApiOverview, ApisOverview, VersionOverview};
use crate::rollup::{ConsumerSet, RollupError, RollupView, VersionTotals};

/// Usage of one API, ever.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiUsage {
    /// Different named consumers of any version.
    pub consumers: u64,
    /// By version.
    pub versions: BTreeMap<String, VersionTotals>,
}

impl ApiUsage {
    /// Reads all APIs of one store, by name. An API is in one store only.
    ///
    /// # Errors
    /// The store can't be read, or is damaged.
    pub fn read(view: &RollupView) -> Result<BTreeMap<String, Self>, RollupError> {
        let mut apis: BTreeMap<String, Self> = BTreeMap::new();
        let mut consumers: BTreeMap<String, ConsumerSet> = BTreeMap::new();
        for (api, version, id, totals) in view.versions()? {
            let all = consumers.entry(api.clone()).or_default();
            view.consumers(id, |consumer, _| all.insert(consumer))?;
            apis.entry(api).or_default().versions.insert(version, totals);
        }
        for (api, all) in consumers {
            apis.entry(api).or_default().consumers = all.len();
        }
        Ok(apis)
    }
}

/// Feedback that counts for one version, ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionFeedback {
    /// How much.
    pub count: u64,
    /// The first.
    pub first: Option<Timestamp>,
    /// The last.
    pub last: Option<Timestamp>,
}

/// Everything known of all APIs: those used, those written about and those declared.
///
/// `feedback` holds, by API, the feedback of the whole API and that of each version.
#[must_use]
pub fn overview(
    usage: &BTreeMap<String, ApiUsage>,
    feedback: &BTreeMap<String, (ApiFeedback, BTreeMap<String, VersionFeedback>)>,
    catalogue: &Catalogue,
    now: Timestamp,
) -> ApisOverview {
    let declared = catalogue.apis().into_iter().map(|a| a.name().to_owned());
    let names: BTreeSet<String> = usage.keys().chain(feedback.keys()).cloned().chain(declared).collect();
    let (no_usage, no_feedback) = (ApiUsage::default(), Default::default());
    let apis = names.iter().map(|api| {
        let (of_api, of_versions) = feedback.get(api).unwrap_or(&no_feedback);
        api_overview(api, usage.get(api).unwrap_or(&no_usage), *of_api, of_versions, catalogue, now)
    });
    ApisOverview { apis: apis.collect() }
}

fn api_overview(
    api: &str,
    usage: &ApiUsage,
    of_api: ApiFeedback,
    of_versions: &BTreeMap<String, VersionFeedback>,
    catalogue: &Catalogue,
    now: Timestamp,
) -> ApiOverview {
    let calls = usage.versions.values().fold(0u64, |sum, v| sum.saturating_add(v.calls));
    let declared = catalogue.versions(api).map(|v| v.name());
    let known = usage.versions.keys().chain(of_versions.keys()).map(String::as_str);
    let mut versions: Vec<&str> = known.chain(declared).collect::<BTreeSet<_>>().into_iter().collect();
    versions.sort_by(|a, b| (*a == UNKNOWN_VERSION).cmp(&(*b == UNKNOWN_VERSION)).then_with(|| catalogue.compare(api, b, a)));
    let rows = versions.into_iter().map(|version| {
        let used = usage.versions.get(version).copied().unwrap_or_default();
        let said = of_versions.get(version).copied().unwrap_or_default();
        VersionOverview {
            version: version.to_owned(),
            lifecycle: super::lifecycle(catalogue, api, version, now),
            calls: used.calls,
            share_of_calls: (calls > 0).then(|| tidy(real(used.calls) / real(calls))),
            consumers: used.consumers,
            feedback: said.count,
            first_seen: used.first.into_iter().chain(said.first).min().map(Timestamp::rfc3339),
            last_seen: used.last.into_iter().chain(said.last).max().map(Timestamp::rfc3339),
        }
    });
    ApiOverview {
        api: api.to_owned(),
        calls,
        consumers: usage.consumers,
        feedback: of_api.count,
        unresolved: of_count(wilson(of_api.unknown, of_api.count), of_api.count),
        versions: rows.collect(),
    }
}
