//! A new look at history: with another catalogue or ladder (`reattribute`), or with another model (`reclassify`).
//!
//! What the index was told ([`held`]) is compared with what would be said today. For attribution, [`shadow`] replays `events` from the
//! oldest record kept through the same [`crate::core::Partition`] that works live, and keeps only insights: usage was counted, and
//! is not counted again. For labels, the insights themselves are read again. The [`report`] says what would move.
//!
//! A swap publishes what changed as [`groundswell_model::Again`] to `events` ([`swap`]): the thread that owns the state takes it in
//! between two events, in its atomic step, so the index and everything that is ever rebuilt from the topics hears it in order. To do
//! so twice is to do it once; a crash leaves some of it undone, and the next look says so.

mod held;
pub mod http;
mod pace;
pub mod report;
mod shadow;
mod swap;

use std::sync::Arc;

use anyhow::Context as _;
use groundswell_bus::{Bus, Stop, Topic};
use groundswell_catalogue::{Catalogue, CatalogueEvent, read_event};
use groundswell_contract::Incoming;
use groundswell_model::Insight;
use groundswell_runtime::Settings;
use groundswell_text::classify::{Classifier, Text, Trained};

use crate::language_model::protocol::keep;
use crate::lessons::Lessons;
use held::Holdings;
use pace::Pace;
use report::{Report, What};
use shadow::Attributed;
use swap::Swap;

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Only feedback that counts for this API, or would.
    pub api: Option<String>,
    /// Whether what changed is published, or only told.
    pub swap: bool,
    /// Another model than the one at work, as the bytes of its file.
    pub model: Option<Vec<u8>>,
}

/// Looks at history again.
pub struct Again {
    bus: Arc<dyn Bus>,
    settings: Settings,
    pace: Pace,
}

impl Again {
    /// Over the topics of a bus, until told to stop.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, settings: Settings, stop: Stop) -> Self {
        Self { bus, settings, pace: Pace::new(stop) }
    }

    /// The same, told about by `pace`.
    fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Attributes all feedback again, with today's catalogue and ladder and the usage known at its place in `events`.
    ///
    /// # Errors
    /// A topic can't be read, or the process was told to stop.
    pub fn reattribute(&self, question: &Question) -> anyhow::Result<Report> {
        let catalogue = self.tables(None)?;
        self.pace.plan(self.bus.as_ref(), &[Topic::Insights, Topic::Events, Topic::Insights])?;
        let mut held = Holdings::read(self.bus.as_ref(), &self.pace)?;
        let shadow = shadow::replay(self.bus.as_ref(), &self.settings, &catalogue, &mut held, &self.pace)?;
        let mut report = Report::new(What::Reattribute, question.api.clone());
        let mut swap = question.swap.then(|| Swap::new(self.bus.as_ref())).transpose()?;
        let wanted =
            |insight: &Insight<'_>, new: &Attributed| question.api.as_deref().is_none_or(|api| insight.api == api || new.api == api);
        held.walk(self.bus.as_ref(), &self.pace, |insight, seen| {
            let Some(new) = shadow.changed.get(&insight.identity.0) else {
                if question.api.as_deref().is_none_or(|api| insight.api == api) {
                    report.same(seen);
                }
                return Ok(());
            };
            if !wanted(insight, new) {
                return Ok(());
            }
            report.moved(insight, "version", &place(insight), &new.place());
            match &mut swap {
                Some(swap) => swap.put(insight.api, new.over(insight)),
                None => Ok(()),
            }
        })?;
        self.finish(swap, &mut held, &mut report, |_| None)?;
        Ok(report)
    }

    /// Labels all feedback again, with the model at work or with another one.
    ///
    /// # Errors
    /// A topic or the model can't be read, or the process was told to stop.
    pub fn reclassify(&self, question: &Question) -> anyhow::Result<Report> {
        let mut classifier = match &question.model {
            Some(bytes) => of_file(bytes)?,
            None => crate::stage::configured(&self.settings)?,
        };
        self.tables(Some(classifier.as_mut()))?;
        self.pace.plan(self.bus.as_ref(), &[Topic::Insights, Topic::Insights])?;
        let mut held = Holdings::read(self.bus.as_ref(), &self.pace)?;
        let mut report = Report::new(What::Reclassify, question.api.clone());
        report.model = Some(classifier.name().to_owned());
        let mut swap = question.swap.then(|| Swap::new(self.bus.as_ref())).transpose()?;
        let label = |insight: &Insight<'_>| {
            let mut labels = classifier.classify(&text(insight));
            keep(&mut labels, &insight.labels);
            labels
        };
        held.walk(self.bus.as_ref(), &self.pace, |insight, _| {
            if question.api.as_deref().is_some_and(|api| insight.api != api) {
                return Ok(());
            }
            let labels = label(insight);
            if !report.relabelled(insight, &labels) {
                report.same(true);
                return Ok(());
            }
            match &mut swap {
                Some(swap) => swap.put(insight.api, Insight { labels, ..insight.clone() }),
                None => Ok(()),
            }
        })?;
        self.finish(swap, &mut held, &mut report, |insight| Some(label(insight)))?;
        Ok(report)
    }

    /// Publishes the rest, and sees to it that nothing that moved meanwhile was moved back.
    fn finish(
        &self,
        swap: Option<Swap<'_>>,
        held: &mut Holdings,
        report: &mut Report,
        label: impl Fn(&Insight<'_>) -> Option<groundswell_model::Labels>,
    ) -> anyhow::Result<()> {
        let Some(mut swap) = swap else { return Ok(()) };
        swap.flush()?;
        report.swapped = swap.done();
        report.moved_meanwhile = swap.settle(held, &self.pace, label)?;
        Ok(())
    }

    /// The catalogue as it is now; the classifier is taught all corrections.
    fn tables(&self, classifier: Option<&mut dyn Classifier>) -> anyhow::Result<Catalogue> {
        let (mut catalogue, mut corrections) = (Catalogue::default(), Vec::new());
        let limits = self.settings.limits.contract();
        self.bus.reader(Topic::Catalogue)?.catch_up(&mut |record| {
            let headers: Vec<_> = record.headers.iter().collect();
            let incoming = Incoming { content_type: None, headers: &headers, body: record.value };
            match read_event(&incoming, record.timestamp, &limits) {
                Some(CatalogueEvent::Release(release, time)) => catalogue.apply(&release, time),
                Some(CatalogueEvent::Correction(correction, time)) => corrections.push((*correction, time)),
                Some(CatalogueEvent::Identity(_) | CatalogueEvent::Theme(..)) | None => {}
            }
        })?;
        if let Some(classifier) = classifier {
            let mut lessons = Lessons::default();
            corrections.into_iter().for_each(|(correction, time)| lessons.take(correction, time, classifier));
        }
        Ok(catalogue)
    }
}

fn of_file(bytes: &[u8]) -> anyhow::Result<Box<dyn Classifier>> {
    let model = groundswell_text::model::read(bytes).context("the model can't be read")?;
    Ok(Box::new(Trained::new(model)))
}

/// What a classifier sees of an insight.
fn text<'a>(insight: &'a Insight<'_>) -> Text<'a> {
    let survey_score = insight.survey.as_ref().filter(|s| s.max > s.min).map(|s| ((s.score - s.min) / (s.max - s.min)).clamp(0.0, 1.0));
    let language = &insight.labels.language;
    let published = language.because.iter().any(|b| b == "as published").then_some(language.name.as_str());
    Text { title: insight.title, body: insight.body, survey_score, language: published, source: Some(insight.source) }
}

/// Where an insight counts, and why, in a few words.
fn place(insight: &Insight<'_>) -> String {
    let versions: Vec<(&str, f32)> = insight.versions.iter().map(|v| (v.version, v.weight)).collect();
    shadow::words(insight.api, &versions, insight.rung)
}
