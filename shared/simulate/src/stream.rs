//! The stream of events, in the order in which they are published.

use std::collections::BTreeMap;

use groundswell_contract::Data;
use groundswell_model::Timestamp;

use crate::{
    calls::{Call, Life},
    company::Company,
    consumer::{self, Consumer},
    dice::Dice,
    event::SimEvent,
    feedback::Voice,
    journey::MOST_VERSIONS,
    openapi,
    plan::{BadPlan, DAY_MS, HOUR_MS, Plan},
    rush::{self, Hour, Propensity, Seat, What},
    story::Story,
    truth::{Simulated, Truth},
};

/// About how many events are made at a time: what is held in memory, with what arrives late.
const AT_ONCE: f64 = 4096.0;
/// Share of tickets that are said again in nearly the same words.
const SAID_AGAIN: f64 = 0.02;
/// How easily a consumer stumbles that knows an older version.
const EXPERIENCED: f64 = 0.3;
/// The latest an event arrives.
const LATEST_MS: i64 = 2 * DAY_MS;
const PORTAL: &str = "//portal.brightwater.example";

/// Events in the order in which they are published; memory does not grow with their number.
#[derive(Debug)]
pub struct Simulation {
    plan: Plan,
    company: Company,
    consumers: Vec<Consumer>,
    propensity: Propensity,
    dice: Dice,
    lives: Vec<Life>,
    /// Where the lives of each consumer begin in `lives`.
    first_life: Vec<usize>,
    /// Events for one unit of weight.
    rates: [f64; 3],
    hour: Hour,
    slice: Slice,
    /// What is made but not due, by arrival.
    pending: BTreeMap<(Timestamp, u64), Simulated>,
    due: BTreeMap<(Timestamp, u64), Simulated>,
    made: u64,
    numbers: u64,
}

/// A part of an hour.
#[derive(Clone, Copy, Debug)]
struct Slice {
    begins: Timestamp,
    length_ms: i64,
    left_in_hour: u32,
    hour_ends: Timestamp,
}

/// Starts a simulation.
///
/// # Errors
/// The plan has a value outside of what makes sense.
pub fn simulate(plan: &Plan) -> Result<Simulation, BadPlan> {
    plan.check()?;
    let company = Company::new(plan);
    let mut dice = Dice::new(plan.seed);
    let consumers = consumer::draw_all(&mut dice, plan, &company);
    let propensity = Propensity::new(plan, &company, &consumers);
    let totals = rush::totals(plan, &consumers, &propensity);
    let events = plan.events as f64;
    let shares = [1.0 - plan.tickets - plan.surveys, plan.tickets / (1.0 + SAID_AGAIN), plan.surveys];
    let rates = std::array::from_fn(|i| if totals[i] > 0.0 { events * shares[i] / totals[i] } else { 0.0 });
    let mut first_life = Vec::with_capacity(consumers.len());
    let mut lives = 0;
    for consumer in &consumers {
        first_life.push(lives);
        lives += consumer.uses.len() * MOST_VERSIONS;
    }
    let mut simulation = Simulation {
        slice: Slice { begins: plan.start(), length_ms: 0, left_in_hour: 0, hour_ends: plan.start() },
        plan: plan.clone(),
        company,
        consumers,
        propensity,
        dice,
        lives: vec![Life::default(); lives],
        first_life,
        rates,
        hour: Hour::default(),
        pending: BTreeMap::new(),
        due: BTreeMap::new(),
        made: 0,
        numbers: 10_000,
    };
    for told in catalogue(&simulation.company, &simulation.consumers, plan.start(), plan.end) {
        simulation.push(told);
    }
    Ok(simulation)
}

impl Simulation {
    /// The company whose events these are.
    #[must_use]
    pub fn company(&self) -> &Company {
        &self.company
    }

    /// What was planted.
    #[must_use]
    pub fn story(&self) -> Story {
        Story::of(&self.company, &self.consumers)
    }

    /// How far it is: from 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let span = self.plan.end.0 - self.plan.start().0;
        ((self.slice.begins.0 - self.plan.start().0) as f64 / span as f64).clamp(0.0, 1.0)
    }

    fn push(&mut self, simulated: Simulated) {
        self.made += 1;
        self.pending.insert((simulated.event.arrives, self.made), simulated);
    }

    /// Makes the next slice and moves what is due by its end; false behind the end of the plan.
    fn advance(&mut self) -> bool {
        let begins = self.slice.begins;
        if begins >= self.plan.end {
            self.due.append(&mut self.pending);
            return !self.due.is_empty();
        }
        if self.slice.left_in_hour == 0 {
            self.hour.fill(&self.consumers, &self.propensity, begins);
            let parts = ((self.hour.total(What::Call) * self.rates[0] / AT_ONCE).ceil() as u32).clamp(1, 3600);
            self.slice = Slice { begins, length_ms: HOUR_MS / i64::from(parts), left_in_hour: parts, hour_ends: begins.plus_ms(HOUR_MS) };
        }
        let share = self.slice.length_ms as f64 / HOUR_MS as f64;
        for what in [What::Call, What::Ticket, What::Survey] {
            let mean = self.hour.total(what) * self.rates[what as usize] * share;
            for _ in 0..self.dice.poisson(mean) {
                if let Some(seat) = self.hour.draw(&mut self.dice, what) {
                    let at = begins.plus_ms(self.dice.ms_below(self.slice.length_ms));
                    self.happen(what, seat, at);
                }
            }
        }
        self.slice.left_in_hour -= 1;
        // The last part of an hour takes what division left over.
        let ends = if self.slice.left_in_hour == 0 { self.slice.hour_ends } else { begins.plus_ms(self.slice.length_ms) };
        self.slice.begins = ends;
        let later = self.pending.split_off(&(ends, 0));
        self.due = std::mem::replace(&mut self.pending, later);
        true
    }

    fn happen(&mut self, what: What, seat: Seat, at: Timestamp) {
        let consumer = &self.consumers[seat.consumer];
        let usage = &consumer.uses[seat.usage];
        let api = &self.company.apis[usage.api];
        let life = self.first_life[seat.consumer] + seat.usage * MOST_VERSIONS + seat.version;
        let start = self.plan.start();
        if what == What::Call {
            let green = match (usage.journey.begins < start, api.versions[seat.version].released < start) {
                (true, true) => 0.0,
                (true, false) => EXPERIENCED,
                (false, _) => 1.0,
            };
            let call = Call { consumer, usage, api, version: seat.version, at, green };
            let made = call.make(&mut self.dice, &mut self.lives[life]);
            return self.publish(made, 5.0);
        }
        self.numbers += 1;
        let voice = Voice {
            number: seat.consumer,
            consumer,
            usage,
            api,
            version: seat.version,
            life: &self.lives[life],
            at,
            loudness: self.propensity.loudness(seat.consumer),
        };
        if what == What::Survey {
            let made = voice.survey(&mut self.dice, self.numbers);
            return self.publish(made, 240.0);
        }
        let made = voice.ticket(&mut self.dice, self.numbers);
        if self.dice.chance(SAID_AGAIN) {
            self.numbers += 1;
            let again = Voice::again(&mut self.dice, &made, self.numbers);
            if again.event.time < self.plan.end {
                self.publish(again, 240.0);
            }
        }
        self.publish(made, 240.0);
    }

    /// Publishes an event, sometimes late, sometimes once more some minutes later.
    fn publish(&mut self, mut made: Simulated, again_minutes: f64) {
        if self.dice.chance(self.plan.late) {
            let late = (self.dice.exponential(3.0) * HOUR_MS as f64) as i64;
            made.event.arrives = made.event.arrives.plus_ms(late.min(LATEST_MS));
        }
        if self.dice.chance(self.plan.resent) {
            let mut copy = made.clone();
            let minutes = self.dice.exponential(again_minutes).min(again_minutes * 8.0);
            copy.event.arrives = copy.event.arrives.plus_ms((minutes * 60_000.0) as i64);
            copy.truth.resent = true;
            self.push(made);
            return self.push(copy);
        }
        self.push(made);
    }
}

/// Releases and identities by the time they are told; what was before `start` is told at `start`.
pub(crate) fn catalogue(company: &Company, consumers: &[Consumer], start: Timestamp, end: Timestamp) -> Vec<Simulated> {
    let releases = openapi::releases(company, start, end).into_iter().map(|(told, a, v, release)| {
        let api = &company.apis[a];
        let truth = Truth { api: Some(api.spec.name), version: Some(api.versions[v].name.clone()), ..Truth::default() };
        let id = format!("release-{}-{}-{}", release.api, release.api_version, release.stage.name());
        portal(id, told, Data::Release(Box::new(release)), truth)
    });
    let known = consumers.iter().filter(|c| c.known && !c.uses.is_empty() && c.begins() < end);
    let identities = known.map(|consumer| {
        let truth = Truth { consumer: Some(consumer.id.clone()), ..Truth::default() };
        portal(format!("identity-{}", consumer.id), consumer.begins().max(start), Data::Identity(Box::new(consumer.identity())), truth)
    });
    releases.chain(identities).collect()
}

fn portal(id: String, at: Timestamp, data: Data, truth: Truth) -> Simulated {
    Simulated { event: SimEvent { source: PORTAL, id, time: at, arrives: at, sampled: None, data }, truth }
}

impl Iterator for Simulation {
    type Item = Simulated;

    fn next(&mut self) -> Option<Simulated> {
        loop {
            if let Some((_, simulated)) = self.due.pop_first() {
                return Some(simulated);
            }
            if !self.advance() {
                return None;
            }
        }
    }
}
