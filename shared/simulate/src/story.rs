//! What was planted, as data: tests and the demo look for it in the answers.

use std::sync::Arc;

use groundswell_model::Timestamp;
use serde::Serialize;

use crate::{
    company::{Company, REGRESSED},
    consumer::{Consumer, LOUD, LOUD_API},
};

/// The planted story. A part is missing where its API is not simulated.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Story {
    /// An operation that a version made worse.
    pub regression: Option<Regression>,
    /// A problem that a version mended.
    pub fixed: Option<Fixed>,
    /// A wish that comes back in every version.
    pub ignored: Option<Ignored>,
    /// One consumer who writes more than all others.
    pub loud: Option<Loud>,
}

/// One operation of a new version fails more often and is slower than before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Regression {
    /// The API.
    pub api: &'static str,
    /// The version that is worse.
    pub version: Arc<str>,
    /// The version before.
    pub baseline: Arc<str>,
    /// The operation.
    pub operation: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// Share of calls that fail, before and since.
    pub error: (f64, f64),
    /// Median latency in milliseconds, before and since.
    pub latency_ms: (f64, f64),
    /// What people write about.
    pub topics: [&'static str; 2],
}

/// A problem of the older version is gone in the newer one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fixed {
    /// The API.
    pub api: &'static str,
    /// The version with the problem.
    pub broken: Arc<str>,
    /// The version without.
    pub fixed: Arc<str>,
    /// The operation.
    pub operation: &'static str,
    /// When the newer version was released.
    pub since: Timestamp,
    /// What people write about.
    pub topic: &'static str,
}

/// A wish that no version fulfilled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ignored {
    /// The API.
    pub api: &'static str,
    /// All versions in which it is asked for.
    pub versions: Vec<Arc<str>>,
    /// What people write about.
    pub topic: &'static str,
}

/// One consumer with many tickets: it must count as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loud {
    /// The API.
    pub api: &'static str,
    /// The version.
    pub version: Arc<str>,
    /// Who it is.
    pub consumer: Arc<str>,
    /// What it writes about.
    pub topic: &'static str,
}

impl Story {
    pub(crate) fn of(company: &Company, consumers: &[Consumer]) -> Self {
        let api = |name| company.find(name).map(|at| &company.apis[at]);
        let regression = api("payments").and_then(|api| {
            let operation = api.spec.operations.iter().position(|o| o.id == REGRESSED)?;
            let quality = |v: usize| api.versions[v].quality[operation];
            let (before, since) = (quality(0)?, quality(1)?);
            Some(Regression {
                api: api.spec.name,
                version: api.versions[1].name.clone(),
                baseline: api.versions[0].name.clone(),
                operation: REGRESSED,
                since: api.versions[1].released,
                error: (before.error, since.error),
                latency_ms: (before.latency_ms, since.latency_ms),
                topics: ["refund_failing", "refund_slow"],
            })
        });
        let fixed = api("catalog").map(|api| Fixed {
            api: api.spec.name,
            broken: api.versions[0].name.clone(),
            fixed: api.versions[1].name.clone(),
            operation: "listProducts",
            since: api.versions[1].released,
            topic: "page_skips",
        });
        let ignored = api("identity").map(|api| Ignored {
            api: api.spec.name,
            versions: api.versions.iter().map(|v| v.name.clone()).collect(),
            topic: "bulk_invite",
        });
        let loud = api(LOUD_API).map(|api| Loud {
            api: api.spec.name,
            version: api.versions[1].name.clone(),
            consumer: consumers[LOUD].id.clone(),
            topic: "label_rotated",
        });
        Self { regression, fixed, ignored, loud }
    }
}
