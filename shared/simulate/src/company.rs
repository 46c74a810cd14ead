//! The simulated company: its APIs, their versions and how well each operation of each version works.

use std::sync::Arc;

use groundswell_model::Timestamp;

use crate::{
    plan::{DAY_MS, Plan},
    specs::{ApiSpec, OperationSpec, SPECS, Style},
};

/// How many APIs the company has.
pub const API_COUNT: usize = SPECS.len();

/// All APIs of the company.
#[derive(Clone, Debug)]
pub struct Company {
    /// The APIs, the most used first.
    pub apis: Vec<Api>,
}

/// One API with its versions.
#[derive(Clone, Debug)]
pub struct Api {
    /// What does not change with the version.
    pub spec: &'static ApiSpec,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
}

/// One version of an API.
#[derive(Clone, Debug)]
pub struct Version {
    /// As consumers see it.
    pub name: Arc<str>,
    /// When it was released.
    pub released: Timestamp,
    /// When it was deprecated, if it was.
    pub deprecated: Option<Timestamp>,
    /// When it will stop answering, if that is announced.
    pub sunset: Option<Timestamp>,
    /// Host name that it answers on.
    pub host: String,
    /// Prefix of its paths.
    pub base_path: String,
    /// How each operation works, in the order of the spec; none for operations that it does not have.
    pub quality: Vec<Option<Quality>>,
    /// Mean number of failing calls before a newcomer's first success.
    pub stumbles: f64,
}

/// How well an operation works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Share of calls that fail.
    pub error: f64,
    /// Median latency in milliseconds.
    pub latency_ms: f64,
}

/// The operation that v2 of payments made worse.
pub(crate) const REGRESSED: &str = "createRefund";
/// Share of refunds that fail in v2.
const REGRESSED_ERROR: f64 = 0.105;
/// How much slower a refund is in v2.
const REGRESSED_SLOWER: f64 = 3.1;
/// Share of list calls that fail for a broken cursor before the version that mends it.
const CURSOR_ERROR: f64 = 0.045;

impl Company {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { apis: SPECS.iter().take(plan.apis).map(|spec| Api::new(spec, plan)).collect() }
    }

    /// The number of an API in [`Self::apis`].
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.apis.iter().position(|a| a.spec.name == name)
    }
}

impl Api {
    fn new(spec: &'static ApiSpec, plan: &Plan) -> Self {
        let at = |share: f64| plan.start().plus_ms((share * f64::from(plan.days) * DAY_MS as f64) as i64);
        let last = spec.versions.len() - 1;
        let versions = spec.versions.iter().enumerate().map(|(i, v)| {
            let released = if v.released < 0.0 { plan.start().plus_ms((v.released * DAY_MS as f64) as i64) } else { at(v.released) };
            let successor = spec.versions.get(i + 1).map(|next| next.released);
            let deprecated = successor.filter(|next| *next < 0.8).map(|next| at((next + 0.18).max(0.02)));
            let name = if spec.style == Style::Date { released.day().iso() } else { v.name.to_owned() };
            Version {
                host: host(spec, &name),
                base_path: if spec.style == Style::Path { format!("/{name}") } else { spec.base_path.to_owned() },
                name: name.into(),
                released,
                deprecated,
                sunset: deprecated.map(|d| Timestamp(d.plus_ms(120 * DAY_MS).day().start().0)),
                quality: spec.operations.iter().map(|op| (op.since <= i).then(|| quality(spec, op, i, last))).collect(),
                stumbles: v.stumbles,
            }
        });
        Self { spec, versions: versions.collect() }
    }

    /// Whether this operation of this version is the one that got worse.
    #[must_use]
    pub fn is_regressed(&self, version: usize, operation: usize) -> bool {
        self.spec.name == "payments" && version == 1 && self.spec.operations[operation].id == REGRESSED
    }

    /// The newest version that is out at this time; the oldest before any is.
    #[must_use]
    pub fn newest(&self, at: Timestamp) -> usize {
        self.versions.iter().rposition(|v| v.released <= at).unwrap_or(0)
    }
}

fn host(spec: &ApiSpec, version: &str) -> String {
    match spec.style {
        Style::Host => format!("{version}.{}.{DOMAIN}", spec.name),
        Style::Path | Style::Date | Style::Header => format!("api.{DOMAIN}"),
    }
}

/// The domain of the company: one that can never exist.
pub(crate) const DOMAIN: &str = "brightwater.example";

fn quality(spec: &ApiSpec, op: &OperationSpec, version: usize, last: usize) -> Quality {
    let newer = 1.0 - 0.08 * version as f64;
    let (mut error, mut latency_ms) = (op.error * newer, op.latency_ms * newer);
    if spec.name == "payments" && version == 1 && op.id == REGRESSED {
        (error, latency_ms) = (REGRESSED_ERROR, op.latency_ms * REGRESSED_SLOWER);
    }
    if spec.name == "catalog" && version < last && op.id == "listProducts" {
        error = CURSOR_ERROR;
    }
    Quality { error, latency_ms }
}
