//! Journeys as figures of the summary.

use groundswell_model::Timestamp;

use super::ReadError;
use super::read::Journeys;
use super::timeline::Person;
use super::types::{Funnel, JourneyFigures, OperationReach, Regretted, State, StateCount, StillOn, StillThere, WentBack};
use crate::rollup::{ConsumerSet, LabelId, RollupError, RollupView};
use crate::search::{Snapshot, newest_of};
use crate::summary::feedback::quote;
use crate::summary::figure::{money, share};

/// Consumers named in a list of the summary; `groundswell consumers` has all.
const NAMED: usize = 10;
/// Pieces of feedback quoted of a consumer that went back.
const QUOTED: usize = 3;
/// Operations listed of those who still call older versions.
const OPERATIONS: usize = 10;
/// Operations looked at for it, the ones with the most calls.
const OPERATIONS_READ: usize = 50;

/// The journeys of a summary.
///
/// # Errors
/// A store can't be read, or is damaged.
pub fn figures(journeys: &Journeys, view: &RollupView, snapshot: &Snapshot) -> Result<JourneyFigures, ReadError> {
    let old = !journeys.versions.from.is_empty();
    Ok(JourneyFigures {
        as_of: journeys.as_of(),
        states: states(journeys, view)?,
        weekly: journeys.timeline.weekly,
        adoption: journeys.timeline.adoption.clone(),
        funnel: old.then(|| funnel(journeys)),
        still_on: if old { Some(still_on(journeys, view)?) } else { None },
        regretted: regretted(journeys, view, snapshot)?,
    })
}

fn states(journeys: &Journeys, view: &RollupView) -> Result<Vec<StateCount>, RollupError> {
    let all: Vec<(State, &Person)> = journeys.users().map(|p| (journeys.state(p), p)).collect();
    let counted = State::ALL.into_iter().map(|state| {
        let of: Vec<&Person> = all.iter().filter(|(s, _)| *s == state).map(|(_, p)| *p).collect();
        Ok(StateCount {
            state,
            consumers: of.len() as u64,
            share: share(of.len() as u64, all.len() as u64),
            revenue: money(&view.named_revenue(journeys.revenue_sum(of))?),
        })
    });
    counted.collect()
}

fn funnel(journeys: &Journeys) -> Funnel {
    let count = |people: &[&Person]| people.len() as u64;
    let users = journeys.users().count() as u64;
    let came: Vec<&Person> = journeys.users().filter(|p| journeys.came(p)).collect();
    let succeeded: Vec<&Person> = came.iter().filter(|p| journeys.success(p.id).is_some()).copied().collect();
    let mostly: Vec<&Person> = succeeded.iter().filter(|p| p.mostly_on_it()).copied().collect();
    let left: Vec<&Person> = mostly.iter().filter(|p| journeys.left_from(p)).copied().collect();
    let back = came.iter().filter(|p| p.went_back().is_some()).count() as u64;
    let others = journeys.timeline.people.iter().filter(|p| p.from.any() && !p.this.any()).count() as u64;
    let on_baseline = count(&came) + others;
    let names = journeys.versions.from.iter().map(|id| journeys.versions.name(*id).to_owned());
    Funnel {
        from: names.collect(),
        on_baseline,
        tried: share(count(&came), on_baseline),
        succeeded: share(count(&succeeded), count(&came)),
        mostly_on_it: share(count(&mostly), count(&succeeded)),
        left_baseline: share(count(&left), count(&mostly)),
        went_back: share(back, count(&came)),
        came_new: users - count(&came),
    }
}

fn still_on(journeys: &Journeys, view: &RollupView) -> Result<StillOn, RollupError> {
    let there: Vec<&Person> = journeys.timeline.people.iter().filter(|p| p.from.any() && !journeys.left_from(p)).collect();
    let mut all = ConsumerSet::default();
    there.iter().for_each(|p| all.insert(p.id));
    let mut revenue = crate::rollup::Revenue::new();
    for from in &journeys.versions.from {
        for sum in view.revenue_of(*from, std::slice::from_ref(&all))? {
            sum.into_iter().for_each(|(currency, amount)| *revenue.entry(currency).or_default() += amount);
        }
    }
    Ok(StillOn {
        versions: journeys.versions.from.iter().map(|id| journeys.versions.name(*id).to_owned()).collect(),
        consumers: there.len() as u64,
        never_tried: there.iter().filter(|p| !p.this.any()).count() as u64,
        revenue: money(&revenue),
        operations: operations(journeys, view, &all)?,
        top: top_there(journeys, view, there)?,
    })
}

/// What these consumers call of the versions they come from.
fn operations(journeys: &Journeys, view: &RollupView, who: &ConsumerSet) -> Result<Vec<OperationReach>, RollupError> {
    let mut found = Vec::new();
    for from in &journeys.versions.from {
        let mut busiest: Vec<(u64, u32)> = view.operations(*from)?.into_iter().map(|(id, totals)| (totals.traffic.calls, id)).collect();
        busiest.sort_unstable_by(|a, b| b.cmp(a));
        for (_, operation) in busiest.into_iter().take(OPERATIONS_READ) {
            let mut row = OperationReach { version: journeys.versions.name(*from).to_owned(), ..OperationReach::default() };
            view.reach(*from, operation, |consumer, reach| {
                if who.contains(consumer) {
                    row.consumers += 1;
                    row.calls = row.calls.saturating_add(reach.calls);
                }
            })?;
            if row.consumers > 0 {
                row.operation = view.operation_name(operation)?;
                found.push(row);
            }
        }
    }
    found.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| (&a.version, &a.operation).cmp(&(&b.version, &b.operation))));
    found.truncate(OPERATIONS);
    Ok(found)
}

fn top_there(journeys: &Journeys, view: &RollupView, there: Vec<&Person>) -> Result<Vec<StillThere>, RollupError> {
    // What each has brought on the older versions.
    let mut amounts: hashbrown::HashMap<u32, Vec<(LabelId, i128)>> = hashbrown::HashMap::new();
    for from in &journeys.versions.from {
        view.consumers(*from, |id, totals| {
            if !totals.revenue.is_empty() {
                amounts.entry(id).or_default().extend(totals.revenue);
            }
        })?;
    }
    let most = |p: &&Person| amounts.get(&p.id).and_then(|of| of.iter().map(|(_, amount)| *amount).max()).unwrap_or(0);
    let chosen = named(view, there, |p| (most(p), p.elsewhere.calls))?;
    let rows = chosen.into_iter().map(|(name, p)| {
        let mut sum = std::collections::BTreeMap::new();
        for (label, amount) in amounts.get(&p.id).into_iter().flatten() {
            *sum.entry(*label).or_insert(0i128) += amount;
        }
        Ok(StillThere {
            consumer: name,
            last: p.from.last.iso(),
            calls: p.elsewhere.calls,
            revenue: money(&view.named_revenue(sum)?),
            tried: p.this.any(),
        })
    });
    rows.collect()
}

/// The greatest of them with their names, greatest first, by name among equals.
pub(super) fn named<'p>(
    view: &RollupView,
    mut people: Vec<&'p Person>,
    measure: impl Fn(&&Person) -> (i128, u64),
) -> Result<Vec<(String, &'p Person)>, RollupError> {
    people.sort_by_key(|p| std::cmp::Reverse(measure(p)));
    let last = people.get(NAMED - 1).map(&measure);
    // Equals of the last one compete by name: numbers depend on the order of reading.
    let candidates = people.into_iter().take_while(|p| last.is_none_or(|last| measure(p) >= last));
    let mut rows = candidates.map(|p| Ok((view.consumer_name(p.id)?, p))).collect::<Result<Vec<_>, RollupError>>()?;
    rows.sort_by(|(a, p), (b, q)| measure(q).cmp(&measure(p)).then_with(|| a.cmp(b)));
    rows.truncate(NAMED);
    Ok(rows)
}

fn regretted(journeys: &Journeys, view: &RollupView, snapshot: &Snapshot) -> Result<Regretted, ReadError> {
    let came = journeys.users().filter(|p| journeys.came(p)).count() as u64;
    let back: Vec<&Person> = journeys.users().filter(|p| journeys.came(p) && p.went_back().is_some()).collect();
    let currency = journeys.main_currency(view)?;
    let revenue = money(&view.named_revenue(journeys.revenue_sum(back.iter().copied()))?);
    let consumers = back.len() as u64;
    let rows = named(view, back, |p| (journeys.main_amount(p.id, currency), p.tried().calls))?;
    let names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    let said = match snapshot.version(&journeys.api, &journeys.version) {
        Some(index) => newest_of(index, &names, journeys.times(), QUOTED)?,
        None => vec![Vec::new(); names.len()],
    };
    let who = rows.into_iter().zip(said).filter_map(|((name, p), said)| {
        let (day, to) = p.went_back()?;
        Some(view.named_revenue(journeys.revenue(p.id).iter().copied()).map(|revenue| WentBack {
            consumer: name,
            came: journeys.totals.get(&p.id).map(|totals| Timestamp::rfc3339(totals.first)),
            back: day.iso(),
            to: journeys.versions.name(to).to_owned(),
            calls: p.tried().calls,
            failed: p.tried().failed,
            revenue: money(&revenue),
            said: said.iter().map(quote).collect(),
        }))
    });
    Ok(Regretted { share: share(consumers, came), consumers, revenue, who: who.collect::<Result<_, _>>()? })
}
