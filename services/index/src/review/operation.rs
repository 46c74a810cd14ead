//! One operation's calls and errors by consumer and day, and what the operation is called on each of two versions.

use std::collections::BTreeSet;

use groundswell_catalogue::{Call, Catalogue, Version};
use groundswell_model::Day;
use groundswell_review::input::CustomCount;

use super::{Question, ReadError};
use crate::rollup::{Days, RollupError, RollupView, VersionId};

/// An operation that an answer names as one that exists.
const NAMED: usize = 10;

/// The names of one operation, on the candidate and on the baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationNames {
    /// As whoever asks named it.
    pub asked: String,
    /// The names that its calls may be counted by: as it was named, and as the documents name it.
    names: [BTreeSet<String>; 2],
    /// Whether a document lists it.
    listed: bool,
}

impl OperationNames {
    /// What the catalogue knows about an operation that is named by its operationId, or by method and path. A version that calls it
    /// otherwise has it under the same method and path.
    #[must_use]
    pub fn of(catalogue: &Catalogue, api: &str, versions: [&str; 2], asked: &str) -> Self {
        let own = versions.map(|version| declared(catalogue, (api, version), asked));
        let mut places = BTreeSet::new();
        for (version, name) in versions.into_iter().zip(&own) {
            let listed = catalogue.api(api).and_then(|api| api.version(version)).map_or(&[][..], Version::operations);
            places.extend(listed.iter().filter(|o| Some(&o.name) == name.as_ref()).map(|o| format!("{} {}", o.method, o.template)));
        }
        // By its own name first: what stands at the same place may be another operation by now.
        let by_place = |version: &str| places.iter().find_map(|place| declared(catalogue, (api, version), place));
        let found = [own[0].clone().or_else(|| by_place(versions[0])), own[1].clone().or_else(|| by_place(versions[1]))];
        let listed = found.iter().any(Option::is_some);
        let names = found.map(|name| name.into_iter().chain([asked.to_owned()]).collect());
        Self { asked: asked.to_owned(), names, listed }
    }

    /// Its ids on one of both sides.
    fn ids(&self, view: &RollupView, side: usize) -> Result<BTreeSet<u32>, RollupError> {
        let mut ids = BTreeSet::new();
        for name in self.names.get(side).into_iter().flatten() {
            ids.extend(view.operation(name)?);
        }
        Ok(ids)
    }

    /// Refuses an operation that no document lists and that was never called on either version.
    pub(super) fn check(
        &self,
        view: &RollupView,
        (guardrail, question): (&str, &Question),
        versions: [Option<VersionId>; 2],
    ) -> Result<(), ReadError> {
        if self.listed {
            return Ok(());
        }
        let mut called: Vec<(u64, String)> = Vec::new();
        for (side, version) in versions.into_iter().enumerate() {
            let Some(version) = version else { continue };
            let (own, there) = (self.ids(view, side)?, view.operations(version)?);
            if own.iter().any(|id| there.contains_key(id)) {
                return Ok(());
            }
            for (id, totals) in there {
                called.push((totals.traffic.calls, view.operation_name(id)?));
            }
        }
        called.retain(|(_, name)| !name.is_empty());
        called.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.cmp(y)));
        let mut known: Vec<String> = Vec::new();
        for (_, name) in called {
            if known.len() < NAMED && !known.contains(&name) {
                known.push(name);
            }
        }
        Err(ReadError::Operation {
            guardrail: guardrail.to_owned(),
            operation: self.asked.clone(),
            versions: format!("{} nor {}", question.version, question.baseline),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        })
    }

    /// Tells each consumer's calls of it on one side, day by day.
    pub(super) fn counts(
        &self,
        view: &RollupView,
        (side, version): (usize, VersionId),
        (guardrail, days): (u16, Days),
        mut each: impl FnMut(u32, CustomCount),
    ) -> Result<(), RollupError> {
        for id in self.ids(view, side)? {
            view.operation_days(version, id, days, |day: Day, consumer, on_it| {
                let (calls, failed) = (real(on_it.calls), real(on_it.failed));
                each(consumer, CustomCount { guardrail, day, count: failed, exposure: Some(calls) });
            })?;
        }
        Ok(())
    }
}

/// The name that a version's document has for an operation; none where it lists none like that.
fn declared(catalogue: &Catalogue, (api, version): (&str, &str), named: &str) -> Option<String> {
    catalogue.api(api)?.version(version)?;
    let resolved = catalogue.resolve_usage(&Call { api, version, operation: named, ..Call::default() });
    (resolved.listed && !resolved.operation.is_empty()).then(|| resolved.operation.into_owned())
}

/// A count as a real number.
pub(crate) fn real(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of calls; digits beyond 2^53 do not matter")]
    let real = count as f64;
    real
}

#[cfg(test)]
mod tests {
    use groundswell_contract::Release;
    use groundswell_model::Timestamp;
    use serde_json::json;

    use super::*;

    /// Version and its operations: method, path and operationId.
    type Documents<'a> = [(&'a str, &'a [(&'a str, &'a str, &'a str)]); 2];

    fn names(documents: Documents<'_>, asked: &str) -> OperationNames {
        let mut catalogue = Catalogue::default();
        for (version, operations) in documents {
            let mut paths = serde_json::Map::new();
            for (method, path, id) in operations {
                paths.entry((*path).to_owned()).or_insert_with(|| json!({}))[method.to_lowercase()] = json!({"operationId": id});
            }
            let document = json!({"openapi": "3.0.0", "info": {"title": "t", "version": version}, "paths": paths});
            let told = json!({"api": "shop", "api_version": version, "stage": "released", "openapi": document});
            let release: Release = serde_json::from_value(told).unwrap();
            catalogue.apply(&release, Timestamp(0));
        }
        OperationNames::of(&catalogue, "shop", ["v2", "v1"], asked)
    }

    fn sets(names: &OperationNames) -> [Vec<&str>; 2] {
        [0, 1].map(|side| names.names[side].iter().map(String::as_str).collect())
    }

    #[test]
    fn an_operation_is_found_by_its_name_or_its_place_on_both_versions() {
        let documents: Documents<'_> =
            [("v2", &[("POST", "/orders", "placeOrder")]), ("v1", &[("POST", "/orders", "createOrder"), ("GET", "/orders", "listOrders")])];
        let found = names(documents, "createOrder");
        assert_eq!(sets(&found), [vec!["createOrder", "placeOrder"], vec!["createOrder"]], "renamed, at the same place");
        assert!(found.listed);
        let by_place = names(documents, "POST /orders");
        assert_eq!(sets(&by_place), [vec!["POST /orders", "placeOrder"], vec!["POST /orders", "createOrder"]]);
        let unknown = names(documents, "deleteOrder");
        assert_eq!(sets(&unknown), [vec!["deleteOrder"], vec!["deleteOrder"]]);
        assert!(!unknown.listed);
    }

    #[test]
    fn a_name_goes_before_a_place() {
        let documents: Documents<'_> = [
            ("v2", &[("POST", "/v2/orders", "createOrder"), ("POST", "/orders", "legacy")]),
            ("v1", &[("POST", "/orders", "createOrder")]),
        ];
        assert_eq!(sets(&names(documents, "createOrder")), [vec!["createOrder"], vec!["createOrder"]]);
    }
}
