//! A head: the weights that tell the labels of one question apart.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::features::{Block, Features, MEANINGS, Weights};
use super::hash;
use super::table::Table;

/// Counts above this weigh no more.
const MOST_OFTEN: u16 = 64;

/// Every feature of a text asks for these two: looked up, not reckoned.
static FREQUENCIES: LazyLock<[f32; MOST_OFTEN as usize + 1]> =
    LazyLock::new(|| std::array::from_fn(|n| if n <= 1 { 1.0 } else { 1.0 + f32::from(u16::try_from(n).unwrap_or(MOST_OFTEN)).ln() }));
static RARITIES: [f32; 256] = rarities();

#[expect(clippy::cast_precision_loss, reason = "below 256")]
const fn rarities() -> [f32; 256] {
    let mut all = [0.0; 256];
    let mut byte = 1;
    while byte < all.len() {
        all[byte] = 1.0 + (byte - 1) as f32 / 30.0;
        byte += 1;
    }
    all
}

/// The weights by how often a feature stands in a text: 1 + ln n (sublinear term frequency).
pub(super) fn frequencies() -> &'static [f32; MOST_OFTEN as usize + 1] {
    &FREQUENCIES
}

/// One of [`frequencies`].
pub(super) fn frequency(frequencies: &[f32; MOST_OFTEN as usize + 1], count: u16) -> f32 {
    frequencies[usize::from(count.min(MOST_OFTEN))]
}

/// The inverse document frequency that a byte stands for; a feature that training has not seen (0) counts for nothing.
pub(super) fn rarity(byte: u8) -> f32 {
    RARITIES[usize::from(byte)]
}

/// As [`rarity`], the other way: `ln((1 + n) / (1 + df)) + 1`, in steps of a thirtieth.
pub(super) fn rarity_byte(documents: usize, with: u32) -> u8 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a logarithm of counts, below 8"
    )]
    let steps = ((1.0 + documents as f32) / (1.0 + with as f32)).ln().mul_add(30.0, 0.5).clamp(0.0, 254.0) as u8;
    steps + 1
}

/// The weights of one head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Its labels, in the order of their weights.
    pub(super) labels: Vec<String>,
    pub(super) blocks: Weights,
    pub(super) table: Table,
    /// Copies of the features for each source, and the sources that have them.
    pub(super) crossed: Option<Table>,
    pub(super) sources: Vec<String>,
    /// What one step of a weight stands for, by label; and by label for the copies.
    pub(super) scale: Vec<f32>,
    pub(super) crossed_scale: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// By label the weight of each direction; empty for a head that does not ask what words mean.
    pub(super) meanings: Vec<Vec<f32>>,
    /// The same for the copies, for one source after the other.
    pub(super) crossed_meanings: Vec<Vec<f32>>,
}

/// Adds what the directions of a text say to the score of each label.
pub(super) fn add_meanings(scores: &mut [f32], weights: &[Vec<f32>], meanings: &[f32]) {
    scores.iter_mut().zip(weights).for_each(|(score, weights)| *score += dot(weights, meanings));
}

/// A sum in eight lanes, so that a processor may take them at once.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        lanes.iter_mut().zip(a.iter().zip(b)).for_each(|(lane, (a, b))| *lane += a * b);
    }
    lanes.iter().sum()
}

/// The bucket of a feature's copy for a source.
pub(super) fn crossed_key(key: u32, source: &str) -> u32 {
    hash::key(hash::push(hash::word(source), u64::from(key)))
}

impl Head {
    /// The score of every label, in logits of one against the rest.
    pub(super) fn scores(&self, features: &Features, source: Option<&str>) -> Vec<f32> {
        let place = source.and_then(|s| self.sources.iter().position(|known| known == s));
        let source = source.filter(|_| place.is_some());
        let mut total = vec![0.0_f32; self.labels.len()];
        let mut crossed_total = vec![0.0_f32; self.labels.len()];
        let (mut sum, mut crossed_sum) = (total.clone(), total.clone());
        for block in Block::ALL.into_iter().filter(|b| self.blocks[*b as usize] > 0.0) {
            let factor = self.sum(features, block, source, &mut sum, &mut crossed_sum);
            total.iter_mut().zip(&mut sum).for_each(|(t, s)| *t += std::mem::take(s) * factor);
            crossed_total.iter_mut().zip(&mut crossed_sum).for_each(|(t, s)| *t += std::mem::take(s) * factor);
        }
        for (label, score) in total.iter_mut().enumerate() {
            *score = *score * self.scale[label] + crossed_total[label] * self.crossed_scale[label] + self.bias[label];
        }
        add_meanings(&mut total, &self.meanings, &features.meanings);
        if let Some(place) = place {
            for (score, weights) in total.iter_mut().zip(&self.crossed_meanings) {
                *score += dot(weights.get(place * MEANINGS..).unwrap_or_default(), &features.meanings);
            }
        }
        total
    }

    /// Adds up the weights of one block's features; gives the factor that makes the block as long as its weight.
    fn sum(&self, features: &Features, block: Block, source: Option<&str>, sum: &mut [f32], crossed_sum: &mut [f32]) -> f32 {
        let mut square = 0.0_f32;
        let frequencies = frequencies();
        // Three rounds, each of looks into memory that do not wait for one another: where rows are, how rare their features, their weights.
        let rows: Vec<Option<u32>> = features.block(block).iter().map(|feature| self.table.find(feature.key)).collect();
        let known = features.block(block).iter().zip(rows).filter_map(|(feature, row)| row.map(|row| (feature, row)));
        let mut values = Vec::with_capacity(features.block(block).len());
        for (feature, row) in known {
            let value = frequency(frequencies, feature.count) * rarity(self.table.rare(row));
            square += value * value;
            values.push((feature.key, row, value));
        }
        for (key, row, value) in values {
            self.table.add(row, value, sum);
            let Some((source, crossed)) = source.zip(self.crossed.as_ref()) else { continue };
            if let Some(row) = crossed.find(crossed_key(key, source)) {
                crossed.add(row, value, crossed_sum);
            }
        }
        if square > 0.0 { self.blocks[block as usize] / square.sqrt() } else { 0.0 }
    }

    /// How rare a feature is, and its weight for one of the labels; 0 and 0 where training has not seen it.
    pub(super) fn weight(&self, label: usize, key: u32) -> (u8, f32) {
        self.table.find(key).map_or((0, 0.0), |row| (self.table.rare(row), f32::from(self.table.weight(row, label))))
    }

    /// Whether it has all weights of directions, or none.
    pub(super) fn has_meanings(&self) -> bool {
        let asked = super::features::asks_meaning(&self.blocks);
        let whole =
            |all: &[Vec<f32>], each: usize| all.len() == if asked { self.labels.len() } else { 0 } && all.iter().all(|w| w.len() == each);
        whole(&self.meanings, MEANINGS) && whole(&self.crossed_meanings, MEANINGS * self.sources.len())
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        let meanings: usize = self.meanings.iter().chain(&self.crossed_meanings).map(|w| size_of_val(w.as_slice())).sum();
        self.table.bytes() + self.crossed.as_ref().map_or(0, Table::bytes) + meanings
    }
}
