//! The index service: insights and usage in, answers per API version out.
//!
//! One partition of the insights topic is one [`rollup`] store (usage, milestones and the checkpoint)
//! and one [`search`] index per API version. [`summary`] joins both, [`review`] reads what a verdict is made from; [`http`] serves the answers.

pub mod changes;
pub mod handle;
pub mod http;
pub mod partition;
mod rebuild;
pub mod review;
pub mod rollup;
pub mod search;
mod service;
pub mod summary;

use std::sync::Arc;

use groundswell_bus::Bus;
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{App, Service};

pub use handle::Handle;
pub use service::run;

/// The index service with its routes, ready once it holds `partitions` partitions.
#[must_use]
pub fn service(app: &App, bus: &Arc<dyn Bus>, partitions: usize) -> Service {
    let handle = Handle::new(app.freshness.clone());
    let opened = handle.clone();
    app.health.watch("index", move || opened.stores().len() >= partitions);
    let read = app.auth.protect(http::read_router(handle.clone()), Scope::Read);
    let admin = app.auth.protect(http::admin_router(handle.clone()), Scope::Admin);
    let (bus, settings, stop) = (bus.clone(), app.settings.clone(), app.stop.clone());
    Service::looping("index", move || run(bus, &settings, handle, stop)).routes(read).routes(admin)
}
