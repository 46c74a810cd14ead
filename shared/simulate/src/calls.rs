//! API calls: what was called, how it went, and how the gateway tells it.

use groundswell_contract::{
    Data, Usage,
    data::{Money, ValueEvent},
};
use groundswell_model::Timestamp;

use crate::{
    company::{Api, Quality},
    consumer::{Consumer, Use},
    dice::Dice,
    event::SimEvent,
    openapi::sdk_version,
    scene::path,
    specs::{OperationSpec, Style},
    topics::REFUND_STATUSES,
    truth::{Simulated, Truth},
};

/// What a consumer has lived through on one version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    /// Failing calls still to come before the first success; none before the first call.
    stumbles: Option<u8>,
    /// Share of recent calls that failed.
    pub(crate) felt: f64,
    /// A recent failed request.
    pub(crate) failing: Option<Failing>,
}

/// A failed request that someone may write about.
#[derive(Clone, Debug)]
pub(crate) struct Failing {
    pub(crate) request_id: String,
    pub(crate) operation: usize,
    pub(crate) status: u16,
}

/// Where a call happens.
pub(crate) struct Call<'a> {
    pub(crate) consumer: &'a Consumer,
    pub(crate) usage: &'a Use,
    pub(crate) api: &'a Api,
    pub(crate) version: usize,
    pub(crate) at: Timestamp,
    /// How easily it stumbles at first: 0 for who was there before the simulation began, 1 for newcomers.
    pub(crate) green: f64,
}

const FIRST_FAILURES: &[u16] = &[401, 401, 403, 400, 422, 404];
const FAILURES: &[u16] = &[500, 503, 502, 504, 400, 400, 404, 404, 409, 422];
/// Refused calls of the small plans.
const RATE_LIMITED: f64 = 0.006;
/// Mean number of calls in a sum.
const SUM_MEAN: f64 = 14.0;
/// Mean number of calls in a sum of failed ones.
const FAILED_SUM_MEAN: f64 = 2.5;
/// Successful reads that a sampling edge reports, and the number of calls each stands for.
const SAMPLED: (f64, u32) = (0.02, 4);
/// Weight of the newest call in what is felt.
const FEELING: f64 = 0.04;

impl Call<'_> {
    /// Makes the call.
    pub(crate) fn make(&self, dice: &mut Dice, life: &mut Life) -> Simulated {
        let version = &self.api.versions[self.version];
        let weights = self.usage.operations.iter().zip(&version.quality).map(|(w, q)| if q.is_some() { *w } else { 0.0 });
        let operation = dice.weighted(weights);
        let spec = &self.api.spec.operations[operation];
        let quality = version.quality[operation].unwrap_or(Quality { error: 0.01, latency_ms: 50.0 });
        let status = self.status(dice, life, operation, quality);
        let failed = status >= 400;
        let mut id = String::from("req_");
        dice.token(16, &mut id);
        life.felt += FEELING * (f64::from(u8::from(failed)) - life.felt);
        if failed && !self.consumer.sums {
            life.failing = Some(Failing { request_id: id.clone(), operation, status });
        }
        let sampled = (!failed && spec.method == "GET" && !self.consumer.sums && dice.chance(SAMPLED.0)).then_some(SAMPLED.1);
        let mean = if failed { FAILED_SUM_MEAN } else { SUM_MEAN };
        let count = self.consumer.sums.then(|| 1 + dice.exponential(mean) as u64);
        let calls = count.unwrap_or(1) * u64::from(sampled.unwrap_or(1));
        let latency_ms = latency(dice, quality, status);
        let usage = self.told(dice, spec, status, latency_ms, &id);
        let event = SimEvent {
            source: self.source(sampled),
            id,
            time: self.at,
            arrives: self.at,
            sampled,
            data: Data::Usage(Box::new(Usage { count, ..usage })),
        };
        let truth = Truth {
            api: Some(self.api.spec.name),
            version: Some(version.name.clone()),
            operation: Some(spec.id),
            consumer: Some(self.consumer.id.clone()),
            calls,
            failed: if failed { calls } else { 0 },
            ..Truth::default()
        };
        Simulated { event, truth }
    }

    fn source(&self, sampled: Option<u32>) -> &'static str {
        match (self.consumer.sums, sampled, self.consumer.zone < -2) {
            (true, ..) => "//reports.brightwater.example",
            (_, Some(_), _) => "//edge.brightwater.example",
            (_, _, true) => "//gateway.brightwater.example/us",
            _ => "//gateway.brightwater.example/eu",
        }
    }

    fn status(&self, dice: &mut Dice, life: &mut Life, operation: usize, quality: Quality) -> u16 {
        let green = if self.consumer.sums { 0.0 } else { self.green };
        let stumbles = life.stumbles.get_or_insert_with(|| dice.poisson(green * self.api.versions[self.version].stumbles).min(30) as u8);
        if *stumbles > 0 {
            *stumbles -= 1;
            return *dice.pick(FIRST_FAILURES);
        }
        if matches!(self.consumer.plan, "free" | "starter") && dice.chance(RATE_LIMITED) {
            return 429;
        }
        if dice.chance(if self.consumer.sums { share_of_sums(quality.error) } else { quality.error }) {
            return match self.api.spec.operations[operation].id {
                _ if self.api.is_regressed(self.version, operation) => *dice.pick(REFUND_STATUSES),
                "listProducts" if self.version == 0 => 400,
                _ => *dice.pick(FAILURES),
            };
        }
        if self.api.spec.operations[operation].method == "POST" { 201 } else { 200 }
    }

    /// What the publisher tells of the call: never all of it, always enough.
    fn told(&self, dice: &mut Dice, spec: &OperationSpec, status: u16, latency_ms: f64, id: &str) -> Usage {
        let version = &self.api.versions[self.version];
        let name = || Some(version.name.to_string());
        let (api_told, version_told) = match self.api.spec.style {
            Style::Date | Style::Header => (true, true),
            Style::Path => (dice.chance(0.7), dice.chance(0.15)),
            Style::Host => (dice.chance(0.5), dice.chance(0.1)),
        };
        let mut concrete = String::new();
        path(dice, &version.base_path, spec.path, &mut concrete);
        let single = !self.consumer.sums;
        let sdk = self.consumer.sdk.map(|sdk| (sdk, sdk_version(self.version)));
        let (by_sdk, by_agent) = if dice.chance(0.7) { (sdk, None) } else { (None, sdk) };
        let success = status < 400;
        Usage {
            api: (api_told || version_told).then(|| self.api.spec.name.to_owned()),
            api_version: version_told.then(name).flatten(),
            method: Some(spec.method.to_owned()),
            path: Some(concrete),
            host: (self.api.spec.style == Style::Host || dice.chance(0.5)).then(|| version.host.clone()),
            operation: dice.chance(0.35).then(|| spec.id.to_owned()),
            status: Some(status),
            latency_ms: Some((latency_ms * 100.0).round() / 100.0),
            consumer: Some(self.consumer.id.to_string()),
            request_id: single.then(|| id.to_owned()),
            sdk: by_sdk.map(|(sdk, v)| format!("brightwater-{sdk}/{v}")),
            user_agent: by_agent
                .map(|(sdk, v)| format!("brightwater-{sdk}/{v} ({})", dice.word(&["linux", "darwin", "windows", "container"]))),
            bytes: (success && single).then(|| dice.lognormal(1800.0, 0.9) as u64),
            plan: dice.chance(0.6).then(|| self.consumer.plan.to_owned()),
            revenue: (success && spec.value.is_some() && self.consumer.revenue > 0.0)
                .then(|| Money { amount: (dice.lognormal(0.03, 0.6) * 10_000.0).round() / 10_000.0, currency: "EUR".into() }),
            value: spec.value.filter(|_| success).map(|name| ValueEvent { name: name.to_owned(), amount: None }),
            use_case: dice.chance(0.4).then(|| self.usage.use_case.to_owned()),
            ..Usage::default()
        }
    }
}

/// Sums of failed calls are smaller, so there must be more of them for the same share of failed calls.
fn share_of_sums(error: f64) -> f64 {
    let (good, bad) = (SUM_MEAN + 0.5, FAILED_SUM_MEAN + 0.5);
    error * good / (error * good + (1.0 - error) * bad)
}

fn latency(dice: &mut Dice, quality: Quality, status: u16) -> f64 {
    match status {
        401 | 403 | 429 => dice.lognormal(6.0, 0.3),
        504 => 10_000.0 + dice.exponential(400.0),
        400..=499 => dice.lognormal(quality.latency_ms * 0.6, 0.4),
        _ => dice.lognormal(quality.latency_ms, 0.5),
    }
}
