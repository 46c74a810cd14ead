//! From labelled texts to a head.

use groundswell_meaning::DIMENSIONS;

use super::features::{Block, Features, MEANINGS, Weights, asks_meaning};
use super::head::{Head, crossed_key, frequencies, frequency, rarity, rarity_byte};
use super::solver::{self, Problem, Rows};
use super::table::Table;

/// How a head is trained.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    /// Weight of each block of features.
    pub(super) blocks: Weights,
    /// In how many texts a feature must stand, by block.
    pub(super) least: [u32; Block::ALL.len()],
    /// How much a mistake costs against large weights.
    pub(super) cost: f32,
    /// Share of a feature's factor that does not come from its log-count ratio: 1 is plain logistic regression.
    pub(super) plain: f32,
    /// How strongly features count once more for their own source; 0 for not at all.
    pub(super) crossed: f32,
    /// How much more a mistake on the label's own texts costs: for rare labels of which a text may have several.
    pub(super) favour: f32,
    /// Whether mistakes on a rare label's own texts cost as much more as it is rarer than all others together.
    pub(super) balanced: bool,
    /// Buckets, as a power of two.
    pub(super) bits: u8,
}

/// A text's features with what it is known to be.
pub(super) struct Example<'a> {
    pub(super) features: &'a Features,
    /// Places of its labels in the head; none for a text that is none of them.
    pub(super) labels: &'a [usize],
    pub(super) source: Option<&'a str>,
}

/// The columns of training: first those of directions, then one for every bucket that is in use, then their copies by source.
struct Columns {
    /// The sources that features are copied for.
    sources: Vec<String>,
    /// Directions of the text, and of each source.
    directions: usize,
    /// One more than the column of each bucket.
    of_bucket: Vec<u32>,
    buckets: Vec<u32>,
    rarity: Vec<u8>,
    /// The same for copies by source; their column numbers follow.
    of_crossed: Vec<u32>,
    crossed: Vec<u32>,
    /// The column that each copy copies.
    origin: Vec<u32>,
}

/// Buckets of copies by source, as a power of two.
const CROSSED_BITS: u8 = 20;

/// Trains one head. The same examples in the same order give the same head.
pub(super) fn head(examples: &[Example<'_>], labels: &[String], options: &Options) -> Head {
    let mut columns = Columns::of(examples, options);
    let rows = columns.rows(examples, options);
    let width = columns.width();
    let mut weights = vec![Vec::new(); labels.len()];
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    // Each label is trained by itself, so the number of threads changes nothing but time.
    std::thread::scope(|scope| {
        let share = labels.len().div_ceil(threads).max(1);
        for (part, chunk) in weights.chunks_mut(share).enumerate() {
            let (rows, columns) = (&rows, &columns);
            scope.spawn(move || {
                for (i, weights) in chunk.iter_mut().enumerate() {
                    let label = part * share + i;
                    let is: Vec<bool> = examples.iter().map(|e| e.labels.contains(&label)).collect();
                    let scale = factors(rows, &is, columns, options, width);
                    let favour = options.favour * if options.balanced { rarer(&is) } else { 1.0 };
                    *weights = solver::fit(&Problem { rows, width, scale: &scale, is: &is, cost: options.cost, favour });
                }
            });
        }
    });
    columns.finish(&weights, labels, options)
}

/// How many times as many texts there are of all other labels; 1 for a label of most texts.
#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn rarer(is: &[bool]) -> f32 {
    let own = is.iter().filter(|is| **is).count();
    ((is.len() - own) as f32 / own.max(1) as f32).max(1.0)
}

fn sources(examples: &[Example<'_>], options: &Options) -> Vec<String> {
    let mut sources: Vec<String> = examples.iter().filter_map(|e| e.source).filter(|_| options.crossed > 0.0).map(str::to_owned).collect();
    sources.sort();
    sources.dedup();
    sources
}

impl Columns {
    fn of(examples: &[Example<'_>], options: &Options) -> Self {
        let mask = (1_u32 << options.bits) - 1;
        let mut with = vec![0_u32; 1 << options.bits];
        for feature in examples.iter().flat_map(|e| e.features.all()) {
            with[(feature.key & mask) as usize] += 1;
        }
        let sources = sources(examples, options);
        let directions = if asks_meaning(&options.blocks) { MEANINGS * (1 + sources.len()) } else { 0 };
        let mut columns = Self {
            sources,
            directions,
            of_bucket: vec![0; 1 << options.bits],
            buckets: Vec::new(),
            rarity: Vec::new(),
            of_crossed: Vec::new(),
            crossed: Vec::new(),
            origin: Vec::new(),
        };
        for example in examples {
            for block in Block::ALL {
                let least = options.least[block as usize];
                for bucket in example.features.block(block).iter().map(|f| f.key & mask).filter(|b| with[*b as usize] >= least) {
                    if columns.of_bucket[bucket as usize] == 0 {
                        columns.buckets.push(bucket);
                        columns.rarity.push(rarity_byte(examples.len(), with[bucket as usize]));
                        columns.of_bucket[bucket as usize] = u32::try_from(columns.buckets.len()).unwrap_or(u32::MAX);
                    }
                }
            }
        }
        columns
    }

    fn rows(&mut self, examples: &[Example<'_>], options: &Options) -> Rows {
        let mask = (1_u32 << options.bits) - 1;
        let mut rows = Rows::default();
        let mut values = Vec::new();
        if options.crossed > 0.0 && examples.iter().any(|e| e.source.is_some()) {
            self.of_crossed = vec![0; 1 << CROSSED_BITS];
        }
        for example in examples {
            rows.begin();
            self.directions_of(example, options, &mut rows);
            for block in Block::ALL {
                values.clear();
                for feature in example.features.block(block) {
                    if let Some(column) = self.of_bucket[(feature.key & mask) as usize].checked_sub(1) {
                        values.push((feature.key, column, frequency(frequencies(), feature.count) * rarity(self.rarity[column as usize])));
                    }
                }
                let length = values.iter().map(|(_, _, v)| v * v).sum::<f32>().sqrt();
                let factor = if length > 0.0 { options.blocks[block as usize] / length } else { 0.0 };
                for (key, column, value) in &values {
                    rows.push(self.bucket_column(*column), value * factor);
                    if let Some(source) = example.source.filter(|_| !self.of_crossed.is_empty()) {
                        rows.push(self.copy(*key, *column, source), value * factor * options.crossed.sqrt());
                    }
                }
            }
        }
        rows
    }

    /// The column of a feature's copy for a source.
    fn copy(&mut self, key: u32, column: u32, source: &str) -> u32 {
        let bucket = crossed_key(key, source) & ((1 << CROSSED_BITS) - 1);
        let slot = &mut self.of_crossed[bucket as usize];
        if *slot == 0 {
            self.crossed.push(bucket);
            self.origin.push(column);
            *slot = u32::try_from(self.crossed.len()).unwrap_or(u32::MAX);
        }
        let slot = *slot - 1;
        self.bucket_column(slot + u32::try_from(self.buckets.len()).unwrap_or(u32::MAX))
    }

    fn bucket_column(&self, place: u32) -> u32 {
        u32::try_from(self.directions).unwrap_or(u32::MAX) + place
    }

    fn width(&self) -> usize {
        self.directions + self.buckets.len() + self.crossed.len()
    }

    /// What the text means, once for every text and once for its source.
    fn directions_of(&self, example: &Example<'_>, options: &Options, rows: &mut Rows) {
        if self.directions == 0 {
            return;
        }
        let source = example.source.and_then(|s| self.sources.iter().position(|known| known == s));
        for (n, value) in (0_u32..).zip(weighed(&example.features.meanings, &options.blocks)) {
            rows.push(n, value);
            if let Some(start) = source.and_then(|place| u32::try_from(MEANINGS * (1 + place)).ok()) {
                rows.push(start + n, value * options.crossed.sqrt());
            }
        }
    }

    fn finish(self, weights: &[Vec<f32>], labels: &[String], options: &Options) -> Head {
        let (first, own) = (self.directions, self.buckets.len());
        let (scale, table) = quantised(weights, first, own, 1.0);
        let (crossed_scale, crossed) = quantised(weights, first + own, self.crossed.len(), options.crossed.sqrt());
        // Factors of blocks and copies go into the weights, so that a score needs none of them.
        let part = |range: std::ops::Range<usize>, factor: f32| -> Vec<Vec<f32>> {
            let of_label = |w: &Vec<f32>| {
                let parts = w.get(range.clone()).unwrap_or_default().chunks(MEANINGS);
                parts.flat_map(|part| weighed(part, &options.blocks)).map(|v| v * factor).collect()
            };
            weights.iter().filter(|_| first > 0).map(of_label).collect()
        };
        let (meanings, crossed_meanings) = (part(0..first.min(MEANINGS), 1.0), part(first.min(MEANINGS)..first, options.crossed.sqrt()));
        let (kept, crossed) = without_empty(&self.crossed, crossed, labels.len());
        Head {
            labels: labels.to_vec(),
            blocks: options.blocks,
            table: Table::new(options.bits, &self.buckets, &self.rarity, &table, labels.len()),
            crossed: (!kept.is_empty()).then(|| Table::new(CROSSED_BITS, &kept, &vec![1; kept.len()], &crossed, labels.len())),
            sources: self.sources,
            scale,
            crossed_scale,
            bias: weights.iter().map(|w| w.last().copied().unwrap_or(0.0)).collect(),
            meanings,
            crossed_meanings,
        }
    }
}

/// Directions times the weights of their blocks.
fn weighed<'a>(directions: &'a [f32], blocks: &Weights) -> impl Iterator<Item = f32> + 'a {
    let factors = [Block::TitleMeaning, Block::BodyMeaning].map(|block| blocks[block as usize]);
    directions.iter().zip(factors.into_iter().flat_map(|factor| [factor; DIMENSIONS])).map(|(value, factor)| value * factor)
}

/// Rows that have a weight other than 0: copies of features mostly have none.
fn without_empty(buckets: &[u32], weights: Vec<i8>, labels: usize) -> (Vec<u32>, Vec<i8>) {
    let rows = || buckets.iter().zip(weights.chunks_exact(labels.max(1))).filter(|(_, row)| row.iter().any(|w| *w != 0));
    (rows().map(|(b, _)| *b).collect(), rows().flat_map(|(_, row)| row.iter().copied()).collect())
}

/// Weights of the columns from `start` on as small integers, row by row, and what a step stands for, by label.
fn quantised(weights: &[Vec<f32>], start: usize, count: usize, factor: f32) -> (Vec<f32>, Vec<i8>) {
    let part = |w: &[f32]| w.get(start..start + count).unwrap_or_default().to_vec();
    let parts: Vec<Vec<f32>> = weights.iter().map(|w| part(w)).collect();
    let steps: Vec<f32> = parts.iter().map(|w| w.iter().fold(1e-9_f32, |m, v| m.max(v.abs())) / 127.0).collect();
    let mut rows = Vec::with_capacity(count * weights.len());
    for column in 0..count {
        for (part, step) in parts.iter().zip(&steps) {
            #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
            rows.push((part[column] / step).round() as i8);
        }
    }
    (steps.iter().map(|s| s * factor).collect(), rows)
}

/// The factor of every column for one label: half of it as it is, half by how much more often texts of the label have the
/// feature than others (log-count ratio, Wang and Manning 2012), in parts that average to 1 over the columns.
fn factors(rows: &Rows, is: &[bool], columns: &Columns, options: &Options, width: usize) -> Vec<f32> {
    if options.plain >= 1.0 {
        return vec![1.0; width];
    }
    let own = columns.buckets.len();
    let (mut with, mut without) = (vec![0.5_f64; own], vec![0.5_f64; own]);
    for (i, is) in is.iter().enumerate() {
        let counts = if *is { &mut with } else { &mut without };
        let place = |c: u32| (c as usize).checked_sub(columns.directions).filter(|place| *place < own);
        rows.row(i).filter_map(|(c, _)| place(c)).for_each(|place| counts[place] += 1.0);
    }
    let (all_with, all_without) = (with.iter().sum::<f64>(), without.iter().sum::<f64>());
    let ratios: Vec<f64> = with.iter().zip(&without).map(|(p, q)| ((p / all_with) / (q / all_without)).ln().abs()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a mean over columns")]
    let mean = (ratios.iter().sum::<f64>() / ratios.len().max(1) as f64).max(1e-9);
    #[expect(clippy::cast_possible_truncation, reason = "a factor near 1")]
    let factor = |ratio: f64| options.plain + (1.0 - options.plain) * (ratio / mean) as f32;
    let own: Vec<f32> = ratios.into_iter().map(factor).collect();
    let copies = columns.origin.iter().map(|c| own[*c as usize]);
    std::iter::repeat_n(1.0, columns.directions).chain(own.iter().copied()).chain(copies).collect()
}
