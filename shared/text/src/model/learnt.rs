//! What people said about texts of one source, as something to add to the scores of heads: kernel ridge regression on what
//! the heads got wrong. Heads stay as they are; a source without lessons costs nothing.
//!
//! A text is like a lesson as far as they share features (block by block, as heads weigh them). The letters of the prose are left out:
//! they are two thirds of all features, and were measured to bring nothing here.

use groundswell_meaning::DIMENSIONS;

use super::features::{Block, Features, Weights};
use super::hash;
use super::head::{Head, frequencies, frequency, rarity};

//                          title      body       head- first quest-     marks     edges     script   meaning of
//                        words let. words let.   ings       ions  code      denied     tone      pairs title body
const BLOCKS: Weights = [1.0, 0.6, 1.5, 0.0, 0.6, 0.5, 0.5, 0.6, 0.7, 0.5, 0.4, 0.5, 0.0, 0.0, 0.5, 0.5];
/// Seed of the keys of directions.
const DIRECTION: u64 = 0x2000;
/// How rare a feature counts that the head has not seen: neither noise nor the most telling of all.
const UNSEEN: f32 = 4.0;
/// Pull of what was learnt towards nothing.
const RIDGE: f64 = 1.0;
/// Shares of lessons on which heads were wrong. Up to the first, lessons are taken for a fair sample of their source; at the second,
/// for mistakes that somebody picked out: then most of what looks like them was right, and they count for the nearest texts only.
const FAIR: f32 = 0.5;
const PICKED: f32 = 0.8;
/// Most features of a lesson.
const MOST_VALUES: usize = 4096;
/// From this score on a label is told clearly enough: there is nothing to learn.
const CLEAR: f32 = 1.0;

/// A text's features by key, each block as long as its weight.
pub(crate) type Vector = Vec<(u32, f32)>;

/// The vector of a text's features, as rare as this head knows them to be.
pub(super) fn vector(features: &Features, head: &Head) -> Vector {
    let mut all = Vector::new();
    for block in Block::ALL.into_iter().filter(|b| BLOCKS[*b as usize] > 0.0) {
        let start = all.len();
        for feature in features.block(block) {
            let rare = head.table.find(feature.key).map_or(UNSEEN, |row| rarity(head.table.rare(row)));
            all.push((feature.key, frequency(frequencies(), feature.count) * rare));
        }
        let own = &mut all[start..];
        let length = own.iter().map(|(_, v)| v * v).sum::<f32>().sqrt();
        let factor = if length > 0.0 { BLOCKS[block as usize] / length } else { 0.0 };
        own.iter_mut().for_each(|(_, v)| *v *= factor);
    }
    let parts = [Block::TitleMeaning, Block::BodyMeaning].map(|block| BLOCKS[block as usize]);
    let weights = parts.into_iter().flat_map(|weight| [weight; DIMENSIONS]);
    // Keys of their own, spread like those of features: a key is found by its first bits.
    let keys = (0..).map(|n| hash::key(hash::push(DIRECTION, n)));
    all.extend(keys.zip(features.meanings.iter().zip(weights)).map(|(key, (value, weight))| (key, value * weight)));
    all
}

/// One question about a lesson's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    /// The scores without any lesson, by label.
    pub(crate) scores: Vec<f32>,
    /// The labels that are right, by label.
    pub(crate) right: Vec<bool>,
}

/// A lesson: a text, and for each question what is right, where that was judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taught {
    vector: Vector,
    answers: Vec<Option<Judged>>,
}

impl Taught {
    /// A lesson on a text that is so.
    pub(crate) fn new(mut vector: Vector, answers: Vec<Option<Judged>>) -> Self {
        vector.sort_unstable_by_key(|(key, _)| *key);
        vector.truncate(MOST_VALUES);
        Self { vector, answers }
    }

    /// How many features it has.
    pub(crate) fn values(&self) -> usize {
        self.vector.len()
    }
}

/// A feature of a lesson.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    lesson: u32,
    value: f32,
}

/// What was learnt from the lessons of one source.
#[derive(Clone, Debug)]
pub(crate) struct Learnt {
    /// The features of all lessons, in the order of keys.
    entries: Vec<Entry>,
    /// Where the keys begin that have these highest bits.
    starts: Vec<u32>,
    shift: u32,
    /// The length of each lesson's vector.
    lengths: Vec<f32>,
    questions: Vec<Answered>,
}

/// What lessons say about one question.
#[derive(Clone, Debug, Default)]
struct Answered {
    /// How near a text must be for a lesson to count: the power of the cosine that their likeness is multiplied by.
    nearness: f32,
    /// For each label, how much a text as each lesson counts.
    weights: Vec<Vec<f32>>,
}

/// How alike a text and each lesson of a source are: by what they share, and as a cosine.
pub(crate) struct Likeness(Vec<(f32, f32)>);

impl Likeness {
    fn at(&self, lesson: usize, nearness: f32) -> f32 {
        let (shared, cosine) = self.0[lesson];
        if nearness > 0.0 { shared * cosine.clamp(0.0, 1.0).powf(nearness) } else { shared }
    }
}

impl Learnt {
    /// Learns from lessons. The same lessons in the same order teach the same.
    pub(crate) fn of(lessons: &[&Taught]) -> Self {
        let mut learnt = Self::index(lessons);
        let like: Vec<Likeness> = lessons.iter().map(|l| learnt.likeness(&l.vector)).collect();
        let questions = lessons.iter().map(|l| l.answers.len()).max().unwrap_or(0);
        learnt.questions = (0..questions).map(|q| solve_question(lessons, &like, q)).collect();
        learnt
    }

    fn index(lessons: &[&Taught]) -> Self {
        let mut entries: Vec<Entry> = (0..)
            .zip(lessons)
            .flat_map(|(lesson, taught)| taught.vector.iter().map(move |(key, value)| Entry { key: *key, lesson, value: *value }))
            .collect();
        entries.sort_unstable_by_key(|e| (e.key, e.lesson));
        let bits = (entries.len() / 2).max(2).ilog2().min(20);
        let shift = u32::BITS - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        entries.iter().for_each(|e| starts[(e.key >> shift) as usize + 1] += 1);
        let mut sum = 0;
        starts.iter_mut().for_each(|start| {
            sum += *start;
            *start = sum;
        });
        Self { entries, starts, shift, lengths: lessons.iter().map(|l| length(&l.vector)).collect(), questions: Vec::new() }
    }

    /// How alike a text and each lesson are.
    pub(crate) fn likeness(&self, vector: &Vector) -> Likeness {
        let mut shared = vec![0.0_f32; self.lengths.len()];
        for (key, value) in vector {
            let place = (key >> self.shift) as usize;
            let near = self.entries.get(self.starts[place] as usize..self.starts[place + 1] as usize).unwrap_or_default();
            for entry in near.iter().filter(|e| e.key == *key) {
                shared[entry.lesson as usize] += entry.value * value;
            }
        }
        let own = length(vector);
        Likeness(shared.into_iter().zip(&self.lengths).map(|(s, length)| (s, s / (own * length).max(f32::MIN_POSITIVE))).collect())
    }

    /// Whether any lesson judged this question.
    pub(crate) fn knows(&self, question: usize) -> bool {
        self.questions.get(question).is_some_and(|q| !q.weights.is_empty())
    }

    /// Adds to the scores of a question what lessons say about a text that is so like them.
    pub(crate) fn add(&self, question: usize, like: &Likeness, scores: &mut [f32]) {
        let Some(Answered { nearness, weights }) = self.questions.get(question) else { return };
        let like: Vec<f32> = (0..self.lengths.len()).map(|lesson| like.at(lesson, *nearness)).collect();
        for (score, weights) in scores.iter_mut().zip(weights) {
            *score += weights.iter().zip(&like).map(|(w, l)| w * l).sum::<f32>();
        }
    }
}

fn length(vector: &Vector) -> f32 {
    vector.iter().map(|(_, v)| v * v).sum::<f32>().sqrt()
}

/// The weights of the lessons for every label of a question: those that did not judge it have none.
fn solve_question(lessons: &[&Taught], like: &[Likeness], question: usize) -> Answered {
    let judged: Vec<(usize, &Judged)> =
        lessons.iter().enumerate().filter_map(|(i, l)| Some((i, l.answers.get(question)?.as_ref()?))).collect();
    let labels = judged.iter().map(|(_, j)| j.scores.len().min(j.right.len())).min().unwrap_or(0);
    let nearness = nearness(judged.iter().map(|(_, j)| *j));
    let rows = judged.iter().map(|(i, _)| judged.iter().map(|(j, _)| f64::from(like[*i].at(*j, nearness))).collect());
    let Some(factor) = Factor::of(rows.collect()) else { return Answered::default() };
    let missing = |j: &Judged, label: usize| {
        let (score, sign) = (j.scores[label], if j.right[label] { 1.0 } else { -1.0 });
        if score * sign >= CLEAR { 0.0 } else { f64::from(sign - score) }
    };
    let mut weights = vec![vec![0.0_f32; lessons.len()]; labels];
    for (label, weights) in weights.iter_mut().enumerate() {
        let solved = factor.solve(judged.iter().map(|(_, j)| missing(j, label)).collect());
        for ((i, _), value) in judged.iter().zip(solved) {
            #[expect(clippy::cast_possible_truncation, reason = "a weight near 1")]
            let value = value as f32;
            weights[*i] = value;
        }
    }
    Answered { nearness, weights }
}

/// By the mean share of wrong labels among those that were told or are right.
fn nearness<'a>(judged: impl Iterator<Item = &'a Judged>) -> f32 {
    let (mut lessons, mut wrong) = (0.0_f32, 0.0);
    for Judged { scores, right } in judged {
        let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let one = right.iter().filter(|r| **r).count() == 1;
        // Of one label the best is told, of several each that is more likely than not.
        let told = scores.iter().map(|score| if one { *score >= best } else { *score > 0.0 });
        let (either, both) = told.zip(right).fold((0.0, 0.0), |(either, both), (told, right)| {
            (either + f32::from(u8::from(told || *right)), both + f32::from(u8::from(told && *right)))
        });
        lessons += 1.0;
        wrong += if either > 0.0 { 1.0 - both / either } else { 0.0 };
    }
    let share = if lessons > 0.0 { wrong / lessons } else { 0.0 };
    ((share - FAIR) / (PICKED - FAIR)).clamp(0.0, 1.0)
}

/// A likeness of texts with the ridge, as a product of a lower triangle with itself (Cholesky).
struct Factor(Vec<Vec<f64>>);

impl Factor {
    /// None where there is nothing to solve.
    fn of(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (done, rest) = rows.split_at_mut(i);
            let row = rest.first_mut()?;
            row[i] += RIDGE;
            for (j, above) in done.iter().enumerate() {
                let known: f64 = row[..j].iter().zip(&above[..j]).map(|(a, b)| a * b).sum();
                row[j] = (row[j] - known) / above[j];
            }
            let known: f64 = row[..i].iter().map(|v| v * v).sum();
            // The ridge keeps it above 0; numbers out of a damaged lesson must not end the program.
            row[i] = (row[i] - known).max(1e-6).sqrt();
            row.truncate(i + 1);
        }
        (!rows.is_empty()).then_some(Self(rows))
    }

    fn solve(&self, mut right: Vec<f64>) -> Vec<f64> {
        let rows = &self.0;
        for i in 0..rows.len() {
            let known: f64 = rows[i][..i].iter().zip(&right).map(|(a, b)| a * b).sum();
            right[i] = (right[i] - known) / rows[i][i];
        }
        for i in (0..rows.len()).rev() {
            let known: f64 = (i + 1..rows.len()).map(|j| rows[j][i] * right[j]).sum();
            right[i] = (right[i] - known) / rows[i][i];
        }
        right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(vector: &[(u32, f32)], score: f32, right: bool) -> Taught {
        Taught::new(vector.to_vec(), vec![Some(Judged { scores: vec![score], right: vec![right] })])
    }

    #[test]
    fn what_was_wrong_is_turned_and_what_is_unlike_stays() {
        let lessons = [taught(&[(7, 1.5), (u32::MAX, 1.5)], -0.8, true), taught(&[(9, 2.0)], -1.2, false)];
        let learnt = Learnt::of(&lessons.iter().collect::<Vec<_>>());
        let score = |vector: &Vector, base: f32| {
            let mut scores = [base];
            learnt.add(0, &learnt.likeness(vector), &mut scores);
            scores[0]
        };
        assert!(score(&vec![(7, 1.5), (u32::MAX, 1.5)], -0.8) > 0.3);
        assert!((score(&vec![(8, 2.0)], -0.8) + 0.8).abs() < 1e-6);
        assert!(learnt.knows(0) && !learnt.knows(1));
    }

    #[test]
    fn picked_mistakes_count_for_the_nearest_texts_only() {
        let judged = |score: f32, right: bool| Judged { scores: vec![score, -score], right: vec![right, !right] };
        let (right, wrong) = (judged(1.0, true), judged(1.0, false));
        let of = |lessons: &[&Judged]| nearness(lessons.iter().copied());
        assert!(of(&[&right, &right, &wrong]) == 0.0 && of(&[&wrong, &wrong]) == 1.0 && of(&[]) == 0.0);
        assert!((of(&[&wrong, &wrong, &wrong, &right, &right]) - 1.0 / 3.0).abs() < 1e-6);
        let near = Likeness(vec![(2.0, 0.25)]);
        assert!((near.at(0, 0.0) - 2.0).abs() < 1e-6 && (near.at(0, 0.5) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_factor_solves_its_equations() {
        // (3 + 1) x + y = 6 and x + (2 + 1) y = 7.
        let answer = Factor::of(vec![vec![3.0, 1.0], vec![1.0, 2.0]]).map(|f| f.solve(vec![6.0, 7.0]));
        assert!(answer.is_some_and(|a| (a[0] - 1.0).abs() < 1e-9 && (a[1] - 2.0).abs() < 1e-9));
        assert!(Factor::of(Vec::new()).is_none() && !Learnt::of(&[]).knows(0));
    }
}
