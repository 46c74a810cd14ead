//! From scores to an answer: which label, how sure, and whether that is sure enough.

use serde::{Deserialize, Serialize};

use super::calibrate::Curve;
use super::figures::Judged;

/// Share of answers that must be right: what is less sure is `unsure`.
const RIGHT: f64 = 0.905;
/// An answer that is more likely wrong than right is never given.
const LEAST: f32 = 0.5;
/// Share of texts of no label that must be `unsure`, where training has such texts.
const NONE_UNSURE: f64 = 0.6;

/// How a head decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Decision {
    /// One label: a curve for how likely the best is right, and from which confidence on it is given.
    One { curve: Curve, least: f32 },
    /// Several labels: for each the curve and from which confidence on it is given.
    Many { labels: Vec<(Curve, f32)> },
}

impl Default for Decision {
    fn default() -> Self {
        Self::One { curve: Curve::default(), least: 0.0 }
    }
}

/// The scores of a text that training knows the labels of.
pub(super) struct Known<'a> {
    pub(super) scores: &'a [f32],
    pub(super) truth: &'a [usize],
    /// Whether it counts for the bar.
    pub(super) sets_bar: bool,
}

/// The best label, and how far it is from the second.
pub(super) fn best(scores: &[f32]) -> Option<(usize, f32, f32)> {
    let (at, score) = scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
    let second = scores.iter().copied().enumerate().filter(|(i, _)| *i != at).map(|(_, s)| s).fold(f32::NEG_INFINITY, f32::max);
    Some((at, score, if second.is_finite() { score - second } else { 0.0 }))
}

impl Decision {
    /// The decision that fits scores whose labels are known.
    pub(super) fn fit(known: &[Known<'_>], labels: usize, many: bool) -> Self {
        if many {
            return Self::Many { labels: (0..labels).map(|label| one_of_many(known, label)).collect() };
        }
        let best_of = |k: &Known<'_>| best(k.scores).map(|(at, score, lead)| (score, lead, k.truth.contains(&at)));
        let points: Vec<(f32, f32, bool)> = known.iter().filter_map(best_of).collect();
        let curve = Curve::fit(&points);
        let sure = |chosen: &dyn Fn(&&Known<'_>) -> bool| -> Vec<(f32, bool)> {
            known.iter().filter(chosen).filter_map(best_of).map(|(score, lead, right)| (curve.confidence(score, lead), right)).collect()
        };
        let none = sure(&|k| k.truth.is_empty()).into_iter().map(|(p, _)| p).collect();
        // The bar is for texts of the labels; those of none have their own.
        let sure = sure(&|k| !k.truth.is_empty() && k.sets_bar);
        Self::One { curve, least: bar(sure).max(bar_of_none(none)).max(LEAST) }
    }

    /// The confidence of a label by all scores, and whether it is given.
    pub(super) fn confidence(&self, scores: &[f32], label: usize) -> (f32, bool) {
        let score = scores.get(label).copied().unwrap_or(0.0);
        match self {
            Self::One { curve, least } => {
                let other = scores.iter().enumerate().filter(|(i, _)| *i != label).map(|(_, s)| *s).fold(f32::NEG_INFINITY, f32::max);
                let p = curve.confidence(score, if other.is_finite() { score - other } else { 0.0 });
                (p, p >= *least)
            }
            Self::Many { labels } => labels.get(label).map_or((0.0, false), |(curve, least)| {
                let p = curve.confidence(score, 0.0);
                (p, p >= *least)
            }),
        }
    }

    pub(super) fn judge(&self, scores: &[f32], truth: &[usize], source: Option<String>) -> Judged {
        let at = best(scores).map_or(0, |(at, ..)| at);
        match self {
            Self::One { .. } => {
                let (p, answered) = self.confidence(scores, at);
                Judged { truth: truth.to_vec(), given: vec![at], sure: vec![(p, truth.contains(&at))], answered, source }
            }
            Self::Many { labels } => {
                let all: Vec<(f32, bool)> = (0..labels.len()).map(|l| self.confidence(scores, l)).collect();
                let given: Vec<usize> = (0..labels.len()).filter(|l| all[*l].1).collect();
                let sure = all.iter().enumerate().map(|(l, (p, _))| (*p, truth.contains(&l))).collect();
                Judged { truth: truth.to_vec(), answered: !given.is_empty(), given, sure, source }
            }
        }
    }

    /// From which confidence on a label is given.
    pub(super) fn least(&self, label: usize) -> f32 {
        match self {
            Self::One { least, .. } => *least,
            Self::Many { labels } => labels.get(label).map_or(1.0, |(_, least)| *least),
        }
    }
}

/// The lowest confidence from which on enough answers are right.
fn bar(mut sure: Vec<(f32, bool)>) -> f32 {
    sure.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut lowest) = (0_u32, 1.0);
    for (n, (p, is)) in (1..).zip(&sure) {
        right += u32::from(*is);
        if f64::from(right) >= RIGHT * f64::from(u32::try_from(n).unwrap_or(u32::MAX)) {
            // Where all answers together are right often enough, none needs to be held back.
            lowest = if n == sure.len() { 0.0 } else { *p };
        }
    }
    lowest
}

/// The confidence that enough of the texts of no label stay below.
fn bar_of_none(mut none: Vec<f32>) -> f32 {
    none.sort_by(f32::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a list")]
    let at = (none.len() as f64 * NONE_UNSURE) as usize;
    none.get(at).copied().unwrap_or(0.0)
}

/// The curve of one of several labels, and the bar that makes its F1 best.
fn one_of_many(known: &[Known<'_>], label: usize) -> (Curve, f32) {
    let points: Vec<(f32, f32, bool)> =
        known.iter().map(|k| (k.scores.get(label).copied().unwrap_or(0.0), 0.0, k.truth.contains(&label))).collect();
    let curve = Curve::fit(&points);
    let mut sure: Vec<(f32, bool)> = points.iter().map(|(score, _, is)| (curve.confidence(*score, 0.0), *is)).collect();
    sure.sort_by(|a, b| b.0.total_cmp(&a.0));
    let have = f64::from(u32::try_from(sure.iter().filter(|(_, is)| *is).count()).unwrap_or(u32::MAX));
    let (mut both, mut best) = (0.0, (0.0, 1.0));
    for (n, (p, is)) in (1_u32..).zip(&sure) {
        both += f64::from(u8::from(*is));
        let f1 = 2.0 * both / (have + f64::from(n));
        if f1 > best.0 {
            // Half way to the next text, as new texts lie between.
            let next = sure.get(n as usize).map_or(*p, |(next, _)| *next);
            best = (f1, 0.5 * (p + next));
        }
    }
    (curve, best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_the_lowest_that_keeps_answers_right() {
        assert!((bar(vec![(0.9, true), (0.8, true), (0.6, false)]) - 0.8).abs() < 1e-6);
        assert!(bar(vec![(0.9, true), (0.8, true)]).abs() < 1e-6 && (bar(Vec::new()) - 1.0).abs() < 1e-6);
        assert!((bar_of_none(vec![0.1, 0.2, 0.3, 0.4, 0.5]) - 0.4).abs() < 1e-6);
    }

    #[test]
    fn the_best_of_one_has_no_lead() {
        assert_eq!(best(&[0.5]), Some((0, 0.5, 0.0)));
        assert_eq!(best(&[0.5, 1.5]), Some((1, 1.5, 1.0)));
        assert_eq!(best(&[]), None);
    }
}
