//! Themes counted in one pass over the feedback of an API.

use std::collections::BTreeMap;

use groundswell_model::{Day, Timestamp};
use groundswell_themes::{Sketch, ThemeId};
use hashbrown::{HashMap, HashSet};

use super::types::{Share, Trend, Week};
use crate::search::{About, Place};

/// Pieces that may be quoted for one theme.
const CANDIDATES: usize = 6;
/// Bytes of text that say something without going on for ever.
const TELLING: std::ops::RangeInclusive<u64> = 60..=1200;
/// The days compared with as many before, if there are so many.
const RECENT_DAYS: i32 = 14;
/// Pieces of both halves from which a trend is told.
const FEWEST: u64 = 5;
/// How far from even a count of recent pieces must be: two-sided at 10 %.
const SURPRISING: f64 = 1.645;

/// Something that may be quoted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    quality: (bool, Timestamp, u64),
    consumer: u64,
    /// Number of the version index.
    pub(super) view: usize,
    pub(super) place: Place,
}

#[derive(Default)]
struct Weighed {
    pieces: u64,
    size: f64,
}

/// What is counted of one theme.
#[derive(Default)]
pub(super) struct Count {
    pub(super) pieces: u64,
    pub(super) size: f64,
    /// Named consumers.
    pub(super) consumers: HashSet<String>,
    requesters: HashSet<u64>,
    sketches: Vec<(u64, Sketch)>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    days: BTreeMap<Day, u64>,
    by: [HashMap<String, Weighed>; 5],
    candidates: Vec<Candidate>,
    /// Pieces met that are about several versions.
    met: HashSet<u64>,
}

/// The parts of [`Count::shares`].
#[derive(Clone, Copy)]
pub(super) enum By {
    Version = 0,
    Operation = 1,
    Aspect = 2,
    Type = 3,
    Sentiment = 4,
}

impl Count {
    /// Counts a piece on a version; one that is about several is a piece once, and weighs for each.
    pub(super) fn add(&mut self, about: &About<'_>, version: &str, view: usize) {
        self.size += about.weight;
        let again = about.copies > 1 && !self.met.insert(about.tie);
        let plain = u64::from(!again);
        let by_one = [(By::Version, version), (By::Operation, about.operation), (By::Type, about.kind), (By::Sentiment, about.sentiment)];
        for (by, value) in by_one.into_iter().chain(about.aspects.iter().map(|a| (By::Aspect, *a))) {
            if !value.is_empty() {
                let weighed = self.by[by as usize].entry_ref(value).or_default();
                weighed.size += about.weight;
                // By version it is a piece of each.
                weighed.pieces += if matches!(by, By::Version) { 1 } else { plain };
            }
        }
        if again {
            return;
        }
        self.pieces += 1;
        let named = if about.requester.is_empty() { about.consumer } else { about.requester };
        self.requesters.insert(if named.is_empty() { about.tie } else { xxhash_rust::xxh3::xxh3_64(named.as_bytes()) });
        if !about.consumer.is_empty() {
            self.consumers.get_or_insert_with(about.consumer, str::to_owned);
        }
        self.sketches.push((about.tie, about.sketch));
        self.first = Some(self.first.map_or(about.time, |t| t.min(about.time)));
        self.last = Some(self.last.map_or(about.time, |t| t.max(about.time)));
        *self.days.entry(about.time.day()).or_default() += 1;
        self.offer(about, view);
    }

    /// Telling length first, then newest, then by identity; at most one of each named consumer.
    fn offer(&mut self, about: &About<'_>, view: usize) {
        if about.length == 0 {
            return;
        }
        let quality = (TELLING.contains(&about.length), about.time, about.tie);
        let consumer = xxhash_rust::xxh3::xxh3_64(about.consumer.as_bytes());
        let new = Candidate { quality, consumer, view, place: about.place };
        if let Some(same) = self.candidates.iter().position(|c| !about.consumer.is_empty() && c.consumer == consumer) {
            if self.candidates[same].quality >= quality {
                return;
            }
            self.candidates.remove(same);
        }
        let at = self.candidates.partition_point(|c| c.quality > quality);
        self.candidates.insert(at, new);
        self.candidates.truncate(CANDIDATES);
    }

    /// People told apart; those without a name are each their own.
    pub(super) fn requesters(&self) -> u64 {
        self.requesters.len() as u64
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub(super) fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.first?, self.last?))
    }

    /// Pieces that say almost the same as an earlier one.
    pub(super) fn duplicates(&mut self) -> u64 {
        self.sketches.sort_unstable();
        let sketches: Vec<Sketch> = self.sketches.iter().map(|(_, s)| *s).collect();
        Sketch::repeats(&sketches)
    }

    /// The values that it has, most first.
    pub(super) fn shares(&self, by: By, most: usize) -> Vec<Share> {
        let mut all: Vec<Share> =
            self.by[by as usize].iter().map(|(value, w)| Share { value: value.clone(), pieces: w.pieces, size: tidy(w.size) }).collect();
        all.sort_by(|a, b| b.size.total_cmp(&a.size).then_with(|| a.value.cmp(&b.value)));
        all.truncate(most);
        all
    }

    /// The trend up to the last day of all feedback, where the first was `began`.
    pub(super) fn trend(&self, began: Day, last: Day) -> Trend {
        let span = last.0.saturating_sub(began.0).saturating_add(1);
        let days = RECENT_DAYS.min(span / 2).max(1);
        let since = last.0.saturating_sub(days).saturating_add(1);
        let count = |from: i32, to: i32| self.days.range(Day(from)..Day(to)).map(|(_, n)| n).sum::<u64>();
        let (recent, before) = (count(since, last.0.saturating_add(1)), count(since.saturating_sub(days), since));
        let earlier = count(i32::MIN, since);
        let mut weeks: BTreeMap<i32, u64> = BTreeMap::new();
        for (day, pieces) in &self.days {
            // 1970-01-01 was a Thursday.
            *weeks.entry(day.0 - (day.0 + 3).rem_euclid(7)).or_default() += pieces;
        }
        let weeks = weeks.into_iter().map(|(monday, pieces)| Week { start: date(Day(monday)), pieces }).collect();
        let word = word(recent, before, earlier == 0 && recent > 0 && span >= 2).to_owned();
        Trend { word, recent, before, days: days.unsigned_abs(), weeks }
    }
}

fn word(recent: u64, before: u64, new: bool) -> &'static str {
    if new {
        return "new";
    }
    let both = recent + before;
    let away = recent as f64 - before as f64;
    if both < FEWEST || away.abs() < SURPRISING * (both as f64).sqrt() {
        return "steady";
    }
    if away > 0.0 { "growing" } else { "shrinking" }
}

fn date(day: Day) -> String {
    day.start().rfc3339().chars().take(10).collect()
}

/// Sums of weights without the noise of their order.
pub(super) fn tidy(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// All themes of one API.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) themes: BTreeMap<ThemeId, Count>,
    pub(super) feedback: u64,
    met: HashSet<u64>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Counts {
    /// Counts a piece in a theme.
    pub(super) fn add(&mut self, theme: ThemeId, about: &About<'_>, version: &str, view: usize) {
        if about.copies <= 1 || self.met.insert(about.tie) {
            self.feedback += 1;
        }
        self.first = Some(self.first.map_or(about.time, |t| t.min(about.time)));
        self.last = Some(self.last.map_or(about.time, |t| t.max(about.time)));
        self.themes.entry(theme).or_default().add(about, version, view);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_is_told_where_chance_would_not_make_it() {
        let cases = [
            ((10, 2, false), "growing"),
            ((2, 10, false), "shrinking"),
            ((6, 4, false), "steady"),
            ((3, 0, false), "steady"),
            ((3, 0, true), "new"),
            ((0, 0, false), "steady"),
        ];
        for ((recent, before, new), expected) in cases {
            assert_eq!(word(recent, before, new), expected, "{recent} {before}");
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let mut count = Count::default();
        let day = |text: &str| Timestamp::parse(text).unwrap().day();
        count.days.insert(day("2026-03-01T10:00:00Z"), 2);
        count.days.insert(day("2026-03-02T10:00:00Z"), 3);
        let trend = count.trend(day("2026-02-01T00:00:00Z"), day("2026-03-02T00:00:00Z"));
        let weeks: Vec<_> = trend.weeks.iter().map(|w| (w.start.as_str(), w.pieces)).collect();
        assert_eq!(weeks, [("2026-02-23", 2), ("2026-03-02", 3)]);
        assert_eq!((trend.recent, trend.before, trend.days, trend.word.as_str()), (5, 0, 14, "new"));
    }
}
