//! Counting features. A text has a thousand of them, so this is where most of the time of labels goes that is not spent on scores.

use super::features::Feature;
use super::hash;

/// Most features of one block: time stays bounded.
const MOST_FEATURES: usize = 8192;

/// Counts the features of one block after the other, by their keys: an open table that is as large as the block needs.
pub(super) struct Counter {
    seed: u64,
    /// What was counted in an earlier block is told by its place, so nothing is cleared between them.
    slots: Vec<Slot>,
    mask: usize,
    /// The features of all blocks, where those of this one begin, and how many there may be.
    found: Vec<Feature>,
    start: usize,
    most: usize,
}

/// A feature's key, and one more than its place; 0 is free.
#[derive(Clone, Copy, Default)]
struct Slot {
    key: u32,
    place: u32,
}

/// The table is never more than half full, so a free slot is near.
fn slots(expected: usize) -> usize {
    (2 * expected.clamp(32, MOST_FEATURES)).next_power_of_two()
}

impl Counter {
    /// A counter for blocks of so many features each.
    pub(super) fn with_room(expected: &[usize]) -> Self {
        let largest = expected.iter().copied().max().unwrap_or(0);
        let room = expected.iter().map(|expected| expected.min(&MOST_FEATURES) / 2).sum();
        Self { seed: 0, slots: vec![Slot::default(); slots(largest)], mask: 0, found: Vec::with_capacity(room), start: 0, most: 0 }
    }

    /// Begins a block of which so many features are expected; its seed makes the same word another feature than in other blocks.
    pub(super) fn begin(&mut self, seed: u64, expected: usize) {
        let slots = slots(expected);
        (self.seed, self.mask, self.start, self.most) = (seed, slots - 1, self.found.len(), self.found.len() + slots / 2);
    }

    /// Counts a feature whose first token is at this place.
    pub(super) fn add(&mut self, hash: u64, at: usize) {
        let key = hash::key(hash::push(self.seed, hash));
        let mut at_slot = key as usize & self.mask;
        loop {
            let slot = self.slots[at_slot];
            // Free, or of an earlier block.
            if slot.place as usize <= self.start {
                break;
            }
            if slot.key == key {
                let feature = &mut self.found[slot.place as usize - 1];
                feature.count = feature.count.saturating_add(1);
                return;
            }
            at_slot = (at_slot + 1) & self.mask;
        }
        if self.found.len() >= self.most {
            return;
        }
        self.found.push(Feature { key, count: 1, at: u16::try_from(at).unwrap_or(u16::MAX) });
        self.slots[at_slot] = Slot { key, place: u32::try_from(self.found.len()).unwrap_or(u32::MAX) };
    }

    /// How many features there are, of all blocks so far.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn into_features(self) -> Vec<Feature> {
        self.found
    }
}
