//! From the input to panels: newcomers set apart, common incidents left out, late feedback at the usage it is about.

use std::collections::BTreeSet;

use groundswell_model::Day;

use crate::input::{ConsumerInput, FeedbackItem, ReviewInput, VersionUse, Window};
use crate::panel::{Cell, Panel};

/// A newcomer's first days are set apart …
const FIRST_DAYS: i32 = 3;
/// … and its first calls …
const FIRST_CALLS: u64 = 50;
/// … but not for longer than this many days.
const LEARNED: i32 = 14;
/// Feedback is about usage at most this many days before it.
const ABOUT_DAYS: i32 = 30;
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
}

impl Usage {
    pub(crate) fn of(input: &ReviewInput) -> Self {
        let window = input.window;
        let mut left_out = LeftOut::default();
        let mut errors = Panel::new(window.days());
        for (id, consumer) in (0u32..).zip(&input.consumers) {
            let settled = settled_from(consumer);
            let newcomer = settled.is_some_and(|day| usage_days(consumer).any(|d| d < day));
            left_out.newcomers += u64::from(newcomer);
            errors.push(id, cells(window, consumer, |_, calls, errors| (calls, errors)).filter(|c| after(window, c.day, settled)));
        }
        let incidents = incidents(&errors);
        left_out.incidents = incidents.iter().map(|day| Day(window.from.0 + i32::from(*day))).collect();
        let errors = if incidents.is_empty() { errors } else { errors.filter(|_, cell| !incidents.contains(&cell.day)) };
        Self { window, errors, left_out, incidents }
    }

    /// Feedback that `counted` gives a weight, over usage.
    pub(crate) fn feedback(&self, input: &ReviewInput, counted: impl Fn(&FeedbackItem) -> f64) -> Panel {
        self.with_counts(input, |consumer, cells| {
            damp(cells);
            for (candidate, side) in [(false, &consumer.baseline), (true, &consumer.candidate)] {
                for item in &side.feedback {
                    let weight = counted(item);
                    if weight > 0.0
                        && let Some(place) = about(self.window, cells, candidate, item.day)
                    {
                        cells[place].count += weight;
                    }
                }
            }
        })
    }

    /// The counts of one custom guardrail.
    pub(crate) fn custom(&self, input: &ReviewInput, guardrail: u16) -> Panel {
        self.with_counts(input, |consumer, cells| {
            for (candidate, side) in [(false, &consumer.baseline), (true, &consumer.candidate)] {
                let own = side.custom.iter().any(|c| c.guardrail == guardrail && c.exposure.is_some());
                if own {
                    cells.iter_mut().filter(|c| c.candidate == candidate).for_each(|c| c.exposure = 0.0);
                }
                for count in side.custom.iter().filter(|c| c.guardrail == guardrail) {
                    if let Some(place) = about(self.window, cells, candidate, count.day) {
                        cells[place].count += count.count;
                        cells[place].exposure += count.exposure.unwrap_or(0.0);
                    }
                }
            }
        })
    }

    fn with_counts(&self, input: &ReviewInput, fill: impl Fn(&ConsumerInput, &mut Vec<Cell>)) -> Panel {
        let mut panel = Panel::new(self.window.days());
        for (id, consumer) in (0u32..).zip(&input.consumers) {
            let settled = settled_from(consumer);
            let mut all: Vec<Cell> = cells(self.window, consumer, |_, calls, _| (calls, 0.0)).collect();
            all.sort_by_key(|c| (c.candidate, c.day));
            fill(consumer, &mut all);
            panel.push(id, all.into_iter().filter(|c| after(self.window, c.day, settled)));
        }
        panel
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
fn damp(cells: &mut [Cell]) {
    let mut by_day = std::collections::BTreeMap::<u16, f64>::new();
    cells.iter().for_each(|c| *by_day.entry(c.day).or_default() += c.exposure);
    for cell in cells {
        if let Some(calls) = by_day.get(&cell.day) {
            cell.exposure /= calls.max(f64::MIN_POSITIVE).sqrt();
        }
    }
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

/// A day's place in the window.
pub(crate) fn day_of(window: Window, day: Day) -> Option<u16> {
    let place = u16::try_from(day.0.checked_sub(window.from.0)?).ok()?;
    (day < window.until).then_some(place)
}

/// Where feedback counts: the consumer's last usage of that version up to then, else its first.
fn about(window: Window, cells: &[Cell], candidate: bool, day: Day) -> Option<usize> {
    let day = day_of(window, day)?;
    let side = || cells.iter().enumerate().filter(|(_, c)| c.candidate == candidate);
    let before = side().rfind(|(_, c)| c.day <= day);
    let (place, cell) = before.or_else(|| side().find(|(_, c)| c.day > day))?;
    (i32::from(cell.day).abs_diff(i32::from(day)) <= ABOUT_DAYS.unsigned_abs()).then_some(place)
}

/// Days on which the baseline's own rate was far above what is usual: an outage that hit everybody is not about the
/// candidate. Only the baseline decides, so a day on which the candidate alone fails is never left out.
fn incidents(panel: &Panel) -> BTreeSet<u16> {
    let mut days: Vec<(f64, f64, usize)> = vec![(0.0, 0.0, 0); panel.days];
    for cell in panel.iter().flat_map(|(_, cells)| cells).filter(|c| !c.candidate) {
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
