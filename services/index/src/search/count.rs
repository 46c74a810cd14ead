//! Counting while hits are gathered: facets and the histogram.

use std::collections::BTreeMap;

use groundswell_model::Timestamp;
use hashbrown::HashMap;
use jiff::civil::Date;
use tantivy::DocId;
use tantivy::columnar::Cardinality;

use super::error::SearchError;
use super::run::BLOCK;
use super::schema::Keyword;
use super::snapshot::{KeywordColumn, SegmentView};
use super::types::{FacetCount, HistogramBucket, Interval};

const MS_PER_HOUR: i64 = 3_600_000;
const HOURS_PER_DAY: i64 = 24;
/// Bars of a histogram at most.
const MOST_BARS: usize = 10_000;
/// Spans of time up to so many units are counted in a plain array.
const DENSE_UNITS: i64 = 100_000;

/// Counts the values of one field.
pub(super) struct Facet {
    keyword: Keyword,
    totals: HashMap<Box<str>, u64>,
    counts: Vec<u32>,
    /// Numbers of the values of a block of documents.
    ords: [Option<u64>; BLOCK],
}

impl Facet {
    pub(super) fn of(name: &str) -> Result<Self, SearchError> {
        let keyword = Keyword::from_name(name).filter(|k| k.is_facet()).ok_or_else(|| {
            let known: Vec<_> = Keyword::ALL.iter().filter(|k| k.is_facet()).map(|k| k.name()).collect();
            SearchError::Request(format!("there is no facet {name:?}; use one of {}", known.join(", ")))
        })?;
        Ok(Self { keyword, totals: HashMap::new(), counts: Vec::new(), ords: [None; BLOCK] })
    }

    pub(super) fn name(&self) -> &'static str {
        self.keyword.name()
    }

    /// Readies for the next segment.
    pub(super) fn enter<'a>(&mut self, segment: &SegmentView<'a>) -> Result<&'a KeywordColumn, SearchError> {
        let column = segment.keyword(self.keyword)?;
        self.counts.clear();
        self.counts.resize(column.values(), 0);
        Ok(column)
    }

    pub(super) fn count(&mut self, column: &KeywordColumn, docs: &[DocId]) {
        let counts = &mut self.counts;
        let mut met = |ord: u64| {
            if let Some(count) = usize::try_from(ord).ok().and_then(|o| counts.get_mut(o)) {
                *count += 1;
            }
        };
        let ords = column.ords();
        match self.ords.get_mut(..docs.len()) {
            // A block at a time where a document has one value at most.
            Some(block) if ords.get_cardinality() != Cardinality::Multivalued => {
                block.fill(None);
                ords.first_vals(docs, block);
                block.iter().flatten().copied().for_each(met);
            }
            _ => docs.iter().flat_map(|doc| ords.values_for_doc(*doc)).for_each(&mut met),
        }
    }

    /// Adds what was counted in this segment.
    pub(super) fn leave(&mut self, column: &KeywordColumn) -> Result<(), SearchError> {
        let met: Vec<u64> = (0u64..).zip(&self.counts).filter(|(_, c)| **c > 0).map(|(ord, _)| ord).collect();
        let (totals, counts) = (&mut self.totals, &self.counts);
        column.resolve(&met, |ord, value| {
            let count = usize::try_from(ord).ok().and_then(|o| counts.get(o)).copied().unwrap_or(0);
            *totals.entry_ref(value).or_default() += u64::from(count);
        })
    }

    /// The most frequent values; equals in alphabetical order.
    pub(super) fn top(self, limit: usize) -> Vec<FacetCount> {
        let mut all: Vec<_> = self.totals.into_iter().map(|(value, count)| FacetCount { value: value.into(), count }).collect();
        all.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        all.truncate(limit);
        all
    }
}

/// Counts over time.
pub(super) struct Histogram {
    interval: Interval,
    /// Hours or days to how many.
    totals: BTreeMap<i64, u64>,
    first: i64,
    dense: Vec<u32>,
    sparse: HashMap<i64, u64>,
}

impl Histogram {
    pub(super) fn of(interval: Interval) -> Self {
        Self { interval, totals: BTreeMap::new(), first: 0, dense: Vec::new(), sparse: HashMap::new() }
    }

    fn unit(&self) -> i64 {
        if self.interval == Interval::Hour { MS_PER_HOUR } else { MS_PER_HOUR * HOURS_PER_DAY }
    }

    /// Readies for a segment whose times lie between these.
    pub(super) fn enter(&mut self, earliest: i64, latest: i64) {
        self.first = earliest.div_euclid(self.unit());
        let units = latest.div_euclid(self.unit()).saturating_sub(self.first).saturating_add(1);
        self.dense.clear();
        self.dense.resize(usize::try_from(units).unwrap_or(0) * usize::from((1..=DENSE_UNITS).contains(&units)), 0);
    }

    pub(super) fn count(&mut self, time: i64) {
        let unit = time.div_euclid(self.unit());
        match usize::try_from(unit.wrapping_sub(self.first)).ok().and_then(|u| self.dense.get_mut(u)) {
            Some(count) => *count += 1,
            None => *self.sparse.entry(unit).or_default() += 1,
        }
    }

    /// Adds what was counted in this segment.
    pub(super) fn leave(&mut self) {
        for (unit, count) in (self.first..).zip(&self.dense).filter(|(_, c)| **c > 0) {
            *self.totals.entry(unit).or_default() += u64::from(*count);
        }
        for (unit, count) in self.sparse.drain() {
            *self.totals.entry(unit).or_default() += count;
        }
    }

    /// The bars, oldest first.
    pub(super) fn bars(self) -> Result<Vec<HistogramBucket>, SearchError> {
        let unit = self.unit();
        let mut bars: BTreeMap<i64, u64> = BTreeMap::new();
        for (at, count) in self.totals {
            let start = match self.interval {
                Interval::Hour | Interval::Day => at,
                // 1970-01-01 was a Thursday.
                Interval::Week => at - (at + 3).rem_euclid(7),
                Interval::Month => month_of(at),
            };
            *bars.entry(start).or_default() += count;
        }
        if bars.len() > MOST_BARS {
            let what = format!(
                "the histogram would have {} bars, at most {MOST_BARS} are shown: use a wider interval or a filter on time",
                bars.len()
            );
            return Err(SearchError::Request(what));
        }
        Ok(bars.into_iter().map(|(at, count)| HistogramBucket { start: Timestamp(at.saturating_mul(unit)).rfc3339(), count }).collect())
    }
}

/// The first day of the month that this day (since 1970-01-01) lies in; the day itself where no calendar reaches.
fn month_of(day: i64) -> i64 {
    let date = || -> Result<Date, jiff::Error> { Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(day)?) };
    date().map_or(day, |d| day - i64::from(d.day()) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(interval: Interval, times: &[&str]) -> Vec<(String, u64)> {
        let mut histogram = Histogram::of(interval);
        let times: Vec<i64> = times.iter().map(|t| Timestamp::parse(t).unwrap().0).collect();
        histogram.enter(times[0], times[0]);
        times.iter().for_each(|t| histogram.count(*t));
        histogram.leave();
        histogram.bars().unwrap().into_iter().map(|b| (b.start, b.count)).collect()
    }

    #[test]
    fn bars_begin_at_calendar_bounds() {
        let times = ["2026-03-01T10:30:00Z", "2026-03-01T11:00:00Z", "2026-02-28T23:59:59Z", "1969-12-31T23:00:00Z"];
        let of = |s: &str, n| (s.to_owned(), n);
        assert_eq!(
            starts(Interval::Month, &times),
            [of("1969-12-01T00:00:00Z", 1), of("2026-02-01T00:00:00Z", 1), of("2026-03-01T00:00:00Z", 2)]
        );
        assert_eq!(starts(Interval::Week, &times), [of("1969-12-29T00:00:00Z", 1), of("2026-02-23T00:00:00Z", 3)]);
        assert_eq!(starts(Interval::Day, &times)[1..], [of("2026-02-28T00:00:00Z", 1), of("2026-03-01T00:00:00Z", 2)]);
        assert_eq!(starts(Interval::Hour, &times)[2], of("2026-03-01T10:00:00Z", 1));
    }
}
