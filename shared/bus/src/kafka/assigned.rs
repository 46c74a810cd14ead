//! What the group gives a member, as the client's rebalance callback reports it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

use super::client::{self, Quiet};
use super::topics::Topics;
use crate::Part;

/// What the group gave this member; changed by the rebalance callback, which runs inside a poll.
pub(super) struct Assigned {
    pub(super) topics: Arc<Topics>,
    pub(super) parts: Mutex<Parts>,
}

#[derive(Default)]
pub(super) struct Parts {
    /// Raised whenever partitions come or go.
    pub(super) epoch: u64,
    pub(super) owned: BTreeMap<Part, u64>,
}

impl Assigned {
    pub(super) fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn part(&self, name: &str, partition: i32) -> Option<Part> {
        Some(Part { topic: self.topics.of(name)?, partition: client::partition(partition) })
    }
}

impl ClientContext for Assigned {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ConsumerContext for Assigned {
    /// Takes note, and answers the group without reading anything yet: that begins with [`Member::start`].
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let mut parts = self.parts();
        parts.epoch += 1;
        parts.owned.clear();
        let answered = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let epoch = parts.epoch;
            parts.owned.extend(list.elements().iter().filter_map(|e| Some((self.part(e.topic(), e.partition())?, epoch))));
            consumer.assign(&TopicPartitionList::new())
        } else {
            consumer.unassign()
        };
        if let Err(error) = answered {
            tracing::warn!(error = %error, "answering a rebalance failed");
        }
    }
}
