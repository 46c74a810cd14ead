//! The server itself: binds first, so that an address in use is an error at start; serves until told to stop.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use serde_json::json;

use super::{Problem, guard, problem};
use crate::App;
use crate::settings::Scope;

/// A request may take this long, reading its body included; those of [`patient`] routes may take longer.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// How long requests under way may go on after the stop.
const GRACE: Duration = Duration::from_secs(10);
/// How often the stop flag is looked at.
const STOP_LOOK: Duration = Duration::from_millis(50);
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
const WORKERS: usize = 2;

/// A server that holds its address and serves nothing yet.
#[derive(Debug)]
pub struct Server {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Takes the address `server.listen`; port 0 takes a free one.
    ///
    /// # Errors
    /// It is taken, or not ours.
    pub fn bind(app: &App) -> anyhow::Result<Self> {
        let listen = app.settings.server.listen;
        let listener = TcpListener::bind(listen)
            .with_context(|| format!("can't listen on {listen}; is another groundswell running? Choose another address with --listen"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { app: app.clone(), listener, address })
    }

    /// The address it holds.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `routes`, health and metrics until the app is told to stop, and tells it to stop on ctrl-C and SIGTERM.
    /// Blocks: give it a thread of its own.
    ///
    /// # Errors
    /// The runtime can't be built, or the listener broke.
    pub fn run(self, routes: Router) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).thread_name("http").enable_all().build()?;
        let outcome = runtime.block_on(serve(self, routes));
        // Blocking answers that are still being worked out must not hold up the stop.
        runtime.shutdown_timeout(Duration::from_secs(1));
        outcome
    }
}

/// Everything that the server answers: `routes` with health and metrics, behind limits and guards.
pub(crate) fn complete(app: &App, routes: Router) -> Router {
    let metrics = app.auth.protect(Router::new().route("/metrics", get(render_metrics)), Scope::Read);
    let own = Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).merge(metrics).with_state(app.clone());
    let all = routes
        .merge(own)
        .layer(DefaultBodyLimit::max(app.settings.limits.body_bytes))
        .layer(from_fn(|request, next| in_time(REQUEST_TIME, request, next)))
        .layer(axum::middleware::map_response(problem::normalise));
    let all = if app.auth.is_open() { all.layer(from_fn(guard::local_only)) } else { all };
    all.layer(from_fn_with_state(app.clone(), observe))
}

async fn serve(server: Server, routes: Router) -> anyhow::Result<()> {
    let Server { app, listener, address } = server;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = complete(&app, routes);
    tokio::spawn(stop_on_signal(app.clone()));
    let stop = app.clone();
    let served = axum::serve(listener, router).with_graceful_shutdown(async move { stopped(&stop).await });
    tracing::info!(%address, "serving");
    let late = async {
        stopped(&app).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        outcome = served.into_future() => outcome.context("the HTTP listener broke"),
        () = late => {
            tracing::warn!("requests still under way were cut off");
            Ok(())
        }
    }
}

/// Waits for the stop, doing the small upkeep meanwhile.
async fn stopped(app: &App) {
    let mut upkeep = Instant::now();
    while !app.stop.is_set() {
        tokio::time::sleep(STOP_LOOK).await;
        if upkeep.elapsed() >= UPKEEP_EVERY {
            app.metrics.upkeep();
            upkeep = Instant::now();
        }
    }
}

async fn stop_on_signal(app: App) {
    if let Err(error) = signalled().await {
        tracing::error!(%error, "can't listen for signals: stop this process with kill -9 only");
        return;
    }
    tracing::info!("told to stop: finishing what is begun (again: stop at once)");
    app.stop.stop();
    if signalled().await.is_ok() {
        // What was not committed is read again at the next start.
        std::process::exit(130);
    }
}

async fn signalled() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}

async fn ready(State(app): State<App>) -> Response {
    let waiting = app.health.waiting_for();
    if waiting.is_empty() && !app.stop.is_set() {
        return Json(json!({"ready": true})).into_response();
    }
    let detail = if app.stop.is_set() { "stopping".to_owned() } else { format!("waiting for {}", waiting.join(", ")) };
    Problem::unavailable(detail).with("ready", false).with("waiting_for", json!(waiting)).into_response()
}

async fn render_metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render()).into_response()
}

async fn in_time(limit: Duration, mut request: Request, next: Next) -> Response {
    let patience = Patience::default();
    request.extensions_mut().insert(patience.clone());
    let mut answer = std::pin::pin!(next.run(request));
    match tokio::time::timeout(limit, &mut answer).await {
        Ok(answer) => answer,
        Err(_) if patience.0.load(Ordering::Acquire) => answer.await,
        Err(_) => {
            let detail = format!("the request took longer than {} s; send less, or try again", limit.as_secs());
            Problem::unavailable(detail).into_response()
        }
    }
}

/// Whether the route of a request may take as long as it takes.
#[derive(Clone, Debug, Default)]
struct Patience(Arc<AtomicBool>);

/// Routes whose work may take longer than other requests may: work over all of history, for which the client waits. Put the guard of
/// keys outside of this ([`super::Auth::protect`]), so that only who is let in may take long.
pub fn patient<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.layer(from_fn(|request: Request, next: Next| async move {
        if let Some(patience) = request.extensions().get::<Patience>() {
            patience.0.store(true, Ordering::Release);
        }
        next.run(request).await
    }))
}

/// Counts and logs requests: method, path and status, never bodies nor what was searched for.
async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    let elapsed = began.elapsed();
    metrics::histogram!("groundswell_http_seconds", "method" => known(&method), "status" => class(status)).record(elapsed.as_secs_f64());
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() && !app.stop.is_set() && path != "/readyz" {
        tracing::warn!(%method, path, status = status.as_u16(), ms, "request failed");
    } else {
        tracing::debug!(%method, path, status = status.as_u16(), ms, "request");
    }
    response
}

/// Methods as a bounded set of labels.
fn known(method: &http::Method) -> &'static str {
    match *method {
        http::Method::GET => "GET",
        http::Method::POST => "POST",
        http::Method::DELETE => "DELETE",
        http::Method::PUT => "PUT",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::post;
    use tower::ServiceExt;

    use super::*;
    use crate::Settings;
    use crate::http::new_key;
    use crate::settings::ApiKey;

    fn app(keys: Vec<ApiKey>) -> App {
        let mut settings = Settings::default();
        settings.server.listen.set_port(0);
        settings.server.keys = keys;
        settings.limits.body_bytes = 100;
        App::unchecked(settings).unwrap()
    }

    fn routes() -> Router {
        Router::new().route("/echo", post(|body: String| async { body }))
    }

    async fn ask(app: &App, request: http::request::Builder, body: &str) -> (StatusCode, String) {
        let response = complete(app, routes()).oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status();
        let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(text.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn health_readiness_and_metrics_answer() {
        let app = app(vec![]);
        let flag = app.health.register("index");
        assert_eq!(ask(&app, http::Request::get("/healthz"), "").await.0, StatusCode::OK);
        let (status, body) = ask(&app, http::Request::get("/readyz"), "").await;
        assert!(status == StatusCode::SERVICE_UNAVAILABLE && body.contains("waiting for index"), "{body}");
        flag.set(true);
        assert_eq!(ask(&app, http::Request::get("/readyz"), "").await.0, StatusCode::OK);
        let (status, body) = ask(&app, http::Request::get("/metrics"), "").await;
        assert!(status == StatusCode::OK && body.contains("groundswell_http_seconds"), "{body}");
        app.stop.stop();
        assert_eq!(ask(&app, http::Request::get("/readyz"), "").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn every_error_is_a_problem() {
        let app = app(vec![]);
        for (request, body, status) in [
            (http::Request::get("/nothing"), "", 404),
            (http::Request::get("/echo"), "", 405),
            (http::Request::post("/echo"), "x".repeat(101).as_str(), 413),
        ] {
            let (got, text) = ask(&app, request, body).await;
            let problem: Problem = serde_json::from_str(&text).unwrap();
            assert_eq!((got.as_u16(), problem.status), (status, status), "{text}");
        }
    }

    #[tokio::test]
    async fn a_rebound_host_is_refused_only_while_there_are_no_keys() {
        let request = || http::Request::get("/healthz").header("host", "evil.example");
        assert_eq!(ask(&app(vec![]), request(), "").await.0, StatusCode::FORBIDDEN);
        let key = new_key("ci", vec![Scope::Read]).unwrap();
        let guarded = app(vec![key.entry]);
        assert_eq!(ask(&guarded, request(), "").await.0, StatusCode::OK);
        assert_eq!(ask(&guarded, http::Request::get("/metrics"), "").await.0, StatusCode::UNAUTHORIZED);
        let with_key = http::Request::get("/metrics").header("authorization", format!("Bearer {}", key.secret));
        assert_eq!(ask(&guarded, with_key, "").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn work_over_history_is_not_cut_off_and_other_requests_are() {
        let (release, released) = tokio::sync::watch::channel(false);
        let until_released = move || {
            let mut released = released.clone();
            async move { released.wait_for(|released| *released).await.map(|_| "the report").unwrap_or_default() }
        };
        let routes = patient(Router::new().route("/long", post(until_released.clone())))
            .route("/short", post(until_released))
            .layer(from_fn(|request, next| in_time(Duration::from_millis(20), request, next)));
        let ask = |path: &str| routes.clone().oneshot(http::Request::post(path).body(Body::empty()).unwrap());
        let long = tokio::spawn(ask("/long"));
        // It takes the whole time of a usual request, so that of the first one is over, too.
        assert_eq!(ask("/short").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask("/short").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!long.is_finished());
        release.send(true).unwrap();
        let answer = long.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(to_bytes(answer.into_body(), 100).await.unwrap().as_ref(), b"the report");
    }

    #[test]
    fn serves_until_told_to_stop_and_names_an_address_in_use() {
        let app = app(vec![]);
        let server = Server::bind(&app).unwrap();
        let address = server.address();
        let mut taken = app.clone();
        let mut settings = (*taken.settings).clone();
        settings.server.listen = address;
        taken.settings = settings.into();
        assert!(Server::bind(&taken).unwrap_err().to_string().contains(&address.to_string()));

        let thread = std::thread::spawn(move || server.run(routes()));
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("ok\n"), "{answer}");
        app.stop.stop();
        thread.join().unwrap().unwrap();
    }
}
