//! `evaluate verdicts`: false alarms and power of the default policy, beside a pooled test and tests by consumer.

use std::io::IsTerminal;

use groundswell_review::evaluate::{Outcome, evaluate, report, scenarios};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, lines, print, print_json, table};

/// How much to evaluate.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell evaluate verdicts                                    all scenarios, 200 streams each
  groundswell evaluate verdicts --seeds 20 --scenario loud
  groundswell evaluate verdicts --format md > verdicts.md

The scenarios with daily looks review each stream 28 times and take most of the time.")]
pub struct Args {
    /// Streams of each scenario
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub seeds: u64,
    /// Only scenarios whose name holds this
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
}

/// What came out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// For each scenario.
    pub outcomes: Vec<Outcome>,
    /// What the fields mean.
    pub notes: Vec<String>,
}

/// Runs it.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let wanted = |name: &str| args.scenario.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let chosen: Vec<_> = scenarios().into_iter().filter(|s| wanted(s.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = scenarios().iter().map(|s| s.name).collect();
        return Err(Failure::wrong_use(format!("--scenario: no scenario has this in its name; there are: {}", names.join("; "))));
    }
    let progress = progress(args.seeds * chosen.len() as u64);
    let mut outcomes = Vec::with_capacity(chosen.len());
    for scenario in &chosen {
        progress.set_message(scenario.name);
        outcomes.push(evaluate(scenario, args.seeds, &|| progress.inc(1)));
    }
    progress.finish_and_clear();
    let evaluation = Evaluation { outcomes, notes: report::NOTES.map(str::to_owned).to_vec() };
    show(&evaluation, Format::choose(global.format))
}

fn progress(streams: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} streams, {eta} left: {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(streams), target).with_style(style)
}

fn show(evaluation: &Evaluation, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        return print_json(evaluation);
    }
    let mut rows = table(format, &report::COLUMNS);
    for row in report::rows(&evaluation.outcomes) {
        rows.add_row(row);
    }
    let notes: Vec<String> = evaluation.notes.iter().map(|note| format!("- {note}\n")).collect();
    print(&format!("{}\n{}", lines(&rows), notes.concat()))
}
