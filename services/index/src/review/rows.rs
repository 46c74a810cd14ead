//! What the roll-ups tell day by day, handed out to consumers.
//!
//! It is noted in the order of reading and handed out at once: each consumer's list then has just the room it needs, and those of
//! neighbours lie one behind the other.

use crate::rollup::{ConsumerSet, RollupError, RollupView};

/// Values noted together, after which a new part begins: what was handed out is freed part by part.
const PART: usize = 1 << 16;
/// No place.
const NOWHERE: u32 = u32::MAX;

/// Where consumers stand in a review's input: by name, for ids depend on the order of reading.
pub(super) struct Places {
    /// By id.
    of: Vec<u32>,
    /// By place.
    pub(super) names: Vec<String>,
}

impl Places {
    /// The places of some consumers.
    pub(super) fn of(view: &RollupView, consumers: &ConsumerSet) -> Result<Self, RollupError> {
        let ids: Vec<u32> = consumers.iter().collect();
        let mut named: Vec<(String, u32)> = Vec::with_capacity(ids.len());
        view.consumer_names(&ids, |id, name| named.push((name, id)))?;
        named.sort_unstable();
        let mut of = vec![NOWHERE; ids.last().map_or(0, |last| *last as usize + 1)];
        (0u32..).zip(&named).for_each(|(place, (_, id))| of[*id as usize] = place);
        Ok(Self { of, names: named.into_iter().map(|(name, _)| name).collect() })
    }

    /// The place of a consumer, if it has one.
    pub(super) fn get(&self, consumer: u32) -> Option<usize> {
        self.of.get(consumer as usize).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }
}

/// Values of consumers in the order in which they are read.
pub(super) struct Rows<T> {
    parts: Vec<Part<T>>,
}

struct Part<T> {
    /// Consumer, and how many of the values are its.
    heads: Vec<(u32, u32)>,
    values: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { parts: Vec::new() }
    }
}

impl<T: Copy> Rows<T> {
    /// Notes values of a consumer.
    pub(super) fn push(&mut self, consumer: u32, values: impl ExactSizeIterator<Item = T>) {
        let length = values.len();
        let full = self.parts.last().is_none_or(|part| part.values.len() + length > part.values.capacity());
        if full {
            self.parts.push(Part { heads: Vec::with_capacity(PART), values: Vec::with_capacity(PART.max(length)) });
        }
        if let Some(part) = self.parts.last_mut() {
            part.heads.push((consumer, u32::try_from(length).unwrap_or(u32::MAX)));
            part.values.extend(values);
        }
    }

    /// Who has values.
    pub(super) fn consumers(&self, into: &mut ConsumerSet) {
        self.parts.iter().flat_map(|part| &part.heads).for_each(|(consumer, _)| into.insert(*consumer));
    }

    /// Each consumer's values in the order of reading, by place.
    pub(super) fn by_place(self, places: &Places) -> Vec<Vec<T>> {
        let mut lengths = vec![0; places.names.len()];
        for (consumer, length) in self.parts.iter().flat_map(|part| &part.heads) {
            if let Some(place) = places.get(*consumer) {
                lengths[place] += *length as usize;
            }
        }
        let mut lists: Vec<Vec<T>> = lengths.into_iter().map(Vec::with_capacity).collect();
        for part in self.parts {
            let mut start = 0;
            for (consumer, length) in part.heads {
                let values = &part.values[start..start + length as usize];
                start += values.len();
                if let Some(place) = places.get(consumer) {
                    lists[place].extend_from_slice(values);
                }
            }
        }
        lists
    }
}
