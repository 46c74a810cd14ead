//! `gate`: a review against a policy, and an exit code for a pipeline.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use groundswell_review::gate::{self, Overrides, exit_code};
use groundswell_review::policy::OnInconclusive;
use groundswell_review::{Policy, Review, ReviewInput, render, review};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, clean, lines, print, print_json, table};

/// The policy file that is read where none is named.
const USUAL_POLICY: &str = "groundswell.gate.toml";

/// What is reviewed, and against what.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  groundswell gate --input counts.json
  groundswell gate --input counts.json --format md > comment.md
  groundswell gate --input counts.json --write junit=review.xml --write github=-
  groundswell gate --input counts.json --policy groundswell.gate.toml --inconclusive pass

Exit codes: 0 pass, 1 regression, 2 wrong use, 3 inconclusive.")]
pub struct Args {
    /// Counts per consumer, version and day (see docs/statistics.md); `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
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
    let policy = policy(args)?;
    let input: ReviewInput = serde_json::from_str(&read(&args.input)?)
        .map_err(|e| Failure::wrong_use(format!("{}: these are no counts for a review: {e}", args.input.display())))?;
    let review = review(&input, &policy);
    show(&review, Format::choose(global.format))?;
    for (form, file) in &args.write {
        write(&review, *form, file)?;
    }
    Ok(exit_code(review.verdict, &policy))
}

fn policy(args: &Args) -> Result<Policy, Failure> {
    let usual = || Some(PathBuf::from(USUAL_POLICY)).filter(|p| p.exists());
    let path = args.policy.clone().or_else(usual);
    let file = path.as_deref().map(read).transpose()?;
    let flags = Overrides {
        error: args.error,
        horizon_days: args.horizon_days,
        maturing_days: args.maturing_days,
        inconclusive: args.inconclusive.map(Into::into),
    };
    gate::policy(file.as_deref(), flags).map_err(|e| {
        let place = path.map_or_else(String::new, |p| format!("{}: ", p.display()));
        Failure::wrong_use(format!("{place}{e}"))
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    let fail = |e: std::io::Error| Failure::wrong_use(format!("{} can't be read: {e}", path.display()));
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path).map_err(fail);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(fail)?;
    Ok(text)
}

fn show(review: &Review, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(review),
        Format::Md => print(&render::markdown(review)),
        Format::Table => {
            let mut rows = table(format, &render::COLUMNS);
            for row in render::rows(review) {
                rows.add_row(row.map(|cell| clean(&cell)));
            }
            let remarks: Vec<String> = render::remarks(review).iter().map(|line| format!("{}\n", clean(line))).collect();
            let head = format!("{}: {}, {}", clean(&render::title(review)), review.verdict.name(), clean(&review.reason));
            print(&format!("{head}\n{}{}", lines(&rows), remarks.concat()))
        }
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
    std::fs::write(file, text).map_err(|e| Failure::failed(format!("{} can't be written: {e}", file.display())))
}

#[cfg(test)]
mod tests;
