//! Opening the transport that the settings name.

use std::sync::Arc;

use groundswell_bus::{Bus, BusError, EmbeddedBus, KafkaBus, Stop};

use crate::Settings;
use crate::settings::Transport;

/// Folder of the embedded log in the data folder.
const FOLDER: &str = "bus";

/// Opens the transport. Topics are not looked at yet: [`Bus::ensure_topics`] does that.
///
/// # Errors
/// The embedded log is in use by another process or damaged, or Kafka's settings are refused.
pub fn open_bus(settings: &Settings, stop: Stop) -> Result<Arc<dyn Bus>, BusError> {
    Ok(match settings.transport {
        Transport::Embedded => Arc::new(EmbeddedBus::open(&settings.data.join(FOLDER), &settings.embedded, &settings.topics, stop)?),
        Transport::Kafka => Arc::new(KafkaBus::new(settings.kafka.clone(), settings.topics.clone(), &settings.instance, stop)?),
    })
}
