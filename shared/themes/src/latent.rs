//! Words that are said in like company, as neighbouring directions: latent semantic analysis of a bounded set of texts.

use hashbrown::HashMap;

use crate::features::Features;

/// Rounds of subspace iteration: the leading directions are settled long before.
const ROUNDS: usize = 8;

/// Texts as rows of weighted terms, each of length one.
pub(crate) struct Matrix {
    /// Number of the term and its weight.
    pub(crate) rows: Vec<Vec<(u32, f32)>>,
    pub(crate) terms: usize,
}

impl Matrix {
    /// The texts over the terms that at least `least` of them have, rare terms weighing more.
    pub(crate) fn of(texts: &[Features], least: usize) -> Self {
        let mut having: HashMap<u32, usize> = HashMap::new();
        texts.iter().flat_map(|t| &t.terms).for_each(|term| *having.entry(term.key).or_default() += 1);
        let mut kept: Vec<u32> = having.iter().filter(|(_, n)| **n >= least).map(|(key, _)| *key).collect();
        // In the order of the keys, so that the same texts always give the same numbers.
        kept.sort_unstable();
        let numbers: HashMap<u32, u32> = kept.iter().copied().zip(0u32..).collect();
        let rarity = |key: u32| (texts.len() as f32 / having.get(&key).copied().unwrap_or(1) as f32).ln() + 1.0;
        let row = |text: &Features| {
            let mut row: Vec<(u32, f32)> =
                text.terms.iter().filter_map(|t| Some((*numbers.get(&t.key)?, t.weight * rarity(t.key)))).collect();
            scale_sparse(&mut row);
            row
        };
        Self { rows: texts.iter().map(row).collect(), terms: kept.len() }
    }

    /// Each row in the `dimensions` leading directions, of length one.
    pub(crate) fn latent(&self, dimensions: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut basis: Vec<Vec<f32>> = (0..self.terms).map(|_| (0..dimensions).map(|_| random(&mut state)).collect()).collect();
        for _ in 0..ROUNDS {
            orthogonal(&mut basis, dimensions);
            let placed = self.times(&basis, dimensions);
            basis = self.back(&placed, dimensions);
        }
        orthogonal(&mut basis, dimensions);
        let mut placed = self.times(&basis, dimensions);
        placed.iter_mut().for_each(|row| scale(row));
        placed
    }

    fn times(&self, basis: &[Vec<f32>], dimensions: usize) -> Vec<Vec<f32>> {
        let one = |row: &Vec<(u32, f32)>| {
            let mut out = vec![0f32; dimensions];
            for (term, weight) in row {
                out.iter_mut().zip(&basis[*term as usize]).for_each(|(o, b)| *o += weight * b);
            }
            out
        };
        self.rows.iter().map(one).collect()
    }

    fn back(&self, placed: &[Vec<f32>], dimensions: usize) -> Vec<Vec<f32>> {
        let mut basis = vec![vec![0f32; dimensions]; self.terms];
        for (row, place) in self.rows.iter().zip(placed) {
            for (term, weight) in row {
                basis[*term as usize].iter_mut().zip(place).for_each(|(b, p)| *b += weight * p);
            }
        }
        basis
    }
}

/// Makes the columns of a tall matrix orthonormal (Gram and Schmidt, twice for the sake of rounding).
fn orthogonal(matrix: &mut [Vec<f32>], columns: usize) {
    for column in 0..columns {
        for _ in 0..2 {
            for before in 0..column {
                let dot: f32 = matrix.iter().map(|row| row[column] * row[before]).sum();
                matrix.iter_mut().for_each(|row| row[column] -= dot * row[before]);
            }
        }
        let length = matrix.iter().map(|row| row[column] * row[column]).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        matrix.iter_mut().for_each(|row| row[column] /= length);
    }
}

/// Between −1 and 1: an xorshift generator, which is random enough to begin with.
pub(crate) fn random(state: &mut u64) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

pub(crate) fn scale(row: &mut [f32]) {
    let length = row.iter().map(|w| w * w).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|w| *w /= length);
    }
}

fn scale_sparse(row: &mut [(u32, f32)]) {
    let length = row.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|(_, w)| *w /= length);
    }
}
