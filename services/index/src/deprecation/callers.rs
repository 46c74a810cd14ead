//! Who still calls a version, and who did.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use super::types::StillCalling;
use crate::review::ReadError;
use crate::rollup::{ConsumerTotals, Days, RollupView, VersionId};
use crate::summary::types::Money;

/// Callers that are listed.
pub(super) const MOST_TOLD: usize = 200;
/// Operations named of one caller.
const OPERATIONS: usize = 5;

/// The quiet days, by consumer.
#[derive(Default)]
pub(super) struct Traffic {
    /// Calls by consumer's number.
    by_consumer: HashMap<u32, u64>,
    /// All calls, and those of named consumers.
    pub(super) calls: u64,
    pub(super) named_calls: u64,
    /// Other versions' callers: the places of the versions among those of the API.
    others: HashMap<u32, BTreeSet<usize>>,
    totals: HashMap<u32, ConsumerTotals>,
    /// Consumers that called once and call others now, or none.
    pub(super) moved: u64,
    pub(super) gone: u64,
    /// Names of who still calls.
    pub(super) names: HashSet<String>,
}

impl Traffic {
    pub(super) fn read(
        view: &RollupView,
        own: Option<VersionId>,
        versions: &[(String, VersionId)],
        quiet: Days,
    ) -> Result<Self, ReadError> {
        let mut traffic = Self::default();
        for (place, (_, id)) in versions.iter().enumerate() {
            if Some(*id) == own {
                view.presence(*id, quiet, |_, consumer, presence| {
                    *traffic.by_consumer.entry(consumer).or_default() += presence.calls;
                    traffic.named_calls += presence.calls;
                })?;
                view.days(*id, quiet, |_, _, of| traffic.calls += of.calls)?;
                view.consumers(*id, |consumer, totals| {
                    traffic.totals.insert(consumer, totals);
                })?;
            } else {
                view.presence(*id, quiet, |_, consumer, _| {
                    traffic.others.entry(consumer).or_default().insert(place);
                })?;
            }
        }
        for consumer in traffic.totals.keys().filter(|c| !traffic.by_consumer.contains_key(*c)) {
            if traffic.others.contains_key(consumer) { traffic.moved += 1 } else { traffic.gone += 1 }
        }
        for consumer in traffic.by_consumer.keys() {
            traffic.names.insert(view.consumer_name(*consumer)?);
        }
        Ok(traffic)
    }

    /// Who still calls, most calls first.
    pub(super) fn callers(
        &self,
        view: &RollupView,
        own: Option<VersionId>,
        versions: &[(String, VersionId)],
    ) -> Result<Vec<StillCalling>, ReadError> {
        let Some(own) = own else { return Ok(Vec::new()) };
        let operations = self.operations(view, own)?;
        let mut callers = Vec::with_capacity(self.by_consumer.len());
        for (consumer, calls) in &self.by_consumer {
            let totals = self.totals.get(consumer);
            let mut revenue = Vec::new();
            for (label, amount) in totals.map(|t| t.revenue.as_slice()).unwrap_or_default() {
                revenue.push(Money { currency: view.label_name(*label)?, amount: crate::summary::money(*amount) });
            }
            let others = self.others.get(consumer).into_iter().flatten();
            callers.push(StillCalling {
                consumer: view.consumer_name(*consumer)?,
                calls: *calls,
                last: totals.map(|t| t.last.rfc3339()).unwrap_or_default(),
                operations: operations.get(consumer).cloned().unwrap_or_default(),
                other_versions: others.filter_map(|place| versions.get(*place)).map(|v| v.0.clone()).collect(),
                revenue,
            });
        }
        callers.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.consumer.cmp(&b.consumer)));
        Ok(callers)
    }

    /// The operations that each caller calls most.
    fn operations(&self, view: &RollupView, own: VersionId) -> Result<HashMap<u32, Vec<String>>, ReadError> {
        let mut called: HashMap<u32, Vec<(u64, String)>> = HashMap::new();
        for operation in view.operations(own)?.into_keys() {
            let name = view.operation_name(operation)?;
            view.reach(own, operation, |consumer, reach| {
                if self.by_consumer.contains_key(&consumer) && !name.is_empty() {
                    called.entry(consumer).or_default().push((reach.calls, name.clone()));
                }
            })?;
        }
        let most = |mut all: Vec<(u64, String)>| {
            all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
            all.into_iter().take(OPERATIONS).map(|(_, name)| name).collect()
        };
        Ok(called.into_iter().map(|(consumer, all)| (consumer, most(all))).collect())
    }
}

/// What all callers together pay.
pub(super) fn revenue(callers: &[StillCalling]) -> Vec<Money> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for money in callers.iter().flat_map(|c| &c.revenue) {
        *sums.entry(&money.currency).or_default() += money.amount;
    }
    sums.into_iter().map(|(currency, amount)| Money { currency: currency.to_owned(), amount: crate::summary::tidy(amount) }).collect()
}
