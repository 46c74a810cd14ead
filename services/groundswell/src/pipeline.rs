//! Which service brings what: the wiring of `up`, `serve`, `demo`, and of a question to a folder that nobody serves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::{Json, Router, routing::get};
use groundswell_bus::{Bus, Topic};
use groundswell_runtime::program::{self, Running};
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{App, Service, Settings};

use crate::cli::OneService;
use crate::failure::Failure;
use crate::{dead_letters, openapi};

/// All services.
pub fn everything(app: &App, bus: &Arc<dyn Bus>) -> anyhow::Result<Service> {
    let partitions = bus.partitions(Topic::Insights)? as usize;
    Ok(ingest(app, bus)?
        .and(groundswell_classify::service(app, bus)?)
        .and(groundswell_index::service(app, bus, partitions))
        .routes(common()))
}

/// One service.
pub fn one(service: OneService, app: &App, bus: &Arc<dyn Bus>) -> anyhow::Result<Service> {
    let service = match service {
        OneService::Ingest => ingest(app, bus)?,
        OneService::Classify => groundswell_classify::service(app, bus)?,
        // Further processes hold the other partitions.
        OneService::Index => groundswell_index::service(app, bus, 1),
    };
    Ok(service.routes(common()))
}

fn ingest(app: &App, bus: &Arc<dyn Bus>) -> anyhow::Result<Service> {
    let letters = dead_letters::router(bus.clone(), app.settings.topics.names.clone());
    Ok(groundswell_ingest::service(app, bus)?.routes(app.auth.protect(letters, Scope::Admin)))
}

fn common() -> Router {
    Router::new().route("/openapi.json", get(|| async { Json(openapi::document()) }))
}

/// All services in this process for the time of a command, on an address of its own that needs no key.
#[derive(Debug)]
pub struct Own {
    app: App,
    running: Option<Running>,
    address: SocketAddr,
}

impl Own {
    /// Starts them over a data folder.
    pub fn start(settings: &Settings) -> Result<Self, Failure> {
        let mut settings = settings.clone();
        settings.server.keys.clear();
        settings.server.listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        quiet(&mut settings);
        let app = App::start(settings)?;
        let running = program::start(&app, everything)?;
        let address = running.address();
        Ok(Self { app, running: Some(running), address })
    }

    /// Where they answer.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether they were told to stop, or failed.
    pub fn has_stopped(&self) -> bool {
        self.app.stop.is_set()
    }

    /// Ends them in good order.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.running.take().map_or(Ok(()), |running| running.stop().map_err(|e| Failure::failed(e.to_string())))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            tracing::error!(%failure, "the services did not stop in good order");
        }
    }
}

/// Leaves only what went wrong in the log, if nothing else was configured.
pub fn quiet(settings: &mut Settings) {
    if settings.log == groundswell_runtime::settings::LogSettings::default() {
        settings.log.level = "warn".into();
    }
}
