//! Whether a version can be switched off: who still calls it, with what, what they say about moving, and when that will end.
//!
//! No clock is read: "now" is the end of the last day with anything of the API.

mod callers;
mod render;
mod said;
#[cfg(test)]
mod tests;
pub mod types;

use groundswell_catalogue::Catalogue;
use groundswell_contract::Stage;
use groundswell_model::{Day, Timestamp};
use groundswell_review::decline::{self, LEAST_WEEKS, NoEnd};
use groundswell_review::input::Provenance;
use groundswell_review::removal::{RemovalFacts, RemovalPolicy, removal};

pub use render::{markdown, sections};

use crate::review::{ReadError, catalogue_hash, checkpoint};
use crate::rollup::{Days, RollupView, VersionId};
use crate::search::Snapshot;
use callers::Traffic;
use types::{Header, Projection, Readiness, Week};

/// Whole weeks that are looked back on.
const WEEKS: i32 = 12;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The API.
    pub api: String,
    /// The version.
    pub version: String,
    /// When it was or will be deprecated.
    pub deprecated: Option<Timestamp>,
    /// When it will be or was switched off.
    pub sunset: Option<Timestamp>,
    /// Hash of what the catalogue says about the API.
    pub catalogue: String,
}

impl Question {
    /// What the catalogue says about a version.
    #[must_use]
    pub fn of(catalogue: &Catalogue, api: &str, version: &str) -> Self {
        let declared = catalogue.api(api).and_then(|a| a.version(version));
        let date = |stage| declared.and_then(|v| v.date(stage));
        Self {
            api: api.to_owned(),
            version: version.to_owned(),
            deprecated: date(Stage::Deprecated),
            sunset: date(Stage::Sunset),
            catalogue: catalogue_hash(catalogue, api),
        }
    }
}

/// Tells how ready a version is to be switched off.
///
/// # Errors
/// A store can't be read.
pub fn readiness(view: &RollupView, snapshot: &Snapshot, question: &Question, policy: &RemovalPolicy) -> Result<Readiness, ReadError> {
    let versions: Vec<(String, VersionId)> = view.versions()?.into_iter().filter(|v| v.0 == question.api).map(|v| (v.1, v.2)).collect();
    let (mut first, mut last): (Option<Day>, Option<Day>) = (None, None);
    for (_, id) in &versions {
        let totals = view.totals(*id)?;
        let begun = totals.first.map(Timestamp::day);
        first = [first, begun].into_iter().flatten().min();
        last = last.max(totals.last.map(Timestamp::day));
    }
    let until = Day(last.map_or(0, |day| day.0.saturating_add(1)));
    let own = view.version(&question.api, &question.version)?;
    let quiet = Days { from: Some(Day(until.0.saturating_sub(i32::try_from(policy.quiet_days).unwrap_or(i32::MAX)))), until: Some(until) };
    let traffic = Traffic::read(view, own, &versions, quiet)?;
    let callers = traffic.callers(view, own, &versions)?;
    let feedback = said::migrating(snapshot, &question.api, until, |consumer| traffic.names.contains(consumer))?;
    let weeks = weeks(view, own, first, until)?;
    let facts = RemovalFacts {
        days_of_data: first.map_or(0, |day| u32::try_from(until.0.saturating_sub(day.0)).unwrap_or(0)),
        consumers: callers.len() as u64,
        calls: traffic.calls,
        sunset_passed: question.sunset.map(|sunset| sunset < until.start()),
        open_feedback: feedback.open,
    };
    let (verdict, conditions) = removal(policy, &facts);
    let unmet: Vec<String> = conditions.iter().filter(|c| c.met != Some(true)).map(|c| c.told.clone()).collect();
    let last_call = own.map(|id| view.totals(id)).transpose()?.and_then(|totals| totals.last);
    let revenue = callers::revenue(&callers);
    Ok(Readiness {
        api: question.api.clone(),
        version: question.version.clone(),
        deprecated: question.deprecated.map(Timestamp::rfc3339),
        sunset: question.sunset.map(Timestamp::rfc3339),
        headers: headers(question.deprecated, question.sunset),
        as_of: until.iso(),
        quiet_days: policy.quiet_days,
        verdict,
        reason: if unmet.is_empty() { "nobody calls it any more".to_owned() } else { unmet.join("; ") },
        conditions,
        last_call: last_call.map(Timestamp::rfc3339),
        consumers: callers.len() as u64,
        calls: traffic.calls,
        unnamed_calls: traffic.calls.saturating_sub(traffic.named_calls),
        moved: traffic.moved,
        gone: traffic.gone,
        revenue,
        callers_left_out: callers.len().saturating_sub(callers::MOST_TOLD) as u64,
        callers: callers.into_iter().take(callers::MOST_TOLD).collect(),
        projection: projection(&weeks, until),
        weeks,
        feedback,
        provenance: Provenance { checkpoint: checkpoint(view, snapshot), catalogue: question.catalogue.clone(), ..Provenance::default() },
    })
}

/// Whole weeks up to the last day, oldest first, none before the API's first day.
fn weeks(view: &RollupView, own: Option<VersionId>, first: Option<Day>, until: Day) -> Result<Vec<Week>, ReadError> {
    let (Some(own), Some(first)) = (own, first) else { return Ok(Vec::new()) };
    let mut weeks = Vec::new();
    for back in (1..=WEEKS).rev() {
        let days = Days { from: Some(Day(until.0 - 7 * back)), until: Some(Day(until.0 - 7 * (back - 1))) };
        if days.from.is_some_and(|from| from < first) {
            continue;
        }
        let mut consumers = hashbrown::HashSet::new();
        view.presence(own, days, |_, consumer, _| {
            consumers.insert(consumer);
        })?;
        let mut calls = 0_u64;
        view.days(own, days, |_, _, traffic| calls = calls.saturating_add(traffic.calls))?;
        weeks.push(Week { from: days.from.map_or_else(String::new, Day::iso), calls, consumers: consumers.len() as u64 });
    }
    Ok(weeks)
}

fn projection(weeks: &[Week], until: Day) -> Projection {
    // Weeks before its first consumer are no decline.
    let begun = weeks.iter().position(|w| w.consumers > 0).unwrap_or(weeks.len());
    // A decline begins at its height: a version that is still growing has none.
    let counts: Vec<u64> = weeks[begun..].iter().map(|w| w.consumers).collect();
    let peak = counts.iter().enumerate().max_by_key(|(_, n)| **n).map_or(0, |(at, _)| at);
    let falling = &counts[peak.min(counts.len().saturating_sub(LEAST_WEEKS))..];
    if counts.last() == Some(&0) {
        return Projection { told: "nobody called it in the last week".to_owned(), ..Projection::default() };
    }
    // The middle of the first of these weeks.
    let start = f64::from(until.0) - 7.0 * falling.len() as f64 + 3.5;
    #[expect(clippy::cast_possible_truncation, reason = "at most five years from a day")]
    let day = |weeks: f64| Day((start + 7.0 * weeks).ceil() as i32).iso();
    let why = match decline::end(falling) {
        Ok(end) => {
            let latest = end.latest.map(day);
            let told = format!(
                "{} consumers fewer each week: the last would leave about {} (95 %: {} to {})",
                crate::changes::percent(1.0 - end.left_each_week),
                day(end.weeks),
                day(end.earliest),
                latest.as_deref().unwrap_or("more than five years on"),
            );
            return Projection { end: Some(day(end.weeks)), earliest: Some(day(end.earliest)), latest, told };
        }
        Err(NoEnd::TooFewWeeks) => "can't be told: fewer than four weeks with calls since its height",
        Err(NoEnd::NotFalling) => "can't be told: the number of consumers does not fall clearly",
        Err(NoEnd::TooFar) => "more than five years on, if it goes on like this",
    };
    Projection { told: why.to_owned(), ..Projection::default() }
}

/// What responses of the version should carry: RFC 9745 and RFC 8594.
fn headers(deprecated: Option<Timestamp>, sunset: Option<Timestamp>) -> Vec<Header> {
    let header = |name: &str, value: String| Header { name: name.to_owned(), value };
    let deprecation = deprecated.map(|t| header("Deprecation", format!("@{}", t.0.div_euclid(1000))));
    let date = |t: Timestamp| {
        let time = jiff::Timestamp::from_millisecond(t.0).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    };
    let sunset = sunset.and_then(date).map(|value| header("Sunset", value));
    deprecation.into_iter().chain(sunset).collect()
}
