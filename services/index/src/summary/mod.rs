//! The summary of an API version: feedback and usage joined, every number with what it rests on.
//!
//! Reading and reckoning are apart. [`UsageData::read`] takes from a view of the roll-ups what a summary needs,
//! [`crate::search::FeedbackStats`] is what the version's search index counted; [`summarise`] is pure and makes the [`types::Summary`]
//! of both. [`render`] turns it into sections for a terminal table and into Markdown.

mod compare;
pub(crate) mod feedback;
pub(crate) mod figure;
mod inputs;
mod overview;
mod reach;
pub mod render;
pub mod types;
mod usage;
mod usage_data;

#[cfg(test)]
pub(crate) mod tests;

use groundswell_catalogue::Catalogue;
use groundswell_contract::Stage;
use groundswell_model::Timestamp;

pub use inputs::{ApiFeedback, SummaryInputs, VersionData};
pub use overview::{ApiUsage, VersionFeedback, overview};
pub use reach::RevenueBehind;
pub use usage_data::{Counts, ENOUGH_CALLS, OperationUsage, UsageData, WORST_OPERATIONS};

use types::{Lifecycle, Summary, Window};

use crate::rollup::Days;

/// The summary of a version, and of a baseline beside it where one is asked for.
#[must_use]
pub fn summarise(inputs: &SummaryInputs) -> Summary {
    let mut summary = of_version(inputs, &inputs.this);
    summary.journeys.clone_from(&inputs.journeys);
    summary.pain.clone_from(&inputs.pain);
    summary.baseline = inputs.baseline.as_ref().map(|baseline| compare::compare(&summary, &of_version(inputs, baseline)));
    summary
}

fn of_version(inputs: &SummaryInputs, data: &VersionData) -> Summary {
    let feedback = &data.feedback;
    Summary {
        api: inputs.api.clone(),
        version: data.version.clone(),
        lifecycle: data.lifecycle.clone(),
        window: window(inputs.days),
        checkpoint: inputs.checkpoint,
        feedback: feedback::feedback(feedback, &data.usage),
        nps: feedback::nps(feedback),
        csat: feedback::csat(feedback),
        ces: feedback::ces(feedback),
        rating: feedback::rating(feedback),
        usage: usage::usage(&data.usage, feedback),
        consumers: usage::consumers(&data.usage),
        trend: usage::trend(&data.usage, &feedback.by_day),
        journeys: Default::default(),
        pain: Default::default(),
        labels: feedback::labels(feedback, &data.revenue_behind),
        quotes: feedback::quotes(feedback),
        coverage: feedback::coverage(feedback, inputs.api_feedback),
        baseline: None,
    }
}

pub(crate) fn window(days: Days) -> Window {
    let start = |day: groundswell_model::Day| day.start().rfc3339();
    Window { since: days.from.map(start), until: days.until.map(start) }
}

/// What the catalogue says about a version, as of `now`.
#[must_use]
pub fn lifecycle(catalogue: &Catalogue, api: &str, version: &str, now: Timestamp) -> Lifecycle {
    let Some(declared) = catalogue.api(api).and_then(|a| a.version(version)) else { return Lifecycle::default() };
    let date = |stage| declared.date(stage).map(Timestamp::rfc3339);
    Lifecycle {
        declared: true,
        stage: declared.stage(now).map(|s| s.name().to_owned()),
        released: date(Stage::Released),
        deprecated: date(Stage::Deprecated),
        sunset: date(Stage::Sunset),
    }
}
