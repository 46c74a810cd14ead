//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use groundswell_runtime::settings::Scope;
use groundswell_runtime::{ConfigArgs, ServeArgs};

use crate::output::Format;
use crate::{
    cmd_again, cmd_bench, cmd_catalogue, cmd_classify, cmd_consumers, cmd_correct, cmd_deprecation, cmd_evaluate, cmd_gate, cmd_model,
    cmd_review, cmd_simulate, cmd_themes, cmd_version,
};

/// What API consumers say and do, in one searchable insight index per API version.
#[derive(Debug, Parser)]
#[command(name = "groundswell", version, about, after_help = FIRST_STEPS, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_STEPS: &str = "\
First steps:
  groundswell demo                                  everything in one process, with a simulated company
  groundswell up                                    everything in one process, for your own events
  groundswell send events.jsonl                     publish CloudEvents, one a line
  groundswell summary payments v2 --baseline v1     what v2's consumers say and do, beside v1
  groundswell review payments v2 --baseline v1      is v2 better than v1 was?

Exit codes: 0 done, 1 something failed or was rejected, 2 wrong use, 4 server or broker not reachable, 64 wrong configuration, 70 a service failed.";

/// Options of every command.
#[derive(Args, Clone, Debug, Default)]
pub struct Global {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Server to ask [default: the one that serves the data folder, else http://127.0.0.1:4780]
    #[arg(long, global = true, value_name = "URL", env = "GROUNDSWELL_SERVER", help_heading = "Server")]
    pub server: Option<String>,
    /// API key for that server
    #[arg(long, global = true, value_name = "KEY", env = "GROUNDSWELL_KEY", hide_env_values = true, help_heading = "Server")]
    pub key: Option<String>,
    /// Form of the answer [default: table on a terminal, JSON into a pipe]
    #[arg(long, global = true, value_enum)]
    pub format: Option<Format>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run all services in one process, with everything stored in one folder
    #[command(after_help = "Examples:
  groundswell up
  groundswell up --data /var/lib/groundswell --listen 127.0.0.1:4780
  groundswell up --set transport=kafka --set kafka.bootstrap=broker:9092 --check-config")]
    Up(ServeArgs),
    /// Run one service, to be scaled by itself on Kafka
    #[command(after_help = "Examples:
  groundswell serve ingest --config groundswell.toml
  GROUNDSWELL__INSTANCE=classify-1 groundswell serve classify --config groundswell.toml
  groundswell serve index --config groundswell.toml --listen 127.0.0.1:4783")]
    Serve(ServeOne),
    /// Run everything with a simulated company and show what to look at
    #[command(after_help = "Examples:
  groundswell demo
  groundswell demo --data /tmp/demo --once      end after the first summary")]
    Demo(Demo),
    /// Publish CloudEvents from files or standard input, one JSON object a line
    #[command(after_help = "Examples:
  groundswell send events.jsonl
  export-tickets | groundswell send -
  groundswell send events.jsonl --server https://groundswell.example --key gs_…
  groundswell send events.jsonl --data ./groundswell-data      no server running: works it off itself

Exit code 1 if an event was rejected; sending the same events again counts each once.")]
    Send(Send),
    /// Follow feedback as it becomes searchable
    #[command(after_help = "Examples:
  groundswell tail
  groundswell tail --api payments --version v2 --filter severity:blocks
  groundswell tail --format json | jq .title")]
    Tail(Tail),
    /// Search feedback: words, "phrases", fields, ranges
    #[command(after_help = "Examples:
  groundswell search '\"rate limit\" OR timeout' --api payments --version v2
  groundswell search 'sentiment:negative AND score:<7' --facet aspect --histogram week
  groundswell search --like //desk.example/42 --limit 5      more like this
  groundswell search --api payments --filter sentiment:negative --since 2026-02-01 --limit 5 --format json")]
    Search(Search),
    /// What one version's consumers said and did, every number with its interval and sample size
    #[command(after_help = "Examples:
  groundswell summary payments v2
  groundswell summary payments v2 --baseline v1 --format md > review.md
  groundswell summary payments v2 --since 2026-02-01 --until 2026-03-01")]
    Summary(Summary),
    /// Say what a piece of feedback really is: type, aspects, sentiment, severity, version
    Correct(cmd_correct::Args),
    /// What people corrected, and how right each label was
    Corrections(cmd_correct::ListArgs),
    /// Attribute all feedback again, with today's catalogue: what would move, then a swap
    Reattribute(cmd_again::ReattributeArgs),
    /// Label all feedback again, with another model or with corrections: what would change, then a swap
    Reclassify(cmd_again::ReclassifyArgs),
    /// All feedback of one version: export it, or make the index forget it
    #[command(subcommand)]
    Version(cmd_version::VersionCommand),
    /// The index: build it anew from the topics
    #[command(subcommand)]
    Index(cmd_version::IndexCommand),
    /// The APIs and versions there are
    #[command(after_help = "Examples:
  groundswell apis
  groundswell apis --format json | jq -r '.apis[].api'")]
    Apis,
    /// What the feedback of an API keeps coming back to: size, reach, trend, revenue
    Themes(cmd_themes::Args),
    /// APIs and versions from a file: apply, check, and show what the server knows
    #[command(subcommand)]
    Catalogue(cmd_catalogue::Command),
    /// Who uses a version: how they came, stay and leave, and who is in pain
    Consumers(cmd_consumers::Args),
    /// Records that could not be used: list, look at, send again
    #[command(
        subcommand,
        after_help = "Examples:
  groundswell dlq list --reason invalid_data
  groundswell dlq show 0/17 > original.json
  groundswell dlq replay --reason unknown_type"
    )]
    Dlq(Dlq),
    /// Check configuration, broker, topics, permissions, disk, lag and more, and say what to do
    #[command(after_help = "Examples:
  groundswell doctor
  groundswell doctor --config groundswell.toml --format json

Exit code 1 if something fails.")]
    Doctor,
    /// Write the events of a simulated company, with the truth beside them
    Simulate(cmd_simulate::Args),
    /// Label texts from standard input, one answer a line
    Classify(cmd_classify::Args),
    /// Models for labels: train your own, see how good they are
    #[command(subcommand)]
    Model(cmd_model::Command),
    /// Make API keys
    #[command(subcommand)]
    Key(Key),
    /// Where every service stands, and how fresh the answers are
    #[command(after_help = "Examples:
  groundswell status
  groundswell status --wait 60      wait until everything published is searchable")]
    Status(Status),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
    /// Measure speed, memory, freshness and queries
    Bench(cmd_bench::Args),
    /// Show what the answers are worth, on streams whose truth is known
    #[command(subcommand)]
    Evaluate(cmd_evaluate::Evaluate),
    /// Whether a version is better or worse for its consumers than its baseline: a tested verdict
    Review(cmd_review::Args),
    /// Review a version against its baseline by a policy, with an exit code for a pipeline
    Gate(cmd_gate::Args),
    /// How ready a version is to be switched off
    #[command(subcommand)]
    Deprecation(cmd_deprecation::Deprecation),
}

#[derive(Args, Debug)]
pub struct ServeOne {
    /// Which one
    #[arg(value_enum)]
    pub service: OneService,
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// The services that can run by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OneService {
    /// Source topics and POST /v1/events
    Ingest,
    /// Attribution, labels, folded usage
    Classify,
    /// Index, search and summaries
    Index,
}

#[derive(Args, Debug)]
pub struct Demo {
    #[command(flatten)]
    pub serve: ServeArgs,
    /// End after the first summary
    #[arg(long)]
    pub once: bool,
    /// The same seed gives the same company
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

#[derive(Args, Debug)]
pub struct Send {
    /// Files of CloudEvents, one JSON object a line; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Events in one request
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub batch: u32,
    /// Go on trying for so long while the server does not answer
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub retry_for: u64,
}

#[derive(Args, Clone, Debug, Default)]
pub struct Narrow {
    /// Only this API
    #[arg(long)]
    pub api: Option<String>,
    /// Only these versions
    #[arg(long, value_delimiter = ',')]
    pub version: Vec<String>,
    /// A condition that must hold: field:value, field:[a TO b], field:<7; a leading - excludes
    #[arg(long, value_name = "CONDITION", allow_hyphen_values = true)]
    pub filter: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Tail {
    #[command(flatten)]
    pub narrow: Narrow,
    /// Begin with so many that are there already
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N")]
    pub lines: usize,
    /// End after those, without following
    #[arg(long)]
    pub no_follow: bool,
}

#[derive(Args, Debug)]
pub struct Search {
    /// Words, "phrases", field:value, AND, OR, NOT; everything where left out
    #[arg(default_value = "")]
    pub query: String,
    #[command(flatten)]
    pub narrow: Narrow,
    /// What resembles this piece of feedback most, as a search with --format json names it
    #[arg(long, value_name = "SOURCE/ID")]
    pub like: Option<String>,
    /// Count all hits by the values of this field
    #[arg(long, value_delimiter = ',', value_name = "FIELD")]
    pub facet: Vec<String>,
    /// Values listed for each facet
    #[arg(long, value_name = "N")]
    pub facet_limit: Option<usize>,
    /// Count all hits over time
    #[arg(long, value_name = "WIDTH", value_parser = ["hour", "day", "week", "month"])]
    pub histogram: Option<String>,
    /// Order [default: relevance with words, else newest]
    #[arg(long, value_parser = ["relevance", "newest", "oldest", "lowest_score", "highest_score"])]
    pub sort: Option<String>,
    /// Hits on a page
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// The `next_cursor` of the page before
    #[arg(long)]
    pub cursor: Option<String>,
    /// Whole texts instead of the piece around the first match
    #[arg(long)]
    pub full_body: bool,
    /// From this day or RFC 3339 time on
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

#[derive(Args, Debug)]
pub struct Summary {
    /// The API
    pub api: String,
    /// The API version, or `unknown`
    pub version: String,
    /// A version to put beside it
    #[arg(long, value_name = "VERSION")]
    pub baseline: Option<String>,
    /// From this day or RFC 3339 time on
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this day or RFC 3339 time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Count only feedback that is about this version alone, not shares of what may be about several
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Subcommand)]
pub enum Dlq {
    /// List them, newest last
    List(DlqFilter),
    /// Write the original bytes of one to standard output, and what is known about it to standard error
    Show {
        /// PARTITION/OFFSET in the dead-letter topic, as `dlq list` shows it
        place: String,
    },
    /// Publish the originals again to the topics they came from
    Replay(DlqFilter),
}

/// Which dead letters.
#[derive(Args, Clone, Debug, Default)]
pub struct DlqFilter {
    /// Only with this reason
    #[arg(long)]
    pub reason: Option<String>,
    /// Only from this topic
    #[arg(long)]
    pub topic: Option<String>,
    /// Only this one: PARTITION/OFFSET, as `dlq list` shows it
    #[arg(long, value_name = "PARTITION/OFFSET")]
    pub place: Option<String>,
    /// Those that were published again already, too
    #[arg(long)]
    pub replayed: bool,
    /// At most so many, the newest [default: 1000 are listed, all are sent back]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make a key: it is shown once, its entry for the configuration beside it
    #[command(after_help = "Examples:
  groundswell key new helpdesk --scopes publish
  groundswell key new ci --scopes publish,read")]
    New {
        /// Whose it is; shown in logs
        name: String,
        /// What it may do: publish, read, admin
        #[arg(long, value_delimiter = ',', required = true, value_parser = scope)]
        scopes: Vec<Scope>,
    },
}

#[derive(Args, Debug)]
pub struct Status {
    /// Wait up to so many seconds until everything published is searchable; exit 1 if it is not
    #[arg(long, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

fn scope(text: &str) -> Result<Scope, String> {
    [Scope::Publish, Scope::Read, Scope::Admin].into_iter().find(|s| s.name() == text).ok_or_else(|| "publish, read or admin".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_explains_itself() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    #[test]
    fn options_of_every_command_may_stand_behind_it() {
        let cli = Cli::try_parse_from([
            "groundswell",
            "search",
            "timeout",
            "--api",
            "payments",
            "--version",
            "v1,v2",
            "--format",
            "json",
            "--server",
            "http://x",
        ])
        .unwrap();
        assert_eq!((cli.global.format, cli.global.server.as_deref()), (Some(Format::Json), Some("http://x")));
        let Command::Search(search) = cli.command else { panic!("not search") };
        assert_eq!((search.query.as_str(), search.narrow.version), ("timeout", vec!["v1".to_owned(), "v2".to_owned()]));
    }

    #[test]
    fn scopes_are_read_and_refused_by_name() {
        let cli = Cli::try_parse_from(["groundswell", "key", "new", "ci", "--scopes", "publish,read"]).unwrap();
        let Command::Key(Key::New { scopes, .. }) = cli.command else { panic!("not key new") };
        assert_eq!(scopes, [Scope::Publish, Scope::Read]);
        let error = Cli::try_parse_from(["groundswell", "key", "new", "ci", "--scopes", "write"]).unwrap_err();
        assert!(error.to_string().contains("publish, read or admin"));
    }

    #[test]
    fn settings_are_given_as_key_and_value() {
        let cli = Cli::try_parse_from(["groundswell", "up", "--set", "index.commit_ms=500", "--data", "/d"]).unwrap();
        assert_eq!(cli.global.config.set, [("index.commit_ms".to_owned(), "500".to_owned())]);
        assert!(Cli::try_parse_from(["groundswell", "up", "--set", "index.commit_ms"]).is_err());
    }
}
