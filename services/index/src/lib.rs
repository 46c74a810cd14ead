//! The index service: insights and usage in, answers per API version out.
//!
//! One partition of the insights topic is one [`rollup`] store (usage, milestones and the checkpoint)
//! and one [`search`] index per API version. [`summary`] joins both, [`review`] reads what a verdict is made from; [`http`] serves the answers.

pub mod corrections;
pub mod handle;
pub mod http;
pub mod journeys;
pub mod partition;
mod rebuild;
pub mod review;
pub mod rollup;
pub mod search;
mod service;
pub mod summary;
pub mod themes;

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
    let desk = http::Desk::new(handle.clone(), bus.clone(), app.settings.limits.contract());
    let desk = app.auth.protect(http::desk_router(desk), Scope::Publish);
    let themes = Arc::new(themes::Desk::new(bus.clone(), app.settings.limits.contract(), handle.clone()));
    let decide = app.auth.protect(http::decisions_router(handle.clone(), themes), Scope::Admin);
    let (bus, settings, stop) = (bus.clone(), app.settings.clone(), app.stop.clone());
    let service = Service::looping("index", move || run(bus, &settings, handle, stop));
    service.routes(read).routes(desk).routes(decide).routes(admin)
}
