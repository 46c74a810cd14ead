//! What changed from one version of an API to another: what people say, which operations fail, what the interface is.
//!
//! [`changes`] groups the feedback on both versions, adds operations with failed calls, and lets `groundswell_review` tell what
//! changed more than chance explains. Names come from the index; numbers by consumer, so that they don't depend on the order of reading.

mod contract;
mod failing;
mod render;
mod said;
#[cfg(test)]
mod tests;
pub mod types;

use std::collections::BTreeMap;

use groundswell_review::ReviewInput;
use groundswell_review::changes::{Became, Changed, RATE, Thing, changes as told};
use groundswell_review::input::Window;
use hashbrown::HashMap;

pub use contract::Documents;
use contract::contract;
pub(crate) use render::percent;
pub use render::sections;

use crate::review::{Question, ReadError, read_counts};
use crate::rollup::{Days, RollupView};
use crate::search::{Groups, Snapshot, Wanted, grouped};
use crate::summary::types::{Money, Quote};
use types::{Change, Changes, ContractChanges};

/// Steady things that are listed beside the changes: those with the widest reach.
const MOST_STEADY: usize = 20;
/// Changes that are listed.
const MOST_CHANGES: usize = 100;
/// Changes that are quoted.
const MOST_QUOTED: usize = 25;

/// What is known of both versions by name.
struct Both<'a> {
    /// Feedback on the baseline and on the candidate; empty where a version has none.
    groups: [Groups; 2],
    /// Name of a consumer to its place in the input.
    places: HashMap<&'a str, u32>,
}

/// Tells what changed; `themes` tells what a theme is called.
///
/// # Errors
/// The days can't be looked at, or a store can't be read.
pub fn changes(
    view: &RollupView,
    snapshot: &Snapshot,
    question: &Question,
    documents: Option<&Documents>,
    themes: impl Fn(&str) -> Option<String>,
) -> Result<Changes, ReadError> {
    let input = read_counts(view, snapshot, question)?;
    let versions = [&question.baseline, &question.version];
    let times = Some((input.window.from.start(), input.window.until.start()));
    let wanted = Wanted { query: None, times, rules: Some(&question.rules) };
    let mut groups = [Groups::default(), Groups::default()];
    for (into, version) in groups.iter_mut().zip(versions) {
        if let Some(index) = snapshot.version(&question.api, version) {
            *into = grouped(index, wanted)?;
        }
    }
    let places = (0u32..).zip(&input.consumers).map(|(place, consumer)| (consumer.name.as_str(), place)).collect();
    let both = Both { groups, places };
    let mut things = said::things(&both);
    let (failing, failing_left_out) = failing::things(view, question, days_of(input.window), &both.places)?;
    things.extend(failing);
    let all = told(&input, &things);
    let tested = all.iter().filter(|c| c.p.is_some()).count() as u64;
    let by_name: HashMap<(&str, &str), &Thing> = things.iter().map(|t| ((t.field.as_str(), t.value.as_str()), t)).collect();
    let revenue = revenue(view, question, &both.places)?;
    let (mut changed, mut steady) = (Vec::new(), Vec::new());
    for one in all {
        let full = if one.became == Became::Steady { steady.len() >= MOST_STEADY } else { changed.len() >= MOST_CHANGES };
        if full {
            continue;
        }
        let Some(thing) = by_name.get(&(one.field.as_str(), one.value.as_str())) else { continue };
        let name = Some(&one).filter(|c| c.field == "theme").and_then(|c| themes(&c.value));
        let change =
            Change { name, severity: said::severity(&both, &one), revenue: carried(&revenue, thing), quotes: Vec::new(), change: one };
        if change.change.became == Became::Steady { steady.push(change) } else { changed.push(change) }
    }
    for change in changed.iter_mut().take(MOST_QUOTED) {
        change.quotes = quotes(snapshot, question, &both, &change.change)?;
    }
    let contract: Option<ContractChanges> = documents.map(|d| contract(view, d, question, &both.groups)).transpose()?;
    let left_out = both.groups.iter().map(|g| g.left_out).sum::<u64>() + failing_left_out;
    Ok(Changes {
        api: question.api.clone(),
        version: question.version.clone(),
        baseline: question.baseline.clone(),
        from: input.window.from.iso(),
        until: input.window.until.iso(),
        days_on_candidate: days(input.window, &input),
        rate: RATE,
        tested,
        left_out,
        changes: changed,
        steady,
        contract,
        provenance: input.provenance.clone(),
    })
}

fn days_of(window: Window) -> Days {
    Days { from: Some(window.from), until: Some(window.until) }
}

fn days(window: Window, input: &ReviewInput) -> u32 {
    let first = input.released.unwrap_or(window.until).max(window.from);
    u32::try_from(window.until.0.saturating_sub(first.0)).unwrap_or(0)
}

/// Revenue of each consumer on both versions, ever: by currency, in millionths.
fn revenue(view: &RollupView, question: &Question, places: &HashMap<&str, u32>) -> Result<HashMap<u32, BTreeMap<String, i128>>, ReadError> {
    let mut all: HashMap<u32, BTreeMap<String, i128>> = HashMap::new();
    let mut labels: HashMap<u32, String> = HashMap::new();
    for version in [&question.baseline, &question.version] {
        let Some(id) = view.version(&question.api, version)? else { continue };
        let mut paid: Vec<(u32, Vec<(u32, i128)>)> = Vec::new();
        view.consumers(id, |consumer, totals| {
            if !totals.revenue.is_empty() {
                paid.push((consumer, totals.revenue));
            }
        })?;
        for (consumer, amounts) in paid {
            let Some(place) = places.get(view.consumer_name(consumer)?.as_str()).copied() else { continue };
            for (label, amount) in amounts {
                if !labels.contains_key(&label) {
                    labels.insert(label, view.label_name(label)?);
                }
                let sum = all.entry(place).or_default().entry(labels[&label].clone()).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
    }
    Ok(all)
}

/// What the consumers behind a thing pay on both versions together.
fn carried(revenue: &HashMap<u32, BTreeMap<String, i128>>, thing: &Thing) -> Vec<Money> {
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    for (currency, amount) in thing.said.keys().filter_map(|place| revenue.get(place)).flatten() {
        *sums.entry(currency).or_default() += amount;
    }
    sums.into_iter().map(|(currency, amount)| Money { currency: currency.to_owned(), amount: crate::summary::money(amount) }).collect()
}

/// Feedback that stands for a change: on the candidate, or on the baseline where nobody says it any more.
fn quotes(snapshot: &Snapshot, question: &Question, both: &Both<'_>, change: &Changed) -> Result<Vec<Quote>, ReadError> {
    let side = usize::from(change.candidate.consumers >= change.baseline.consumers);
    let version = if side == 1 { &question.version } else { &question.baseline };
    let field = if change.field == failing::FIELD { "operation" } else { change.field.as_str() };
    let Some(index) = snapshot.version(&question.api, version) else { return Ok(Vec::new()) };
    Ok(both.groups[side].quotes(index, (field, change.value.as_str()))?.iter().map(crate::summary::quote).collect())
}
