//! `gate`: a review against a policy, and an exit code for a pipeline.

mod live;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use groundswell_review::gate::{Overrides, exit_code};
use groundswell_review::policy::{Counted, OnInconclusive};
use groundswell_review::{Policy, Review, ReviewInput, render, review};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, print};
use crate::verdict::{Question, policy, read, show};
use live::Patience;

/// What is reviewed, and against what.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell gate payments v2 --baseline v1
  groundswell gate payments v2 --baseline v1 --wait 30m --max-age 2d --format md > comment.md
  groundswell gate payments v2 --baseline v1 --write junit=review.xml --write github=-
  groundswell gate payments v2 --baseline v1 --policy groundswell.gate.toml --inconclusive pass
  groundswell gate payments v1 --safe-to-remove     exit 0 if nobody calls it any more (section [removal] of the policy)
  groundswell gate --input counts.json            counts of your own (docs/statistics.md)

Exit codes: 0 pass, 1 regression, 2 wrong use, 3 inconclusive, 4 not reachable or stale.")]
pub struct Args {
    /// The API
    #[arg(required_unless_present = "input", conflicts_with = "input")]
    pub api: Option<String>,
    /// The version under review
    #[arg(required_unless_present = "input", conflicts_with = "input")]
    pub version: Option<String>,
    /// The version it is compared with
    #[arg(long, value_name = "VERSION", required_unless_present_any = ["input", "safe_to_remove"], conflicts_with_all = ["input", "safe_to_remove"])]
    pub baseline: Option<String>,
    /// Ask instead whether the version can be switched off: nobody calls it any more, and its sunset has passed
    #[arg(long, conflicts_with_all = ["input", "since", "until", "write"])]
    pub safe_to_remove: bool,
    /// From this day or RFC 3339 time on [default: 28 days before the version's first]
    #[arg(long, value_name = "TIME", conflicts_with = "input")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time [default: the end of the data]
    #[arg(long, value_name = "TIME", conflicts_with = "input")]
    pub until: Option<String>,
    /// Go on asking for so long while the verdict is inconclusive or the server is away or behind
    #[arg(long, value_name = "TIME", value_parser = live::duration, conflicts_with = "input")]
    pub wait: Option<Duration>,
    /// Exit 4 if the data end longer ago than this
    #[arg(long, value_name = "TIME", value_parser = live::duration, conflicts_with_all = ["input", "until"])]
    pub max_age: Option<Duration>,
    /// Counts per consumer, version and day instead of a server's (see docs/statistics.md); `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Policy [default: groundswell.gate.toml in this folder, if it is there]
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// What an inconclusive review means, whatever the policy says
    #[arg(long, value_enum)]
    pub inconclusive: Option<Meaning>,
    /// Probability of a false alarm of a review, whatever the policy says
    #[arg(long, value_name = "SHARE")]
    pub error: Option<f64>,
    /// Days over which daily looks are allowed for, whatever the policy says
    #[arg(long, value_name = "N")]
    pub horizon_days: Option<u32>,
    /// Days a window must have before silence counts as praise, whatever the policy says
    #[arg(long, value_name = "N")]
    pub maturing_days: Option<u32>,
    /// Write it in another form too: junit=FILE, github=FILE, md=FILE or json=FILE; `-` is standard output
    #[arg(long, value_name = "FORM=FILE", value_parser = writing)]
    pub write: Vec<(Form, PathBuf)>,
}

/// What an inconclusive review means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Meaning {
    /// Exit code 3
    Inconclusive,
    /// Exit code 0
    Pass,
    /// Exit code 1
    Fail,
}

impl From<Meaning> for OnInconclusive {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::Inconclusive => Self::Inconclusive,
            Meaning::Pass => Self::Pass,
            Meaning::Fail => Self::Fail,
        }
    }
}

/// A form for a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JUnit XML.
    Junit,
    /// Workflow commands of GitHub Actions.
    Github,
    /// Markdown.
    Md,
    /// JSON.
    Json,
}

fn writing(text: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = text.split_once('=').ok_or("FORM=FILE, for example junit=review.xml")?;
    let form = match form {
        "junit" => Form::Junit,
        "github" => Form::Github,
        "md" => Form::Md,
        "json" => Form::Json,
        _ => return Err("junit, github, md or json".to_owned()),
    };
    if file.is_empty() { Err("a file is missing behind =".to_owned()) } else { Ok((form, file.into())) }
}

/// Runs it; the exit code is the verdict's.
pub fn run(global: &Global, args: &Args) -> Result<u8, Failure> {
    let flags = Overrides {
        error: args.error,
        horizon_days: args.horizon_days,
        maturing_days: args.maturing_days,
        inconclusive: args.inconclusive.map(Into::into),
    };
    let policy = policy(args.policy.as_deref(), flags)?;
    let patience = Patience { wait: args.wait.unwrap_or_default(), max_age: args.max_age };
    if args.safe_to_remove {
        let question = question(args);
        let readiness = live::readiness(global, &question.api, &question.version, &policy, patience)?;
        crate::cmd_deprecation::show(&readiness, Format::choose(global.format))?;
        return Ok(exit_code(readiness.verdict, &policy));
    }
    let review = match &args.input {
        Some(file) => of_file(file, &policy)?,
        None => live::review(global, &question(args), &policy, patience)?,
    };
    show(&review, Format::choose(global.format))?;
    for (form, file) in &args.write {
        write(&review, *form, file)?;
    }
    Ok(exit_code(review.verdict, &policy))
}

fn of_file(file: &Path, policy: &Policy) -> Result<Review, Failure> {
    let input: ReviewInput = serde_json::from_str(&read(file)?)
        .map_err(|e| Failure::wrong_use(format!("{}: these are no counts for a review: {e}", file.display())))?;
    let counted = |name: &str| input.operations.iter().any(|place| input.custom.get(usize::from(*place)).is_some_and(|own| own == name));
    let operations = policy.custom().into_iter().filter(|(_, counts)| matches!(counts, Counted::Operation(_)));
    if let Some((name, _)) = operations.into_iter().find(|(name, _)| !counted(name)) {
        let told = format!("{}: there are no counts for guardrails.{name}: list it in custom, and its place in operations", file.display());
        return Err(Failure::wrong_use(told));
    }
    Ok(review(&input, policy))
}

/// The command line has all of it where there is no file.
fn question(args: &Args) -> Question {
    Question {
        api: args.api.clone().unwrap_or_default(),
        version: args.version.clone().unwrap_or_default(),
        baseline: args.baseline.clone().unwrap_or_default(),
        since: args.since.clone(),
        until: args.until.clone(),
    }
}

fn write(review: &Review, form: Form, file: &Path) -> Result<(), Failure> {
    let text = match form {
        Form::Junit => render::junit(review),
        Form::Github => render::annotations(review),
        Form::Md => render::markdown(review),
        Form::Json => {
            serde_json::to_string(review).map_err(|e| Failure::failed(format!("the review can't be written as JSON: {e}")))? + "\n"
        }
    };
    if file.as_os_str() == "-" {
        return print(&text);
    }
    // Not exit code 1, which would mean a regression.
    std::fs::write(file, text).map_err(|e| Failure::wrong_use(format!("{} can't be written: {e}", file.display())))
}

#[cfg(test)]
mod tests;
