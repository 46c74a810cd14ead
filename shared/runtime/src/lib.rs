//! What every program of the pipeline needs around its work: configuration, telemetry, health, keys, HTTP, the clock.
//!
//! A service brings loops and routes; [`program`] runs them:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use groundswell_runtime::settings::Scope;
//! use groundswell_runtime::{App, Service, program};
//!
//! fn service(app: &App, bus: &std::sync::Arc<dyn groundswell_bus::Bus>) -> anyhow::Result<Service> {
//!     let (bus, stop) = (bus.clone(), app.stop.clone());
//!     let ready = app.health.register("echo"); // /readyz answers 200 when every flag is set
//!     let work = move || {
//!         ready.set(true);
//!         while !stop.is_set() { /* poll the bus, work, commit */ }
//!         drop(bus);
//!         Ok(())
//!     };
//!     let routes = Router::new().route("/v1/echo", get(|| async { "echo" }));
//!     Ok(Service::looping("echo", work).routes(app.auth.protect(routes, Scope::Read)))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     program::main("echo", service)
//! }
//! ```
//!
//! The program reads its [`Settings`] (exit 64 when they are wrong), begins logs and metrics, binds its address,
//! proves that the topics are there, and runs until SIGTERM or ctrl-C, or until a loop fails (exit 70). It answers
//! `/healthz`, `/readyz`, `/metrics` and `/v1/status` by itself. Every HTTP error is a [`http::Problem`].

/// The allocator of every program of the pipeline, for librdkafka too: with many threads, glibc's keeps several times what is used.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod app;
mod args;
mod bus;
pub mod clock;
mod data;
pub mod exit;
mod freshness;
mod health;
pub mod http;
mod partitions;
pub mod program;
pub mod settings;
pub mod status;
pub mod telemetry;
pub mod threads;

pub use app::App;
pub use args::{ConfigArgs, ServeArgs};
pub use bus::open_bus;
pub use data::{prepare as prepare_data, pseudonym_key};
pub use freshness::{Freshness, FreshnessReport};
pub use groundswell_bus::Stop;
pub use health::{Health, Ready};
pub use program::Service;
pub use settings::Settings;
