//! The revenue behind what was said: that of the consumers who said it, on the version it is about.

use std::collections::BTreeMap;

use crate::rollup::{ConsumerSet, Revenue, RollupError, RollupView};
use crate::search::FeedbackStats;

/// By field and value: what the consumers behind it have brought on the version, ever. Each consumer counts once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RevenueBehind(BTreeMap<String, BTreeMap<String, Revenue>>);

impl RevenueBehind {
    /// Reads the revenue of everybody behind each label.
    ///
    /// # Errors
    /// The store can't be read, or is damaged.
    pub fn read(view: &RollupView, api: &str, version: &str, said: &FeedbackStats) -> Result<Self, RollupError> {
        let Some(id) = view.version(api, version)? else { return Ok(Self::default()) };
        let mut ids: Vec<Option<u32>> = vec![None; said.consumers.len()];
        view.consumers_named(&said.consumers, |place, id| ids[place] = Some(id))?;
        let (mut labels, mut sets) = (Vec::new(), Vec::new());
        for (field, values) in &said.reach {
            for (value, places) in values {
                labels.push((field.clone(), value.clone()));
                sets.push(places.iter().filter_map(|place| ids.get(place as usize).copied().flatten()).collect::<ConsumerSet>());
            }
        }
        let mut behind = Self::default();
        for ((field, value), revenue) in labels.into_iter().zip(view.revenue_of(id, &sets)?) {
            behind.0.entry(field).or_default().insert(value, revenue);
        }
        Ok(behind)
    }

    /// The values of a field.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&BTreeMap<String, Revenue>> {
        self.0.get(field)
    }
}
