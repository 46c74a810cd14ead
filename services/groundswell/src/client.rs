//! Asking a server: the one that is named, the one that serves the data folder, or one made for the time of the question.

use std::path::Path;
use std::time::{Duration, Instant};

use groundswell_runtime::Settings;
use groundswell_runtime::http::Problem;
use groundswell_runtime::settings::Transport;
use groundswell_runtime::status::Status;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::{StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::note;
use crate::pipeline::Own;
use crate::server_file::ServerFile;

/// Where a server answers if nothing else is known.
const USUAL: &str = "http://127.0.0.1:4780";
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// A search or summary that takes longer than this has failed.
const ANSWER_TIME: Duration = Duration::from_secs(90);
/// Work over all of history may take as long as this.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// How long a server of the same machine may take to say that it lives.
const LIVES_TIME: Duration = Duration::from_secs(1);
const CATCH_UP_LOOK: Duration = Duration::from_millis(50);
/// How long a server made for one question may take to read what is there.
const OWN_READY_TIME: Duration = Duration::from_secs(120);

/// A server to ask.
pub struct Client {
    base: Url,
    http: reqwest::blocking::Client,
    key: Option<String>,
    /// A server of this process, which ends with the client.
    own: Option<Own>,
}

impl Client {
    /// The server that the command line, the data folder or custom gives.
    pub fn find(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.server {
            return Self::at(url, global.key.clone());
        }
        let settings = global.config.load()?;
        if let Some(client) = Self::of_folder(&settings.data, global.key.clone()) {
            return Ok(client);
        }
        if global.config.data.is_some() {
            return Self::own(&settings);
        }
        let client = Self::at(USUAL, global.key.clone())?;
        if client.lives() { Ok(client) } else { Err(nobody()) }
    }

    /// The server at an address.
    pub fn at(url: &str, key: Option<String>) -> Result<Self, Failure> {
        let base = Url::parse(url).map_err(|e| Failure::wrong_use(format!("{url:?} is not a URL ({e}); write it like {USUAL}")))?;
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(Failure::wrong_use(format!("{url:?} is not an HTTP URL; write it like {USUAL}")));
        }
        let http =
            reqwest::blocking::Client::builder().connect_timeout(CONNECT_TIME).timeout(ANSWER_TIME).no_proxy_for_loopback(&base).build();
        let http = http.map_err(|e| Failure::failed(format!("no HTTP client: {e}")))?;
        Ok(Self { base, http, key, own: None })
    }

    /// The living server of a data folder.
    pub fn of_folder(data: &Path, key: Option<String>) -> Option<Self> {
        let client = Self::at(&ServerFile::read(data)?.url, key).ok()?;
        client.lives().then_some(client)
    }

    /// A server of this process over the data folder, caught up.
    fn own(settings: &Settings) -> Result<Self, Failure> {
        let data = settings.data.display();
        if settings.transport == Transport::Kafka {
            return Err(Failure::unreachable(format!(
                "no server serves {data}, and on Kafka only a running `groundswell serve index` (or `up`) has the answers: start one, or name it with --server"
            )));
        }
        if !settings.data.is_dir() {
            return Err(Failure::wrong_use(format!(
                "there is no data folder {data}; check --data, or fill one with `groundswell demo --data {data}`"
            )));
        }
        let own = Own::start(settings)?;
        let mut client = Self::at(&own.url(), None)?;
        client.own = Some(own);
        client.wait_caught_up(OWN_READY_TIME, |_| {})?;
        Ok(client)
    }

    /// Like [`Client::find`], but a data folder without a server gets one made here even if it is not there yet.
    pub fn find_or_make(global: &Global) -> Result<Self, Failure> {
        if global.server.is_none() && global.config.data.is_some() {
            let settings = global.config.load()?;
            if settings.transport == Transport::Embedded && Self::of_folder(&settings.data, None).is_none() {
                note(&format!("no server runs on {}: working it off in this process", settings.data.display()));
                groundswell_runtime::prepare_data(&settings.data)?;
                return Self::own(&settings);
            }
        }
        Self::find(global)
    }

    /// One more that asks the same server, for another thread.
    pub fn beside(&self) -> Self {
        Self { base: self.base.clone(), http: self.http.clone(), key: self.key.clone(), own: None }
    }

    /// Whether the server is one of this process.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    fn lives(&self) -> bool {
        let asked = self.http.get(format!("{}/healthz", self.url())).timeout(LIVES_TIME).send();
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// GET, read as JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, Failure> {
        let answer = self.send(self.http.get(self.asked(path, query)))?;
        let url = answer.url().clone();
        answer
            .json()
            .map_err(|e| Failure::failed(format!("{url} gave no answer that this version understands: {e}. Are both of the same version?")))
    }

    /// GET, as bytes.
    pub fn get_bytes(&self, path: &[&str], query: &[(&str, String)]) -> Result<Vec<u8>, Failure> {
        let answer = self.send(self.http.get(self.asked(path, query)))?;
        answer.bytes().map(Into::into).map_err(|e| Failure::failed(format!("the server's answer can't be read: {e}")))
    }

    /// POST of text, read as JSON.
    pub fn post_text<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)], kind: &str, body: String) -> Result<T, Failure> {
        let request = self.http.post(self.asked(path, query)).header(reqwest::header::CONTENT_TYPE, kind).body(body);
        self.send(request)?.json().map_err(|e| Failure::failed(format!("the server's answer can't be read: {e}")))
    }

    /// POST of bytes, read as JSON; waits for as long as it takes.
    pub fn post_patiently<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)], body: Vec<u8>) -> Result<T, Failure> {
        let request = self.http.post(self.asked(path, query)).timeout(PATIENCE).body(body);
        self.send(request)?.json().map_err(|e| Failure::failed(format!("the server's answer can't be read: {e}")))
    }

    /// DELETE, read as JSON.
    pub fn delete<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        let request = self.http.delete(self.address(path)).timeout(PATIENCE);
        self.send(request)?.json().map_err(|e| Failure::failed(format!("the server's answer can't be read: {e}")))
    }

    /// GET of something large, to be read as it comes.
    pub fn open(&self, path: &[&str]) -> Result<Response, Failure> {
        self.send(self.http.get(self.address(path)).timeout(PATIENCE))
    }

    /// GET of something large, to standard output. A reader that has left, like `head`, ends the program quietly.
    pub fn copy(&self, path: &[&str], out: &mut impl std::io::Write) -> Result<(), Failure> {
        let mut answer = self.open(path)?;
        match std::io::copy(&mut answer, out).and_then(|_| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::failed(format!("the answer ended early: {error}"))),
        }
    }

    /// POST of a body; the caller decides what the status means.
    pub fn post_body(&self, path: &[&str], content_type: &str, body: Vec<u8>) -> reqwest::Result<Response> {
        self.authorized(self.http.post(self.address(path)).header(reqwest::header::CONTENT_TYPE, content_type).body(body)).send()
    }

    /// Waits until the server says that it is ready.
    pub fn wait_ready(&self, within: Duration) -> Result<(), Failure> {
        let until = Instant::now() + within;
        while !self.is_ready() {
            self.check_own()?;
            if Instant::now() >= until {
                return Err(Failure::unreachable(format!("{} is not ready after {} s", self.url(), within.as_secs())));
            }
            std::thread::sleep(CATCH_UP_LOOK);
        }
        Ok(())
    }

    /// Whether the server says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.http.get(self.address(&["readyz"])).send().is_ok_and(|a| a.status() == StatusCode::OK)
    }

    /// Waits until everything that was published is searchable.
    pub fn wait_caught_up(&self, within: Duration, mut each: impl FnMut(&Status)) -> Result<Status, Failure> {
        let until = Instant::now() + within;
        loop {
            self.check_own()?;
            let last: Option<Status> = if self.is_ready() { Some(self.get(&["v1", "status"], &[])?) } else { None };
            if let Some(status) = last.as_ref() {
                each(status);
            }
            match last {
                Some(status) if status.caught_up => return Ok(status),
                _ if Instant::now() >= until => {
                    let seconds = within.as_secs();
                    return Err(Failure::failed(format!(
                        "not everything is searchable after {seconds} s; `groundswell status` shows what lags"
                    )));
                }
                _ => std::thread::sleep(CATCH_UP_LOOK),
            }
        }
    }

    /// Ends a server of this process in good order.
    pub fn finish(self) -> Result<(), Failure> {
        self.own.map_or(Ok(()), Own::stop)
    }

    fn check_own(&self) -> Result<(), Failure> {
        match &self.own {
            Some(own) if own.has_stopped() => Err(Failure::failed("the services of this process stopped; see the messages above")),
            _ => Ok(()),
        }
    }

    fn address(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn asked(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.address(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = self.authorized(request).send().map_err(|e| self.gone(&e))?;
        let status = answer.status();
        if status.is_success() { Ok(answer) } else { Err(refused(status, &answer.text().unwrap_or_default())) }
    }

    fn gone(&self, error: &reqwest::Error) -> Failure {
        let url = self.url();
        let why = if error.is_timeout() { "does not answer in time" } else { "can't be reached" };
        Failure::unreachable(format!(
            "{url} {why} ({}). Is it running? Start one with `groundswell up`, or name another with --server",
            root(error)
        ))
    }
}

fn nobody() -> Failure {
    Failure::unreachable(format!(
        "no server answers at {USUAL}. Start one with `groundswell up`, name one with --server, or give --data to read a folder"
    ))
}

/// The innermost reason: the outer ones only repeat the address.
fn root(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// What a server's refusal means for the user.
pub fn refused(status: StatusCode, body: &str) -> Failure {
    let problem: Option<Problem> = serde_json::from_str(body).ok();
    let detail = problem.map_or_else(|| format!("{status}"), |p| format!("{}: {}", p.title, p.detail));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Failure::wrong_use(format!("{detail}. Give a key with --key or GROUNDSWELL_KEY"))
        }
        _ if status.is_client_error() => Failure::wrong_use(detail),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => Failure::unreachable(detail),
        _ => Failure::failed(detail),
    }
}

/// Loopback is never asked for through a proxy.
trait NoProxyForLoopback {
    fn no_proxy_for_loopback(self, base: &Url) -> Self;
}

impl NoProxyForLoopback for reqwest::blocking::ClientBuilder {
    fn no_proxy_for_loopback(self, base: &Url) -> Self {
        let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if loopback { self.no_proxy() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use groundswell_runtime::exit;

    use super::*;

    #[test]
    fn a_url_that_is_none_is_wrong_use() {
        for wrong in ["localhost", "ftp://x", "mailto:a@b"] {
            assert_eq!(Client::at(wrong, None).err().map(|f| f.code()), Some(exit::WRONG_USE), "{wrong}");
        }
    }

    #[test]
    fn nobody_there_is_unreachable_and_says_what_to_do() {
        let client = Client::at("http://127.0.0.1:9", None).unwrap();
        let failure = client.get::<serde_json::Value>(&["v1", "apis"], &[]).unwrap_err();
        assert_eq!(failure.code(), exit::UNREACHABLE);
        assert!(failure.to_string().contains("groundswell up"), "{failure}");
    }

    #[test]
    fn names_in_a_path_are_escaped() {
        let client = Client::at("http://127.0.0.1:9/base/", None).unwrap();
        assert_eq!(client.address(&["v1", "apis", "a/b c", "versions"]).as_str(), "http://127.0.0.1:9/base/v1/apis/a%2Fb%20c/versions");
    }

    #[test]
    fn refusals_keep_the_servers_words() {
        let problem = serde_json::to_string(&Problem::bad_request("limit: 0 is too small")).unwrap();
        let failure = refused(StatusCode::BAD_REQUEST, &problem);
        assert_eq!(failure.code(), exit::WRONG_USE);
        assert!(failure.to_string().contains("limit: 0 is too small"));
        assert_eq!(refused(StatusCode::UNAUTHORIZED, "").code(), exit::WRONG_USE);
        assert_eq!(refused(StatusCode::SERVICE_UNAVAILABLE, "").code(), exit::UNREACHABLE);
    }
}
