//! `up` and `serve`: services until told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use groundswell_bus::Bus;
use groundswell_runtime::program::{apart, exit_code, print_configuration, start};
use groundswell_runtime::settings::LogFormat;
use groundswell_runtime::{App, ServeArgs, Service, Settings};

use crate::cli::{Global, ServeOne};
use crate::failure::Failure;
use crate::output::note;
use crate::pipeline;
use crate::server_file::ServerFile;

/// All services.
pub fn up(global: &Global, args: &ServeArgs) -> ExitCode {
    match global.config.load_for(args) {
        Ok(settings) => run(settings, args, "all services", pipeline::everything),
        Err(error) => Failure::from(error).tell(),
    }
}

/// One service.
pub fn serve(global: &Global, args: &ServeOne) -> ExitCode {
    let name = format!("{:?}", args.service).to_lowercase();
    match global.config.load_for(&args.serve).and_then(apart) {
        Ok(settings) => run(settings, &args.serve, &name, |app, bus| pipeline::one(args.service, app, bus)),
        Err(error) => Failure::from(error).tell(),
    }
}

fn run(settings: Settings, args: &ServeArgs, what: &str, build: impl FnOnce(&App, &Arc<dyn Bus>) -> anyhow::Result<Service>) -> ExitCode {
    if args.check_config {
        return print_configuration(&settings);
    }
    exit_code(serve_until_stopped(settings, what, build))
}

fn serve_until_stopped(
    settings: Settings,
    what: &str,
    build: impl FnOnce(&App, &Arc<dyn Bus>) -> anyhow::Result<Service>,
) -> anyhow::Result<()> {
    let app = App::start(settings)?;
    let running = start(&app, build)?;
    let (server, data) = (ServerFile::of(running.address()), app.settings.data.display());
    // Only a convenience for other commands: nobody is to stop serving for it on a full disk.
    let written = server
        .write(&app.settings.data)
        .inspect_err(|error| tracing::warn!(error = format!("{error:#}"), "other commands need --server"))
        .ok();
    match app.settings.log.format {
        LogFormat::Text => note(&format!("groundswell: {what} on {} (data in {data}); ctrl-C stops", server.url)),
        LogFormat::Json => tracing::info!(url = server.url, %data, "started: {what}"),
    }
    let outcome = running.wait();
    drop(written);
    Ok(outcome?)
}
