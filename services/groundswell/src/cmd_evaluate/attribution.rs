//! `evaluate attribution`: how often attribution is right, on simulated companies whose truth is known.

use groundswell_model::Timestamp;
use groundswell_simulate::{Plan, Simulated, riddles::riddles, simulate};
use serde::Serialize;

use crate::cli::Global;
use crate::evaluate::{Fields, Report, run as evaluate};
use crate::failure::Failure;
use crate::output::{Format, lines, note, print, print_json, table, thousands};

/// When the simulated worlds are: any fixed time does.
const END: Timestamp = Timestamp(1_780_272_000_000);
const WORLD_DAYS_MS: i64 = 60 * 86_400_000;
/// Events of one simulated company.
const EVENTS: u64 = 60_000;

/// How much to evaluate.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell evaluate attribution
  groundswell evaluate attribution --seeds 10 --format md

The same seeds give the same report.")]
pub struct Args {
    /// Simulated worlds of each kind: seeds 1 to N
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    seeds: u32,
    /// The first seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    from_seed: u64,
}

/// Reports of each kind of world.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Reports {
    /// The world made to try attribution.
    riddles: Report,
    /// The same with the fields that name API and version.
    riddles_with_fields: Report,
    /// The company of the demo.
    company: Report,
}

/// Runs the command.
pub fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let Args { seeds, from_seed } = args;
    let mut reports = Reports { riddles: Report::default(), riddles_with_fields: Report::default(), company: Report::default() };
    for seed in *from_seed..from_seed + u64::from(*seeds) {
        note(&format!("seed {seed}"));
        let world = riddles(seed, END.plus_ms(-WORLD_DAYS_MS));
        add(&mut reports.riddles, world.clone(), Fields::Hidden)?;
        add(&mut reports.riddles_with_fields, world, Fields::Kept)?;
        let plan = Plan { seed, events: EVENTS, ..Plan::new(END) };
        add(&mut reports.company, simulate(&plan).map_err(|e| Failure::wrong_use(e.to_string()))?, Fields::Hidden)?;
    }
    match Format::choose(global.format) {
        Format::Json => print_json(&reports),
        format => print(&render(&reports, format)),
    }
}

fn add(report: &mut Report, stream: impl IntoIterator<Item = Simulated>, fields: Fields) -> Result<(), Failure> {
    let answers = evaluate(stream, fields).map_err(|e| Failure::failed(format!("evaluation: {e:#}")))?;
    // What a simulated ticket says of nothing in particular has no version to be right about.
    answers.iter().filter(|(_, truth)| truth.version.is_some()).for_each(|(answer, truth)| report.add(answer, truth));
    Ok(())
}

fn render(reports: &Reports, format: Format) -> String {
    let worlds = [
        ("Riddles, fields hidden", &reports.riddles),
        ("Riddles, fields seen", &reports.riddles_with_fields),
        ("Company of the demo, fields hidden", &reports.company),
    ];
    let mut text = String::new();
    for (title, report) in worlds {
        text += &format!("{}{title}\n\n", if format == Format::Md { "## " } else { "" });
        text += &one(report, format);
        text.push('\n');
    }
    text
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "no data".to_owned(), |s| format!("{:.1} %", 100.0 * s))
}

fn one(report: &Report, format: Format) -> String {
    let mut overview = table(format, &["figure", "value", "n"]);
    overview.add_row(["right where the evidence tells".to_owned(), percent(report.decidable.share()), thousands(report.decidable.of)]);
    overview.add_row(["given to a version".to_owned(), percent(report.covered.share()), thousands(report.covered.of)]);
    overview.add_row(["right of these".to_owned(), percent(report.answered.share()), thousands(report.answered.of)]);
    overview.add_row(["calibration error".to_owned(), format!("{:.3}", report.calibration_error), thousands(report.answered.of)]);
    overview.add_row(["wrong at a confidence of 0.9 or more".to_owned(), thousands(report.confident_wrong), thousands(report.answered.of)]);
    overview.add_row(["of them misled by a mention".to_owned(), thousands(report.misled), String::new()]);
    overview.add_row(["moved by later evidence".to_owned(), thousands(report.moved), String::new()]);
    if report.wrong_fields_marked.of > 0 {
        overview.add_row([
            "wrong fields marked".to_owned(),
            percent(report.wrong_fields_marked.share()),
            thousands(report.wrong_fields_marked.of),
        ]);
        overview.add_row([
            "right fields marked".to_owned(),
            percent(report.right_fields_marked.share()),
            thousands(report.right_fields_marked.of),
        ]);
    }
    let mut rungs = table(format, &["rung", "feedback", "of all", "right", "mean confidence"]);
    for rung in groundswell_model::Rung::ALL {
        let Some(score) = report.by_rung.get(rung.name()) else { continue };
        let n = score.score.of;
        let mean = format!("{:.2}", score.confidence / n.max(1) as f64);
        rungs.add_row([
            rung.name().to_owned(),
            thousands(n),
            percent(Some(n as f64 / report.feedback.max(1) as f64)),
            percent(score.score.share()),
            mean,
        ]);
    }
    let mut told = table(format, &["what tells", "feedback", "right"]);
    for (what, score) in &report.by_told {
        told.add_row([what.clone(), thousands(score.of), percent(score.share())]);
    }
    format!("{}\n{}\n{}", lines(&overview), lines(&rungs), lines(&told))
}
