//! The weights of a head by the bucket of a feature, as small integers. Most of them are 0, and those are left out.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Rows of weights by bucket. Buckets that training has not seen have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Packed", from = "Packed")]
pub(super) struct Table {
    /// One more than the row of each bucket.
    rows: Vec<u32>,
    /// By row how rare its feature is.
    rarity: Vec<u8>,
    /// By row where its weights end; they begin where those of the row before end.
    ends: Vec<u32>,
    /// The label of each weight, and the weight.
    places: Vec<u16>,
    weights: Vec<i8>,
    labels: usize,
}

/// A table as it is stored: the buckets with a row as distances to the one before, in the order of buckets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Packed {
    bits: u8,
    labels: u32,
    gaps: Vec<u32>,
    #[serde(with = "bytes")]
    rarity: Vec<u8>,
    /// Weights of each row.
    counts: Vec<u16>,
    /// The label of each weight.
    places: Vec<u16>,
    #[serde(with = "bytes")]
    weights: Vec<u8>,
}

mod bytes {
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_bytes(Bytes)
    }
}

impl From<Table> for Packed {
    fn from(table: Table) -> Self {
        let bits = u8::try_from(table.rows.len().trailing_zeros()).unwrap_or(0);
        let mut packed = Self { bits, labels: u32::try_from(table.labels).unwrap_or(0), ..Self::default() };
        let mut last = 0;
        for (bucket, row) in (0_u32..).zip(&table.rows) {
            let Some(row) = row.checked_sub(1) else { continue };
            packed.gaps.push(bucket - last);
            last = bucket;
            packed.rarity.push(table.rare(row));
            let range = table.range(row);
            packed.counts.push(u16::try_from(range.len()).unwrap_or(u16::MAX));
            packed.places.extend(&table.places[range.clone()]);
            packed.weights.extend(table.weights[range].iter().map(|w| w.cast_unsigned()));
        }
        packed
    }
}

impl From<Packed> for Table {
    /// Of a file that lies, a table comes that is not whole.
    fn from(packed: Packed) -> Self {
        let mut rows = vec![0; 1 << packed.bits.min(24)];
        let mut bucket = 0_usize;
        for (row, gap) in (1..).zip(&packed.gaps) {
            bucket = bucket.saturating_add(*gap as usize);
            if let Some(slot) = rows.get_mut(bucket) {
                *slot = row;
            }
        }
        let mut end = 0_u32;
        let ends = packed.counts.iter().map(|count| {
            end = end.saturating_add(u32::from(*count));
            end
        });
        let (ends, weights) = (ends.collect(), packed.weights.iter().map(|w| w.cast_signed()).collect());
        Self { rows, rarity: packed.rarity, ends, places: packed.places, weights, labels: packed.labels as usize }
    }
}

impl Table {
    /// A table of `2^bits` buckets, of which those that are named have a row, in this order. `weights` has one for every label of every row.
    pub(super) fn new(bits: u8, buckets: &[u32], rarity: &[u8], weights: &[i8], labels: usize) -> Self {
        let mut table = Self { rows: vec![0; 1 << bits], labels, ..Self::default() };
        for (row, bucket) in (1..).zip(buckets) {
            table.rows[*bucket as usize] = row;
        }
        for (rare, row) in rarity.iter().zip(weights.chunks_exact(labels.max(1))) {
            for (label, weight) in (0..).zip(row).filter(|(_, weight)| **weight != 0) {
                table.places.push(label);
                table.weights.push(*weight);
            }
            table.rarity.push(*rare);
            table.ends.push(u32::try_from(table.weights.len()).unwrap_or(u32::MAX));
        }
        table
    }

    /// Whether every row has what it says, for labels that there are: a file may lie.
    pub(super) fn is_whole(&self, labels: usize) -> bool {
        self.labels == labels
            && self.rows.len().is_power_of_two()
            && self.rows.iter().all(|r| *r as usize <= self.len())
            && self.rarity.len() == self.len()
            && self.rarity.iter().all(|rare| *rare != 0)
            && self.ends.last().map_or(0, |end| *end as usize) == self.weights.len()
            && self.places.len() == self.weights.len()
            && self.places.iter().all(|label| usize::from(*label) < labels)
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        4 * (self.rows.len() + self.ends.len()) + self.rarity.len() + 3 * self.weights.len()
    }

    /// Number of buckets.
    pub(super) fn buckets(&self) -> usize {
        self.rows.len()
    }

    /// The row of a feature that training has seen.
    pub(super) fn find(&self, key: u32) -> Option<u32> {
        let slot = key as usize & (self.rows.len() - 1);
        self.rows[slot].checked_sub(1)
    }

    /// How rare the feature of a row is.
    pub(super) fn rare(&self, row: u32) -> u8 {
        self.rarity[row as usize]
    }

    fn range(&self, row: u32) -> Range<usize> {
        let row = row as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        start as usize..self.ends[row] as usize
    }

    /// The weight of one label in a row.
    pub(super) fn weight(&self, row: u32, label: usize) -> i8 {
        self.weights(row).find(|(place, _)| *place == label).map_or(0, |(_, weight)| weight)
    }

    /// The weights of a row, those that are 0 left out, with the places of their labels.
    pub(super) fn weights(&self, row: u32) -> impl Iterator<Item = (usize, i8)> {
        let range = self.range(row);
        self.places[range.clone()].iter().map(|label| usize::from(*label)).zip(self.weights[range].iter().copied())
    }

    /// Adds the weights of a row, times `value`, to the sums of their labels.
    pub(super) fn add(&self, row: u32, value: f32, sums: &mut [f32]) {
        for (label, weight) in self.weights(row) {
            sums[label] += value * f32::from(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn table() -> Table {
        Table::new(4, &[9, 3], &[7, 200], &[0, -5, 0, 1, 0, 127], 3)
    }

    #[test]
    fn weights_of_nought_are_left_out_and_count_as_nought() {
        let table = table();
        let (first, second) = (table.find(9 + 16).unwrap(), table.find(3).unwrap());
        assert_eq!((table.rare(first), table.rare(second), table.find(4)), (7, 200, None));
        assert_eq!([0, 1, 2].map(|label| table.weight(second, label)), [1, 0, 127]);
        let mut sums = [0.5; 3];
        table.add(first, 2.0, &mut sums);
        assert_eq!((sums, table.weights.len()), ([0.5, -9.5, 0.5], 3));
    }

    #[test]
    fn what_is_stored_answers_the_same_and_lies_are_seen() {
        let packed = Packed::from(table());
        let again = Table::from(packed.clone());
        let weights = |table: &Table, key: u32| table.find(key).map(|row| (table.rare(row), table.weights(row).collect::<Vec<_>>()));
        assert!((0..16).all(|key| weights(&again, key) == weights(&table(), key)));
        assert!(again.is_whole(3) && !again.is_whole(2));
        let whole = |lie: &dyn Fn(&mut Packed)| {
            let mut packed = packed.clone();
            lie(&mut packed);
            Table::from(packed).is_whole(3)
        };
        assert!(!whole(&|p| p.counts[0] = 3) && !whole(&|p| p.places[0] = 3) && !whole(&|p| p.rarity[1] = 0));
        assert!(!whole(&|p| p.weights.truncate(2)) && !whole(&|p| p.counts.truncate(1)) && whole(&|_| ()));
    }

    proptest! {
        /// Whatever a file says, what passes for whole can be asked anything.
        #[test]
        fn what_is_whole_answers_for_every_key(
            labels in 0u32..4,
            gaps in vec(0u32..6, 0..8),
            rarity in vec(0u8..3, 0..8),
            counts in vec(0u16..4, 0..8),
            places in vec(0u16..5, 0..12),
            weights in vec(any::<u8>(), 0..12),
        ) {
            let table = Table::from(Packed { bits: 4, labels, gaps, rarity, counts, places, weights });
            if table.is_whole(labels as usize) {
                let mut sums = vec![0.0; labels as usize];
                for row in (0..32).filter_map(|key| table.find(key)) {
                    table.add(row, f32::from(table.rare(row)), &mut sums);
                }
                prop_assert!(sums.iter().all(|sum| sum.is_finite()));
            }
        }
    }
}
