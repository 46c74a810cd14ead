//! The index service: insights and usage in, answers per API version out.
//!
//! One partition of the insights topic is one [`rollup`] store (usage, milestones and the checkpoint)
//! and one [`search`] index per API version. [`summary`] joins both, [`review`] reads what a verdict is made from, [`journeys`] who came, stayed
//! and left; [`themes`] are what feedback keeps coming back to; [`corrections`] lie over what the machine says. [`http`] serves the answers, and
//! [`voice`] publishes what people decide.

pub mod changes;
pub mod corrections;
pub mod deprecation;
pub mod fix;
pub mod handle;
pub mod http;
pub mod journeys;
pub mod partition;
pub mod rebuild;
mod rebuilds;
mod retention;
pub mod review;
pub mod rollup;
mod rounds;
pub mod search;
mod service;
pub mod summary;
pub mod themes;
pub mod verdicts;
pub mod voice;

use std::sync::Arc;

use groundswell_bus::Bus;
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{App, Service};

pub use handle::Handle;
pub use service::run;

use voice::Voice;

/// The index service with its routes, ready once it holds `partitions` partitions.
#[must_use]
pub fn service(app: &App, bus: &Arc<dyn Bus>, partitions: usize) -> Service {
    let handle = Handle::new(app.freshness.clone());
    let opened = handle.clone();
    keep_verdicts(&handle, &app.settings.data);
    handle.expect(partitions);
    app.health.watch("index", move || opened.whole().is_some());
    let read = app.auth.protect(http::read_router(handle.clone()), Scope::Read);
    let admin = app.auth.protect(http::admin_router(handle.clone()), Scope::Admin);
    let voice = Voice::new(bus.clone(), app.settings.limits.contract());
    let desk = http::Desk::new(handle.clone(), voice.clone());
    let desk = app.auth.protect(http::desk_router(desk), Scope::Publish);
    let themes = Arc::new(themes::Desk::new(handle.clone(), voice));
    let decide = app.auth.protect(http::decisions_router(handle.clone(), themes), Scope::Admin);
    let (bus, settings, stop) = (bus.clone(), app.settings.clone(), app.stop.clone());
    let service = Service::looping("index", move || run(bus, &settings, handle, stop));
    service.routes(read).routes(desk).routes(decide).routes(admin)
}

/// Opens the store of verdicts. Without it there are verdicts all the same, only no history of them.
fn keep_verdicts(handle: &Handle, data: &std::path::Path) {
    let folder = data.join("index");
    let opened = std::fs::create_dir_all(&folder)
        .map_err(|e| e.to_string())
        .and_then(|()| verdicts::Verdicts::open(&folder.join("verdicts.redb")).map_err(|e| e.to_string()));
    match opened {
        Ok(verdicts) => handle.keep_verdicts(verdicts),
        Err(error) => tracing::error!(error, folder = %folder.display(), "verdicts can't be stored"),
    }
}
