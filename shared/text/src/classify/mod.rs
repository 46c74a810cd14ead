//! What feedback says: its type, what it is about, its sentiment and how bad it is.
//!
//! [`Classifier`] is the one interface. [`Rules`] is the classifier that needs no training: phrases
//! with weights, in English, each label with the phrases that caused it. [`Trained`] has learnt from
//! labelled texts ([`crate::model`]) and leaves to the rules what it has no evidence for. Nothing outside
//! of this module knows which one is at work; its name stays with every label.

mod language;
#[cfg(test)]
mod lesson_tests;
mod lessons;
mod lexicon;
mod phrases;
mod rules;
mod taught;
#[cfg(test)]
mod tests;
mod trained;
mod words;

use groundswell_model::insight::{Label, Labels};

pub use trained::Trained;

use language::Guess;
use lexicon::Table;
use phrases::{ASPECTS, KINDS, SEVERITIES};
use rules::Evidence;
use words::Words;

/// The name of a label that was not given for want of evidence.
pub const UNSURE: &str = "unsure";

/// Below this sum of weights there is no telling.
const LEAST_EVIDENCE: f32 = 1.0;
/// An aspect needs more than one hint.
const LEAST_FOR_ASPECT: f32 = 1.5;
/// Most aspects that one text is given.
const MOST_ASPECTS: usize = 4;
/// Sentiment scores within this of 0 are neutral.
const NEUTRAL: f32 = 0.2;

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
    /// CloudEvents `source`: where people have corrected labels of that source, they count for it.
    pub source: Option<&'a str>,
}

/// What a person says of one text: what is absent was not judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lesson {
    /// CloudEvents `source` of the text.
    pub source: String,
    /// Hash of `source` and `id`: a later lesson on the same feedback takes the place of an earlier one.
    pub identity: u128,
    /// Title, redacted; empty where there is none.
    pub title: String,
    /// Body or comment, redacted; empty where there is none.
    pub body: String,
    /// The right type.
    pub kind: Option<String>,
    /// The right aspects, all of them.
    pub aspects: Option<Vec<String>>,
    /// The right sentiment.
    pub sentiment: Option<String>,
    /// The right severity.
    pub severity: Option<String>,
}

/// Labels feedback. The same text always gets the same labels.
pub trait Classifier: Send + Sync {
    /// Says what the text was understood to say.
    fn classify(&self, text: &Text<'_>) -> Labels;
    /// Name and version of the model or rules; it stays with every label.
    fn name(&self) -> &str;
    /// Learns from a person's labels of one text. Rules have nothing to learn with.
    fn learn(&mut self, _lesson: &Lesson) {}
    /// Forgets the lesson on the feedback of this identity: its correction was withdrawn.
    fn forget(&mut self, _identity: u128) {}
}

/// Hand-written rules: phrases with weights, for English. Other languages are recognised and left `unsure`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules;

impl Classifier for Rules {
    fn classify(&self, text: &Text<'_>) -> Labels {
        Labels { model: self.name().to_owned(), ..by_rules(text, false) }
    }

    fn name(&self) -> &'static str {
        "rules-1"
    }
}

/// The labels by rules. Where heads are asked after them, what only heads are heard on is left out: the tone of words, and why a kind is likely
/// that does not stand against a head's.
fn by_rules(text: &Text<'_>, for_heads: bool) -> Labels {
    let words = Words::of(text.title, text.body);
    let language = language(text, &words);
    let score = text.survey_score.filter(|s| s.is_finite()).map(|s| s.clamp(0.0, 1.0));
    let mut labels = Labels::default();
    if matches!(language.name.as_str(), "en" | UNSURE) {
        // Where heads tell the tone, that of words is only asked for beside a survey's score.
        let tone = !for_heads || score.is_some();
        let evidence = Evidence::of(&words, tone);
        labels.kind = kind(&evidence, &words, score, for_heads);
        labels.aspects = aspects(&evidence, &words);
        labels.severity = severity(&evidence, &words, &labels.kind);
        (labels.sentiment, labels.sentiment_score) = if tone { sentiment(&evidence, &words, score) } else { (unsure(), 0.0) };
    } else {
        (labels.kind, labels.severity) = (unsure(), unsure());
        (labels.sentiment, labels.sentiment_score) =
            score.map_or((unsure(), 0.0), |s| tone(survey_tone(s), 0.6, vec!["survey score".to_owned()]));
    }
    labels.language = language;
    labels
}

/// The labels that the shipped classifiers give for the head `type`, `aspect`, `sentiment` or `severity`.
#[must_use]
pub fn known_labels(head: &str) -> Vec<&'static str> {
    let table = match head {
        "type" => KINDS,
        "aspect" => ASPECTS,
        "severity" => SEVERITIES,
        "sentiment" => return vec!["negative", "neutral", "positive"],
        _ => return Vec::new(),
    };
    table.iter().map(|(name, _)| *name).collect()
}

fn unsure() -> Label {
    Label { name: UNSURE.to_owned(), confidence: 0.0, because: Vec::new() }
}

/// The published language, else what the text looks like.
fn language(text: &Text<'_>, words: &Words) -> Label {
    let declared = text
        .language
        .and_then(|l| l.split(['-', '_']).next())
        .filter(|l| matches!(l.len(), 2 | 3) && l.bytes().all(|b| b.is_ascii_alphabetic()));
    if let Some(declared) = declared {
        return Label { name: declared.to_ascii_lowercase(), confidence: 1.0, because: vec!["as published".to_owned()] };
    }
    let Guess { code, confidence, by_script } = language::of(text.title, text.body, words);
    let because = if code == UNSURE {
        Vec::new()
    } else if by_script {
        vec!["script".to_owned()]
    } else {
        vec!["common words".to_owned()]
    };
    Label { name: code.to_owned(), confidence, because }
}

fn kind(evidence: &Evidence, words: &Words, survey: Option<f64>, for_heads: bool) -> Label {
    let extra = |name: &str| {
        let unhappy = survey.is_some_and(|s| s <= 0.4);
        let happy = survey.is_some_and(|s| s >= 0.8);
        match name {
            "question" => 0.8 * (words.questions.min(2) as f32),
            "complaint" if unhappy => 0.7,
            "praise" if happy => 0.7,
            _ => 0.0,
        }
    };
    let mut scores: Vec<f32> = KINDS
        .iter()
        .enumerate()
        .map(|(i, (name, _))| {
            let own = evidence.score_of_one(Table::Kind, i);
            if *name == "question" || own > 0.0 { own + extra(name) } else { 0.0 }
        })
        .collect();
    // Thanks at the end of a ticket are manners.
    if let Some(praise) = KINDS.iter().position(|(n, _)| *n == "praise") {
        let rest: f32 = scores.iter().enumerate().filter(|(i, _)| *i != praise).map(|(_, s)| s).sum();
        scores[praise] = (scores[praise] - 0.3 * rest).max(0.0);
    }
    best(&scores, LEAST_EVIDENCE).map_or_else(unsure, |(i, confidence)| {
        let mut label = Label { name: KINDS[i].0.to_owned(), confidence, because: Vec::new() };
        if !for_heads || trained::stands(&label) {
            label.because = evidence.because(words, Table::Kind, i);
            if label.because.is_empty() {
                label.because.push("question mark".to_owned());
            }
        }
        label
    })
}

/// The highest score and how far it is from the others, where there is enough of it.
fn best(scores: &[f32], least: f32) -> Option<(usize, f32)> {
    let (at, score) = scores.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
    let second = scores.iter().copied().enumerate().filter(|(i, _)| *i != at).map(|(_, s)| s).fold(0.0, f32::max);
    let confidence = score / (score + second + 0.8);
    (score >= least && confidence >= 0.4).then_some((at, confidence))
}

fn aspects(evidence: &Evidence, words: &Words) -> Vec<Label> {
    let mut found: Vec<(usize, f32)> =
        (0..ASPECTS.len()).map(|i| (i, evidence.score(Table::Aspect, i))).filter(|(_, s)| *s >= LEAST_FOR_ASPECT).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    found.truncate(MOST_ASPECTS);
    found
        .iter()
        .map(|(i, s)| Label {
            name: ASPECTS[*i].0.to_owned(),
            confidence: s / (s + 1.0),
            because: evidence.because(words, Table::Aspect, *i),
        })
        .collect()
}

/// Only what goes wrong has a severity.
fn severity(evidence: &Evidence, words: &Words, kind: &Label) -> Label {
    if matches!(kind.name.as_str(), "praise" | "other") {
        return unsure();
    }
    let mut scores: Vec<f32> = (0..SEVERITIES.len()).map(|i| evidence.score(Table::Severity, i)).collect();
    if matches!(kind.name.as_str(), "feature_request" | "question") {
        // Something wished for does not fail; only plain words of blocking count.
        scores[1] *= 0.5;
    }
    best(&scores, LEAST_EVIDENCE).map_or_else(unsure, |(i, confidence)| Label {
        name: SEVERITIES[i].0.to_owned(),
        confidence,
        because: evidence.because(words, Table::Severity, i),
    })
}

fn sentiment(evidence: &Evidence, words: &Words, survey: Option<f64>) -> (Label, f32) {
    let (joy, anger) = (evidence.score(Table::Tone, 0), evidence.score(Table::Tone, 1));
    // "Not happy" is half as bad as "unhappy"; "not bad" hardly good.
    let positive = joy + 0.2 * evidence.denied(Table::Tone, 1);
    let negative = anger + 0.7 * evidence.denied(Table::Tone, 0);
    let said = positive + negative;
    let from_words = (positive - negative) / (said + 1.5);
    let (score, weight) = match survey {
        Some(s) => (0.6 * survey_tone(s) + 0.4 * from_words, said + 2.0),
        None => (from_words, said),
    };
    let mut because = evidence.because(words, Table::Tone, usize::from(score < 0.0));
    if survey.is_some() {
        because.insert(0, "survey score".to_owned());
        because.truncate(5);
    }
    if weight < 0.5 && words.len() < 4 {
        return (unsure(), 0.0);
    }
    tone(score, weight / (weight + 1.5), because)
}

/// A survey's answer as a sentiment: the middle of the scale is neutral.
fn survey_tone(score: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
    let tone = (2.0 * score - 1.0) as f32;
    tone
}

fn tone(score: f32, sure: f32, because: Vec<String>) -> (Label, f32) {
    let score = score.clamp(-1.0, 1.0);
    let label = if score.abs() < NEUTRAL {
        Label { name: "neutral".to_owned(), confidence: 0.5 * (1.0 - score.abs() / NEUTRAL) + 0.3, because: Vec::new() }
    } else {
        let name = if score > 0.0 { "positive" } else { "negative" };
        Label { name: name.to_owned(), confidence: (0.4 + 0.6 * score.abs() * sure).clamp(0.0, 1.0), because }
    };
    (label, score)
}
