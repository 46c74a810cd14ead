//! Labels by the shipped model, with the rules where it has no evidence.

use std::sync::{Arc, LazyLock};

use groundswell_model::insight::{Label, Labels};

use super::lessons::Lessons;
use super::taught::{Names, Question, Scored, Taught};
use super::{Classifier, Lesson, MOST_ASPECTS, Text, UNSURE, by_rules, survey_tone};
use crate::model::{self, Answer, Joint, Model, ModelError, Prepared, Taught as TaughtText, Told};

/// The model file of this repository; `docs/model-card.md` says what it is made of.
static FILE: &[u8] = include_bytes!("../../model/labels.gsm");

static SHIPPED: LazyLock<Result<Trained, ModelError>> = LazyLock::new(|| model::read(FILE).map(Trained::new));

/// The language that type, aspect and sentiment were learnt in.
const LEARNT: &str = "en";
/// Least confidence of an aspect by rules that stands beside the learnt ones: two good signs.
const SURE_RULE: f32 = 0.75;
/// Lessons that take more than this from an aspect's score speak against it.
const DENIED: f32 = -0.25;

/// Labels by a model with the heads `type`, `aspect`, `sentiment` and `language`. Severity has no data to learn from and
/// stays with the rules; so do the aspects that the model does not know. Where people gave lessons on texts of a source, they count for it.
#[derive(Clone, Debug)]
pub struct Trained {
    model: Arc<Model>,
    joint: Arc<Joint>,
    names: Arc<Names>,
    lessons: Lessons,
}

/// The heads that English texts are asked with, all at once.
const ASKED: [Question; 3] = [Question::Kind, Question::Sentiment, Question::Aspect];

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
        let joint = Joint::of(&model, &ASKED.map(Question::head));
        let names = Names::of(&model);
        Self { model: Arc::new(model), joint: Arc::new(joint), names: Arc::new(names), lessons: Lessons::default() }
    }

    /// Its heads.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// All labels, and each head's answer with its best label, where it was asked. The source is one that the heads were trained on.
    #[must_use]
    pub fn explain(&self, text: &Text<'_>, source: Option<&str>) -> (Labels, Vec<(&str, Answer)>) {
        self.label(text, source, true)
    }

    fn label(&self, text: &Text<'_>, source: Option<&str>, explain: bool) -> (Labels, Vec<(&str, Answer)>) {
        let mut labels = Labels { model: self.model.name.clone(), ..by_rules(text, true) };
        // English by its common words and a published language stand: letters need not be asked.
        let told = labels.language.name == LEARNT || labels.language.because.iter().any(|b| b == "as published");
        let mut prepared = self.model.prepare_for(text.title, text.body, &|head| head == "language" && !told);
        let mut answers = Vec::new();
        if !told && let Some(head) = self.model.head("language") {
            let answer = head.answer(&prepared, source);
            language(&mut labels, &answer);
            answers.push(("language", answer));
        }
        if text.title.trim().is_empty() && text.body.trim().is_empty() {
            return (labels, answers);
        }
        if matches!(labels.language.name.as_str(), LEARNT | UNSURE) {
            // Other languages have no use for the features of these heads.
            self.model.turn_to(&mut prepared, &|head| head != "language");
            answers.extend(self.ask(&mut labels, text, &prepared, source, explain));
        } else {
            not_learnt(&mut labels, text);
        }
        self.names.said(&mut labels, &self.lessons.of_text(text.source, text.title, text.body));
        (labels, answers)
    }

    /// Asks the heads, and the lessons of the text's source.
    fn ask(&self, labels: &mut Labels, text: &Text<'_>, prepared: &Prepared, source: Option<&str>, explain: bool) -> Vec<(&str, Answer)> {
        let taught = self.taught(text.source, prepared);
        let rules = taught.as_ref().map(|_| labels.clone()).unwrap_or_default();
        let mut answers = Vec::with_capacity(ASKED.len());
        for (question, mut scores) in ASKED.into_iter().zip(self.scores(prepared, source)) {
            let Some(head) = self.model.head(question.head()) else { continue };
            let scored = taught.as_ref().and_then(|t| t.scores(question, &scores, &rules));
            if let Some(scored) = &scored {
                scores.clone_from_slice(&scored.scores[..head.labels().len()]);
            }
            let mut answer = if explain { head.answer_by(prepared, scores) } else { head.answer_briefly(prepared, scores, &self.joint) };
            if explain {
                answers.push((head.name.as_str(), answer.clone()));
            }
            let by_lessons = taught.as_ref().zip(scored.as_ref());
            match question {
                Question::Kind => kind(labels, &mut answer, by_lessons),
                Question::Sentiment => self.sentiment(labels, text, &mut answer, by_lessons),
                _ => self.aspects(labels, &mut answer, by_lessons),
            }
        }
        match taught {
            Some(taught) => taught.severity(labels),
            None => doubt_praise(labels),
        }
        answers
    }

    /// The scores of the heads that are asked at once; none for a head that is not there.
    fn scores(&self, prepared: &Prepared, source: Option<&str>) -> Vec<Vec<f32>> {
        let mut together = if source.is_none() { prepared.scores(&self.joint) } else { Vec::new() };
        let one = |question: Question| {
            let joint = self.joint.place(question.head()).and_then(|at| together.get_mut(at)).map(std::mem::take);
            joint.or_else(|| self.model.head(question.head()).map(|h| h.scores(prepared, source))).unwrap_or_default()
        };
        ASKED.into_iter().map(one).collect()
    }

    /// What the lessons of a source say about a text, if there are any.
    fn taught(&self, source: Option<&str>, prepared: &Prepared) -> Option<Taught<'_>> {
        let learnt = self.lessons.learnt(source)?;
        let like = learnt.likeness(&self.model.vector(prepared));
        Some(Taught { learnt, like, names: &self.names })
    }

    fn sentiment(&self, labels: &mut Labels, text: &Text<'_>, answer: &mut Answer, by_lessons: ByLessons<'_>) {
        let Some(head) = self.model.head("sentiment") else { return };
        let share = |name: &str| head.labels().iter().position(|l| l == name).and_then(|i| answer.shares.get(i)).copied().unwrap_or(0.0);
        let words = share("positive") - share("negative");
        match text.survey_score.filter(|s| s.is_finite()) {
            // A number that somebody chose says more than the words beside it: the rules weigh both.
            Some(score) => labels.sentiment_score = 0.6 * survey_tone(score.clamp(0.0, 1.0)) + 0.4 * words,
            None => {
                labels.sentiment = given(answer);
                labels.sentiment_score = words;
                if let Some((_, scored)) = by_lessons {
                    scored.explain(&mut labels.sentiment);
                }
            }
        }
        labels.sentiment_score = labels.sentiment_score.clamp(-1.0, 1.0);
    }

    /// Learnt aspects, and those of the rules that were not learnt or that the rules are sure of, unless lessons speak against them.
    fn aspects(&self, labels: &mut Labels, answer: &mut Answer, by_lessons: ByLessons<'_>) {
        let learnt = self.model.head("aspect").map_or(0, |h| h.labels().len());
        let place = |name: &str| self.names.labels(Question::Aspect).iter().position(|l| l == name);
        let against = |at: usize| by_lessons.is_some_and(|(_, s)| if at < learnt { s.added(at) < DENIED } else { s.scores[at] <= 0.0 });
        let stands = |rule: &Label| place(&rule.name).is_none_or(|at| (at >= learnt || rule.confidence >= SURE_RULE) && !against(at));
        let mut all: Vec<Label> = answer.given.drain(..).map(label).collect();
        let by_lessons = by_lessons.into_iter().flat_map(|(taught, scored)| {
            let more = (learnt..scored.scores.len()).filter(|at| scored.scores[*at] > 0.0);
            more.map(|at| taught.label(Question::Aspect, at, scored))
        });
        for more in labels.aspects.drain(..).filter(stands).chain(by_lessons) {
            if !all.iter().any(|a| a.name == more.name) {
                all.push(more);
            }
        }
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then(a.name.cmp(&b.name)));
        all.truncate(MOST_ASPECTS);
        labels.aspects = all;
    }
}

/// Praise was learnt from app reviews, which are short: a short report looks like one. Where its own sentiment or severity
/// speaks against it, the type is not told.
fn doubt_praise(labels: &mut Labels) {
    let not_glad = matches!(labels.sentiment.name.as_str(), "negative" | "neutral");
    let hurts = matches!(labels.severity.name.as_str(), "blocks_production" | "degrades");
    if labels.kind.name == "praise" && (not_glad || hurts) {
        labels.kind = super::unsure();
    }
}

/// What lessons said where any judged the question.
type ByLessons<'a> = Option<(&'a Taught<'a>, &'a Scored)>;

impl Classifier for Trained {
    fn classify(&self, text: &Text<'_>) -> Labels {
        self.label(text, None, false).0
    }

    fn name(&self) -> &str {
        &self.model.name
    }

    fn learn(&mut self, lesson: &Lesson) {
        let text = Text { title: &lesson.title, body: &lesson.body, source: Some(&lesson.source), ..Text::default() };
        let rules = by_rules(&text, true);
        let prepared = self.model.prepare_for(text.title, text.body, &|head| head != "language");
        let mut heads = self.scores(&prepared, None).into_iter();
        let answers = Question::ALL.map(|question| {
            let head = heads.next().unwrap_or_default();
            self.names.judged(question, lesson, self.names.scores(question, &head, &rules))
        });
        if answers.iter().any(Option::is_some) && !(text.title.trim().is_empty() && text.body.trim().is_empty()) {
            self.lessons.keep(lesson, TaughtText::new(self.model.vector(&prepared), answers.to_vec()));
        } else {
            // What was said before about this feedback does not stand either.
            self.lessons.forget(lesson.identity);
        }
    }

    fn forget(&mut self, identity: u128) {
        self.lessons.forget(identity);
    }
}

fn label(told: Told) -> Label {
    Label { name: told.label, confidence: told.confidence, because: told.because }
}

/// The label that is sure enough, or `unsure`.
fn given(answer: &mut Answer) -> Label {
    answer.given.drain(..).next().map_or_else(super::unsure, label)
}

/// What letters tell, else a script that only one of the languages is written in.
fn language(labels: &mut Labels, answer: &Answer) {
    let by_script = labels.language.because.iter().any(|b| b == "script");
    match answer.given.first() {
        Some(told) => {
            labels.language = Label { name: told.label.clone(), confidence: told.confidence, because: vec!["letters".to_owned()] };
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

/// Whether a rule's kind is one that the head has not learnt or hardly, and sure.
pub(super) fn stands(rule: &Label) -> bool {
    matches!(rule.name.as_str(), "other" | "complaint") && rule.confidence >= SURE_KIND
}

/// What is no feedback at all, such as an automatic reply, only the rules know; of complaints the head has seen too few.
fn kind(labels: &mut Labels, answer: &mut Answer, by_lessons: ByLessons<'_>) {
    let mut rule = stands(&labels.kind) && (labels.kind.name == "other" || answer.given.is_empty());
    let Some((taught, scored)) = by_lessons else {
        if !rule {
            labels.kind = given(answer);
        }
        return;
    };
    let best = scored.best().unwrap_or(0);
    let name = taught.names.labels(Question::Kind).get(best).map_or("", String::as_str);
    if answer.best.label == name {
        // Lessons may speak against the rule.
        rule &= labels.kind.name != "other";
        if !rule {
            labels.kind = given(answer);
            scored.explain(&mut labels.kind);
        }
    } else if labels.kind.name != name {
        labels.kind = if scored.scores[best] > 0.0 { taught.label(Question::Kind, best, scored) } else { super::unsure() };
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
    fn a_short_report_is_no_praise() {
        let kind = |body: &str| Trained::shipped().unwrap().classify(&Text { body, ..Text::default() }).kind.name;
        for report in ["We get 401 on every call with a key created in the dashboard.", "Timeouts number 4 in v2"] {
            assert_ne!(kind(report), "praise", "{report}");
        }
        assert_eq!(kind("Great documentation, we love the new SDK. Thank you!"), "praise");
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
