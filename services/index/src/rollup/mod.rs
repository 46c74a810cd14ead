//! What was used: usage and milestones of one insights partition, added up, with the checkpoint they hold.
//!
//! [`RollupStore`] belongs to the index loop: it folds deltas in memory and writes them with the next checkpoint in
//! one transaction, so that a delta is either in with its offset or not at all. [`RollupReader`] hands out consistent
//! views to other threads.
//!
//! Everything kept is a sum, a least or a greatest: late usage and any order of reading give the same store. Three
//! grains of the same cell (hour, day, all time) let an answer read as few rows as it has days or operations, never
//! calls. What is kept by consumer is packed, many consumers in one value.
//!
//! The store never holds a clock, a secret or text beyond the names of APIs, versions, operations, consumers,
//! currencies and value events.

mod cells;
mod days;
mod error;
mod intern;
mod merge;
mod opened;
mod pending;
mod set;
mod store;
mod tables;
mod view;

pub use cells::{ConsumerTotals, MilestoneNote, OperationDay, OperationTotals, Presence, Reach, Traffic, VersionTotals};
pub use days::Days;
pub(crate) use error::Fault;
pub use error::RollupError;
pub use set::ConsumerSet;
pub use store::{RollupReader, RollupStore};
#[cfg(feature = "fuzzing")]
pub use tables::fuzz as fuzz_row;
pub use view::{LabelId, Revenue, RollupView, VersionId};
