//! The Kafka transport.

use std::collections::BTreeMap;

use crate::{Bounds, Bus, BusError, Group, KafkaSettings, Member, Offset, Part, Publisher, Reader, Stop, Topic, TopicSettings};

/// Apache Kafka as the transport.
pub struct KafkaBus {
    settings: KafkaSettings,
    topics: TopicSettings,
    instance: String,
    stop: Stop,
}

impl KafkaBus {
    /// A transport for one process; `instance` is its stable name among its likes.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn new(settings: KafkaSettings, topics: TopicSettings, instance: &str, stop: Stop) -> Result<Self, BusError> {
        Ok(Self { settings, topics, instance: instance.to_owned(), stop })
    }
    fn no<T>(&self) -> Result<T, BusError> {
        Err(BusError::Fatal { what: format!("kafka {} {} {} {}", self.settings.bootstrap, self.topics.partitions, self.instance, self.stop.is_set()), why: "being written".into() })
    }
}

impl Bus for KafkaBus {
    fn ensure_topics(&self) -> Result<(), BusError> { self.no() }
    fn partitions(&self, _: Topic) -> Result<u32, BusError> { self.no() }
    fn publisher(&self) -> Result<Box<dyn Publisher>, BusError> { self.no() }
    fn member(&self, _: Group) -> Result<Box<dyn Member>, BusError> { self.no() }
    fn reader(&self, _: Topic) -> Result<Box<dyn Reader>, BusError> { self.no() }
    fn read_at(&self, _: Part, _: Offset) -> Result<Option<crate::Batch>, BusError> { self.no() }
    fn bounds(&self, _: Topic) -> Result<Vec<Bounds>, BusError> { self.no() }
    fn committed(&self, _: Group, _: Topic) -> Result<BTreeMap<Part, Offset>, BusError> { self.no() }
}
