//! The embedded transport.

use std::collections::BTreeMap;

use crate::{Bounds, Bus, BusError, Group, EmbeddedSettings, Member, Offset, Part, Publisher, Reader, Stop, Topic, TopicSettings};

/// The embedded log as the transport.
pub struct EmbeddedBus {}

impl EmbeddedBus {
    /// Opens or creates the log in `dir`.
    ///
    /// # Errors
    /// Another process has it open, or it can't be read or written.
    pub fn open(dir: &std::path::Path, _settings: &EmbeddedSettings, _topics: &TopicSettings, _stop: Stop) -> Result<Self, BusError> {
        Err(BusError::Fatal { what: dir.display().to_string(), why: "being written".into() })
    }
    fn no<T>(&self) -> Result<T, BusError> {
        Err(BusError::Fatal { what: String::new(), why: "being written".into() })
    }
}

impl Bus for EmbeddedBus {
    fn ensure_topics(&self) -> Result<(), BusError> { self.no() }
    fn partitions(&self, _: Topic) -> Result<u32, BusError> { self.no() }
    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> { self.no() }
    fn member(&self, _: Group) -> Result<Box<dyn Member>, BusError> { self.no() }
    fn reader(&self, _: Topic) -> Result<Box<dyn Reader>, BusError> { self.no() }
    fn read_at(&self, _: Part, _: Offset) -> Result<Option<crate::Batch>, BusError> { self.no() }
    fn bounds(&self, _: Topic) -> Result<Vec<Bounds>, BusError> { self.no() }
    fn committed(&self, _: Group, _: Topic) -> Result<BTreeMap<Part, Offset>, BusError> { self.no() }
}
