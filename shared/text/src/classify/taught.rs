//! How what people said about texts of a source changes the labels of its other texts.

use groundswell_model::insight::{Label, Labels};

use super::lessons::Kept;
use super::phrases::{ASPECTS, KINDS, SEVERITIES};
use super::{Lesson, MOST_ASPECTS, UNSURE};
use crate::model::{Judged, Learnt, Likeness, Model};

/// The reason of a label that a person gave to this very text.
const SAID: &str = "corrected";
/// The reason that is added where lessons on other texts of the source decided.
const LIKE: &str = "corrections";

/// What is asked about a text, in the order of a lesson's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Kind,
    Sentiment,
    Aspect,
    Severity,
}

impl Question {
    pub(super) const ALL: [Self; 4] = [Self::Kind, Self::Sentiment, Self::Aspect, Self::Severity];

    /// The head that answers it, if any does.
    pub(super) const fn head(self) -> &'static str {
        ["type", "sentiment", "aspect", "severity"][self as usize]
    }

    fn names(self) -> Vec<&'static str> {
        match self {
            Self::Kind => KINDS.iter().map(|(name, _)| *name).collect(),
            Self::Sentiment => vec!["positive", "negative", "neutral"],
            Self::Aspect => ASPECTS.iter().map(|(name, _)| *name).collect(),
            Self::Severity => SEVERITIES.iter().map(|(name, _)| *name).collect(),
        }
    }

    /// The score of a label that neither a head nor a rule speaks for. Severity rests on rules alone, so it is moved more easily.
    const fn absent(self) -> f32 {
        if matches!(self, Self::Severity) { -0.4 } else { -1.0 }
    }
}

/// The labels of every question: first those of its head, then those that only rules and people know.
#[derive(Clone, Debug)]
pub(super) struct Names(Vec<Vec<String>>);

impl Names {
    pub(super) fn of(model: &Model) -> Self {
        let all = Question::ALL.map(|question| {
            let mut names = model.head(question.head()).map(|h| h.labels().to_vec()).unwrap_or_default();
            let others: Vec<String> = question.names().into_iter().filter(|n| !names.iter().any(|k| k == n)).map(str::to_owned).collect();
            names.extend(others);
            names
        });
        Self(all.to_vec())
    }

    pub(super) fn labels(&self, question: Question) -> &[String] {
        &self.0[question as usize]
    }

    fn place(&self, question: Question, name: &str) -> Option<usize> {
        self.labels(question).iter().position(|known| known == name)
    }

    /// The scores of all labels without any lesson: a head's own, and for the others what rules say.
    pub(super) fn scores(&self, question: Question, head: &[f32], rules: &Labels) -> Vec<f32> {
        let by_rule = |name: &String| match question {
            Question::Kind => super::trained::stands(&rules.kind) && rules.kind.name == *name,
            Question::Sentiment => rules.sentiment.name == *name,
            Question::Aspect => rules.aspects.iter().any(|a| a.name == *name),
            Question::Severity => rules.severity.name == *name,
        };
        // Of one label that a rule is sure of, the head's scores are not heard; of several, each is for itself.
        let most = if question == Question::Aspect { 0.0 } else { head.iter().copied().fold(0.0, f32::max) };
        let others = self.labels(question).iter().skip(head.len());
        head.iter().copied().chain(others.map(|name| if by_rule(name) { most + 0.5 } else { question.absent() })).collect()
    }

    /// What a lesson says about a question, if anything that is known.
    pub(super) fn judged(&self, question: Question, lesson: &Lesson, scores: Vec<f32>) -> Option<Judged> {
        let said: Vec<&String> = match question {
            Question::Kind => lesson.kind.iter().collect(),
            Question::Sentiment => lesson.sentiment.iter().collect(),
            Question::Severity => lesson.severity.iter().collect(),
            Question::Aspect => lesson.aspects.as_ref()?.iter().collect(),
        };
        let places: Vec<usize> = said.iter().filter_map(|name| self.place(question, name)).collect();
        // No aspect at all is an answer; names that nobody knows are none.
        let empty = question == Question::Aspect && said.is_empty();
        (!places.is_empty() || empty)
            .then(|| Judged { right: (0..self.labels(question).len()).map(|place| places.contains(&place)).collect(), scores })
    }

    /// What a person said about this very text stands, the latest first.
    pub(super) fn said(&self, labels: &mut Labels, kept: &[&Kept]) {
        let label = |name: &String| Label { name: name.clone(), confidence: 1.0, because: vec![SAID.to_owned()] };
        let latest = |question: Question, of: fn(&Lesson) -> Option<&String>| {
            kept.iter().filter_map(|k| of(&k.said)).find(|name| self.place(question, name).is_some()).map(label)
        };
        let kind = latest(Question::Kind, |l| l.kind.as_ref());
        labels.kind = kind.unwrap_or_else(|| std::mem::take(&mut labels.kind));
        let severity = latest(Question::Severity, |l| l.severity.as_ref());
        labels.severity = severity.unwrap_or_else(|| std::mem::take(&mut labels.severity));
        if let Some(sentiment) = latest(Question::Sentiment, |l| l.sentiment.as_ref()) {
            labels.sentiment_score = match sentiment.name.as_str() {
                "positive" => labels.sentiment_score.max(0.5),
                "negative" => labels.sentiment_score.min(-0.5),
                _ => 0.0,
            };
            labels.sentiment = sentiment;
        }
        if let Some(aspects) = kept.iter().find_map(|k| k.said.aspects.as_ref()) {
            let known: Vec<Label> = aspects.iter().filter(|name| self.place(Question::Aspect, name).is_some()).map(label).collect();
            if !known.is_empty() || aspects.is_empty() {
                labels.aspects = known;
                labels.aspects.truncate(MOST_ASPECTS);
            }
        }
    }
}

/// What the lessons of a source say about one text.
pub(super) struct Taught<'a> {
    pub(super) learnt: &'a Learnt,
    pub(super) like: Likeness,
    pub(super) names: &'a Names,
}

impl Taught<'_> {
    /// The scores of all labels with the lessons, and the place of the best one where that was another without them.
    pub(super) fn scores(&self, question: Question, head: &[f32], rules: &Labels) -> Option<Scored> {
        if !self.learnt.knows(question as usize) {
            return None;
        }
        let before = self.names.scores(question, head, rules);
        let mut scores = before.clone();
        self.learnt.add(question as usize, &self.like, &mut scores);
        Some(Scored { before, scores })
    }

    /// The severity, by rules and lessons.
    pub(super) fn severity(&self, labels: &mut Labels) {
        let Some(scored) = self.scores(Question::Severity, &[], labels) else { return };
        let Some(best) = scored.best() else { return };
        labels.severity = if scored.scores[best] <= 0.0 {
            super::unsure()
        } else if labels.severity.name == self.names.labels(Question::Severity)[best] {
            std::mem::take(&mut labels.severity)
        } else {
            self.label(Question::Severity, best, &scored)
        };
    }

    /// A label that only lessons speak for. Its confidence is not calibrated.
    pub(super) fn label(&self, question: Question, place: usize, scored: &Scored) -> Label {
        let name = self.names.labels(question).get(place).cloned().unwrap_or_else(|| UNSURE.to_owned());
        let confidence = 1.0 / (1.0 + (-2.0 * scored.scores[place]).exp());
        Label { name, confidence, because: vec![LIKE.to_owned()] }
    }
}

/// Scores of a question without and with lessons.
pub(super) struct Scored {
    before: Vec<f32>,
    pub(super) scores: Vec<f32>,
}

fn best(scores: &[f32]) -> Option<usize> {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0))).map(|(at, _)| at)
}

impl Scored {
    pub(super) fn best(&self) -> Option<usize> {
        best(&self.scores)
    }

    /// How much lessons added to a label.
    pub(super) fn added(&self, place: usize) -> f32 {
        self.scores[place] - self.before[place]
    }

    /// Says so where a label is the best one by lessons alone.
    pub(super) fn explain(&self, label: &mut Label) {
        if label.name != UNSURE && best(&self.before) != self.best() {
            label.because.insert(0, LIKE.to_owned());
            label.because.truncate(5);
        }
    }
}
