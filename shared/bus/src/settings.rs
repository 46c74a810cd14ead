//! Configuration of the transports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::TopicNames;

/// Topics: names and, where we create them, shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicSettings {
    /// Names.
    pub names: TopicNames,
    /// Partitions of a topic that we create (the catalogue has one).
    pub partitions: u32,
    /// Hours for which created source topics and `events` keep their records; 0 keeps them for ever. The
    /// catalogue, insights, the journal and dead letters are always kept.
    pub retention_hours: u64,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self { names: TopicNames::default(), partitions: 4, retention_hours: 0 }
    }
}

/// Apache Kafka, or a broker that speaks its protocol with transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSettings {
    /// `bootstrap.servers`.
    pub bootstrap: String,
    /// Any further librdkafka property for every client: TLS, SASL, time-outs.
    pub properties: BTreeMap<String, String>,
    /// Whether to create topics that are missing.
    pub create_topics: bool,
    /// Replication factor of created topics; 0 takes the broker's default.
    pub replication: u16,
    /// Begins every consumer group and transactional id.
    pub prefix: String,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self { bootstrap: String::new(), properties: BTreeMap::new(), create_topics: true, replication: 0, prefix: "groundswell".into() }
    }
}

/// The embedded log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedSettings {
    /// Memory for its page cache, in MiB.
    pub cache_mib: usize,
    /// How long a write waits for others to share its fsync, in milliseconds.
    pub linger_ms: u64,
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        Self { cache_mib: 32, linger_ms: 5 }
    }
}
