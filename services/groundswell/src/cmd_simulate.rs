//! `simulate`: writes the events of a simulated company as CloudEvents, one a line, with the truth beside them.

mod topics;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use groundswell_contract::EventType;
use groundswell_model::Timestamp;
use groundswell_runtime::{Settings, clock, exit};
use groundswell_simulate::bench::{BenchPlan, Workload};
use groundswell_simulate::{Figures, Plan, SimEvent, Simulated, Story, Truth, simulate};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use self::topics::Topics;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, note, print, print_json, thousands};

/// What to simulate, and where to.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell simulate --out company.jsonl --truth truth.jsonl
  groundswell simulate --events 5000 | groundswell send -
  groundswell simulate --bench --events 200000 --out load.jsonl
  groundswell simulate --events 5000 --to-topics --config groundswell.toml

The same options with the same --end give the same events.")]
pub struct Args {
    /// The same seed gives the same company
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Days that are simulated
    #[arg(long, default_value_t = 42, value_name = "N")]
    pub days: u32,
    /// Consumers of the APIs
    #[arg(long, default_value_t = 240, value_name = "N")]
    pub consumers: usize,
    /// APIs, the story's first
    #[arg(long, default_value_t = groundswell_simulate::company::API_COUNT, value_name = "N")]
    pub apis: usize,
    /// About how many tickets, survey responses and usage events
    #[arg(long, default_value_t = 120_000, value_name = "N")]
    pub events: u64,
    /// Percent of tickets among them [default: 2, with --bench 5]
    #[arg(long, value_name = "PERCENT")]
    pub tickets: Option<f64>,
    /// Percent of survey responses among them [default: 2, with --bench 5]
    #[arg(long, value_name = "PERCENT")]
    pub surveys: Option<f64>,
    /// Everything happens before this RFC 3339 time [default: the last full hour]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub end: Option<Timestamp>,
    /// File for the events; `-` is standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub out: PathBuf,
    /// Write the events to the source topics of the configured transport instead
    #[arg(long, conflicts_with = "out")]
    pub to_topics: bool,
    /// File for the truth: a line for each event, and a last line with the story and all figures
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// The plain workload of the benchmark instead of the story
    #[arg(long)]
    pub bench: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|e| e.to_string())
}

/// What was written: the JSON of `groundswell simulate`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Written {
    /// Lines.
    pub events: u64,
    /// Of them, repetitions of events that were written before.
    pub resent: u64,
    /// Lines by type.
    pub types: BTreeMap<&'static str, u64>,
    /// Bytes of all lines.
    pub bytes: u64,
    /// Seconds it took.
    pub seconds: f64,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let began = Instant::now();
    let end = args.end.unwrap_or_else(|| clock::now().hour().start());
    let mut lines = if args.to_topics { Lines::to_topics(&global.config.load()?)? } else { Lines::open(&args.out)? };
    let truth = args.truth.as_deref().map(Lines::open).transpose()?;
    let bar = bar();
    let resent = if args.bench { load(args, end, &mut lines, truth, &bar)? } else { company(args, end, &mut lines, truth, &bar)? };
    bar.finish_and_clear();
    lines.flush()?;
    let written = Written {
        events: lines.types.values().sum(),
        resent,
        types: lines.types,
        bytes: lines.bytes,
        seconds: began.elapsed().as_secs_f64(),
    };
    report(global, args, &written)
}

fn report(global: &Global, args: &Args, written: &Written) -> Result<(), Failure> {
    let text = format!("{} events, {} MB in {:.1} s", thousands(written.events), thousands(written.bytes / 1_000_000), written.seconds);
    if !args.to_topics && is_stdout(&args.out) {
        // Standard output has the events.
        note(&text);
        return Ok(());
    }
    match Format::choose(global.format) {
        Format::Json => print_json(written),
        _ if args.to_topics => print(&format!("source topics: {text}\n")),
        _ => print(&format!("{}: {text}\n", args.out.display())),
    }
}

/// The company with its story; gives the number of repeated events.
fn company(args: &Args, end: Timestamp, lines: &mut Lines, mut truth: Option<Lines>, bar: &ProgressBar) -> Result<u64, Failure> {
    let defaults = Plan::new(end);
    let plan = Plan {
        seed: args.seed,
        days: args.days,
        consumers: args.consumers,
        apis: args.apis,
        events: args.events,
        tickets: args.tickets.map_or(defaults.tickets, share),
        surveys: args.surveys.map_or(defaults.surveys, share),
        ..defaults
    };
    let mut simulation = simulate(&plan).map_err(|bad| Failure::wrong_use(bad.to_string()))?;
    let story = simulation.story();
    let mut figures = Figures::default();
    while let Some(simulated) = simulation.next() {
        lines.event(&simulated.event)?;
        figures.add(&simulated);
        if let Some(truth) = &mut truth {
            truth.value(&Line::of(&simulated))?;
        }
        advance(bar, simulation.progress(), figures.events);
    }
    if let Some(mut truth) = truth {
        truth.value(&Last { story, figures: &figures })?;
        truth.flush()?;
    }
    Ok(figures.resent)
}

/// The workload of the benchmark; gives the number of repeated events.
fn load(args: &Args, end: Timestamp, lines: &mut Lines, truth: Option<Lines>, bar: &ProgressBar) -> Result<u64, Failure> {
    let defaults = BenchPlan::new(end, args.events);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "milliseconds of a benchmark")]
    let before = (args.events as f64 / defaults.per_second * 1000.0) as i64;
    let plan = BenchPlan {
        seed: args.seed,
        start: end.plus_ms(-before),
        consumers: args.consumers,
        tickets: args.tickets.map_or(defaults.tickets, share),
        surveys: args.surveys.map_or(defaults.surveys, share),
        ..defaults
    };
    let mut workload = Workload::new(plan).map_err(|bad| Failure::wrong_use(bad.to_string()))?;
    for event in workload.catalogue() {
        lines.event(&event)?;
    }
    let (mut bytes, mut done) = (Vec::new(), 0);
    while let Some(item) = workload.next_into(&mut bytes) {
        let ty = item.ty;
        lines.line(ty, &bytes)?;
        done += 1;
        #[expect(clippy::cast_precision_loss, reason = "a share for the eye")]
        advance(bar, done as f64 / args.events as f64, done);
    }
    if let Some(mut truth) = truth {
        for ((api, version), count) in workload.counts() {
            truth.value(&json!({"api": api, "version": version, "count": count}))?;
        }
        truth.flush()?;
    }
    Ok(workload.repeated())
}

fn share(percent: f64) -> f64 {
    percent / 100.0
}

/// A line of the truth.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    ty: &'static str,
    source: &'a str,
    id: &'a str,
    #[serde(flatten)]
    truth: &'a Truth,
}

impl<'a> Line<'a> {
    fn of(simulated: &'a Simulated) -> Self {
        Self { ty: simulated.event.event_type().name(), source: simulated.event.source, id: &simulated.event.id, truth: &simulated.truth }
    }
}

/// The last line of the truth.
#[derive(Serialize)]
struct Last<'a> {
    story: Story,
    figures: &'a Figures,
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// A file of lines, or the topics in its place, with what went in.
struct Lines {
    name: String,
    out: BufWriter<Box<dyn Write>>,
    topics: Option<Topics>,
    types: BTreeMap<&'static str, u64>,
    bytes: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Failure> {
        let name = if is_stdout(path) { "standard output".to_owned() } else { path.display().to_string() };
        let out: Box<dyn Write> = if is_stdout(path) {
            Box::new(std::io::stdout().lock())
        } else {
            Box::new(File::create(path).map_err(|e| Failure::wrong_use(format!("can't write {name}: {e}")))?)
        };
        Ok(Self { name, out: BufWriter::with_capacity(1 << 18, out), topics: None, types: BTreeMap::new(), bytes: 0 })
    }

    fn to_topics(settings: &Settings) -> Result<Self, Failure> {
        let topics = Some(Topics::open(settings)?);
        Ok(Self { name: "topics".into(), out: BufWriter::new(Box::new(std::io::sink())), topics, types: BTreeMap::new(), bytes: 0 })
    }

    fn event(&mut self, event: &SimEvent) -> Result<(), Failure> {
        let json = event.to_json().map_err(|e| Failure::failed(format!("{} can't be written as JSON: {e}", event.id)))?;
        self.line(event.event_type(), &json)
    }

    fn line(&mut self, ty: EventType, line: &[u8]) -> Result<(), Failure> {
        *self.types.entry(ty.name()).or_default() += 1;
        self.bytes += line.len() as u64 + 1;
        if let Some(topics) = &mut self.topics {
            return topics.event(line);
        }
        let outcome = self.out.write_all(line).and_then(|()| self.out.write_all(b"\n"));
        self.check(outcome)
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let outcome = serde_json::to_writer(&mut self.out, value).map_err(std::io::Error::from).and_then(|()| self.out.write_all(b"\n"));
        self.check(outcome)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if let Some(topics) = &mut self.topics {
            topics.flush()?;
        }
        let outcome = self.out.flush();
        self.check(outcome)
    }

    /// A reader that has left, like `head`, ends the program quietly.
    fn check(&self, outcome: std::io::Result<()>) -> Result<(), Failure> {
        match outcome {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(exit::OK.into()),
            Err(error) => Err(Failure::failed(format!("can't write to {}: {error}", self.name))),
        }
    }
}

const STEPS: u64 = 1000;

/// A bar on a terminal; nothing elsewhere.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(STEPS);
    if let Ok(style) = ProgressStyle::with_template("simulating {bar:30} {percent}% {msg} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn advance(bar: &ProgressBar, share: f64, events: u64) {
    // Now and then is enough for the eye.
    if events.is_multiple_of(2048) && !bar.is_hidden() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of the steps")]
        bar.set_position((share * STEPS as f64) as u64);
        bar.set_message(format!("{} events", thousands(events)));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::Value;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    fn simulated(options: &[&str]) -> (Vec<Value>, Vec<Value>) {
        let dir = tempfile::tempdir().unwrap();
        let (out, truth) = (dir.path().join("events"), dir.path().join("truth"));
        let fixed = [
            "simulate",
            "--end",
            "2026-06-01T00:00:00Z",
            "--events",
            "2000",
            "--out",
            out.to_str().unwrap(),
            "--truth",
            truth.to_str().unwrap(),
        ];
        let typed = Typed::try_parse_from(fixed.iter().chain(options)).unwrap();
        run(&Global::default(), &typed.args).unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        (read(&out), read(&truth))
    }

    #[test]
    fn every_event_has_its_line_of_truth_and_the_last_line_tells_the_story() {
        let (events, truth) = simulated(&["--days", "7", "--consumers", "40"]);
        assert!(events.len() > 1_900 && truth.len() == events.len() + 1);
        assert!(events.iter().zip(&truth).all(|(e, t)| e["id"] == t["id"] && e["source"] == t["source"] && e["type"] == t["type"]));
        let last = &truth[events.len()];
        assert_eq!(last["story"]["regression"]["operation"], "createRefund");
        assert!(last["figures"]["calls"].as_object().is_some_and(|calls| !calls.is_empty()));
    }

    #[test]
    fn the_workload_of_the_benchmark_ends_at_the_end() {
        let (events, truth) = simulated(&["--bench", "--seed", "3"]);
        let feedback_and_usage =
            events.iter().filter(|e| !["groundswell.release.v1", "groundswell.identity.v1"].contains(&e["type"].as_str().unwrap()));
        assert_eq!(feedback_and_usage.count(), 2000);
        assert!(events.iter().all(|e| e["time"].as_str().unwrap() < "2026-06-01T00:00:00Z"));
        assert!(truth.iter().all(|t| t["api"].is_string() && t["count"]["calls"].is_u64()));
    }

    #[test]
    fn events_go_to_the_topics_of_the_configuration_as_their_publishers_send_them() {
        let dir = tempfile::tempdir().unwrap();
        let fixed = ["simulate", "--end", "2026-06-01T00:00:00Z", "--days", "7", "--consumers", "40", "--events", "2000", "--to-topics"];
        let config = groundswell_runtime::ConfigArgs { data: Some(dir.path().to_owned()), ..Default::default() };
        let global = Global { config, ..Global::default() };
        run(&global, &Typed::try_parse_from(fixed).unwrap().args).unwrap();
        let settings = global.config.load().unwrap();
        let bus = groundswell_runtime::open_bus(&settings, groundswell_bus::Stop::default()).unwrap();
        let count = |topic| bus.bounds(topic).unwrap().iter().map(|b| b.high.0 - b.low.0).sum::<u64>();
        let counts = groundswell_bus::Topic::ALL.into_iter().filter(|t| t.is_source()).map(count).collect::<Vec<_>>();
        assert!(counts.iter().all(|n| *n > 0) && counts.iter().sum::<u64>() > 1_900, "{counts:?}");
        assert!(Typed::try_parse_from([&fixed[..], &["--out", "x"]].concat()).is_err());
    }

    #[test]
    fn a_wrong_plan_is_wrong_use() {
        let typed = Typed::try_parse_from(["simulate", "--days", "2", "--out", "/dev/null"]).unwrap();
        let failure = run(&Global::default(), &typed.args).unwrap_err();
        assert_eq!(failure.code(), exit::WRONG_USE);
        assert!(failure.to_string().contains("days"), "{failure}");
    }
}
