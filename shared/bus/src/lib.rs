//! Topics, partitions, consumer groups and one atomic step: *records read up to here, records
//! written, state written*. Two transports give the same contract: Kafka, and an embedded store
//! for use in one process. Nothing outside this crate names rdkafka or redb's log.

mod batch;
pub mod clock;
mod contract;
pub mod crash;
pub mod dead_letter;
mod embedded;
mod kafka;
mod patience;
pub mod service;
mod settings;
mod stop;
mod topic;

pub use batch::{Batch, Headers, NewRecord, Record};
pub use contract::{Bounds, Budget, Bus, BusError, Group, Member, Polled, Publisher, Reader, StateWrite, Step};
pub use embedded::EmbeddedBus;
pub use kafka::KafkaBus;
pub use service::{Stage, StageError};
pub use settings::{EmbeddedSettings, KafkaSettings, TopicSettings};
pub use stop::Stop;
pub use topic::{Offset, Part, Topic, TopicNames};
