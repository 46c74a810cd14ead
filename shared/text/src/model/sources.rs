//! How well a source is told that training has not seen: by training again with some of its texts, and by lessons on them.

use super::decide::Decision;
use super::figures::{Figures, Judged};
use super::fit::{Data, SEED};
use super::hash::Numbers;
use super::head::Head;
use super::learnt::{self, Learnt, Taught};
use super::recipe::Recipe;
use super::{ModelError, Row};

/// Choices of texts that figures of lessons are the mean of.
const SEEDS: u64 = 8;

/// How well a source that training has not seen is told, with so many of its texts per label known: mean over the sources
/// of the macro-F1 on the rest of its texts. None where there are fewer than two sources.
///
/// # Errors
/// As for [`fit`](super::fit()).
pub fn new_source(rows: &[Row], recipe: Recipe, known: usize) -> Result<Option<f64>, ModelError> {
    let data = Data::of(rows, &[recipe])?;
    let Some(sources) = sources(rows) else { return Ok(None) };
    let figures = sources.iter().map(|source| {
        let own = data.first_of_each_label(source, known, SEED);
        let head = data.train(&|i| rows[i].source.as_deref() != Some(*source) || own.contains(&i), &recipe.options());
        data.macro_f1(source, &own, &|i| head.scores(&data.features[i], Some(source)))
    });
    Ok(Some(mean(figures)))
}

/// As [`new_source`], for each of these numbers of texts per label, where the texts are lessons and the head that learnt from
/// the other sources stays as it is. Mean over several choices of texts.
///
/// # Errors
/// As for [`fit`](super::fit()).
pub fn taught_source(rows: &[Row], recipe: Recipe, known: &[usize]) -> Result<Option<Vec<f64>>, ModelError> {
    let data = Data::of(rows, &Recipe::TRIED)?;
    let Some(sources) = sources(rows) else { return Ok(None) };
    let mut options = recipe.options();
    options.crossed = 0.0;
    let heads: Vec<Head> = sources.iter().map(|source| data.train(&|i| rows[i].source.as_deref() != Some(*source), &options)).collect();
    let figure = |known: usize| {
        let one = |(seed, (source, head)): (u64, (&&str, &Head))| {
            let own = data.first_of_each_label(source, known, SEED + seed);
            let taught: Vec<Taught> = own.iter().map(|i| data.taught(*i, head)).collect();
            let learnt = Learnt::of(&taught.iter().collect::<Vec<_>>());
            data.macro_f1(source, &own, &|i| {
                let mut scores = head.scores(&data.features[i], None);
                learnt.add(0, &learnt.likeness(&learnt::vector(&data.features[i], head)), &mut scores);
                scores
            })
        };
        mean((0..SEEDS).flat_map(|seed| sources.iter().zip(&heads).map(move |both| (seed, both))).map(one))
    };
    Ok(Some(known.iter().map(|known| figure(*known)).collect()))
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u32), |(s, n), v| (s + v, n + 1));
    sum / f64::from(n.max(1))
}

/// The sources, where there are several.
fn sources(rows: &[Row]) -> Option<Vec<&str>> {
    let mut sources: Vec<&str> = rows.iter().filter_map(|r| r.source.as_deref()).collect();
    sources.sort_unstable();
    sources.dedup();
    (sources.len() >= 2).then_some(sources)
}

impl Data<'_> {
    /// Macro-F1 on the texts of a source other than those that are known.
    fn macro_f1(&self, source: &str, known: &[usize], scores: &dyn Fn(usize) -> Vec<f32>) -> f64 {
        let judged: Vec<Judged> = (0..self.rows.len())
            .filter(|i| self.rows[*i].source.as_deref() == Some(source) && !known.contains(i))
            .map(|i| Decision::default().judge(&scores(i), &self.truth[i], None))
            .collect();
        Figures::of(&self.labels, &judged).macro_f1
    }

    /// The lesson of a row whose labels are known.
    fn taught(&self, i: usize, head: &Head) -> Taught {
        let scores = head.scores(&self.features[i], None);
        let right = (0..self.labels.len()).map(|label| self.truth[i].contains(&label)).collect();
        Taught { vector: learnt::vector(&self.features[i], head), answers: vec![Some(learnt::Judged { scores, right })] }
    }

    /// So many rows of each label of a source, in an order that only the seed decides.
    fn first_of_each_label(&self, source: &str, most: usize, seed: u64) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.rows.len()).filter(|i| self.rows[*i].source.as_deref() == Some(source)).collect();
        Numbers(seed).shuffle(&mut rows);
        let mut taken = vec![0; self.labels.len()];
        rows.retain(|i| {
            let label = self.truth[*i].first().copied();
            label.is_some_and(|l| {
                taken[l] += 1;
                taken[l] <= most
            })
        });
        rows
    }
}
