//! Who is in pain: consumers whose failures or rate limits rose on a version, and which of them never wrote.
//!
//! Each consumer is compared with itself: with its calls of the versions it comes from, or, where those are too few, its last
//! days with the days before. Many consumers are tested, so the share of false alarms among those that are listed
//! is held (Benjamini and Hochberg).

use groundswell_review::discovery::adjusted;
use groundswell_stats::share_rose;

use super::list::Details;
use super::read::Journeys;
use super::timeline::{Person, RECENT, Tried};
use super::types::{Pain, PainRow, Rise};
use crate::rollup::{RollupError, RollupView};
use crate::summary::figure::{money, real, share, tidy};

/// Calls on both sides of a comparison at least.
const ENOUGH_CALLS: u64 = 50;
/// Failures beyond what was usual at least.
const ENOUGH_MORE: f64 = 5.0;
/// Days with a failure at least: one bad hour is no trend.
const ENOUGH_DAYS: u32 = 2;
/// The share is at least so many times what it was.
const ENOUGH_TIMES: f64 = 1.5;
/// Expected share of false alarms among those listed.
const FALSE_ALARMS: f64 = 0.05;

/// Comparisons that are discoveries, each with its adjusted p.
type Rose<'t> = Vec<(&'t Test<'t>, f64)>;

/// One comparison.
struct Test<'p> {
    person: &'p Person,
    what: &'static str,
    earlier: bool,
    before: (u64, u64),
    now: (u64, u64),
    failed_days: u32,
    p: f64,
}

impl Test<'_> {
    /// Hits beyond what its calls had before.
    fn additional(&self) -> f64 {
        real(self.now.0) - real(self.now.1) * real(self.before.0) / real(self.before.1)
    }

    fn matters(&self) -> bool {
        let times = real(self.now.0) * real(self.before.1) >= ENOUGH_TIMES * real(self.before.0) * real(self.now.1);
        times && self.additional() >= ENOUGH_MORE && self.failed_days >= ENOUGH_DAYS
    }
}

/// The pain on a version; at most `most` consumers are listed, all are counted.
///
/// # Errors
/// The store can't be read, or is damaged.
pub fn pain(journeys: &Journeys, view: &RollupView, most: usize) -> Result<Pain, RollupError> {
    let tests: Vec<Test<'_>> = journeys.users().flat_map(tests).collect();
    let adjusted = adjusted(&tests.iter().map(|t| t.p).collect::<Vec<_>>(), false);
    let mut hurting: Vec<(&Person, Rose<'_>)> = Vec::new();
    for (test, p) in tests.iter().zip(adjusted) {
        if p > FALSE_ALARMS || !test.matters() {
            continue;
        }
        match hurting.last_mut().filter(|(person, _)| person.id == test.person.id) {
            Some((_, rose)) => rose.push((test, p)),
            None => hurting.push((test.person, vec![(test, p)])),
        }
    }
    let heard = |p: &Person| journeys.heard.get(&p.id).map_or(0, |heard| heard.any);
    let silent: Vec<&Person> = hurting.iter().map(|(p, _)| *p).filter(|p| heard(p) == 0).collect();
    let revenue = view.named_revenue(journeys.revenue_sum(hurting.iter().map(|(p, _)| *p)))?;
    let silent_revenue = view.named_revenue(journeys.revenue_sum(silent.iter().copied()))?;
    Ok(Pain {
        as_of: journeys.as_of(),
        rule: rule(),
        tested: tested(&tests),
        hurting: hurting.len() as u64,
        wrote: (hurting.len() - silent.len()) as u64,
        silent: silent.len() as u64,
        revenue: money(&revenue),
        silent_revenue: money(&silent_revenue),
        consumers: rows(journeys, view, hurting, most)?,
    })
}

fn rule() -> String {
    format!(
        "Each consumer's errors and rate limits on this version against its own calls of older versions, or, with fewer than {ENOUGH_CALLS} of \
         those, its last {RECENT} days against the days before: at least {ENOUGH_CALLS} calls on both sides, Fisher's exact test with {:.0} % \
         false discoveries over all consumers, {ENOUGH_TIMES} times the share and {ENOUGH_MORE} failures more than before, on {ENOUGH_DAYS} days or more.",
        FALSE_ALARMS * 100.0
    )
}

/// Different consumers; tests come consumer by consumer.
fn tested(tests: &[Test<'_>]) -> u64 {
    tests.chunk_by(|a, b| a.person.id == b.person.id).count() as u64
}

fn tests(person: &Person) -> impl Iterator<Item = Test<'_>> {
    let earlier = person.elsewhere.calls < ENOUGH_CALLS;
    let (before, now) = if earlier { (person.before, person.recent) } else { (person.elsewhere, person.tried()) };
    let enough = before.calls >= ENOUGH_CALLS && now.calls >= ENOUGH_CALLS;
    let errors = |t: Tried| t.failed.saturating_sub(t.rate_limited);
    let kinds = [("errors", errors(before), errors(now)), ("rate_limits", before.rate_limited, now.rate_limited)];
    kinds.into_iter().filter(move |_| enough).filter_map(move |(what, was, is)| {
        let (before, is_now) = ((was, before.calls), (is, now.calls));
        let p = share_rose(before, is_now)?;
        Some(Test { person, what, earlier, before, now: is_now, failed_days: now.failed_days, p })
    })
}

fn rows(journeys: &Journeys, view: &RollupView, hurting: Vec<(&Person, Rose<'_>)>, most: usize) -> Result<Vec<PainRow>, RollupError> {
    let additional = |rose: &[(&Test<'_>, f64)]| tidy(rose.iter().map(|(test, _)| test.additional()).sum());
    let mut ordered: Vec<(f64, &Person, Rose<'_>)> = hurting.into_iter().map(|(person, rose)| (additional(&rose), person, rose)).collect();
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Equals of the last one that is listed compete by name.
    let last = most.checked_sub(1).and_then(|at| ordered.get(at)).map(|(additional, ..)| *additional);
    let listed = ordered.into_iter().take_while(|(additional, ..)| most > 0 && last.is_none_or(|last| *additional >= last));
    let details = Details::read(journeys, view)?;
    let row = |(additional, person, rose): (f64, &Person, Rose<'_>)| {
        Ok(PainRow {
            consumer: view.consumer_name(person.id)?,
            rose: rose.iter().map(|(test, p)| rise(journeys, test, *p)).collect(),
            additional,
            operations: details.operations(person.id, |reach| reach.failed)?.1,
            revenue: money(&view.named_revenue(journeys.revenue(person.id).iter().copied())?),
            feedback: journeys.heard.get(&person.id).map_or(0, |heard| heard.any),
            state: journeys.state(person),
        })
    };
    let mut rows = listed.map(row).collect::<Result<Vec<_>, RollupError>>()?;
    rows.sort_by(|a, b| b.additional.total_cmp(&a.additional).then_with(|| a.consumer.cmp(&b.consumer)));
    rows.truncate(most);
    Ok(rows)
}

fn rise(journeys: &Journeys, test: &Test<'_>, p_adjusted: f64) -> Rise {
    let against = match journeys.versions.from.as_slice() {
        _ if test.earlier => "its earlier days",
        [one] => journeys.versions.name(*one),
        _ => "older versions",
    };
    Rise {
        what: test.what.to_owned(),
        against: against.to_owned(),
        before: share(test.before.0, test.before.1),
        now: share(test.now.0, test.now.1),
        p_adjusted: tidy(p_adjusted),
    }
}
