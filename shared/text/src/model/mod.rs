//! Trained heads: a sparse linear model over hashed features, small enough to be read at start, quick enough for every ticket.
//!
//! A [`Model`] is one or more [`TrainedHead`]s. A text is taken apart once ([`document`]), turned into features in blocks
//! ([`features`]), and every head adds up its weights ([`head`]), turns scores into a calibrated confidence and decides
//! whether that is enough ([`decide`]). [`fit`] trains a head and says how good it is, by cross-validation alone.
//!
//! What this module never does: read a file or a clock, draw a random number that a seed does not fix, or keep a text.

mod calibrate;
mod counter;
mod decide;
mod document;
mod evaluate;
mod features;
mod figures;
mod file;
mod fit;
pub(crate) mod hash;
mod head;
mod joint;
mod learnt;
mod marks;
mod polarity;
mod recipe;
pub mod sets;
mod solver;
mod sources;
mod table;
#[cfg(test)]
mod tests;
mod tokens;
mod train;
mod why;

use serde::{Deserialize, Serialize};

pub use evaluate::evaluate;
pub use figures::{Figures, LabelFigures, SourceFigures};
pub use file::{VERSION, read, write};
pub use fit::{Plan, fit};
pub use joint::Joint;
pub(crate) use learnt::{Judged, Learnt, Likeness, Taught, Vector};
pub use recipe::Recipe;
pub use sources::{new_source, taught_source};

use decide::Decision;
use document::Document;
use features::{Features, Weights};
use head::Head;

/// Labels of texts that are none of the others: such a text teaches what `unsure` is.
pub const NONE_LABELS: [&str; 4] = ["unsure", "oos", "out_of_scope", "out-of-scope"];

/// A text with what it is known to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Title; may be empty.
    pub title: String,
    /// Body, or the whole text.
    pub body: String,
    /// Its labels; one, unless several are possible.
    pub labels: Vec<String>,
    /// Where it comes from: features count once more for their own source.
    pub source: Option<String>,
}

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Nothing can be told apart.
    #[error("the texts have fewer than two labels: there is nothing to tell apart")]
    OneLabel,
    /// A label that can't be cross-validated.
    #[error("label `{label}` has fewer than {least} texts: give it more, or leave it out")]
    Few {
        /// The label.
        label: String,
        /// How many it needs.
        least: usize,
    },
    /// Not one of our files.
    #[error("this is no model file: it does not begin with `{}`", String::from_utf8_lossy(file::MAGIC))]
    NoModel,
    /// A file of another version.
    #[error("the model file has version {0}, this program reads version {VERSION}: train the model again")]
    Version(u8),
    /// A file that was cut off or changed.
    #[error("the model file is damaged: {0}; train the model again, or get the file again")]
    Damaged(String),
}

/// A head that was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedHead {
    /// What it tells: `type`, `sentiment`, or a name of its own.
    pub name: String,
    /// The recipe that cross-validation chose.
    pub recipe: Recipe,
    /// Texts it was trained on.
    pub texts: usize,
    /// Its figures in cross-validation.
    pub figures: Figures,
    head: Head,
    decision: Decision,
}

/// Heads under one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Name and version; it stays with every label.
    pub name: String,
    /// The heads.
    pub heads: Vec<TrainedHead>,
}

/// One label with how sure it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The label.
    pub label: String,
    /// How likely it is right, 0 to 1.
    pub confidence: f32,
    /// The words that speak most for it, at most five.
    pub because: Vec<String>,
}

/// What a head says about a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The best label, also where that is not sure enough.
    pub best: Told,
    /// The labels that are sure enough, the surest first: none is `unsure`.
    pub given: Vec<Told>,
    /// How likely each label is, in the order of the head's labels, by a softmax of scores: for a position between them.
    pub shares: Vec<f32>,
}

/// A text that was taken apart for a model's heads.
pub struct Prepared {
    document: Document,
    features: Features,
}

impl Model {
    /// Takes a text apart, for all heads.
    #[must_use]
    pub fn prepare(&self, title: &str, body: &str) -> Prepared {
        self.prepare_for(title, body, &|_| true)
    }

    /// Takes a text apart for some of the heads, by name: the others can't be asked about it.
    #[must_use]
    pub fn prepare_for(&self, title: &str, body: &str, heads: &dyn Fn(&str) -> bool) -> Prepared {
        let document = Document::of(title, body);
        let features = Features::of(&document, &self.wanted(heads));
        Prepared { document, features }
    }

    /// Makes a text ready for other heads than those it was taken apart for.
    pub fn turn_to(&self, prepared: &mut Prepared, heads: &dyn Fn(&str) -> bool) {
        prepared.features = Features::of(&prepared.document, &self.wanted(heads));
    }

    fn wanted(&self, heads: &dyn Fn(&str) -> bool) -> Weights {
        let mut wanted = Weights::default();
        for head in self.heads.iter().filter(|h| heads(&h.name)) {
            wanted.iter_mut().zip(head.head.blocks).for_each(|(w, b)| *w = w.max(b));
        }
        wanted
    }

    /// What a text is like, for lessons: by the first head's knowledge of how rare features are.
    pub(crate) fn vector(&self, prepared: &Prepared) -> Vector {
        self.heads.first().map(|h| learnt::vector(&prepared.features, &h.head)).unwrap_or_default()
    }

    /// The head of this name.
    #[must_use]
    pub fn head(&self, name: &str) -> Option<&TrainedHead> {
        self.heads.iter().find(|h| h.name == name)
    }

    /// Bytes of memory of its tables.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.heads.iter().map(|h| h.head.bytes()).sum()
    }
}

impl Prepared {
    /// The scores of several heads, by [`Joint::place`].
    #[must_use]
    pub fn scores(&self, joint: &Joint) -> Vec<Vec<f32>> {
        joint.scores(&self.features)
    }
}

impl TrainedHead {
    /// Its labels, in the order of [`Answer::shares`].
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.head.labels
    }

    /// The sources whose own features it knows.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.head.sources
    }

    /// Whether a text may have several of its labels.
    #[must_use]
    pub fn many(&self) -> bool {
        matches!(self.decision, Decision::Many { .. })
    }

    /// From which confidence on a label is given, by its place.
    #[must_use]
    pub fn least(&self, label: usize) -> f32 {
        self.decision.least(label)
    }

    /// Features that it has weights for.
    #[must_use]
    pub fn features(&self) -> usize {
        self.head.table.len()
    }

    /// The score of every label.
    #[must_use]
    pub fn scores(&self, prepared: &Prepared, source: Option<&str>) -> Vec<f32> {
        self.head.scores(&prepared.features, source)
    }

    /// What it says about a text.
    #[must_use]
    pub fn answer(&self, prepared: &Prepared, source: Option<&str>) -> Answer {
        self.answer_by(prepared, self.scores(prepared, source))
    }

    /// As [`TrainedHead::answer`], by scores that were found before.
    #[must_use]
    pub fn answer_by(&self, prepared: &Prepared, scores: Vec<f32>) -> Answer {
        self.say(prepared, scores, None)
    }

    /// As [`TrainedHead::answer_by`], and in less time: the best label comes without confidence and words, which those given have.
    #[must_use]
    pub fn answer_briefly(&self, prepared: &Prepared, scores: Vec<f32>, joint: &Joint) -> Answer {
        self.say(prepared, scores, Some(joint))
    }

    fn say(&self, prepared: &Prepared, scores: Vec<f32>, briefly: Option<&Joint>) -> Answer {
        let Some((best, ..)) = decide::best(&scores) else { return Answer::default() };
        // What all heads asked at once lies in near memory.
        let near = briefly.and_then(|joint| joint.place(&self.name).map(|place| (joint, place)));
        let because = |label: usize| match near {
            Some((joint, place)) => why::words(&self.head, prepared, |key| joint.weight(place, label, key)),
            None => why::words(&self.head, prepared, |key| self.head.weight(label, key)),
        };
        let told = |label: usize, confidence: f32| Told {
            label: self.head.labels.get(label).cloned().unwrap_or_default(),
            confidence,
            because: because(label),
        };
        let given = |label: usize| Some(self.decision.confidence(&scores, label)).filter(|(_, given)| *given).map(|(p, _)| (label, p));
        let mut given: Vec<(usize, f32)> =
            if self.many() { (0..scores.len()).filter_map(given).collect() } else { given(best).into_iter().collect() };
        given.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let given: Vec<Told> = given.into_iter().map(|(label, p)| told(label, p)).collect();
        let shares = shares(&scores);
        if briefly.is_some() {
            let best = Told { label: self.head.labels.get(best).cloned().unwrap_or_default(), ..Told::default() };
            return Answer { best, given, shares };
        }
        let best = match given.first() {
            Some(first) if !self.many() => first.clone(),
            _ => told(best, self.decision.confidence(&scores, best).0),
        };
        Answer { best, given, shares }
    }
}

/// Scores of one against the rest, as shares that add up to 1.
fn shares(scores: &[f32]) -> Vec<f32> {
    let each: Vec<f32> = scores.iter().map(|s| (2.0 * s.clamp(-20.0, 20.0)).exp()).collect();
    let sum: f32 = each.iter().sum();
    each.into_iter().map(|e| e / sum.max(f32::MIN_POSITIVE)).collect()
}
