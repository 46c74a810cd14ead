//! What each consumer did day by day, in one pass over the days of an API: the ground of every journey.
//!
//! Everything is told from sums by consumer and day, so the order in which usage was read never shows, and late usage
//! puts a journey right instead of adding to it.

use std::collections::BTreeMap;

use groundswell_model::{Day, Timestamp};

use super::types::AdoptionStep;
use crate::rollup::{ConsumerSet, Days, Presence, RollupError, RollupView, VersionId};

/// Days at the end of the data that tell where most calls go.
pub(super) const LATELY: i32 = 14;
/// Days at the end of the data that are held against the days before.
pub(super) const RECENT: i32 = 7;
/// Who makes no call for longer than the least of these, and than twice its longest pause, is gone; the most is enough for anybody.
const PATIENCE: std::ops::RangeInclusive<i32> = 7..=60;
/// The most steps of an adoption curve by day; longer spans are told by week.
const MOST_DAYS: i32 = 62;

/// The versions of an API, as seen from one of them.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// The version asked for, if it was ever called.
    pub this: Option<VersionId>,
    /// Where consumers come from: the baseline if one is named, else every older version.
    pub from: Vec<VersionId>,
    /// Every newer version.
    pub newer: Vec<VersionId>,
    /// All of them with their names, oldest first, `unknown` last.
    pub all: Vec<(String, VersionId)>,
}

impl Versions {
    /// The name of one of them.
    #[must_use]
    pub fn name(&self, id: VersionId) -> &str {
        self.all.iter().find(|(_, other)| *other == id).map_or("", |(name, _)| name.as_str())
    }
}

/// Calls by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// All of them.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that hit a rate limit.
    pub rate_limited: u64,
    /// Days with a failed call.
    pub failed_days: u32,
}

impl Tried {
    fn add(&mut self, presence: &Presence) {
        self.calls = self.calls.saturating_add(presence.calls);
        self.failed = self.failed.saturating_add(presence.failed);
        self.rate_limited = self.rate_limited.saturating_add(presence.rate_limited);
        self.failed_days += u32::from(presence.failed > 0);
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            rate_limited: self.rate_limited.saturating_add(other.rate_limited),
            failed_days: self.failed_days.saturating_add(other.failed_days),
        }
    }
}

/// The days on which a consumer called a version, or any of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    /// The first of them.
    pub first: Day,
    /// The last of them.
    pub last: Day,
    /// How many.
    pub days: u32,
    /// The most days from one to the next.
    pub pause: i32,
}

impl Default for Track {
    fn default() -> Self {
        Self { first: Day(i32::MAX), last: Day(i32::MIN), days: 0, pause: 0 }
    }
}

impl Track {
    /// Notes a day; days come in order.
    fn note(&mut self, day: Day) {
        if self.days > 0 && self.last == day {
            return;
        }
        if self.days == 0 {
            self.first = day;
        } else {
            self.pause = self.pause.max(day.0.saturating_sub(self.last.0));
        }
        self.last = day;
        self.days += 1;
    }

    /// Whether there was any call.
    #[must_use]
    pub fn any(&self) -> bool {
        self.days > 0
    }

    /// Days without a call after which the consumer counts as gone: twice its longest pause, within bounds.
    #[must_use]
    pub fn patience(&self) -> i32 {
        self.pause.saturating_mul(2).clamp(*PATIENCE.start(), *PATIENCE.end())
    }

    /// Whether the consumer is gone at the `end` of the data.
    #[must_use]
    pub fn gone(&self, end: Day, patience: Option<i32>) -> bool {
        self.any() && end.0.saturating_sub(self.last.0) > patience.unwrap_or_else(|| self.patience())
    }
}

/// One consumer.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Its number in the roll-ups.
    pub id: u32,
    /// Its days on the version asked for.
    pub this: Track,
    /// Its days on the versions it may come from.
    pub from: Track,
    /// Its days on newer versions.
    pub newer: Track,
    /// Its days on any version of the API.
    pub api: Track,
    /// Calls of the version in the days asked for, before the last days of the data.
    pub before: Tried,
    /// Calls of the version in the days asked for, in the last days of the data.
    pub recent: Tried,
    /// Calls in the days asked for of the versions it may come from.
    pub elsewhere: Tried,
    /// Calls of the version lately.
    pub lately: u64,
    /// Calls of any known version lately.
    pub lately_all: u64,
    /// Since the last day on an older version there was a day on this one alone.
    alone: bool,
    /// The day on which it was last found back on an older version, and which.
    pub back: Option<(Day, VersionId)>,
}

impl Person {
    /// Calls of the version in the days asked for.
    #[must_use]
    pub fn tried(&self) -> Tried {
        self.before.plus(self.recent)
    }

    /// Whether it went back: after a day on the version alone it called an older one, and the version no more since that day.
    #[must_use]
    pub fn went_back(&self) -> Option<(Day, VersionId)> {
        self.back.filter(|(day, _)| self.this.last <= *day)
    }

    /// Whether it came to the version from an older one.
    #[must_use]
    pub fn came(&self) -> bool {
        self.this.any() && self.from.any() && self.from.first < self.this.first
    }

    /// Whether more than half of what it called lately is the version.
    #[must_use]
    pub fn mostly_on_it(&self) -> bool {
        self.lately > 0 && self.lately.saturating_mul(2) > self.lately_all
    }
}

/// Everybody who called the version or one that its consumers come from.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The last day with a call of any version of the API, before the end asked for.
    pub end: Day,
    /// The first day with one.
    pub begin: Day,
    /// By number in the roll-ups.
    pub people: Vec<Person>,
    /// Adoption in the days asked for.
    pub adoption: Vec<AdoptionStep>,
    /// Whether a step is a week.
    pub weekly: bool,
}

impl Timeline {
    /// Reads everything before the end of `days`; counts of calls and adoption are of `days` alone.
    ///
    /// # Errors
    /// The store can't be read, or is damaged.
    pub fn read(view: &RollupView, versions: &Versions, days: Days) -> Result<Self, RollupError> {
        let Some((begin, end)) = bounds(view, versions, days)? else { return Ok(Self::default()) };
        let from = days.from.map_or(begin, |from| from.max(begin));
        let weekly = end.0.saturating_sub(from.0) >= MOST_DAYS;
        let mut reading = Reading {
            versions,
            days,
            places: Vec::new(),
            timeline: Self { begin, end, weekly, ..Self::default() },
            step: None,
            sets: vec![ConsumerSet::default(); versions.all.len()],
            touched: Vec::new(),
        };
        let mut day = begin;
        while day <= end {
            reading.day(view, day)?;
            day = Day(day.0.saturating_add(1));
        }
        reading.close();
        let mut timeline = reading.timeline;
        add_calls(view, versions, days, &mut timeline)?;
        timeline.people.retain(|p| p.this.any() || p.from.any());
        timeline.people.sort_unstable_by_key(|p| p.id);
        Ok(timeline)
    }

    /// One of them.
    #[must_use]
    pub fn person(&self, id: u32) -> Option<&Person> {
        self.people.binary_search_by_key(&id, |p| p.id).ok().map(|at| &self.people[at])
    }
}

/// First and last day with a call of any version of the API, before the end asked for.
fn bounds(view: &RollupView, versions: &Versions, days: Days) -> Result<Option<(Day, Day)>, RollupError> {
    let (mut first, mut last): (Option<Day>, Option<Day>) = (None, None);
    for (_, id) in &versions.all {
        let totals = view.totals(*id)?;
        first = first.into_iter().chain(totals.first.map(Timestamp::day)).min();
        last = last.max(totals.last.map(Timestamp::day));
    }
    let last = last.map(|last| days.until.map_or(last, |until| last.min(Day(until.0.saturating_sub(1)))));
    Ok(first.zip(last).filter(|(first, last)| first <= last))
}

struct Reading<'a> {
    versions: &'a Versions,
    days: Days,
    /// Number in the roll-ups to place, plus one; zero for nobody.
    places: Vec<u32>,
    timeline: Timeline,
    /// First day of the step of the curve being read.
    step: Option<Day>,
    /// By version: who was there in this step.
    sets: Vec<ConsumerSet>,
    touched: Vec<u32>,
}

impl Reading<'_> {
    fn day(&mut self, view: &RollupView, day: Day) -> Result<(), RollupError> {
        let within = self.days.contains(day);
        if within {
            self.begin_step(day);
        }
        let only = Days { from: Some(day), until: Some(Day(day.0.saturating_add(1))) };
        self.touched.clear();
        let versions = self.versions;
        for (at, (name, id)) in versions.all.iter().enumerate() {
            let known = name != groundswell_model::UNKNOWN_VERSION;
            let role =
                Role { id: *id, this: versions.this == Some(*id), from: versions.from.contains(id), newer: versions.newer.contains(id) };
            view.presence(*id, only, |day, consumer, presence| {
                if within {
                    self.sets[at].insert(consumer);
                }
                self.note(day, consumer, &presence, &role, (known, within));
            })?;
        }
        for place in &self.touched {
            if let Some(person) = self.timeline.people.get_mut(*place as usize) {
                person.alone |= person.this.last == day && person.from.any() && person.from.last < day;
            }
        }
        Ok(())
    }

    fn note(&mut self, day: Day, consumer: u32, presence: &Presence, role: &Role, (known, within): (bool, bool)) {
        let end = self.timeline.end.0;
        let place = self.place(consumer);
        let Some(person) = self.timeline.people.get_mut(place as usize) else { return };
        person.api.note(day);
        let lately = end.saturating_sub(day.0) < LATELY;
        if lately && known {
            person.lately_all = person.lately_all.saturating_add(presence.calls);
        }
        if role.this {
            person.this.note(day);
            if lately {
                person.lately = person.lately.saturating_add(presence.calls);
            }
            if within {
                let recent = end.saturating_sub(day.0) < RECENT;
                if recent { person.recent.add(presence) } else { person.before.add(presence) }
            }
            self.touched.push(place);
        } else if role.from {
            person.from.note(day);
            if within {
                person.elsewhere.add(presence);
            }
            if person.alone {
                person.back = Some((day, role.id));
                person.alone = false;
            } else if let Some(back) = person.back.as_mut().filter(|(when, _)| *when == day) {
                // Several older versions on that day: the newest of them, for versions come oldest first.
                back.1 = role.id;
            }
        } else if role.newer {
            person.newer.note(day);
        }
    }

    fn place(&mut self, consumer: u32) -> u32 {
        let at = consumer as usize;
        if at >= self.places.len() {
            self.places.resize(at + 1, 0);
        }
        if let Some(place) = self.places[at].checked_sub(1) {
            return place;
        }
        let place = u32::try_from(self.timeline.people.len()).unwrap_or(u32::MAX);
        self.timeline.people.push(Person { id: consumer, ..Person::default() });
        self.places[at] = place.saturating_add(1);
        place
    }

    fn begin_step(&mut self, day: Day) {
        let start = step_of(day, self.timeline.weekly);
        if self.step != Some(start) {
            self.close();
            self.step = Some(start);
        }
    }

    /// Ends a step of the curve.
    fn close(&mut self) {
        let Some(start) = self.step.take() else { return };
        let counted = self.versions.all.iter().zip(&self.sets).map(|((name, _), set)| (name.clone(), (set.len(), 0)));
        let versions: BTreeMap<String, (u64, u64)> = counted.filter(|(_, (consumers, _))| *consumers > 0).collect();
        self.timeline.adoption.push(AdoptionStep::of(start, versions));
        self.sets.iter_mut().for_each(|set| *set = ConsumerSet::default());
    }
}

/// What a version is to the one asked for.
struct Role {
    id: VersionId,
    this: bool,
    from: bool,
    newer: bool,
}

/// The first day of the step that a day is in.
fn step_of(day: Day, weekly: bool) -> Day {
    // 1970-01-01 was a Thursday, and weeks begin on Mondays.
    if weekly { Day(day.0.saturating_sub(day.0.saturating_add(3).rem_euclid(7))) } else { day }
}

/// Adds all calls, of unnamed consumers too, to the steps of the curve.
fn add_calls(view: &RollupView, versions: &Versions, days: Days, timeline: &mut Timeline) -> Result<(), RollupError> {
    let mut steps: BTreeMap<String, AdoptionStep> =
        std::mem::take(&mut timeline.adoption).into_iter().map(|s| (s.start.clone(), s)).collect();
    for (name, id) in &versions.all {
        for (day, calls) in view.calls_by_day(*id, days)? {
            let start = step_of(day, timeline.weekly);
            let step = steps.entry(start.iso()).or_insert_with(|| AdoptionStep::of(start, BTreeMap::new()));
            step.add_calls(name, calls);
        }
    }
    timeline.adoption = steps.into_values().filter(|step| !step.versions.is_empty()).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_rhythm() {
        let mut track = Track::default();
        [10, 11, 13, 13, 14].into_iter().for_each(|day| track.note(Day(day)));
        assert_eq!((track.first, track.last, track.days, track.pause, track.patience()), (Day(10), Day(14), 4, 2, 7));
        assert!(!track.gone(Day(21), None) && track.gone(Day(22), None));
        track.note(Day(34));
        assert_eq!(track.patience(), 40);
        assert!(track.gone(Day(42), Some(7)) && !track.gone(Day(74), None) && track.gone(Day(75), None));
        assert!(!Track::default().gone(Day(1000), None));
    }

    #[test]
    fn weeks_begin_on_mondays() {
        // 2026-03-01 was a Sunday.
        let sunday = Timestamp::parse("2026-03-01T00:00:00Z").unwrap().day();
        assert_eq!(step_of(sunday, true).iso(), "2026-02-23");
        assert_eq!(step_of(Day(sunday.0 + 1), true).iso(), "2026-03-02");
        assert_eq!(step_of(sunday, false), sunday);
    }
}
