//! Writing events to the source topics that the configuration names, as publishers do.

use std::sync::Arc;
use std::time::Duration;

use groundswell_bus::{Bus, NewRecord, Publisher, Stop};
use groundswell_contract::cloudevent::STRUCTURED;
use groundswell_contract::{Incoming, Limits, decode};
use groundswell_ingest::source;
use groundswell_runtime::{Settings, open_bus, prepare_data};

use crate::cmd_dlq::reached;
use crate::failure::Failure;

/// Records published at once.
const BATCH: usize = 2_000;
/// Bytes published at once, about.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
const PUBLISH_TIME: Duration = Duration::from_secs(30);

/// The source topics, with what is on its way there.
pub struct Topics {
    publisher: Box<dyn Publisher>,
    /// Kept open for as long as something is published.
    _bus: Arc<dyn Bus>,
    limits: Limits,
    waiting: Vec<NewRecord>,
    bytes: usize,
}

impl Topics {
    /// Opens the transport; makes topics that are missing where the configuration lets it.
    pub fn open(settings: &Settings) -> Result<Self, Failure> {
        prepare_data(&settings.data)?;
        let stop = Stop::default();
        let bus = open_bus(settings, stop.clone())?;
        reached(bus.as_ref(), &stop, || bus.ensure_topics())?;
        let publisher = bus.publisher()?;
        Ok(Self { publisher, _bus: bus, limits: settings.limits.contract(), waiting: Vec::new(), bytes: 0 })
    }

    /// Puts one event on its topic, under the key that every publisher should give it.
    pub fn event(&mut self, json: &[u8]) -> Result<(), Failure> {
        let incoming = Incoming { content_type: Some(STRUCTURED), headers: &[], body: Some(json) };
        let event = decode(&incoming, &self.limits).map_err(|reject| Failure::failed(format!("a simulated event is none: {reject:?}")))?;
        self.waiting.push(source::record_of(json.to_vec(), &event));
        self.bytes += json.len();
        if self.waiting.len() >= BATCH || self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Waits until everything is durable.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.bytes = 0;
        if self.waiting.is_empty() {
            return Ok(());
        }
        Ok(self.publisher.publish(std::mem::take(&mut self.waiting), PUBLISH_TIME)?)
    }
}
