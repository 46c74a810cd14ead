//! The input of a release review, read from the stores of one partition: who did and said what on two versions of an API.
//!
//! [`read`] fills a [`ReviewInput`] from one consistent view of the roll-ups and one snapshot of the search indexes.
//! Consumers are listed by name, for ids depend on the order of reading. The statistics are in `groundswell_review`.

mod journeys;
mod operation;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use groundswell_catalogue::Catalogue;
use groundswell_contract::Stage;
use groundswell_model::{Day, Timestamp};
use groundswell_review::ReviewInput;
use groundswell_review::input::{
    ConsumerInput, CustomCount, DayUse, FeedbackItem, LatencyCount, Provenance, Score, Unnamed, VersionUse, Window,
};
use hashbrown::HashMap;

pub use operation::OperationNames;
pub(crate) use operation::real;
pub use window::{BadWindow, LONGEST};

use crate::rollup::{Days, RollupError, RollupView, VersionId};
use crate::search::{RulesByApi, Said, SearchError, Snapshot, Wanted, each_said, time_span};
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
    let mut reading = Reading::new(window::window(question.days, span)?);
    let sides = [view.version(&question.api, &question.version)?, view.version(&question.api, &question.baseline)?];
    let versions: Vec<VersionId> = view.versions()?.into_iter().filter(|v| v.0 == question.api).map(|v| v.2).collect();
    for (side, version) in SIDES.into_iter().zip(sides) {
        if let Some(version) = version {
            reading.usage(view, side, version)?;
            if latency {
                reading.latency(view, side, version)?;
            }
        }
    }
    reading.journeys(view, sides, &versions)?;
    reading.operations(view, sides, question)?;
    reading.name(view)?;
    let mut models = BTreeSet::new();
    for (side, version) in SIDES.into_iter().zip([&question.version, &question.baseline]) {
        if let Some(index) = snapshot.version(&question.api, version) {
            models.extend(reading.feedback(index, side)?);
            for (guardrail, (_, custom)) in (0u16..).zip(&question.custom) {
                if let Custom::Search(query) = custom {
                    reading.custom(index, side, (guardrail, query), &question.rules)?;
                }
            }
        }
    }
    let checkpoint = checkpoint(view, snapshot);
    let (operations, spoken) = (0u16..).zip(&question.custom).partition::<Vec<_>, _>(|(_, (_, c))| matches!(c, Custom::Operation(_)));
    let places = |of: Vec<(u16, _)>| of.into_iter().map(|(place, _)| place).collect();
    let provenance = Provenance {
        checkpoint,
        model: models.into_iter().collect::<Vec<_>>().join(", "),
        catalogue: question.catalogue.clone(),
        ..Provenance::default()
    };
    Ok(ReviewInput {
        api: question.api.clone(),
        version: question.version.clone(),
        baseline: question.baseline.clone(),
        window: reading.window,
        released,
        unnamed: reading.unnamed,
        consumers: reading.finish(),
        spoken: places(spoken),
        operations: places(operations),
        custom: question.custom.iter().map(|(name, _)| name.clone()).collect(),
        provenance,
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

/// The consumers as far as they are read.
struct Reading {
    window: Window,
    days: Days,
    consumers: Vec<ConsumerInput>,
    /// Id in the roll-ups to place.
    places: HashMap<u32, usize>,
    /// Name to place.
    named: HashMap<String, usize>,
    /// Feedback with what puts it in order: time and tie.
    said: Vec<(usize, Side, Timestamp, u64, FeedbackItem)>,
    /// Hits of custom guardrails, likewise.
    counted: Vec<(usize, Side, Timestamp, u64, CustomCount)>,
    unnamed: Unnamed,
}

impl Reading {
    fn new(window: Window) -> Self {
        let days = Days { from: Some(window.from), until: Some(window.until) };
        Self {
            window,
            days,
            consumers: Vec::new(),
            places: HashMap::new(),
            named: HashMap::new(),
            said: Vec::new(),
            counted: Vec::new(),
            unnamed: Unnamed::default(),
        }
    }

    /// Calls, errors and latencies of one version.
    fn usage(&mut self, view: &RollupView, side: Side, version: VersionId) -> Result<(), RollupError> {
        let mut named = 0_u64;
        let (consumers, places) = (&mut self.consumers, &mut self.places);
        view.presence(version, self.days, |day, consumer, presence| {
            let place = *places.entry(consumer).or_insert_with(|| {
                consumers.push(ConsumerInput::default());
                consumers.len() - 1
            });
            named = named.saturating_add(presence.calls);
            side.of(&mut consumers[place]).usage.push(DayUse { day, calls: presence.calls, errors: presence.failed });
        })?;
        let mut all = 0_u64;
        view.days(version, self.days, |_, _, traffic| all = all.saturating_add(traffic.calls))?;
        self.unnamed.calls = self.unnamed.calls.saturating_add(all.saturating_sub(named));
        Ok(())
    }

    fn latency(&mut self, view: &RollupView, side: Side, version: VersionId) -> Result<(), RollupError> {
        let (consumers, places, from) = (&mut self.consumers, &self.places, self.window.from);
        view.latency(version, self.days, |day, consumer, latency| {
            let (Some(place), Ok(day)) = (places.get(&consumer), u16::try_from(day.0.saturating_sub(from.0))) else { return };
            let counts = &mut side.of(&mut consumers[*place]).latency;
            if counts.capacity() - counts.len() < latency.len() {
                // Most of a review's memory: it grows by a quarter, not by doubling.
                counts.reserve_exact(latency.len().max(counts.len() / 4));
            }
            let count =
                |(bucket, count): &(i16, u64)| LatencyCount { day, bucket: *bucket, count: u32::try_from(*count).unwrap_or(u32::MAX) };
            counts.extend(latency.iter().map(count));
        })
    }

    /// Newcomers, first successes and upgrades.
    fn journeys(&mut self, view: &RollupView, sides: [Option<VersionId>; 2], versions: &[VersionId]) -> Result<(), RollupError> {
        for (consumer, day) in journeys::newcomers(view, versions, self.window)? {
            if let Some(place) = self.places.get(&consumer) {
                self.consumers[*place].first_seen = Some(day);
            }
        }
        for (side, version) in SIDES.into_iter().zip(sides) {
            let Some(version) = version else { continue };
            view.consumers(version, |consumer, totals| {
                if let Some(place) = self.places.get(&consumer) {
                    side.of(&mut self.consumers[*place]).start = journeys::start(&totals, self.window);
                }
            })?;
        }
        let [Some(candidate), Some(baseline)] = sides else { return Ok(()) };
        let last = |consumer: u32| self.consumers[*self.places.get(&consumer)?].candidate.usage.last().map(|u| u.day);
        for (consumer, upgrade) in journeys::upgrades(view, (candidate, baseline), versions, self.window, last)? {
            if let Some(place) = self.places.get(&consumer) {
                self.consumers[*place].candidate.upgrade = Some(upgrade);
            }
        }
        Ok(())
    }

    /// Calls and errors of the operations that custom guardrails are on. Who called one is listed by now.
    fn operations(&mut self, view: &RollupView, sides: [Option<VersionId>; 2], question: &Question) -> Result<(), ReadError> {
        for (guardrail, (name, custom)) in (0u16..).zip(&question.custom) {
            let Custom::Operation(operation) = custom else { continue };
            operation.check(view, (name, question), sides)?;
            for (place, (side, version)) in SIDES.into_iter().zip(sides).enumerate() {
                let Some(version) = version else { continue };
                operation.counts(view, (place, version), (guardrail, self.days), |consumer, count| {
                    if let Some(place) = self.places.get(&consumer) {
                        side.of(&mut self.consumers[*place]).custom.push(count);
                    }
                })?;
            }
        }
        Ok(())
    }

    fn name(&mut self, view: &RollupView) -> Result<(), RollupError> {
        for (consumer, place) in &self.places {
            let name = view.consumer_name(*consumer)?;
            self.named.insert(name.clone(), *place);
            self.consumers[*place].name = name;
        }
        Ok(())
    }

    /// What was said about one version. Who said something is listed even if it never called.
    fn feedback(&mut self, index: &crate::search::VersionView, side: Side) -> Result<BTreeSet<String>, SearchError> {
        let (consumers, named, collected, unnamed) = (&mut self.consumers, &mut self.named, &mut self.said, &mut self.unnamed.feedback);
        let wanted = Wanted { times: Some((self.window.from.start(), self.window.until.start())), ..Wanted::default() };
        each_said(index, wanted, |said| {
            if said.consumer.is_empty() {
                *unnamed += 1;
                return;
            }
            let place = *named.entry_ref(said.consumer).or_insert_with(|| {
                consumers.push(ConsumerInput { name: said.consumer.to_owned(), ..ConsumerInput::default() });
                consumers.len() - 1
            });
            collected.push((place, side, said.time, said.tie, item(said)));
        })
    }

    /// Hits of a custom guardrail's search. Who said something is listed by now.
    fn custom(
        &mut self,
        index: &crate::search::VersionView,
        side: Side,
        (guardrail, query): (u16, &str),
        rules: &RulesByApi,
    ) -> Result<(), SearchError> {
        let (named, counted) = (&self.named, &mut self.counted);
        let wanted = Wanted { query: Some(query), times: Some((self.window.from.start(), self.window.until.start())), rules: Some(rules) };
        each_said(index, wanted, |said| {
            if let Some(place) = named.get(said.consumer) {
                let count = CustomCount { guardrail, day: said.time.day(), count: said.weight, exposure: None };
                counted.push((*place, side, said.time, said.tie, count));
            }
        })?;
        Ok(())
    }

    fn finish(mut self) -> Vec<ConsumerInput> {
        // Segments come in any order.
        self.said.sort_unstable_by_key(|(place, _, time, tie, _)| (*place, *time, *tie));
        for (place, side, _, _, item) in self.said {
            side.of(&mut self.consumers[place]).feedback.push(item);
        }
        self.counted.sort_unstable_by_key(|(place, _, time, tie, count)| (*place, count.guardrail, *time, *tie));
        for (place, side, _, _, count) in self.counted {
            side.of(&mut self.consumers[place]).custom.push(count);
        }
        self.consumers.sort_by(|a, b| a.name.cmp(&b.name));
        self.consumers
    }
}

fn item(said: &Said<'_>) -> FeedbackItem {
    let score = said.answer.and_then(|(kind, score)| match kind {
        "nps" => Some(Score::Nps(score)),
        "csat" => Some(Score::Csat(score)),
        "ces" => Some(Score::Ces(score)),
        // A rating has a scale of its own, which no guardrail compares.
        _ => None,
    });
    FeedbackItem { day: said.time.day(), weight: said.weight, negative: said.sentiment == "negative", score }
}
