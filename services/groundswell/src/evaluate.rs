//! Attribution against the truth: simulated streams go through the door of ingest and the core of classify, in memory.

mod score;

use std::collections::HashMap;

use groundswell_bus::{Offset, Step};
use groundswell_catalogue::{Catalogue, CatalogueEvent, Identities};
use groundswell_classify::core::{Partition, Rules, Tables, Work};
use groundswell_contract::{Data, Incoming, Limits, content_hash, decode};
use groundswell_ingest::{Door, Frames, head_of};
use groundswell_model::{Event, IdentityHash, Op, Origin, Timestamp, UNKNOWN_VERSION, frame};
use groundswell_runtime::Settings;
use groundswell_simulate::{Simulated, Truth};
use groundswell_text::classify::Rules as TextRules;

pub use score::{Answer, Report};

/// The key of pseudonyms: the people of a simulation are nobody.
const SECRET: [u8; 32] = [7; 32];
/// Events of one batch.
const BATCH: usize = 4_000;

/// What attribution sees of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// The fields that name API and version are taken out of feedback.
    Hidden,
    /// Everything, as it is published.
    Kept,
}

/// Runs a stream, in the order in which it is published, and gives the last answer for each piece of feedback with its truth.
///
/// # Errors
/// An event can't be written or read: a fault of the simulation.
pub fn run(stream: impl IntoIterator<Item = Simulated>, fields: Fields) -> anyhow::Result<Vec<(Answer, Truth)>> {
    let mut world = World::new();
    let mut truths = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    for mut simulated in stream {
        if fields == Fields::Hidden {
            hide(&mut simulated.event.data);
        }
        if matches!(simulated.event.data, Data::Ticket(_) | Data::Survey(_)) {
            truths.insert(IdentityHash::of(simulated.event.source, &simulated.event.id), simulated.truth);
        }
        batch.push((simulated.event.to_json()?, simulated.event.arrives));
        if batch.len() >= BATCH {
            world.batch(&batch)?;
            batch.clear();
        }
    }
    world.batch(&batch)?;
    let mut answers: Vec<_> =
        world.answers.into_iter().filter_map(|(identity, answer)| Some((identity, answer, truths.remove(&identity)?))).collect();
    answers.sort_by_key(|(identity, ..)| *identity);
    Ok(answers.into_iter().map(|(_, answer, truth)| (answer, truth)).collect())
}

fn hide(data: &mut Data) {
    match data {
        Data::Ticket(ticket) => (ticket.api, ticket.api_version) = (None, None),
        Data::Survey(survey) => (survey.api, survey.api_version) = (None, None),
        Data::Usage(_) | Data::Release(_) | Data::Identity(_) | Data::Correction(_) | Data::Theme(_) => {}
    }
}

/// The pipeline up to the index, with one partition.
struct World {
    catalogue: Catalogue,
    identities: Identities,
    door: Door,
    frames: Frames,
    partition: Partition,
    rules: Rules,
    limits: Limits,
    answers: HashMap<IdentityHash, Answer>,
    offset: u64,
}

impl World {
    fn new() -> Self {
        let settings = Settings::default();
        let rules = groundswell_classify::stage::rules(&settings);
        Self {
            catalogue: Catalogue::default(),
            identities: Identities::new(SECRET),
            door: Door::new(SECRET, &settings.limits),
            frames: Frames::new(1),
            partition: Partition::new(0, &rules, settings.classify.dedupe_entries),
            rules,
            limits: settings.limits.contract(),
            answers: HashMap::new(),
            offset: 0,
        }
    }

    fn batch(&mut self, events: &[(Vec<u8>, Timestamp)]) -> anyhow::Result<()> {
        let mut scratch = Vec::new();
        let mut step = Step::default();
        for (body, arrives) in events {
            let incoming = Incoming { content_type: None, headers: &[], body: Some(body) };
            let event = decode(&incoming, &self.limits).map_err(|reject| anyhow::anyhow!("{reject:?}"))?;
            let head = head_of(&event, content_hash(&event, &mut scratch), *arrives, Origin::default());
            match groundswell_catalogue::read_event(&incoming, *arrives, &self.limits) {
                Some(CatalogueEvent::Release(release, time)) => self.catalogue.apply(&release, time),
                Some(CatalogueEvent::Identity(identity)) => self.identities.apply(&identity),
                Some(CatalogueEvent::Correction(..) | CatalogueEvent::Theme(..)) | None => {}
            }
            self.door.pass(&event, head, &self.identities, &mut self.frames).map_err(|e| anyhow::anyhow!(e))?;
        }
        self.frames.finish(&mut step);
        for record in &step.records {
            self.frame(record.value.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let Self { catalogue, partition, rules, answers, offset, .. } = self;
        let tables = Tables { catalogue, classifier: &TextRules, rules };
        let mut work = Work::new(1);
        partition.window().frame(Offset(*offset));
        *offset += 1;
        for event in frame::read::<Event<'_>>(bytes) {
            drop(partition.event(&event?, &tables, &mut work).map_err(|e| anyhow::anyhow!(e))?);
        }
        partition.finish(&mut work).map_err(|e| anyhow::anyhow!(e))?;
        let Work { output, forward, .. } = work;
        for record in output.finish() {
            for op in frame::read::<Op<'_>>(record.value.as_deref().unwrap_or_default()) {
                if let Op::Upsert(insight) = op? {
                    answers.insert(insight.identity, Answer::of(&insight));
                }
            }
        }
        forward.iter().try_for_each(|(_, frame)| self.frame(frame))
    }
}

impl Answer {
    fn of(insight: &groundswell_model::Insight<'_>) -> Self {
        let best = insight.versions.iter().max_by(|a, b| a.weight.total_cmp(&b.weight));
        Self {
            api: insight.api.to_owned(),
            version: best.map_or(UNKNOWN_VERSION, |v| v.version).to_owned(),
            rung: insight.rung,
            confidence: f64::from(insight.confidence),
            contradicted: insight.flags.contains(&groundswell_model::insight::flag::CONTRADICTED),
            moved: insight.flags.contains(&groundswell_model::insight::flag::MOVED),
            evidence: insight.evidence.clone(),
            text: format!("{} {}", insight.title, insight.body),
        }
    }
}
