//! Several heads asked at once. Most of the time of a score is waiting for memory, so the weights that all heads have for a
//! feature lie side by side: one look answers for all of them. The scores are those of [`Head::scores`], to the last bit.

use super::Model;
use super::features::{Block, Features};
use super::head::{Head, frequency, rarity};

/// Heads of one model whose tables have the same buckets.
#[derive(Clone, Debug, Default)]
pub struct Joint {
    parts: Vec<Part>,
    /// For each bucket and each head: how rare the feature is (0: the head does not know it), and the weights. Most buckets are in use, so
    /// there is nothing to save by a list of those that are.
    cells: Vec<i8>,
    /// Cells of a bucket.
    width: usize,
    buckets: usize,
}

/// One of the heads.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    /// Where its cells begin in a row.
    at: usize,
    blocks: [f32; Block::ALL.len()],
    scale: Vec<f32>,
    bias: Vec<f32>,
}

/// Sums of one head on the way.
struct Sums {
    block: Vec<f32>,
    total: Vec<f32>,
    square: f32,
}

impl Joint {
    /// The heads of these names, as far as they are there and have tables of the same size.
    #[must_use]
    pub fn of(model: &Model, names: &[&str]) -> Self {
        let asked: Vec<(&str, &Head)> = names.iter().filter_map(|n| Some((*n, &model.head(n)?.head))).collect();
        let buckets = asked.first().map_or(0, |(_, head)| head.table.buckets());
        let heads: Vec<(&str, &Head)> = asked.into_iter().filter(|(_, head)| head.table.buckets() == buckets).collect();
        let mut joint = Self { buckets, ..Self::default() };
        for (name, head) in &heads {
            let at = joint.width;
            joint.width += 1 + head.labels.len();
            joint.parts.push(Part {
                name: (*name).to_owned(),
                at,
                blocks: head.blocks,
                scale: head.scale.clone(),
                bias: head.bias.clone(),
            });
        }
        joint.cells.reserve_exact(buckets * joint.width);
        for key in 0..u32::try_from(buckets).unwrap_or(0) {
            joint.add_bucket(key, &heads);
        }
        joint
    }

    fn add_bucket(&mut self, key: u32, heads: &[(&str, &Head)]) {
        for (_, head) in heads {
            match head.table.look_up(key) {
                Some((rare, weights)) => {
                    self.cells.push(rare.cast_signed());
                    self.cells.extend_from_slice(weights);
                }
                None => self.cells.resize(self.cells.len() + 1 + head.labels.len(), 0),
            }
        }
    }

    /// The place of a head among those asked at once.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.parts.iter().position(|p| p.name == name)
    }

    /// The score of every label of every head, for features without a source.
    pub(super) fn scores(&self, features: &Features) -> Vec<Vec<f32>> {
        let fresh = |p: &Part| Sums { block: vec![0.0; p.bias.len()], total: vec![0.0; p.bias.len()], square: 0.0 };
        let mut sums: Vec<Sums> = self.parts.iter().map(fresh).collect();
        for block in Block::ALL {
            if self.parts.iter().any(|p| p.blocks[block as usize] > 0.0) {
                self.block(features, block, &mut sums);
            }
        }
        let end = |(part, sums): (&Part, Sums)| -> Vec<f32> {
            sums.total.iter().zip(&part.scale).zip(&part.bias).map(|((total, scale), bias)| total * scale + 0.0 + bias).collect()
        };
        self.parts.iter().zip(sums).map(end).collect()
    }

    fn block(&self, features: &Features, block: Block, sums: &mut [Sums]) {
        for feature in &features.blocks[block as usize] {
            let bucket = feature.key as usize & (self.buckets - 1);
            let cells = &self.cells[bucket * self.width..][..self.width];
            let often = frequency(feature.count);
            for (part, sums) in self.parts.iter().zip(sums.iter_mut()) {
                let rare = cells[part.at].cast_unsigned();
                if rare == 0 {
                    continue;
                }
                let value = often * rarity(rare);
                sums.square += value * value;
                for (sum, weight) in sums.block.iter_mut().zip(&cells[part.at + 1..]) {
                    *sum += value * f32::from(*weight);
                }
            }
        }
        for (part, sums) in self.parts.iter().zip(sums.iter_mut()) {
            let square = std::mem::take(&mut sums.square);
            let factor = if square > 0.0 { part.blocks[block as usize] / square.sqrt() } else { 0.0 };
            sums.total.iter_mut().zip(&mut sums.block).for_each(|(total, sum)| *total += std::mem::take(sum) * factor);
        }
    }
}
