//! How right the answers are, and whether they know it.

use std::collections::BTreeMap;

use groundswell_model::Rung;
use groundswell_simulate::Truth;
use schemars::JsonSchema;
use serde::Serialize;

/// Bins of confidence for the calibration error.
const BINS: usize = 10;
/// From here on an answer is confident.
const CONFIDENT: f64 = 0.9;
/// Confident wrong answers shown.
const MOST_SHOWN: usize = 12;

/// What attribution said of one piece of feedback.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The API.
    pub api: String,
    /// The version with the greatest weight.
    pub version: String,
    /// What decided.
    pub rung: Rung,
    /// How sure it was.
    pub confidence: f64,
    /// Whether its field is marked as contradicted.
    pub contradicted: bool,
    /// Whether later evidence moved it.
    pub moved: bool,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// Title and body.
    pub text: String,
}

/// A share: how many of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Of {
    /// How many are right.
    pub right: u64,
    /// Of how many.
    pub of: u64,
}

impl Of {
    fn add(&mut self, right: bool) {
        self.of += 1;
        self.right += u64::from(right);
    }

    /// The share; none of nothing.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.right as f64 / self.of as f64)
    }
}

/// One rung.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct RungScore {
    /// Right answers of all that it decided.
    pub score: Of,
    /// Sum of the confidences.
    pub confidence: f64,
}

/// How attribution did.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Report {
    /// Feedback in all.
    pub feedback: u64,
    /// Feedback whose truth the evidence tells, and how much of it is right.
    pub decidable: Of,
    /// Feedback that was given to a version, of all.
    pub covered: Of,
    /// Right answers of all that was given to a version.
    pub answered: Of,
    /// By what tells the truth.
    pub by_told: BTreeMap<String, Of>,
    /// By rung.
    pub by_rung: BTreeMap<String, RungScore>,
    /// Expected calibration error: the mean distance of confidence and accuracy over bins of a tenth, by size.
    pub calibration_error: f64,
    /// Answers of 0.9 and more that are wrong.
    pub confident_wrong: u64,
    /// Of them, where the text misleads and the text decided.
    pub misled: u64,
    /// Feedback that later evidence moved.
    pub moved: u64,
    /// Wrong version fields that are marked, where fields are seen.
    pub wrong_fields_marked: Of,
    /// Right version fields that are marked.
    pub right_fields_marked: Of,
    /// Some confident wrong answers.
    pub examples: Vec<String>,
    #[serde(skip)]
    bins: [(f64, u64, u64); BINS],
}

impl Report {
    /// Counts one answer.
    pub fn add(&mut self, answer: &Answer, truth: &Truth) {
        let right = truth.api == Some(answer.api.as_str()) && truth.version.as_deref() == Some(answer.version.as_str());
        self.feedback += 1;
        self.moved += u64::from(answer.moved);
        let answered = answer.rung != Rung::Unknown;
        self.covered.add(answered);
        self.by_told.entry(truth.told_by.unwrap_or("nothing").to_owned()).or_default().add(right);
        if truth.told_by.is_some() {
            self.decidable.add(right);
        }
        let rung = self.by_rung.entry(answer.rung.name().to_owned()).or_default();
        rung.score.add(right);
        rung.confidence += answer.confidence;
        if answer.rung == Rung::Explicit {
            let marked = if truth.wrong_field { &mut self.wrong_fields_marked } else { &mut self.right_fields_marked };
            marked.add(answer.contradicted);
        }
        if answered {
            self.answered.add(right);
            self.calibrate(answer, right);
            if answer.confidence >= CONFIDENT && !right {
                self.wrong(answer, truth);
            }
        }
    }

    fn calibrate(&mut self, answer: &Answer, right: bool) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a confidence is between 0 and 1")]
        let bin = ((answer.confidence * BINS as f64) as usize).min(BINS - 1);
        let (sum, n, hits) = &mut self.bins[bin];
        (*sum, *n, *hits) = (*sum + answer.confidence, *n + 1, *hits + u64::from(right));
        let distance = |(sum, n, hits): &(f64, u64, u64)| if *n == 0 { 0.0 } else { (sum - *hits as f64).abs() };
        self.calibration_error = self.bins.iter().map(distance).sum::<f64>() / self.answered.of.max(1) as f64;
    }

    fn wrong(&mut self, answer: &Answer, truth: &Truth) {
        self.confident_wrong += 1;
        self.misled += u64::from(truth.misleading && answer.rung == Rung::Text);
        if self.examples.len() < MOST_SHOWN {
            let told = truth.told_by.unwrap_or("nothing");
            self.examples.push(format!(
                "{} {} by {} at {:.2}, in truth {} {} (told by {told}): {} | {}",
                answer.api,
                answer.version,
                answer.rung.name(),
                answer.confidence,
                truth.api.unwrap_or_default(),
                truth.version.as_deref().unwrap_or_default(),
                answer.evidence.join("; "),
                answer.text.chars().take(160).collect::<String>().replace('\n', " ")
            ));
        }
    }
}
