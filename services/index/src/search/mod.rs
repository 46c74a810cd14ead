//! The search index: one tantivy index per API version, and what is asked of it.

pub mod types;

pub use types::{FacetCount, Fragment, Highlight, HistogramBucket, Hit, HitLabel, HitLabels, HitSurvey, HitVersion, Interval, SearchRequest, SearchResponse, Sort};
