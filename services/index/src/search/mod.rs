//! The search index: one tantivy index per API version, and what is asked of it.
//!
//! [`SearchStore`] belongs to the thread that reads a partition of the insights topic: it puts insights
//! and commits them together with the next offset to read. [`Readers`] hand unchanging [`Snapshot`]s to
//! every other thread. [`search()`] asks several version indexes as if they were one, and
//! [`feedback::feedback_stats`] counts the feedback on one version for its summary.
//!
//! An insight lives in the index of each version that it counts for, with its weight, and is found
//! once. Nothing here reads a topic, and only `version.rs` commits.

mod about;
mod corrected;
#[cfg(test)]
mod corrected_tests;
mod count;
mod cursor;
mod directory;
mod error;
mod export;
pub mod feedback;
mod groups;
mod highlight;
mod hits;
mod like;
mod lower;
mod manifest;
mod matched;
mod names;
mod pack;
mod parcel;
mod quotes;
mod ruled;
mod run;
mod said;
mod schema;
mod snapshot;
mod store;
mod syntax;
pub mod types;
mod version;
mod waiting;
mod words;

pub use about::{About, Place, each_about, quoted};
pub use corrected::{Machine, Stored};
pub use error::SearchError;
pub use feedback::{Counting, FeedbackStats, feedback_stats};
pub use groups::{Group, Groups, Member, grouped};
pub use matched::{Wanted, check_search};
#[cfg(feature = "fuzzing")]
pub use pack::fuzz as fuzz_pack;
pub(crate) use quotes::quote_of;
pub use quotes::{Quote, telling_sentence};
pub use ruled::{RulesByApi, check_query, taken_by};
pub use run::{search, search_under};
pub(crate) use said::each_told;
pub use said::{Said, each_said, each_speaker, newest_of, time_span};
pub use schema::Subject;
pub use snapshot::{Readers, Snapshot, VersionView};
pub(crate) use store::at_work;
pub use store::{CommitReport, SearchStore};
pub use types::{
    FacetCount, Fragment, Highlight, HistogramBucket, Hit, HitCorrection, HitLabel, HitLabels, HitSurvey, HitVersion, Interval,
    SearchRequest, SearchResponse, Sort,
};
