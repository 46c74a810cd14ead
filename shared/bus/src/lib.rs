//! Topics, partitions, consumer groups and one atomic step: *records read up to here, records
//! written, state written*. Two transports give the same contract: Kafka ([`KafkaBus`]), and an
//! embedded store for use in one process ([`EmbeddedBus`]). Nothing outside this crate names
//! rdkafka or redb's log.
//!
//! One record's way: a [`Publisher`] writes it and waits until it is durable. A [`Member`] of a
//! group polls it in a [`Batch`], a [`Stage`] works on the batch and fills a [`Step`], and the
//! commit makes everything in that step happen together or not at all. [`service::run`] is the
//! loop around this. A [`Reader`] reads a whole topic beside the groups, for tables and tails.
//!
//! Invariants, held by `tests/suite.rs` on both transports:
//! - Between poll and commit nothing is in flight: no channel, no second batch read ahead by us.
//! - A step of a member that lost a partition, or whose place another process took, never happens.
//! - What is published is acknowledged only when it is durable; what a step writes is seen only when it is committed.
//! - A broker that is away and a disk that is full are waited for, and nothing is skipped for them.

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
pub use contract::{Bounds, Budget, Bus, BusError, Group, Member, Polled, Publisher, Reader, Remark, StateWrite, Step};
pub use embedded::EmbeddedBus;
#[cfg(feature = "fuzzing")]
pub use embedded::fuzz_block;
pub use kafka::KafkaBus;
pub use service::{Stage, StageError};
pub use settings::{EmbeddedSettings, KafkaSettings, TopicSettings};
pub use stop::Stop;
pub use topic::{Offset, Part, Topic, TopicNames};
