//! Recurring subjects in feedback: which pieces are about the same, and what to call it.
//!
//! [`Features`] are the weighted words and word pairs of a redacted text. A [`Grouping`] is the memory of one API: it takes
//! pieces in the order in which they arrive and puts each beside those it resembles most, or lets it found a candidate
//! of its own. The same pieces in the same order always give the same themes with the same ids, so a grouping that is
//! lost is read again; rows of it are handed to whoever stores it.
//!
//! Nothing here reads a clock, a file or a topic, and nothing here moves a piece from one theme to another: people do that
//! with [`Rules`], which are laid over the answers. No text is kept beyond the words of a theme.

pub mod batch;
mod features;
mod grouping;
mod id;
mod latent;
pub mod measure;
pub mod name;
pub mod regroup;
mod rules;
mod sketch;
mod sought;
mod stop;
mod words;

pub use features::{Features, Term};
pub use grouping::{Grouping, Limits, Placed, Row, Theme, Word};
pub use id::{NotAnId, ThemeId};
pub use rules::{Members, Rules, Split, Status, What};
pub use sketch::Sketch;
