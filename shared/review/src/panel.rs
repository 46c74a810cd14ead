//! What is counted: per consumer, day and version an exposure and a count.

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

/// The cells of all consumers, one consumer after the other, each by day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panel {
    /// Days in the window.
    pub(crate) days: usize,
    /// For each consumer its place in the review's input and the end of its cells.
    consumers: Vec<(u32, usize)>,
    cells: Vec<Cell>,
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

impl Panel {
    pub(crate) fn new(days: usize) -> Self {
        Self { days, ..Self::default() }
    }

    /// Adds a consumer. Cells without exposure can't have counts and are left out.
    pub(crate) fn push(&mut self, id: u32, cells: impl IntoIterator<Item = Cell>) {
        let start = self.cells.len();
        self.cells.extend(cells.into_iter().filter(|c| c.exposure > 0.0));
        if self.cells.len() > start {
            self.cells[start..].sort_by_key(|c| (c.day, c.candidate));
            self.consumers.push((id, self.cells.len()));
        }
    }

    /// Every consumer with its cells.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &[Cell])> {
        let starts = std::iter::once(0).chain(self.consumers.iter().map(|(_, end)| *end));
        self.consumers.iter().zip(starts).map(|((id, end), start)| (*id, &self.cells[start..*end]))
    }

    /// How many consumers have cells.
    pub(crate) fn len(&self) -> usize {
        self.consumers.len()
    }

    /// Only consumers with counts.
    pub(crate) fn with_counts(&self) -> Self {
        let mut kept = Self::new(self.days);
        for (id, cells) in self.iter().filter(|(_, cells)| cells.iter().any(|c| c.count > 0.0)) {
            kept.cells.extend_from_slice(cells);
            kept.consumers.push((id, kept.cells.len()));
        }
        kept
    }

    /// The same without what `keep` refuses.
    pub(crate) fn filter(&self, keep: impl Fn(u32, &Cell) -> bool) -> Self {
        let mut kept = Self::new(self.days);
        for (id, cells) in self.iter() {
            kept.push(id, cells.iter().copied().filter(|c| keep(id, c)));
        }
        kept
    }
}

/// Baseline and candidate of some cells.
pub(crate) fn sides(cells: &[Cell]) -> (Side, Side) {
    let (mut baseline, mut candidate) = (Side::default(), Side::default());
    for cell in cells {
        if cell.candidate { candidate.add(cell) } else { baseline.add(cell) }
    }
    (baseline, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_keep_their_cells_by_day() {
        let cell = |day, candidate, exposure| Cell { day, candidate, exposure, count: 1.0 };
        let mut panel = Panel::new(3);
        panel.push(7, [cell(2, true, 5.0), cell(0, false, 3.0), cell(1, false, 0.0)]);
        panel.push(8, [cell(1, false, 0.0)]);
        let all: Vec<_> = panel.iter().map(|(id, cells)| (id, cells.len(), cells[0].day)).collect();
        assert_eq!(all, [(7, 2, 0)], "cells and consumers without exposure are left out");
        let (baseline, candidate) = sides(panel.iter().next().unwrap().1);
        assert_eq!((baseline.exposure, candidate.rate()), (3.0, Some(0.2)));
    }
}
