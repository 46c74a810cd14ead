//! What people decide, on its way to the topic that every service reads.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use groundswell_bus::{Bus, BusError, NewRecord, Publisher, Topic};
use groundswell_contract::cloudevent::STRUCTURED;
use groundswell_contract::{Data, Incoming, Limits, decode, validate};
use groundswell_model::{Reject, Timestamp};

/// How long a request waits for its decision to be durable.
const PUBLISH_TIME: Duration = Duration::from_secs(30);

/// Publishes decisions to the catalogue topic. Cheap to clone.
#[derive(Clone)]
pub struct Voice {
    bus: Arc<dyn Bus>,
    limits: Limits,
    publisher: Arc<OnceLock<Box<dyn Publisher>>>,
}

impl Voice {
    /// A voice on this bus; it connects with the first decision.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, limits: Limits) -> Self {
        Self { bus, limits, publisher: Arc::default() }
    }

    /// The payload and time of an event in structured mode, checked by the same code as every event of the topic.
    ///
    /// # Errors
    /// It would be rejected there.
    pub fn checked(&self, event: &[u8], now: Timestamp) -> Result<(Data, Timestamp), Reject> {
        let headers: [(&str, &[u8]); 1] = [("content-type", STRUCTURED.as_bytes())];
        let incoming = Incoming { content_type: None, headers: &headers, body: Some(event) };
        let decoded = decode(&incoming, &self.limits)?;
        validate(&decoded, now, &self.limits)?;
        Ok((decoded.data, decoded.time.unwrap_or(now)))
    }

    /// Publishes an event in structured mode and waits until it is durable.
    ///
    /// # Errors
    /// It is not: the same event may be said again.
    pub fn say(&self, key: String, event: Vec<u8>) -> Result<(), BusError> {
        let publisher = match self.publisher.get() {
            Some(publisher) => publisher,
            None => {
                let publisher = self.bus.publisher()?;
                self.publisher.get_or_init(|| publisher)
            }
        };
        let record = NewRecord::keyed(Topic::Catalogue, key, event).header("content-type", STRUCTURED);
        publisher.publish(vec![record], PUBLISH_TIME)
    }
}
