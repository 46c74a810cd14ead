//! The benchmark's workload: events as bytes for a topic, as fast as can be, in the shares that were asked for.
//!
//! The company is the same as in the simulation, but nobody moves and nothing goes wrong on purpose: every event
//! is drawn for itself. Tickets are some 592 characters long.

use std::collections::BTreeMap;

use groundswell_contract::EventType;
use groundswell_model::Timestamp;
use serde::Serialize;

use crate::{
    company::Company,
    compose,
    consumer::{self, Consumer},
    dice::Dice,
    event::SimEvent,
    openapi::sdk_version,
    plan::{BadPlan, DAY_MS, Plan},
    scene::{Scene, path},
    specs::Style,
    stream,
    texts::Language,
    topics::{Kind, TOPICS},
};

mod json;

/// What the benchmark publishes.
#[derive(Clone, Debug, PartialEq)]
pub struct BenchPlan {
    /// The same plan with the same seed gives the same bytes.
    pub seed: u64,
    /// How many events are published, repeated ones included.
    pub events: u64,
    /// When the first of them happened.
    pub start: Timestamp,
    /// How many happen in a second, in the time of the events.
    pub per_second: f64,
    /// How many consumers there are.
    pub consumers: usize,
    /// The share of tickets.
    pub tickets: f64,
    /// The share of survey responses.
    pub surveys: f64,
    /// The share of events that repeat the one before.
    pub resent: f64,
}

impl BenchPlan {
    /// 5 % tickets, 5 % surveys, 90 % usage of a thousand consumers, 200 a second.
    #[must_use]
    pub fn new(start: Timestamp, events: u64) -> Self {
        Self { seed: 1, events, start, per_second: 200.0, consumers: 1000, tickets: 0.05, surveys: 0.05, resent: 0.001 }
    }
}

/// What one version must have counted when everything is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Tickets.
    pub tickets: u64,
    /// Survey responses.
    pub surveys: u64,
}

/// A consumer on a version, with what its events have in common.
#[derive(Debug)]
struct Seat {
    consumer: usize,
    api: usize,
    version: usize,
    operations: Vec<f64>,
    /// End of the data of a usage event: consumer, SDK, plan.
    tail: String,
}

/// Publishes event by event.
#[derive(Debug)]
pub struct Workload {
    plan: BenchPlan,
    company: Company,
    consumers: Vec<Consumer>,
    seats: Vec<Seat>,
    /// Seats by weight: an even draw from here is a weighted draw of a seat.
    draws: Vec<u32>,
    dice: Dice,
    published: u64,
    repeated: u64,
    last: Option<(EventType, usize)>,
    clock: json::Clock,
    counts: Vec<Count>,
}

/// One event for a topic; its bytes are in the buffer that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Which topic it belongs on.
    pub ty: EventType,
    /// The consumer: a good key for the record.
    pub key: &'a str,
}

const DRAWS: usize = 1 << 16;
/// The mean length of a ticket's body, in characters.
const TICKET_LENGTH: f64 = 592.0;
/// What the last paragraph and the signature add to a body that is long enough.
const ENDING_LENGTH: f64 = 205.0;

impl Workload {
    /// Prepares the workload.
    ///
    /// # Errors
    /// The plan has a value outside of what makes sense.
    pub fn new(plan: BenchPlan) -> Result<Self, BadPlan> {
        let company_plan = Plan {
            seed: plan.seed,
            consumers: plan.consumers,
            tickets: plan.tickets,
            surveys: plan.surveys,
            resent: plan.resent,
            ..Plan::new(plan.start)
        };
        company_plan.check()?;
        let company = Company::new(&company_plan);
        let mut dice = Dice::new(plan.seed);
        let consumers = consumer::draw_all(&mut dice, &company_plan, &company);
        let (seats, weights) = seats(&company, &consumers, plan.start);
        let draws = by_weight(&weights);
        let counts = vec![Count::default(); seats.len()];
        Ok(Self {
            plan,
            company,
            consumers,
            seats,
            draws,
            dice,
            published: 0,
            repeated: 0,
            last: None,
            clock: json::Clock::default(),
            counts,
        })
    }

    /// Releases and identities: published before the events.
    #[must_use]
    pub fn catalogue(&self) -> Vec<SimEvent> {
        let start = self.plan.start;
        let before = start.plus_ms(-DAY_MS);
        stream::catalogue(&self.company, &self.consumers, before, start).into_iter().map(|s| s.event).collect()
    }

    /// Writes the next event into `out`, replacing what is there; none when all are published.
    pub fn next_into(&mut self, out: &mut Vec<u8>) -> Option<Item<'_>> {
        if self.published >= self.plan.events {
            return None;
        }
        let since_ms = self.published as f64 * 1000.0 / self.plan.per_second;
        self.published += 1;
        if let Some((ty, seat)) = self.last.filter(|_| self.plan.resent > 0.0 && !out.is_empty() && self.dice.chance(self.plan.resent)) {
            self.repeated += 1;
            return Some(self.item(ty, seat));
        }
        out.clear();
        let time = self.plan.start.plus_ms(since_ms as i64);
        let seat = self.draws[self.dice.below(DRAWS)] as usize;
        let throw = self.dice.unit();
        let ty = if throw < self.plan.tickets {
            self.ticket(seat, time, out);
            EventType::Ticket
        } else if throw < self.plan.tickets + self.plan.surveys {
            self.survey(seat, time, out);
            EventType::Survey
        } else {
            self.usage(seat, time, out);
            EventType::Usage
        };
        self.last = Some((ty, seat));
        Some(self.item(ty, seat))
    }

    fn item(&self, ty: EventType, seat: usize) -> Item<'_> {
        Item { ty, key: &self.consumers[self.seats[seat].consumer].id }
    }

    /// How many events repeated the one before.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// What was published so far by API and version, repeated events counted once.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(&'static str, String), Count> {
        let mut all = BTreeMap::<_, Count>::new();
        for (seat, count) in self.seats.iter().zip(&self.counts) {
            let api = &self.company.apis[seat.api];
            let sum = all.entry((api.spec.name, api.versions[seat.version].name.to_string())).or_default();
            sum.calls += count.calls;
            sum.failed += count.failed;
            sum.tickets += count.tickets;
            sum.surveys += count.surveys;
        }
        all
    }

    fn usage(&mut self, number: usize, time: Timestamp, out: &mut Vec<u8>) {
        let seat = &self.seats[number];
        let api = &self.company.apis[seat.api];
        let version = &api.versions[seat.version];
        let operation = self.dice.weighted(seat.operations.iter().copied());
        let spec = &api.spec.operations[operation];
        let quality = version.quality[operation].map_or((0.01, 50.0), |q| (q.error, q.latency_ms));
        let failed = self.dice.chance(quality.0);
        let status = if failed {
            *self.dice.pick(&[500u16, 503, 400, 404, 409, 429])
        } else if spec.method == "POST" {
            201
        } else {
            200
        };
        let mut id = String::with_capacity(20);
        id.push_str("req_");
        self.dice.token(16, &mut id);
        json::open(out, EventType::Usage.name(), "//gateway.brightwater.example/eu", &id, self.clock.text(time));
        json::text(out, "{\"api\":\"", api.spec.name);
        if api.spec.style != Style::Path {
            json::text(out, "\",\"api_version\":\"", &version.name);
        }
        json::text(out, "\",\"method\":\"", spec.method);
        let mut concrete = String::with_capacity(64);
        path(&mut self.dice, &version.base_path, spec.path, &mut concrete);
        json::text(out, "\",\"path\":\"", &concrete);
        json::text(out, "\",\"request_id\":\"", &id);
        json::number(out, "\",\"status\":", u64::from(status));
        json::number(out, ",\"bytes\":", 200 + self.dice.below(6000) as u64);
        json::hundredths(out, ",\"latency_ms\":", quality.1 * (0.4 + self.dice.exponential(0.6)));
        out.extend_from_slice(seat.tail.as_bytes());
        self.counts[number].calls += 1;
        self.counts[number].failed += u64::from(failed);
    }

    fn ticket(&mut self, number: usize, time: Timestamp, out: &mut Vec<u8>) {
        let seat = &self.seats[number];
        let (consumer, api) = (&self.consumers[seat.consumer], &self.company.apis[seat.api]);
        let topic = self.dice.pick(TOPICS);
        let human = self.dice.pick(&consumer.people);
        let operation = self.dice.weighted(seat.operations.iter().copied());
        let mut request_id = String::from("req_");
        self.dice.token(16, &mut request_id);
        let mut scene = Scene {
            api,
            version: seat.version,
            other: (seat.version > 0).then(|| seat.version - 1),
            operation,
            consumer,
            human,
            language: if self.dice.chance(0.2) { consumer.language } else { Language::En },
            status: if topic.statuses.is_empty() { 500 } else { *self.dice.pick(topic.statuses) },
            request_id,
            at: time,
            planted: Vec::new(),
        };
        let length = ((TICKET_LENGTH - ENDING_LENGTH) * (0.8 + self.dice.exponential(0.2))) as usize;
        let (title, body) = compose::of_length(&mut self.dice, &mut scene, topic, length);
        let told = self.dice.chance(0.6);
        let id = format!("ticket-{}", self.published);
        json::open(out, EventType::Ticket.name(), "//desk.brightwater.example", &id, self.clock.text(time));
        json::escaped(out, "{\"title\":", &title);
        json::escaped(out, ",\"body\":", &body);
        json::text(out, ",\"ticket_id\":\"", &id);
        json::text(out, "\",\"priority\":\"", if topic.kind == Kind::Bug { "high" } else { "normal" });
        json::text(out, "\",\"requester\":{\"email\":\"", &human.email);
        json::escaped(out, "\",\"name\":", &human.name);
        json::text(out, "},\"consumer\":\"", &consumer.id);
        if told {
            json::text(out, "\",\"api_version\":\"", &api.versions[seat.version].name);
        }
        json::text(out, "\",\"api\":\"", api.spec.name);
        out.extend_from_slice(b"\"}}");
        self.counts[number].tickets += 1;
    }

    fn survey(&mut self, number: usize, time: Timestamp, out: &mut Vec<u8>) {
        let seat = &self.seats[number];
        let (consumer, api) = (&self.consumers[seat.consumer], &self.company.apis[seat.api]);
        let (kind, highest) = *self.dice.pick(&[("nps", 11), ("nps", 11), ("csat", 5), ("ces", 7)]);
        let score = if highest == 11 { self.dice.below(11) } else { 1 + self.dice.below(highest) };
        let id = format!("answer-{}", self.published);
        json::open(out, EventType::Survey.name(), "//surveys.brightwater.example", &id, self.clock.text(time));
        json::text(out, "{\"kind\":\"", kind);
        json::number(out, "\",\"score\":", score as u64);
        if self.dice.chance(0.6) {
            let section = self.dice.word(&["survey_high", "survey_middle", "survey_low", "survey_refund_failing"]);
            let mut text = String::new();
            if let Some(template) = crate::texts::template(&mut self.dice, Language::En, section) {
                let name = &api.versions[seat.version].name;
                text = template.replace("{v}", name).replace("{op}", "getPayment").replace("{status}", "500");
            }
            json::escaped(out, ",\"comment\":", &text);
        }
        json::text(out, ",\"consumer\":\"", &consumer.id);
        json::text(out, "\",\"api_version\":\"", &api.versions[seat.version].name);
        json::text(out, "\",\"api\":\"", api.spec.name);
        out.extend_from_slice(b"\"}}");
        self.counts[number].surveys += 1;
    }
}

fn seats(company: &Company, consumers: &[Consumer], at: Timestamp) -> (Vec<Seat>, Vec<f64>) {
    let (mut seats, mut weights) = (Vec::new(), Vec::new());
    for (c, consumer) in consumers.iter().enumerate() {
        for usage in &consumer.uses {
            let api = &company.apis[usage.api];
            for (version, share) in usage.journey.mix(at).into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
                let quality = &api.versions[version].quality;
                let operations = usage.operations.iter().zip(quality).map(|(w, q)| if q.is_some() { *w } else { 0.0 }).collect();
                let sdk = consumer.sdk.map(|sdk| format!(",\"sdk\":\"brightwater-{sdk}/{}\"", sdk_version(version))).unwrap_or_default();
                let tail = format!(",\"consumer\":\"{}\"{sdk},\"plan\":\"{}\"}}}}", consumer.id, consumer.plan);
                seats.push(Seat { consumer: c, api: usage.api, version, operations, tail });
                weights.push(consumer.volume * usage.share * share);
            }
        }
    }
    (seats, weights)
}

/// Every number as often as its weight asks for; every number at least once while there is room.
fn by_weight(weights: &[f64]) -> Vec<u32> {
    let total: f64 = weights.iter().sum();
    let mut draws: Vec<u32> = Vec::with_capacity(DRAWS);
    let mut sum = 0.0;
    for (number, weight) in (0u32..).zip(weights) {
        sum += weight / total * DRAWS as f64;
        let until = (sum.round() as usize).min(DRAWS).max(draws.len());
        draws.resize(until, number);
    }
    draws.resize(DRAWS, 0);
    draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_as_likely_as_its_weight() {
        let draws = by_weight(&[1.0, 0.0, 3.0]);
        assert_eq!(draws.len(), DRAWS);
        assert_eq!([0, 1, 2].map(|n| draws.iter().filter(|d| **d == n).count()), [DRAWS / 4, 0, DRAWS * 3 / 4]);
    }

    #[test]
    fn releases_of_the_catalogue_come_first() {
        let workload = Workload::new(BenchPlan::new(Timestamp(1_780_272_000_000), 10)).expect("a good plan");
        let catalogue = workload.catalogue();
        assert!(
            catalogue.iter().any(|e| e.event_type() == EventType::Release)
                && catalogue.iter().any(|e| e.event_type() == EventType::Identity)
        );
    }
}
