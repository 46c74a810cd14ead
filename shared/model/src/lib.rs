//! The vocabulary of the pipeline: what travels between the services once a published event has
//! been accepted. Pure types: nothing here does I/O or reads a clock.
//!
//! [`event`] is what ingest writes and classify reads, [`insight`] what classify writes and index
//! reads, both carried in [`frame`]s. [`outcome`] names every fate a record can have.

pub mod event;
pub mod fate;
pub mod frame;
pub mod identity;
pub mod insight;
pub mod latency;
pub mod time;

pub use event::{Again, Event, EventHead, FeedbackEvent, FeedbackKind, Known, Origin, UsageEvent};
pub use fate::{Fates, Outcome, Reject, RejectReason, Skip};
pub use identity::{ConsumerId, ContentHash, IdentityHash, partition_of};
pub use insight::{Insight, Labels, Milestone, MilestoneKind, Op, Removal, Rung, UsageDelta, VersionWeight};
pub use latency::LatencyBuckets;
pub use time::{Day, Hour, Timestamp};

/// The API name under which feedback and usage are kept while nothing tells which API they are about.
pub const UNKNOWN_API: &str = "unknown";
/// The version name under which feedback and usage are kept while nothing tells which version they are about.
pub const UNKNOWN_VERSION: &str = "unknown";
