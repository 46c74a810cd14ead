//! One batch of source records, in one atomic step: every record gets exactly one fate.

use groundswell_bus::dead_letter::dead_letter;
use groundswell_bus::{Batch, Bus, BusError, Member, Offset, Part, Record, Stage, StageError, Step, Topic, TopicNames};
use groundswell_contract::{Decoded, Incoming, Limits, content_hash, decode, validate};
use groundswell_model::{ContentHash, EventHead, Fates, Origin, Outcome, Reject, RejectReason, Skip, Timestamp};
use groundswell_runtime::{Settings, clock, pseudonym_key};

use crate::door::Door;
use crate::frames::Frames;
use crate::people::People;
use crate::source;

/// The name of this service in dead letters.
pub const SERVICE: &str = "ingest";

/// The work of this service between reading and committing.
pub struct IngestStage {
    people: People,
    door: Door,
    frames: Frames,
    limits: Limits,
    names: TopicNames,
    clock: fn() -> Timestamp,
    scratch: Vec<u8>,
}

impl IngestStage {
    /// A stage that has read nothing yet.
    ///
    /// # Errors
    /// A topic is missing, or the pseudonym key can't be read.
    pub fn new(bus: &dyn Bus, settings: &Settings) -> anyhow::Result<Self> {
        let secret = pseudonym_key(settings)?;
        Ok(Self::with_key(bus, settings, secret, clock::now)?)
    }

    /// A stage with this pseudonym key and clock.
    ///
    /// # Errors
    /// A topic is missing.
    pub fn with_key(bus: &dyn Bus, settings: &Settings, secret: [u8; 32], clock: fn() -> Timestamp) -> Result<Self, BusError> {
        let limits = settings.limits.contract();
        Ok(Self {
            people: People::new(bus, secret, limits)?,
            door: Door::new(secret, &settings.limits),
            frames: Frames::new(bus.partitions(Topic::Events)?),
            limits,
            names: settings.topics.names.clone(),
            clock,
            scratch: Vec::new(),
        })
    }

    /// The fate of one record; an accepted event is in its frame afterwards.
    fn fate(&mut self, record: &Record<'_>, headers: &[(&str, &[u8])], now: Timestamp) -> Result<Outcome<()>, StageError> {
        let Some(body) = record.value else {
            return Ok(Outcome::Skip(Skip::Tombstone));
        };
        match self.accept(record.part, &Incoming { content_type: None, headers, body: Some(body) }, now) {
            Err(reject) => Ok(Outcome::Reject(reject)),
            Ok(event) if record.part.topic == Topic::Catalogue => {
                // It is read from its topic; what becomes of it here are notices about people.
                drop(self.emit(record, &event)?);
                Ok(Outcome::Skip(Skip::Catalogue))
            }
            Ok(event) => self.emit(record, &event),
        }
    }

    fn accept(&self, part: Part, incoming: &Incoming<'_>, now: Timestamp) -> Result<Decoded, Reject> {
        let event = decode(incoming, &self.limits)?;
        let topic = source::topic_of(event.ty());
        if topic != part.topic {
            let detail = format!("`{}` belongs on {}: publish it there", event.ty().name(), self.names.of(topic));
            return Err(RejectReason::WrongTopic.because(detail));
        }
        validate(&event, now, &self.limits)?;
        Ok(event)
    }

    fn emit(&mut self, record: &Record<'_>, event: &Decoded) -> Result<Outcome<()>, StageError> {
        let origin = Origin { topic: record.part.topic.number(), partition: record.part.partition, offset: record.offset.0 };
        let head = head_of(event, content_hash(event, &mut self.scratch), record.timestamp, origin);
        let pushed = self.door.pass(event, head, self.people.identities(), &mut self.frames);
        pushed.map_err(|e| StageError::fatal(format!("pack the event at {}", place(record)), e.to_string()))?;
        Ok(Outcome::Emit(()))
    }
}

/// What every event has; its consumer is found at the door.
#[must_use]
pub fn head_of(event: &Decoded, content: ContentHash, received: Timestamp, origin: Origin) -> EventHead<'_> {
    EventHead {
        identity: event.identity(),
        content,
        source: &event.source,
        id: &event.id,
        time: event.time.unwrap_or(received),
        received,
        origin,
        consumer: "",
    }
}

fn place(record: &Record<'_>) -> String {
    format!("{:?}/{} offset {}", record.part.topic, record.part.partition, record.offset.0)
}

impl Stage for IngestStage {
    fn assigned(&mut self, _part: Part, _member: &mut dyn Member) -> Result<Option<Offset>, StageError> {
        Ok(None)
    }

    fn revoked(&mut self, _part: Part) {}

    fn refresh(&mut self) -> Result<(), StageError> {
        Ok(self.people.catch_up()?)
    }

    fn process(&mut self, batch: &Batch, step: &mut Step) -> Result<Fates, StageError> {
        self.frames.clear();
        let now = (self.clock)();
        let mut fates = Fates::default();
        let mut headers = Vec::new();
        for record in batch.iter() {
            headers.clear();
            headers.extend(record.headers.iter());
            let outcome = self.fate(&record, &headers, now)?;
            if let Outcome::Reject(reject) = &outcome {
                tracing::debug!(reason = reject.reason.name(), detail = reject.detail, place = place(&record), "dead letter");
                step.records.push(dead_letter(&record, reject, SERVICE, &self.names));
            }
            fates.count(&outcome);
        }
        self.frames.finish(step);
        Ok(fates)
    }

    fn committed(&mut self, batch: &Batch, fates: &Fates) {
        let refused: u64 = fates.rejected.values().sum();
        if refused > 0 {
            let reasons: Vec<String> = fates.rejected.iter().map(|(reason, n)| format!("{} {n}", reason.name())).collect();
            tracing::warn!(
                records = batch.len(),
                refused,
                reasons = reasons.join(", "),
                "records went to dead letters; see `groundswell dlq list`"
            );
        }
    }
}
