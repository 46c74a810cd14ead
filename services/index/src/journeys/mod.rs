//! Journeys: how consumers come to an API version, stay, and leave, and which of them are in pain.
//!
//! Nothing of it is stored. [`Journeys::read`] takes one consistent view of the roll-ups and one snapshot of the search
//! index of the API's partition; the rest is reckoning. Words are defined in `docs/journeys.md`. "Now" is the last day
//! with a call of any version of the API: no clock is read.

mod figures;
mod list;
mod pain;
mod read;
mod timeline;
pub mod types;

#[cfg(test)]
mod tests;

pub use figures::figures;
#[cfg(feature = "fuzzing")]
pub use list::fuzz_cursor;
pub use list::{Filter, MOST_ROWS, Order, Question, page};
pub use pain::pain;
pub use read::Journeys;
pub use timeline::Versions;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The usage store can't be read.
    #[error(transparent)]
    Usage(#[from] crate::rollup::RollupError),
    /// The search index can't be read.
    #[error(transparent)]
    Search(#[from] crate::search::SearchError),
    /// The question can't be answered.
    #[error("{0}")]
    Asked(String),
}
