//! Usage of a batch, folded into one delta for each API, version, operation, consumer and hour.

use std::borrow::Cow;
use std::hash::BuildHasher;

use groundswell_model::{Hour, LatencyBuckets, UsageDelta, UsageEvent};
use hashbrown::{DefaultHashBuilder, HashTable};

/// Calls whose status tells that a limit was hit.
const TOO_MANY_REQUESTS: u16 = 429;
/// The first status that is the server's fault.
const SERVER_ERROR: u16 = 500;

/// Where a usage event counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<'a> {
    /// The API.
    pub api: &'a str,
    /// The version.
    pub version: &'a str,
    /// The operation; empty where not known.
    pub operation: Cow<'a, str>,
}

#[derive(Debug)]
struct Row<'a> {
    operation: Cow<'a, str>,
    delta: UsageDelta<'a>,
}

/// The deltas of one batch.
#[derive(Debug, Default)]
pub struct Fold<'a> {
    rows: Vec<Row<'a>>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<'a> Fold<'a> {
    /// Adds one usage event.
    pub fn add(&mut self, counted: Counted<'a>, event: &UsageEvent<'a>) {
        let (consumer, hour) = (event.head.consumer, event.head.time.hour());
        let hash = hash(&self.hasher, &counted, consumer, hour);
        let Self { rows, places, hasher } = self;
        let same = |at: &u32| {
            let Row { operation, delta } = &rows[*at as usize];
            delta.hour == hour
                && delta.consumer == consumer
                && *operation == counted.operation
                && delta.version == counted.version
                && delta.api == counted.api
        };
        if let Some(at) = places.find(hash, same).copied() {
            add(&mut rows[at as usize].delta, event);
            return;
        }
        let at = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut delta = empty(&counted, event, hour);
        add(&mut delta, event);
        rows.push(Row { operation: counted.operation, delta });
        places.insert_unique(hash, at, |at| {
            let Row { operation, delta } = &rows[*at as usize];
            self::hash(
                hasher,
                &Counted { api: delta.api, version: delta.version, operation: Cow::Borrowed(operation) },
                delta.consumer,
                delta.hour,
            )
        });
    }

    /// How many deltas there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Gives every delta, ordered by API, version, operation, consumer and hour, to `each`.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn drain<E>(mut self, mut each: impl FnMut(UsageDelta<'_>) -> Result<(), E>) -> Result<(), E> {
        self.rows.sort_unstable_by(|a, b| {
            let key = |r: &'_ Row<'a>| (r.delta.api, r.delta.version);
            key(a)
                .cmp(&key(b))
                .then_with(|| a.operation.cmp(&b.operation))
                .then_with(|| (a.delta.consumer, a.delta.hour).cmp(&(b.delta.consumer, b.delta.hour)))
        });
        self.rows.into_iter().try_for_each(|Row { operation, delta }| each(UsageDelta { operation: &operation, ..delta }))
    }
}

fn hash(hasher: &DefaultHashBuilder, counted: &Counted<'_>, consumer: &str, hour: Hour) -> u64 {
    hasher.hash_one((consumer, counted.operation.as_ref(), counted.version, counted.api, hour.0))
}

fn empty<'a>(counted: &Counted<'a>, event: &UsageEvent<'a>, hour: Hour) -> UsageDelta<'a> {
    UsageDelta {
        api: counted.api,
        version: counted.version,
        operation: "",
        consumer: event.head.consumer,
        hour,
        calls: 0,
        failed: 0,
        server_errors: 0,
        rate_limited: 0,
        first: event.head.time,
        last: event.head.time,
        first_success: None,
        latency: LatencyBuckets::default(),
        revenue: Vec::new(),
        value: Vec::new(),
        received: event.head.received,
    }
}

fn add<'a>(delta: &mut UsageDelta<'a>, event: &UsageEvent<'a>) {
    let (calls, time) = (event.calls, event.head.time);
    delta.calls = delta.calls.saturating_add(calls);
    delta.first = delta.first.min(time);
    delta.last = delta.last.max(time);
    delta.received = delta.received.max(event.head.received);
    if event.failed {
        delta.failed = delta.failed.saturating_add(calls);
        if event.status >= SERVER_ERROR {
            delta.server_errors = delta.server_errors.saturating_add(calls);
        }
        if event.status == TOO_MANY_REQUESTS {
            delta.rate_limited = delta.rate_limited.saturating_add(calls);
        }
    } else {
        delta.first_success = Some(delta.first_success.map_or(time, |t| t.min(time)));
    }
    if let Some(ms) = event.latency_ms {
        delta.latency.add(f64::from(ms), calls);
    }
    if let Some((millionths, currency)) = event.revenue {
        let all = millionths.saturating_mul(i64::try_from(calls).unwrap_or(i64::MAX));
        match delta.revenue.iter_mut().find(|(c, _)| *c == currency) {
            Some((_, sum)) => *sum = sum.saturating_add(all),
            None => delta.revenue.push((currency, all)),
        }
    }
    if let Some((name, amount)) = event.value {
        #[expect(clippy::cast_precision_loss, reason = "an amount of value is a measurement")]
        let all = amount * calls as f64;
        match delta.value.iter_mut().find(|(n, ..)| *n == name) {
            Some((_, count, sum)) => (*count, *sum) = (count.saturating_add(calls), *sum + all),
            None => delta.value.push((name, calls, all)),
        }
    }
}

#[cfg(test)]
mod tests {
    use groundswell_model::{ContentHash, EventHead, IdentityHash, Origin, Timestamp};

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn event(consumer: &str, time: i64, status: u16) -> UsageEvent<'_> {
        UsageEvent {
            head: EventHead {
                identity: IdentityHash(1),
                content: ContentHash(1),
                source: "s",
                id: "1",
                time: Timestamp(time),
                received: Timestamp(time + 5),
                origin: Origin::default(),
                consumer,
            },
            api: None,
            api_version: None,
            operation: None,
            method: "GET",
            path: "",
            host: "",
            status,
            failed: status >= 400,
            latency_ms: Some(10.0),
            calls: 3,
            request_id: None,
            traceparent: None,
            sdk: None,
            plan: None,
            revenue: Some((2, "EUR")),
            value: Some(("order", 0.5)),
            use_case: None,
            bytes: None,
            attributes: Vec::new(),
        }
    }

    fn counted<'a>(version: &'a str, operation: &'a str) -> Counted<'a> {
        Counted { api: "orders", version, operation: Cow::Borrowed(operation) }
    }

    #[test]
    fn events_of_one_hour_are_one_delta_with_everything_times_its_calls() {
        let mut fold = Fold::default();
        for (time, status) in [(10, 503), (20, 200), (5, 429), (7, 200), (9, 404)] {
            fold.add(counted("v1", "getOrder"), &event("acme", time, status));
        }
        let mut deltas = 0;
        let checked: Result<(), ()> = fold.drain(|d| {
            deltas += 1;
            assert_eq!((d.calls, d.failed, d.server_errors, d.rate_limited), (15, 9, 3, 3));
            assert_eq!((d.first, d.last, d.first_success, d.received), (Timestamp(5), Timestamp(20), Some(Timestamp(7)), Timestamp(25)));
            assert_eq!((d.latency.count(), d.revenue.as_slice(), d.value.as_slice()), (15, &[("EUR", 30)][..], &[("order", 15, 7.5)][..]));
            Ok(())
        });
        assert_eq!((checked, deltas), (Ok(()), 1));
    }

    #[test]
    fn deltas_come_in_order_whatever_order_events_had() {
        let keys =
            [("v2", "b", "acme", 0), ("v1", "b", "globex", 0), ("v1", "b", "acme", HOUR), ("v1", "b", "acme", 0), ("v1", "a", "zeta", 0)];
        let mut fold = Fold::default();
        keys.iter().for_each(|(v, o, c, t)| fold.add(counted(v, o), &event(c, *t, 200)));
        let mut seen = Vec::new();
        let all: Result<(), ()> = fold.drain(|d| {
            seen.push((d.version.to_owned(), d.operation.to_owned(), d.consumer.to_owned(), d.hour.0));
            Ok(())
        });
        assert!(all.is_ok() && seen.is_sorted() && seen.len() == keys.len(), "{seen:?}");
    }
}
