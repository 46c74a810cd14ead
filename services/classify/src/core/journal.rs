//! The journal of a consumer: which versions it uses, since when, how much, and its milestones.

use std::cmp::Ordering;

use groundswell_model::{Day, MilestoneKind, Timestamp, UNKNOWN_VERSION};
use serde::{Deserialize, Serialize};

use super::requests::{self, Found, Noted, Requests};

#[path = "journal_form.rs"]
mod form;

/// Versions kept of one consumer; the one not called for longest leaves.
pub const MOST_VERSIONS: usize = 32;
/// Calls of a day are taken to lie at least so far apart, so that a single one has no infinite rate.
const LEAST_SPAN_MS: i64 = 60_000;
/// Longer ids of events are not kept.
const LONGEST_EVENT: usize = 64;
/// Without a call for so long, a consumer that then calls an older version again has gone back to it. Somebody
/// who moves slowly calls both in parallel, and that is no way back.
const LEFT_AFTER_MS: i64 = 24 * 3_600_000;

/// Calls by day, the newest day first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    newest: Day,
    calls: Vec<u64>,
}

impl Days {
    fn add(&mut self, day: Day, calls: u64, keep: usize) {
        if self.calls.is_empty() {
            self.newest = day;
        }
        let ahead = usize::try_from(i64::from(day.0) - i64::from(self.newest.0)).unwrap_or(0);
        if ahead > 0 {
            self.calls.splice(0..0, std::iter::repeat_n(0, ahead.min(keep)));
            self.calls.truncate(keep);
            self.newest = day;
        }
        let Ok(age) = usize::try_from(i64::from(self.newest.0) - i64::from(day.0)) else { return };
        if age >= keep {
            return;
        }
        if self.calls.len() <= age {
            self.calls.resize(age + 1, 0);
        }
        self.calls[age] = self.calls[age].saturating_add(calls);
    }

    /// Calls on the days from `first` to `last`.
    #[must_use]
    pub fn between(&self, first: Day, last: Day) -> u64 {
        let day_of = |age: usize| i64::from(self.newest.0) - i64::try_from(age).unwrap_or(i64::MAX);
        let within = |age: &usize| (i64::from(first.0)..=i64::from(last.0)).contains(&day_of(*age));
        (0..self.calls.len()).filter(within).map(|age| self.calls[age]).sum()
    }

    /// Every day with calls, and how many.
    pub fn each(&self) -> impl Iterator<Item = (Day, u64)> + '_ {
        let day = |age: usize| Day(self.newest.0.saturating_sub(i32::try_from(age).unwrap_or(i32::MAX)));
        self.calls.iter().enumerate().filter(|(_, n)| **n > 0).map(move |(age, n)| (day(age), *n))
    }

    /// The oldest day that still has its calls.
    fn oldest(&self) -> Day {
        Day(self.newest.0.saturating_sub(i32::try_from(self.calls.len().saturating_sub(1)).unwrap_or(i32::MAX)))
    }
}

/// What a consumer did on one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionUse {
    /// The API.
    pub api: Box<str>,
    /// The version, or [`UNKNOWN_VERSION`].
    pub version: Box<str>,
    /// First call.
    pub first: Timestamp,
    /// The operation of the first call.
    first_operation: Box<str>,
    /// Last call.
    pub last: Timestamp,
    /// Id of its event; empty where it is too long.
    pub last_event: Box<str>,
    /// First call that did not fail, and its operation.
    pub success: Option<(Timestamp, Box<str>)>,
    /// Failed calls before it, as far as they were known when it came.
    pub failed_before: u64,
    /// Calls by day.
    pub days: Days,
    /// When it came here from an older version, and which.
    upgrade: Option<(Timestamp, Box<str>)>,
    /// When it came back here from a newer version, and which.
    downgrade: Option<(Timestamp, Box<str>)>,
}

/// One consumer's journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    uses: Vec<VersionUse>,
    requests: Requests,
}

/// A call, as the journal sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The API.
    pub api: &'a str,
    /// The version.
    pub version: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// When.
    pub time: Timestamp,
    /// Whether it failed.
    pub failed: bool,
    /// How many calls.
    pub calls: u64,
    /// Id of the event.
    pub event: &'a str,
    /// Request id and W3C `traceparent`, where told.
    pub traces: [Option<&'a str>; 2],
}

/// A milestone that was reached or moved, to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// Which.
    pub kind: MilestoneKind,
    /// The API.
    pub api: Box<str>,
    /// The version.
    pub version: Box<str>,
    /// When.
    pub time: Timestamp,
    /// The version come from.
    pub from: Option<Box<str>>,
    /// The operation called.
    pub operation: Box<str>,
    /// Failed calls before.
    pub failed_before: u64,
}

impl Journal {
    /// What it holds of every version.
    #[must_use]
    pub fn uses(&self) -> &[VersionUse] {
        &self.uses
    }

    /// Notes a call, and tells the milestones that it reached or moved. `older` compares two versions of the API;
    /// `keep` is the number of days kept.
    pub fn note(&mut self, call: &Call<'_>, keep: usize, older: impl Fn(&str, &str) -> Ordering, told: &mut Vec<Told>) {
        self.note_requests(call);
        let at = match self.uses.iter().position(|u| &*u.version == call.version && &*u.api == call.api) {
            Some(at) => at,
            None => self.begin(call),
        };
        let back = self.downgrade(at, call, &older);
        let Some(this) = self.uses.get_mut(at) else { return };
        let earlier_first = call.time < this.first || this.days.calls.is_empty();
        if call.time < this.first {
            this.first = call.time;
            this.first_operation = call.operation.into();
        }
        this.days.add(call.time.day(), call.calls, keep);
        let known = call.version != UNKNOWN_VERSION;
        if known
            && this.note_success(call)
            && let Some((time, operation)) = &this.success
        {
            let (time, operation) = (*time, operation.clone());
            told.push(Told { failed_before: this.failed_before, ..this.told(MilestoneKind::FirstSuccess, time, None, &operation) });
        }
        if call.time >= this.last && this.last_event.as_ref() != call.event {
            this.last_event = if call.event.len() <= LONGEST_EVENT { call.event.into() } else { Box::default() };
        }
        this.last = this.last.max(call.time);
        if !known {
            return;
        }
        if earlier_first {
            told.push(this.told(MilestoneKind::FirstCall, call.time, None, call.operation));
        }
        if let Some(from) = back
            && this.downgrade.as_ref().is_none_or(|(time, _)| call.time < *time)
        {
            this.downgrade = Some((call.time, from.clone()));
            told.push(this.told(MilestoneKind::Downgrade, call.time, Some(from), call.operation));
        }
        if earlier_first {
            self.upgrades(call.api, &older, told);
        }
    }

    fn note_requests(&mut self, call: &Call<'_>) {
        let [request, trace] = call.traces;
        for id in [request, trace.map(requests::trace_of)].into_iter().flatten() {
            let Call { api, version, operation, event, time, failed, .. } = *call;
            self.requests.note(&Noted { id, api, version, operation, event, time, failed });
        }
    }

    /// The recent request of this request id or trace id.
    #[must_use]
    pub fn request(&self, id: &str) -> Option<Found<'_>> {
        self.requests.find(id)
    }

    /// Whether requests are known.
    #[must_use]
    pub fn has_requests(&self) -> bool {
        !self.requests.is_empty()
    }

    fn begin(&mut self, call: &Call<'_>) -> usize {
        if self.uses.len() >= MOST_VERSIONS
            && let Some(oldest) = (0..self.uses.len()).min_by_key(|at| self.uses[*at].last)
        {
            self.uses.remove(oldest);
        }
        self.uses.push(VersionUse {
            last_event: Box::default(),
            api: call.api.into(),
            version: call.version.into(),
            first: call.time,
            first_operation: call.operation.into(),
            last: call.time,
            success: None,
            failed_before: 0,
            days: Days::default(),
            upgrade: None,
            downgrade: None,
        });
        self.uses.len() - 1
    }

    /// The newer version that this call comes back from, if it does.
    fn downgrade(&self, at: usize, call: &Call<'_>, older: &impl Fn(&str, &str) -> Ordering) -> Option<Box<str>> {
        let this = self.uses.get(at)?;
        let new = this.days.calls.is_empty();
        let away = call.time.0.saturating_sub(this.last.0) >= LEFT_AFTER_MS;
        if call.version == UNKNOWN_VERSION || !(new || away) {
            return None;
        }
        let newer =
            self.others(this).filter(|u| older(call.version, &u.version).is_lt() && u.first < call.time && (new || u.last > this.last));
        newer.max_by_key(|u| u.last).map(|u| u.version.clone())
    }

    fn others<'a>(&'a self, this: &'a VersionUse) -> impl Iterator<Item = &'a VersionUse> {
        self.uses.iter().filter(move |u| u.api == this.api && u.version != this.version && &*u.version != UNKNOWN_VERSION)
    }

    /// First calls alone decide upgrades, so the order in which calls are read does not matter.
    fn upgrades(&mut self, api: &str, older: &impl Fn(&str, &str) -> Ordering, told: &mut Vec<Told>) {
        for one in 0..self.uses.len() {
            let this = &self.uses[one];
            if *this.api != *api || &*this.version == UNKNOWN_VERSION {
                continue;
            }
            let before = self.others(this).filter(|u| older(&u.version, &this.version).is_lt() && u.first < this.first);
            let latest = before.max_by(|a, b| a.first.cmp(&b.first).then_with(|| older(&a.version, &b.version)));
            let Some(from) = latest.map(|u| u.version.clone()) else { continue };
            let upgrade = Some((this.first, from));
            if upgrade != this.upgrade {
                let from = upgrade.as_ref().map(|(_, from)| from.clone());
                told.push(this.told(MilestoneKind::Upgrade, this.first, from, &this.first_operation));
                self.uses[one].upgrade = upgrade;
            }
        }
    }

    /// When it last called anything of an API between `from` and `to`, by version: what attribution by usage builds on.
    #[must_use]
    pub fn within(&self, api: Option<&str>, from: Timestamp, to: Timestamp) -> Vec<(&VersionUse, u64)> {
        let fits = |u: &&VersionUse| api.is_none_or(|api| *u.api == *api) && u.first <= to && u.last >= from;
        let calls = |u: &VersionUse| u.days.between(from.day(), to.day());
        // Days that are no longer kept can't be counted: then having been called before and after must do.
        self.uses.iter().filter(fits).map(|u| (u, calls(u))).filter(|(u, n)| *n > 0 || u.days.oldest() > to.day()).collect()
    }
}

impl VersionUse {
    /// How much its calls weigh for something written at `at`: each call by how likely feedback trails it by so long,
    /// which `passed` tells as the share of feedback written within so many milliseconds after its cause.
    #[must_use]
    pub fn recent(&self, from: Timestamp, at: Timestamp, passed: impl Fn(i64) -> f64) -> f64 {
        let weight = |(day, calls): (Day, u64)| {
            // Within its day, calls lie between the first and the last one.
            let begins = day.start().max(self.first);
            let ends = Day(day.0.saturating_add(1)).start().min(self.last.plus_ms(1)).max(begins.plus_ms(LEAST_SPAN_MS));
            if begins > at || ends <= from {
                return 0.0;
            }
            let length = ends.0.saturating_sub(begins.0);
            let (youngest, oldest) = (at.0.saturating_sub(ends.0).max(0), at.0.saturating_sub(begins.0).max(1));
            #[expect(clippy::cast_precision_loss, reason = "a weight needs no more than 52 bits")]
            let rate = calls as f64 / length as f64;
            rate * (passed(oldest) - passed(youngest))
        };
        self.days.each().map(weight).sum()
    }

    /// Whether the first success, or what is said of it, changed.
    fn note_success(&mut self, call: &Call<'_>) -> bool {
        let before = self.success.as_ref().is_none_or(|(time, _)| call.time < *time);
        match (call.failed, before) {
            (true, true) => {
                self.failed_before = self.failed_before.saturating_add(call.calls);
                self.success.is_some()
            }
            (false, true) => {
                self.success = Some((call.time, call.operation.into()));
                true
            }
            (_, false) => false,
        }
    }

    fn told(&self, kind: MilestoneKind, time: Timestamp, from: Option<Box<str>>, operation: &str) -> Told {
        Told { kind, api: self.api.clone(), version: self.version.clone(), time, from, operation: operation.into(), failed_before: 0 }
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
