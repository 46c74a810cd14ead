//! What a summary is made from.

use super::reach::RevenueBehind;
use super::types::{Checkpoint, Lifecycle};
use super::usage_data::UsageData;
use crate::journeys::types::{JourneyFigures, Pain};
use crate::rollup::Days;
use crate::search::FeedbackStats;

/// Everything that [`super::summarise`] needs.
#[derive(Clone, Debug, Default)]
pub struct SummaryInputs {
    /// The API.
    pub api: String,
    /// The days that usage and feedback were counted over.
    pub days: Days,
    /// What the data reflects.
    pub checkpoint: Option<Checkpoint>,
    /// Feedback of the whole API in these days.
    pub api_feedback: ApiFeedback,
    /// The version asked for.
    pub this: VersionData,
    /// The version to put beside it.
    pub baseline: Option<VersionData>,
    /// How consumers came to the version, stay and leave.
    pub journeys: JourneyFigures,
    /// Which of them are in pain.
    pub pain: Pain,
}

/// What is known of one version.
#[derive(Clone, Debug, Default)]
pub struct VersionData {
    /// Its name.
    pub version: String,
    /// What the catalogue says.
    pub lifecycle: Lifecycle,
    /// What the roll-ups say.
    pub usage: UsageData,
    /// What its search index says about the same days.
    pub feedback: FeedbackStats,
    /// The revenue behind what was said.
    pub revenue_behind: RevenueBehind,
}

/// Feedback of a whole API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiFeedback {
    /// All of it.
    pub count: u64,
    /// Of it, what has no known version.
    pub unknown: u64,
}
