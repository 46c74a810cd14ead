//! What is counted: per consumer, day and version an exposure and a count.
//!
//! Cells lie in runs of neighbouring days of one version, so that the sums of a fit run over plain arrays. What could have
//! been counted ([`Shape`]) is kept once for all that was counted on it: a review fits the same calls several times.

use std::sync::Arc;

/// Days without exposure that do not end a run: whoever calls once a week is one run. Zeroes are gone through faster than a new run begins.
const GAP: u16 = 7;

/// How exposures and counts are kept: whole numbers up to 16 million are exact, others to seven digits, in half the room. Sums are
/// made in double precision.
pub(crate) type Stored = f32;

/// A number as it is kept.
pub(crate) fn stored(value: f64) -> Stored {
    #[expect(clippy::cast_possible_truncation, reason = "rounded to seven digits")]
    let stored = value as Stored;
    stored
}

/// One consumer on one day on one of both versions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Day of the window, from 0.
    pub(crate) day: u16,
    /// Whether it is the candidate; else the baseline.
    pub(crate) candidate: bool,
    /// What could have been counted: calls.
    pub(crate) exposure: f64,
    /// What was counted: errors, slow calls, feedback. Pieces of feedback may count in part.
    pub(crate) count: f64,
}

/// Neighbouring days of one consumer on one version.
#[derive(Clone, Copy, Debug)]
struct Head {
    day: u16,
    days: u16,
    candidate: bool,
}

/// One consumer's place: its place in the review's input, and the ends of its runs and cells.
#[derive(Clone, Copy, Debug)]
struct Row {
    id: u32,
    heads: usize,
    cells: usize,
}

/// Exposures of all consumers, one consumer after the other, baseline before candidate, each by day.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    rows: Vec<Row>,
    heads: Vec<Head>,
    exposure: Vec<Stored>,
}

/// Exposures alone, on which several things are counted.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) days: usize,
    shape: Arc<Shape>,
}

/// Exposures and counts of all consumers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    /// Days in the window.
    pub(crate) days: usize,
    shape: Arc<Shape>,
    count: Vec<Stored>,
    /// Counts of each consumer: all, and on the candidate.
    sums: Vec<(f64, f64)>,
}

/// One consumer's cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consumer<'a> {
    /// Its place in the review's input.
    pub(crate) id: u32,
    /// All its counts.
    pub(crate) total: f64,
    /// Its counts on the candidate.
    pub(crate) on_candidate: f64,
    heads: &'a [Head],
    exposure: &'a [Stored],
    count: &'a [Stored],
}

/// Neighbouring days of one consumer on one version, with zeroes where nothing happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// The first day.
    pub(crate) day: usize,
    /// Whether it is the candidate.
    pub(crate) candidate: bool,
    /// Exposure by day.
    pub(crate) exposure: &'a [Stored],
    /// Count by day.
    pub(crate) count: &'a [Stored],
}

/// Exposure and count of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Side {
    pub(crate) exposure: f64,
    pub(crate) count: f64,
}

impl Side {
    fn add(&mut self, cell: &Cell) {
        self.exposure += cell.exposure;
        self.count += cell.count;
    }

    pub(crate) fn rate(self) -> Option<f64> {
        (self.exposure > 0.0).then(|| self.count / self.exposure)
    }
}

/// A panel in the making.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    days: usize,
    shape: Shape,
    count: Vec<Stored>,
    sums: Vec<(f64, f64)>,
    sorted: Vec<Cell>,
}

impl Builder {
    pub(crate) fn new(days: usize) -> Self {
        Self { days, ..Self::default() }
    }

    /// Adds a consumer. Cells without exposure can't have counts and are left out.
    pub(crate) fn push(&mut self, id: u32, cells: impl IntoIterator<Item = Cell>) {
        self.sorted.clear();
        self.sorted.extend(cells.into_iter().filter(|c| c.exposure > 0.0 && usize::from(c.day) < self.days));
        self.sorted.sort_by_key(|c| (c.candidate, c.day));
        if self.sorted.is_empty() {
            return;
        }
        let mut last: Option<Cell> = None;
        let mut sums = (0.0, 0.0);
        for cell in &self.sorted {
            sums.0 += cell.count;
            sums.1 += if cell.candidate { cell.count } else { 0.0 };
            self.shape.cell(&mut self.count, last, cell);
            last = Some(*cell);
        }
        self.sums.push(sums);
        self.shape.rows.push(Row { id, heads: self.shape.heads.len(), cells: self.shape.exposure.len() });
    }

    /// How many consumers have cells.
    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    pub(crate) fn build(self) -> Panel {
        Panel { days: self.days, shape: Arc::new(self.shape), count: self.count, sums: self.sums }
    }

    /// What could have been counted, for counts to come.
    pub(crate) fn ground(self) -> Ground {
        Ground { days: self.days, shape: Arc::new(self.shape) }
    }
}

impl Shape {
    fn cell(&mut self, counts: &mut Vec<Stored>, last: Option<Cell>, cell: &Cell) {
        let near = last.filter(|l| l.candidate == cell.candidate && cell.day - l.day <= GAP + 1);
        match (near, self.heads.last_mut(), self.exposure.last_mut(), counts.last_mut()) {
            (Some(same), _, Some(exposure), Some(count)) if same.day == cell.day => {
                *exposure += stored(cell.exposure);
                *count += stored(cell.count);
                return;
            }
            (Some(before), Some(head), _, _) => {
                head.days += cell.day - before.day;
                let places = self.exposure.len() + usize::from(cell.day - before.day - 1);
                self.exposure.resize(places, 0.0);
                counts.resize(places, 0.0);
            }
            _ => self.heads.push(Head { day: cell.day, days: 1, candidate: cell.candidate }),
        }
        self.exposure.push(stored(cell.exposure));
        counts.push(stored(cell.count));
    }
}

impl Ground {
    /// Counts several things at once: `fill` gets each consumer and its counts of each, all of them zero.
    pub(crate) fn counting<const N: usize>(&self, mut fill: impl FnMut(&Consumer<'_>, &mut [&mut [Stored]; N])) -> [Panel; N] {
        let (days, cells, rows) = (self.days, self.shape.exposure.len(), self.shape.rows.len());
        let empty = || Panel { days, shape: self.shape.clone(), count: vec![0.0; cells], sums: Vec::with_capacity(rows) };
        let mut panels = [(); N].map(|()| empty());
        let uncounted = vec![0.0; days * 2];
        let (mut heads, mut start) = (0, 0);
        for row in &self.shape.rows {
            let (heads_of, exposure) = (&self.shape.heads[heads..row.heads], &self.shape.exposure[start..row.cells]);
            let consumer =
                Consumer { id: row.id, total: 0.0, on_candidate: 0.0, heads: heads_of, exposure, count: &uncounted[..exposure.len()] };
            fill(&consumer, &mut panels.each_mut().map(|panel| &mut panel.count[start..row.cells]));
            panels.iter_mut().for_each(|panel| panel.sums.push(sums(heads_of, &panel.count[start..row.cells])));
            (heads, start) = (row.heads, row.cells);
        }
        panels
    }
}

/// All counts of some runs, and those on the candidate.
fn sums(heads: &[Head], counts: &[Stored]) -> (f64, f64) {
    let (mut all, mut here, mut place) = (0.0, 0.0, 0);
    for head in heads {
        let run: f64 = counts[place..place + usize::from(head.days)].iter().map(|count| f64::from(*count)).sum();
        place += usize::from(head.days);
        all += run;
        here += if head.candidate { run } else { 0.0 };
    }
    (all, here)
}

impl Panel {
    /// Every consumer with its cells.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Consumer<'_>> {
        let shape = &*self.shape;
        let starts = std::iter::once((0, 0)).chain(shape.rows.iter().map(|row| (row.heads, row.cells)));
        shape.rows.iter().zip(&self.sums).zip(starts).map(move |((row, sums), (heads, cells))| Consumer {
            id: row.id,
            total: sums.0,
            on_candidate: sums.1,
            heads: &shape.heads[heads..row.heads],
            exposure: &shape.exposure[cells..row.cells],
            count: &self.count[cells..row.cells],
        })
    }

    /// Consumers with counts, each with its place among all; the others tell nothing about a ratio.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (usize, Consumer<'_>)> {
        self.iter().enumerate().filter(|(_, consumer)| consumer.total > 0.0)
    }

    /// How many consumers have counts.
    pub(crate) fn counted_len(&self) -> usize {
        self.sums.iter().filter(|(total, _)| *total > 0.0).count()
    }

    /// What could have been counted, changed by `change`, which gets each consumer and its exposures; none may become zero.
    pub(crate) fn ground(&self, mut change: impl FnMut(&Consumer<'_>, &mut [Stored])) -> Ground {
        let mut exposure = self.shape.exposure.clone();
        let mut start = 0;
        for (consumer, row) in self.iter().zip(&self.shape.rows) {
            change(&consumer, &mut exposure[start..row.cells]);
            start = row.cells;
        }
        let shape = Shape { rows: self.shape.rows.clone(), heads: self.shape.heads.clone(), exposure };
        Ground { days: self.days, shape: Arc::new(shape) }
    }

    /// The same with other counts of some: `change` gets each consumer and its counts, and says whether it changed them.
    pub(crate) fn recounted(&self, mut change: impl FnMut(&Consumer<'_>, &mut [Stored]) -> bool) -> Self {
        let mut changed = self.clone();
        let mut start = 0;
        for ((consumer, row), sum) in self.iter().zip(&self.shape.rows).zip(&mut changed.sums) {
            let own = &mut changed.count[start..row.cells];
            if change(&consumer, own) {
                *sum = sums(consumer.heads, own);
            }
            start = row.cells;
        }
        changed
    }

    /// The same without what `keep` refuses.
    pub(crate) fn filter(&self, keep: impl Fn(u32, &Cell) -> bool) -> Self {
        let mut kept = Builder::new(self.days);
        for consumer in self.iter() {
            kept.push(consumer.id, consumer.cells().filter(|c| keep(consumer.id, c)));
        }
        kept.build()
    }
}

impl<'a> Consumer<'a> {
    /// Its runs, baseline before candidate, each by day.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run<'a>> + use<'a> {
        let (exposure, count, mut start) = (self.exposure, self.count, 0);
        self.heads.iter().map(move |head| {
            let places = start..start + usize::from(head.days);
            start = places.end;
            Run { day: usize::from(head.day), candidate: head.candidate, exposure: &exposure[places.clone()], count: &count[places] }
        })
    }

    /// Where a day of a version stands among its cells; none where it has no exposure.
    pub(crate) fn place(&self, candidate: bool, day: usize) -> Option<usize> {
        let mut start = 0;
        for run in self.runs() {
            if run.candidate == candidate && (run.day..run.day + run.exposure.len()).contains(&day) {
                return (run.exposure[day - run.day] > 0.0).then_some(start + day - run.day);
            }
            start += run.exposure.len();
        }
        None
    }

    /// The place of the last day of a version up to `day`, else of its first, if it is at most `within` days away.
    pub(crate) fn about(&self, candidate: bool, day: usize, within: usize) -> Option<usize> {
        let (mut start, mut found) = (0, None);
        for run in self.runs() {
            if run.candidate == candidate {
                let upto = (day + 1).saturating_sub(run.day).min(run.exposure.len());
                let last = run.exposure[..upto].iter().rposition(|exposure| *exposure > 0.0);
                match last {
                    Some(at) => found = Some((start + at, run.day + at)),
                    // A run begins with exposure.
                    None if found.is_none() => found = Some((start, run.day)),
                    None => {}
                }
            }
            start += run.exposure.len();
        }
        found.filter(|(_, at)| at.abs_diff(day) <= within).map(|(place, _)| place)
    }

    /// Its cells with exposure, in the same order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = Cell> + use<'a> {
        self.runs()
            .flat_map(|run| {
                let days = (0u16..).map(move |day| u16::try_from(run.day).unwrap_or(0) + day);
                let cells = days.zip(run.exposure.iter().zip(run.count));
                cells.map(move |(day, (exposure, count))| Cell {
                    day,
                    candidate: run.candidate,
                    exposure: f64::from(*exposure),
                    count: f64::from(*count),
                })
            })
            .filter(|cell| cell.exposure > 0.0)
    }

    /// Baseline and candidate.
    pub(crate) fn sides(&self) -> (Side, Side) {
        sides(self.cells())
    }
}

/// Baseline and candidate of some cells.
pub(crate) fn sides(cells: impl IntoIterator<Item = Cell>) -> (Side, Side) {
    let (mut baseline, mut candidate) = (Side::default(), Side::default());
    for cell in cells {
        if cell.candidate { candidate.add(&cell) } else { baseline.add(&cell) }
    }
    (baseline, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn panel(consumers: &[(u32, Vec<Cell>)], days: usize) -> Panel {
        let mut builder = Builder::new(days);
        consumers.iter().for_each(|(id, cells)| builder.push(*id, cells.iter().copied()));
        builder.build()
    }

    #[test]
    fn consumers_keep_their_cells_by_day() {
        let cell = |day, candidate, exposure| Cell { day, candidate, exposure, count: 1.0 };
        let panel = panel(&[(7, vec![cell(2, true, 5.0), cell(0, false, 3.0), cell(1, false, 0.0)]), (8, vec![cell(1, false, 0.0)])], 3);
        let all: Vec<_> = panel.iter().map(|c| (c.id, c.cells().count(), c.total, c.on_candidate)).collect();
        assert_eq!(all, [(7, 2, 2.0, 1.0)], "cells and consumers without exposure are left out");
        let (baseline, candidate) = panel.iter().next().unwrap().sides();
        assert_eq!((baseline.exposure, candidate.rate()), (3.0, Some(0.2)));
    }

    proptest! {
        /// Whatever days there are: the cells come back by version and day, those of the same day together.
        #[test]
        fn runs_hold_every_cell(cells in proptest::collection::vec((0u16..40, any::<bool>(), 1u8..5, 0u8..3), 0..30)) {
            let mut wanted = std::collections::BTreeMap::<(bool, u16), (f64, f64)>::new();
            for (day, candidate, exposure, count) in &cells {
                let sum = wanted.entry((*candidate, *day)).or_default();
                *sum = (sum.0 + f64::from(*exposure), sum.1 + f64::from(*count));
            }
            let given = cells.iter().map(|(day, candidate, exposure, count)| {
                Cell { day: *day, candidate: *candidate, exposure: f64::from(*exposure), count: f64::from(*count) }
            });
            let panel = panel(&[(1, given.collect())], 40);
            let got: Vec<_> = panel.iter().flat_map(|c| c.cells()).map(|c| ((c.candidate, c.day), (c.exposure, c.count))).collect();
            prop_assert_eq!(got, wanted.into_iter().collect::<Vec<_>>());
        }
    }
}
