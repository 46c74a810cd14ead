//! The search index: one tantivy index per API version, and what is asked of it.
//!
//! [`SearchStore`] belongs to the thread that reads a partition of the insights topic: it puts insights
//! and commits them together with the next offset to read. [`Readers`] hand unchanging [`Snapshot`]s to
//! every other thread. [`search()`] asks several version indexes as if they were one, and
//! [`feedback::feedback_stats`] counts the feedback on one version for its summary.
//!
//! An insight lives in the index of each version that it counts for, with its weight, and is found
//! once. Nothing here reads a topic, and only `version.rs` commits.

mod count;
mod cursor;
mod directory;
mod error;
pub mod feedback;
mod groups;
mod highlight;
mod hits;
mod lower;
mod manifest;
mod matched;
mod names;
mod quotes;
mod run;
mod said;
mod schema;
mod snapshot;
mod store;
mod syntax;
pub mod types;
mod version;
mod words;

pub use error::SearchError;
pub use feedback::{Counting, FeedbackStats, feedback_stats};
pub use groups::{Group, Groups, Member, grouped};
pub use matched::{Wanted, check_query};
pub use quotes::Quote;
pub(crate) use quotes::quote_of;
pub use run::search;
pub(crate) use said::each_told;
pub use said::{Said, each_said, time_span};
pub use snapshot::{Readers, Snapshot, VersionView};
pub use store::{CommitReport, SearchStore};
pub use types::{
    FacetCount, Fragment, Highlight, HistogramBucket, Hit, HitLabel, HitLabels, HitSurvey, HitVersion, Interval, SearchRequest,
    SearchResponse, Sort,
};
