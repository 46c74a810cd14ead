//! The work itself: functions of events, the state of their partition, and the catalogue. Nothing
//! here reads a topic or a clock.

mod again;
pub mod fold;
mod insight;
pub mod journal;
pub mod names;
pub mod output;
mod partition;
pub mod requests;
mod said;
mod seen;
pub mod state;
pub mod waiting;
pub mod window;

use groundswell_catalogue::Catalogue;
use groundswell_text::classify::Classifier;

pub use fold::Fold;
pub use names::Bounds;
pub use output::Output;
pub use partition::{Partition, Work};

/// What the work looks things up in, the same for a whole batch.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The declared APIs.
    pub catalogue: &'a Catalogue,
    /// What labels texts.
    pub classifier: &'a dyn Classifier,
    /// Bounds and windows.
    pub rules: &'a Rules,
}

/// Bounds and windows, from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Undeclared names told apart.
    pub bounds: Bounds,
    /// Days of usage that attribution looks back on.
    pub look_back_days: u32,
    /// Minutes for which the identity of a usage event is remembered.
    pub dedupe_minutes: u32,
}

impl Rules {
    /// Days of calls kept in a journal: the look-back, and the day that it begins in.
    #[must_use]
    pub fn days_kept(&self) -> usize {
        usize::try_from(self.look_back_days).unwrap_or(usize::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
