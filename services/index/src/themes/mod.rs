//! Themes: what the feedback of an API keeps coming back to.
//!
//! [`Book`] belongs to the thread that reads a partition of the insights topic: it gives every insight the id of its theme,
//! which is stored in the search index as the field `theme`, and keeps what it remembers in tables of the usage store, in the
//! same transaction as the checkpoint. [`Names`] tells from any thread what the themes of an API are called.
//!
//! The id in the index is the one that the grouping gave, and never changes. What people decided (merged, split, renamed,
//! pinned, hidden) is laid over it when a question is answered, so a decision counts for what is stored and for what comes.

mod answer;
mod book;
mod count;
mod decide;
mod names;
mod proposals;
pub(crate) mod rules;
mod tables;
pub mod types;

pub use answer::{Question, ThemesError, themes};
pub use book::Book;
pub use decide::{Decided, Desk, NotDecided};
pub use names::{Names, Stored};
pub use proposals::proposals;
#[cfg(feature = "fuzzing")]
pub use tables::fuzz as fuzz_theme;
