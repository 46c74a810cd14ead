//! `evaluate`: what Groundswell's answers are worth, on streams whose truth is known.

pub mod attribution;
pub mod themes;
pub mod verdicts;

use clap::Subcommand;

use crate::cli::Global;
use crate::failure::Failure;

/// What to evaluate.
#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// Which version feedback is about: accuracy, coverage and calibration by rung, with the fields that name API and version hidden
    Attribution(attribution::Args),
    /// Themes and duplicates: how well feedback is grouped and found again
    Themes(themes::Args),
    /// Verdicts: false alarms and power over simulated streams, beside other tests
    Verdicts(verdicts::Args),
}

/// Runs it.
pub fn run(global: &Global, what: &Evaluate) -> Result<(), Failure> {
    match what {
        Evaluate::Attribution(args) => attribution::run(global, args),
        Evaluate::Themes(args) => themes::run(global, args),
        Evaluate::Verdicts(args) => verdicts::run(global, args),
    }
}
