//! From accepted events to what the index keeps: the second of the three services.
//!
//! `events` is keyed by consumer, so one partition sees everything a consumer did and said. A
//! [`core::Partition`] counts each event once, folds usage into deltas, keeps the consumer's journal, and turns
//! feedback into insights: attributed to a version ([`attribution`]) and labelled. [`stage`] does that for a batch, in one
//! atomic step: events read, instructions to the index, dead letters and state written.
//!
//! What this service never does: keep anything that is not state or read again from `events`, read a clock, or let a
//! name that nobody declared grow an index without bound.

pub mod again;
pub mod attribution;
pub mod core;
pub mod language_model;
pub mod lessons;
pub mod stage;

use std::sync::Arc;
use std::time::Duration;

use groundswell_bus::{Budget, Bus, Group, service as bus_service};
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{App, Service, Settings, Stop};

pub use stage::ClassifyStage;

/// What one step may take in: large steps fold more usage and write each journal less often, the linger keeps insights fresh.
const BUDGET: Budget = Budget {
    records: 2_048,
    bytes: 8 * 1024 * 1024,
    wait: Duration::from_millis(200),
    linger: Duration::from_millis(10),
    linger_behind: Duration::from_secs(1),
};

/// Runs the service until `stop` is set; owns the calling thread.
///
/// # Errors
/// The transport failed in a way that this process can't mend, or a state entry or frame is of another version.
pub fn run(bus: &Arc<dyn Bus>, settings: &Settings, stop: &Stop) -> anyhow::Result<()> {
    let mut stage = stage(bus, settings, stop)?;
    Ok(bus_service::run(bus.as_ref(), Group::Classify, &mut stage, BUDGET, stop)?)
}

/// The stage that the settings ask for.
fn stage(bus: &Arc<dyn Bus>, settings: &Settings, stop: &Stop) -> anyhow::Result<ClassifyStage> {
    let model = &settings.classify.language_model;
    let start = || language_model::Helper::start(bus, model, groundswell_runtime::clock::now, stop.clone());
    let helper = model.is_on().then(start).transpose()?;
    Ok(ClassifyStage::with_classifier(Arc::clone(bus), settings, stage::configured(settings)?)?.asking(helper))
}

/// The service as a program runs it.
///
/// # Errors
/// A topic is missing.
pub fn service(app: &App, bus: &Arc<dyn Bus>) -> anyhow::Result<Service> {
    let mut stage = stage(bus, &app.settings, &app.stop)?;
    let again = again::http::router(Arc::clone(bus), &app.settings, app.stop.clone());
    let again = app.auth.protect(again, Scope::Admin);
    let (bus, stop, ready) = (Arc::clone(bus), app.stop.clone(), app.health.register("classify"));
    let looping = Service::looping("classify", move || {
        ready.set(true);
        Ok(bus_service::run(bus.as_ref(), Group::Classify, &mut stage, BUDGET, &stop)?)
    });
    Ok(looping.routes(again))
}
