//! Several heads asked at once. Most of the time of a score is waiting for memory, so the weights that all heads have for a
//! feature lie side by side: one look answers for all of them, and nothing is decided on the way, so that many looks are under way
//! at once. The scores are those of [`Head::scores`], to the last bit.

use super::Model;
use super::features::{Block, Feature, Features};
use super::head::{Head, add_meanings, frequencies, frequency, rarity};

/// How rare a feature is for a head (0: the head does not know it), and the head's weights.
type Cell = [i8; LANES];
/// One lane for the rarity and one for each label: as many as processors take at once, or half of that.
const LANES: usize = 8;
/// Most heads that are asked at once: so few that all sums stay in a processor's registers.
const MOST: usize = 3;

/// Heads of one model whose tables have the same buckets.
#[derive(Clone, Debug, Default)]
pub struct Joint {
    parts: Vec<Part>,
    /// The cells of all heads for each bucket, a power of two. Most buckets are in use, so there is nothing to save by a list of those that are.
    cells: Vec<[Cell; MOST]>,
}

/// One of the heads.
#[derive(Clone, Debug)]
struct Part {
    name: String,
    blocks: [f32; Block::ALL.len()],
    scale: Vec<f32>,
    bias: Vec<f32>,
    meanings: Vec<Vec<f32>>,
}

/// Sums over the features of a block, by head.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// By lane; the first one means nothing.
    lanes: [[f32; LANES]; MOST],
    squares: [f32; MOST],
}

impl Joint {
    /// The heads of these names, as far as they are there, have few labels, and tables of the same size.
    #[must_use]
    pub fn of(model: &Model, names: &[&str]) -> Self {
        let few = |head: &&Head| head.labels.len() < LANES;
        let asked: Vec<(&str, &Head)> = names.iter().filter_map(|n| Some((*n, Some(&model.head(n)?.head).filter(few)?))).collect();
        let buckets = asked.first().map_or(0, |(_, head)| head.table.buckets());
        let heads: Vec<(&str, &Head)> = asked.into_iter().filter(|(_, head)| head.table.buckets() == buckets).take(MOST).collect();
        let part = |(name, head): &(&str, &Head)| Part {
            name: (*name).to_owned(),
            blocks: head.blocks,
            scale: head.scale.clone(),
            bias: head.bias.clone(),
            meanings: head.meanings.clone(),
        };
        let keys = 0..u32::try_from(buckets).unwrap_or(0);
        let cells = keys.map(|key| std::array::from_fn(|place| heads.get(place).map_or(Cell::default(), |(_, head)| cell(head, key))));
        Self { cells: cells.collect(), parts: heads.iter().map(part).collect() }
    }

    /// The place of a head among those asked at once.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.parts.iter().position(|p| p.name == name)
    }

    /// Bytes of memory of its cells.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.cells.as_slice())
    }

    fn at(&self, key: u32) -> &[Cell; MOST] {
        &self.cells[key as usize & (self.cells.len() - 1)]
    }

    /// How rare a feature is for a head, and its weight for one of the labels; 0 and 0 where the head does not know it.
    pub(super) fn weight(&self, place: usize, label: usize, key: u32) -> (u8, f32) {
        let cell = self.at(key)[place];
        (cell[0].cast_unsigned(), f32::from(cell[1 + label]))
    }

    /// The score of every label of every head, for features without a source.
    pub(super) fn scores(&self, features: &Features) -> Vec<Vec<f32>> {
        let mut totals = [[0.0_f32; LANES]; MOST];
        for block in Block::ALL.into_iter().filter(|block| !self.parts.is_empty() && !features.block(*block).is_empty()) {
            let Sums { lanes, squares } = self.sums(features.block(block));
            for (place, part) in self.parts.iter().enumerate().filter(|(_, part)| part.blocks[block as usize] > 0.0) {
                let square = squares[place];
                let factor = if square > 0.0 { part.blocks[block as usize] / square.sqrt() } else { 0.0 };
                totals[place].iter_mut().zip(lanes[place]).for_each(|(total, sum)| *total += sum * factor);
            }
        }
        let end = |(part, totals): (&Part, [f32; LANES])| -> Vec<f32> {
            let of_label = totals.iter().skip(1).zip(&part.scale).zip(&part.bias);
            let mut scores: Vec<f32> = of_label.map(|((total, scale), bias)| total * scale + 0.0 + bias).collect();
            add_meanings(&mut scores, &part.meanings, &features.meanings);
            scores
        };
        self.parts.iter().zip(totals).map(end).collect()
    }

    fn sums(&self, features: &[Feature]) -> Sums {
        let mut sums = Sums::default();
        let frequencies = frequencies();
        for feature in features {
            let often = frequency(frequencies, feature.count);
            let cells = self.at(feature.key);
            for ((cell, lanes), square) in cells.iter().zip(&mut sums.lanes).zip(&mut sums.squares) {
                let value = often * rarity(cell[0].cast_unsigned());
                *square += value * value;
                lanes.iter_mut().zip(cell).for_each(|(sum, weight)| *sum += value * f32::from(*weight));
            }
        }
        sums
    }
}

fn cell(head: &Head, key: u32) -> Cell {
    let mut cell = Cell::default();
    if let Some(row) = head.table.find(key) {
        cell[0] = head.table.rare(row).cast_signed();
        head.table.weights(row).for_each(|(label, weight)| cell[1 + label] = weight);
    }
    cell
}
