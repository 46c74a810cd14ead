//! Grouping a bounded set of texts at once: slower than as they arrive, and better.

use groundswell_meaning::Meaning;

use crate::features::Features;
use crate::latent::{Matrix, random, scale};

/// Leading directions in which texts are compared, beyond one for each group: more of them bring words back that tell no subject.
const DIMENSIONS: usize = 2;
/// Directions at most.
const MOST_DIMENSIONS: usize = 64;
/// How much the meaning of a text counts beside its place in those directions.
const MEANING: f32 = 1.6;
/// Starts of which the best is taken: at most and at least, and how many groups all of them make together, so that many groups do not take long.
const MOST_STARTS: usize = 24;
const FEWEST_STARTS: usize = 8;
const GROUPS_OF_STARTS: usize = 480;
/// Rounds of one start at most.
const ROUNDS: usize = 60;
/// Texts that must have a term for it to be looked at.
const LEAST: usize = 2;

/// Rounds in which texts are put again by the words of the groups themselves.
const REFINED: usize = 20;
/// In those rounds words count for so many times the leading directions, which only decide where words don't.
const WORDS: f32 = 30.0;

/// Texts grouped at once.
pub struct Groups {
    /// The number of a group for each text.
    pub assigned: Vec<usize>,
    /// Each text in the leading directions, of length one (zero for a text of words that no other has).
    pub places: Vec<Vec<f32>>,
}

/// Puts texts into at most `groups` groups. The same texts and seed give the same groups.
#[must_use]
pub fn group(texts: &[Features], groups: usize, seed: u64) -> Groups {
    let matrix = Matrix::of(texts, LEAST);
    let dimensions = (groups + DIMENSIONS).min(MOST_DIMENSIONS).min(matrix.terms).min(texts.len());
    let places = beside_meanings(matrix.latent(dimensions, seed.wrapping_add(1)), texts);
    let mut best: Option<(f32, Vec<usize>)> = None;
    let starts = (GROUPS_OF_STARTS / groups.max(1)).clamp(FEWEST_STARTS, MOST_STARTS);
    for start in (0..).take(starts) {
        let (score, assigned) = means(&places, groups, seed.wrapping_mul(1000).wrapping_add(start));
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, assigned));
        }
    }
    let mut assigned = best.map(|(_, a)| a).unwrap_or_default();
    for _ in 0..REFINED {
        assigned = refined(&matrix, &places, &assigned, groups);
    }
    Groups { assigned, places }
}

/// The place of each text, and beside it what its words mean in general, as far as they are English and known: both say the same of
/// texts of one subject, and err on others.
fn beside_meanings(mut places: Vec<Vec<f32>>, texts: &[Features]) -> Vec<Vec<f32>> {
    for (place, text) in places.iter_mut().zip(texts) {
        let mut meaning = Meaning::default();
        text.terms.iter().for_each(|term| meaning.add(&term.text, term.weight));
        place.extend(meaning.direction().map(|v| v * MEANING));
        scale(place);
    }
    places
}

/// Spherical k-means; gives the sum of similarities and the groups.
fn means(places: &[Vec<f32>], groups: usize, seed: u64) -> (f32, Vec<usize>) {
    let mut centres = first_centres(places, groups, seed);
    let mut assigned = vec![0; places.len()];
    let mut score = 0.0;
    for _ in 0..ROUNDS {
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

/// Every text in the group whose words it shares most.
fn refined(matrix: &Matrix, places: &[Vec<f32>], assigned: &[usize], groups: usize) -> Vec<usize> {
    let dimensions = places.first().map_or(0, Vec::len);
    let mut middles = vec![vec![0f32; dimensions]; groups];
    let mut words = vec![vec![0f32; matrix.terms]; groups];
    for ((row, place), group) in matrix.rows.iter().zip(places).zip(assigned) {
        middles[*group].iter_mut().zip(place).for_each(|(m, p)| *m += p);
        row.iter().for_each(|(term, weight)| words[*group][*term as usize] += weight);
    }
    middles.iter_mut().chain(&mut words).for_each(|row| scale(row));
    let best = |(row, place): (&Vec<(u32, f32)>, &Vec<f32>)| {
        let like = |group: usize| {
            let said: f32 = row.iter().map(|(term, weight)| weight * words[group][*term as usize]).sum();
            WORDS * said + middles[group].iter().zip(place).map(|(m, p)| m * p).sum::<f32>()
        };
        let mut best = (0, f32::MIN);
        for group in 0..groups {
            let alike = like(group);
            if alike > best.1 {
                best = (group, alike);
            }
        }
        best.0
    };
    matrix.rows.iter().zip(places).map(best).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_like_words_are_one_group_even_where_they_share_none() {
        let mut texts = Vec::new();
        for n in 0..12 {
            let subjects = [
                ("refund fails", "refund answers conflict", "conflict on refund"),
                ("csv export", "export spreadsheet", "spreadsheet as csv"),
            ];
            let (a, b, c) = subjects[n % 2];
            texts.push(Features::of([a, b, c][n / 2 % 3], ""));
        }
        let groups = group(&texts, 2, 1);
        for n in 2..12 {
            assert_eq!(groups.assigned[n] == groups.assigned[0], n % 2 == 0, "{n}");
        }
        assert_eq!(groups.assigned, group(&texts, 2, 1).assigned);
    }

    #[test]
    fn nothing_and_little_are_grouped_too() {
        assert!(group(&[], 3, 0).assigned.is_empty());
        assert_eq!(group(&[Features::of("refund", "")], 3, 0).assigned, [0]);
    }
}
