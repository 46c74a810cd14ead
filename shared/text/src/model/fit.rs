//! Training a head with its own figures: cross-validation chooses the recipe, calibrates confidences and sets the bar of `unsure`.

use std::collections::BTreeMap;

use super::decide::{Decision, Known};
use super::document::Document;
use super::features::Features;
use super::figures::{Figures, Judged};
use super::hash::Numbers;
use super::head::Head;
use super::recipe::{Recipe, union};
use super::train::{Example, Options, head};
use super::{ModelError, NONE_LABELS, Row, TrainedHead};

/// Parts of cross-validation.
const FOLDS: usize = 5;
/// Labels from which on only one recipe is tried: short texts with many labels are intents.
const MANY_LABELS: usize = 20;
/// Words up to which a text counts as short.
const SHORT: usize = 30;
/// Texts a label needs at least.
const LEAST_TEXTS: usize = 2;
/// Seed of the parts.
pub(super) const SEED: u64 = 4;

/// Everything that training needs of its texts.
pub(super) struct Data<'a> {
    pub(super) rows: &'a [Row],
    pub(super) features: Vec<Features>,
    pub(super) labels: Vec<String>,
    /// The places of each row's labels.
    pub(super) truth: Vec<Vec<usize>>,
    /// Whether a text may have several labels.
    pub(super) many: bool,
    words: usize,
}

impl<'a> Data<'a> {
    pub(super) fn of(rows: &'a [Row], recipes: &[Recipe]) -> Result<Self, ModelError> {
        let none = |label: &str| NONE_LABELS.contains(&label);
        let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
        rows.iter().flat_map(|r| &r.labels).filter(|l| !none(l)).for_each(|l| *texts.entry(l).or_default() += 1);
        if let Some((label, _)) = texts.iter().find(|(_, n)| **n < LEAST_TEXTS) {
            return Err(ModelError::Few { label: (*label).to_owned(), least: LEAST_TEXTS });
        }
        let labels: Vec<String> = texts.keys().map(|l| (*l).to_owned()).collect();
        let many = rows.iter().any(|r| r.labels.len() > 1);
        if labels.len() < 2 {
            return Err(ModelError::OneLabel);
        }
        let place = |l: &String| labels.iter().position(|known| known == l);
        let truth = rows.iter().map(|r| sorted(r.labels.iter().filter_map(place).collect())).collect();
        let wanted = union(recipes);
        let documents = rows.iter().map(|r| Document::of(&r.title, &r.body));
        let mut words = Vec::with_capacity(rows.len());
        let features = documents
            .map(|d| {
                words.push(d.title.len() + d.prose.len());
                Features::of(&d, &wanted)
            })
            .collect();
        words.sort_unstable();
        let words = words.get(words.len() / 2).copied().unwrap_or(0);
        Ok(Self { rows, features, labels, truth, many, words })
    }

    /// The recipes worth trying on these texts.
    fn recipes(&self) -> Vec<Recipe> {
        if self.labels.len() < MANY_LABELS {
            Recipe::TRIED.to_vec()
        } else if self.words <= SHORT {
            vec![Recipe::Intent]
        } else {
            vec![Recipe::Ticket]
        }
    }

    pub(super) fn example(&self, i: usize) -> Example<'_> {
        Example { features: &self.features[i], labels: &self.truth[i], source: self.rows[i].source.as_deref() }
    }

    pub(super) fn train(&self, chosen: &dyn Fn(usize) -> bool, options: &Options) -> Head {
        let examples: Vec<Example<'_>> = (0..self.rows.len()).filter(|i| chosen(*i)).map(|i| self.example(i)).collect();
        head(&examples, &self.labels, options)
    }

    /// The part of cross-validation of each row: every label and source is spread over all of them.
    pub(super) fn folds(&self) -> Vec<usize> {
        let mut groups: BTreeMap<(Option<&str>, &[usize]), Vec<usize>> = BTreeMap::new();
        for (i, row) in self.rows.iter().enumerate() {
            groups.entry((row.source.as_deref(), &self.truth[i])).or_default().push(i);
        }
        let (mut folds, mut next, mut numbers) = (vec![0; self.rows.len()], 0, Numbers(SEED));
        for group in groups.values_mut() {
            numbers.shuffle(group);
            for i in group {
                folds[*i] = next % FOLDS;
                next += 1;
            }
        }
        folds
    }

    /// The scores of every row by a head that has not seen it.
    fn scores(&self, folds: &[usize], options: &Options) -> Vec<Vec<f32>> {
        let mut scores = vec![Vec::new(); self.rows.len()];
        for fold in 0..FOLDS {
            let head = self.train(&|i| folds[i] != fold, options);
            for i in (0..self.rows.len()).filter(|i| folds[*i] == fold) {
                scores[i] = head.scores(&self.features[i], self.rows[i].source.as_deref());
            }
        }
        scores
    }

    /// What is given for every row, its confidence taken from the other parts.
    fn judge(&self, folds: &[usize], scores: &[Vec<f32>], bar_on: Option<&str>) -> Vec<Judged> {
        let mut judged = Vec::with_capacity(self.rows.len());
        let decisions: Vec<Decision> = (0..FOLDS).map(|f| self.decision(scores, &|i| folds[i] != f, bar_on)).collect();
        for (i, row) in self.rows.iter().enumerate() {
            judged.push(decisions[folds[i]].judge(&scores[i], &self.truth[i], row.source.clone()));
        }
        judged
    }

    fn decision(&self, scores: &[Vec<f32>], chosen: &dyn Fn(usize) -> bool, bar_on: Option<&str>) -> Decision {
        let known: Vec<Known<'_>> = (0..self.rows.len())
            .filter(|i| chosen(*i))
            .map(|i| Known {
                scores: &scores[i],
                truth: &self.truth[i],
                sets_bar: bar_on.is_none_or(|source| self.rows[i].source.as_deref() == Some(source)),
            })
            .collect();
        Decision::fit(&known, self.labels.len(), self.many)
    }
}

fn sorted(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}

/// How a head is to be trained, beyond its texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The recipe; none to let cross-validation choose.
    pub recipe: Option<Recipe>,
    /// Features do not count once more for their source: for a head that is used on other sources than it was trained on.
    pub for_any_source: bool,
    /// The source whose texts alone set the bar of `unsure`; none for all.
    pub bar_on: Option<&'a str>,
}

/// Trains a head on texts with labels: five-fold cross-validation chooses among the recipes (all that fit, or the one that
/// is named), gives the figures, the calibration and the bar; the head itself has then seen all texts.
///
/// # Errors
/// Fewer than two labels, or a label with fewer than two texts.
pub fn fit(name: &str, rows: &[Row], plan: Plan<'_>) -> Result<TrainedHead, ModelError> {
    let named = plan.recipe.map(|r| vec![r]);
    let data = Data::of(rows, named.as_deref().unwrap_or(&Recipe::TRIED))?;
    let folds = data.folds();
    let mut best: Option<Tried> = None;
    for recipe in named.unwrap_or_else(|| data.recipes()) {
        let tried = data.attempt(recipe, &folds, plan);
        if best.as_ref().is_none_or(|known| tried.value() > known.value()) {
            best = Some(tried);
        }
    }
    let Tried { recipe, options, scores, figures } = best.ok_or(ModelError::OneLabel)?;
    let decision = data.decision(&scores, &|_| true, plan.bar_on);
    let head = data.train(&|_| true, &options);
    Ok(TrainedHead { name: name.to_owned(), recipe, head, decision, figures, texts: rows.len() })
}

/// A recipe with what cross-validation says of it.
struct Tried {
    recipe: Recipe,
    options: Options,
    scores: Vec<Vec<f32>>,
    figures: Figures,
}

impl Tried {
    fn value(&self) -> f64 {
        self.figures.macro_f1_by_source.unwrap_or(self.figures.macro_f1)
    }
}

impl Data<'_> {
    fn attempt(&self, recipe: Recipe, folds: &[usize], plan: Plan<'_>) -> Tried {
        let mut options = recipe.options();
        if self.many {
            options.favour = 2.0;
        }
        if plan.for_any_source {
            options.crossed = 0.0;
        }
        let scores = self.scores(folds, &options);
        let figures = Figures::of(&self.labels, &self.judge(folds, &scores, plan.bar_on));
        Tried { recipe, options, scores, figures }
    }
}
