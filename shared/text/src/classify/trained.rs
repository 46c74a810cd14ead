//! Labels by the shipped model, with the rules where it has no evidence.

use std::sync::{Arc, LazyLock};

use groundswell_model::insight::{Label, Labels};

use super::{Classifier, MOST_ASPECTS, Rules, Text, UNSURE, survey_tone};
use crate::model::{self, Answer, Joint, Model, ModelError, Told};

/// The model file of this repository; `docs/model-card.md` says what it is made of.
static FILE: &[u8] = include_bytes!("../../model/labels.gsm");

static SHIPPED: LazyLock<Result<Trained, ModelError>> = LazyLock::new(|| model::read(FILE).map(Trained::new));

/// The language that type, aspect and sentiment were learnt in.
const LEARNT: &str = "en";
/// Least confidence of an aspect by rules that stands beside the learnt ones: two good signs.
const SURE_RULE: f32 = 0.75;

/// Labels by a model with the heads `type`, `aspect`, `sentiment` and `language`. Severity has no data to learn from and
/// stays with the rules; so do the aspects that the model does not know.
#[derive(Clone, Debug)]
pub struct Trained {
    model: Arc<Model>,
    joint: Arc<Joint>,
}

/// The heads that English texts are asked with, all at once.
const ASKED: [&str; 3] = ["type", "sentiment", "aspect"];

impl Trained {
    /// The model of this repository; read once.
    ///
    /// # Errors
    /// The file in the program is damaged.
    pub fn shipped() -> Result<Self, ModelError> {
        SHIPPED.clone()
    }

    /// A model of one's own with heads of the same names.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let joint = Joint::of(&model, &ASKED);
        Self { model: Arc::new(model), joint: Arc::new(joint) }
    }

    /// Its heads.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// All labels, and each head's answer with its best label, where it was asked.
    #[must_use]
    pub fn explain(&self, text: &Text<'_>, source: Option<&str>) -> (Labels, Vec<(&str, Answer)>) {
        self.label(text, source, true)
    }

    fn label(&self, text: &Text<'_>, source: Option<&str>, explain: bool) -> (Labels, Vec<(&str, Answer)>) {
        let mut labels = Rules.classify(text);
        labels.model = self.model.name.clone();
        // English by its common words and a published language stand: letters need not be asked.
        let told = labels.language.name == LEARNT || labels.language.because.iter().any(|b| b == "as published");
        let prepared = self.model.prepare_for(text.title, text.body, &|head| head != "language" || !told);
        let ask = |name: &str| self.model.head(name).map(|head| head.answer(&prepared, source));
        let mut answers = Vec::new();
        if !told && let Some(answer) = ask("language") {
            language(&mut labels, &answer);
            answers.push(("language", answer));
        }
        if text.title.trim().is_empty() && text.body.trim().is_empty() {
            return (labels, answers);
        }
        let learnt = matches!(labels.language.name.as_str(), LEARNT | UNSURE);
        let mut scores = if learnt && !explain && source.is_none() { prepared.scores(&self.joint) } else { Vec::new() };
        for name in ASKED {
            let briefly = self.joint.place(name).and_then(|at| scores.get_mut(at)).map(std::mem::take).zip(self.model.head(name));
            let answer = briefly.map(|(scores, head)| head.answer_briefly(&prepared, scores));
            let Some(answer) = answer.or_else(|| ask(name)) else { continue };
            match name {
                _ if !learnt => not_learnt(&mut labels, text),
                "type" => kind(&mut labels, &answer),
                "sentiment" => self.sentiment(&mut labels, text, &answer),
                _ => self.aspects(&mut labels, &answer),
            }
            answers.push((name, answer));
        }
        (labels, answers)
    }

    fn sentiment(&self, labels: &mut Labels, text: &Text<'_>, answer: &Answer) {
        let Some(head) = self.model.head("sentiment") else { return };
        let share = |name: &str| head.labels().iter().position(|l| l == name).and_then(|i| answer.shares.get(i)).copied().unwrap_or(0.0);
        let words = share("positive") - share("negative");
        match text.survey_score.filter(|s| s.is_finite()) {
            // A number that somebody chose says more than the words beside it: the rules weigh both.
            Some(score) => labels.sentiment_score = 0.6 * survey_tone(score.clamp(0.0, 1.0)) + 0.4 * words,
            None => {
                labels.sentiment = given(answer);
                labels.sentiment_score = words;
            }
        }
        labels.sentiment_score = labels.sentiment_score.clamp(-1.0, 1.0);
    }

    /// Learnt aspects, and those of the rules that were not learnt or that the rules are sure of.
    fn aspects(&self, labels: &mut Labels, answer: &Answer) {
        let learnt = |name: &str| self.model.head("aspect").is_some_and(|h| h.labels().iter().any(|l| l == name));
        let mut all: Vec<Label> = answer.given.iter().map(label).collect();
        let rules = labels.aspects.drain(..).filter(|a| !learnt(&a.name) || a.confidence >= SURE_RULE);
        for rule in rules {
            if !all.iter().any(|a| a.name == rule.name) {
                all.push(rule);
            }
        }
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.name.cmp(&b.name)));
        all.truncate(MOST_ASPECTS);
        labels.aspects = all;
    }
}

impl Classifier for Trained {
    fn classify(&self, text: &Text<'_>) -> Labels {
        self.label(text, None, false).0
    }

    fn name(&self) -> &str {
        &self.model.name
    }
}

fn label(told: &Told) -> Label {
    Label { name: told.label.clone(), confidence: told.confidence, because: told.because.clone() }
}

/// The label that is sure enough, or `unsure`.
fn given(answer: &Answer) -> Label {
    answer.given.first().map_or_else(super::unsure, label)
}

/// What letters tell, else a script that only one of the languages is written in.
fn language(labels: &mut Labels, answer: &Answer) {
    let by_script = labels.language.because.iter().any(|b| b == "script");
    match answer.given.first() {
        Some(told) => {
            labels.language = Label { name: told.label.clone(), confidence: told.confidence, because: vec!["letters".to_owned()] }
        }
        None if by_script => {}
        None => labels.language = super::unsure(),
    }
}

/// Where a head has not learnt the language nothing is guessed. A survey's score speaks in every language.
fn not_learnt(labels: &mut Labels, text: &Text<'_>) {
    labels.kind = super::unsure();
    labels.severity = super::unsure();
    labels.aspects.clear();
    if text.survey_score.is_none() {
        labels.sentiment = super::unsure();
        labels.sentiment_score = 0.0;
    }
}

/// Confidence from which on the rules are heard where the head is `unsure`, on the two kinds that it has not learnt or hardly.
const SURE_KIND: f32 = 0.7;

/// What is no feedback at all, such as an automatic reply, only the rules know; of complaints the head has seen too few.
fn kind(labels: &mut Labels, answer: &Answer) {
    let rule = &labels.kind;
    let by_rule = match rule.name.as_str() {
        "other" => rule.confidence >= SURE_KIND,
        "complaint" => rule.confidence >= SURE_KIND && answer.given.is_empty(),
        _ => false,
    };
    if !by_rule {
        labels.kind = given(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(title: &str, body: &str) -> Labels {
        Trained::shipped().unwrap().classify(&Text { title, body, survey_score: None, language: None, source: None })
    }

    #[test]
    fn the_shipped_file_is_whole_and_small() {
        let trained = Trained::shipped().unwrap();
        assert!(FILE.len() <= 15_000_000 && trained.model().bytes() < 60_000_000);
        let heads: Vec<&str> = trained.model().heads.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(heads, ["type", "sentiment", "aspect", "language"]);
        assert_eq!(trained.name(), model::sets::SHIPPED);
    }

    #[test]
    fn tickets_are_labelled_with_their_reasons() {
        let bug = labels(
            "[Bug]: crash on startup after upgrade",
            "### Steps to reproduce\n1. start it\n\n### Expected\nIt starts.\n\n### Actual\nIt crashes with a segmentation fault.",
        );
        assert_eq!((bug.kind.name.as_str(), bug.language.name.as_str(), bug.model.as_str()), ("bug", "en", model::sets::SHIPPED));
        assert!(!bug.kind.because.is_empty(), "{bug:?}");
        let thanks = labels("", "Thank you so much, this works perfectly. Great answer!");
        assert_eq!(thanks.sentiment.name, "positive");
        assert!(thanks.sentiment_score > 0.3);
    }

    #[test]
    fn languages_that_were_not_learnt_are_unsure_and_told() {
        let german = labels(
            "Fehler nach dem Update",
            "Seit dem Update können wir uns nicht mehr anmelden. Das ist eine schlimme Katastrophe für unsere Kunden.",
        );
        assert_eq!((german.language.name.as_str(), german.kind.name.as_str(), german.sentiment.name.as_str()), ("de", UNSURE, UNSURE));
        assert!(german.aspects.is_empty());
        let scored = Trained::shipped().unwrap().classify(&Text {
            title: "",
            body: "APIが遅いです。とても困っています。",
            survey_score: Some(0.1),
            language: None,
            source: None,
        });
        assert_eq!((scored.language.name.as_str(), scored.sentiment.name.as_str()), ("ja", "negative"));
    }

    #[test]
    fn heads_asked_at_once_say_what_each_says_alone() {
        let trained = Trained::shipped().unwrap();
        for (title, body) in [
            ("Timeout after upgrading to v2", "Every request fails with 504 since yesterday. Please fix this, it blocks our release!"),
            ("How do I page through results?", "The documentation says nothing about cursors.\n```\nGET /items\n```"),
            ("", "I love the new client, great work, thank you"),
        ] {
            let text = Text { title, body, ..Text::default() };
            assert_eq!(trained.classify(&text), trained.explain(&text, None).0, "{title}");
        }
    }

    #[test]
    fn nothing_is_said_about_nothing() {
        let empty = labels("", "");
        assert_eq!((empty.kind.name.as_str(), empty.sentiment.name.as_str(), empty.language.name.as_str()), (UNSURE, UNSURE, UNSURE));
        assert!(empty.aspects.is_empty());
    }
}
