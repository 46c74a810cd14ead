//! How a journal is written: every name once, times as differences. A typical one takes less than 300 bytes.

use std::borrow::Cow;
use std::collections::VecDeque;

use groundswell_model::{Day, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::requests::{Place, Request, Requests};
use super::{Days, Journal, VersionUse};

/// A milestone beside its version's first call: milliseconds after it, and a name.
type Beside = Option<(i64, u8)>;

#[derive(Serialize, Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    names: Vec<Cow<'a, str>>,
    uses: Vec<UseForm<'a>>,
    places: Vec<[u8; 3]>,
    newest: Day,
    #[serde(borrow)]
    failed: Vec<RequestForm<'a>>,
    #[serde(borrow)]
    others: Vec<RequestForm<'a>>,
}

#[derive(Serialize, Deserialize)]
struct UseForm<'a> {
    api: u8,
    version: u8,
    first: Timestamp,
    first_operation: u8,
    last: i64,
    #[serde(borrow)]
    last_event: Cow<'a, str>,
    success: Beside,
    failed_before: u64,
    days: Days,
    upgrade: Beside,
    downgrade: Beside,
}

/// Hash, place, days before the newest, event.
type RequestForm<'a> = ([u8; 4], u8, i32, Cow<'a, str>);

#[derive(Default)]
struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    /// The number of a name. A journal holds few enough versions and operations for a byte.
    fn number(&mut self, name: &'a str) -> u8 {
        let at = self.0.iter().position(|n| *n == name).unwrap_or_else(|| {
            self.0.push(name);
            self.0.len() - 1
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }
}

impl Serialize for Journal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = Names::default();
        let uses = self.uses.iter().map(|u| use_form(u, &mut names)).collect();
        let Requests { places, failed, others } = &self.requests;
        let places = places.iter().map(|p| [&p.api, &p.version, &p.operation].map(|n| names.number(n))).collect();
        let newest = failed.iter().chain(others).map(|r| r.day).max().unwrap_or_default();
        let ring = |ring: &'_ VecDeque<Request>| {
            ring.iter().map(|r| (r.hash, r.place, newest.0.saturating_sub(r.day.0), Cow::Owned(r.event.to_string()))).collect()
        };
        let (failed, others) = (ring(failed), ring(others));
        let names = names.0.into_iter().map(Cow::Borrowed).collect();
        Form { names, uses, places, newest, failed, others }.serialize(serializer)
    }
}

fn use_form<'a>(u: &'a VersionUse, names: &mut Names<'a>) -> UseForm<'a> {
    let after = |time: Timestamp| time.0.saturating_sub(u.first.0);
    let mut beside = |told: &'a Option<(Timestamp, Box<str>)>| told.as_ref().map(|(time, name)| (after(*time), names.number(name)));
    let (success, upgrade, downgrade) = (beside(&u.success), beside(&u.upgrade), beside(&u.downgrade));
    UseForm {
        api: names.number(&u.api),
        version: names.number(&u.version),
        first: u.first,
        first_operation: names.number(&u.first_operation),
        last: after(u.last),
        last_event: Cow::Borrowed(&u.last_event),
        success,
        failed_before: u.failed_before,
        days: u.days.clone(),
        upgrade,
        downgrade,
    }
}

impl<'de> Deserialize<'de> for Journal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { names, uses, places, newest, failed, others } = Form::deserialize(deserializer)?;
        // A number without a name stands for one name too many: it is empty, as an unknown operation is.
        let name = |at: u8| -> Box<str> { names.get(usize::from(at)).map_or_else(Box::default, |n| n.as_ref().into()) };
        let uses = uses.into_iter().map(|u| use_of(u, &name)).collect();
        let places = places.iter().map(|[a, v, o]| Place { api: name(*a), version: name(*v), operation: name(*o) }).collect();
        let ring = |ring: Vec<RequestForm<'_>>| {
            let request = |(hash, place, age, event): RequestForm<'_>| Request {
                hash,
                place,
                day: Day(newest.0.saturating_sub(age)),
                event: event.as_ref().into(),
            };
            ring.into_iter().map(request).collect()
        };
        Ok(Self { uses, requests: Requests { places, failed: ring(failed), others: ring(others) } })
    }
}

fn use_of(u: UseForm<'_>, name: &impl Fn(u8) -> Box<str>) -> VersionUse {
    let beside = |told: Beside| told.map(|(after, n)| (u.first.plus_ms(after), name(n)));
    VersionUse {
        api: name(u.api),
        version: name(u.version),
        first: u.first,
        first_operation: name(u.first_operation),
        last: u.first.plus_ms(u.last),
        last_event: u.last_event.as_ref().into(),
        success: beside(u.success),
        failed_before: u.failed_before,
        upgrade: beside(u.upgrade),
        downgrade: beside(u.downgrade),
        days: u.days,
    }
}
