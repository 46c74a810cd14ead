//! What feedback says: its type, what it is about, its sentiment and how bad it is.

use groundswell_model::insight::Labels;

/// One piece of feedback, as a classifier sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Text<'a> {
    /// Title; empty for surveys.
    pub title: &'a str,
    /// Body or comment.
    pub body: &'a str,
    /// The survey's score, from 0 (worst) to 1 (best); none for tickets.
    pub survey_score: Option<f64>,
    /// Language as published (BCP 47).
    pub language: Option<&'a str>,
}

/// Labels feedback. The same text always gets the same labels.
pub trait Classifier: Send + Sync {
    /// Says what the text was understood to say.
    fn classify(&self, text: &Text<'_>) -> Labels;
    /// Name and version of the model or rules; it stays with every label.
    fn name(&self) -> &str;
}

/// Hand-written rules: phrases with weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules;

impl Classifier for Rules {
    fn classify(&self, _text: &Text<'_>) -> Labels {
        Labels { model: self.name().to_owned(), ..Labels::default() }
    }

    fn name(&self) -> &str {
        "rules-1"
    }
}
