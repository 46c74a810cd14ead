//! Did a version mend what consumers asked for? Reads who asked, who moved, and who says it still, for [`groundswell_review::fix`].

mod render;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use groundswell_model::{Day, Timestamp};
use groundswell_review::fix::{Asker, FixFigures, SAID, Since, Still, judge};
use groundswell_review::input::Provenance;
use hashbrown::{HashMap, HashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tantivy::DocAddress;

pub use render::sections;

use crate::review::{ReadError, checkpoint};
use crate::rollup::{Days, RollupView, VersionId};
use crate::search::{RulesByApi, Snapshot, Wanted, each_told};
use crate::summary::types::Quote;

/// Days before the release in which somebody must have asked.
const BEFORE: i32 = 90;
/// Quotes that are told.
const QUOTES: usize = 5;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The API.
    pub api: String,
    /// The version that should have mended it.
    pub version: String,
    /// A search that finds what people ask for.
    pub search: String,
    /// Days looked at, where somebody says so.
    pub days: Days,
    /// When the catalogue says that the version was released.
    pub released: Option<Timestamp>,
    /// Hash of what the catalogue says about the API.
    pub catalogue: String,
    /// What people decided about themes.
    pub rules: Arc<RulesByApi>,
}

/// Whether a version mended what consumers asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FixReview {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// The search that finds the subject.
    pub search: String,
    /// The day of the release: who asked before it, asked before the version was there.
    pub released: String,
    /// First day looked at.
    pub from: String,
    /// First day no longer looked at.
    pub until: String,
    /// What is known.
    #[serde(flatten)]
    pub figures: FixFigures,
    /// What those say who say it on the version, the newest first.
    pub quotes: Vec<Quote>,
    /// What it was made with.
    pub provenance: Provenance,
}

/// A piece of feedback of somebody named.
struct Piece {
    time: Timestamp,
    tie: u64,
    weight: f64,
    /// Whether it is about the version; none where its version is not known.
    on_version: Option<bool>,
    subject: bool,
}

#[derive(Default)]
struct Known {
    asker: Asker,
    /// First day on the version.
    moved: Option<Day>,
    pieces: Vec<Piece>,
}

/// Reads and judges.
///
/// # Errors
/// The search can't be understood, or a store can't be read.
pub fn fix(view: &RollupView, snapshot: &Snapshot, question: &Question) -> Result<FixReview, ReadError> {
    let versions: Vec<(String, VersionId)> = view.versions()?.into_iter().filter(|v| v.0 == question.api).map(|v| (v.1, v.2)).collect();
    let mut last = None;
    for (_, id) in &versions {
        last = last.max(view.totals(*id)?.last.map(Timestamp::day));
    }
    let own = view.version(&question.api, &question.version)?;
    let first_call = own.map(|id| view.totals(id)).transpose()?.and_then(|t| t.first).map(Timestamp::day);
    let end = Day(last.map_or(0, |day| day.0.saturating_add(1)));
    let until = question.days.until.unwrap_or(end);
    let released = question.released.map(Timestamp::day).or(first_call).unwrap_or(until).min(until);
    let from = question.days.from.unwrap_or(Day(released.0.saturating_sub(BEFORE))).min(released);
    let mut known: HashMap<String, Known> = HashMap::new();
    usage(view, &versions, own, (from, released, until), &mut known)?;
    let places = said(snapshot, question, (from, until), &mut known)?;
    let (askers, new) = sides(known, released);
    let figures = judge(&askers, new);
    let quotes = quotes(snapshot, question, places, &figures.still)?;
    Ok(FixReview {
        api: question.api.clone(),
        version: question.version.clone(),
        search: question.search.clone(),
        released: released.iso(),
        from: from.iso(),
        until: until.iso(),
        figures,
        quotes,
        provenance: Provenance { checkpoint: checkpoint(view, snapshot), catalogue: question.catalogue.clone(), ..Provenance::default() },
    })
}

fn usage(
    view: &RollupView,
    versions: &[(String, VersionId)],
    own: Option<VersionId>,
    (from, released, until): (Day, Day, Day),
    known: &mut HashMap<String, Known>,
) -> Result<(), ReadError> {
    // By number first: names are looked up once.
    let mut by_number: BTreeMap<u32, (Since, Since, Since, Option<Day>)> = BTreeMap::new();
    for (_, id) in versions {
        let mut days: Vec<(Day, u32, u64)> = Vec::new();
        view.presence(*id, Days { from: Some(from), until: Some(until) }, |day, consumer, presence| {
            days.push((day, consumer, presence.calls))
        })?;
        for (day, consumer, calls) in days {
            let (before, on_older, on_version, moved) = by_number.entry(consumer).or_default();
            let side = match (day < released, Some(*id) == own) {
                (true, _) => before,
                (false, true) => {
                    *moved = Some(moved.map_or(day, |m| m.min(day)));
                    on_version
                }
                (false, false) => on_older,
            };
            side.calls += calls;
            #[expect(clippy::cast_precision_loss, reason = "calls of one day")]
            let damped = (calls as f64).sqrt();
            side.exposure += damped;
        }
    }
    for (number, (before, on_older, on_version, moved)) in by_number {
        let name = view.consumer_name(number)?;
        let asker = Asker { name: name.clone(), on_older, on_version, before };
        known.insert(name, Known { asker, moved, pieces: Vec::new() });
    }
    Ok(())
}

/// Where a piece about the subject on the version is found.
struct Place {
    time: Timestamp,
    tie: u64,
    consumer: String,
    address: DocAddress,
}

fn said(
    snapshot: &Snapshot,
    question: &Question,
    (from, until): (Day, Day),
    known: &mut HashMap<String, Known>,
) -> Result<Vec<Place>, ReadError> {
    let times = Some((from.start(), until.start()));
    let mut places = Vec::new();
    for index in snapshot.versions.iter().filter(|v| v.api == question.api) {
        let on_version = (index.version != groundswell_model::UNKNOWN_VERSION).then_some(index.version == question.version);
        let mut subject = HashSet::new();
        each_told(index, Wanted { query: Some(&question.search), times, rules: Some(&question.rules) }, |said, address| {
            subject.insert((said.time, said.tie));
            if on_version == Some(true) && !said.consumer.is_empty() {
                places.push(Place { time: said.time, tie: said.tie, consumer: said.consumer.to_owned(), address });
            }
        })?;
        each_told(index, Wanted { times, ..Wanted::default() }, |said, _| {
            if let Some(known) = known.get_mut(said.consumer) {
                let subject = subject.contains(&(said.time, said.tie));
                known.pieces.push(Piece { time: said.time, tie: said.tie, weight: said.weight, on_version, subject });
            }
        })?;
    }
    Ok(places)
}

/// Consumers who asked before the release, and those who say it on the version and had not asked.
fn sides(known: HashMap<String, Known>, released: Day) -> (Vec<Asker>, Vec<Still>) {
    let (mut askers, mut new) = (Vec::new(), Vec::new());
    for (_, mut one) in known {
        one.pieces.sort_unstable_by_key(|p| (p.time, p.tie));
        for piece in &one.pieces {
            // What has no known version is about the one that the consumer had moved to by then.
            let moved = one.moved.is_some_and(|day| day <= piece.time.day());
            let side = if piece.time.day() < released {
                &mut one.asker.before
            } else if piece.on_version.unwrap_or(moved) {
                &mut one.asker.on_version
            } else {
                &mut one.asker.on_older
            };
            if piece.subject { side.asked += piece.weight } else { side.other += piece.weight }
        }
        if one.asker.before.asked >= SAID {
            askers.push(one.asker);
        } else if one.asker.on_version.asked >= SAID {
            new.push(Still { consumer: one.asker.name, pieces: crate::summary::tidy(one.asker.on_version.asked), asked_before: false });
        }
    }
    askers.sort_by(|a, b| a.name.cmp(&b.name));
    (askers, new)
}

fn quotes(snapshot: &Snapshot, question: &Question, mut places: Vec<Place>, still: &[Still]) -> Result<Vec<Quote>, ReadError> {
    let still: HashSet<&str> = still.iter().map(|s| s.consumer.as_str()).collect();
    let Some(index) = snapshot.version(&question.api, &question.version) else { return Ok(Vec::new()) };
    places.retain(|place| still.contains(place.consumer.as_str()));
    places.sort_by_key(|place| std::cmp::Reverse((place.time, place.tie)));
    let mut quotes = Vec::new();
    for place in places.into_iter().take(QUOTES) {
        quotes.push(crate::summary::quote(&crate::search::quote_of(index, "search", &question.search, place.address)?));
    }
    Ok(quotes)
}
