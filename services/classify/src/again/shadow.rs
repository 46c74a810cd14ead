//! `events` replayed through the same partitions as live, beside them: only what becomes of feedback is kept.

use groundswell_bus::{Bus, Record, Topic};
use groundswell_catalogue::Catalogue;
use groundswell_model::insight::flag;
use groundswell_model::{Event, Insight, Labels, Op, Rung, VersionWeight, frame};
use groundswell_runtime::Settings;
use groundswell_text::classify::{Classifier, Text};
use hashbrown::HashMap;

use super::held::{Holdings, place_of};
use super::pace::Pace;
use crate::core::{Partition, Tables, Work};

/// Where a piece of feedback counts by today's word.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attributed {
    pub(super) api: String,
    versions: Vec<(String, f32)>,
    rung: Rung,
    confidence: f32,
    evidence: Vec<String>,
    deciding: Vec<String>,
    contradicted: bool,
    operation: Option<String>,
}

/// What would move.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    pub(super) changed: HashMap<u128, Attributed>,
    /// The partition that feedback was sent on to, when its requester was known: its word is the last.
    sent_on: HashMap<u128, u32>,
}

/// Labels nothing: labels are not asked for.
struct Mute;

impl Classifier for Mute {
    fn classify(&self, _: &Text<'_>) -> Labels {
        Labels::default()
    }

    fn name(&self) -> &'static str {
        "mute"
    }
}

/// Replays everything that `events` keeps.
pub(super) fn replay(
    bus: &dyn Bus,
    settings: &Settings,
    catalogue: &Catalogue,
    held: &mut Holdings,
    pace: &Pace,
) -> anyhow::Result<Shadow> {
    let rules = crate::stage::rules(settings);
    let tables = Tables { catalogue, classifier: &Mute, rules: &rules };
    let entries = settings.classify.dedupe_entries / usize::try_from(bus.partitions(Topic::Events)?).unwrap_or(1).max(1);
    let mut partitions: HashMap<u32, Partition> = HashMap::new();
    let mut shadow = Shadow::default();
    let mut failed = None;
    bus.reader(Topic::Events)?.catch_up(&mut |record| {
        if failed.is_none() {
            let number = record.part.partition;
            let partition = partitions.entry(number).or_insert_with(|| Partition::new(number, &rules, entries));
            let worked = pace.record().and_then(|()| shadow.frame(partition, &record, &tables, held));
            failed = worked.err();
        }
    })?;
    failed.map_or(Ok(shadow), Err)
}

impl Shadow {
    fn frame<'a>(
        &mut self,
        partition: &mut Partition,
        record: &Record<'a>,
        tables: &Tables<'a>,
        held: &mut Holdings,
    ) -> anyhow::Result<()> {
        let place = || format!("events partition {} offset {}", record.part.partition, record.offset.0);
        let mut work = Work::new(1);
        partition.window().frame(record.offset);
        for event in frame::read::<Event<'_>>(record.value.unwrap_or_default()) {
            let event = event.map_err(|e| anyhow::anyhow!("{}: {e}", place()))?;
            match &event {
                // What an earlier look decided is decided anew.
                Event::Again(_) => continue,
                Event::Feedback(feedback) if feedback.was.is_some() => {
                    self.sent_on.insert(feedback.head.identity.0, record.part.partition);
                }
                Event::Usage(_) | Event::Feedback(_) | Event::Known(_) => {}
            }
            drop(partition.event(&event, tables, &mut work).map_err(|e| anyhow::anyhow!("{}: {e}", place()))?);
        }
        partition.finish(&mut work).map_err(|e| anyhow::anyhow!("{}: {e}", place()))?;
        for written in work.output.finish() {
            for op in frame::read::<Op<'_>>(written.value.as_deref().unwrap_or_default()) {
                if let Op::Upsert(insight) = op.map_err(|e| anyhow::anyhow!("{}: {e}", place()))? {
                    self.said(&insight, record.part.partition, held);
                }
            }
        }
        Ok(())
    }

    fn said(&mut self, insight: &Insight<'_>, partition: u32, held: &mut Holdings) {
        let identity = insight.identity.0;
        if self.sent_on.get(&identity).is_some_and(|there| *there != partition) {
            return;
        }
        // What is not held yet is worked on live just now.
        let Some(held) = held.get_mut(identity) else { return };
        held.seen = true;
        if held.place == place_of(insight) {
            self.changed.remove(&identity);
        } else {
            self.changed.insert(identity, Attributed::of(insight));
        }
    }
}

impl Attributed {
    fn of(insight: &Insight<'_>) -> Self {
        Self {
            api: insight.api.to_owned(),
            versions: insight.versions.iter().map(|v| (v.version.to_owned(), v.weight)).collect(),
            rung: insight.rung,
            confidence: insight.confidence,
            evidence: insight.evidence.clone(),
            deciding: insight.deciding.clone(),
            contradicted: insight.flags.contains(&flag::CONTRADICTED),
            operation: insight.operation.map(str::to_owned),
        }
    }

    /// The insight, counting where today's word says.
    pub(super) fn over<'a>(&'a self, held: &Insight<'a>) -> Insight<'a> {
        let mut flags: Vec<&str> = held.flags.iter().copied().filter(|f| !matches!(*f, flag::MOVED | flag::CONTRADICTED)).collect();
        flags.extend(self.contradicted.then_some(flag::CONTRADICTED));
        flags.push(flag::MOVED);
        Insight {
            api: &self.api,
            versions: self.versions.iter().map(|(version, weight)| VersionWeight { version, weight: *weight }).collect(),
            rung: self.rung,
            confidence: self.confidence,
            evidence: self.evidence.clone(),
            deciding: self.deciding.clone(),
            flags,
            operation: self.operation.as_deref(),
            ..held.clone()
        }
    }

    pub(super) fn place(&self) -> String {
        let versions: Vec<(&str, f32)> = self.versions.iter().map(|(version, weight)| (version.as_str(), *weight)).collect();
        words(&self.api, &versions, self.rung)
    }
}

/// API, versions and rung in a few words: `payments v2 (path)`. Shares are told without their size, so that they add up in a report.
pub(super) fn words(api: &str, versions: &[(&str, f32)], rung: Rung) -> String {
    let mut names: Vec<&str> = versions.iter().map(|(version, _)| *version).collect();
    names.sort_unstable();
    format!("{api} {} ({})", names.join("+"), rung.name())
}
