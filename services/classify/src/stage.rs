//! One batch of frames, in one atomic step: every event gets exactly one fate.

use std::sync::Arc;

use anyhow::Context as _;
use groundswell_bus::dead_letter::dead_letter;
use groundswell_bus::{Batch, Bus, BusError, Member, NewRecord, Offset, Part, Reader, Record, Stage, StageError, Step, Topic, TopicNames};
use groundswell_catalogue::{Catalogue, CatalogueEvent, read_event};
use groundswell_contract::{Incoming, Limits};
use groundswell_model::{Event, Fates, Outcome, Reject, frame, partition_of};
use groundswell_runtime::Settings;
use groundswell_text::classify::{Classifier, Rules as TextRules, Trained};
use hashbrown::HashMap;

use crate::core::{Bounds, Partition, Rules, Tables, Work, state};
use crate::language_model::Helper;
use crate::lessons::Lessons;

/// The name of this service in dead letters and metrics.
pub const SERVICE: &str = "classify";
/// Header of a dead letter whose original is no longer kept: the value is then the event as this service had it, in JSON.
pub const REBUILT: &str = "gs-rebuilt";

/// The work of this service between reading and committing.
pub struct ClassifyStage {
    bus: Arc<dyn Bus>,
    reader: Box<dyn Reader>,
    catalogue: Catalogue,
    classifier: Box<dyn Classifier>,
    /// What people taught the classifier.
    lessons: Lessons,
    /// Who is asked about what the classifier is unsure of.
    helper: Option<Helper>,
    partitions: HashMap<u32, Partition>,
    rules: Rules,
    limits: Limits,
    names: TopicNames,
    insights: u32,
    /// Partitions of `events`.
    events: u32,
    dedupe_entries: usize,
    /// Fates of the events of the last batch: its records are frames.
    fates: Fates,
}

impl ClassifyStage {
    /// A stage that has read nothing yet, and labels by the shipped model.
    ///
    /// # Errors
    /// A topic is missing.
    pub fn new(bus: Arc<dyn Bus>, settings: &Settings) -> Result<Self, BusError> {
        Self::with_classifier(bus, settings, shipped())
    }

    /// A stage that labels with this classifier.
    ///
    /// # Errors
    /// A topic is missing.
    pub fn with_classifier(bus: Arc<dyn Bus>, settings: &Settings, classifier: Box<dyn Classifier>) -> Result<Self, BusError> {
        let (reader, insights, events) = (bus.reader(Topic::Catalogue)?, bus.partitions(Topic::Insights)?, bus.partitions(Topic::Events)?);
        let limits = &settings.limits;
        Ok(Self {
            bus,
            reader,
            catalogue: Catalogue::default(),
            classifier,
            lessons: Lessons::default(),
            helper: None,
            partitions: HashMap::new(),
            rules: rules(settings),
            limits: Limits {
                event_bytes: limits.event_bytes,
                batch_events: limits.batch_events,
                depth: limits.depth,
                attributes: limits.attributes,
                future_hours: limits.future_hours,
            },
            names: settings.topics.names.clone(),
            insights,
            events,
            dedupe_entries: settings.classify.dedupe_entries,
            fates: Fates::default(),
        })
    }

    /// This stage, asking a language model about what its classifier is unsure of.
    #[must_use]
    pub fn asking(mut self, helper: Option<Helper>) -> Self {
        self.helper = helper;
        self
    }

    /// Fates of the events of the last batch.
    #[must_use]
    pub fn event_fates(&self) -> &Fates {
        &self.fates
    }

    /// The memory for usage identities is shared by the partitions.
    fn share_window(&mut self) {
        let each = self.dedupe_entries / self.partitions.len().max(1);
        self.partitions.values_mut().for_each(|p| p.window().set_most(each));
    }

    /// The dead letter of an event: its original bytes, or what is left of it.
    fn letter(&self, event: &Event<'_>, reject: &Reject) -> Result<NewRecord, StageError> {
        let origin = event.head().origin;
        let part = Topic::from_number(origin.topic).map(|topic| Part { topic, partition: origin.partition });
        let original = part.map(|part| self.bus.read_at(part, Offset(origin.offset))).transpose()?.flatten();
        if let Some(record) = original.as_ref().and_then(|batch| batch.iter().next()) {
            return Ok(dead_letter(&record, reject, SERVICE, &self.names));
        }
        let json = serde_json::to_vec(event)
            .map_err(|e| StageError::fatal("dead letter of an event whose original is no longer kept", e.to_string()))?;
        let mut rebuilt = Batch::default();
        let part = part.unwrap_or(Part { topic: Topic::Events, partition: origin.partition });
        rebuilt.push(part, Offset(origin.offset), event.head().received, b"", Some(&json), []);
        let letter = rebuilt.iter().next().map(|record| dead_letter(&record, reject, SERVICE, &self.names)).unwrap_or_default();
        Ok(letter.header(REBUILT, "the original is no longer kept; this is what classify had of it"))
    }
}

/// The shipped model. Should its file in the program be damaged, the rules label, and their name says so at every label.
fn shipped() -> Box<dyn Classifier> {
    match Trained::shipped() {
        Ok(trained) => Box::new(trained),
        Err(error) => {
            tracing::error!(%error, "the shipped model can't be read, rules label instead");
            Box::new(TextRules)
        }
    }
}

/// The classifier of the settings: a model of one's own, else the shipped one.
///
/// # Errors
/// The model file can't be read.
pub fn configured(settings: &Settings) -> anyhow::Result<Box<dyn Classifier>> {
    let path = &settings.classify.model;
    if path.as_os_str().is_empty() {
        return Ok(shipped());
    }
    let bytes = std::fs::read(path).with_context(|| format!("classify.model = {}", path.display()))?;
    let model = groundswell_text::model::read(&bytes).with_context(|| format!("classify.model = {}", path.display()))?;
    Ok(Box::new(Trained::new(model)))
}

/// Bounds and windows of the settings.
#[must_use]
pub fn rules(settings: &Settings) -> Rules {
    let s = &settings.classify;
    let bounds = Bounds { apis: s.undeclared_apis, versions: s.undeclared_versions, operations: s.operations_per_version };
    Rules { bounds, look_back_days: s.look_back_days, dedupe_minutes: s.dedupe_minutes }
}

impl Stage for ClassifyStage {
    fn assigned(&mut self, part: Part, member: &mut dyn Member) -> Result<Option<Offset>, StageError> {
        let mut partition = Partition::new(part.partition, &self.rules, self.dedupe_entries / (self.partitions.len() + 1));
        let (mut mark, mut failed) = (None, None);
        member.restore(part.partition, &mut |key, value| match partition.restore(key, value) {
            Ok(found) => mark = found.or(mark),
            Err(why) => failed = Some(why),
        })?;
        if let Some(why) = failed {
            return Err(StageError::fatal(
                format!("state of partition {}", part.partition),
                format!("{why}: rebuild from the source topics"),
            ));
        }
        if let (Some(mark), Some(to)) = (mark, member.committed(part)?) {
            partition.window().resume(mark);
            replay(&mut partition, part, mark.offset, to, member)?;
        }
        tracing::info!(
            partition = part.partition,
            consumers = partition.consumers(),
            feedback = partition.feedback(),
            usage = partition.window().len(),
            "state restored"
        );
        self.partitions.insert(part.partition, partition);
        self.share_window();
        Ok(None)
    }

    fn revoked(&mut self, part: Part) {
        self.partitions.remove(&part.partition);
        self.helper.iter_mut().for_each(|helper| helper.revoked(part.partition));
        self.share_window();
    }

    fn refresh(&mut self) -> Result<(), StageError> {
        let Self { reader, catalogue, classifier, lessons, limits, .. } = self;
        reader.catch_up(&mut |record| {
            let headers: Vec<_> = record.headers.iter().collect();
            let incoming = Incoming { content_type: None, headers: &headers, body: record.value };
            match read_event(&incoming, record.timestamp, limits) {
                Some(CatalogueEvent::Release(release, time)) => catalogue.apply(&release, time),
                // The index puts it over the insight that it is about; here it is for what comes after.
                Some(CatalogueEvent::Correction(correction, time)) => lessons.take(*correction, time, classifier.as_mut()),
                // Identities are ingest's: events have their consumer when they come here. Themes are the index's.
                Some(CatalogueEvent::Identity(_) | CatalogueEvent::Theme(..)) | None => {}
            }
        })?;
        Ok(())
    }

    fn process(&mut self, batch: &Batch, step: &mut Step) -> Result<Fates, StageError> {
        let mut fates = Fates::default();
        let (mut frames, mut events) = (0, 0);
        let mut rejected = Vec::new();
        let Self { catalogue, classifier, partitions, rules, helper, .. } = self;
        let tables = Tables { catalogue, classifier: classifier.as_ref(), rules };
        let mut work = Work::new(self.insights);
        if let Some(helper) = helper.as_mut() {
            helper.answered(&mut work.output).map_err(|e| StageError::fatal("classify: answers of the language model", e.to_string()))?;
            work.heard = Some(Vec::new());
        }
        for record in batch.iter() {
            frames += 1;
            let partition = partitions
                .get_mut(&record.part.partition)
                .ok_or_else(|| StageError::fatal(place(&record), "a record of a partition that was not assigned: this is a bug"))?;
            partition.window().frame(record.offset);
            for event in frame::read::<Event<'_>>(record.value.unwrap_or_default()) {
                let event = event.map_err(|e| StageError::fatal(place(&record), e.to_string()))?;
                events += 1;
                let outcome = partition.event(&event, &tables, &mut work).map_err(|e| StageError::fatal(place(&record), e.to_string()))?;
                fates.count(&outcome);
                if let Outcome::Reject(reject) = outcome {
                    rejected.push((event, reject));
                }
            }
        }
        if fates.total() != events {
            return Err(StageError::fatal("classify: accounting", format!("{events} events, {} fates: this is a bug", fates.total())));
        }
        if let (Some(helper), Some(heard)) = (helper.as_mut(), work.heard.take()) {
            helper.heard(heard);
        }
        step.records.extend(
            work.forward.drain(..).map(|(consumer, frame)| NewRecord::on(Topic::Events, partition_of(&consumer, self.events), frame)),
        );
        finish(partitions, batch, work, step)?;
        for (event, reject) in &rejected {
            step.records.push(self.letter(event, reject)?);
        }
        self.fates = fates;
        // The loop accounts for records read, and those are frames: each was carried on whole.
        Ok(Fates { emitted: frames, ..Fates::default() })
    }

    fn committed(&mut self, _batch: &Batch, _frames: &Fates) {
        self.helper.iter_mut().for_each(Helper::committed);
        let add = |fate: &'static str, reason: &'static str, n: u64| {
            metrics::counter!("groundswell_events_total", "service" => SERVICE, "fate" => fate, "reason" => reason).increment(n)
        };
        add("emitted", "", self.fates.emitted);
        self.fates.skipped.iter().for_each(|(skip, n)| add("skipped", skip.name(), *n));
        self.fates.rejected.iter().for_each(|(reason, n)| add("rejected", reason.name(), *n));
        let (mut held, mut early, mut consumers, mut waiting) = (0usize, 0u64, 0usize, 0usize);
        for partition in self.partitions.values_mut() {
            waiting += partition.waiting();
            consumers += partition.consumers();
            held += partition.window().len();
            early += partition.window().take_evicted_early();
        }
        metrics::counter!("groundswell_dedupe_evicted_early_total").increment(early);
        metrics::gauge!("groundswell_dedupe_entries").set(f64::from(u32::try_from(held).unwrap_or(u32::MAX)));
        metrics::gauge!("groundswell_classifier_lessons").set(f64::from(u32::try_from(self.lessons.len()).unwrap_or(u32::MAX)));
        metrics::gauge!("groundswell_feedback_waiting").set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
        metrics::gauge!("groundswell_journal_consumers").set(f64::from(u32::try_from(consumers).unwrap_or(u32::MAX)));
    }
}

/// Writes what a batch gave into the step: insights in the order of events, then usage and milestones in theirs.
fn finish(partitions: &mut HashMap<u32, Partition>, batch: &Batch, mut work: Work<'_>, step: &mut Step) -> Result<(), StageError> {
    let bad = |e: frame::BadItem| StageError::fatal("classify: writing", e.to_string());
    for part in batch.positions().keys() {
        if let Some(partition) = partitions.get_mut(&part.partition) {
            partition.finish(&mut work).map_err(bad)?;
        }
    }
    let Work { fold, mut output, state, rungs, moved, .. } = work;
    metrics::counter!("groundswell_insights_moved_total").increment(moved);
    for (rung, n) in rungs {
        metrics::counter!("groundswell_attribution_total", "rung" => rung.name()).increment(n);
    }
    let journals = state.iter().filter(|w| state::is_journal(&w.key)).filter_map(|w| u32::try_from(w.value.as_ref()?.len()).ok());
    let bytes = metrics::histogram!("groundswell_journal_bytes");
    journals.for_each(|size| bytes.record(f64::from(size)));
    metrics::counter!("groundswell_usage_deltas_total").increment(fold.len() as u64);
    fold.drain(|delta| output.push(&groundswell_model::Op::Usage(delta))).map_err(bad)?;
    step.records.extend(output.finish());
    step.state.extend(state);
    Ok(())
}

/// Meets again the usage events of the window, as they were met before.
fn replay(partition: &mut Partition, part: Part, from: Offset, to: Offset, member: &mut dyn Member) -> Result<(), StageError> {
    let mut failed = None;
    member.replay(part, from, to, &mut |record| {
        partition.window().frame(record.offset);
        for event in frame::read::<Event<'_>>(record.value.unwrap_or_default()) {
            match event {
                Ok(Event::Usage(usage)) => drop(partition.window().meet(usage.head.identity, usage.head.content, usage.head.received)),
                Ok(Event::Feedback(_) | Event::Known(_) | Event::Again(_)) => {}
                Err(why) => failed = Some(StageError::fatal(place(&record), why.to_string())),
            }
        }
    })?;
    partition.window().take_evicted_early();
    failed.map_or(Ok(()), Err)
}

fn place(record: &Record<'_>) -> String {
    format!("{:?}, partition {}, offset {}", record.part.topic, record.part.partition, record.offset.0)
}
