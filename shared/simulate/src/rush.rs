//! Who is likely to call or to write in an hour.

use groundswell_model::Timestamp;

use crate::{
    company::Company,
    consumer::{Consumer, LOUD, Rhythm},
    dice::Dice,
    journey::MOST_VERSIONS,
    plan::{HOUR_MS, Plan},
    topics,
};

/// A consumer on one version of one API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) consumer: usize,
    /// The number of the API among those that the consumer uses.
    pub(crate) usage: usize,
    pub(crate) version: usize,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Call,
    Ticket,
    Survey,
}

const WHATS: [What; 3] = [What::Call, What::Ticket, What::Survey];

/// Running sums of the weights of all seats, for each thing that can happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hour {
    seats: Vec<Seat>,
    sums: [Vec<f64>; 3],
}

/// Which share of its calls a consumer that reports in sums reports as an event of its own.
const SUMS_EVENTS: f64 = 0.3;
/// How often the loud consumer writes, beside everything else that is written, by consumer.
const LOUDNESS: f64 = 1.7;

/// What does not change with the time.
#[derive(Clone, Debug)]
pub(crate) struct Propensity {
    /// Weight of tickets of a consumer's API and version.
    tickets: Vec<Vec<[f64; MOST_VERSIONS]>>,
    loud: f64,
}

impl Propensity {
    pub(crate) fn new(plan: &Plan, company: &Company, consumers: &[Consumer]) -> Self {
        let loud = LOUDNESS * plan.consumers as f64;
        let of_consumer = |(i, c): (usize, &Consumer)| {
            let of_use = |u: &crate::consumer::Use| {
                let api = &company.apis[u.api];
                let total = |v| {
                    if v < api.versions.len() {
                        topics::weights(c, u, api, v, if i == LOUD { loud } else { 0.0 }).iter().sum()
                    } else {
                        0.0
                    }
                };
                std::array::from_fn(total)
            };
            c.uses.iter().map(of_use).collect()
        };
        Self { tickets: consumers.iter().enumerate().map(of_consumer).collect(), loud }
    }

    /// How often this consumer writes about the subject of the loud one.
    pub(crate) fn loudness(&self, consumer: usize) -> f64 {
        if consumer == LOUD { self.loud } else { 0.0 }
    }
}

impl Hour {
    /// Weighs all seats for the hour that begins at this time.
    pub(crate) fn fill(&mut self, consumers: &[Consumer], propensity: &Propensity, begins: Timestamp) {
        self.seats.clear();
        self.sums.iter_mut().for_each(Vec::clear);
        let mut totals = [0.0; 3];
        for (c, consumer) in consumers.iter().enumerate() {
            let local = i64::from(begins.hour().0) + consumer.zone;
            let (busy, writing) = (consumer.rhythm.busy(local), Rhythm::Office.busy(local));
            let volume = consumer.volume * busy * if consumer.sums { SUMS_EVENTS } else { 1.0 };
            for (u, usage) in consumer.uses.iter().enumerate() {
                let mix = usage.journey.mix(begins.plus_ms(HOUR_MS / 2));
                for (v, share) in mix.into_iter().enumerate().filter(|(_, share)| *share > 0.0) {
                    let tickets = propensity.tickets[c][u][v] * writing * share;
                    let weights = [volume * usage.share * share, tickets, consumer.talkative.sqrt() * writing * share];
                    self.seats.push(Seat { consumer: c, usage: u, version: v });
                    for ((sums, total), weight) in self.sums.iter_mut().zip(&mut totals).zip(weights) {
                        *total += weight;
                        sums.push(*total);
                    }
                }
            }
        }
    }

    /// The weight of all seats together.
    pub(crate) fn total(&self, what: What) -> f64 {
        self.sums[what as usize].last().copied().unwrap_or_default()
    }

    /// A seat, drawn by weight; none if nobody is there.
    pub(crate) fn draw(&self, dice: &mut Dice, what: What) -> Option<Seat> {
        let sums = &self.sums[what as usize];
        let mark = dice.unit() * self.total(what);
        let at = sums.partition_point(|sum| *sum <= mark);
        self.seats.get(at).or_else(|| self.seats.last()).copied()
    }
}

/// The weight of each thing over the whole plan: what one event is worth.
pub(crate) fn totals(plan: &Plan, consumers: &[Consumer], propensity: &Propensity) -> [f64; 3] {
    let mut hour = Hour::default();
    let mut totals = [0.0; 3];
    for h in 0..i64::from(plan.days) * 24 {
        hour.fill(consumers, propensity, plan.start().plus_ms(h * HOUR_MS));
        for (total, what) in totals.iter_mut().zip(WHATS) {
            *total += hour.total(what);
        }
    }
    totals
}
