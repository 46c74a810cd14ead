//! The consumers of a version: filtered, in order, page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use groundswell_model::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::ReadError;
use super::read::{Heard, Journeys};
use super::timeline::Person;
use super::types::{ConsumerRow, ConsumersPage, MilestoneRow, OperationUse};
use crate::rollup::{LabelId, Reach, RollupError, RollupView, VersionId};
use crate::summary::figure::{money, share, tidy};

/// Rows on a page at most.
pub const MOST_ROWS: usize = 1000;
/// Operations listed of one consumer.
const OPERATIONS: usize = 5;
/// Longer texts are no cursors of ours.
const LONGEST_CURSOR: usize = 8192;

/// What must hold of a consumer that is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// It still calls the version.
    pub still_on: bool,
    /// It calls the version no more.
    pub gone: bool,
    /// It came to this version after this one.
    pub moved_to: Option<String>,
    /// It went back to an older version.
    pub went_back: bool,
    /// It wrote nothing about the API.
    pub silent: bool,
    /// It wrote about the API.
    pub wrote: bool,
    /// Calls in the days asked for.
    pub min_calls: u64,
}

/// The order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Most calls in the days asked for first.
    #[default]
    Calls,
    /// Most failed calls in the days asked for first.
    Errors,
    /// Most revenue on the version first, in the currency that most of its consumers pay in.
    Revenue,
    /// Latest last call first.
    Last,
    /// Earliest first call first.
    First,
}

/// A page asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What must hold.
    pub filter: Filter,
    /// The order.
    pub order: Order,
    /// Rows on the page.
    pub limit: usize,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Where a consumer stands in the order: the greater first, by name among equals.
type Place = (i128, String);

#[derive(Serialize, Deserialize)]
struct Cursor {
    question: u64,
    place: Place,
}

/// One page of the consumers of a version.
///
/// # Errors
/// A store can't be read, or the cursor is none of this question.
pub fn page(journeys: &Journeys, view: &RollupView, question: &Question) -> Result<ConsumersPage, ReadError> {
    let moved = moved_to(journeys, view, &question.filter)?;
    let currency = journeys.main_currency(view)?;
    let left: Vec<&Person> = journeys.users().filter(|p| holds(journeys, &question.filter, moved.as_ref(), p)).collect();
    let key = key_of(journeys, question);
    let after = question.cursor.as_deref().map(|text| decode(text, key)).transpose()?;
    let measure = |p: &Person| measure(journeys, question.order, currency, p);
    let limit = question.limit.clamp(1, MOST_ROWS);
    let rows = cut(view, &left, measure, after.as_ref(), limit + 1)?;
    let next = (rows.len() > limit).then(|| rows.get(limit - 1)).flatten().and_then(|(name, p)| encode(key, (measure(p), name.clone())));
    let revenue = view.named_revenue(journeys.revenue_sum(left.iter().copied()))?;
    let details = Details::read(journeys, view)?;
    let consumers = rows.into_iter().take(limit).map(|(name, p)| details.row(name, p)).collect::<Result<Vec<_>, _>>()?;
    Ok(ConsumersPage {
        api: journeys.api.clone(),
        version: journeys.version.clone(),
        window: journeys.window(),
        as_of: journeys.as_of(),
        checkpoint: None,
        of: journeys.users().count() as u64,
        total: left.len() as u64,
        revenue: money(&revenue),
        consumers,
        next_cursor: next,
    })
}

/// Who came to the version named after this one.
fn moved_to(journeys: &Journeys, view: &RollupView, filter: &Filter) -> Result<Option<crate::rollup::ConsumerSet>, ReadError> {
    let Some(name) = &filter.moved_to else { return Ok(None) };
    let Some((_, id)) = journeys.versions.all.iter().find(|(known, _)| known == name) else {
        return Err(ReadError::Asked(format!("moved_to: {} has no usage of {name}", journeys.api)));
    };
    let mut set = crate::rollup::ConsumerSet::default();
    view.consumers(*id, |consumer, totals| {
        if journeys.totals.get(&consumer).is_some_and(|this| this.first < totals.first) && totals.first < journeys.times().1 {
            set.insert(consumer);
        }
    })?;
    Ok(Some(set))
}

fn holds(journeys: &Journeys, filter: &Filter, moved: Option<&crate::rollup::ConsumerSet>, p: &Person) -> bool {
    let wrote = journeys.heard.get(&p.id).is_some_and(|heard| heard.any > 0);
    let left = journeys.left_this(p);
    let calls = p.tried().calls;
    // Whoever made no call in the days asked for is not in them.
    calls >= filter.min_calls.max(1)
        && !(filter.still_on && left)
        && (!filter.gone || left)
        && !(filter.went_back && p.went_back().is_none())
        && !(filter.silent && wrote)
        && (!filter.wrote || wrote)
        && moved.is_none_or(|set| set.contains(p.id))
}

fn measure(journeys: &Journeys, order: Order, currency: Option<LabelId>, p: &Person) -> i128 {
    let totals = journeys.totals.get(&p.id);
    match order {
        Order::Calls => i128::from(p.tried().calls),
        Order::Errors => i128::from(p.tried().failed),
        Order::Revenue => journeys.main_amount(p.id, currency),
        Order::Last => i128::from(totals.map_or(i64::MIN, |t| t.last.0)),
        Order::First => -i128::from(totals.map_or(i64::MAX, |t| t.first.0)),
    }
}

/// The first `most` behind a place. Names are read only of those who may be among them.
fn cut<'p>(
    view: &RollupView,
    people: &[&'p Person],
    measure: impl Fn(&Person) -> i128,
    after: Option<&Place>,
    most: usize,
) -> Result<Vec<(String, &'p Person)>, RollupError> {
    let mut ordered: Vec<(i128, &Person)> = people.iter().map(|p| (measure(p), *p)).collect();
    if let Some((least, _)) = after {
        ordered.retain(|(measure, _)| measure <= least);
    }
    ordered.sort_unstable_by_key(|(measure, p)| (std::cmp::Reverse(*measure), p.id));
    let mut rows: Vec<(i128, String, &Person)> = Vec::new();
    for equals in ordered.chunk_by(|a, b| a.0 == b.0) {
        let begin = rows.len();
        for (measure, p) in equals {
            let name = view.consumer_name(p.id)?;
            if after.is_none_or(|(least, known)| measure < least || name > *known) {
                rows.push((*measure, name, *p));
            }
        }
        rows[begin..].sort_by(|a, b| a.1.cmp(&b.1));
        if rows.len() >= most {
            break;
        }
    }
    rows.truncate(most);
    Ok(rows.into_iter().map(|(_, name, p)| (name, p)).collect())
}

/// What must be the same for a cursor to fit.
fn key_of(journeys: &Journeys, question: &Question) -> u64 {
    let days = (journeys.days.from.map(|d| d.0), journeys.days.until.map(|d| d.0));
    let asked = (&journeys.api, &journeys.version, days, &question.filter, question.order, journeys.patience);
    xxh3_64(serde_json::to_string(&asked).unwrap_or_default().as_bytes())
}

fn encode(question: u64, place: Place) -> Option<String> {
    Some(URL_SAFE_NO_PAD.encode(postcard::to_stdvec(&Cursor { question, place }).ok()?))
}

fn decode(text: &str, question: u64) -> Result<Place, ReadError> {
    let bad = || ReadError::Asked("cursor: this is none; use `next_cursor` of the page before, unchanged".to_owned());
    if text.len() > LONGEST_CURSOR {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| bad())?;
    let cursor: Cursor = postcard::from_bytes(&bytes).map_err(|_| bad())?;
    if cursor.question == question {
        return Ok(cursor.place);
    }
    Err(ReadError::Asked("cursor: it belongs to another question; ask with the same filters and sort, or leave it out".to_owned()))
}

/// Reads a cursor as somebody may send it: for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub fn fuzz_cursor(text: &str) {
    drop(decode(text, 0));
}

/// What is read for the consumers that are shown alone.
pub(super) struct Details<'a> {
    journeys: &'a Journeys,
    view: &'a RollupView,
    operations: Vec<u32>,
}

impl<'a> Details<'a> {
    pub(super) fn read(journeys: &'a Journeys, view: &'a RollupView) -> Result<Self, RollupError> {
        let operations = journeys.versions.this.map(|this| view.operations(this)).transpose()?.unwrap_or_default();
        Ok(Self { journeys, view, operations: operations.into_keys().collect() })
    }

    /// The operations that a consumer called, the greatest by `measure` first, and how many there are.
    pub(super) fn operations(&self, id: u32, measure: fn(&Reach) -> u64) -> Result<(u64, Vec<OperationUse>), RollupError> {
        let Some(this) = self.journeys.versions.this else { return Ok((0, Vec::new())) };
        let mut called = Vec::new();
        for operation in &self.operations {
            if let Some(reach) = self.view.reach_of(this, *operation, id)?.filter(|reach| measure(reach) > 0) {
                let name = self.view.operation_name(*operation)?;
                called.push((measure(&reach), OperationUse { operation: name, calls: reach.calls, failed: reach.failed }));
            }
        }
        called.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.operation.cmp(&y.operation)));
        let n = called.len() as u64;
        Ok((n, called.into_iter().take(OPERATIONS).map(|(_, operation)| operation).collect()))
    }

    fn row(&self, name: String, p: &Person) -> Result<ConsumerRow, ReadError> {
        let journeys = self.journeys;
        let totals = journeys.totals.get(&p.id);
        let tried = p.tried();
        let (operations_called, operations) = self.operations(p.id, |reach| reach.calls)?;
        let heard = journeys.heard.get(&p.id).copied().unwrap_or_default();
        let Heard { this: feedback, any: feedback_of_api } = heard;
        let success = journeys.success(p.id);
        let last = totals.map(|t| t.last).filter(|last| last.day() == p.this.last);
        Ok(ConsumerRow {
            consumer: name,
            state: journeys.state(p),
            first_call: totals.map(|t| t.first.rfc3339()),
            first_success: success.map(Timestamp::rfc3339),
            seconds_to_success: totals.zip(success).map(|(t, success)| seconds(t.first, success)),
            last_call: last.map_or_else(|| p.this.last.iso(), Timestamp::rfc3339),
            days: p.this.days,
            gone_after_days: journeys.patience.unwrap_or_else(|| p.this.patience()),
            calls: tried.calls,
            failed: tried.failed,
            error_rate: share(tried.failed, tried.calls),
            rate_limited: tried.rate_limited,
            operations_called,
            operations,
            revenue: money(&self.view.named_revenue(journeys.revenue(p.id).iter().copied())?),
            feedback,
            feedback_of_api,
            milestones: self.milestones(p)?,
        })
    }

    fn milestones(&self, p: &Person) -> Result<Vec<MilestoneRow>, RollupError> {
        let journeys = self.journeys;
        let mut rows = Vec::new();
        let Some(this) = journeys.totals.get(&p.id) else { return Ok(rows) };
        let mut before: Option<(Timestamp, VersionId)> = None;
        for (name, id) in journeys.versions.all.iter().filter(|(name, _)| name != groundswell_model::UNKNOWN_VERSION) {
            if Some(*id) == journeys.versions.this {
                continue;
            }
            let Some(other) = self.view.consumer_totals(*id, p.id)? else { continue };
            if journeys.versions.newer.contains(id) && other.first > this.first && other.first < journeys.times().1 {
                rows.push(MilestoneRow { time: other.first.rfc3339(), what: "upgraded_to".into(), version: name.clone() });
            }
            if !journeys.versions.newer.contains(id) && other.first < this.first && before.is_none_or(|(first, _)| first <= other.first) {
                before = Some((other.first, *id));
            }
        }
        if let Some((_, from)) = before {
            let version = journeys.versions.name(from).to_owned();
            rows.push(MilestoneRow { time: this.first.rfc3339(), what: "upgraded_from".into(), version });
        }
        if let Some((day, to)) = p.went_back() {
            rows.push(MilestoneRow { time: day.iso(), what: "went_back_to".into(), version: journeys.versions.name(to).to_owned() });
        }
        if journeys.left_this(p) {
            rows.push(MilestoneRow { time: p.this.last.iso(), what: "last_call".into(), version: String::new() });
        }
        rows.sort();
        Ok(rows)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time between two calls in milliseconds is far below 2^53")]
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    tidy(to.0.saturating_sub(from.0) as f64 / 1000.0)
}
