//! The command line. `cli` has what can be typed, each `cmd_…` runs one command.

#![expect(unreachable_pub, reason = "a program is no library: `pub` says what the other modules use")]

#[cfg(test)]
mod answers;
mod bench;
mod bounded_lines;
mod cli;
mod client;
mod cmd_again;
mod cmd_apis;
mod cmd_bench;
mod cmd_catalogue;
mod cmd_classify;
mod cmd_consumers;
mod cmd_correct;
mod cmd_demo;
mod cmd_deprecation;
mod cmd_dlq;
mod cmd_doctor;
mod cmd_evaluate;
mod cmd_gate;
mod cmd_key;
mod cmd_model;
mod cmd_review;
mod cmd_search;
mod cmd_send;
mod cmd_simulate;
mod cmd_status;
mod cmd_summary;
mod cmd_tail;
mod cmd_themes;
mod cmd_up;
mod cmd_version;
mod dead_letters;
mod demo_tour;
mod evaluate;
mod failure;
mod feed;
mod figures;
mod not_lines;
mod openapi;
mod output;
mod pipeline;
mod progress;
mod server_file;
mod stages;
mod verdict;

use std::process::ExitCode;

use clap::Parser;
use groundswell_runtime::exit;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let global = &cli.global;
    let outcome = match &cli.command {
        Command::Up(args) => return cmd_up::up(global, args),
        Command::Serve(args) => return cmd_up::serve(global, args),
        Command::Demo(args) => return cmd_demo::run(global, args),
        Command::Send(args) => cmd_send::run(global, args),
        Command::Tail(args) => cmd_tail::run(global, args),
        Command::Search(args) => cmd_search::run(global, args),
        Command::Summary(args) => cmd_summary::run(global, args),
        Command::Correct(args) => cmd_correct::correct(global, args),
        Command::Corrections(args) => cmd_correct::corrections(global, args),
        Command::Reattribute(args) => cmd_again::reattribute(global, args),
        Command::Reclassify(args) => cmd_again::reclassify(global, args),
        Command::Version(command) => cmd_version::version(global, command),
        Command::Index(command) => cmd_version::index(global, command),
        Command::Apis => cmd_apis::run(global),
        Command::Themes(args) => cmd_themes::run(global, args),
        Command::Catalogue(command) => cmd_catalogue::run(global, command),
        Command::Consumers(args) => cmd_consumers::run(global, args),
        Command::Dlq(command) => cmd_dlq::run(global, command),
        Command::Doctor => cmd_doctor::run(global),
        Command::Classify(args) => cmd_classify::run(global, args),
        Command::Model(command) => cmd_model::run(global, command),
        Command::Key(command) => cmd_key::run(global, command),
        Command::Status(args) => cmd_status::run(global, args),
        Command::Openapi => print_openapi(),
        Command::Simulate(args) => cmd_simulate::run(global, args),
        Command::Bench(args) => cmd_bench::run(args, global),
        Command::Evaluate(what) => cmd_evaluate::run(global, what),
        Command::Review(args) => cmd_review::run(global, args),
        Command::Deprecation(command) => cmd_deprecation::run(global, command),
        Command::Gate(args) => match cmd_gate::run(global, args) {
            Ok(code) => return code.into(),
            Err(failure) => Err(failure),
        },
    };
    match outcome {
        Ok(()) => exit::OK.into(),
        Err(failure) => failure.tell(),
    }
}

fn print_openapi() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&openapi::document());
    output::print(&format!("{}\n", text.map_err(|e| Failure::failed(e.to_string()))?))
}
