//! The input of a release review, read from the stores of one partition: who did and said what on two versions of an API.
//!
//! [`read`] fills a [`ReviewInput`] from one consistent view of the roll-ups and one snapshot of the search indexes.
//! Consumers are listed by name, for ids depend on the order of reading. The statistics are in `groundswell_review`.

mod calls;
mod journeys;
mod operation;
mod rows;
mod said;
mod window;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use groundswell_catalogue::Catalogue;
use groundswell_contract::Stage;
use groundswell_model::{Day, Timestamp};
use groundswell_review::ReviewInput;
use groundswell_review::input::{ConsumerInput, Provenance, Unnamed, VersionUse};

pub use operation::OperationNames;
pub(crate) use operation::real;
pub use window::{BadWindow, LONGEST};

use crate::rollup::{Days, RollupError, RollupView};
use crate::search::{RulesByApi, SearchError, Snapshot, time_span};
use calls::{Callers, Calls};
use rows::Rows;
use said::Spoken;
use window::Span;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The API.
    pub api: String,
    /// The version under review.
    pub version: String,
    /// The version it is compared with.
    pub baseline: String,
    /// Days looked at, where somebody says so.
    pub days: Days,
    /// When the catalogue says that the candidate was released.
    pub released: Option<Timestamp>,
    /// Hash of what the catalogue says about the API; see [`catalogue_hash`].
    pub catalogue: String,
    /// Custom guardrails: their names, and what they count.
    pub custom: Vec<(String, Custom)>,
    /// What people decided about themes.
    pub rules: Arc<RulesByApi>,
}

/// What a custom guardrail counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Custom {
    /// Hits of a search, by weight.
    Search(String),
    /// Errors of an operation, over its own calls.
    Operation(OperationNames),
}

/// Why there is no input.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The days can't be looked at.
    #[error(transparent)]
    Window(#[from] BadWindow),
    /// A guardrail is on an operation that nobody knows.
    #[error(
        "policy: guardrails.{guardrail}.operation = {operation:?}: neither {versions} has an operation of this name; called there are: {known}"
    )]
    Operation {
        /// The guardrail.
        guardrail: String,
        /// The operation that it names.
        operation: String,
        /// The two versions.
        versions: String,
        /// Some of the operations that are called.
        known: String,
    },
    /// The usage store can't be read.
    #[error(transparent)]
    Usage(#[from] RollupError),
    /// The search index can't be read.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// Reads what a review is made from.
///
/// # Errors
/// The days can't be looked at, or a store can't be read.
pub fn read(view: &RollupView, snapshot: &Snapshot, question: &Question) -> Result<ReviewInput, ReadError> {
    read_as(view, snapshot, question, true)
}

/// The same without latencies, which are most of it.
///
/// # Errors
/// See [`read`].
pub fn read_counts(view: &RollupView, snapshot: &Snapshot, question: &Question) -> Result<ReviewInput, ReadError> {
    read_as(view, snapshot, question, false)
}

fn read_as(view: &RollupView, snapshot: &Snapshot, question: &Question, latency: bool) -> Result<ReviewInput, ReadError> {
    let (span, released) = span(view, snapshot, question)?;
    let window = window::window(question.days, span)?;
    let sides = [view.version(&question.api, &question.version)?, view.version(&question.api, &question.baseline)?];
    // Two halves at a time: calls and latencies, then what is made of calls and what was said.
    let (calls, latencies) = side_by_side(
        || Calls::read(view, sides, window),
        || if latency { calls::latencies(view, sides, window) } else { Ok([Rows::default(), Rows::default()]) },
    );
    let (calls, latencies) = (calls?, latencies?);
    let places = calls.places(view)?;
    let (called, said) = side_by_side(
        || -> Result<_, ReadError> {
            let mut callers = Callers::of(calls.rows, &places);
            callers.journeys(view, sides, question, window)?;
            callers.operations(view, sides, question, window)?;
            Ok(callers.consumers)
        },
        || -> Result<_, ReadError> {
            let spoken = Spoken::read(snapshot, question, window, &places.names)?;
            Ok((spoken, latencies.map(|rows| rows.by_place(&places))))
        },
    );
    let (mut consumers, (spoken, latencies)) = (called?, said?);
    for (side, lists) in SIDES.into_iter().zip(latencies) {
        consumers.iter_mut().zip(lists).for_each(|(consumer, list)| side.of(consumer).latency = list);
    }
    let unnamed = Unnamed { calls: calls.unnamed, feedback: spoken.unnamed };
    let provenance = Provenance {
        checkpoint: checkpoint(view, snapshot),
        model: spoken.models.iter().cloned().collect::<Vec<_>>().join(", "),
        catalogue: question.catalogue.clone(),
        ..Provenance::default()
    };
    spoken.give(&mut consumers);
    let (operations, spoken) = (0u16..).zip(&question.custom).partition::<Vec<_>, _>(|(_, (_, c))| matches!(c, Custom::Operation(_)));
    let places = |of: Vec<(u16, _)>| of.into_iter().map(|(place, _)| place).collect();
    Ok(ReviewInput {
        api: question.api.clone(),
        version: question.version.clone(),
        baseline: question.baseline.clone(),
        window,
        released,
        unnamed,
        consumers,
        spoken: places(spoken),
        operations: places(operations),
        custom: question.custom.iter().map(|(name, _)| name.clone()).collect(),
        provenance,
    })
}

/// Does two things at once.
fn side_by_side<A, B: Send>(this: impl FnOnce() -> A, that: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let beside = scope.spawn(that);
        (this(), beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Partition and next offset of the insights topic; both of them where the two stores are between their commits.
pub(crate) fn checkpoint(view: &RollupView, snapshot: &Snapshot) -> String {
    let (usage, feedback) = (view.checkpoint().unwrap_or_default(), snapshot.checkpoint);
    let usage_only = format!("{}/{}", snapshot.partition, usage.0);
    if feedback == usage { usage_only } else { format!("{usage_only}, feedback {}", feedback.0) }
}

/// BLAKE3 of what the catalogue says about the versions of an API; empty where it says nothing.
#[must_use]
pub fn catalogue_hash(catalogue: &Catalogue, api: &str) -> String {
    if catalogue.api(api).is_none() {
        return String::new();
    }
    let mut hasher = blake3::Hasher::new();
    let mut tell = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    for version in catalogue.versions(api) {
        tell(version.name());
        for stage in [Stage::Released, Stage::Deprecated, Stage::Sunset, Stage::Removed] {
            tell(&version.date(stage).map(Timestamp::rfc3339).unwrap_or_default());
        }
        tell(&version.aliases().join("\n"));
    }
    hasher.finalize().to_hex().to_string()
}

/// The days with anything of either version, and the candidate's first.
fn span(view: &RollupView, snapshot: &Snapshot, question: &Question) -> Result<(Span, Option<Day>), ReadError> {
    let mut span = Span::default();
    let mut first_call = None;
    for version in [&question.baseline, &question.version] {
        let totals = view.version(&question.api, version)?.map(|id| view.totals(id)).transpose()?.unwrap_or_default();
        let said = snapshot.version(&question.api, version).map(|index| time_span(index)).transpose()?.flatten();
        first_call = totals.first.map(Timestamp::day);
        let firsts = [span.first, first_call, said.map(|s| s.0.day())];
        span.first = firsts.into_iter().flatten().min();
        span.last = span.last.max(totals.last.map(Timestamp::day)).max(said.map(|s| s.1.day()));
    }
    // A date that is still to come in what is recorded is a plan.
    let released = question.released.map(Timestamp::day).filter(|day| span.last.is_some_and(|last| *day <= last));
    span.candidate = released.or(first_call);
    Ok((span, span.candidate))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Candidate,
    Baseline,
}

/// Both of them, in the order in which they are read.
const SIDES: [Side; 2] = [Side::Candidate, Side::Baseline];

impl Side {
    fn of(self, consumer: &mut ConsumerInput) -> &mut VersionUse {
        match self {
            Self::Candidate => &mut consumer.candidate,
            Self::Baseline => &mut consumer.baseline,
        }
    }
}
