//! From the input to panels: newcomers set apart, common incidents left out, late feedback at the usage it is about.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use groundswell_model::Day;

use crate::input::{ConsumerInput, CustomCount, FeedbackItem, ReviewInput, VersionUse, Window};
use crate::linear::add_scaled;
use crate::panel::{Builder, Cell, Ground, Panel, stored};

/// A newcomer's first days are set apart …
const FIRST_DAYS: i32 = 3;
/// … and its first calls …
const FIRST_CALLS: u64 = 50;
/// … but not for longer than this many days.
const LEARNED: i32 = 14;
/// Feedback is about usage at most this many days before it.
const ABOUT_DAYS: usize = 30;
/// A day of the baseline with this many times its usual rate is an incident …
const INCIDENT: f64 = 2.5;
/// … if at least so many consumers failed on it …
const SHOWN_BY: usize = 15;
/// … and the rate on it is at least this.
const LEAST_RATE: f64 = 0.01;

/// What was left out, to be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LeftOut {
    /// Days on which the baseline itself was in trouble.
    pub(crate) incidents: Vec<Day>,
    /// Newcomers whose first calls were set apart.
    pub(crate) newcomers: u64,
}

/// The usage of a review, without what is left out of every comparison.
pub(crate) struct Usage {
    window: Window,
    /// Calls and errors.
    pub(crate) errors: Panel,
    pub(crate) left_out: LeftOut,
    incidents: BTreeSet<u16>,
    /// Calls with the incidents, where there were any.
    with_incidents: Option<Panel>,
    /// What feedback is held against.
    damped: OnceLock<Ground>,
}

impl Usage {
    pub(crate) fn of(input: &ReviewInput) -> Self {
        let window = input.window;
        let mut left_out = LeftOut::default();
        let mut errors = Builder::new(window.days());
        for (id, consumer) in (0u32..).zip(&input.consumers) {
            let settled = settled_from(consumer);
            let newcomer = settled.is_some_and(|day| usage_days(consumer).any(|d| d < day));
            left_out.newcomers += u64::from(newcomer);
            errors.push(id, cells(window, consumer, |_, calls, errors| (calls, errors)).filter(|c| after(window, c.day, settled)));
        }
        let errors = errors.build();
        let incidents = incidents(&errors);
        left_out.incidents = incidents.iter().map(|day| Day(window.from.0 + i32::from(*day))).collect();
        let (errors, with_incidents) =
            if incidents.is_empty() { (errors, None) } else { (errors.filter(|_, cell| !incidents.contains(&cell.day)), Some(errors)) };
        Self { window, errors, left_out, incidents, with_incidents, damped: OnceLock::new() }
    }

    /// Feedback that `counted` gives a weight, over usage.
    pub(crate) fn feedback(&self, input: &ReviewInput, counted: impl Fn(&FeedbackItem) -> f64) -> Panel {
        self.spoken(input, |side| side.feedback.iter().map(|item| (item.day, counted(item))))
    }

    /// What is said, over the usage that it is about.
    fn spoken<'a, I: Iterator<Item = (Day, f64)>>(&self, input: &'a ReviewInput, said: impl Fn(&'a VersionUse) -> I) -> Panel {
        let damped = self.damped.get_or_init(|| damped(self.with_incidents.as_ref().unwrap_or(&self.errors)));
        let [panel] = damped.counting(|consumer, [counts]| {
            let Some(own) = input.consumers.get(consumer.id as usize) else { return };
            for (candidate, side) in [(false, &own.baseline), (true, &own.candidate)] {
                for (day, weight) in said(side).filter(|(_, weight)| *weight > 0.0) {
                    let place = match own.first_seen {
                        // Nothing of it was left out, so its cells are its usage.
                        None => day_of(self.window, day).and_then(|day| consumer.about(candidate, usize::from(day), ABOUT_DAYS)),
                        Some(_) => about(self.window, side, day).and_then(|day| consumer.place(candidate, usize::from(day))),
                    };
                    if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                        *count += stored(weight);
                    }
                }
            }
        });
        panel
    }

    /// The counts of one custom guardrail.
    pub(crate) fn custom(&self, input: &ReviewInput, guardrail: u16) -> Panel {
        if input.spoken.contains(&guardrail) {
            let mine = move |side| custom_of(side, guardrail).map(|c| (c.day, c.count));
            return self.spoken(input, mine);
        }
        let mut panel = Builder::new(self.window.days());
        for (id, consumer) in (0u32..).zip(&input.consumers) {
            let settled = settled_from(consumer);
            let mut cells: Vec<Cell> = cells(self.window, consumer, |_, calls, _| (calls, 0.0)).collect();
            cells.sort_by_key(|c| (c.candidate, c.day));
            for (candidate, side) in [(false, &consumer.baseline), (true, &consumer.candidate)] {
                if custom_of(side, guardrail).any(|c| c.exposure.is_some()) {
                    cells.iter_mut().filter(|c| c.candidate == candidate).for_each(|c| c.exposure = 0.0);
                }
                for count in custom_of(side, guardrail) {
                    let day = about(self.window, side, count.day);
                    if let Some(cell) = day.and_then(|day| cells.iter_mut().find(|c| c.candidate == candidate && c.day == day)) {
                        cell.count += count.count;
                        cell.exposure += count.exposure.unwrap_or(0.0);
                    }
                }
            }
            panel.push(id, cells.into_iter().filter(|c| after(self.window, c.day, settled)));
        }
        panel.build()
    }

    /// Errors of one operation over its own calls, without what is left out of all errors and without days on which the baseline was in
    /// trouble on this operation alone, which are told.
    pub(crate) fn operation(&self, input: &ReviewInput, guardrail: u16) -> (Panel, Vec<Day>) {
        let mut panel = Builder::new(self.window.days());
        for (id, consumer) in (0u32..).zip(&input.consumers) {
            let settled = self.settled(consumer);
            panel.push(id, operation_cells(self.window, consumer, guardrail).filter(|c| self.keeps(settled, c.day)));
        }
        let panel = panel.build();
        let incidents = incidents(&panel);
        if incidents.is_empty() {
            return (panel, Vec::new());
        }
        let days = incidents.iter().map(|day| Day(self.window.from.0 + i32::from(*day))).collect();
        (panel.filter(|_, cell| !incidents.contains(&cell.day)), days)
    }

    /// The day from which a consumer is looked at; none: all along.
    pub(crate) fn settled(&self, consumer: &ConsumerInput) -> Option<u16> {
        let from = self.window.from.0;
        settled_from(consumer).map(|day| u16::try_from(day.0.saturating_sub(from).max(0)).unwrap_or(u16::MAX))
    }

    /// Whether a day of a consumer is looked at.
    pub(crate) fn keeps(&self, settled: Option<u16>, day: u16) -> bool {
        settled.is_none_or(|settled| day >= settled) && !self.incidents.contains(&day)
    }
}

/// Nobody writes ten times as much for calling ten times as often: of a consumer's calls of a day the square root counts,
/// shared between the versions as the calls are.
fn damped(calls: &Panel) -> Ground {
    let mut by_day = vec![0.0; calls.days];
    calls.ground(|consumer, exposure| {
        for run in consumer.runs() {
            add_scaled(&mut by_day[run.day..], 1.0, run.exposure);
        }
        let mut rest = exposure;
        for run in consumer.runs() {
            let (own, behind) = std::mem::take(&mut rest).split_at_mut(run.exposure.len());
            for (damped, all) in own.iter_mut().zip(&by_day[run.day..]).filter(|(calls, _)| **calls > 0.0) {
                *damped = stored(f64::from(*damped) / all.sqrt());
            }
            rest = behind;
        }
        by_day.fill(0.0);
    })
}

fn custom_of(side: &VersionUse, guardrail: u16) -> impl Iterator<Item = &CustomCount> {
    side.custom.iter().filter(move |c| c.guardrail == guardrail)
}

fn usage_days(consumer: &ConsumerInput) -> impl Iterator<Item = Day> {
    consumer.baseline.usage.iter().chain(&consumer.candidate.usage).map(|u| u.day)
}

fn after(window: Window, day: u16, settled: Option<Day>) -> bool {
    settled.is_none_or(|settled| window.from.0 + i32::from(day) >= settled.0)
}

/// The day from which a newcomer counts like others; none for those who were there all along.
fn settled_from(consumer: &ConsumerInput) -> Option<Day> {
    let first = consumer.first_seen?;
    let early: u64 = calls_before(consumer, Day(first.0 + FIRST_DAYS));
    if early >= FIRST_CALLS {
        return Some(Day(first.0 + FIRST_DAYS));
    }
    let mut days: Vec<Day> = usage_days(consumer).filter(|d| d.0 >= first.0 + FIRST_DAYS).collect();
    days.sort_unstable();
    let enough = days.into_iter().find(|day| calls_before(consumer, *day) >= FIRST_CALLS);
    Some(enough.map_or(Day(first.0 + LEARNED), |day| day.min(Day(first.0 + LEARNED))))
}

fn calls_before(consumer: &ConsumerInput, day: Day) -> u64 {
    consumer.baseline.usage.iter().chain(&consumer.candidate.usage).filter(|u| u.day < day).map(|u| u.calls).sum()
}

/// A consumer's cells in the window; `counted` tells exposure and count of a day's calls and errors.
fn cells(window: Window, consumer: &ConsumerInput, counted: impl Fn(Day, f64, f64) -> (f64, f64)) -> impl Iterator<Item = Cell> {
    let sides: [(bool, &VersionUse); 2] = [(false, &consumer.baseline), (true, &consumer.candidate)];
    sides.into_iter().flat_map(|(candidate, side)| side.usage.iter().map(move |u| (candidate, u))).filter_map(move |(candidate, u)| {
        let (exposure, count) = counted(u.day, real(u.calls), real(u.errors.min(u.calls)));
        Some(Cell { day: day_of(window, u.day)?, candidate, exposure, count })
    })
}

/// A consumer's cells of one operation: its calls of a day, and those that failed.
fn operation_cells(window: Window, consumer: &ConsumerInput, guardrail: u16) -> impl Iterator<Item = Cell> {
    let sides: [(bool, &VersionUse); 2] = [(false, &consumer.baseline), (true, &consumer.candidate)];
    sides.into_iter().flat_map(move |(candidate, side)| custom_of(side, guardrail).map(move |c| (candidate, c))).filter_map(
        move |(candidate, c)| {
            let exposure = c.exposure?;
            Some(Cell { day: day_of(window, c.day)?, candidate, exposure, count: c.count.min(exposure) })
        },
    )
}

/// A day's place in the window.
pub(crate) fn day_of(window: Window, day: Day) -> Option<u16> {
    let place = u16::try_from(day.0.checked_sub(window.from.0)?).ok()?;
    (day < window.until).then_some(place)
}

/// The day on which feedback counts: the consumer's last usage of that version up to then, else its first.
fn about(window: Window, side: &VersionUse, day: Day) -> Option<u16> {
    let day = day_of(window, day)?;
    let used = || side.usage.iter().filter(|u| u.calls > 0).filter_map(|u| day_of(window, u.day));
    let place = used().filter(|used| *used <= day).max().or_else(|| used().min())?;
    (usize::from(place.abs_diff(day)) <= ABOUT_DAYS).then_some(place)
}

/// Days on which the baseline's own rate was far above what is usual: an outage that hit everybody is not about the
/// candidate. Only the baseline decides, so a day on which the candidate alone fails is never left out.
fn incidents(panel: &Panel) -> BTreeSet<u16> {
    let mut days: Vec<(f64, f64, usize)> = vec![(0.0, 0.0, 0); panel.days];
    for cell in panel.iter().flat_map(|consumer| consumer.cells()).filter(|c| !c.candidate) {
        // The square root keeps a loud consumer from being the day.
        let (weight, rate) = (cell.exposure.sqrt(), cell.count / cell.exposure);
        let day = &mut days[usize::from(cell.day)];
        *day = (day.0 + weight * rate, day.1 + weight, day.2 + usize::from(cell.count > 0.0));
    }
    let rates: Vec<(u16, f64, usize)> = (0u16..).zip(&days).filter(|(_, d)| d.1 > 0.0).map(|(day, d)| (day, d.0 / d.1, d.2)).collect();
    let mut sorted: Vec<f64> = rates.iter().map(|(_, r, _)| *r).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(usual) = groundswell_stats::quantile(&sorted, 0.5) else { return BTreeSet::new() };
    let shown = |rate: f64, failed: usize| failed >= SHOWN_BY && rate > (INCIDENT * usual).max(LEAST_RATE);
    rates.into_iter().filter(|(_, rate, failed)| shown(*rate, *failed)).map(|(day, _, _)| day).collect()
}

/// A count as a real number.
pub(crate) fn real(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of calls; digits beyond 2^53 do not matter")]
    let real = count as f64;
    real
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::evaluate::draw;
    use crate::evaluate::scenario::Scenario;

    /// The exposure of feedback from the raw input: calls over the root of the day's calls on both versions, incidents or not.
    #[test]
    fn feedback_is_held_against_the_root_of_the_days_calls() {
        let scenario = Scenario { consumers: 50, newcomers: 0.2, outages: &[(-10, 0.5)], ..Scenario::default() };
        let input = draw(&scenario, 1);
        let usage = Usage::of(&input);
        assert!(!usage.left_out.incidents.is_empty(), "an incident is no reason to leave feedback out");
        let mut seen = 0;
        for consumer in usage.feedback(&input, |f| f.weight).iter() {
            let own = &input.consumers[consumer.id as usize];
            let mut by_day = BTreeMap::<u16, f64>::new();
            let used =
                || [(false, &own.baseline), (true, &own.candidate)].into_iter().flat_map(|(c, s)| s.usage.iter().map(move |u| (c, u)));
            used().for_each(|(_, u)| *by_day.entry(day_of(input.window, u.day).unwrap()).or_default() += real(u.calls));
            for cell in consumer.cells() {
                let at = Day(input.window.from.0 + i32::from(cell.day));
                let calls: f64 = used().filter(|(c, u)| *c == cell.candidate && u.day == at).map(|(_, u)| real(u.calls)).sum();
                assert!((cell.exposure / (calls / by_day[&cell.day].sqrt()) - 1.0).abs() < 1e-6, "{cell:?}");
                seen += 1;
            }
        }
        assert!(seen > 1_000, "{seen}");
    }
}
