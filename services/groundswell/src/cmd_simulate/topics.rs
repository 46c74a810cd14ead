//! Publishing simulated events to the source topics, as a publisher on Kafka would.

use std::time::Duration;

use groundswell_bus::{NewRecord, Publisher, Stop};
use groundswell_contract::{Incoming, Limits, decode};
use groundswell_ingest::source;
use groundswell_runtime::open_bus;

use crate::cli::Global;
use crate::failure::Failure;

const STRUCTURED: &str = "application/cloudevents+json";
/// Records of one call to the publisher.
const BATCH: usize = 5_000;
const PATIENCE: Duration = Duration::from_secs(120);

/// Gathers events and publishes them by their keys.
pub(super) struct ToTopics {
    publisher: Box<dyn Publisher>,
    limits: Limits,
    waiting: Vec<NewRecord>,
}

impl ToTopics {
    pub(super) fn open(global: &Global) -> Result<Self, Failure> {
        let settings = global.config.load()?;
        let bus = open_bus(&settings, Stop::default())?;
        bus.ensure_topics()?;
        Ok(Self { publisher: bus.publisher()?, limits: settings.limits.contract(), waiting: Vec::new() })
    }

    pub(super) fn add(&mut self, event: &[u8]) -> Result<(), Failure> {
        let incoming = Incoming { content_type: Some(STRUCTURED), headers: &[], body: Some(event) };
        let decoded =
            decode(&incoming, &self.limits).map_err(|reject| Failure::failed(format!("a simulated event is refused: {reject}")))?;
        let key = source::key_of(&decoded);
        let record = NewRecord::keyed(source::topic_of(decoded.ty()), key, event.to_vec());
        self.waiting.push(record.header("content-type", STRUCTURED));
        if self.waiting.len() >= BATCH { self.publish() } else { Ok(()) }
    }

    pub(super) fn publish(&mut self) -> Result<(), Failure> {
        Ok(self.publisher.publish(std::mem::take(&mut self.waiting), PATIENCE)?)
    }
}
