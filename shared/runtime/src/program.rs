//! Running services as a program: one HTTP server, one thread for each loop, until told to stop.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use clap::Parser;
use groundswell_bus::{Bus, BusError, Stop};
use tower::ServiceExt;

use crate::http::{Problem, Server};
use crate::settings::{Problem as WrongSetting, Scope, Settings, SettingsError, Transport};
use crate::threads::{Loop, LoopFailed, Threads};
use crate::{App, ConfigArgs, ServeArgs, exit, open_bus, partitions, status};

/// How often the lag goes into the metrics.
const MEASURE_EVERY: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);

/// What a service brings: loops, and routes that say for themselves which scope they need ([`crate::http::Auth::protect`]).
#[derive(Debug, Default)]
pub struct Service {
    /// Its loops.
    pub loops: Vec<Loop>,
    /// Its routes.
    pub routes: Router,
}

impl Service {
    /// A service of one loop without routes.
    #[must_use]
    pub fn looping(name: &'static str, run: impl FnOnce() -> anyhow::Result<()> + Send + 'static) -> Self {
        Self { loops: vec![Loop::new(name, run)], routes: Router::new() }
    }

    /// This service with more routes.
    #[must_use]
    pub fn routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// Both services.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.loops.extend(other.loops);
        self.routes(other.routes)
    }
}

/// A program at work.
#[derive(Debug)]
pub struct Running {
    app: App,
    threads: Threads,
    address: SocketAddr,
}

/// Starts serving, proves that the topics are there (waiting for a broker that is away), then builds and starts the services.
/// Until then `/healthz` answers 200, `/readyz` and everything else 503.
///
/// # Errors
/// The address is taken, the data folder is in use by another process, a topic does not fit, or a service refuses to start.
/// [`BusError::Stopped`] if the program was told to stop meanwhile.
pub fn start(app: &App, build: impl FnOnce(&App, &Arc<dyn Bus>) -> anyhow::Result<Service>) -> anyhow::Result<Running> {
    let server = Server::bind(app)?;
    let address = server.address();
    let bus = open_bus(&app.settings, app.stop.clone())?;
    let connected = app.health.register("topics");
    let routes: Arc<OnceLock<Router>> = Arc::default();
    let mut threads = Threads::new(app.stop.clone());
    let late = Router::new().fallback(when_built).with_state(routes.clone());
    threads.spawn(Loop::new("http", move || server.run(late)));

    let proven = bus.ensure_topics().map_err(anyhow::Error::from);
    let proven = proven.and_then(|()| partitions::check(&app.settings.data, bus.as_ref(), &app.settings.topics.names));
    let built = proven.and_then(|()| build(app, &bus));
    let service = match built {
        Ok(service) => service,
        Err(error) => {
            app.stop.stop();
            // The reason to stop is told, not what the server says while it stops.
            drop(threads.wait());
            return Err(error);
        }
    };
    let source = status::source(app, &bus);
    let status = app.auth.protect(status::router(source.clone()), Scope::Read);
    drop(routes.set(service.routes.merge(status)));
    service.loops.into_iter().for_each(|one| threads.spawn(one));
    let stop = app.stop.clone();
    threads.spawn(Loop::new("lag", move || measure(&source, &stop)));
    connected.set(true);
    Ok(Running { app: app.clone(), threads, address })
}

impl Running {
    /// The address it serves on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it is told to stop and every loop has ended.
    ///
    /// # Errors
    /// A loop ended by itself, or did not end in time.
    pub fn wait(self) -> Result<(), LoopFailed> {
        self.threads.wait()
    }

    /// Tells it to stop and waits for that.
    ///
    /// # Errors
    /// A loop had failed, or did not end in time.
    pub fn stop(self) -> Result<(), LoopFailed> {
        self.app.stop.stop();
        self.threads.wait()
    }
}

async fn when_built(State(routes): State<Arc<OnceLock<Router>>>, request: Request) -> Response {
    match routes.get() {
        Some(routes) => routes.clone().oneshot(request).await.into_response(),
        None => Problem::unavailable("the services are being started; /readyz says when they are ready").into_response(),
    }
}

fn measure(source: &status::StatusSource, stop: &Stop) -> anyhow::Result<()> {
    while !stop.is_set() {
        match source.measure() {
            Ok(_) => {}
            Err(BusError::Stopped) => break,
            Err(error) => tracing::warn!(%error, "the lag can't be measured now"),
        }
        let until = Instant::now() + MEASURE_EVERY;
        while !stop.is_set() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

#[derive(Parser)]
struct ProgramArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

/// The `main` of a program that is one service.
pub fn main(name: &'static str, build: impl FnOnce(&App, &Arc<dyn Bus>) -> anyhow::Result<Service>) -> ExitCode {
    let args = ProgramArgs::parse();
    let settings = match args.config.load_for(&args.serve).and_then(apart) {
        Ok(settings) => settings,
        Err(error) => return wrong_configuration(&error),
    };
    if args.serve.check_config {
        return print_configuration(&settings);
    }
    let outcome = App::start(settings).and_then(|app| {
        let running = start(&app, build)?;
        tracing::info!(service = name, address = %running.address(), "started");
        Ok(running.wait()?)
    });
    exit_code(outcome)
}

/// Settings for a service that runs apart from the others. The embedded log belongs to one process, so nobody would ever read what
/// such a service writes there.
///
/// # Errors
/// The transport is the embedded one.
pub fn apart(settings: Settings) -> Result<Settings, SettingsError> {
    match settings.transport {
        Transport::Kafka => Ok(settings),
        Transport::Embedded => Err(SettingsError::Problems(vec![WrongSetting {
            key: "transport".into(),
            says: "`transport` is \"embedded\", which one process has for itself, but a single service needs \"kafka\"".into(),
            todo: "run all services in one process with `groundswell up`, or set `transport = \"kafka\"` and `kafka.bootstrap`".into(),
        }])),
    }
}

/// Says what is wrong with the configuration.
#[must_use]
pub fn wrong_configuration(error: &SettingsError) -> ExitCode {
    tell(&error.to_string());
    exit::WRONG_CONFIGURATION.into()
}

/// Prints the effective configuration with its secrets masked: the answer to `--check-config`.
#[must_use]
pub fn print_configuration(settings: &Settings) -> ExitCode {
    use std::io::Write as _;
    let printed = settings.to_masked_toml().context("the configuration can't be written as TOML").and_then(|text| {
        std::io::stdout().write_all(text.as_bytes())?;
        Ok(())
    });
    exit_code(printed)
}

/// How a program ends.
#[must_use]
pub fn exit_code(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => exit::OK.into(),
        Err(error) if matches!(error.downcast_ref(), Some(BusError::Stopped)) => exit::OK.into(),
        Err(error) => {
            tell(&format!("{error:#}"));
            exit::SERVICE_FAILED.into()
        }
    }
}

fn tell(message: &str) {
    use std::io::Write as _;
    // Nothing is left to do if standard error is closed.
    drop(writeln!(std::io::stderr(), "groundswell: {message}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(dir: &std::path::Path) -> App {
        let mut settings = Settings { data: dir.to_owned(), ..Settings::default() };
        settings.server.listen.set_port(0);
        App::unchecked(settings).unwrap()
    }

    fn get(address: SocketAddr, path: &str) -> String {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn a_program_serves_its_routes_and_status_and_stops() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path());
        let running = start(&app, |app, _bus| {
            let stop = app.stop.clone();
            let waits = move || {
                while !stop.is_set() {
                    std::thread::yield_now();
                }
                Ok(())
            };
            Ok(Service::looping("waits", waits).routes(Router::new().route("/hello", axum::routing::get(|| async { "hello" }))))
        })
        .unwrap();
        assert!(get(running.address(), "/hello").ends_with("hello"));
        assert!(get(running.address(), "/readyz").contains("200 OK"));
        assert!(get(running.address(), "/v1/status").contains("\"caught_up\":true"));
        assert!(get(running.address(), "/other").contains("urn:groundswell:problem:not_found"));
        running.stop().unwrap();
    }

    #[test]
    fn a_service_that_refuses_to_start_ends_the_program_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path());
        let error = start(&app, |_, _| anyhow::bail!("no model")).unwrap_err();
        assert_eq!(error.to_string(), "no model");
        assert!(app.stop.is_set());
    }

    #[test]
    fn a_service_that_fails_ends_the_program_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let app = app(dir.path());
        let running = start(&app, |_, _| Ok(Service::looping("classify", || anyhow::bail!("broken")))).unwrap();
        assert_eq!(running.wait().unwrap_err().to_string(), "classify failed: broken");
    }
}
