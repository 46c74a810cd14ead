//! Grouping a bounded set of texts at once: slower than as they arrive, and better.

use crate::features::Features;
use crate::latent::{Matrix, random, scale};

/// How texts are grouped at once.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Leading directions.
    pub dimensions: usize,
    /// Starts of which the best is taken.
    pub starts: u64,
    /// Rounds in which texts are put again by the words of the groups.
    pub refinements: usize,
    pub balanced: bool,
    pub least: usize,
    pub alpha: f32,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { dimensions: 100, starts: 3, refinements: 0, balanced: false, least: 2, alpha: 0.1 }
    }
}

/// The number of a group for each text, at most `groups` of them. The same texts and seed give the same groups.
#[must_use]
pub fn group(texts: &[Features], groups: usize, recipe: &Recipe, seed: u64) -> Vec<usize> {
    let matrix = Matrix::of(texts, recipe.least);
    let matrix = if recipe.balanced { matrix.balanced() } else { matrix };
    let places = matrix.latent(recipe.dimensions, seed + 1);
    let mut best: Option<(f32, Vec<usize>)> = None;
    for start in 0..recipe.starts {
        let (score, assigned) = means(&places, groups, seed * 1000 + start);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, assigned));
        }
    }
    let mut assigned = best.map(|(_, a)| a).unwrap_or_default();
    let matrix = Matrix::of(texts, 1);
    for _ in 0..recipe.refinements {
        assigned = refine(&matrix, &assigned, groups, recipe.alpha);
    }
    assigned
}

/// Spherical k-means; gives the sum of similarities and the groups.
fn means(places: &[Vec<f32>], groups: usize, seed: u64) -> (f32, Vec<usize>) {
    let mut centres = first_centres(places, groups, seed);
    let mut assigned = vec![0; places.len()];
    let mut score = 0.0;
    for _ in 0..60 {
        score = 0.0;
        let mut moved = 0;
        for (place, group) in places.iter().zip(&mut assigned) {
            let (best, like) = closest(place, &centres);
            score += like;
            moved += usize::from(*group != best);
            *group = best;
        }
        let dims = centres.first().map_or(0, Vec::len);
        centres.iter_mut().for_each(|c| *c = vec![0.0; dims]);
        for (place, group) in places.iter().zip(&assigned) {
            centres[*group].iter_mut().zip(place).for_each(|(c, p)| *c += p);
        }
        centres.iter_mut().for_each(|c| scale(c));
        if moved == 0 {
            break;
        }
    }
    (score, assigned)
}

fn closest(place: &[f32], centres: &[Vec<f32>]) -> (usize, f32) {
    let mut best = (0, f32::MIN);
    for (number, centre) in centres.iter().enumerate() {
        let like: f32 = centre.iter().zip(place).map(|(a, b)| a * b).sum();
        if like > best.1 {
            best = (number, like);
        }
    }
    best
}

/// k-means++: each next centre is far from those before, by chance.
fn first_centres(places: &[Vec<f32>], groups: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed.wrapping_add(7).wrapping_mul(0x2545_f491_4f6c_dd1d) | 1;
    let unit = |state: &mut u64| (random(state) + 1.0) / 2.0;
    let mut centres: Vec<Vec<f32>> = Vec::new();
    let mut far = vec![1.0f32; places.len()];
    while centres.len() < groups && !places.is_empty() {
        let all: f32 = far.iter().sum();
        let mut left = unit(&mut state) * all;
        let chosen = far.iter().position(|f| {
            left -= f;
            left <= 0.0
        });
        let centre = places[chosen.unwrap_or(places.len() - 1)].clone();
        for (place, f) in places.iter().zip(&mut far) {
            let like: f32 = centre.iter().zip(place).map(|(a, b)| a * b).sum();
            *f = f.min((1.0 - like).max(0.0));
        }
        centres.push(centre);
    }
    centres
}

/// Puts every text where the words of the group make it most likely.
fn refine(matrix: &Matrix, assigned: &[usize], groups: usize, alpha: f32) -> Vec<usize> {
    let mut counts = vec![vec![0f32; groups]; matrix.terms];
    let mut totals = vec![0f32; groups];
    let mut sizes = vec![0f32; groups];
    for (row, group) in matrix.rows.iter().zip(assigned) {
        sizes[*group] += 1.0;
        for (term, weight) in row {
            counts[*term as usize][*group] += weight;
            totals[*group] += weight;
        }
    }
    let all = alpha * matrix.terms as f32;
    let place = |(row, own): (&Vec<(u32, f32)>, &usize)| {
        let mut best = (*own, f32::MIN);
        for group in 0..groups {
            let mut score = (sizes[group] + 1.0).ln() * 0.0;
            for (term, weight) in row {
                let c = &counts[*term as usize];
                let mine = if group == *own { *weight } else { 0.0 };
                score += weight * ((c[group] - mine + alpha) / (totals[group] + all)).ln();
            }
            if score > best.1 {
                best = (group, score);
            }
        }
        best.0
    };
    matrix.rows.iter().zip(assigned).map(place).collect()
}
