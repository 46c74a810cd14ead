//! A world of riddles: which version is this ticket about?
//!
//! Six APIs, each with its own way to tell a version: path, date in a header, number in a header, query parameter, media
//! type, host. Consumers stay, move, run two versions side by side, share a key between teams; some report their calls
//! a day late, some are known to the identity map only after they wrote. A ticket trails the call that caused it by hours or days.
//! It may name a request, a place, a version; say where it works; name a competitor's version or a library's;
//! its version field may be wrong. The truth, and what tells it, stand beside every ticket.

mod apis;
mod tickets;

use std::sync::Arc;

use groundswell_contract::{Data, Identity, Usage};
use groundswell_model::Timestamp;
use serde_json::Value;

use crate::{
    dice::Dice,
    event::SimEvent,
    plan::{DAY_MS, HOUR_MS},
    truth::{Simulated, Truth},
};

pub use apis::{Style, VERSIONS};

/// Days that a world lasts.
const DAYS: i64 = 45;
/// Consumers of a world.
const CONSUMERS: usize = 90;
/// Share of usage that arrives late, and the latest.
const LATE: f64 = 0.03;
const LATEST_HOURS: f64 = 30.0;
/// Share of calls that fail.
const FAILING: f64 = 0.05;
const SOURCE: &str = "//riddles.example";

/// How a consumer uses an API.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) api: usize,
    /// Version, from, to, calls an hour.
    pub(crate) spans: Vec<(usize, Timestamp, Timestamp, f64)>,
}

/// A caller.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) name: Arc<str>,
    pub(crate) mail: String,
    pub(crate) uses: Vec<Use>,
    /// Its calls are reported once a day.
    pub(crate) daily: bool,
    /// When the identity map learns of it.
    pub(crate) known: Timestamp,
}

/// A call that was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) api: usize,
    pub(crate) version: usize,
    pub(crate) operation: usize,
    pub(crate) time: Timestamp,
    pub(crate) arrives: Timestamp,
    pub(crate) request: String,
    pub(crate) failed: bool,
}

/// The events of a world in the order in which they are published, each with its truth. The same seed gives the same world.
#[must_use]
pub fn riddles(seed: u64, start: Timestamp) -> Vec<Simulated> {
    let mut dice = Dice::new(seed ^ 0x5eed_0b57);
    let mut events: Vec<Simulated> = apis::releases(start);
    for number in 0..CONSUMERS {
        let consumer = draw(&mut dice, number, start);
        events.push(identity(&consumer));
        let calls = calls(&mut dice, &consumer, number);
        events.extend(calls.iter().enumerate().map(|(n, call)| usage(&consumer, call, n)));
        tickets::write(&mut dice, &consumer, &calls, start, number, &mut events);
    }
    events.sort_by(|a, b| (a.event.arrives, &a.event.id).cmp(&(b.event.arrives, &b.event.id)));
    events
}

fn draw(dice: &mut Dice, number: usize, start: Timestamp) -> Consumer {
    let known = if dice.chance(0.2) { start.plus_ms(dice.ms_below(DAYS * DAY_MS)) } else { start };
    let apis = 1 + usize::from(dice.chance(0.35));
    let first = dice.below(apis::COUNT);
    let rate = dice.lognormal(0.35, 1.0).clamp(0.03, 4.0);
    let uses = (0..apis).map(|n| journey(dice, (first + n * 2 + n) % apis::COUNT, rate, start)).collect();
    Consumer {
        name: format!("tenant-{number:03}").into(),
        mail: format!("dev{number}@tenant{number}.example"),
        uses,
        daily: dice.chance(0.06),
        known,
    }
}

/// Stays on a version, moves on (at once, or over days), goes back, or runs two for good.
fn journey(dice: &mut Dice, api: usize, rate: f64, start: Timestamp) -> Use {
    let end = start.plus_ms(DAYS * DAY_MS);
    let first = dice.below(VERSIONS);
    let other = (first + 1 + dice.below(VERSIONS - 1)) % VERSIONS;
    let (old, new) = (first.min(other), first.max(other));
    let at = start.plus_ms(3 * DAY_MS + dice.ms_below((DAYS - 6) * DAY_MS));
    let spans = match dice.weighted([0.45, 0.17, 0.16, 0.06, 0.16].into_iter()) {
        0 => vec![(first, start, end, rate)],
        1 => vec![(old, start, at, rate), (new, at, end, rate)],
        2 => vec![(old, start, at.plus_ms(dice.ms_below(6 * DAY_MS)).min(end), rate), (new, at, end, rate)],
        3 => {
            let back = at.plus_ms(DAY_MS + dice.ms_below(4 * DAY_MS)).min(end);
            vec![(old, start, at, rate), (new, at, back, rate), (old, back, end, rate)]
        }
        _ => {
            let share = dice.between(0.25, 0.75);
            vec![(old, start, end, rate * share), (new, start, end, rate * (1.0 - share))]
        }
    };
    Use { api, spans }
}

fn calls(dice: &mut Dice, consumer: &Consumer, number: usize) -> Vec<Made> {
    let mut calls = Vec::new();
    for used in &consumer.uses {
        for (version, from, to, rate) in &used.spans {
            let mut time = from.plus_ms((dice.exponential(HOUR_MS as f64 / rate)) as i64);
            while time < *to {
                let mut request = format!("{number:x}");
                dice.token(18, &mut request);
                let late =
                    if dice.chance(LATE) { (dice.exponential(LATEST_HOURS / 3.0).min(LATEST_HOURS) * HOUR_MS as f64) as i64 } else { 0 };
                let arrives = if consumer.daily { Timestamp(time.plus_ms(DAY_MS).day().start().0) } else { time.plus_ms(late) };
                let operation = apis::operation(dice, used.api, *version);
                calls.push(Made { api: used.api, version: *version, operation, time, arrives, request, failed: dice.chance(FAILING) });
                time = time.plus_ms(1 + dice.exponential(HOUR_MS as f64 / rate) as i64);
            }
        }
    }
    calls.sort_by_key(|c| c.time);
    calls
}

fn usage(consumer: &Consumer, call: &Made, n: usize) -> Simulated {
    let api = &apis::APIS[call.api];
    let request = apis::request(api, call.version, call.operation, n);
    let attributes = request.header.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let data = Usage {
        method: Some(request.method.to_owned()),
        path: Some(request.path),
        host: Some(request.host),
        status: Some(if call.failed { 500 } else { 200 }),
        consumer: Some(consumer.name.to_string()),
        request_id: Some(call.request.clone()),
        attributes,
        ..Usage::default()
    };
    // Every other gateway numbers its events itself.
    let id = if consumer.uses.len() == 1 { call.request.clone() } else { format!("{}-{n}", consumer.name) };
    let truth = Truth {
        version: Some(apis::name(call.api, call.version).into()),
        consumer: Some(consumer.name.clone()),
        calls: 1,
        ..Truth::default()
    };
    simulated(id, call.time, call.arrives, Data::Usage(Box::new(data)), Truth { api: Some(api.name), ..truth })
}

fn identity(consumer: &Consumer) -> Simulated {
    let data = Identity { consumer: consumer.name.to_string(), emails: vec![consumer.mail.clone()], ..Identity::default() };
    let truth = Truth { consumer: Some(consumer.name.clone()), ..Truth::default() };
    simulated(format!("identity-{}", consumer.name), consumer.known, consumer.known, Data::Identity(Box::new(data)), truth)
}

pub(crate) fn simulated(id: String, time: Timestamp, arrives: Timestamp, data: Data, truth: Truth) -> Simulated {
    Simulated { event: SimEvent { source: SOURCE, id, time, arrives, sampled: None, data }, truth }
}
