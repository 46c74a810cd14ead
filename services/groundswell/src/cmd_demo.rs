//! `demo`: everything in one process, fed with a simulated company, and what to look at.

use std::io::{BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use groundswell_model::Timestamp;
use groundswell_runtime::program::{Running, exit_code, print_configuration, start};
use groundswell_runtime::settings::{Settings, Transport};
use groundswell_runtime::{App, clock};
use groundswell_simulate::{Plan, Simulation, Story, simulate};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::cli::{Demo, Global, Summary as SummaryArgs};
use crate::client::Client;
use crate::cmd_summary;
use crate::demo_tour::tour;
use crate::failure::Failure;
use crate::feed::{Feed, Sent};
use crate::output::{Format, note, print, print_json, thousands};
use crate::pipeline;
use crate::progress;
use crate::server_file::{ServerFile, Written};

/// Folder where none is given: apart from the one of `up`, so that nobody's own events are mixed with invented ones.
const FOLDER: &str = "groundswell-demo";
const MARK: &str = "demo.json";
const BATCH: usize = 2_000;
const READY_TIME: Duration = Duration::from_secs(30);
const CATCH_UP_TIME: Duration = Duration::from_secs(600);
const MS_PER_DAY: i64 = 86_400_000;

/// Which company a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    seed: u64,
    end: Timestamp,
    /// Whether all of it was published.
    complete: bool,
}

/// Runs it.
pub fn run(global: &Global, args: &Demo) -> ExitCode {
    let mut config = global.config.clone();
    config.data.get_or_insert_with(|| FOLDER.into());
    let mut settings = match config.load_for(&args.serve) {
        Ok(settings) => settings,
        Err(error) => return Failure::from(error).tell(),
    };
    if args.serve.check_config {
        return print_configuration(&settings);
    }
    if args.once && args.serve.listen.is_none() {
        // Nobody has to find it, and the usual address may be taken.
        settings.server.listen.set_port(0);
    }
    pipeline::quiet(&mut settings);
    match demo(settings, global, args) {
        Ok(Some((running, written))) => {
            let outcome = running.wait();
            drop(written);
            exit_code(outcome.map_err(Into::into))
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

/// Feeds and tells; the answer is what goes on running.
fn demo(settings: Settings, global: &Global, args: &Demo) -> Result<Option<(Running, Written)>, Failure> {
    let began = Instant::now();
    check(&settings)?;
    let data = settings.data.clone();
    let app = App::start(settings)?;
    let mark = mark_of(&data, args.seed)?;
    let running = start(&app, pipeline::everything)?;
    let server = ServerFile::of(running.address());
    let client = Client::at(&server.url, None)?;
    let written = server.write(&data)?;
    let company = company(mark)?;
    let story = company.story();
    client.wait_ready(READY_TIME)?;
    if !mark.complete {
        feed(&client, company)?;
        write_mark(&data, Mark { complete: true, ..mark })?;
    }
    progress::catch_up(&client, "attributing, labelling and indexing", CATCH_UP_TIME)?;
    first_summary(&client, &story, Format::choose(global.format))?;
    note(&format!("first summary after {:.1} s", began.elapsed().as_secs_f64()));
    if args.once {
        drop(written);
        running.stop().map_err(|e| Failure::failed(e.to_string()))?;
        return Ok(None);
    }
    let data = data.display();
    note(&format!("\nserving on {}; ctrl-C stops. Ask on in another terminal, with --data {data}", server.url));
    Ok(Some((running, written)))
}

fn check(settings: &Settings) -> Result<(), Failure> {
    if settings.transport == Transport::Kafka {
        return Err(Failure::wrong_use(
            "the demo keeps its invented events off a real Kafka: run it without `transport = \"kafka\"`, or use `groundswell simulate`",
        ));
    }
    if !settings.server.keys.is_empty() {
        return Err(Failure::wrong_use("the demo serves this machine only and needs no keys: run it without `server.keys`"));
    }
    Ok(())
}

/// The company that the folder holds already, or a new one that ends today.
fn mark_of(data: &Path, seed: u64) -> Result<Mark, Failure> {
    let path = data.join(MARK);
    if let Ok(bytes) = std::fs::read(&path) {
        let mark: Mark = serde_json::from_slice(&bytes)
            .map_err(|e| Failure::failed(format!("{} is damaged ({e}): remove the folder", path.display())))?;
        if mark.seed != seed {
            let data = data.display();
            return Err(Failure::wrong_use(format!(
                "{data} holds the company of seed {}: give another --data, or remove the folder",
                mark.seed
            )));
        }
        return Ok(mark);
    }
    if data.join("bus").exists() {
        let data = data.display();
        return Err(Failure::wrong_use(format!("{data} holds events that are not of a demo: give another --data")));
    }
    let mark = Mark { seed, end: Timestamp(clock::now().0.div_euclid(MS_PER_DAY) * MS_PER_DAY), complete: false };
    write_mark(data, mark)?;
    Ok(mark)
}

fn write_mark(data: &Path, mark: Mark) -> Result<(), Failure> {
    let path = data.join(MARK);
    let written = serde_json::to_vec(&mark).map_err(anyhow::Error::from).and_then(|bytes| Ok(std::fs::write(&path, bytes)?));
    written.map_err(|e| Failure::failed(format!("can't write {}: {e}", path.display())))
}

fn company(mark: Mark) -> Result<Simulation, Failure> {
    let plan = Plan { seed: mark.seed, ..Plan::new(mark.end) };
    simulate(&plan).map_err(|e| Failure::failed(e.to_string()))
}

fn feed(client: &Client, company: Simulation) -> Result<(), Failure> {
    let bar = progress::bar("publishing what a simulated company's API consumers said and did");
    let mut sent = Sent::default();
    let feed = Feed { batch: BATCH, retry_for: Duration::from_secs(30) };
    let lines = BufReader::with_capacity(1 << 16, Lines { company, line: Vec::new(), at: 0, bar: bar.clone() });
    feed.lines(client, "the simulation", lines, &mut sent, |_, _| {})?;
    bar.finish_and_clear();
    note(&format!(
        "published {} events; {} more were sent twice on purpose and count once",
        thousands(sent.accepted),
        thousands(sent.duplicate)
    ));
    match sent.rejections.first() {
        None => Ok(()),
        Some(first) => Err(Failure::failed(format!("a simulated event was refused: {}: {}", first.reason, first.detail))),
    }
}

/// The events of a simulation as lines of JSON, made as they are read.
struct Lines {
    company: Simulation,
    line: Vec<u8>,
    at: usize,
    bar: ProgressBar,
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            self.bar.set_position(permille(self.company.progress()));
            let Some(next) = self.company.next() else { return Ok(0) };
            self.line = next.event.to_json().map_err(std::io::Error::other)?;
            self.line.push(b'\n');
            self.at = 0;
        }
        let count = into.len().min(self.line.len() - self.at);
        into[..count].copy_from_slice(&self.line[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000 by the clamp")]
fn permille(progress: f64) -> u64 {
    (progress.clamp(0.0, 1.0) * 1000.0) as u64
}

/// Shows the version that the planted story is about beside the one before, and where else to look.
fn first_summary(client: &Client, story: &Story, format: Format) -> Result<(), Failure> {
    let planted = story.regression.as_ref().ok_or_else(|| Failure::failed("the simulated company has no planted regression"))?;
    let (api, version, baseline) = (planted.api.to_owned(), planted.version.to_string(), Some(planted.baseline.to_string()));
    let summary = cmd_summary::ask(client, &SummaryArgs { api, version, baseline, since: None, until: None, strict: false })?;
    if format == Format::Json {
        return print_json(&summary);
    }
    cmd_summary::show(&summary, format)?;
    print(&format!("\n{}", tour(client, story)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_company() {
        let dir = tempfile::tempdir().unwrap();
        let mark = mark_of(dir.path(), 3).unwrap();
        assert_eq!(mark_of(dir.path(), 3).unwrap(), mark);
        assert!(mark_of(dir.path(), 4).unwrap_err().to_string().contains("seed 3"));
    }

    #[test]
    fn a_folder_with_other_events_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("bus")).unwrap();
        assert!(mark_of(dir.path(), 1).unwrap_err().to_string().contains("not of a demo"));
    }

    #[test]
    fn lines_are_whole_events() {
        let plan = Plan { days: 3, consumers: 10, events: 200, ..Plan::new(Timestamp(1_772_361_000_000)) };
        let lines = Lines { company: simulate(&plan).unwrap(), line: Vec::new(), at: 0, bar: ProgressBar::hidden() };
        let mut text = String::new();
        BufReader::with_capacity(7, lines).read_to_string(&mut text).unwrap();
        assert!(text.lines().count() > 50);
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    }
}
