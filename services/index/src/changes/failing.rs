//! Operations whose calls fail, as things that can change: by consumer, in the days of the review.

use std::collections::{BTreeMap, BTreeSet};

use groundswell_review::changes::Thing;
use hashbrown::HashMap;

use crate::review::{Question, ReadError, real};
use crate::rollup::{Days, RollupView, VersionId};

/// How such a thing is called.
pub(super) const FIELD: &str = "failing operation";
/// Operations looked at: those with the most failed calls.
const MOST_OPERATIONS: usize = 300;

/// Operations with a failed call on either version in these days, and how many were left out.
pub(super) fn things(
    view: &RollupView,
    question: &Question,
    days: Days,
    places: &HashMap<&str, u32>,
) -> Result<(Vec<Thing>, u64), ReadError> {
    let versions = [view.version(&question.api, &question.baseline)?, view.version(&question.api, &question.version)?];
    let mut failed: BTreeMap<u32, u64> = BTreeMap::new();
    for version in versions.into_iter().flatten() {
        for (operation, in_days) in view.failed_by_operation(version, days)? {
            *failed.entry(operation).or_default() += in_days;
        }
    }
    let mut worst: Vec<(u32, u64, String)> = Vec::new();
    for (operation, failed) in failed.into_iter().filter(|(_, failed)| *failed > 0) {
        worst.push((operation, failed, view.operation_name(operation)?));
    }
    worst.retain(|(_, _, name)| !name.is_empty());
    worst.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.2.cmp(&b.2)));
    let left_out = worst.len().saturating_sub(MOST_OPERATIONS) as u64;
    let mut known = Known { view, days, places, by_id: HashMap::new() };
    let mut things = Vec::new();
    for (operation, _, name) in worst.into_iter().take(MOST_OPERATIONS) {
        things.push(known.thing(versions, operation, name)?);
    }
    Ok((things, left_out))
}

/// Consumers by their number in the roll-ups.
struct Known<'a> {
    view: &'a RollupView,
    days: Days,
    places: &'a HashMap<&'a str, u32>,
    by_id: HashMap<u32, Option<u32>>,
}

impl Known<'_> {
    fn thing(&mut self, versions: [Option<VersionId>; 2], operation: u32, name: String) -> Result<Thing, ReadError> {
        let mut called: BTreeMap<u32, [(u64, u64); 2]> = BTreeMap::new();
        for (side, version) in versions.into_iter().enumerate() {
            let Some(version) = version else { continue };
            self.view.operation_days(version, operation, self.days, |_, consumer, on_it| {
                let (calls, failed) = &mut called.entry(consumer).or_default()[side];
                (*calls, *failed) = (calls.saturating_add(on_it.calls), failed.saturating_add(on_it.failed));
            })?;
        }
        let (mut said, mut exposure) = (BTreeMap::new(), BTreeMap::new());
        for (consumer, [there, here]) in called {
            let Some(place) = self.place(consumer)? else { continue };
            exposure.insert(place, (real(there.0), real(here.0)));
            if there.1 + here.1 > 0 {
                said.insert(place, (real(there.1), real(here.1)));
            }
        }
        Ok(Thing { field: FIELD.to_owned(), value: name, said, exposure: Some(exposure), ..Thing::default() })
    }

    /// The place of a consumer among those of the window.
    fn place(&mut self, consumer: u32) -> Result<Option<u32>, ReadError> {
        if let Some(known) = self.by_id.get(&consumer) {
            return Ok(*known);
        }
        let place = self.places.get(self.view.consumer_name(consumer)?.as_str()).copied();
        self.by_id.insert(consumer, place);
        Ok(place)
    }
}

/// The names of the operations that were ever called on a version.
pub(super) fn called(view: &RollupView, version: Option<VersionId>) -> Result<BTreeMap<String, u32>, ReadError> {
    let mut names = BTreeMap::new();
    let ids: BTreeSet<u32> = version.map(|v| view.operations(v)).transpose()?.unwrap_or_default().into_keys().collect();
    for id in ids {
        names.insert(view.operation_name(id)?, id);
    }
    Ok(names)
}
