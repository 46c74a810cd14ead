//! How well labels are told: figures over texts whose labels are known.

use serde::{Deserialize, Serialize};

use super::calibrate::expected_error;

/// One label's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LabelFigures {
    /// The label.
    pub label: String,
    /// Texts that have it.
    pub texts: usize,
    /// Share of those given it that have it; 0 where none was given it.
    pub precision: f64,
    /// Share of those that have it that were given it.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// Figures of one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SourceFigures {
    /// The source.
    pub source: String,
    /// Its texts.
    pub texts: usize,
    /// Share whose best label is right.
    pub accuracy: f64,
    /// Mean of its labels' F1.
    pub macro_f1: f64,
    /// Share of its texts that are answered, and not `unsure`.
    pub answered: f64,
    /// Share of right answers among those given.
    pub right_of_answered: f64,
}

/// How well a head tells its labels, by its best answer for every text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Figures {
    /// Texts with a label.
    pub texts: usize,
    /// Share whose best label is right; of several labels, share of texts whose labels are exactly right.
    pub accuracy: f64,
    /// Mean of the labels' F1.
    pub macro_f1: f64,
    /// Where texts have sources: mean over them of their own macro-F1.
    pub macro_f1_by_source: Option<f64>,
    /// Expected calibration error, ten bins.
    pub calibration_error: f64,
    /// Share of texts that are answered, and not `unsure`.
    pub answered: f64,
    /// Share of right answers among those given.
    pub right_of_answered: f64,
    /// Texts that have none of the labels, and the share of them that is `unsure`.
    pub none: usize,
    /// Share of those that is `unsure`.
    pub none_unsure: f64,
    /// By label.
    pub labels: Vec<LabelFigures>,
    /// By source.
    pub sources: Vec<SourceFigures>,
}

/// What was said about a text, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Places of its labels.
    pub(super) truth: Vec<usize>,
    /// Best label, or all labels that were given where several are possible.
    pub(super) given: Vec<usize>,
    /// Confidences and whether they were right: one of the best label, or one of every label.
    pub(super) sure: Vec<(f32, bool)>,
    /// Whether the answer is given, and not `unsure`.
    pub(super) answered: bool,
    pub(super) source: Option<String>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn share(n: usize, of: usize) -> f64 {
    n as f64 / of.max(1) as f64
}

impl Figures {
    pub(super) fn of(labels: &[String], judged: &[Judged]) -> Self {
        let known: Vec<&Judged> = judged.iter().filter(|j| !j.truth.is_empty()).collect();
        let none = judged.len() - known.len();
        let right = |j: &&&Judged| j.truth == j.given;
        let answered: Vec<&Judged> = judged.iter().filter(|j| j.answered).collect();
        let by_label = by_label(labels, &known);
        let sources = by_source(labels, &known);
        let answers: Vec<(f32, bool)> = judged.iter().flat_map(|j| j.sure.iter().copied()).collect();
        Self {
            texts: known.len(),
            accuracy: share(known.iter().filter(right).count(), known.len()),
            macro_f1: mean(by_label.iter().map(|l| l.f1)),
            macro_f1_by_source: (!sources.is_empty()).then(|| mean(sources.iter().map(|s| s.macro_f1))),
            calibration_error: expected_error(&answers).unwrap_or(0.0),
            answered: share(answered.len(), judged.len()),
            right_of_answered: share(answered.iter().filter(right).count(), answered.len()),
            none,
            none_unsure: share(judged.iter().filter(|j| j.truth.is_empty() && !j.answered).count(), none),
            labels: by_label,
            sources,
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u32), |(s, n), v| (s + v, n + 1));
    sum / f64::from(n.max(1))
}

fn by_label(labels: &[String], judged: &[&Judged]) -> Vec<LabelFigures> {
    let figures = labels.iter().enumerate().map(|(i, label)| {
        let have = judged.iter().filter(|j| j.truth.contains(&i)).count();
        let given = judged.iter().filter(|j| j.given.contains(&i)).count();
        let both = judged.iter().filter(|j| j.truth.contains(&i) && j.given.contains(&i)).count();
        LabelFigures {
            label: label.clone(),
            texts: have,
            precision: share(both, given),
            recall: share(both, have),
            f1: share(2 * both, have + given),
        }
    });
    // A label that no text has and none was given says nothing.
    figures.filter(|f| f.texts > 0 || f.precision > 0.0).collect()
}

fn by_source(labels: &[String], judged: &[&Judged]) -> Vec<SourceFigures> {
    let mut sources: Vec<&str> = judged.iter().filter_map(|j| j.source.as_deref()).collect();
    sources.sort_unstable();
    sources.dedup();
    let of = |source: &str| judged.iter().copied().filter(|j| j.source.as_deref() == Some(source)).collect::<Vec<_>>();
    let figures = |source: &str| {
        let own = of(source);
        let right = |j: &&&Judged| j.truth == j.given;
        let answered: Vec<&Judged> = own.iter().copied().filter(|j| j.answered).collect();
        SourceFigures {
            source: source.to_owned(),
            texts: own.len(),
            accuracy: share(own.iter().filter(right).count(), own.len()),
            macro_f1: mean(by_label(labels, &own).iter().map(|l| l.f1)),
            answered: share(answered.len(), own.len()),
            right_of_answered: share(answered.iter().filter(right).count(), answered.len()),
        }
    };
    sources.into_iter().map(figures).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(truth: &[usize], given: usize, answered: bool) -> Judged {
        Judged { truth: truth.to_vec(), given: vec![given], sure: vec![(0.9, truth == [given])], answered, source: None }
    }

    #[test]
    fn figures_by_hand() {
        let all = [judged(&[0], 0, true), judged(&[0], 1, false), judged(&[1], 1, true), judged(&[], 1, false)];
        let got = Figures::of(&["a".to_owned(), "b".to_owned()], &all);
        assert_eq!((got.texts, got.none, got.none_unsure), (3, 1, 1.0));
        assert!((got.accuracy - 2.0 / 3.0).abs() < 1e-9 && (got.macro_f1 - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!((got.answered, got.right_of_answered), (0.5, 1.0));
        assert!((got.calibration_error - 0.4).abs() < 1e-6);
    }
}
